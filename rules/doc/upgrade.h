/* Packs of older formats, rewritten to the one that this dragoman reads.
 *
 * Format 1 is named by `dragoman: 1` in api.yaml. Format 0 named none, and took some things that
 * say nothing: they go. Comments stay; change files come out in their layout (fmt.h). */
#ifndef DG_RULES_UPGRADE_H
#define DG_RULES_UPGRADE_H

#include "rules/doc/doc.h"

enum { DG_PACK_FORMAT = 1 };

/* Appends api.yaml with its format named; as it is, if one is named already. DG_INVALID with
 * diagnostics, DG_NOMEM. */
DG_MUST_USE dg_status dg_upgrade_api(dg_slice text, const char *file, dg_diags *diags, dg_buf *out);
/* Appends a change file of format 0 as format 1. The same errors, and DG_LIMIT. */
DG_MUST_USE dg_status dg_upgrade_change(dg_slice text, const char *file, dg_diags *diags,
                                        dg_buf *out);

/* The format that api.yaml names: false, after an error, when it is none that this dragoman reads.
 */
bool dg_format_check(const dg_node *api, dg_diags *diags);

#endif
