/* Private to this folder: what each library keeps, and its two functions. */
#ifndef DG_CODING_CODER_H
#define DG_CODING_CODER_H

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "proxy/coding/coding.h"

struct dg_coder {
    z_stream inflate, deflate[2]; /* deflate[0] for gzip, [1] for deflate */
    bool has_inflate, has_deflate[2];
    ZSTD_DCtx *zstd_in;
    ZSTD_CCtx *zstd_out;
};

/* Room to write into, at least one byte, or a status. */
DG_MUST_USE dg_status dg_coder_room(dg_buf *out, size_t wanted, size_t *ret_room);

/* Each appends to `out`, and may leave a part there when it fails. */
dg_status dg_gzip_decode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_gzip_encode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_deflate_decode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_deflate_encode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_brotli_decode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_brotli_encode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_zstd_decode(dg_coder *coder, dg_slice in, dg_buf *out);
dg_status dg_zstd_encode(dg_coder *coder, dg_slice in, dg_buf *out);
void dg_zlib_free(dg_coder *coder);

#endif
