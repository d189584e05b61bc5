/* What an op cannot carry from one version to the other: the one place that inverse.c and losses.c
 * ask. Internal to the room. */
#ifndef DG_TRANSFORMS_LOSS_H
#define DG_TRANSFORMS_LOSS_H

#include "transforms/op.h"

enum { DG_LOSS_TEXT = 320 };

typedef enum dg_loss_kind {
    DG_LOSES_NOTHING,
    DG_LOSS_SETTLED, /* by a policy, or by what the op is: the way back is known, and not exact */
    DG_LOSS_OPEN /* the way back is not known, unless the pack accepts it or has one of its own */
} dg_loss_kind;

/* What the way up loses, written to `text` (NUL-terminated); for an open one *ret_policies says
 * what would settle it, a static sentence. The arena is for working memory. */
dg_loss_kind dg_op_loss_up(dg_arena *arena, const dg_op *op, char text[DG_LOSS_TEXT],
                           const char **ret_policies);
/* What of a newer message the older version has no place for; false, and no text, when nothing. */
bool dg_op_loss_down(const dg_op *op, char text[DG_LOSS_TEXT]);

/* What the op is called in the pack. */
const char *dg_op_said(const dg_op *op);
/* For each row of a value table, the first row that comes to the same scalar: strings compared
 * decoded, anything else as text. NULL out of memory. */
uint32_t *dg_rows_first(dg_arena *arena, const dg_op *op);
/* A path as packs write it, into `text`. */
void dg_path_text(const dg_path *path, char *text, size_t size);

#endif
