/* Content codings of content that comes in pieces.
 *
 * A decoder delivers a bounded share at a time, so that a small piece cannot expand without end; an encoder flushes
 * behind every piece, so that whoever reads has all of it. Each belongs to one message and one thread, and holds
 * its library's state until it is freed: windows of up to 8 MB for decoding, 256 KB for encoding. */
#ifndef DG_PROXY_CODING_STREAM_H
#define DG_PROXY_CODING_STREAM_H

#include "proxy/coding/coding.h"

typedef struct dg_decoder dg_decoder;
/* DG_UNSUPPORTED: the coding is unknown, or IDENTITY. DG_NOMEM. */
DG_MUST_USE dg_status dg_decoder_new(dg_coding coding, dg_decoder **ret_decoder);
void dg_decoder_free(dg_decoder *decoder); /* NULL is fine */
/* Takes bytes from the front of *in and appends what they decode to, about bytes_max at most. DG_OK: all of *in is
 * taken, and nothing more comes of it. DG_AGAIN: there is more; call again, with what is left of *in.
 * DG_SYNTAX: damaged, or bytes behind the end. DG_LIMIT, DG_NOMEM: of `out`. */
DG_MUST_USE dg_status dg_decoder_feed(dg_decoder *decoder, dg_slice *in, size_t bytes_max, dg_buf *out);
/* Whether the content may end here. */
bool dg_decoder_is_whole(const dg_decoder *decoder);

typedef struct dg_encoder dg_encoder;
DG_MUST_USE dg_status dg_encoder_new(dg_coding coding, dg_encoder **ret_encoder);
void dg_encoder_free(dg_encoder *encoder); /* NULL is fine */
/* Appends the coded form of the next piece, flushed, or with `last` ended. DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_encoder_feed(dg_encoder *encoder, dg_slice in, bool last, dg_buf *out);

#endif
