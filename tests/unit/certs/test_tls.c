#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/unit/certs/tls_fixture.h"

enum { DAY = 86400 };

static tls_fixture fixture;

static int open_fixture(void **state)
{
    tls_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    tls_fixture_close(*state);
    return 0;
}

static dg_tls_server *server_of(tls_fixture *f, const dg_tls_cert_files *certs, size_t count)
{
    dg_tls_server *server = NULL;
    dg_tls_server_files files = {.certs = certs, .count = count};
    assert_int_equal(dg_tls_server_new(&files, &f->diags, &server), DG_OK);
    return server;
}

static dg_tls_client *client_of(tls_fixture *f, bool verify, const char *ca_file)
{
    dg_tls_client *client = NULL;
    dg_tls_client_files files = {.verify = verify, .ca_file = ca_file};
    assert_int_equal(dg_tls_client_new(&files, &f->diags, &client), DG_OK);
    return client;
}

/* One handshake; ret_verify (or NULL) gets what the client found. */
static bool meet(const dg_tls_client *client, const dg_tls_server *server, const char *host,
                 long *ret_verify)
{
    SSL *near = dg_tls_client_session(client, host), *far = dg_tls_server_session(server);
    assert_non_null(near);
    assert_non_null(far);
    bool good = tls_handshake(near, far);
    if (ret_verify)
        *ret_verify = SSL_get_verify_result(near);
    SSL_free(near);
    SSL_free(far);
    return good;
}

static void a_good_handshake_is_tls_1_3_with_alpn(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_server *server = server_of(f, &leaf, 1);
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    SSL *near = dg_tls_client_session(client, "api.example.com."),
        *far = dg_tls_server_session(server);
    assert_true(tls_handshake(near, far));
    assert_int_equal(SSL_version(near), TLS1_3_VERSION);
    assert_string_equal(SSL_get_servername(far, TLSEXT_NAMETYPE_host_name), "api.example.com");
    const unsigned char *protocol;
    unsigned len;
    SSL_get0_alpn_selected(near, &protocol, &len);
    assert_true(dg_slice_eq(dg_slice_of(protocol, len), DG_SLICE("http/1.1")));
    char text[8];
    assert_int_equal(SSL_write(near, "ping", 4), 4);
    assert_int_equal(SSL_read(far, text, sizeof text), 4);
    assert_memory_equal(text, "ping", 4);
    assert_int_equal(f->diags.errors + f->diags.warnings, 0);
    SSL_free(near);
    SSL_free(far);
    dg_tls_client_free(client);
    dg_tls_server_free(server);
    dg_tls_client_free(NULL);
    dg_tls_server_free(NULL);
}

static void a_server_outlives_its_free_while_sessions_last(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaves[] = {tls_fixture_leaf(f, "a", "a.example.com", -60, DAY),
                                  tls_fixture_leaf(f, "b", "b.example.com", -60, DAY)};
    dg_tls_server *server = server_of(f, leaves, 2);
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    SSL *near = dg_tls_client_session(client, "b.example.com"),
        *far = dg_tls_server_session(server);
    dg_tls_server_free(server);
    assert_true(tls_handshake(near, far));
    SSL_free(near);
    SSL_free(far);
    dg_tls_client_free(client);
}

static void names_are_verified(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "*.example.com", -60, DAY);
    dg_tls_cert_files address = tls_fixture_leaf(f, "address", "127.0.0.1", -60, DAY);
    dg_tls_server *named = server_of(f, &leaf, 1), *numbered = server_of(f, &address, 1);
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    long why;
    assert_true(meet(client, named, "api.example.com", NULL));
    assert_false(meet(client, named, "example.com", &why));
    assert_int_equal(why, X509_V_ERR_HOSTNAME_MISMATCH);
    assert_false(meet(client, named, "a.b.example.com", NULL));
    assert_false(meet(client, named, "leaf", NULL)); /* the common name is no name */
    assert_false(meet(client, named, "127.0.0.1", &why));
    assert_int_equal(why, X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_true(meet(client, numbered, "127.0.0.1", NULL));
    assert_false(meet(client, numbered, "[::1]", NULL));
    dg_tls_client_free(client);
    dg_tls_server_free(named);
    dg_tls_server_free(numbered);
}

static void a_host_that_would_match_anything_gets_no_session(void **state)
{
    tls_fixture *f = *state;
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    char long_name[400];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const hosts[] = {"", ".", ".example.com", long_name};
    for (size_t i = 0; i < 4; i++)
        assert_null(dg_tls_client_session(client, hosts[i]));
    dg_tls_client_free(client);
}

