/* The chunked transfer coding (RFC 9112 7.1): a strict incremental decoder and an encoder of chunk
 * heads.
 *
 * CRLF only; sizes of 1 to 16 hexadecimal digits; extensions are validated and dropped; trailers
 * are validated like fields and given apart from the data, whatever they name: who passes them on
 * decides which. Everything that is no data is bounded. Pure, no allocation; one decoder belongs to one
 * message and one thread. */
#ifndef DG_PROXY_HTTP_CHUNKED_H
#define DG_PROXY_HTTP_CHUNKED_H

#include "base/slice.h"
#include "base/status.h"

enum {
    DG_CHUNK_EXTENSION_BYTES_MAX = 1024, /* of one chunk */
    DG_CHUNK_TRAILER_BYTES_MAX = 8192,   /* of the message */
    DG_CHUNK_TRAILERS_MAX = 128,         /* trailer fields of the message */
    DG_CHUNK_OVERHEAD_BYTES =
        65536,                   /* extension bytes that a message may have beyond its data bytes */
    DG_CHUNK_HEAD_BYTES_MAX = 18 /* what dg_chunk_head writes at most */
};

/* Zero-initialise it for each message: `(dg_chunked){0}`. */
typedef struct dg_chunked {
    bool done;           /* the whole body with its trailers was read */
    const char *error;   /* after DG_SYNTAX or DG_LIMIT: a static sentence */
    uint64_t data_bytes; /* decoded so far */
    dg_slice trailer;    /* the bytes of trailer lines that the last call took, inside its input. Put
                            together they are whole lines with CR LF when the message is done */

    /* private */
    uint64_t left;          /* of the current chunk */
    uint64_t overhead;      /* extension bytes so far */
    uint32_t line_bytes;    /* of the current extension */
    uint32_t trailer_bytes; /* of all trailers */
    uint16_t trailers;
    uint8_t state, digits;
} dg_chunked;

/* Takes bytes of the coded body from `in`.
 *
 * DG_OK: ret_consumed bytes of `in` were taken and ret_data, inside `in`, is the next piece of data
 * (empty when the bytes held none). Call again with the rest, until decoder->done or the input is
 * used up. When done, ret_consumed ends exactly behind the message: what follows is not touched.
 * DG_AGAIN: `in` was empty (and the message is not done).
 * DG_SYNTAX, DG_LIMIT: malformed or beyond a bound, see decoder->error; the decoder stays failed.
 */
DG_MUST_USE dg_status dg_chunked_decode(dg_chunked *decoder, dg_slice in, size_t *ret_consumed,
                                        dg_slice *ret_data);

/* Writes "1a\r\n" for a chunk of `bytes` data bytes into out and gives its length. After the data
 * comes "\r\n"; the last chunk with no trailers is DG_CHUNKED_END. bytes must not be 0. */
size_t dg_chunk_head(char out[DG_CHUNK_HEAD_BYTES_MAX], uint64_t bytes);

#define DG_CHUNKED_END "0\r\n\r\n"

#endif
