#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "certs/issue.h"

enum { PATH_BYTES_MAX = 4096, VALID_S = 90 * 86400, RENEW_S = 7 * 86400, SKEW_S = 3600 };

typedef struct pair {
    X509 *cert;
    EVP_PKEY *key;
} pair;

typedef struct develop {
    const char *dir;
    const char *const *names;
    dg_diags *diags;
} develop;

static void pair_free(pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (pair){.cert = NULL};
}

static bool path_of(const develop *d, const char *name, const char *suffix,
                    char ret_path[PATH_BYTES_MAX])
{
    int len = snprintf(ret_path, PATH_BYTES_MAX, "%s/%s%s", d->dir, name, suffix);
    return len > 0 && len < PATH_BYTES_MAX;
}

static int no_pass_phrase(char *text, int bytes_max, int writing, void *context)
{
    (void)text, (void)bytes_max, (void)writing, (void)context;
    return -1;
}

/* The pair of an earlier run, if it fits together and is valid for a week yet. */
static bool pair_read(const develop *d, const char *name, pair *ret_pair)
{
    char cert_path[PATH_BYTES_MAX], key_path[PATH_BYTES_MAX];
    if (!path_of(d, name, ".crt", cert_path) || !path_of(d, name, ".key", key_path))
        return false;
    BIO *cert_file = BIO_new_file(cert_path, "re"), *key_file = BIO_new_file(key_path, "re");
    pair p = {cert_file ? PEM_read_bio_X509(cert_file, NULL, NULL, NULL) : NULL,
              key_file ? PEM_read_bio_PrivateKey(key_file, NULL, no_pass_phrase, NULL) : NULL};
    BIO_free(cert_file);
    BIO_free(key_file);
    time_t week = (time_t)dg_wall_s() + RENEW_S;
    bool good = p.cert && p.key && X509_check_private_key(p.cert, p.key) &&
                X509_cmp_time(X509_get0_notAfter(p.cert), &week) > 0 &&
                X509_cmp_current_time(X509_get0_notBefore(p.cert)) < 0;
    ERR_clear_error();
    if (!good) {
        pair_free(&p);
        return false;
    }
    *ret_pair = p;
    return true;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Whole or not at all: readers see the old file or the new one. mkstemp makes it 0600. */
static bool write_file(const char *path, mode_t mode, BIO *content)
{
    char temporary[PATH_BYTES_MAX];
    char *bytes;
    long len = BIO_get_mem_data(content, &bytes);
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (n < 0 || n >= (int)sizeof temporary || len <= 0) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(temporary);
    if (fd < 0)
        return false;
    bool good = write_all(fd, bytes, (size_t)len) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error = errno;
    if (close(fd) && good) {
        good = false;
        error = errno;
    }
    if (good && rename(temporary, path)) {
        good = false;
        error = errno;
    }
    if (!good)
        unlink(temporary);
    errno = error;
    return good;
}

static dg_status write_pem(const develop *d, const char *name, const char *suffix, mode_t mode,
                           BIO *content)
{
    char path[PATH_BYTES_MAX];
    if (!path_of(d, name, suffix, path))
        errno = ENAMETOOLONG;
    else if (write_file(path, mode, content))
        return DG_OK;
    dg_diags_add(d->diags, DG_ERROR, (dg_origin){.file = NULL}, "cannot write %s/%s%s: %s", d->dir,
                 name, suffix, strerrordesc_np(errno));
    return DG_IO;
}

/* A crash between the two leaves a pair that does not fit: the next run makes both anew. */
static dg_status pair_write(const develop *d, const char *name, const pair *p)
{
    BIO *key = BIO_new(BIO_s_secmem()), *cert = BIO_new(BIO_s_mem());
    dg_status status = DG_NOMEM;
    if (key && cert && PEM_write_bio_PKCS8PrivateKey(key, p->key, NULL, NULL, 0, NULL, NULL) &&
        PEM_write_bio_X509(cert, p->cert)) {
        status = write_pem(d, name, ".key", 0600, key);
        if (status == DG_OK)
            status = write_pem(d, name, ".crt", 0644, cert);
    }
    BIO_free(key);
    BIO_free(cert);
    return status;
}

static dg_status pair_make(const develop *d, const char *name, const dg_cert_spec *spec,
                           const pair *issuer, pair *ret_pair)
{
    pair p = {.cert = NULL};
    dg_status status = dg_cert_issue(spec, issuer ? issuer->cert : NULL,
                                     issuer ? issuer->key : NULL, &p.cert, &p.key);
    if (status != DG_OK) {
        dg_diags_add(d->diags, DG_ERROR, (dg_origin){.file = NULL}, "cannot make %s.crt: %s", name,
                     dg_tls_error());
        return status;
    }
    status = pair_write(d, name, &p);
    if (status != DG_OK) {
        pair_free(&p);
        return status;
    }
    *ret_pair = p;
    return DG_OK;
}

static bool serves(const develop *d, const pair *server, const pair *authority)
{
    bool good = X509_verify(server->cert, authority->key) == 1;
    for (size_t i = 0; good && d->names[i]; i++)
        good = dg_cert_covers(server->cert, d->names[i]);
    ERR_clear_error();
    return good;
}

static dg_status make_missing(const develop *d)
{
    pair authority = {.cert = NULL}, server = {.cert = NULL};
    dg_status status = DG_OK;
    if (!pair_read(d, "ca", &authority) || !X509_check_ca(authority.cert)) {
        dg_cert_spec spec = {.common_name = "dragoman development CA",
                             .authority = true,
                             .from_s = -SKEW_S,
                             .until_s = VALID_S};
        pair_free(&authority);
        status = pair_make(d, "ca", &spec, NULL, &authority);
    }
    if (status == DG_OK && (!pair_read(d, "server", &server) || !serves(d, &server, &authority))) {
        dg_cert_spec spec = {.common_name = "dragoman development server",
                             .names = d->names,
                             .from_s = -SKEW_S,
                             .until_s = VALID_S};
        pair_free(&server);
        status = pair_make(d, "server", &spec, &authority, &server);
    }
    pair_free(&server);
    pair_free(&authority);
    return status;
}

dg_status dg_certs_make_dev(const char *dir, const char *const *names, dg_diags *diags)
{
    develop d = {dir, names, diags};
    const dg_origin nowhere = {.file = NULL};
    size_t count = 0;
    for (; names[count]; count++) {
        if (!dg_cert_name_is_valid(names[count])) {
            dg_diags_add(diags, DG_ERROR, nowhere, "\"%s\" is no DNS name and no address",
                         names[count]);
            return DG_INVALID;
        }
    }
    if (count == 0 || count > DG_CERT_NAMES_MAX) {
        dg_diags_add(diags, DG_ERROR, nowhere, "a certificate takes 1 to %d names, not %zu",
                     DG_CERT_NAMES_MAX, count);
        return DG_INVALID;
    }
    if (mkdir(dir, 0755) && errno != EEXIST) {
        dg_diags_add(diags, DG_ERROR, nowhere, "cannot make %s: %s", dir, strerrordesc_np(errno));
        return DG_IO;
    }
    return make_missing(&d);
}
