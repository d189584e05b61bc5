#include "transforms/scalar/cast.h"

#include "transforms/name.h"
#include "transforms/text/scan.h"

#define PAIR(from, to) ((unsigned)(from)*16 + (unsigned)(to))

bool dg_cast_is_string(dg_cast kind)
{
    return kind != DG_CAST_NUMBER && kind != DG_CAST_BOOLEAN;
}

/* ---- numbers */

static bool all_digits(dg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

static bool is_plain(dg_slice digits)
{
    return digits.len == 1 || (digits.len && *digits.ptr != '0');
}

static dg_slice without_zeros(dg_slice digits)
{
    while (!is_plain(digits))
        digits = dg_slice_from(digits, 1);
    return digits;
}

static bool is_number(dg_slice text)
{
    dg_scan s = {.end = text.ptr + text.len};
    return text.len && dg_scan_number(&s, text.ptr) == s.end;
}

static void add_string(dg_slice text, dg_buf *out)
{
    dg_buf_add_char(out, '"');
    dg_buf_add(out, text);
    dg_buf_add_char(out, '"');
}

/* ---- hex */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* Digits of one base, most significant first, become digits of another; how many there are. */
static size_t change_base(unsigned char *digits, size_t count, unsigned from, unsigned to,
                          unsigned char *ret_digits, size_t size)
{
    size_t at = size, start = 0;
    while (start < count) {
        unsigned rest = 0;
        for (size_t i = start; i < count; i++) {
            unsigned value = rest * from + digits[i];
            digits[i] = (unsigned char)(value / to);
            rest = value % to;
        }
        ret_digits[--at] = (unsigned char)rest;
        while (start < count && digits[start] == 0)
            start++;
    }
    memmove(ret_digits, ret_digits + at, size - at);
    return size - at;
}

static dg_status cast_base(dg_slice text, unsigned from, unsigned to, bool lossy, bool is_string,
                           dg_buf *out)
{
    unsigned char digits[DG_CAST_DIGITS_MAX], other[DG_CAST_DIGITS_MAX * 2];
    char ret[DG_CAST_DIGITS_MAX * 2];
    if (text.len == 0 || text.len > DG_CAST_DIGITS_MAX || (!lossy && !is_plain(text)))
        return DG_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.ptr[i]);
        if (digit < 0 || (unsigned)digit >= from ||
            (!lossy && text.ptr[i] >= 'A' && text.ptr[i] <= 'F'))
            return DG_INVALID;
        digits[i] = (unsigned char)digit;
    }
    size_t count = change_base(digits, text.len, from, to, other, sizeof other);
    if (!lossy && count > DG_CAST_DIGITS_MAX)
        return DG_INVALID; /* the way back would refuse it */
    for (size_t i = 0; i < count; i++)
        ret[i] = "0123456789abcdef"[other[i]];
    if (is_string)
        add_string(dg_slice_of(ret, count), out);
    else
        dg_buf_add(out, dg_slice_of(ret, count));
    return out->status;
}

/* ---- base64 */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static dg_status to_base64(dg_slice text, dg_buf *out)
{
    if (!dg_name_is_utf8(text))
        return DG_INVALID; /* half a surrogate pair */
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i += 3) {
        size_t left = text.len - i < 3 ? text.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? (unsigned char)text.ptr[i + k] : 0u);
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= left ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
        dg_buf_add(out, dg_slice_of(four, 4));
    }
    dg_buf_add_char(out, '"');
    return out->status;
}

static int base64_digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Four characters as up to three bytes; how many, or 0 if they are none. What the padding leaves
 * over is 0. */
static size_t decode_four(const char *four, bool last, char *ret_bytes)
{
    size_t pads = last ? (size_t)(four[3] == '=') + (four[3] == '=' && four[2] == '=') : 0;
    uint32_t bits = 0;
    for (size_t k = 0; k < 4; k++) {
        int digit = k < 4 - pads ? base64_digit(four[k]) : 0;
        if (digit < 0)
            return 0;
        bits = bits << 6 | (uint32_t)digit;
    }
    if (bits & ((1u << (8 * pads)) - 1))
        return 0;
    for (size_t k = 0; k < 3; k++)
        ret_bytes[k] = (char)(bits >> (16 - 8 * k) & 255);
    return 3 - pads;
}

