/* Classes of octets, private to this room. */
#ifndef DG_PROXY_HTTP_CHARS_H
#define DG_PROXY_HTTP_CHARS_H

#include "base/slice.h"

enum {
    DG_CHAR_TOKEN = 0x01, /* tchar (RFC 9110 5.6.2) */
    DG_CHAR_PATH = 0x02,  /* pchar without "%", and "/" (RFC 3986 3.3) */
    DG_CHAR_QUERY =
        0x04, /* the same, "?" (3.4), and "[" "]", which clients send in queries as they are */
    DG_CHAR_UNRESERVED = 0x08, /* RFC 3986 2.3 */
    DG_CHAR_HEX = 0x10,
    DG_CHAR_VALUE = 0x20, /* field-vchar, SP, HTAB (RFC 9110 5.5) */
    DG_CHAR_DIGIT = 0x40,
    DG_CHAR_LOWER = 0x80
};

extern const uint8_t dg_chars[256];

static inline bool dg_char_is(char c, unsigned classes)
{
    return (dg_chars[(uint8_t)c] & classes) != 0;
}

/* How many bytes at the start of s are of one of the classes. */
static inline size_t dg_chars_span(dg_slice s, unsigned classes)
{
    size_t at = 0;
    while (at < s.len && dg_char_is(s.ptr[at], classes))
        at++;
    return at;
}

/* The value of a DG_CHAR_HEX byte. */
static inline unsigned dg_hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Without the optional white space around it (RFC 9110 5.6.3). */
static inline dg_slice dg_trim_ows(dg_slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (dg_slice){s.ptr + 1, s.len - 1};
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

#endif
