#include "transforms/text/isa.h"

#include "transforms/text/scan.h"

#include "transforms/text/utf8.h"

#ifdef DG_SIMD_AVX2
#define FOUR(c) c, c, c, c
#define BLOCK(c, name)                                                                             \
    .name = {FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c)},
const dg_block_sets dg_block_constants = {DG_BLOCK_CONSTANTS(BLOCK)};
#endif

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The grammar of RFC 8259 6 between p and end; NULL if it does not start with a number. */
static const char *number(const char *p, const char *end, const char **ret_at)
{
    if (p < end && *p == '-')
        p++;
    *ret_at = p;
    if (p >= end || !is_digit(*p))
        return NULL;
    if (*p == '0')
        p++;
    else
        while (p < end && is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        *ret_at = ++p;
        if (p >= end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        *ret_at = p;
        if (p >= end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    return p;
}

const char *dg_scan_number(dg_scan *s, const char *p)
{
    const char *at;
    const char *q = number(p, s->end, &at);
    return q ? q : dg_scan_fail(s, at, DG_SYNTAX, "a number that JSON does not know");
}

const char *dg_scan_literal(dg_scan *s, const char *p)
{
    size_t left = (size_t)(s->end - p);
    if (left >= 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0))
        return p + 4;
    if (left >= 5 && memcmp(p, "false", 5) == 0)
        return p + 5;
    return dg_scan_fail(s, p, DG_SYNTAX, "expected a value");
}

const char *dg_scan_scalar(dg_scan *s, const char *p)
{
    if (p >= s->end)
        return dg_scan_fail(s, p, DG_SYNTAX, "the text ends too early");
    if (*p == '"')
        return dg_scan_string(s, p + 1, NULL);
    if (*p == '-' || is_digit(*p))
        return dg_scan_number(s, p);
    return dg_scan_literal(s, p);
}

static bool is_tail(const char *p, const char *end)
{
    return p < end && ((unsigned char)*p & 0xC0) == 0x80;
}

/* The length of the well-formed sequence at p, or 0 (the table of RFC 3629 4). */
static size_t utf8_sequence(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p, d = p + 1 < end ? (unsigned char)p[1] : 0;
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4 || !is_tail(p + 1, end))
        return 0;
    if (c < 0xE0)
        return 2;
    if ((c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) || (c == 0xF0 && d < 0x90) ||
        (c == 0xF4 && d > 0x8F) || !is_tail(p + 2, end))
        return 0;
    if (c < 0xF0)
        return 3;
    return is_tail(p + 3, end) ? 4 : 0;
}

/* The start of the sequence that ends at or goes on behind p, no further back than `from`; p if
 * there is none. */
static const char *sequence_start(const char *from, const char *p)
{
    for (int i = 1; i <= 3 && p - i >= from; i++) {
        if ((unsigned char)p[-i] >= 0xC0)
            return p - i;
        if ((unsigned char)p[-i] < 0x80)
            break;
    }
    return p;
}

/* Where the blocks from p on, the start of a sequence in `text`, are not known to be UTF-8 any
 * more: behind the last whole one, at best. */
static const char *utf8_blocks(const char *text, const char *p, const char *end)
{
    bool before = false;
    const char *const from = p;
    while (end - p >= 4 * DG_BLOCK && !dg_blocks_high(p))
        p += 4 * DG_BLOCK;
    for (; end - p >= DG_BLOCK; p += DG_BLOCK) {
        dg_mask high = dg_block_high(p);
        if ((high || before) && (p - text < 3 || !dg_block_is_utf8(p)))
            break;
        before = high >> (DG_BLOCK - 3) != 0; /* a sequence may go on */
        while (!before && end - p >= 5 * DG_BLOCK && !dg_blocks_high(p + DG_BLOCK))
            p += 4 * DG_BLOCK;
    }
    return sequence_start(from, p);
}

const char *dg_utf8_fault(const char *p, const char *end)
{
    const char *const text = p;
    for (const char *q; p < end; p = q) {
        q = utf8_blocks(text, p, end);
        if (end - q < DG_BLOCK && end - text >= DG_BLOCK && !dg_block_high(end - DG_BLOCK))
            return NULL;
        /* A block byte by byte, through its last sequence. */
        const char *stop = end - q > DG_BLOCK ? q + DG_BLOCK : end;
        while (q < stop) {
            size_t n = utf8_sequence(q, end);
            if (n == 0)
                return q;
            q += n;
        }
    }
    return NULL;
}
