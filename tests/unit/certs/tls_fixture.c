#include "tests/unit/certs/tls_fixture.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void tls_fixture_open(tls_fixture *f)
{
    memset(f, 0, sizeof *f);
    strcpy(f->dir, "/tmp/dg_tls_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    dg_diags_init(&f->diags);
    dg_cert_spec spec = {
        .common_name = "test CA", .authority = true, .from_s = -3600, .until_s = 86400};
    assert_int_equal(dg_cert_issue(&spec, NULL, NULL, &f->ca, &f->ca_key), DG_OK);
    BIO *file = BIO_new_file(tls_fixture_path(f, "ca.crt"), "w");
    assert_true(PEM_write_bio_X509(file, f->ca));
    BIO_free(file);
}

static void empty(const char *dir)
{
    DIR *d = opendir(dir);
    char path[512];
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.' && unlink(path)) {
            empty(path);
            rmdir(path);
        }
    }
    if (d)
        closedir(d);
}

void tls_fixture_close(tls_fixture *f)
{
    empty(f->dir);
    assert_int_equal(rmdir(f->dir), 0);
    X509_free(f->ca);
    EVP_PKEY_free(f->ca_key);
    dg_diags_free(&f->diags);
    assert_int_equal(ERR_peek_error(), 0); /* the room leaves no error behind */
}

const char *tls_fixture_path(const tls_fixture *f, const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", f->dir, name);
    return path;
}

void tls_fixture_write(const tls_fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(tls_fixture_path(f, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static dg_tls_cert_files write_pair(const tls_fixture *f, const char *name, X509 *cert,
                                    EVP_PKEY *key)
{
    static char paths[8][2][256];
    static unsigned turn;
    char(*path)[256] = paths[turn++ % 8];
    snprintf(path[0], sizeof path[0], "%s/%s.crt", f->dir, name);
    snprintf(path[1], sizeof path[1], "%s/%s.key", f->dir, name);
    BIO *file = BIO_new_file(path[0], "w");
    assert_true(PEM_write_bio_X509(file, cert));
    BIO_free(file);
    file = BIO_new_file(path[1], "w");
    assert_true(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    BIO_free(file);
    X509_free(cert);
    EVP_PKEY_free(key);
    return (dg_tls_cert_files){path[0], path[1], {"conf.yaml", 3, 5}, NULL};
}

dg_tls_cert_files tls_fixture_leaf(const tls_fixture *f, const char *name, const char *host,
                                   long from_s, long until_s)
{
    const char *const names[] = {host, NULL};
    dg_cert_spec spec = {
        .common_name = "leaf", .names = names, .from_s = from_s, .until_s = until_s};
    X509 *cert;
    EVP_PKEY *key;
    assert_int_equal(dg_cert_issue(&spec, f->ca, f->ca_key, &cert, &key), DG_OK);
    return write_pair(f, name, cert, key);
}

static void extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

dg_tls_cert_files tls_fixture_cert(const tls_fixture *f, const char *name, const char *cn,
                                   const char *san, const char *use, long until_s, EVP_PKEY *key)
{
    static long serial = 1000;
    X509 *cert = X509_new();
    assert_true(key && cert && X509_set_version(cert, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++));
    assert_true(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
                X509_gmtime_adj(X509_getm_notAfter(cert), until_s));
    assert_true(X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName,
                                           MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
    assert_true(X509_set_issuer_name(cert, X509_get_subject_name(f->ca)) &&
                X509_set_pubkey(cert, key));
    extend(cert, NID_ext_key_usage, use);
    if (san)
        extend(cert, NID_subject_alt_name, san);
    assert_true(X509_sign(cert, f->ca_key, EVP_sha256()));
    return write_pair(f, name, cert, key);
}

bool tls_fixture_told(const tls_fixture *f, const char *text)
{
    for (const dg_diag *d = f->diags.first; d; d = d->next)
        if (strstr(d->message, text))
            return true;
    return false;
}

static bool step(SSL *ssl, bool *ret_done)
{
    int n = SSL_do_handshake(ssl);
    int error = SSL_get_error(ssl, n);
    *ret_done = n == 1;
    return n == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool tls_handshake(SSL *client, SSL *server)
{
    BIO *near, *far;
    bool client_done = false, server_done = false, good = true;
    assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    for (int i = 0; good && i < 50 && !(client_done && server_done); i++)
        good = step(client, &client_done) && step(server, &server_done);
    if (!good)
        ERR_clear_error();
    return good && client_done && server_done;
}