static dg_status from_base64(dg_slice text, dg_buf *out)
{
    dg_buf bytes;
    if (text.len % 4)
        return DG_INVALID;
    dg_buf_init(&bytes, 0);
    dg_status status = DG_OK;
    for (size_t i = 0; i < text.len && status == DG_OK; i += 4) {
        char three[3];
        size_t count = decode_four(text.ptr + i, i + 4 == text.len, three);
        status = count ? DG_OK : DG_INVALID;
        dg_buf_add(&bytes, dg_slice_of(three, count));
    }
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(&bytes, '\0');
    if (status == DG_OK)
        status = bytes.status;
    if (status == DG_OK) {
        bytes.len -= DG_JSON_PADDING;
        if (dg_utf8_fault(bytes.ptr, bytes.ptr + bytes.len))
            status = DG_INVALID;
        else
            dg_name_encode(dg_buf_slice(&bytes), out);
    }
    dg_buf_free(&bytes);
    return status == DG_OK ? out->status : status;
}

/* ---- all of them */

static dg_status add_bare(dg_slice text, bool is, dg_buf *out)
{
    if (!is)
        return DG_INVALID;
    dg_buf_add(out, text);
    return out->status;
}

static dg_status add_quoted(dg_slice text, bool is, dg_buf *out)
{
    if (!is)
        return DG_INVALID;
    add_string(text, out);
    return out->status;
}

static bool is_boolean(dg_slice text)
{
    return dg_slice_eq(text, DG_SLICE("true")) || dg_slice_eq(text, DG_SLICE("false"));
}

static bool is_bit(dg_slice text)
{
    return dg_slice_eq(text, DG_SLICE("0")) || dg_slice_eq(text, DG_SLICE("1"));
}

/* The casts that there are; `X(from, to, what it does)`, with `text`, `lossy` and `out`. */
#define CASTS(X)                                                                                   \
    X(NUMBER, STRING, add_quoted(text, is_number(text), out))                                      \
    X(STRING, NUMBER, add_bare(text, is_number(text), out))                                        \
    X(NUMBER, BOOLEAN,                                                                             \
      add_bare(*text.ptr == '1' ? DG_SLICE("true") : DG_SLICE("false"), is_bit(text), out))        \
    X(BOOLEAN, NUMBER,                                                                             \
      add_bare(*text.ptr == 't' ? DG_SLICE("1") : DG_SLICE("0"), is_boolean(text), out))           \
    X(STRING, BOOLEAN, add_bare(text, is_boolean(text), out))                                      \
    X(BOOLEAN, STRING, add_quoted(text, is_boolean(text), out))                                    \
    X(NUMBER, DECIMAL, add_quoted(text, all_digits(text), out))                                    \
    X(DECIMAL, NUMBER, from_decimal(text, lossy, out))                                             \
    X(NUMBER, HEX, cast_base(text, 10, 16, lossy, true, out))                                      \
    X(HEX, NUMBER, cast_base(text, 16, 10, lossy, false, out))                                     \
    X(DECIMAL, HEX, cast_base(text, 10, 16, lossy, true, out))                                     \
    X(HEX, DECIMAL, cast_base(text, 16, 10, lossy, true, out))                                     \
    X(STRING, BASE64, to_base64(text, out))                                                        \
    X(BASE64, STRING, from_base64(text, out))

static dg_status from_decimal(dg_slice text, bool lossy, dg_buf *out)
{
    bool is = all_digits(text) && (lossy || is_plain(text));
    return add_bare(is ? without_zeros(text) : text, is, out);
}

bool dg_cast_is_known(dg_cast from, dg_cast to)
{
    switch (PAIR(from, to)) {
#define KNOWN(from_, to_, what) case PAIR(DG_CAST_##from_, DG_CAST_##to_):
        CASTS(KNOWN)
#undef KNOWN
        return true;
    default:
        return false;
    }
}

dg_status dg_cast_text(dg_cast from, dg_cast to, dg_slice text, bool lossy, dg_buf *out)
{
    switch (PAIR(from, to)) {
#define DO(from_, to_, what)                                                                       \
    case PAIR(DG_CAST_##from_, DG_CAST_##to_):                                                     \
        return what;
        CASTS(DO)
#undef DO
    default:
        return DG_INVALID;
    }
}
