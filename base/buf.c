#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void dg_buf_init(dg_buf *buf, size_t bytes_max)
{
    *buf = (dg_buf){.bytes_max = bytes_max};
}

void dg_buf_free(dg_buf *buf)
{
    free(buf->ptr);
    dg_buf_init(buf, buf->bytes_max);
}

dg_status dg_buf_reserve(dg_buf *buf, size_t bytes)
{
    if (buf->status != DG_OK)
        return buf->status;
    if (bytes <= buf->cap - buf->len)
        return DG_OK;
    size_t need = buf->len + bytes;
    if (need < bytes || (buf->bytes_max && need > buf->bytes_max))
        return buf->status = DG_LIMIT;
    size_t cap = buf->cap ? buf->cap * 2 : 256;
    if (cap < need)
        cap = need;
    if (buf->bytes_max && cap > buf->bytes_max)
        cap = buf->bytes_max;
    char *grown = realloc(buf->ptr, cap);
    if (!grown)
        return buf->status = DG_NOMEM;
    buf->ptr = grown;
    buf->cap = cap;
    return DG_OK;
}

void dg_buf_add_u64(dg_buf *buf, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    dg_buf_add(buf, (dg_slice){digits + at, sizeof digits - at});
}

void dg_buf_printf(dg_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len >= 0 && dg_buf_reserve(buf, (size_t)len + 1) == DG_OK) {
        vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

/* Length of the valid UTF-8 sequence at s[0], or 0 (RFC 3629: no overlongs, no surrogates). */
static size_t utf8_len(dg_slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || s.len < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

void dg_buf_add_json(dg_buf *buf, dg_slice s)
{
    dg_buf_add_char(buf, '"');
    while (s.len) {
        size_t n = utf8_len(s);
        unsigned char c = (unsigned char)s.ptr[0];
        if (n == 0) {
            dg_buf_add(buf, DG_SLICE("\\ufffd"));
            n = 1;
        } else if (c == '"' || c == '\\') {
            dg_buf_add_char(buf, '\\');
            dg_buf_add_char(buf, (char)c);
        } else if (c < 0x20 || c == 0x7F) {
            dg_buf_printf(buf, "\\u%04x", c);
        } else {
            dg_buf_add(buf, (dg_slice){s.ptr, n});
        }
        s = dg_slice_from(s, n);
    }
    dg_buf_add_char(buf, '"');
}

void dg_buf_consume(dg_buf *buf, size_t bytes)
{
    DG_ASSERT(bytes <= buf->len);
    buf->len -= bytes;
    if (buf->len)
        memmove(buf->ptr, buf->ptr + bytes, buf->len);
}
