/* zstd. */
#include <zstd_errors.h>

#include "proxy/coding/coder.h"

enum {
    LEVEL = 3,
    STEP_BYTES = 16384,
    WINDOW_LOG_MAX = 23 /* 8 MB: what a sender may ask of us (RFC 8878 3.1.1.1.2) */
};

dg_status dg_zstd_decode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    if (!coder->zstd_in && !(coder->zstd_in = ZSTD_createDCtx()))
        return DG_NOMEM;
    ZSTD_DCtx_reset(coder->zstd_in, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(coder->zstd_in, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    ZSTD_inBuffer input = {in.ptr, in.len, 0};
    size_t hint = 1;
    while (input.pos < input.size || hint != 0) { /* frames may follow each other */
        size_t room, before = input.pos;
        dg_status status = dg_coder_room(out, STEP_BYTES, &room);
        if (status != DG_OK)
            return status;
        ZSTD_outBuffer output = {out->ptr + out->len, room, 0};
        hint = ZSTD_decompressStream(coder->zstd_in, &output, &input);
        if (ZSTD_isError(hint))
            return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation ? DG_NOMEM : DG_SYNTAX;
        out->len += output.pos;
        if (hint && input.pos == input.size && input.pos == before && output.pos < room)
            return DG_SYNTAX; /* cut */
    }
    return DG_OK;
}

dg_status dg_zstd_encode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    size_t room;
    if (!coder->zstd_out && !(coder->zstd_out = ZSTD_createCCtx()))
        return DG_NOMEM;
    dg_status status = dg_coder_room(out, ZSTD_compressBound(in.len), &room);
    if (status != DG_OK)
        return status;
    size_t wrote = ZSTD_compressCCtx(coder->zstd_out, out->ptr + out->len, room, in.ptr, in.len, LEVEL);
    if (ZSTD_isError(wrote))
        return ZSTD_getErrorCode(wrote) == ZSTD_error_memory_allocation ? DG_NOMEM : DG_LIMIT;
    out->len += wrote;
    return DG_OK;
}
