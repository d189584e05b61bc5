/* gzip and deflate. */
#include "proxy/coding/coder.h"

enum {
    WINDOW_BITS = 15,
    GZIP_BITS = 16, /* added: the gzip format */
    LEVEL = 5, /* a seventh faster than zlib's default on answers of 20 KB, and a hundredth larger */
    MEMORY_LEVEL = 8,
    STEP_BYTES = 16384,
    INPUT_BYTES_MAX = 1 << 30 /* zlib counts in unsigned int */
};

static dg_status ready_inflate(dg_coder *coder, int bits)
{
    z_stream *z = &coder->inflate;
    int result = coder->has_inflate ? inflateReset2(z, bits) : inflateInit2(z, bits);
    coder->has_inflate |= result == Z_OK;
    return result == Z_OK ? DG_OK : DG_NOMEM;
}

/* One zlib or gzip stream from `in`; *ret_used is its length. */
static dg_status inflate_one(dg_coder *coder, int bits, dg_slice in, dg_buf *out, size_t *ret_used)
{
    z_stream *z = &coder->inflate;
    dg_status status = ready_inflate(coder, bits);
    z->next_in = (Bytef *)(uintptr_t)in.ptr;
    z->avail_in = (uInt)in.len;
    while (status == DG_OK) {
        size_t room;
        status = dg_coder_room(out, STEP_BYTES, &room);
        if (status != DG_OK)
            break;
        z->next_out = (Bytef *)out->ptr + out->len;
        z->avail_out = room < INPUT_BYTES_MAX ? (uInt)room : INPUT_BYTES_MAX;
        uInt before = z->avail_out;
        int result = inflate(z, Z_NO_FLUSH);
        out->len += before - z->avail_out;
        if (result == Z_STREAM_END) {
            *ret_used = in.len - z->avail_in;
            return DG_OK;
        }
        if (result == Z_MEM_ERROR)
            status = DG_NOMEM;
        else if (result != Z_OK || (z->avail_in == 0 && z->avail_out > 0))
            status = DG_SYNTAX; /* damaged, or cut */
    }
    return status;
}

/* Some senders of "deflate" leave the zlib header out (RFC 9110 8.4.1.2 notes it). */
static bool has_zlib_header(dg_slice in)
{
    const unsigned char *p = (const unsigned char *)in.ptr;
    return in.len >= 2 && (p[0] & 0x0F) == 8 && (p[0] * 256u + p[1]) % 31 == 0;
}

dg_status dg_gzip_decode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    if (in.len > INPUT_BYTES_MAX)
        return DG_LIMIT;
    do { /* a gzip file may have several members (RFC 1952 2.2) */
        size_t used;
        dg_status status = inflate_one(coder, WINDOW_BITS + GZIP_BITS, in, out, &used);
        if (status != DG_OK)
            return status;
        in = dg_slice_from(in, used);
    } while (in.len);
    return DG_OK;
}

dg_status dg_deflate_decode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    size_t used;
    if (in.len > INPUT_BYTES_MAX)
        return DG_LIMIT;
    dg_status status = inflate_one(coder, has_zlib_header(in) ? WINDOW_BITS : -WINDOW_BITS, in, out, &used);
    return status == DG_OK && used < in.len ? DG_SYNTAX : status;
}

/* which: as in the coder, 0 for gzip. */
static dg_status deflate_one(dg_coder *coder, size_t which, dg_slice in, dg_buf *out)
{
    size_t room;
    z_stream *z = &coder->deflate[which];
    int bits = which ? WINDOW_BITS : WINDOW_BITS + GZIP_BITS;
    int result = coder->has_deflate[which] ? deflateReset(z)
                                           : deflateInit2(z, LEVEL, Z_DEFLATED, bits, MEMORY_LEVEL,
                                                          Z_DEFAULT_STRATEGY);
    coder->has_deflate[which] |= result == Z_OK;
    if (result != Z_OK)
        return DG_NOMEM;
    if (in.len > INPUT_BYTES_MAX)
        return DG_LIMIT;
    uLong bound = deflateBound(z, (uLong)in.len);
    dg_status status = dg_coder_room(out, bound, &room);
    if (status != DG_OK)
        return status;
    z->next_in = (Bytef *)(uintptr_t)in.ptr;
    z->avail_in = (uInt)in.len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return DG_LIMIT; /* the bound is what the output may have */
    out->len += room - z->avail_out;
    return DG_OK;
}

dg_status dg_gzip_encode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    return deflate_one(coder, 0, in, out);
}

dg_status dg_deflate_encode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    return deflate_one(coder, 1, in, out);
}

void dg_zlib_free(dg_coder *coder)
{
    if (coder->has_inflate)
        inflateEnd(&coder->inflate);
    for (size_t i = 0; i < 2; i++)
        if (coder->has_deflate[i])
            deflateEnd(&coder->deflate[i]);
}
