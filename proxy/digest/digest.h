/* Digests of content: Content-Digest and Repr-Digest (RFC 9530) with sha-256 and sha-512, and Content-MD5 (RFC 1864).
 *
 * What a translation changes has other digests afterwards. So those that came are first held against the bytes that
 * came, or an error on the way would get a fresh seal; then the same ones are made for the bytes that go on. A whole
 * message is its whole representation, so both fields of RFC 9530 are of the same bytes: the content, in its
 * coding. Pure functions; any thread. */
#ifndef DG_PROXY_DIGEST_H
#define DG_PROXY_DIGEST_H

#include "base/buf.h"

enum { DG_DIGEST_BYTES_MAX = 64, DG_DIGEST_VALUE_BYTES_MAX = 16384 };

/*   id           field              key         algorithm  bytes */
#define DG_DIGEST_TABLE(X)                                                                                             \
    X(CONTENT_SHA256, "Content-Digest", "sha-256", "SHA256", 32)                                                       \
    X(CONTENT_SHA512, "Content-Digest", "sha-512", "SHA512", 64)                                                       \
    X(REPR_SHA256,    "Repr-Digest",    "sha-256", "SHA256", 32)                                                       \
    X(REPR_SHA512,    "Repr-Digest",    "sha-512", "SHA512", 64)                                                       \
    X(MD5,            "Content-MD5",    NULL,      "MD5",    16)

typedef enum dg_digest_id {
#define DG_DIGEST_ENUM(id, field, key, algorithm, bytes) DG_DIGEST_##id,
    DG_DIGEST_TABLE(DG_DIGEST_ENUM)
#undef DG_DIGEST_ENUM
        DG_DIGEST_COUNT
} dg_digest_id;

/* What a message says of its content. */
typedef struct dg_digests {
    bool has[DG_DIGEST_COUNT];
    unsigned char value[DG_DIGEST_COUNT][DG_DIGEST_BYTES_MAX];
} dg_digests;

/* Reads one line of a field by its name (any case); lines of the same field add to each other, later keys replace
 * earlier ones (RFC 8941 3.2). Algorithms that are not in the table are skipped. DG_SYNTAX: the value is malformed,
 * strictly by RFC 8941, or its bytes are not as many as the algorithm has. DG_NOT_FOUND: no field of these. */
DG_MUST_USE dg_status dg_digests_read(dg_digests *digests, dg_slice field, dg_slice value);

static inline bool dg_digests_any(const dg_digests *digests)
{
    for (unsigned i = 0; i < DG_DIGEST_COUNT; i++)
        if (digests->has[i])
            return true;
    return false;
}

/* Whether all of them are true of the content. DG_INVALID: *ret_field is the name of the first that is not.
 * DG_NOMEM. */
DG_MUST_USE dg_status dg_digests_verify(const dg_digests *digests, dg_slice content, const char **ret_field);

/* Appends field lines with the same digests, made for other content. DG_NOMEM. */
DG_MUST_USE dg_status dg_digests_write(const dg_digests *digests, dg_slice content, dg_buf *out);

#endif
