/* Clients: their certificates, their sessions, and the certificate that answers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/clock.h"
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

static dg_tls_server *server_of(tls_fixture *f, const dg_tls_server_files *files)
{
    dg_tls_server *server = NULL;
    assert_int_equal(dg_tls_server_new(files, &f->diags, &server), DG_OK);
    return server;
}

static dg_tls_client *client_of(tls_fixture *f, const dg_tls_cert_files *own)
{
    dg_tls_client *client = NULL;
    dg_tls_client_files files = {
        .verify = true, .ca_file = tls_fixture_path(f, "ca.crt"), .own = own};
    assert_int_equal(dg_tls_client_new(&files, &f->diags, &client), DG_OK);
    return client;
}

/* ---- identities */

/* A handshake, and that the client's last flight was taken: in TLS 1.3 the server refuses after it. */
static bool meet(const dg_tls_client *client, const dg_tls_server *server,
                 dg_tls_identity **ret_identity)
{
    SSL *near = dg_tls_client_session(client, "api.example.com");
    SSL *far = dg_tls_server_session(server);
    bool good = tls_handshake(near, far);
    if (good && ret_identity)
        assert_int_equal(dg_tls_identity_of(far, ret_identity), DG_OK);
    SSL_free(near);
    SSL_free(far);
    return good;
}

static void a_client_is_who_its_certificate_says(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_cert_files own = tls_fixture_cert(
        f, "own", "Ada, \xC3\x96\r\nX: y%",
        "URI:spiffe://example.com/a,DNS:a.example.com,DNS:b.example.com,email:ada@example.com",
        "clientAuth", DAY, EVP_EC_gen("P-256"));
    dg_tls_server_files files = {.certs = &leaf,
                                 .count = 1,
                                 .client_ca_file = tls_fixture_path(f, "ca.crt"),
                                 .client_required = true};
    dg_tls_server *server = server_of(f, &files);
    dg_tls_client *client = client_of(f, &own), *nobody = client_of(f, NULL);
    dg_tls_identity *id = NULL;
    assert_true(meet(client, server, &id));
    assert_non_null(id);
    const dg_slice *parts = id->parts;
    assert_true(dg_slice_eq(parts[DG_TLS_IDENTITY_CN], DG_SLICE("Ada%2C%20%C3%96%0D%0AX:%20y%25")));
    assert_true(dg_slice_eq(parts[DG_TLS_IDENTITY_URI], DG_SLICE("spiffe://example.com/a")));
    assert_true(
        dg_slice_eq(parts[DG_TLS_IDENTITY_DNS], DG_SLICE("a.example.com, b.example.com")));
    assert_true(dg_slice_eq(parts[DG_TLS_IDENTITY_EMAIL], DG_SLICE("ada@example.com")));
    assert_int_equal(parts[DG_TLS_IDENTITY_SHA256].len, 64);
    free(id);
    assert_false(meet(nobody, server, NULL));
    dg_tls_server_free(server);
    files.client_required = false;
    server = server_of(f, &files);
    assert_true(meet(nobody, server, &id));
    assert_null(id);
    assert_true(meet(client, server, &id));
    assert_non_null(id);
    free(id);
    dg_tls_server_free(server);
    dg_tls_client_free(client);
    dg_tls_client_free(nobody);
}

static void certificates_of_others_are_refused_even_where_they_are_optional(void **state)
{
    tls_fixture *f = *state, other;
    tls_fixture_open(&other);
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_cert_files owns[] = {
        tls_fixture_cert(&other, "a", "stranger", NULL, "clientAuth", DAY, EVP_EC_gen("P-256")),
        tls_fixture_cert(f, "b", "expired", NULL, "clientAuth", -60, EVP_EC_gen("P-256")),
        tls_fixture_cert(f, "c", "a server", NULL, "serverAuth", DAY, EVP_EC_gen("P-256"))};
    dg_tls_server_files files = {
        .certs = &leaf, .count = 1, .client_ca_file = tls_fixture_path(f, "ca.crt")};
    dg_tls_server *server = server_of(f, &files);
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++) {
        dg_tls_client *client = client_of(f, &owns[i]);
        assert_false(meet(client, server, NULL));
        dg_tls_client_free(client);
    }
    dg_tls_server_free(server);
    tls_fixture_close(&other);
}

static void an_endless_identity_is_refused(void **state)
{
    tls_fixture *f = *state;
    char san[8192] = "DNS:a.example.com";
    for (int i = 0; i < 200; i++)
        snprintf(san + strlen(san), sizeof san - strlen(san), ",DNS:name-%d.long.example.com", i);
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_cert_files own =
        tls_fixture_cert(f, "own", "many", san, "clientAuth", DAY, EVP_EC_gen("P-256"));
    dg_tls_server_files files = {
        .certs = &leaf, .count = 1, .client_ca_file = tls_fixture_path(f, "ca.crt")};
    dg_tls_server *server = server_of(f, &files);
    dg_tls_client *client = client_of(f, &own);
    SSL *near = dg_tls_client_session(client, "api.example.com");
    SSL *far = dg_tls_server_session(server);
    dg_tls_identity *id = NULL;
    assert_true(tls_handshake(near, far));
    assert_int_equal(dg_tls_identity_of(far, &id), DG_LIMIT);
    assert_null(id);
    SSL_free(near);
    SSL_free(far);
    dg_tls_client_free(client);
    dg_tls_server_free(server);
}

