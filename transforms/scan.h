/* Scanning: finding the end of JSON tokens and values, strictly (RFC 8259), without building
 * anything.
 *
 * All of these may read up to DG_JSON_PADDING bytes past `end`, and never judge by what they find
 * there. They return where the token ends, or NULL after setting the fault. */
#ifndef DG_TRANSFORMS_SCAN_H
#define DG_TRANSFORMS_SCAN_H

#include "base/slice.h"
#include "base/status.h"
#include "transforms/program.h"

#if defined(__SSE2__) && !defined(DG_SCAN_PLAIN)
#include <emmintrin.h>
#define DG_SCAN_SSE2 1
#endif

typedef struct dg_scan {
    const char *end;
    const char *fault_at; /* set with the two below when a scan returns NULL */
    const char *message;
    dg_status status;
} dg_scan;

static inline const char *dg_scan_fail(dg_scan *s, const char *at, dg_status status,
                                       const char *message)
{
    s->fault_at = at < s->end ? at : s->end;
    s->status = status;
    s->message = message;
    return NULL;
}

static inline bool dg_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const char *dg_scan_space(const dg_scan *s, const char *p)
{
    while (p < s->end && dg_is_space(*p))
        p++;
    return p;
}

/* The escape at p, a backslash: its length, or 0. */
static inline size_t dg_scan_escape(const char *p)
{
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;
    case 'u':
        for (int i = 2; i < 6; i++) {
            char c = p[i];
            if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
                return 0;
        }
        return 6;
    default:
        return 0;
    }
}

/* Distance to the first quote, backslash or control byte in the next DG_SCAN_BLOCK bytes, or that
 * size. With `out`, the block is copied there as well. */
enum { DG_SCAN_BLOCK = 16 };
static inline unsigned dg_scan_block(const char *p, char *out)
{
#ifdef DG_SCAN_SSE2
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    if (out)
        _mm_storeu_si128((__m128i *)(void *)out, v);
    __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(special, control));
    return mask ? (unsigned)__builtin_ctz(mask) : DG_SCAN_BLOCK;
#else
    if (out)
        memcpy(out, p, DG_SCAN_BLOCK);
    for (unsigned i = 0; i < DG_SCAN_BLOCK; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == '"' || p[i] == '\\')
            return i;
    return DG_SCAN_BLOCK;
#endif
}

/* The rest of a string whose opening quote is behind p, through the closing quote. With `out`, the
 * bytes are copied there, up to DG_SCAN_BLOCK beyond what counts. */
static inline const char *dg_scan_string(dg_scan *s, const char *p, char *out)
{
    for (;;) {
        unsigned n = dg_scan_block(p, out);
        p += n;
        if (out)
            out += n;
        if (DG_UNLIKELY(p >= s->end))
            return dg_scan_fail(s, s->end, DG_SYNTAX, "a string has no end");
        if (n == DG_SCAN_BLOCK)
            continue;
        if (DG_LIKELY(*p == '"')) {
            if (out)
                *out = '"';
            return p + 1;
        }
        if (*p != '\\')
            return dg_scan_fail(s, p, DG_SYNTAX, "a control character in a string");
        size_t escape = dg_scan_escape(p);
        if (escape == 0 || escape > (size_t)(s->end - p))
            return dg_scan_fail(s, p, DG_SYNTAX, "an escape that JSON does not know");
        if (out) {
            memcpy(out, p, 6);
            out += escape;
        }
        p += escape;
    }
}

/* A number, literal, scalar, or (iteratively) a value, at p. p may be at the end. */
const char *dg_scan_number(dg_scan *s, const char *p);
const char *dg_scan_literal(dg_scan *s, const char *p);
const char *dg_scan_scalar(dg_scan *s, const char *p);
/* `depth` is how deep the value lies already. */
const char *dg_scan_value(dg_scan *s, const char *p, unsigned depth);

/* The first byte that is not part of well-formed UTF-8 (RFC 3629), or NULL. */
const char *dg_utf8_fault(const char *p, const char *end);

/* Writes the JSON Pointer of the innermost value around `offset`, in a text that is valid up to
 * there. Cut at the front if it is longer than `size`. */
void dg_scan_pointer(dg_slice text, size_t offset, char *pointer, size_t size);

#endif
