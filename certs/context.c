#include "certs/context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Mozilla's server side TLS recommendations, intermediate, version 5.7. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
static const char suites[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/* Not const: OpenSSL's macro casts the qualifier away. */
static char groups[] = "X25519:prime256v1:secp384r1";

dg_status dg_tls_context_new(const SSL_METHOD *method, SSL_CTX **ret_context)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (!context)
        return DG_NOMEM;
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(context, ciphers) || !SSL_CTX_set_ciphersuites(context, suites) ||
        !SSL_CTX_set1_groups_list(context, groups)) {
        SSL_CTX_free(context);
        return DG_UNSUPPORTED;
    }
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    *ret_context = context;
    return DG_OK;
}

const char *dg_tls_error(void)
{
    static _Thread_local char text[256];
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_last_error_data(&data, &flags);
    const char *reason = NULL;
    if (code == 0)
        reason = "no TLS error";
    else if (ERR_SYSTEM_ERROR(code))
        reason = strerrordesc_np(ERR_GET_REASON(code));
    else
        reason = ERR_reason_error_string(code);
    bool says_more = code && data && (flags & ERR_TXT_STRING) && *data;
    snprintf(text, sizeof text, "%s%s%s%s", reason ? reason : "unknown TLS error",
             says_more ? " (" : "", says_more ? data : "", says_more ? ")" : "");
    ERR_clear_error();
    return text;
}

void dg_tls_blame(const char *file, const char *what, dg_origin origin, dg_diags *diags)
{
    unsigned long code = ERR_peek_last_error();
    bool nothing_there =
        ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    bool nothing_known =
        ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER; /* how keys say it since OpenSSL 3 */
    if (nothing_there || nothing_known) {
        ERR_clear_error();
        dg_diags_add(diags, DG_ERROR, origin, "%s holds no %s in PEM form", file, what);
    } else {
        dg_diags_add(diags, DG_ERROR, origin, "cannot use the %s in %s: %s", what, file,
                     dg_tls_error());
    }
}

BIO *dg_tls_open(const char *file, dg_origin origin, dg_diags *diags)
{
    struct stat info;
    errno = 0;
    if (stat(file, &info) == 0 && !S_ISREG(info.st_mode)) {
        dg_diags_add(diags, DG_ERROR, origin, "cannot read %s: it is not a file", file);
        return NULL;
    }
    BIO *bio = errno ? NULL : BIO_new_file(file, "re");
    if (!bio) {
        dg_diags_add(diags, DG_ERROR, origin, "cannot read %s: %s", file,
                     strerrordesc_np(errno ? errno : ENOMEM));
        ERR_clear_error();
    }
    return bio;
}

/* OpenSSL would ask the terminal for a pass phrase. */
static int no_pass_phrase(char *text, int bytes_max, int writing, void *context)
{
    (void)text, (void)bytes_max, (void)writing;
    *(bool *)context = true;
    return -1;
}

EVP_PKEY *dg_tls_read_key(const char *file, dg_origin origin, dg_diags *diags)
{
    bool encrypted = false;
    BIO *bio = dg_tls_open(file, origin, diags);
    if (!bio)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &encrypted);
    BIO_free(bio);
    if (!key && encrypted) {
        ERR_clear_error();
        dg_diags_add(diags, DG_ERROR, origin, "the private key in %s is encrypted", file);
    } else if (!key) {
        dg_tls_blame(file, "private key", origin, diags);
    }
    return key;
}

bool dg_tls_trust(SSL_CTX *context, const char *ca_file, dg_origin origin, dg_diags *diags)
{
    BIO *readable = dg_tls_open(ca_file, origin, diags);
    if (!readable)
        return false;
    BIO_free(readable);
    if (SSL_CTX_load_verify_locations(context, ca_file, NULL))
        return true;
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
        ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) {
        ERR_clear_error();
        dg_diags_add(diags, DG_ERROR, origin, "%s holds no certificate in PEM form", ca_file);
    } else {
        dg_tls_blame(ca_file, "certificates", origin, diags);
    }
    return false;
}
