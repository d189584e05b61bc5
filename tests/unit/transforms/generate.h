/* Random op lists and documents that know of each other, from a seed. */
#ifndef DG_TESTS_GENERATE_H
#define DG_TESTS_GENERATE_H

#include "base/buf.h"
#include "transforms/op.h"

typedef struct generator {
    uint64_t state;
    dg_arena *arena;
    dg_ops *lens;   /* a list that may be applied anywhere, in itself too */
    bool spaces;    /* documents with white space */
    bool gentle;    /* ops that seldom refuse, for long chains */
    unsigned whole; /* of a hundred ops, how many are on scalars or on whole values */
    unsigned fresh; /* names made up so far */
} generator;

uint32_t generate_number(generator *g, uint32_t below);
dg_ops *generate_list(generator *g, unsigned depth);
/* Operands for an op on scalars or on whole values, whose kind is set; generate_operands.c. */
void generate_operands(generator *g, dg_op *op, unsigned depth);
/* Only ops that lose nothing, on names that no document has but by them. */
dg_ops *generate_lossless_list(generator *g, unsigned depth);
/* Appends a document, with DG_JSON_PADDING bytes of rubbish behind its length. */
void generate_document(generator *g, dg_buf *out);

#endif
