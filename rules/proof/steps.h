/* An op list taken apart, so that one can watch what each op does: lenses written out, and what
 * stands in a list below `in` or `each` one by one. One step after the other does what the list
 * does. */
#ifndef DG_RULES_PROOF_STEPS_H
#define DG_RULES_PROOF_STEPS_H

#include "transforms/program.h"

enum { DG_STEPS_MAX = 4096 };

typedef struct dg_step {
    const dg_op *op;  /* the innermost: its word and origin are what the pack says */
    dg_ops ops;       /* one op: that, with what is around it */
    const char *path; /* of the value that it works on: "items[]"; "." for the value itself */
} dg_step;

/* Appends the steps of a list, which must outlive them; they live in the arena. DG_LIMIT, DG_NOMEM.
 */
DG_MUST_USE dg_status dg_steps_add(dg_arena *arena, const dg_ops *list, dg_step steps[DG_STEPS_MAX],
                                   size_t *count);

/* Appends what a list makes of a value, which is followed by DG_JSON_PADDING bytes; and the same
 * behind the outcome. As dg_run. */
DG_MUST_USE dg_status dg_ops_run(dg_runner *runner, const dg_ops *ops, dg_slice in, dg_buf *out,
                                 dg_run_error *ret_error);

#endif
