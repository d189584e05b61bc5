#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <openssl/pem.h>

#include "tests/unit/certs/tls_fixture.h"

static const char *const local[] = {"localhost", "127.0.0.1", "::1", "*.dev.example", NULL};

typedef struct scene {
    tls_fixture f;
    char dir[128];
} scene;

static int open_scene(void **state)
{
    static scene s;
    tls_fixture_open(&s.f);
    snprintf(s.dir, sizeof s.dir, "%s/dev", s.f.dir);
    *state = &s;
    return 0;
}

static int close_scene(void **state)
{
    tls_fixture_close(&((scene *)*state)->f);
    return 0;
}

static const char *path(const scene *s, const char *name)
{
    char below[64];
    snprintf(below, sizeof below, "dev/%s", name);
    return tls_fixture_path(&s->f, below);
}

static X509 *read_cert(const scene *s, const char *name)
{
    BIO *file = BIO_new_file(path(s, name), "r");
    assert_non_null(file);
    X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
    assert_non_null(cert);
    BIO_free(file);
    return cert;
}

/* Did the file's certificate change since *cert? Takes the new one. */
static bool renewed(const scene *s, const char *name, X509 **cert)
{
    X509 *now = read_cert(s, name);
    bool changed = X509_cmp(now, *cert) != 0;
    X509_free(*cert);
    *cert = now;
    return changed;
}

static void the_pair_serves_and_is_trusted(void **state)
{
    scene *s = *state;
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    static const char *const keys[] = {"ca.key", "server.key"};
    for (size_t i = 0; i < 2; i++) {
        struct stat info;
        assert_int_equal(stat(path(s, keys[i]), &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
    dg_tls_cert_files files = {.cert_file = path(s, "server.crt"), .key_file = path(s, "server.key")};
    dg_tls_server *server = NULL;
    dg_tls_client *client = NULL;
    assert_int_equal(dg_tls_server_new(&(dg_tls_server_files){.certs = &files, .count = 1}, &s->f.diags, &server), DG_OK);
    assert_int_equal(
        dg_tls_client_new(&(dg_tls_client_files){.verify = true, .ca_file = path(s, "ca.crt")}, &s->f.diags, &client),
        DG_OK);
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "x.dev.example",
                                        "other.example"};
    for (size_t i = 0; i < 5; i++) {
        SSL *near = dg_tls_client_session(client, hosts[i]), *far = dg_tls_server_session(server);
        assert_int_equal(tls_handshake(near, far), i < 4);
        SSL_free(near);
        SSL_free(far);
    }
    dg_tls_client_free(client);
    dg_tls_server_free(server);
    assert_int_equal(s->f.diags.errors + s->f.diags.warnings, 0);
}

static void only_whole_files_are_left(void **state)
{
    scene *s = *state;
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    DIR *d = opendir(s->dir);
    assert_non_null(d);
    int files = 0;
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        files += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(files, 4);
}

static void what_is_valid_is_kept(void **state)
{
    scene *s = *state;
    static const char *const fewer[] = {"127.0.0.1", "LOCALHOST", NULL};
    static const char *const more[] = {"localhost", "x.dev.example", NULL};
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    X509 *ca = read_cert(s, "ca.crt"), *server = read_cert(s, "server.crt");
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    assert_false(renewed(s, "ca.crt", &ca));
    assert_false(renewed(s, "server.crt", &server));
    assert_int_equal(dg_certs_make_dev(s->dir, fewer, &s->f.diags), DG_OK);
    assert_false(renewed(s, "server.crt", &server));
    assert_int_equal(dg_certs_make_dev(s->dir, more, &s->f.diags), DG_OK);
    assert_false(renewed(s, "ca.crt", &ca));
    assert_true(renewed(s, "server.crt", &server));
    X509_free(ca);
    X509_free(server);
}

static void what_is_missing_broken_or_ending_is_made_anew(void **state)
{
    scene *s = *state;
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    X509 *ca = read_cert(s, "ca.crt"), *server = read_cert(s, "server.crt");
    tls_fixture_write(&s->f, "dev/server.key", "broken");
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    assert_false(renewed(s, "ca.crt", &ca));
    assert_true(renewed(s, "server.crt", &server));
    assert_int_equal(unlink(path(s, "ca.key")), 0);
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    assert_true(renewed(s, "ca.crt", &ca));
    assert_true(renewed(s, "server.crt", &server)); /* the old one has another issuer */
    assert_int_equal(X509_verify(server, X509_get0_pubkey(ca)), 1);

    BIO *file = BIO_new_file(path(s, "ca.key"), "r");
    EVP_PKEY *ca_key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL), *key;
    BIO_free(file);
    X509 *ending;
    dg_cert_spec spec = {.common_name = "x", .names = local, .from_s = -60, .until_s = 6 * 86400};
    assert_int_equal(dg_cert_issue(&spec, ca, ca_key, &ending, &key), DG_OK);
    file = BIO_new_file(path(s, "server.crt"), "w");
    assert_true(PEM_write_bio_X509(file, ending));
    BIO_free(file);
    file = BIO_new_file(path(s, "server.key"), "w");
    assert_true(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    BIO_free(file);
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_OK);
    assert_false(renewed(s, "ca.crt", &ca));
    X509_free(server);
    server = read_cert(s, "server.crt");
    assert_int_not_equal(X509_cmp(server, ending), 0);
    X509_free(ending);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    X509_free(ca);
    X509_free(server);
}

static void wrong_names_and_folders_are_told(void **state)
{
    scene *s = *state;
    static const char *const none[] = {NULL};
    static const char *const bad[] = {"a b", "x,DNS:y", "*", "a.*.b", "-a", "a..b", "a.", ""};
    assert_int_equal(dg_certs_make_dev(s->dir, none, &s->f.diags), DG_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const names[] = {"localhost", bad[i], NULL};
        assert_int_equal(dg_certs_make_dev(s->dir, names, &s->f.diags), DG_INVALID);
    }
    assert_int_equal(access(s->dir, F_OK), -1);
    tls_fixture_write(&s->f, "dev", "a file");
    assert_int_equal(dg_certs_make_dev(s->dir, local, &s->f.diags), DG_IO);
    assert_int_equal(dg_certs_make_dev("/nowhere/at/all", local, &s->f.diags), DG_IO);
    assert_true(tls_fixture_told(&s->f, "cannot make /nowhere/at/all: No such file or directory"));
    assert_true(tls_fixture_told(&s->f, "dev/ca.key: Not a directory"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_pair_serves_and_is_trusted),
        TEST(only_whole_files_are_left),
        TEST(what_is_valid_is_kept),
        TEST(what_is_missing_broken_or_ending_is_made_anew),
        TEST(wrong_names_and_folders_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
