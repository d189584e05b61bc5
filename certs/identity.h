/* Who a client is, by the certificate that it showed and that was verified. Immutable; any thread. */
#ifndef DG_CERTS_IDENTITY_H
#define DG_CERTS_IDENTITY_H

#include <openssl/ssl.h>

#include "base/slice.h"
#include "base/status.h"

/*   id      key       what it is */
#define DG_TLS_IDENTITY_TABLE(X)                                                                   \
    X(CN, "cn")         /* the subject's common name */                                            \
    X(URI, "uri")       /* subjectAltName: URIs (SPIFFE, say) */                                   \
    X(DNS, "dns")       /* DNS names */                                                            \
    X(EMAIL, "email")   /* addresses */                                                            \
    X(SHA256, "sha256") /* of the whole certificate, in hexadecimal */

typedef enum dg_tls_identity_part {
#define DG_TLS_IDENTITY_ENUM(id, key) DG_TLS_IDENTITY_##id,
    DG_TLS_IDENTITY_TABLE(DG_TLS_IDENTITY_ENUM)
#undef DG_TLS_IDENTITY_ENUM
        DG_TLS_IDENTITY_COUNT
} dg_tls_identity_part;

enum { DG_TLS_IDENTITY_BYTES_MAX = 4096 };

/* Each part is visible ASCII, so that it can stand in a field and in a log: every other byte, and '%', ',' and
 * '"', comes as %HH. Several names of a kind are parted by ", ". Empty = the certificate has none. */
typedef struct dg_tls_identity {
    dg_slice parts[DG_TLS_IDENTITY_COUNT];
    char text[]; /* what they point into */
} dg_tls_identity;

/* The key of a part: "cn". */
const char *dg_tls_identity_key(dg_tls_identity_part part);

/* Of the peer of a session whose handshake is done. *ret_identity is NULL when it showed no certificate; free()
 * ends it. DG_LIMIT: more than DG_TLS_IDENTITY_BYTES_MAX. DG_NOMEM. */
DG_MUST_USE dg_status dg_tls_identity_of(const SSL *ssl, dg_tls_identity **ret_identity);

#endif
