#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#include "certs/context.h"

enum { CERTS_MAX = 256, CHAIN_MAX = 16 };

/* A handshake may outlive the listener's use of its contexts (a reload), and its SNI callback needs
 * this table. So the table belongs to its first context, of which every session holds a reference:
 * it is freed when OpenSSL frees that. */
struct dg_tls_server {
    size_t count;
    SSL_CTX *contexts[]; /* by certificate; sessions are made from the first */
};

static int table_index = -1;

static void table_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                       void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    dg_tls_server *server = ptr;
    if (!server)
        return;
    for (size_t i = 1; i < server->count; i++)
        SSL_CTX_free(server->contexts[i]);
    free(server);
}

static void table_register(void)
{
    table_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, table_free);
}

/* RFC 7301 3.2: without a protocol in common the handshake ends. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int len, void *context)
{
    static const char http[] = "http/1.1";
    (void)ssl, (void)context;
    for (unsigned int at = 0; at < len && offered[at] < len - at; at += offered[at] + 1u) {
        if (dg_slice_eq(dg_slice_of(offered + at + 1, offered[at]), DG_SLICE("http/1.1"))) {
            *ret = (const unsigned char *)http;
            *ret_len = sizeof http - 1;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *find_context(const dg_tls_server *server, dg_slice name, unsigned flags)
{
    flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    for (size_t i = 0; i < server->count; i++) {
        X509 *leaf = SSL_CTX_get0_certificate(server->contexts[i]);
        if (X509_check_host(leaf, name.ptr, name.len, flags, NULL) == 1)
            return server->contexts[i];
    }
    return NULL;
}

/* A full name goes before a wildcard (RFC 6066 3 leaves the choice to the server). */
static int choose_certificate(SSL *ssl, int *alert, void *context)
{
    const dg_tls_server *server = context;
    dg_slice name = dg_slice_str(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    (void)alert;
    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.ptr[0] == '.')
        return SSL_TLSEXT_ERR_OK;
    SSL_CTX *found = find_context(server, name, X509_CHECK_FLAG_NO_WILDCARDS);
    if (!found)
        found = find_context(server, name, 0);
    if (found)
        SSL_set_SSL_CTX(ssl, found);
    return SSL_TLSEXT_ERR_OK;
}

/* The leaf, then its chain to the file's end. */
static bool read_chain(SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags)
{
    BIO *bio = dg_tls_open(files->cert_file, files->origin, diags);
    if (!bio)
        return false;
    X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL), *next = NULL;
    bool good = leaf && SSL_CTX_use_certificate(context, leaf);
    X509_free(leaf);
    for (size_t i = 0; good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)); i++) {
        good = i < CHAIN_MAX && SSL_CTX_add0_chain_cert(context, next);
        if (!good)
            X509_free(next);
    }
    BIO_free(bio);
    unsigned long code = ERR_peek_last_error();
    if (good && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        ERR_clear_error(); /* the end of the file */
        return true;
    }
    if (!good && next && code == 0)
        dg_diags_add(diags, DG_ERROR, files->origin,
                     "the chain in %s is longer than %d certificates", files->cert_file, CHAIN_MAX);
    else
        dg_tls_blame(files->cert_file, "certificate", files->origin, diags);
    return false;
}

static bool read_key(SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags)
{
    EVP_PKEY *key = dg_tls_read_key(files->key_file, files->origin, diags);
    if (!key)
        return false;
    bool good = X509_check_private_key(SSL_CTX_get0_certificate(context), key);
    if (!good) {
        ERR_clear_error();
        dg_diags_add(diags, DG_ERROR, files->origin,
                     "the private key in %s does not belong to the certificate in %s",
                     files->key_file, files->cert_file);
    } else if (!SSL_CTX_use_PrivateKey(context, key)) {
        good = false;
        dg_tls_blame(files->key_file, "private key", files->origin, diags);
    }
    EVP_PKEY_free(key);
    return good;
}

static void warn_of_dates(const SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags)
{
    const X509 *leaf = SSL_CTX_get0_certificate(context);
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
        dg_diags_add(diags, DG_WARNING, files->origin, "the certificate in %s has expired",
                     files->cert_file);
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        dg_diags_add(diags, DG_WARNING, files->origin, "the certificate in %s is not valid yet",
                     files->cert_file);
}

static dg_status context_new(const dg_tls_cert_files *files, dg_diags *diags, SSL_CTX **ret_context)
{
    SSL_CTX *context;
    dg_status status = dg_tls_context_new(TLS_server_method(), &context);
    if (status != DG_OK)
        return status;
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (!read_chain(context, files, diags) || !read_key(context, files, diags)) {
        SSL_CTX_free(context);
        return DG_INVALID;
    }
    warn_of_dates(context, files, diags);
    *ret_context = context;
    return DG_OK;
}

/* All certificates are looked at, so that all faults are told at once. */
static dg_status contexts_new(const dg_tls_cert_files *certs, size_t count, dg_diags *diags,
                              dg_tls_server *server)
{
    dg_status status = DG_OK;
    for (size_t i = 0; i < count; i++) {
        dg_status one = context_new(&certs[i], diags, &server->contexts[server->count]);
        if (one == DG_OK)
            server->count++;
        else if (status != DG_NOMEM)
            status = one;
    }
    return status;
}

dg_status dg_tls_server_new(const dg_tls_cert_files *certs, size_t count, dg_diags *diags,
                            dg_tls_server **ret_server)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, table_register);
    if (count == 0 || count > CERTS_MAX) {
        dg_diags_add(diags, DG_ERROR, count ? certs[0].origin : (dg_origin){.file = NULL},
                     "a TLS listener takes 1 to %d certificates, not %zu", CERTS_MAX, count);
        return DG_INVALID;
    }
    dg_tls_server *server = calloc(1, sizeof *server + count * sizeof(SSL_CTX *));
    if (!server || table_index < 0) {
        free(server);
        return DG_NOMEM;
    }
    dg_status status = contexts_new(certs, count, diags, server);
    if (status == DG_OK && !SSL_CTX_set_ex_data(server->contexts[0], table_index, server))
        status = DG_NOMEM;
    if (status != DG_OK) {
        for (size_t i = 0; i < server->count; i++)
            SSL_CTX_free(server->contexts[i]);
        free(server);
        return status;
    }
    SSL_CTX_set_tlsext_servername_callback(server->contexts[0], choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(server->contexts[0], server);
    *ret_server = server;
    return DG_OK;
}

void dg_tls_server_free(dg_tls_server *server)
{
    if (server)
        SSL_CTX_free(server->contexts[0]); /* table_free does the rest */
}

SSL *dg_tls_server_session(const dg_tls_server *server)
{
    SSL *ssl = SSL_new(server->contexts[0]);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}
