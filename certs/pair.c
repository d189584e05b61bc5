/* A certificate with its chain and its key, out of files into a context. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/context.h"

enum { CHAIN_MAX = 16 };

static X509 *read_leaf(BIO *bio, const dg_tls_cert_files *files, dg_diags *diags)
{
    X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    if (!leaf)
        dg_tls_blame(files->cert_file, "certificate", files->origin, diags);
    return leaf;
}

X509 *dg_tls_read_leaf(const dg_tls_cert_files *files, dg_diags *diags)
{
    BIO *bio = dg_tls_open(files->cert_file, files->origin, diags);
    X509 *leaf = bio ? read_leaf(bio, files, diags) : NULL;
    BIO_free(bio);
    return leaf;
}

/* What follows the leaf in its file, to the end. */
static bool read_rest(BIO *bio, SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags)
{
    X509 *next = NULL;
    bool good = true;
    for (size_t i = 0; good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)); i++) {
        good = i < CHAIN_MAX && SSL_CTX_add0_chain_cert(context, next);
        if (!good)
            X509_free(next);
    }
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

static void warn_of_dates(const X509 *leaf, const dg_tls_cert_files *files, dg_diags *diags)
{
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
        dg_diags_add(diags, DG_WARNING, files->origin, "the certificate in %s has expired",
                     files->cert_file);
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        dg_diags_add(diags, DG_WARNING, files->origin, "the certificate in %s is not valid yet",
                     files->cert_file);
}

bool dg_tls_use_pair(SSL_CTX *context, const dg_tls_cert_files *files, dg_diags *diags)
{
    BIO *bio = dg_tls_open(files->cert_file, files->origin, diags);
    X509 *leaf = bio ? read_leaf(bio, files, diags) : NULL;
    bool good = leaf && SSL_CTX_use_certificate(context, leaf);
    if (leaf && !good)
        dg_tls_blame(files->cert_file, "certificate", files->origin, diags);
    good = good && read_rest(bio, context, files, diags) && read_key(context, files, diags);
    if (good)
        warn_of_dates(leaf, files, diags);
    X509_free(leaf);
    BIO_free(bio);
    return good;
}
