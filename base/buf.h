/* A growable buffer of bytes with a declared maximum.
 *
 * Appending never fails loudly: past bytes_max or out of memory the buffer turns sticky (`status` says
 * DG_LIMIT or DG_NOMEM) and drops what comes, so that a writer checks once at the end. Capacity at least
 * doubles. One owner, one thread. */
#ifndef DG_BASE_BUF_H
#define DG_BASE_BUF_H

#include "base/slice.h"
#include "base/status.h"

typedef struct dg_buf {
    char *ptr;
    size_t len, cap;
    size_t bytes_max; /* len never exceeds it; 0 = no limit */
    dg_status status; /* sticky: DG_OK, DG_NOMEM, DG_LIMIT */
} dg_buf;

void dg_buf_init(dg_buf *buf, size_t bytes_max);
void dg_buf_free(dg_buf *buf);
/* Empties, keeps the memory, clears the status. */
static inline void dg_buf_clear(dg_buf *buf)
{
    buf->len = 0;
    buf->status = DG_OK;
}
static inline dg_slice dg_buf_slice(const dg_buf *buf)
{
    return (dg_slice){buf->ptr, buf->len};
}

/* Room for `bytes` more after len, or a sticky failure. The caller may write there and add to len. */
DG_MUST_USE dg_status dg_buf_reserve(dg_buf *buf, size_t bytes);
/* Inline, for heads are built of many small pieces. */
static inline void dg_buf_add(dg_buf *buf, dg_slice s)
{
    if (s.len > buf->cap - buf->len || buf->status != DG_OK)
        if (dg_buf_reserve(buf, s.len) != DG_OK)
            return;
    if (s.len)
        memcpy(buf->ptr + buf->len, s.ptr, s.len);
    buf->len += s.len;
}
static inline void dg_buf_add_str(dg_buf *buf, const char *str)
{
    dg_buf_add(buf, (dg_slice){str, strlen(str)});
}
static inline void dg_buf_add_char(dg_buf *buf, char c)
{
    dg_buf_add(buf, (dg_slice){&c, 1});
}
void dg_buf_add_u64(dg_buf *buf, uint64_t n);
void dg_buf_printf(dg_buf *buf, const char *fmt, ...) DG_PRINTF(2, 3);
/* Appends s as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void dg_buf_add_json(dg_buf *buf, dg_slice s);
/* Drops `bytes` from the front. */
void dg_buf_consume(dg_buf *buf, size_t bytes);

#endif
