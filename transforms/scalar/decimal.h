/* Exact decimal arithmetic on the texts of JSON numbers. Pure functions; internal to the room. */
#ifndef DG_TRANSFORMS_DECIMAL_H
#define DG_TRANSFORMS_DECIMAL_H

#include "base/buf.h"

enum { DG_DECIMAL_DIGITS_MAX = 4096 }; /* of a sum, on both sides of its point */

/* A number, as its text has it. */
typedef struct dg_decimal {
    const char *digit, *end; /* from the first digit that is not 0, a point among them */
    int64_t high, low; /* the powers of ten of the first and of the last digit. Beyond 10^17 they
                          stay there */
    bool negative, zero;
} dg_decimal;

/* `text` is a JSON number. */
void dg_decimal_read(dg_slice text, dg_decimal *ret_decimal);
/* Less than 0, 0, more than 0. */
int dg_decimal_compare(const dg_decimal *a, const dg_decimal *b);

/* A sum: begin, measure each number, give it dg_decimal_columns() zeros, add each number, print. */
typedef struct dg_decimal_sum {
    int64_t high, low;
    int64_t *columns;
} dg_decimal_sum;

void dg_decimal_begin(dg_decimal_sum *ret_sum);
void dg_decimal_measure(dg_decimal_sum *sum, const dg_decimal *number);
/* 0: more than DG_DECIMAL_DIGITS_MAX digits. */
size_t dg_decimal_columns(const dg_decimal_sum *sum);
void dg_decimal_add(dg_decimal_sum *sum, const dg_decimal *number);
/* Appends it without an exponent, with as many digits behind the point as the number that has most;
 * once. */
void dg_decimal_print(dg_decimal_sum *sum, dg_buf *out);

#endif
