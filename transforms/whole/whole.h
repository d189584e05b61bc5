/* WHOLE ops (op.h) and tests on one value: JSON text in, JSON text out, by way of a light tape. What no op
 * touches stays byte for byte as it came, white space included. Internal to the room. */
#ifndef DG_TRANSFORMS_WHOLE_H
#define DG_TRANSFORMS_WHOLE_H

#include "base/buf.h"
#include "transforms/op.h"

/* A runner's working memory for it: bounded by what a message needs, kept from one to the next. One thread. */
typedef struct dg_whole dg_whole;
DG_MUST_USE dg_status dg_whole_new(dg_whole **ret_whole);
void dg_whole_free(dg_whole *whole); /* NULL is fine */
/* Its tests use this one (pattern.h), which must stay. */
struct dg_matcher;
void dg_whole_match_with(dg_whole *whole, struct dg_matcher *matcher);

/* Why an op refused; static sentence. */
typedef struct dg_whole_error {
    const char *message;
    const dg_op *op;
} dg_whole_error;

/* Appends what the ops, one after the other, make of the value `in`: valid JSON text without white space around
 * it, DG_JSON_PADDING readable bytes behind it. Any op of the WHOLE class but SWITCH, and CASE and RENAME.
 * DG_INVALID: an op refuses, *ret_error says which. DG_LIMIT (`out` is full, or the result is deeper than
 * DG_JSON_DEPTH_MAX), DG_NOMEM. `out` is then as long as before. */
DG_MUST_USE dg_status dg_whole_apply(dg_whole *whole, const dg_op *const *ops, size_t count, dg_slice in,
                                     dg_buf *out, dg_whole_error *ret_error);

/* Which case of a SWITCH the value `in` is: its index, or case_count for none. DG_INVALID: two members
 * of one name where a test looks. DG_LIMIT (a pattern took too long), DG_NOMEM; ret_error says which. */
DG_MUST_USE dg_status dg_whole_switch(dg_whole *whole, const dg_op *op, dg_slice in, size_t *ret_case,
                                      dg_whole_error *ret_error);

#endif
