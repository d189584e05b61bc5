/* Private to this room: an OCSP response from a file, to be stapled to a certificate (RFC 6066 8). */
#ifndef DG_CERTS_STAPLE_H
#define DG_CERTS_STAPLE_H

#include "certs/tls.h"

enum { DG_STAPLE_BYTES_MAX = 65536 };

typedef struct dg_staple {
    const X509 *leaf;   /* whose it is; NULL = nothing to staple */
    unsigned char *der; /* free() */
    size_t len;
    int64_t until_s; /* it is not sent after that */
} dg_staple;

/* Reads and checks a response for `leaf`; issuer may be NULL. One that is expired or says that the certificate is
 * revoked is a warning, and an expired one is left out. DG_INVALID with a diagnostic, DG_NOMEM. */
DG_MUST_USE dg_status dg_staple_read(const dg_tls_cert_files *files, const X509 *leaf,
                                     const X509 *issuer, dg_diags *diags, dg_staple *ret_staple);

/* Gives the response to a handshake that asks, while it is valid. False when there is none. */
bool dg_staple_give(const dg_staple *staple, SSL *ssl, int64_t now_s);

#endif
