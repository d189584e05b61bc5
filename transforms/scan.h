/* Scanning: finding the end of JSON tokens and values, strictly (RFC 8259), without building
 * anything.
 *
 * All of these may read up to DG_JSON_PADDING bytes past `end`, and never judge by what they find
 * there. They return where the token ends, or NULL after setting the fault. */
#ifndef DG_TRANSFORMS_SCAN_H
#define DG_TRANSFORMS_SCAN_H

#include "transforms/isa.h"

#include "base/slice.h"
#include "base/status.h"
#include "transforms/index.h"
#include "transforms/program.h"

typedef struct dg_scan {
    const char *end;
    dg_index *index;        /* of the text; NULL: there is none */
    const char *text;       /* what its offsets count from */
    const uint32_t *cursor; /* in it: nothing before this matters any more */
    const char *fault_at;   /* set with the two below when a scan returns NULL */
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
    if (DG_LIKELY(p < s->end && !dg_is_space(*p)))
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

/* Sets the cursor to the first offset that is not before p; there is none before `from`. */
static inline void dg_scan_sync(dg_scan *s, const uint32_t *from, const char *p)
{
    size_t offset = (size_t)((uintptr_t)p - (uintptr_t)s->text);
    if (offset > DG_INDEX_END)
        offset = DG_INDEX_END;
    for (;;) {
        while (*from < offset)
            from++;
        s->cursor = from;
        if (DG_LIKELY(*from != DG_INDEX_END))
            return;
        s->cursor = dg_index_nothing;
        if (!s->index || s->index->done >= s->index->len)
            return;
        dg_index_more(s->index);
        from = s->index->at;
    }
}

static inline bool dg_scan_is_at(const dg_scan *s, const uint32_t *cursor, const char *p)
{
    return *cursor == (size_t)((uintptr_t)p - (uintptr_t)s->text);
}

/* How long the value at p is if it ends at `offset`; 0 if that is not known. */
static inline size_t dg_scan_known(const dg_scan *s, const char *p, uint32_t offset)
{
    size_t len = (size_t)offset - (size_t)((uintptr_t)p - (uintptr_t)s->text);
    return len < (size_t)(s->end - p) ? len : 0;
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

/* Whether the `len` bytes at p, a quote, are one string without escapes, and nothing else. The
 * first DG_BLOCK bytes are copied to `out`, and the others if all is well so far. */
static inline bool dg_copy_exact_string(const char *p, size_t len, char *out)
{
    dg_mask specials = dg_block_copy_specials(out, p) ^ 1;
    while (DG_UNLIKELY(len > DG_BLOCK)) {
        if (specials)
            return false;
        p += DG_BLOCK;
        out += DG_BLOCK;
        len -= DG_BLOCK;
        specials = dg_block_copy_specials(out, p);
    }
    uint64_t last = (uint64_t)1 << (len - 1);
    return (specials & (last * 2 - 1)) == last;
}

static inline bool dg_is_exact_string(const char *p, size_t len)
{
    dg_mask specials = dg_block_specials(p) ^ 1;
    while (DG_UNLIKELY(len > DG_BLOCK)) {
        if (specials)
            return false;
        p += DG_BLOCK;
        len -= DG_BLOCK;
        specials = dg_block_specials(p);
    }
    uint64_t last = (uint64_t)1 << (len - 1);
    return (specials & (last * 2 - 1)) == last;
}

/* Whether the `len` bytes at p are a number without an exponent, and nothing else. False for long
 * ones too: the grammar in full is dg_scan_number's. */
static inline bool dg_is_exact_number(const char *p, size_t len)
{
    if (DG_UNLIKELY(len > DG_BLOCK))
        return false;
    uint64_t all = ((uint64_t)1 << len) - 1, digits = dg_block_digits(p) & all;
    unsigned minus = *p == '-';
    uint64_t others = (all & ~digits) & ~(uint64_t)minus;
    if (DG_UNLIKELY(p[minus] == '0' && (digits >> minus & 2)))
        return false;
    if (others == 0)
        return len > minus;
    unsigned point = (unsigned)__builtin_ctzll(others);
    return p[point] == '.' && point > minus && point + 1 < len && (others & (others - 1)) == 0;
}

static inline bool dg_is_exact_literal(const char *p, size_t len)
{
    uint32_t v;
    memcpy(&v, p, 4);
    if (len == 4)
        return memcmp(&v, "true", 4) == 0 || memcmp(&v, "null", 4) == 0;
    return len == 5 && memcmp(&v, "fals", 4) == 0 && p[4] == 'e';
}

/* The same for what ends at `offset` of the index, when it is short: one comparison rules out that
 * it is long, that it ends before p, and that its end is not known. p may be beyond the end. */
static inline size_t dg_scan_short(const dg_scan *s, const char *p, uint32_t offset)
{
    uint32_t len = offset - (uint32_t)((uintptr_t)p - (uintptr_t)s->text);
    return len <= DG_BLOCK ? len : 0;
}

/* A scalar of such a length, 0 too. */
static inline bool dg_copy_short_scalar(const char *p, size_t len, char *out)
{
    if (*p == '"') {
        dg_mask specials = dg_block_copy_specials(out, p);
        uint64_t last = (uint64_t)1 << len >> 1;
        return (specials & (last * 2 - 1)) == (last | 1) && last > 1;
    }
    dg_block_copy(out, p);
    return (unsigned char)*p <= '9' ? dg_is_exact_number(p, len) : dg_is_exact_literal(p, len);
}

/* Whether the `len` bytes at p are a scalar and nothing else; false if it takes a closer look.
 * Copies them to `out`, and up to DG_BLOCK more. */
static inline bool dg_copy_exact_scalar(const char *p, size_t len, char *out)
{
    if (DG_UNLIKELY(len == 0))
        return false;
    if (*p == '"')
        return dg_copy_exact_string(p, len, out);
    dg_block_copy(out, p);
    return (unsigned char)*p <= '9' ? dg_is_exact_number(p, len) : dg_is_exact_literal(p, len);
}

static inline bool dg_is_exact_scalar(const char *p, size_t len)
{
    if (DG_UNLIKELY(len == 0))
        return false;
    if (*p == '"')
        return dg_is_exact_string(p, len);
    return (unsigned char)*p <= '9' ? dg_is_exact_number(p, len) : dg_is_exact_literal(p, len);
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
