/* Content codings (RFC 9110 8.4.1): gzip, deflate, br, zstd, whole messages at a time.
 *
 * A coder keeps its libraries' states from message to message; one belongs to one thread. Every output is
 * bounded by its buffer's bytes_max, so that a small body cannot expand without end. */
#ifndef DG_PROXY_CODING_H
#define DG_PROXY_CODING_H

#include "base/buf.h"

/*   id        name       */
#define DG_CODING_TABLE(X)                                                                         \
    X(IDENTITY, "identity")                                                                        \
    X(GZIP, "gzip")       /* RFC 1952 */                                                           \
    X(DEFLATE, "deflate") /* RFC 1950, the zlib format */                                          \
    X(BR, "br")           /* RFC 7932 */                                                           \
    X(ZSTD, "zstd")       /* RFC 8878 */

typedef enum dg_coding {
#define DG_CODING_ENUM(id, name) DG_CODING_##id,
    DG_CODING_TABLE(DG_CODING_ENUM)
#undef DG_CODING_ENUM
    DG_CODING_UNKNOWN
} dg_coding;

/* Any case; "x-gzip" is gzip (RFC 9110 8.4.1.3). */
dg_coding dg_coding_of(dg_slice name);
dg_slice dg_coding_name(dg_coding coding); /* empty for UNKNOWN */

typedef struct dg_coder dg_coder;
DG_MUST_USE dg_status dg_coder_new(dg_coder **ret_coder);
void dg_coder_free(dg_coder *coder); /* NULL is fine */

/* Appends the decoded content. DG_SYNTAX: damaged, cut, or with bytes behind its end. DG_LIMIT: larger than
 * out->bytes_max. DG_UNSUPPORTED: the coding is unknown. DG_NOMEM. On failure out is as long as before. */
DG_MUST_USE dg_status dg_coder_decode(dg_coder *coder, dg_coding coding, dg_slice in, dg_buf *out);
/* Appends the encoded content; deterministic. DG_LIMIT, DG_UNSUPPORTED, DG_NOMEM as above. */
DG_MUST_USE dg_status dg_coder_encode(dg_coder *coder, dg_coding coding, dg_slice in, dg_buf *out);

#endif
