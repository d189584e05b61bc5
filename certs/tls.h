/* TLS material: PEM files to OpenSSL contexts, sessions for connections, and a CA for development.
 *
 * TLS 1.2 and 1.3 (Mozilla's intermediate profile), ALPN http/1.1. Contexts are immutable after they are
 * made; any thread may open sessions on them. This room never logs. */
#ifndef DG_CERTS_TLS_H
#define DG_CERTS_TLS_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "certs/identity.h"
#include "certs/tickets.h"

typedef struct dg_tls_cert_files {
    const char *cert_file; /* PEM, the leaf first, then its chain */
    const char *key_file;  /* PEM */
    dg_origin origin;
    const char *ocsp_file; /* DER: the response to staple (RFC 6066 8); NULL = none */
} dg_tls_cert_files;

typedef struct dg_tls_server dg_tls_server; /* for a listener */
typedef struct dg_tls_client dg_tls_client; /* for an upstream */

typedef struct dg_tls_server_files {
    const dg_tls_cert_files *certs;
    size_t count;
    const char *client_ca_file; /* PEM: whose certificates clients may show; NULL = they are not asked */
    bool client_required;       /* no handshake without one */
    dg_origin client_origin;
    dg_tls_tickets *tickets; /* for resumption; outlives all sessions. NULL = nothing is resumed */
} dg_tls_server_files;

/* The certificate is chosen by SNI against the names in the certificates (subjectAltName, one wildcard
 * label); without a match the first is used. Certificates of the same names and of different kinds of
 * keys (RSA, ECDSA) stand for each other: the client's algorithms choose. A session is resumed only under the
 * name, with the certificates and with the client CAs that it began with. A missing file, a key that does not
 * fit, a stapled response for another certificate, an expired leaf or response (warnings) go to `diags`.
 * DG_INVALID, DG_NOMEM. */
DG_MUST_USE dg_status dg_tls_server_new(const dg_tls_server_files *files, dg_diags *diags,
                                        dg_tls_server **ret_server);
void dg_tls_server_free(dg_tls_server *server);
/* A session in accept state, without a socket. NULL when out of memory. SSL_free ends it. */
SSL *dg_tls_server_session(const dg_tls_server *server);
/* Whether the handshake failed, last on this thread, because the client spoke plain HTTP. */
bool dg_tls_met_plain_http(void);

typedef struct dg_tls_client_files {
    bool verify;         /* the peer's chain, and its names against the host given to each session; only
                            false where the operator wrote so */
    const char *ca_file; /* whom to trust; NULL = the system's store */
    dg_origin origin;
    const dg_tls_cert_files *own; /* shown to a peer that asks; NULL = none */
} dg_tls_client_files;

DG_MUST_USE dg_status dg_tls_client_new(const dg_tls_client_files *files, dg_diags *diags,
                                        dg_tls_client **ret_client);
void dg_tls_client_free(dg_tls_client *client);
/* A session in connect state with SNI (a name, not an address) and the name or address to verify. */
SSL *dg_tls_client_session(const dg_tls_client *client, const char *host);
/* The sentence for a handshake that failed on this thread: whether the certificate is of an unknown CA, of
 * another host, or out of its time; else as dg_tls_error. Valid until the next call on this thread. */
const char *dg_tls_failure(const SSL *ssl);

/* The sentence for the newest OpenSSL error of this thread, and clears its queue. Valid until the next call
 * on this thread. */
const char *dg_tls_error(void);

/* Makes ca.crt, ca.key, server.crt and server.key in `dir` (made if missing, keys mode 0600): a development
 * CA and a certificate for `names` (DNS names or addresses, NULL-terminated), valid for 90 days. Existing
 * files are kept when still valid for a week and for those names. */
DG_MUST_USE dg_status dg_certs_make_dev(const char *dir, const char *const *names, dg_diags *diags);

#endif
