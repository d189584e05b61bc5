/* Scanning: finding the end of JSON tokens and values, strictly (RFC 8259), without building
 * anything.
 *
 * All of these may read up to DG_JSON_PADDING bytes past `end`, and never judge by what they find
 * there. They return where the token ends, or NULL after setting the fault. */
#ifndef DG_TRANSFORMS_SCAN_H
#define DG_TRANSFORMS_SCAN_H

#include "transforms/text/isa.h"

#include "base/slice.h"
#include "base/status.h"
#include "transforms/program.h"
#include "transforms/text/simd.h"

/* A member's name with a comma before it, its quotes and its colon, as it came lately, and what
 * came after it. */
typedef struct dg_token {
    char text[DG_BLOCK];
    dg_mask mask; /* which bytes of it to compare */
    size_t len;
    struct dg_token *next, *first; /* the member that followed; the first one in its value */
} dg_token;

enum { DG_TOKENS_MAX = 256 };
/* Names that went by in values that were skipped: hints, and no more. */
typedef struct dg_tokens {
    dg_token root;
    dg_token at[DG_TOKENS_MAX];
} dg_tokens;
void dg_tokens_init(dg_tokens *tokens);

typedef struct dg_scan {
    const char *end;
    dg_tokens *tokens;    /* NULL: none are remembered */
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

static inline const char *dg_scan_space(const dg_scan *s, const char *p)
{
    if (DG_LIKELY(p < s->end && (unsigned char)*p > ' '))
        return p;
    while (p < s->end) {
        dg_mask others = ~dg_block_spaces(p);
        if (others) {
            p += __builtin_ctz(others);
            break;
        }
        p += DG_BLOCK;
    }
    return p < s->end ? p : s->end;
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

/* The rest of a string whose opening quote is behind p, through the closing quote. With `out`, the
 * bytes are copied there, up to DG_BLOCK beyond what counts. */
static inline const char *dg_scan_string(dg_scan *s, const char *p, char *out)
{
    for (;;) {
        dg_mask specials = out ? dg_block_copy_specials(out, p) : dg_block_specials(p);
        unsigned n = specials ? (unsigned)__builtin_ctz(specials) : DG_BLOCK;
        p += n;
        if (out)
            out += n;
        if (DG_UNLIKELY(p >= s->end))
            return dg_scan_fail(s, s->end, DG_SYNTAX, "a string has no end");
        if (n == DG_BLOCK)
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

/* The three below look at a scalar that is what most are, and say where it ends; NULL if it takes
 * a closer look, by the functions above and further down. If it `copies`, a block goes to `out`.
 * They do not ask where the text ends: what they say counts if it is before that. */

/* A string shorter than a block, without escapes. */
DG_ALWAYS_INLINE const char *dg_plain_string(const char *p, bool copies, char *out)
{
    dg_mask specials = copies ? dg_block_copy_specials(out, p) : dg_block_specials(p);
    specials &= specials - 1; /* its own quote */
    if (DG_UNLIKELY(specials == 0))
        return NULL;
    p += __builtin_ctz(specials);
    return DG_LIKELY(*p == '"') ? p + 1 : NULL;
}

/* A number shorter than a block, without sign and exponent. */
DG_ALWAYS_INLINE const char *dg_plain_number(const char *p, bool copies, char *out)
{
    dg_mask others = ~(copies ? dg_block_copy_digits(out, p) : dg_block_digits(p));
    if (DG_UNLIKELY(others == 0 || (*p == '0' && !(others & 2))))
        return NULL;
    const char *q = p + __builtin_ctz(others);
    if (*q == '.') {
        others &= others - 1;
        if (DG_UNLIKELY(others == 0))
            return NULL;
        const char *point = q;
        q = p + __builtin_ctz(others);
        if (DG_UNLIKELY(q == point + 1))
            return NULL;
    }
    return DG_UNLIKELY((*q | 0x20) == 'e') ? NULL : q;
}

DG_ALWAYS_INLINE const char *dg_plain_scalar(const char *p, bool copies, char *out)
{
    if (*p == '"')
        return dg_plain_string(p, copies, out);
    if ((unsigned char)(*p - '0') < 10)
        return dg_plain_number(p, copies, out);
    uint32_t v;
    memcpy(&v, p, 4);
    if (copies)
        memcpy(out, p, 8);
    if (memcmp(&v, "true", 4) == 0 || memcmp(&v, "null", 4) == 0)
        return p + 4;
    return memcmp(&v, "fals", 4) == 0 && p[4] == 'e' ? p + 5 : NULL;
}

/* A number, literal, scalar, or (iteratively) a value, at p. p may be at the end. */
const char *dg_scan_number(dg_scan *s, const char *p);
const char *dg_scan_literal(dg_scan *s, const char *p);
const char *dg_scan_scalar(dg_scan *s, const char *p);
/* `depth` is how deep the value lies already. */
const char *dg_scan_value(dg_scan *s, const char *p, unsigned depth);

/* The first byte that is not part of well-formed UTF-8 (RFC 3629), or NULL. */
const char *dg_utf8_fault(const char *p, const char *end);

#endif
