#include "transforms/scalar/decimal.h"

#define EXPONENT_MAX                                                                               \
    100000000000000000 /* 10^17: sums of two, and a text's length, stay far from overflow */

/* Room for what a sum of as many numbers as fit into memory carries. */
enum { CARRY_COLUMNS = 20 };

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t n = 0;
    for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
        n = n < EXPONENT_MAX / 10 ? n * 10 + (*p - '0') : EXPONENT_MAX;
    return negative ? -n : n;
}

void dg_decimal_read(dg_slice text, dg_decimal *ret_decimal)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    dg_decimal d = {.negative = *p == '-'};
    p += d.negative;
    const char *point = NULL, *stop = p;
    while (stop < end && (is_digit(*stop) || *stop == '.')) {
        if (*stop == '.')
            point = stop;
        stop++;
    }
    int64_t exponent = stop < end ? read_exponent(stop + 1, end) : 0;
    d.low = exponent - (point ? stop - point - 1 : 0);
    while (p < stop && !(*p > '0'))
        p++;
    d.digit = p;
    d.end = stop;
    d.zero = p == stop;
    d.high = d.zero ? d.low : d.low + (stop - p) - 1 - (point && point > p);
    *ret_decimal = d;
}

int dg_decimal_compare(const dg_decimal *a, const dg_decimal *b)
{
    int sign_a = a->zero ? 0 : a->negative ? -1 : 1, sign_b = b->zero ? 0 : b->negative ? -1 : 1;
    if (sign_a != sign_b || sign_a == 0)
        return sign_a - sign_b;
    if (a->high != b->high)
        return a->high < b->high ? -sign_a : sign_a;
    const char *p = a->digit, *q = b->digit;
    for (;;) {
        p += p < a->end && *p == '.';
        q += q < b->end && *q == '.';
        char x = p < a->end ? *p : '0', y = q < b->end ? *q : '0';
        if (x != y)
            return x < y ? -sign_a : sign_a;
        if (p >= a->end && q >= b->end)
            return 0;
        p += p < a->end;
        q += q < b->end;
    }
}

void dg_decimal_begin(dg_decimal_sum *ret_sum)
{
    *ret_sum = (dg_decimal_sum){0};
}

void dg_decimal_measure(dg_decimal_sum *sum, const dg_decimal *number)
{
    if (number->low < sum->low)
        sum->low = number->low;
    if (!number->zero && number->high > sum->high)
        sum->high = number->high;
}

size_t dg_decimal_columns(const dg_decimal_sum *sum)
{
    int64_t digits = sum->high - sum->low + 1;
    return digits > DG_DECIMAL_DIGITS_MAX ? 0 : (size_t)digits + CARRY_COLUMNS;
}

void dg_decimal_add(dg_decimal_sum *sum, const dg_decimal *number)
{
    if (number->zero)
        return;
    int64_t *column = sum->columns + (number->high - sum->low);
    for (const char *p = number->digit; p < number->end; p++) {
        if (*p == '.')
            continue;
        *column-- += number->negative ? '0' - *p : *p - '0';
    }
}

/* Makes each column a digit; true if the sum is less than 0, of which these are the digits then. */
static bool carry(int64_t *columns, size_t count)
{
    int64_t over = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t value = columns[i] + over;
        over = value / 10 - (value % 10 < 0);
        columns[i] = value - over * 10;
    }
    if (over == 0)
        return false;
    int64_t one = 1;
    for (size_t i = 0; i < count; i++) {
        int64_t value = 9 - columns[i] + one;
        one = value / 10;
        columns[i] = value % 10;
    }
    return true;
}

void dg_decimal_print(dg_decimal_sum *sum, dg_buf *out)
{
    size_t count = dg_decimal_columns(sum), units = (size_t)-sum->low;
    bool negative = carry(sum->columns, count);
    while (count > units + 1 && sum->columns[count - 1] == 0)
        count--;
    if (negative)
        dg_buf_add_char(out, '-');
    while (count > 0) {
        dg_buf_add_char(out, (char)('0' + sum->columns[--count]));
        if (count == units && count > 0)
            dg_buf_add_char(out, '.');
    }
}
