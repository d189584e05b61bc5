/* An op in words, as programs are printed with (program.h). Internal to the room. */
#ifndef DG_TRANSFORMS_DESCRIBE_H
#define DG_TRANSFORMS_DESCRIBE_H

#include "base/buf.h"
#include "transforms/op.h"

/* Appends the op's word and its operands, without lists. */
void dg_describe_op(const dg_op *op, dg_buf *out);
/* Appends "  # file:line", if the origin is known. */
void dg_describe_origin(dg_origin origin, dg_buf *out);
void dg_describe_naming(const dg_op *op, dg_buf *out);
void dg_describe_test(const dg_test *test, dg_buf *out);

#endif
