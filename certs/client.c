#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "certs/context.h"

enum { HOST_BYTES_MAX = 255 };

struct dg_tls_client {
    SSL_CTX *context;
    bool verify;
};

static bool trust_system(SSL_CTX *context, dg_origin origin, dg_diags *diags)
{
    if (SSL_CTX_set_default_verify_paths(context))
        return true;
    dg_diags_add(diags, DG_ERROR, origin, "cannot use the system's certificates: %s",
                 dg_tls_error());
    return false;
}

static dg_status fill(SSL_CTX *context, const dg_tls_client_files *files, dg_diags *diags)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    if (files->verify && !(files->ca_file
                               ? dg_tls_trust(context, files->ca_file, files->origin, diags)
                               : trust_system(context, files->origin, diags)))
        return DG_INVALID;
    if (files->own && !dg_tls_use_pair(context, files->own, diags))
        return DG_INVALID;
    SSL_CTX_set_verify(context, files->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    /* Zero is success, in this one function. */
    return SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1) ? DG_NOMEM : DG_OK;
}

dg_status dg_tls_client_new(const dg_tls_client_files *files, dg_diags *diags,
                            dg_tls_client **ret_client)
{
    dg_tls_client *client = calloc(1, sizeof *client);
    if (!client)
        return DG_NOMEM;
    client->verify = files->verify;
    dg_status status = dg_tls_context_new(TLS_client_method(), &client->context);
    if (status == DG_OK)
        status = fill(client->context, files, diags);
    if (status != DG_OK) {
        dg_tls_client_free(client);
        return status;
    }
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

const char *dg_tls_failure(const SSL *ssl)
{
    static _Thread_local char text[256];
    long result = SSL_get_verify_result(ssl);
    const char *what = NULL;
    switch (result) {
    case X509_V_OK:
        return dg_tls_error();
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        what = "its certificate is of a CA that is not trusted";
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        what = "its certificate is for another host";
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        what = "its certificate has expired";
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        what = "its certificate is not valid yet";
        break;
    default:
        what = "its certificate cannot be verified";
        break;
    }
    snprintf(text, sizeof text, "%s (%s)", what, X509_verify_cert_error_string(result));
    ERR_clear_error();
    return text;
}
