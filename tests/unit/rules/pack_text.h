/* Packs written in a test: api.yaml and changes, as text, in a folder of their own. */
#ifndef DG_TESTS_PACK_TEXT_H
#define DG_TESTS_PACK_TEXT_H

#include "rules/ruleset.h"

enum { PACK_TEXT_CHANGES_MAX = 8 };

typedef struct pack_text {
    const char *api;                            /* what follows the line "api: t" */
    const char *changes[PACK_TEXT_CHANGES_MAX]; /* what follows "between", from the oldest; versions
                                                   are v1, v2 ... */
    const char *backend;                        /* NULL: the newest */
    const dg_backend_source *backends;
    size_t backend_count;
} pack_text;

/* Loads it. Without an error: the set, and *ret_report is NULL. Otherwise NULL, and the report, to
 * be freed; the folder's name is left out of it. */
dg_ruleset *pack_text_load(const pack_text *text, char **ret_report);
/* The same, where no error is expected. */
dg_ruleset *pack_text_must_load(const pack_text *text);

#endif
