/* The ops, carried out plainly: a tree of raw texts, one list after the other, one op after the
 * other. Slow and simple on purpose; what the engine is held against. The input must be valid JSON.
 */
#ifndef DG_TESTS_REFERENCE_H
#define DG_TESTS_REFERENCE_H

#include "base/buf.h"
#include "transforms/op.h"

/* Appends the outcome to `out`; DG_INVALID if an op refuses, DG_LIMIT if there is no end to it. */
dg_status reference_run(dg_arena *arena, const dg_ops *const *steps, size_t step_count, dg_slice in,
                        dg_buf *out);
/* Whether a value that an op refused went away in the last run, so that the outcome stands all the same. An op on
 * whole values may have been stricter: what comes before it must be fit to be written. */
bool reference_forgave(void);

#endif
