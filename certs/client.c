#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "certs/context.h"

enum { HOST_BYTES_MAX = 255 };

struct dg_tls_client {
    SSL_CTX *context;
    bool verify;
};

static dg_status trust(SSL_CTX *context, const char *ca_file, dg_origin origin, dg_diags *diags)
{
    if (!ca_file) {
        if (SSL_CTX_set_default_verify_paths(context))
            return DG_OK;
        dg_diags_add(diags, DG_ERROR, origin, "cannot use the system's certificates: %s",
                     dg_tls_error());
        return DG_INVALID;
    }
    BIO *readable = dg_tls_open(ca_file, origin, diags);
    if (!readable)
        return DG_INVALID;
    BIO_free(readable);
    if (SSL_CTX_load_verify_locations(context, ca_file, NULL))
        return DG_OK;
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
        ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) {
        ERR_clear_error();
        dg_diags_add(diags, DG_ERROR, origin, "%s holds no certificate in PEM form", ca_file);
    } else {
        dg_tls_blame(ca_file, "certificates", origin, diags);
    }
    return DG_INVALID;
}

dg_status dg_tls_client_new(bool verify, const char *ca_file, dg_origin origin, dg_diags *diags,
                            dg_tls_client **ret_client)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    dg_tls_client *client = calloc(1, sizeof *client);
    if (!client)
        return DG_NOMEM;
    dg_status status = dg_tls_context_new(TLS_client_method(), &client->context);
    if (status == DG_OK && verify)
        status = trust(client->context, ca_file, origin, diags);
    /* Zero is success, in this one function. */
    if (status == DG_OK &&
        SSL_CTX_set_alpn_protos(client->context, protocols, sizeof protocols - 1))
        status = DG_NOMEM;
    if (status != DG_OK) {
        dg_tls_client_free(client);
        return status;
    }
    client->verify = verify;
    SSL_CTX_set_verify(client->context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    *ret_client = client;
    return DG_OK;
}

void dg_tls_client_free(dg_tls_client *client)
{
    if (!client)
        return;
    SSL_CTX_free(client->context);
    free(client);
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Without the brackets of an IPv6 address and the dot of an absolute name. OpenSSL takes an empty
 * name for "any" and one that begins with a dot for "any below", so neither passes. */
static bool plain_host(const char *host, char ret_host[HOST_BYTES_MAX + 1])
{
    size_t len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (len && host[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > HOST_BYTES_MAX || host[0] == '.')
        return false;
    memcpy(ret_host, host, len);
    ret_host[len] = '\0';
    return true;
}

static bool expect_host(SSL *ssl, bool verify, char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (is_address(host)) /* RFC 6066 3: no addresses in SNI */
        return !verify || X509_VERIFY_PARAM_set1_ip_asc(param, host);
    if (!SSL_set_tlsext_host_name(ssl, host))
        return false;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return !verify || X509_VERIFY_PARAM_set1_host(param, host, 0);
}

SSL *dg_tls_client_session(const dg_tls_client *client, const char *host)
{
    char plain[HOST_BYTES_MAX + 1];
    SSL *ssl = plain_host(host, plain) ? SSL_new(client->context) : NULL;
    if (ssl && !expect_host(ssl, client->verify, plain)) {
        SSL_free(ssl);
        return NULL;
    }
    if (ssl)
        SSL_set_connect_state(ssl);
    return ssl;
}
