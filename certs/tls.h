/* TLS material: PEM files to OpenSSL contexts, sessions for connections, and a CA for development.
 *
 * TLS 1.2 and 1.3 (Mozilla's intermediate profile), ALPN http/1.1. Contexts are immutable after they are
 * made; any thread may open sessions on them. This room never logs. */
#ifndef DG_CERTS_TLS_H
#define DG_CERTS_TLS_H

#include <openssl/ssl.h>

#include "base/diag.h"

typedef struct dg_tls_cert_files {
    const char *cert_file; /* PEM, the leaf first, then its chain */
    const char *key_file;  /* PEM */
    dg_origin origin;
} dg_tls_cert_files;

typedef struct dg_tls_server dg_tls_server; /* for a listener */
typedef struct dg_tls_client dg_tls_client; /* for an upstream */

/* The certificate is chosen by SNI against the names in the certificates (subjectAltName, one wildcard
 * label); without a match the first is used. A missing file, a key that does not fit, an expired leaf (a
 * warning) go to `diags`. DG_INVALID, DG_NOMEM. */
DG_MUST_USE dg_status dg_tls_server_new(const dg_tls_cert_files *certs, size_t count, dg_diags *diags,
                                        dg_tls_server **ret_server);
void dg_tls_server_free(dg_tls_server *server);
/* A session in accept state, without a socket. NULL when out of memory. SSL_free ends it. */
SSL *dg_tls_server_session(const dg_tls_server *server);

/* verify: the peer's chain against ca_file (NULL = the system's store) and its names against the host given
 * to each session. Only false where the operator wrote so. */
DG_MUST_USE dg_status dg_tls_client_new(bool verify, const char *ca_file, dg_origin origin, dg_diags *diags,
                                        dg_tls_client **ret_client);
void dg_tls_client_free(dg_tls_client *client);
/* A session in connect state with SNI (a name, not an address) and the name or address to verify. */
SSL *dg_tls_client_session(const dg_tls_client *client, const char *host);

/* The sentence for the newest OpenSSL error of this thread, and clears its queue. Valid until the next call
 * on this thread. */
const char *dg_tls_error(void);

/* Makes ca.crt, ca.key, server.crt and server.key in `dir` (made if missing, keys mode 0600): a development
 * CA and a certificate for `names` (DNS names or addresses, NULL-terminated), valid for 90 days. Existing
 * files are kept when still valid for a week and for those names. */
DG_MUST_USE dg_status dg_certs_make_dev(const char *dir, const char *const *names, dg_diags *diags);

#endif
