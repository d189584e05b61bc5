/* What server and client contexts share. */
#ifndef DG_CERTS_CONTEXT_H
#define DG_CERTS_CONTEXT_H

#include "certs/tls.h"

/* Mozilla's intermediate profile on a fresh context. DG_NOMEM, DG_UNSUPPORTED when this OpenSSL
 * lacks it. */
DG_MUST_USE dg_status dg_tls_context_new(const SSL_METHOD *method, SSL_CTX **ret_context);

/* A file for reading PEM from, or NULL and a diagnostic that names it and the reason. */
BIO *dg_tls_open(const char *file, dg_origin origin, dg_diags *diags);

/* A private key of a PEM file. Never asks for a pass phrase. NULL and a diagnostic. */
EVP_PKEY *dg_tls_read_key(const char *file, dg_origin origin, dg_diags *diags);

/* The first certificate of a file. NULL and a diagnostic. */
X509 *dg_tls_read_leaf(const dg_tls_cert_files *files, dg_diags *diags);

/* Gives a context a certificate with its chain and its key; a leaf out of its time is a warning. False and a
 * diagnostic. */
bool dg_tls_use_pair(SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags);

/* Trusts the CAs of a PEM file, and nobody else. False and a diagnostic. */
bool dg_tls_trust(SSL_CTX *context, const char *ca_file, dg_origin origin, dg_diags *diags);

/* Says why OpenSSL could not take something out of a file, and clears its queue. */
void dg_tls_blame(const char *file, const char *what, dg_origin origin, dg_diags *diags);

#endif
