/* The WHOLE ops, carried out plainly on a tree of lists: slow and simple on purpose; what the tape
 * is held against. */
#ifndef DG_TESTS_REFERENCE_WHOLE_H
#define DG_TESTS_REFERENCE_WHOLE_H

#include "base/buf.h"
#include "transforms/op.h"

/* Appends what the ops make of `in`, valid JSON without white space around it; false if one
 * refuses. Numbers must be ones of at most 9 digits, with exponents from -9 to 9, where ops reckon
 * with them. */
bool reference_whole(dg_arena *arena, const dg_op *const *ops, size_t count, dg_slice in,
                     dg_buf *out);
/* Whether the test holds; false in *ret_ok if it cannot be said. */
bool reference_test(dg_arena *arena, const dg_test *test, dg_slice in, bool *ret_ok);

#endif