static void a_faulty_client_ca_is_named_once(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaves[] = {tls_fixture_leaf(f, "a", "a.example.com", -60, DAY),
                                  tls_fixture_leaf(f, "b", "b.example.com", -60, DAY)};
    dg_tls_server_files files = {
        .certs = leaves, .count = 2, .client_ca_file = tls_fixture_path(f, "none.pem")};
    dg_tls_server *server = NULL;
    assert_int_equal(dg_tls_server_new(&files, &f->diags, &server), DG_INVALID);
    assert_int_equal(f->diags.errors, 1);
    assert_true(tls_fixture_told(f, "none.pem: No such file"));
}

/* ---- sessions */

/* A client of OpenSSL's own, that keeps its session in `session` and offers it the next time. Returns whether it
 * was resumed; -1 when the handshake failed. */
static int visit(const dg_tls_server *server, int version, const char *host,
                 const dg_tls_cert_files *own, SSL_SESSION **session)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_true(SSL_CTX_set_max_proto_version(context, version));
    if (own)
        assert_true(SSL_CTX_use_certificate_file(context, own->cert_file, SSL_FILETYPE_PEM) &&
                    SSL_CTX_use_PrivateKey_file(context, own->key_file, SSL_FILETYPE_PEM));
    SSL *near = SSL_new(context), *far = dg_tls_server_session(server);
    SSL_set_connect_state(near);
    assert_true(SSL_set_tlsext_host_name(near, host));
    if (*session)
        assert_true(SSL_set_session(near, *session));
    int result = -1;
    if (tls_handshake(near, far)) {
        char byte;
        assert_int_equal(SSL_write(far, "x", 1), 1); /* the tickets of TLS 1.3 come before it */
        assert_int_equal(SSL_read(near, &byte, 1), 1);
        assert_int_equal(SSL_get_session(far) ? SSL_SESSION_get_max_early_data(SSL_get_session(far)) : 0, 0);
        result = SSL_session_reused(far);
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(near);
        SSL_shutdown(near);
        SSL_shutdown(far);
    }
    SSL_free(near);
    SSL_free(far);
    SSL_CTX_free(context);
    ERR_clear_error();
    return result;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void sessions_are_resumed_under_their_own_name_only(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaves[] = {tls_fixture_leaf(f, "wild", "*.example.com", -60, DAY),
                                  tls_fixture_leaf(f, "other", "api.other.com", -60, DAY)};
    dg_tls_tickets *tickets = NULL;
    assert_int_equal(dg_tls_tickets_new(3600, &tickets), DG_OK);
    dg_tls_server_files files = {.certs = leaves, .count = 2, .tickets = tickets};
    dg_tls_server *server = server_of(f, &files);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = NULL;
        assert_int_equal(visit(server, versions[i], "a.example.com", NULL, &session), 0);
        assert_int_equal(visit(server, versions[i], "A.example.com", NULL, &session), 1);
        assert_int_equal(visit(server, versions[i], "b.example.com", NULL, &session), 0);
        assert_int_equal(visit(server, versions[i], "api.other.com", NULL, &session), 0);
        assert_int_equal(visit(server, versions[i], "a.example.com", NULL, &session), 0);
        SSL_SESSION_free(session);
    }
    dg_tls_server_free(server);
    files.tickets = NULL;
    server = server_of(f, &files);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = NULL;
        assert_int_equal(visit(server, versions[i], "a.example.com", NULL, &session), 0);
        assert_int_equal(visit(server, versions[i], "a.example.com", NULL, &session), 0);
        SSL_SESSION_free(session);
    }
    dg_tls_server_free(server);
    dg_tls_tickets_free(tickets);
}

static void sessions_outlive_a_reload_that_changes_nothing(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files a = tls_fixture_leaf(f, "a", "api.example.com", -60, DAY);
    dg_tls_cert_files b = tls_fixture_leaf(f, "b", "api.example.com", -60, DAY);
    dg_tls_tickets *tickets = NULL;
    assert_int_equal(dg_tls_tickets_new(3600, &tickets), DG_OK);
    dg_tls_server_files files = {.certs = &a, .count = 1, .tickets = tickets};
    dg_tls_server *first = server_of(f, &files), *same = server_of(f, &files);
    files.certs = &b;
    dg_tls_server *renewed = server_of(f, &files);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = NULL;
        assert_int_equal(visit(first, versions[i], "api.example.com", NULL, &session), 0);
        assert_int_equal(visit(same, versions[i], "api.example.com", NULL, &session), 1);
        assert_int_equal(visit(renewed, versions[i], "api.example.com", NULL, &session), 0);
        SSL_SESSION_free(session);
    }
    dg_tls_server_free(first);
    dg_tls_server_free(same);
    dg_tls_server_free(renewed);
    dg_tls_tickets_free(tickets);
}

