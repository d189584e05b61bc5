/* SCALAR ops (op.h): JSON text of a scalar in, JSON text of a scalar out. Pure but for the scratch. Internal to
 * the room. */
#ifndef DG_TRANSFORMS_SCALAR_H
#define DG_TRANSFORMS_SCALAR_H

#include "base/buf.h"
#include "transforms/op.h"
#include "transforms/pattern.h"

/* Appends what the op makes of the scalar `in` (valid JSON text), or `in` itself where the op's policy lets it
 * pass. DG_INVALID: it is not of the kind that the op expects, *ret_message says what is wrong, a static sentence.
 * DG_LIMIT: a pattern took too long, or `out` is full. DG_NOMEM. `out` is then as long as before. Of an array or
 * object it makes what it makes of any other value. `matcher` as in pattern.h. */
DG_MUST_USE dg_status dg_scalar_apply(const dg_op *op, dg_matcher *matcher, dg_slice in, dg_buf *out,
                                      const char **ret_message);

#endif
