#include "transforms/isa.h"

#include "transforms/scan.h"

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

const char *dg_scan_member(dg_scan *s, const char *p)
{
    if (p >= s->end || *p != '"')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a member name");
    if (!(p = dg_scan_string(s, p + 1, NULL)))
        return NULL;
    p = dg_scan_space(s, p);
    if (p >= s->end || *p != ':')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a colon");
    return dg_scan_space(s, p + 1);
}

/* A member's name and colon, as most are. */
static inline const char *plain_member(dg_scan *s, const char *p)
{
    const char *q = DG_LIKELY(*p == '"') ? dg_plain_string(p, NULL) : NULL;
    if (DG_LIKELY(q && q < s->end && *q == ':'))
        return dg_scan_space(s, q + 1);
    return dg_scan_member(s, p);
}

static inline const char *plain_scalar(dg_scan *s, const char *p)
{
    const char *q = dg_plain_scalar(p, NULL);
    return DG_LIKELY(q && q <= s->end) ? q : dg_scan_scalar(s, p);
}

const char *dg_scan_value(dg_scan *s, const char *p, unsigned depth)
{
    uint64_t is_object[(DG_JSON_DEPTH_MAX + 64) / 64] = {0};
    const unsigned base = depth;
    bool object = false;
    for (;;) {
        /* A value starts at p. */
        if (p < s->end && (*p == '{' || *p == '[')) {
            object = *p == '{';
            if (depth >= DG_JSON_DEPTH_MAX)
                return dg_scan_fail(s, p, DG_LIMIT, "nested too deep");
            uint64_t bit = (uint64_t)1 << (depth % 64);
            is_object[depth / 64] = (is_object[depth / 64] & ~bit) | (object ? bit : 0);
            depth++;
            p = dg_scan_space(s, p + 1);
            if (!(p < s->end && *p == (object ? '}' : ']'))) {
                if (object && !(p = plain_member(s, p)))
                    return NULL;
                continue;
            }
            p++;
            depth--;
        } else if (!(p = plain_scalar(s, p))) {
            return NULL;
        }
        /* A value ended at p: close what ends with it. */
        for (;; depth--) {
            if (depth == base)
                return p;
            object = is_object[(depth - 1) / 64] >> ((depth - 1) % 64) & 1;
            p = dg_scan_space(s, p);
            if (DG_UNLIKELY(p >= s->end || (*p != ',' && *p != (object ? '}' : ']'))))
                return dg_scan_fail(s, p, DG_SYNTAX,
                                    object ? "expected a comma or '}'" : "expected a comma or ']'");
            if (*p++ == ',')
                break;
        }
        p = dg_scan_space(s, p);
        if (object && !(p = plain_member(s, p)))
            return NULL;
    }
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

const char *dg_utf8_fault(const char *p, const char *end)
{
    while (p < end) {
        /* Names of ops come here too, which are not padded. */
        dg_mask high = end - p >= DG_BLOCK ? dg_block_high(p) : 1;
        if (DG_LIKELY(high == 0)) {
            p += DG_BLOCK;
            continue;
        }
        p += __builtin_ctz(high);
        do {
            size_t n = utf8_sequence(p, end);
            if (n == 0)
                return p;
            p += n;
        } while (p < end && ((unsigned char)*p >= 0x80 || end - p < DG_BLOCK));
    }
    return NULL;
}