static void a_session_does_not_carry_a_client_past_another_ca(void **state)
{
    tls_fixture *f = *state, other;
    tls_fixture_open(&other);
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_cert_files own =
        tls_fixture_cert(f, "own", "Ada", NULL, "clientAuth", DAY, EVP_EC_gen("P-256"));
    dg_tls_tickets *tickets = NULL;
    assert_int_equal(dg_tls_tickets_new(3600, &tickets), DG_OK);
    char strangers[256];
    snprintf(strangers, sizeof strangers, "%s", tls_fixture_path(&other, "ca.crt"));
    dg_tls_server_files files = {.certs = &leaf, .count = 1, .tickets = tickets};
    dg_tls_server *open = server_of(f, &files);
    files.client_ca_file = tls_fixture_path(f, "ca.crt");
    files.client_required = true;
    dg_tls_server *ours = server_of(f, &files);
    files.client_ca_file = strangers;
    dg_tls_server *theirs = server_of(f, &files);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = NULL;
        assert_int_equal(visit(open, versions[i], "api.example.com", NULL, &session), 0);
        assert_int_equal(visit(ours, versions[i], "api.example.com", NULL, &session), -1);
        assert_int_equal(visit(ours, versions[i], "api.example.com", &own, &session), 0);
        assert_int_equal(visit(ours, versions[i], "api.example.com", NULL, &session), 1);
        assert_int_equal(visit(theirs, versions[i], "api.example.com", &own, &session), -1);
        SSL_SESSION_free(session);
    }
    dg_tls_server_free(open);
    dg_tls_server_free(ours);
    dg_tls_server_free(theirs);
    dg_tls_tickets_free(tickets);
    tls_fixture_close(&other);
}

static void keys_of_tickets_change_and_die(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    for (size_t i = 0; i < 2; i++) {
        uint64_t now_s = dg_monotonic_ms() / 1000;
        dg_tls_tickets *tickets = NULL;
        assert_int_equal(dg_tls_tickets_new(1000, &tickets), DG_OK);
        dg_tls_server_files files = {.certs = &leaf, .count = 1, .tickets = tickets};
        dg_tls_server *server = server_of(f, &files);
        SSL_SESSION *session = NULL, *old = NULL;
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &session), 0);
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &old), 0);
        dg_tls_tickets_rotate(tickets, now_s + 1100); /* the key is the previous one now */
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &session), 1);
        dg_tls_tickets_rotate(tickets, now_s + 2200); /* and now it is gone */
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &old), 0);
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &session), 1);
        dg_tls_tickets_rotate(tickets, now_s + 90000);
        assert_int_equal(visit(server, versions[i], "api.example.com", NULL, &session), 0);
        SSL_SESSION_free(session);
        SSL_SESSION_free(old);
        dg_tls_server_free(server);
        dg_tls_tickets_free(tickets);
    }
    dg_tls_tickets_free(NULL);
}

/* ---- the choice between certificates of a name */

static int key_kind(const dg_tls_server *server, const char *algorithms)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_true(SSL_CTX_set1_sigalgs_list(context, algorithms));
    SSL *near = SSL_new(context), *far = dg_tls_server_session(server);
    SSL_set_connect_state(near);
    SSL_set_tlsext_host_name(near, "b.example.com");
    int kind = 0;
    if (tls_handshake(near, far))
        kind = EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(near)));
    SSL_free(near);
    SSL_free(far);
    SSL_CTX_free(context);
    ERR_clear_error();
    return kind;
}

static void a_name_may_have_an_rsa_and_an_ecdsa_certificate(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaves[] = {
        tls_fixture_leaf(f, "first", "first.example.com", -60, DAY),
        tls_fixture_cert(f, "ec", "ec", "DNS:a.example.com,DNS:b.example.com", "serverAuth", DAY,
                         EVP_EC_gen("P-256")),
        tls_fixture_cert(f, "rsa", "rsa", "DNS:b.example.com,DNS:a.example.com", "serverAuth", DAY,
                         EVP_RSA_gen(2048))};
    dg_tls_server_files files = {.certs = leaves, .count = 3};
    dg_tls_server *server = server_of(f, &files);
    assert_int_equal(key_kind(server, "ECDSA+SHA256"), EVP_PKEY_EC);
    assert_int_equal(key_kind(server, "RSA-PSS+SHA256"), EVP_PKEY_RSA);
    assert_int_equal(key_kind(server, "ed25519"), 0);
    dg_tls_server_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_is_who_its_certificate_says),
        TEST(certificates_of_others_are_refused_even_where_they_are_optional),
        TEST(an_endless_identity_is_refused),
        TEST(a_faulty_client_ca_is_named_once),
        TEST(sessions_are_resumed_under_their_own_name_only),
        TEST(sessions_outlive_a_reload_that_changes_nothing),
        TEST(a_session_does_not_carry_a_client_past_another_ca),
        TEST(keys_of_tickets_change_and_die),
        TEST(a_name_may_have_an_rsa_and_an_ecdsa_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
