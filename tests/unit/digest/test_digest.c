#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/digest/digest.h"

#define HELLO     "{\"hello\": \"world\"}\n"
#define HELLO_256 "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define HELLO_512                                                                                  \
    "YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg=="

static dg_status read_one(dg_digests *digests, const char *field, const char *value)
{
    return dg_digests_read(digests, dg_slice_str(field), dg_slice_str(value));
}

/* RFC 9530 B.1 and B.7. */
static void the_examples_of_the_rfc_are_true(void **state)
{
    (void)state;
    dg_digests digests = {.has = {false}};
    const char *field = NULL;
    assert_int_equal(read_one(&digests, "content-digest",
                              "sha-256=:" HELLO_256 ":,  sha-512=:" HELLO_512 ":;p=\"x\\\"\";q=1.5 "),
                     DG_OK);
    assert_true(digests.has[DG_DIGEST_CONTENT_SHA256] && digests.has[DG_DIGEST_CONTENT_SHA512]);
    assert_false(digests.has[DG_DIGEST_REPR_SHA256]);
    assert_int_equal(dg_digests_verify(&digests, DG_SLICE(HELLO), &field), DG_OK);
    assert_int_equal(dg_digests_verify(&digests, DG_SLICE(HELLO " "), &field), DG_INVALID);
    assert_string_equal(field, "Content-Digest");
}

static void what_was_said_is_said_again_of_other_bytes(void **state)
{
    (void)state;
    dg_digests digests = {.has = {false}};
    dg_buf out;
    const char *field = NULL;
    dg_buf_init(&out, 0);
    assert_int_equal(read_one(&digests, "Repr-Digest", "sha-256=:" HELLO_256 ":"), DG_OK);
    assert_int_equal(read_one(&digests, "Content-MD5", "Sd/dVLAcvNLSq16eXua5uQ=="), DG_OK);
    assert_int_equal(dg_digests_verify(&digests, DG_SLICE(HELLO), &field), DG_INVALID);
    assert_string_equal(field, "Content-MD5");
    assert_int_equal(dg_digests_write(&digests, DG_SLICE(""), &out), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&out),
                            DG_SLICE("Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n"
                                     "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n")));
    dg_buf_free(&out);
}

static void later_keys_win_and_unknown_ones_are_skipped(void **state)
{
    (void)state;
    dg_digests digests = {.has = {false}};
    const char *field = NULL;
    assert_int_equal(read_one(&digests, "Content-Digest",
                              "sha=:AAAA:, unixsum=:AQ==:, "
                              "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"),
                     DG_OK);
    assert_int_equal(read_one(&digests, "Content-Digest", "sha-256=:" HELLO_256 ":"), DG_OK);
    assert_int_equal(dg_digests_verify(&digests, DG_SLICE(HELLO), &field), DG_OK);
    dg_digests none = {.has = {false}};
    assert_int_equal(read_one(&none, "Content-Digest", "sha=:AAAA:, md5=::, *x=:AA==:;a;b=?1;c=tok/en;d=-1;e=:AA==:"),
                     DG_OK);
    assert_false(dg_digests_any(&none));
    assert_int_equal(read_one(&none, "Digest", "sha-256=" HELLO_256), DG_NOT_FOUND);
}

static void what_is_not_strictly_a_dictionary_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "sha-256=" HELLO_256,          /* the form of RFC 3230 */
        "sha-256=:" HELLO_256,         /* open */
        "sha-256=\"" HELLO_256 "\"", /* a string */
        "sha-256",                     /* true */
        "SHA-256=:" HELLO_256 ":",     /* a key in upper case */
        "sha-256 =:" HELLO_256 ":",    "sha-256= :" HELLO_256 ":",
        "sha-256=:" HELLO_256 ":,",    /* a comma too many */
        ",sha-256=:" HELLO_256 ":",    "sha-256=:" HELLO_256 ": sha-512=::",
        "sha-256=:" HELLO_256 ":x",    "sha-256=:" HELLO_256 ":;",
        "sha-256=:" HELLO_256 ":;A",   "sha-256=:" HELLO_256 ":;a=",
        "sha-256=:" HELLO_256 ":;a=\"", "sha-256=:" HELLO_256 ":;a=1.2345",
        "sha-256=:" HELLO_256 ":;a=1234567890123456",
        "sha-256=:AAAA:",              /* too short */
        "sha-512=:" HELLO_256 ":",     /* another algorithm's */
        "sha-256=:" HELLO_256 "AAAA:", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8Fab==:",
        "sha-256=:=K/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
        "sha=:AA:", "sha=(:AAAA:)",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dg_digests digests = {.has = {false}};
        if (read_one(&digests, "Content-Digest", wrong[i]) != DG_SYNTAX)
            fail_msg("taken: %s", wrong[i]);
    }
    dg_digests digests = {.has = {false}};
    assert_int_equal(read_one(&digests, "Content-MD5", ":1B2M2Y8AsgTpgAmY7PhCfg==:"), DG_SYNTAX);
    assert_int_equal(read_one(&digests, "Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg"), DG_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_true),
        cmocka_unit_test(what_was_said_is_said_again_of_other_bytes),
        cmocka_unit_test(later_keys_win_and_unknown_ones_are_skipped),
        cmocka_unit_test(what_is_not_strictly_a_dictionary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
