/* Shorthand for tests of WHOLE ops: an op in a line, a row of a table, a run in a call. */
#ifndef DG_TESTS_TRY_WHOLE_H
#define DG_TESTS_TRY_WHOLE_H

#include "transforms/whole/whole.h"

#define S(text) DG_SLICE(text)
/* A path of up to a few steps; EACH is an each step. */
#define EACH ((dg_slice){NULL, 0})
#define PATH(...)                                                                                  \
    ((dg_path){(const dg_slice[]){__VA_ARGS__},                                                    \
               sizeof((const dg_slice[]){__VA_ARGS__}) / sizeof(dg_slice)})
#define OP(kind_, ...) (&(const dg_op){.kind = DG_OP_##kind_, __VA_ARGS__})
#define NAMES(...)                                                                                 \
    .names = (const dg_slice[]){__VA_ARGS__},                                                      \
    .name_count = sizeof((const dg_slice[]){__VA_ARGS__}) / sizeof(dg_slice)
#define ALL_OF(array) (array), sizeof(array) / sizeof *(array)

typedef struct whole_row {
    const dg_op *op;
    const char *in;
    const char *out; /* NULL: refused */
} whole_row;

/* What the ops make of the text, appended to `out`. The text stands in memory of its own, with
 * rubbish behind it and nothing readable behind that. */
dg_status run_whole(const dg_op *const *ops, size_t count, dg_slice in, dg_buf *out,
                    dg_whole_error *error);
/* Fails the test unless each row comes out as it says. */
void whole_rows(const whole_row *rows, size_t count);
/* Fails the test unless the ops, one after the other, give `out`. */
void whole_gives(const dg_op *const *ops, size_t count, const char *in, const char *out);

#endif
