/* OCSP responses from files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
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

static X509 *read_cert(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
    assert_non_null(cert);
    BIO_free(file);
    return cert;
}

/* Writes what a responder says of a certificate, valid from `from_s` to `until_s`. */
static const char *respond(tls_fixture *f, const char *cert_file, int verdict, long from_s, long until_s)
{
    X509 *cert = read_cert(cert_file);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, f->ca);
    ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *until = X509_gmtime_adj(NULL, until_s);
    ASN1_TIME *revoked = X509_gmtime_adj(NULL, -7200);
    assert_non_null(OCSP_basic_add1_status(basic, id, verdict, 0, revoked, from, until));
    assert_true(OCSP_basic_sign(basic, f->ca, f->ca_key, EVP_sha256(), NULL, 0));
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    const char *path = tls_fixture_path(f, "response.der");
    BIO *file = BIO_new_file(path, "w");
    assert_true(i2d_OCSP_RESPONSE_bio(file, response));
    BIO_free(file);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked);
    X509_free(cert);
    return path;
}

/* The bytes that a client that asks gets stapled; 0 = none. */
static long stapled(const dg_tls_server *server, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_true(SSL_CTX_set_max_proto_version(context, version));
    SSL *near = SSL_new(context), *far = dg_tls_server_session(server);
    const unsigned char *der = NULL;
    SSL_set_connect_state(near);
    SSL_set_tlsext_status_type(near, TLSEXT_STATUSTYPE_ocsp);
    assert_true(tls_handshake(near, far));
    long len = SSL_get_tlsext_status_ocsp_resp(near, &der);
    SSL_free(near);
    SSL_free(far);
    SSL_CTX_free(context);
    return len > 0 ? len : 0;
}

static dg_status load(tls_fixture *f, const dg_tls_cert_files *leaf, dg_tls_server **ret_server)
{
    dg_tls_server_files files = {.certs = leaf, .count = 1};
    return dg_tls_server_new(&files, &f->diags, ret_server);
}

static void a_response_is_stapled_for_its_certificate(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    leaf.ocsp_file = respond(f, leaf.cert_file, V_OCSP_CERTSTATUS_GOOD, -60, DAY);
    dg_tls_server *server = NULL;
    assert_int_equal(load(f, &leaf, &server), DG_OK);
    assert_int_equal(f->diags.warnings, 0);
    assert_true(stapled(server, TLS1_2_VERSION) > 100);
    assert_true(stapled(server, TLS1_3_VERSION) > 100);
    dg_tls_server_free(server);
}

static void an_expired_response_is_a_warning_and_not_sent(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    leaf.ocsp_file = respond(f, leaf.cert_file, V_OCSP_CERTSTATUS_GOOD, -7200, -3600);
    dg_tls_server *server = NULL;
    assert_int_equal(load(f, &leaf, &server), DG_OK);
    assert_true(tls_fixture_told(f, "has expired or is not valid yet"));
    assert_int_equal(stapled(server, TLS1_3_VERSION), 0);
    dg_tls_server_free(server);
}

static void a_revoked_certificate_is_a_warning(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    leaf.ocsp_file = respond(f, leaf.cert_file, V_OCSP_CERTSTATUS_REVOKED, -60, DAY);
    dg_tls_server *server = NULL;
    assert_int_equal(load(f, &leaf, &server), DG_OK);
    assert_true(tls_fixture_told(f, "is revoked"));
    dg_tls_server_free(server);
}

static void what_is_no_response_for_it_is_refused(void **state)
{
    tls_fixture *f = *state;
    dg_tls_cert_files leaf = tls_fixture_leaf(f, "leaf", "api.example.com", -60, DAY);
    dg_tls_cert_files other = tls_fixture_leaf(f, "other", "b.example.com", -60, DAY);
    dg_tls_server *server = NULL;
    leaf.ocsp_file = respond(f, other.cert_file, V_OCSP_CERTSTATUS_GOOD, -60, DAY);
    assert_int_equal(load(f, &leaf, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "it is about another certificate"));
    leaf.ocsp_file = leaf.cert_file;
    assert_int_equal(load(f, &leaf, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "it is not one in DER form"));
    tls_fixture_write(f, "refusal.der", "0\x03\n\x01\x06"); /* unauthorized */
    leaf.ocsp_file = tls_fixture_path(f, "refusal.der");
    assert_int_equal(load(f, &leaf, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "it is the responder's refusal"));
    tls_fixture_write(f, "empty.der", "");
    leaf.ocsp_file = tls_fixture_path(f, "empty.der");
    assert_int_equal(load(f, &leaf, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "it has 1 to"));
    leaf.ocsp_file = tls_fixture_path(f, "none.der");
    assert_int_equal(load(f, &leaf, &server), DG_INVALID);
    assert_true(tls_fixture_told(f, "none.der: No such file"));
    assert_null(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_response_is_stapled_for_its_certificate),
        TEST(an_expired_response_is_a_warning_and_not_sent),
        TEST(a_revoked_certificate_is_a_warning),
        TEST(what_is_no_response_for_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
