#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proxy/coding/coder.h"
#include "proxy/coding/stream.h"

enum {
    WINDOW_BITS = 15,
    GZIP_BITS = 16,      /* added: the gzip format */
    ZSTD_WINDOW_LOG = 23 /* 8 MB, as in whole messages */
};

struct dg_decoder {
    dg_coding coding;
    bool whole; /* the content may end here */
    z_stream zlib;
    bool has_zlib;
    unsigned char head[2]; /* of a deflate stream, until its format is known */
    unsigned head_bytes;
    BrotliDecoderState *brotli;
    ZSTD_DCtx *zstd;
};

dg_status dg_decoder_new(dg_coding coding, dg_decoder **ret_decoder)
{
    if (coding == DG_CODING_IDENTITY || coding == DG_CODING_UNKNOWN)
        return DG_UNSUPPORTED;
    dg_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return DG_NOMEM;
    d->coding = coding;
    bool ok = true;
    if (coding == DG_CODING_BR)
        ok = (d->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL)) != NULL;
    else if (coding == DG_CODING_ZSTD)
        ok = (d->zstd = ZSTD_createDCtx()) &&
             !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
    else if (coding == DG_CODING_GZIP)
        ok = d->has_zlib = inflateInit2(&d->zlib, WINDOW_BITS + GZIP_BITS) == Z_OK;
    if (!ok) {
        dg_decoder_free(d);
        return DG_NOMEM;
    }
    *ret_decoder = d;
    return DG_OK;
}

void dg_decoder_free(dg_decoder *d)
{
    if (!d)
        return;
    if (d->has_zlib)
        inflateEnd(&d->zlib);
    if (d->brotli)
        BrotliDecoderDestroyInstance(d->brotli);
    ZSTD_freeDCtx(d->zstd);
    free(d);
}

bool dg_decoder_is_whole(const dg_decoder *d)
{
    return d->whole;
}

/* One step each: takes from *in and writes to the `room` bytes behind `out`; *ret_full says that it may have more.
 */
static dg_status step_zlib(dg_decoder *d, dg_slice *in, size_t room, dg_buf *out, bool *ret_full)
{
    z_stream *z = &d->zlib;
    if (d->whole && in->len) { /* a gzip file may have several members (RFC 1952 2.2) */
        if (d->coding != DG_CODING_GZIP || inflateReset(z) != Z_OK)
            return DG_SYNTAX;
        d->whole = false;
    }
    if (d->whole)
        return DG_OK;
    z->next_in = (Bytef *)(uintptr_t)in->ptr;
    z->avail_in = (uInt)in->len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = (uInt)room;
    int result = inflate(z, Z_NO_FLUSH);
    *in = dg_slice_from(*in, in->len - z->avail_in);
    out->len += room - z->avail_out;
    d->whole = result == Z_STREAM_END;
    *ret_full = !d->whole && z->avail_out == 0;
    if (result == Z_MEM_ERROR)
        return DG_NOMEM;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? DG_OK : DG_SYNTAX;
}

static dg_status step_brotli(dg_decoder *d, dg_slice *in, size_t room, dg_buf *out, bool *ret_full)
{
    if (d->whole)
        return in->len ? DG_SYNTAX : DG_OK;
    const uint8_t *next_in = (const uint8_t *)in->ptr;
    uint8_t *next_out = (uint8_t *)out->ptr + out->len;
    size_t left = in->len, before = room;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(d->brotli, &left, &next_in, &room, &next_out, NULL);
    *in = dg_slice_from(*in, in->len - left);
    out->len += before - room;
    d->whole = result == BROTLI_DECODER_RESULT_SUCCESS;
    *ret_full = BrotliDecoderHasMoreOutput(d->brotli);
    return result == BROTLI_DECODER_RESULT_ERROR ? DG_SYNTAX : DG_OK;
}

static dg_status step_zstd(dg_decoder *d, dg_slice *in, size_t room, dg_buf *out, bool *ret_full)
{
    if (d->whole && in->len == 0)
        return DG_OK;
    ZSTD_inBuffer input = {in->ptr, in->len, 0};
    ZSTD_outBuffer output = {out->ptr + out->len, room, 0};
    size_t hint = ZSTD_decompressStream(d->zstd, &output, &input);
    if (ZSTD_isError(hint))
        return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation ? DG_NOMEM : DG_SYNTAX;
    *in = dg_slice_from(*in, input.pos);
    out->len += output.pos;
    d->whole = hint == 0; /* frames may follow each other */
    *ret_full = hint != 0 && output.pos == output.size;
    return DG_OK;
}

/* Some senders of "deflate" leave the zlib header out: its two bytes tell. False while they are not there. */
static bool has_format(dg_decoder *d, dg_slice *in)
{
    if (d->has_zlib || d->coding != DG_CODING_DEFLATE)
        return true;
    for (; d->head_bytes < 2 && in->len; *in = dg_slice_from(*in, 1))
        d->head[d->head_bytes++] = (unsigned char)in->ptr[0];
    return d->head_bytes == 2;
}

static dg_status begin_deflate(dg_decoder *d, size_t room, dg_buf *out)
{
    bool zlib = (d->head[0] & 0x0F) == 8 && (d->head[0] * 256u + d->head[1]) % 31 == 0;
    dg_slice head = dg_slice_of(d->head, sizeof d->head);
    bool full;
    if (inflateInit2(&d->zlib, zlib ? WINDOW_BITS : -WINDOW_BITS) != Z_OK)
        return DG_NOMEM;
    d->has_zlib = true;
    return step_zlib(d, &head, room, out, &full); /* two bytes decode to next to nothing */
}

dg_status dg_decoder_feed(dg_decoder *d, dg_slice *in, size_t bytes_max, dg_buf *out)
{
    if (!has_format(d, in))
        return DG_OK;
    size_t start = out->len;
    bool full = false;
    do {
        size_t room, before = in->len;
        size_t share = bytes_max - (out->len - start);
        dg_status status = dg_coder_room(out, share, &room);
        if (status != DG_OK)
            return status;
        room = room < share ? room : share;
        bool begins = d->coding == DG_CODING_DEFLATE && !d->has_zlib;
        if (begins)
            status = begin_deflate(d, room, out);
        else if (d->coding == DG_CODING_BR)
            status = step_brotli(d, in, room, out, &full);
        else if (d->coding == DG_CODING_ZSTD)
            status = step_zstd(d, in, room, out, &full);
        else
            status = step_zlib(d, in, room, out, &full);
        if (status != DG_OK)
            return status;
        if (!full && !begins && in->len && in->len == before && !d->whole)
            return DG_SYNTAX; /* it takes nothing and gives nothing */
    } while (out->len - start < bytes_max && (full || in->len));
    return full || in->len ? DG_AGAIN : DG_OK;
}
