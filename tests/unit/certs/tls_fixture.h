/* A scratch folder with certificates, and handshakes in memory. */
#ifndef DG_TEST_TLS_FIXTURE_H
#define DG_TEST_TLS_FIXTURE_H

#include "certs/issue.h"

typedef struct tls_fixture {
    char dir[64];
    X509 *ca;
    EVP_PKEY *ca_key;
    dg_diags diags;
} tls_fixture;

void tls_fixture_open(tls_fixture *f); /* with ca.crt in its folder */
void tls_fixture_close(tls_fixture *f);
/* The path of a file in the folder; valid until the fourth next call. */
const char *tls_fixture_path(const tls_fixture *f, const char *name);
void tls_fixture_write(const tls_fixture *f, const char *name, const char *text);
/* Writes name.crt and name.key: a leaf for `host`, signed by the fixture's CA, with such dates. */
dg_tls_cert_files tls_fixture_leaf(const tls_fixture *f, const char *name, const char *host,
                                   long from_s, long until_s);
/* The same for any subject, subjectAltName ("DNS:a,URI:b"; NULL = none), use ("clientAuth") and key, which is taken
 * over. */
dg_tls_cert_files tls_fixture_cert(const tls_fixture *f, const char *name, const char *cn,
                                   const char *san, const char *use, long until_s, EVP_PKEY *key);
/* Is there a diagnostic that contains `text`? */
bool tls_fixture_told(const tls_fixture *f, const char *text);

/* Runs both ends until both are done or one failed. */
bool tls_handshake(SSL *client, SSL *server);

#endif
