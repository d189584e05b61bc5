#include <stdlib.h>

#include "proxy/coding/coder.h"

static const char *const names[] = {
#define DG_CODING_NAME(id, name) name,
    DG_CODING_TABLE(DG_CODING_NAME)
#undef DG_CODING_NAME
};

dg_coding dg_coding_of(dg_slice name)
{
    for (size_t i = 0; i < DG_CODING_UNKNOWN; i++)
        if (dg_slice_ieq(name, dg_slice_str(names[i])))
            return (dg_coding)i;
    return dg_slice_ieq(name, DG_SLICE("x-gzip")) ? DG_CODING_GZIP : DG_CODING_UNKNOWN;
}

dg_slice dg_coding_name(dg_coding coding)
{
    return coding < DG_CODING_UNKNOWN ? dg_slice_str(names[coding]) : (dg_slice){NULL, 0};
}

dg_status dg_coder_new(dg_coder **ret_coder)
{
    dg_coder *coder = calloc(1, sizeof *coder);
    if (!coder)
        return DG_NOMEM;
    *ret_coder = coder;
    return DG_OK;
}

void dg_coder_free(dg_coder *coder)
{
    if (!coder)
        return;
    dg_zlib_free(coder);
    ZSTD_freeDCtx(coder->zstd_in);
    ZSTD_freeCCtx(coder->zstd_out);
    free(coder);
}

dg_status dg_coder_room(dg_buf *out, size_t wanted, size_t *ret_room)
{
    if (out->bytes_max && out->len >= out->bytes_max)
        return DG_LIMIT;
    if (out->bytes_max && wanted > out->bytes_max - out->len)
        wanted = out->bytes_max - out->len;
    if (out->cap - out->len < wanted && dg_buf_reserve(out, wanted) != DG_OK)
        return out->status;
    *ret_room = out->cap - out->len;
    return DG_OK;
}

/* ---- the two directions, by coding */

typedef dg_status (*step)(dg_coder *coder, dg_slice in, dg_buf *out);

static dg_status copy(dg_coder *coder, dg_slice in, dg_buf *out)
{
    (void)coder;
    dg_buf_add(out, in);
    return out->status;
}

/* Runs one direction; what a failure left in `out` goes again. */
static dg_status run(dg_coder *coder, dg_coding coding, const step steps[DG_CODING_UNKNOWN], dg_slice in, dg_buf *out)
{
    size_t before = out->len;
    if (coding >= DG_CODING_UNKNOWN)
        return DG_UNSUPPORTED;
    dg_status status = steps[coding](coder, in, out);
    if (status != DG_OK) {
        out->len = before;
        out->status = DG_OK;
    }
    return status;
}

dg_status dg_coder_decode(dg_coder *coder, dg_coding coding, dg_slice in, dg_buf *out)
{
    static const step steps[DG_CODING_UNKNOWN] = {[DG_CODING_IDENTITY] = copy,
                                                  [DG_CODING_GZIP] = dg_gzip_decode,
                                                  [DG_CODING_DEFLATE] = dg_deflate_decode,
                                                  [DG_CODING_BR] = dg_brotli_decode,
                                                  [DG_CODING_ZSTD] = dg_zstd_decode};
    return run(coder, coding, steps, in, out);
}

dg_status dg_coder_encode(dg_coder *coder, dg_coding coding, dg_slice in, dg_buf *out)
{
    static const step steps[DG_CODING_UNKNOWN] = {[DG_CODING_IDENTITY] = copy,
                                                  [DG_CODING_GZIP] = dg_gzip_encode,
                                                  [DG_CODING_DEFLATE] = dg_deflate_encode,
                                                  [DG_CODING_BR] = dg_brotli_encode,
                                                  [DG_CODING_ZSTD] = dg_zstd_encode};
    return run(coder, coding, steps, in, out);
}
