/* Regular expressions (PCRE2), bounded: as a pack writes them, matched against decoded UTF-8.
 *
 * What bounds them is counted in steps: one for each item of the pattern that is tried at some place, and more for
 * an item that runs far. All the matches of a run share what dg_matcher_begin allows, so that a message of many texts
 * takes no longer than one of the same length with one text. */
#ifndef DG_TRANSFORMS_PATTERN_H
#define DG_TRANSFORMS_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"

enum {
    DG_PATTERN_BYTES_MAX = 1024,
    DG_PATTERN_STEPS_MAX = 4000000, /* of one run, */
    DG_PATTERN_STEPS_A_BYTE = 8,    /* and this many more for each byte of its input */
    DG_PATTERN_GROUPS_MAX = 9
};

/* Working memory for matching, and the steps that are left: one per runner. It stays where it is once it is
 * used. */
typedef struct dg_matcher {
    void *memory, *context, *data; /* PCRE2's, made when they are first needed */
    uint64_t steps;
    size_t at; /* where the last step was */
} dg_matcher;
void dg_matcher_init(dg_matcher *matcher);
void dg_matcher_free(dg_matcher *matcher);
/* Before a run on an input of that length. */
void dg_matcher_begin(dg_matcher *matcher, size_t bytes);

/* Immutable; any thread may use it. */
typedef struct dg_pattern dg_pattern;

/* Compiles it into the arena, which must outlive it; nothing is to be freed. DG_INVALID with a diagnostic that
 * names the place in the pattern; DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_new(dg_arena *arena, dg_slice text, dg_origin origin, dg_diags *diags,
                                     const dg_pattern **ret_pattern);
dg_slice dg_pattern_text(const dg_pattern *pattern);

/* Does it match somewhere in `subject`, valid UTF-8? `matcher` NULL: this call is a run of its own. DG_LIMIT (no
 * steps are left), DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_match(const dg_pattern *pattern, dg_matcher *matcher, dg_slice subject,
                                       bool *ret_matches);
/* Appends `subject` with each match replaced by `with` ($0 to $9, $$). DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_replace(const dg_pattern *pattern, dg_matcher *matcher, dg_slice subject,
                                         dg_slice with, dg_buf *out);

#endif