static void an_address_is_not_sent_as_sni(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "::1", -60, DAY);
    dg_tls_server *server = server_of(f, &leaf, 1);
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    SSL *near = dg_tls_client_session(client, "[::1]"), *far = dg_tls_server_session(server);
    assert_true(tls_handshake(near, far));
    assert_null(SSL_get_servername(far, TLSEXT_NAMETYPE_host_name));
    SSL_free(near);
    SSL_free(far);
    dg_tls_client_free(client);
    dg_tls_server_free(server);
}

static void an_unknown_ca_is_refused(void **state)
{
    tls_fixture *f = *state, other;
    tls_fixture_open(&other);
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_server *server = server_of(f, &leaf, 1);
    dg_tls_client *stranger = client_of(f, true, tls_fixture_path(&other, "ca.crt"));
    dg_tls_client *system = client_of(f, true, NULL);
    dg_tls_client *careless = client_of(f, false, NULL);
    long why;
    assert_false(meet(stranger, server, "api.example.com", &why));
    assert_int_equal(why, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    assert_false(meet(system, server, "api.example.com", NULL));
    assert_true(meet(careless, server, "elsewhere.example.com", NULL));
    dg_tls_client_free(stranger);
    dg_tls_client_free(system);
    dg_tls_client_free(careless);
    dg_tls_server_free(server);
    tls_fixture_close(&other);
}

static void an_expired_certificate_warns_and_is_refused(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files old = tls_fixture_leaf(f, "old", "api.example.com", -7200, -60);
    dg_tls_server *server = server_of(f, &old, 1);
    assert_int_equal(f->diags.errors, 0);
    assert_int_equal(f->diags.warnings, 1);
    assert_true(tls_fixture_told(f, "old.crt has expired"));
    dg_tls_client *client = client_of(f, true, tls_fixture_path(f, "ca.crt"));
    long why;
    assert_false(meet(client, server, "api.example.com", &why));
    assert_int_equal(why, X509_V_ERR_CERT_HAS_EXPIRED);
    dg_tls_client_free(client);
    dg_tls_server_free(server);
    dg_tls_cert_files early = tls_fixture_leaf(f, "early", "api.example.com", 3600, DAY);
    dg_tls_server_free(server_of(f, &early, 1));
    assert_true(tls_fixture_told(f, "early.crt is not valid yet"));
}

/* The host of the certificate that a name is answered with. */
static void expect_certificate(const dg_tls_client *client, const dg_tls_server *server,
                               const char *host, const char *covers)
{
    SSL *near = dg_tls_client_session(client, host), *far = dg_tls_server_session(server);
    assert_true(tls_handshake(near, far));
    X509 *cert = SSL_get1_peer_certificate(near);
    if (!dg_cert_covers(cert, covers))
        fail_msg("%s was not answered with the certificate of %s", host, covers);
    X509_free(cert);
    SSL_free(near);
    SSL_free(far);
}

static void sni_chooses_the_certificate(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaves[] = {tls_fixture_leaf(f, "first", "first.example.com", -60, DAY),
                                  tls_fixture_leaf(f, "wild", "*.example.com", -60, DAY),
                                  tls_fixture_leaf(f, "exact", "exact.example.com", -60, DAY)};
    dg_tls_server *server = server_of(f, leaves, 3);
    dg_tls_client *client = client_of(f, false, NULL);
    expect_certificate(client, server, "first.example.com", "first.example.com");
    expect_certificate(client, server, "exact.example.com", "exact.example.com");
    expect_certificate(client, server, "EXACT.example.COM", "exact.example.com");
    expect_certificate(client, server, "any.example.com", "*.example.com");
    expect_certificate(client, server, "a.b.example.com", "first.example.com");
    expect_certificate(client, server, "example.com", "first.example.com");
    expect_certificate(client, server, "127.0.0.1", "first.example.com");
    dg_tls_client_free(client);
    dg_tls_server_free(server);
}

static bool meets_raw_client(const dg_tls_server *server, int version, const char *ciphers,
                             const unsigned char *alpn, unsigned alpn_len)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
    assert_int_equal(SSL_CTX_set_alpn_protos(context, alpn, alpn_len), 0);
    SSL *near = SSL_new(context), *far = dg_tls_server_session(server);
    SSL_set_connect_state(near);
    bool good = tls_handshake(near, far);
    SSL_free(near);
    SSL_free(far);
    SSL_CTX_free(context);
    return good;
}

