#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/net/address.h"

static const struct sockaddr *plain(const dg_address *address)
{
    return (const struct sockaddr *)&address->storage;
}

static void says_what_was_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
    } rows[] = {{"127.0.0.1:8080", "127.0.0.1"},
                {"[::1]:443", "::1"},
                {"[2001:db8::7:1]:65535", "2001:db8::7:1"},
                {"0.0.0.0:0", "0.0.0.0"},
                {"unix:/run/dragoman.sock", "unix"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_address list[DG_ADDRESSES_MAX];
        size_t count = 0;
        const char *error = NULL;
        char text[DG_ADDRESS_TEXT_BYTES], host[DG_ADDRESS_TEXT_BYTES];
        assert_int_equal(dg_address_resolve(rows[i].text, false, list, &count, &error), DG_OK);
        assert_int_equal(count, 1);
        dg_address_text(plain(&list[0]), text);
        dg_address_host(plain(&list[0]), host);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(host, rows[i].host);
    }
}

static void no_host_is_every_address_of_a_listener(void **state)
{
    (void)state;
    dg_address list[DG_ADDRESSES_MAX];
    size_t count = 0;
    const char *error = NULL;
    assert_int_equal(dg_address_resolve(":8080", true, list, &count, &error), DG_OK);
    assert_in_range(count, 1, 2);
    for (size_t i = 0; i < count; i++) {
        char host[DG_ADDRESS_TEXT_BYTES];
        dg_address_host(plain(&list[i]), host);
        assert_string_equal(host, plain(&list[i])->sa_family == AF_INET ? "0.0.0.0" : "::");
    }
    assert_int_equal(dg_address_resolve(":8080", false, list, &count, &error), DG_SYNTAX);
}

static void refuses_what_is_no_address(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:-1",
                                       "127.0.0.1:+80",
                                       "127.0.0.1: 80",
                                       "127.0.0.1:80 ",
                                       "127.0.0.1:http",
                                       "127.0.0.1:4294967376",
                                       "::1:8080",
                                       "127.0.0.1:99999999999999999999"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_address list[DG_ADDRESSES_MAX];
        size_t count = 77;
        const char *error = NULL;
        assert_int_equal(dg_address_resolve(rows[i], true, list, &count, &error), DG_SYNTAX);
        assert_int_equal(count, 77);
        assert_non_null(error);
    }
}

static void holds_its_limits(void **state)
{
    (void)state;
    dg_address list[DG_ADDRESSES_MAX];
    size_t count = 0;
    const char *error = NULL;
    char text[400];
    snprintf(text, sizeof text, "unix:%0107d", 0); /* the longest path, with its NUL 108 bytes */
    assert_int_equal(dg_address_resolve(text, false, list, &count, &error), DG_OK);
    snprintf(text, sizeof text, "unix:%0108d", 0);
    assert_int_equal(dg_address_resolve(text, false, list, &count, &error), DG_SYNTAX);
    assert_int_equal(dg_address_resolve("unix:", false, list, &count, &error), DG_SYNTAX);
    snprintf(text, sizeof text, "%0256d:80", 0);
    assert_int_equal(dg_address_resolve(text, false, list, &count, &error), DG_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_was_written),
        cmocka_unit_test(no_host_is_every_address_of_a_listener),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(holds_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
