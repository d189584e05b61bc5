/* Private to this folder: what both heads, the backend's and the client's, are put together with. */
#ifndef DG_EXCHANGE_FIELD_LINE_H
#define DG_EXCHANGE_FIELD_LINE_H

#include "base/buf.h"
#include "proxy/http/tables.h"

static inline void dg_add_field_line(dg_buf *out, dg_slice name, dg_slice value)
{
    dg_buf_add(out, name);
    dg_buf_add(out, DG_SLICE(": "));
    dg_buf_add(out, value);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* Fields that say something about the content's bytes, which a translation changes (RFC 9530). */
static inline bool dg_describes_content(dg_field_id id)
{
    return id == DG_FIELD_CONTENT_DIGEST || id == DG_FIELD_REPR_DIGEST || id == DG_FIELD_DIGEST ||
           id == DG_FIELD_CONTENT_MD5;
}

#endif
