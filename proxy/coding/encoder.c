#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "proxy/coding/coder.h"
#include "proxy/coding/stream.h"

enum {
    WINDOW_BITS = 15,
    GZIP_BITS = 16, /* added: the gzip format */
    ZLIB_LEVEL = 4,
    MEMORY_LEVEL = 8,
    BROTLI_LEVEL = 4,
    ZSTD_LEVEL = 3,
    LONG_WINDOW_BITS = 18, /* of brotli and zstd: 256 KB */
    STEP_BYTES = 16384
};

struct dg_encoder {
    dg_coding coding;
    z_stream zlib;
    bool has_zlib;
    BrotliEncoderState *brotli;
    ZSTD_CCtx *zstd;
};

static bool open_library(dg_encoder *e)
{
    switch (e->coding) {
    case DG_CODING_BR:
        e->brotli = BrotliEncoderCreateInstance(NULL, NULL, NULL);
        return e->brotli && BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_QUALITY, BROTLI_LEVEL) &&
               BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_LGWIN, LONG_WINDOW_BITS) &&
               BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
    case DG_CODING_ZSTD:
        e->zstd = ZSTD_createCCtx();
        return e->zstd &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_windowLog, LONG_WINDOW_BITS));
    default:
        e->has_zlib = deflateInit2(&e->zlib, ZLIB_LEVEL, Z_DEFLATED,
                                   e->coding == DG_CODING_GZIP ? WINDOW_BITS + GZIP_BITS : WINDOW_BITS,
                                   MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
        return e->has_zlib;
    }
}

dg_status dg_encoder_new(dg_coding coding, dg_encoder **ret_encoder)
{
    if (coding == DG_CODING_IDENTITY || coding == DG_CODING_UNKNOWN)
        return DG_UNSUPPORTED;
    dg_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return DG_NOMEM;
    e->coding = coding;
    if (!open_library(e)) {
        dg_encoder_free(e);
        return DG_NOMEM;
    }
    *ret_encoder = e;
    return DG_OK;
}

void dg_encoder_free(dg_encoder *e)
{
    if (!e)
        return;
    if (e->has_zlib)
        deflateEnd(&e->zlib);
    if (e->brotli)
        BrotliEncoderDestroyInstance(e->brotli);
    ZSTD_freeCCtx(e->zstd);
    free(e);
}

/* One step each: takes from *in, writes to the `room` bytes behind `out`; *ret_more: there is more to write. */
static dg_status step_zlib(dg_encoder *e, dg_slice *in, bool last, size_t room, dg_buf *out, bool *ret_more)
{
    z_stream *z = &e->zlib;
    z->next_in = (Bytef *)(uintptr_t)in->ptr;
    z->avail_in = (uInt)in->len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = (uInt)room;
    int result = deflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
    *in = dg_slice_from(*in, in->len - z->avail_in);
    out->len += room - z->avail_out;
    *ret_more = last ? result != Z_STREAM_END : z->avail_out == 0;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? DG_OK : DG_NOMEM;
}

static dg_status step_brotli(dg_encoder *e, dg_slice *in, bool last, size_t room, dg_buf *out, bool *ret_more)
{
    const uint8_t *next_in = (const uint8_t *)in->ptr;
    uint8_t *next_out = (uint8_t *)out->ptr + out->len;
    size_t left = in->len, before = room;
    if (!BrotliEncoderCompressStream(e->brotli, last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH, &left,
                                     &next_in, &room, &next_out, NULL))
        return DG_NOMEM;
    *in = dg_slice_from(*in, in->len - left);
    out->len += before - room;
    *ret_more = BrotliEncoderHasMoreOutput(e->brotli) || (last && !BrotliEncoderIsFinished(e->brotli));
    return DG_OK;
}

static dg_status step_zstd(dg_encoder *e, dg_slice *in, bool last, size_t room, dg_buf *out, bool *ret_more)
{
    ZSTD_inBuffer input = {in->ptr, in->len, 0};
    ZSTD_outBuffer output = {out->ptr + out->len, room, 0};
    size_t left = ZSTD_compressStream2(e->zstd, &output, &input, last ? ZSTD_e_end : ZSTD_e_flush);
    if (ZSTD_isError(left))
        return DG_NOMEM;
    *in = dg_slice_from(*in, input.pos);
    out->len += output.pos;
    *ret_more = left > 0;
    return DG_OK;
}

dg_status dg_encoder_feed(dg_encoder *e, dg_slice in, bool last, dg_buf *out)
{
    if (in.len == 0 && !last)
        return DG_OK;
    bool more = true;
    while (more || in.len) {
        size_t room;
        dg_status status = dg_coder_room(out, STEP_BYTES, &room);
        if (status == DG_OK && e->coding == DG_CODING_BR)
            status = step_brotli(e, &in, last, room, out, &more);
        else if (status == DG_OK && e->coding == DG_CODING_ZSTD)
            status = step_zstd(e, &in, last, room, out, &more);
        else if (status == DG_OK)
            status = step_zlib(e, &in, last, room, out, &more);
        if (status != DG_OK)
            return status;
    }
    return DG_OK;
}