static void old_protocols_and_ciphers_are_refused(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_server *server = server_of(f, &leaf, 1);
    static const unsigned char http[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
    assert_true(meets_raw_client(server, TLS1_2_VERSION, "ALL", NULL, 0));
    assert_true(meets_raw_client(server, TLS1_2_VERSION, "ALL", http, sizeof http - 1));
    assert_true(meets_raw_client(server, TLS1_3_VERSION, "ALL", http, sizeof http - 1));
    assert_false(meets_raw_client(server, TLS1_3_VERSION, "ALL", h2, sizeof h2 - 1));
    assert_false(meets_raw_client(server, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384", NULL, 0));
    assert_false(meets_raw_client(server, TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL, 0));
    assert_false(meets_raw_client(server, TLS1_VERSION, "ALL:@SECLEVEL=0", NULL, 0));
    dg_tls_server_free(server);
}

static void every_faulty_file_is_named_with_its_reason(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files a = tls_fixture_leaf(f, "a", "a.example.com", -60, DAY);
    dg_tls_cert_files b = tls_fixture_leaf(f, "b", "b.example.com", -60, DAY);
    tls_fixture_write(f, "text.pem", "hello\n");
    tls_fixture_write(f, "broken.pem",
                      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    char text[256], broken[256], none[256];
    snprintf(text, sizeof text, "%s/text.pem", f->dir);
    snprintf(broken, sizeof broken, "%s/broken.pem", f->dir);
    snprintf(none, sizeof none, "%s/none.pem", f->dir);
    dg_tls_cert_files certs[] = {
        {a.cert_file, b.key_file, a.origin, NULL}, {none, a.key_file, a.origin, NULL},
        {text, a.key_file, a.origin, NULL},        {broken, a.key_file, a.origin, NULL},
        {a.cert_file, none, a.origin, NULL},       {a.cert_file, text, a.origin, NULL},
        {f->dir, a.key_file, a.origin, NULL},
    };
    dg_tls_server *server = NULL;
    assert_int_equal(dg_tls_server_new(&(dg_tls_server_files){.certs = certs, .count = 7}, &f->diags, &server), DG_INVALID);
    assert_null(server);
    assert_int_equal(f->diags.errors, 7);
    assert_true(tls_fixture_told(f, "b.key does not belong to the certificate in"));
    assert_true(tls_fixture_told(f, "none.pem: No such file or directory"));
    assert_true(tls_fixture_told(f, "text.pem holds no certificate in PEM form"));
    assert_true(tls_fixture_told(f, "text.pem holds no private key in PEM form"));
    assert_true(tls_fixture_told(f, "cannot use the certificate in"));
    assert_true(tls_fixture_told(f, "it is not a file"));
    assert_string_equal(f->diags.first->origin.file, "conf.yaml");
    assert_int_equal(f->diags.first->origin.line, 3);
    assert_int_equal(dg_tls_server_new(&(dg_tls_server_files){.certs = NULL}, &f->diags, &server), DG_INVALID);
}

static void an_encrypted_key_is_told_not_asked_for(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "a.example.com", -60, DAY);
    BIO *file = BIO_new_file(leaf.key_file, "w");
    char word[] = "secret";
    assert_true(
        PEM_write_bio_PKCS8PrivateKey(file, f->ca_key, EVP_aes_128_cbc(), word, 6, NULL, NULL));
    BIO_free(file);
    dg_tls_server *server = NULL;
    assert_int_equal(dg_tls_server_new(&(dg_tls_server_files){.certs = &leaf, .count = 1}, &f->diags, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "leaf.key is encrypted"));
}

static void a_faulty_ca_file_is_named(void **state)
{
    tls_fixture *f = *state;
    dg_tls_client *client = NULL;
    tls_fixture_write(f, "text.pem", "hello\n");
    dg_tls_client_files files = {.verify = true, .ca_file = tls_fixture_path(f, "none.pem")};
    assert_int_equal(dg_tls_client_new(&files, &f->diags, &client), DG_INVALID);
    files.ca_file = tls_fixture_path(f, "text.pem");
    assert_int_equal(dg_tls_client_new(&files, &f->diags, &client), DG_INVALID);
    assert_null(client);
    assert_true(tls_fixture_told(f, "none.pem: No such file"));
    assert_true(tls_fixture_told(f, "text.pem holds no certificate in PEM form"));
}

static void errors_have_a_sentence(void **state)
{
    (void)state;
    assert_string_equal(dg_tls_error(), "no TLS error");
    ERR_raise_data(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, "why");
    assert_string_equal(dg_tls_error(), "certificate verify failed (why)");
    assert_int_equal(ERR_peek_error(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_handshake_is_tls_1_3_with_alpn),
        TEST(a_server_outlives_its_free_while_sessions_last),
        TEST(names_are_verified),
        TEST(a_host_that_would_match_anything_gets_no_session),
        TEST(an_address_is_not_sent_as_sni),
        TEST(an_unknown_ca_is_refused),
        TEST(an_expired_certificate_warns_and_is_refused),
        TEST(sni_chooses_the_certificate),
        TEST(old_protocols_and_ciphers_are_refused),
        TEST(every_faulty_file_is_named_with_its_reason),
        TEST(an_encrypted_key_is_told_not_asked_for),
        TEST(a_faulty_ca_file_is_named),
        TEST(errors_have_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
