/* Keys and certificates, made in memory: P-256, signed with SHA-256. Pure but for OpenSSL's random
 * bytes and the wall clock. */
#ifndef DG_CERTS_ISSUE_H
#define DG_CERTS_ISSUE_H

#include "certs/tls.h"

enum { DG_CERT_NAMES_MAX = 64 };

typedef struct dg_cert_spec {
    const char *common_name;
    const char *const *names; /* DNS names and addresses, NULL-terminated; NULL = none */
    bool authority;           /* a CA that signs leaves, and nothing else */
    long from_s, until_s;     /* relative to now */
} dg_cert_spec;

/* Can the name stand in a certificate: an address, or a DNS name with at most one wildcard, as its
 * first label? */
bool dg_cert_name_is_valid(const char *name);

/* issuer and issuer_key NULL = signed by itself. A leaf does not outlive its issuer. DG_NOMEM for
 * all that OpenSSL refuses. */
DG_MUST_USE dg_status dg_cert_issue(const dg_cert_spec *spec, X509 *issuer, EVP_PKEY *issuer_key,
                                    X509 **ret_cert, EVP_PKEY **ret_key);

/* Is the name among those that the certificate is for? */
bool dg_cert_covers(X509 *cert, const char *name);

#endif
