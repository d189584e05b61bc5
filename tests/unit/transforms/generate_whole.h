/* Random WHOLE ops and documents that know of each other, from a seed. */
#ifndef DG_TESTS_GENERATE_WHOLE_H
#define DG_TESTS_GENERATE_WHOLE_H

#include "base/buf.h"
#include "transforms/op.h"

typedef struct whole_generator {
    uint64_t state;
    dg_arena *arena;
} whole_generator;

uint32_t whole_number(whole_generator *g, uint32_t below);
/* Any op of whole_ops.h; it lives in the arena. */
const dg_op *whole_op(whole_generator *g);
/* A document, without white space around it, of a shape that the op is for, or of another. */
void whole_document(whole_generator *g, const dg_op *op, dg_buf *out);

#endif
