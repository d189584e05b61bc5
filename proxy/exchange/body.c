#include "proxy/exchange/exchange.h"

enum { SMALL_BYTES = 1024 };

void dg_body_start(dg_body *body, dg_framing framing, uint64_t length)
{
    *body = (dg_body){.framing = framing, .left = framing == DG_FRAMING_LENGTH ? length : 0};
    body->done = framing == DG_FRAMING_NONE || (framing == DG_FRAMING_LENGTH && length == 0);
}

dg_status dg_body_next(dg_body *body, dg_slice in, size_t *ret_consumed, dg_slice *ret_piece)
{
    *ret_consumed = 0;
    *ret_piece = (dg_slice){in.ptr, 0};
    if (body->done || in.len == 0)
        return DG_OK;
    switch (body->framing) {
    case DG_FRAMING_LENGTH:
        *ret_piece = dg_slice_until(in, body->left < in.len ? (size_t)body->left : in.len);
        body->left -= ret_piece->len;
        body->done = body->left == 0;
        *ret_consumed = ret_piece->len;
        return DG_OK;
    case DG_FRAMING_UNTIL_CLOSE:
        *ret_piece = in;
        *ret_consumed = in.len;
        return DG_OK;
    case DG_FRAMING_CHUNKED: {
        dg_status status = dg_chunked_decode(&body->chunked, in, ret_consumed, ret_piece);
        body->done = body->chunked.done;
        return status == DG_AGAIN ? DG_OK : status;
    }
    case DG_FRAMING_NONE:
        break;
    }
    return DG_OK;
}

static dg_status next(dg_body *body, dg_slice in, dg_buf *trailers, size_t *ret_consumed, dg_slice *ret_piece)
{
    dg_status status = dg_body_next(body, in, ret_consumed, ret_piece);
    if (status == DG_OK && trailers)
        dg_trailers_keep(body, trailers);
    return status;
}

dg_status dg_body_next_joined(dg_body *body, dg_slice in, dg_buf *joined, dg_buf *trailers, size_t *ret_consumed,
                              dg_slice *ret_piece)
{
    size_t consumed;
    if (joined && joined->bytes_max && body->framing == DG_FRAMING_CHUNKED)
        in = dg_slice_until(in, joined->bytes_max); /* what becomes one piece has room; the rest is the next */
    dg_status status = next(body, in, trailers, ret_consumed, ret_piece);
    if (status != DG_OK || !joined || body->framing != DG_FRAMING_CHUNKED || ret_piece->len > SMALL_BYTES ||
        *ret_consumed == in.len || body->done)
        return status;
    dg_buf_clear(joined);
    dg_buf_add(joined, *ret_piece);
    while (!body->done && *ret_consumed < in.len) {
        status = next(body, dg_slice_from(in, *ret_consumed), trailers, &consumed, ret_piece);
        if (status != DG_OK)
            break;
        *ret_consumed += consumed;
        dg_buf_add(joined, *ret_piece);
    }
    *ret_piece = dg_buf_slice(joined);
    return status == DG_OK ? joined->status : status;
}
