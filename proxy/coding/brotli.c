/* br. Its library has no reset, so each message makes a state of its own. */
#include <brotli/encode.h>

#include "proxy/coding/coder.h"

enum { QUALITY = 4, STEP_BYTES = 16384 };

dg_status dg_brotli_decode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    (void)coder;
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!state)
        return DG_NOMEM;
    const uint8_t *next_in = (const uint8_t *)in.ptr;
    size_t left = in.len;
    dg_status status = DG_OK;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (status == DG_OK && result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        size_t room;
        status = dg_coder_room(out, STEP_BYTES, &room);
        if (status != DG_OK)
            break;
        uint8_t *next_out = (uint8_t *)out->ptr + out->len;
        size_t before = room;
        result = BrotliDecoderDecompressStream(state, &left, &next_in, &room, &next_out, NULL);
        out->len += before - room;
    }
    if (status == DG_OK && (result != BROTLI_DECODER_RESULT_SUCCESS || left))
        status = DG_SYNTAX;
    BrotliDecoderDestroyInstance(state);
    return status;
}

dg_status dg_brotli_encode(dg_coder *coder, dg_slice in, dg_buf *out)
{
    (void)coder;
    size_t room;
    dg_status status = dg_coder_room(out, BrotliEncoderMaxCompressedSize(in.len), &room);
    if (status != DG_OK)
        return status;
    if (!BrotliEncoderCompress(QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, in.len,
                               (const uint8_t *)in.ptr, &room, (uint8_t *)out->ptr + out->len))
        return DG_LIMIT;
    out->len += room;
    return DG_OK;
}
