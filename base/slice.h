/* Bytes by value: a pointer and a length. A slice owns nothing; it is valid as long as what it points into.
 * Slices are not NUL-terminated; strings that are stay at the edges (paths, system calls). */
#ifndef DG_BASE_SLICE_H
#define DG_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct dg_slice {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
} dg_slice;

/* A slice of a string literal, at compile time. */
#define DG_SLICE(literal) ((dg_slice){"" literal, sizeof(literal) - 1})
/* For printf("%.*s", DG_SLICE_FMT(s)). */
#define DG_SLICE_FMT(s) (int)(s).len, (s).len ? (s).ptr : ""

static inline dg_slice dg_slice_of(const void *ptr, size_t len)
{
    return (dg_slice){(const char *)ptr, len};
}

static inline dg_slice dg_slice_str(const char *str)
{
    return (dg_slice){str, str ? strlen(str) : 0};
}

static inline bool dg_slice_eq(dg_slice a, dg_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline char dg_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Equal but for ASCII case: field names, codings, media types (RFC 9110 5.1). */
static inline bool dg_slice_ieq(dg_slice a, dg_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (dg_ascii_lower(a.ptr[i]) != dg_ascii_lower(b.ptr[i]))
            return false;
    return true;
}

static inline bool dg_slice_starts(dg_slice s, dg_slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline dg_slice dg_slice_from(dg_slice s, size_t start)
{
    return start >= s.len ? (dg_slice){NULL, 0} : (dg_slice){s.ptr + start, s.len - start};
}

static inline dg_slice dg_slice_until(dg_slice s, size_t end)
{
    return end < s.len ? (dg_slice){s.ptr, end} : s;
}

/* Index of the first c, or s.len. */
static inline size_t dg_slice_find(dg_slice s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : s.len;
}

#endif
