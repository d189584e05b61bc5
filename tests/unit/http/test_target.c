#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/http/target.h"

static void targets_come_apart(void **state)
{
    (void)state;
    const struct {
        const char *text;
        dg_method method;
        dg_status status;
        dg_target_form form;
        const char *authority, *path, *query;
    } cases[] = {
        {"/", DG_METHOD_GET, DG_OK, DG_TARGET_ORIGIN, "", "/", NULL},
        {"/a/b?c=d&e[]=%20", DG_METHOD_GET, DG_OK, DG_TARGET_ORIGIN, "", "/a/b", "c=d&e[]=%20"},
        {"/a?", DG_METHOD_GET, DG_OK, DG_TARGET_ORIGIN, "", "/a", ""},
        {"/a?b?c", DG_METHOD_GET, DG_OK, DG_TARGET_ORIGIN, "", "/a", "b?c"},
        {"//a", DG_METHOD_GET, DG_OK, DG_TARGET_ORIGIN, "", "//a", NULL},
        {"http://h:80/a", DG_METHOD_GET, DG_OK, DG_TARGET_ABSOLUTE, "h:80", "/a", NULL},
        {"HTTPS://h?q", DG_METHOD_GET, DG_OK, DG_TARGET_ABSOLUTE, "h", "/", "q"},
        {"*", DG_METHOD_OPTIONS, DG_OK, DG_TARGET_ASTERISK, "", "*", NULL},
        {"h:443", DG_METHOD_CONNECT, DG_OK, DG_TARGET_AUTHORITY, "h:443", "", NULL},
        {"h", DG_METHOD_CONNECT, DG_SYNTAX, 0, "", "", NULL},
        {"*", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"*/x", DG_METHOD_OPTIONS, DG_SYNTAX, 0, "", "", NULL},
        {"", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"a/b", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"h:80", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"http:///a", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"http://u@h/a", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"file:///etc", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/a#b", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/a[b]", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/%", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/%a", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/?%g0", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/?<", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
        {"/\x80", DG_METHOD_GET, DG_SYNTAX, 0, "", "", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        dg_target t = {0};
        dg_status status = dg_target_parse(dg_slice_str(cases[i].text), cases[i].method, &t);
        if (status != cases[i].status)
            fail_msg("%s: %s", cases[i].text, dg_status_text(status));
        if (status != DG_OK)
            continue;
        assert_int_equal(t.form, cases[i].form);
        assert_true(dg_slice_eq(t.authority, dg_slice_str(cases[i].authority)));
        assert_true(dg_slice_eq(t.path, dg_slice_str(cases[i].path)));
        assert_int_equal(t.has_query, cases[i].query != NULL);
        assert_true(dg_slice_eq(t.query, dg_slice_str(cases[i].query)));
    }
}

static void targets_agree_with_host(void **state)
{
    (void)state;
    const struct {
        const char *head;
        bool tls;
        unsigned status; /* 0 = agrees */
        const char *host;
    } cases[] = {
        {"GET http://H.example/ HTTP/1.1\r\nHost: h.EXAMPLE:80\r\n\r\n", false, 0, "H.example"},
        {"GET https://h/ HTTP/1.1\r\nHost: h:443\r\n\r\n", true, 0, "h"},
        {"GET / HTTP/1.1\r\nHost: x:1\r\n\r\n", true, 0, "x:1"},
        {"GET http://h/ HTTP/1.0\r\n\r\n", false, 0, "h"},
        {"GET / HTTP/1.0\r\n\r\n", false, 0, ""},
        {"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", false, 400, "other"},
        {"GET http://h:81/ HTTP/1.1\r\nHost: h\r\n\r\n", false, 400, "h:81"},
        {"GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", false, 421, "h"},
        {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", true, 421, "h"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        static dg_head head;
        dg_target t;
        dg_http_error error = {0, NULL};
        size_t scan = 0, consumed;
        assert_int_equal(
            dg_request_parse(dg_slice_str(cases[i].head), &scan, NULL, &head, &consumed, &error),
            DG_OK);
        assert_int_equal(dg_target_parse(head.target, head.method_id, &t), DG_OK);
        dg_status status = dg_target_check(&t, &head, cases[i].tls, &error);
        assert_int_equal(status, cases[i].status ? DG_INVALID : DG_OK);
        assert_int_equal(error.status, cases[i].status);
        assert_true(dg_slice_eq(dg_target_host(&t, &head), dg_slice_str(cases[i].host)));
    }
}

static void hosts_are_names_or_addresses(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int port; /* -1: refused */
    } cases[] = {
        {"h", 0},
        {"h.example:8080", 8080},
        {"a_b-c.d~", 0},
        {"127.0.0.1", 0},
        {"127.0.0.1:1", 1},
        {"[::]", 0},
        {"[::1]:65535", 65535},
        {"[1:2:3:4:5:6:7:8]", 0},
        {"[1::8]", 0},
        {"[1:2:3:4:5:6:7::]", 0},
        {"[::ffff:1.2.3.4]", 0},
        {"[1:2:3:4:5:6:1.2.3.4]", 0},
        {"1e3", 0},
        {"", -1},
        {":80", -1},
        {"h:", -1},
        {"h:0", -1},
        {"h:65536", -1},
        {"h:123456", -1},
        {"h:8x", -1},
        {"h:80:80", -1},
        {"a@h", -1},
        {"a,b", -1},
        {"a b", -1},
        {"h/", -1},
        {"%41", -1},
        {"1.2.3", -1},
        {"256.1.1.1", -1},
        {"01.2.3.4", -1},
        {"1.2.3.4.5", -1},
        {"[::1", -1},
        {"[]", -1},
        {"[::1]x", -1},
        {"[1:2]", -1},
        {"[1::2::3]", -1},
        {"[:1::]", -1},
        {"[12345::]", -1},
        {"[1:2:3:4:5:6:7:8:9]", -1},
        {"[::1%25eth0]", -1},
        {"[1:2:3:4:5:6:7:]", -1},
        {"[:::]", -1},
        {"[::1.2.3]", -1},
        {"::1", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        dg_slice host;
        unsigned port = 99;
        dg_status status = dg_authority_parse(dg_slice_str(cases[i].text), &host, &port);
        if (status != (cases[i].port < 0 ? DG_SYNTAX : DG_OK))
            fail_msg("'%s': %s", cases[i].text, dg_status_text(status));
        if (status == DG_OK)
            assert_int_equal(port, cases[i].port);
    }
}

static void paths_have_one_spelling(void **state)
{
    (void)state;
    const struct {
        const char *path, *want; /* NULL: refused with status */
        dg_status status;
    } cases[] = {
        {"/", "/", DG_OK},
        {"/a/b", "/a/b", DG_OK},
        {"//a///b//", "/a/b/", DG_OK},
        {"/%61%7e%2D", "/a~-", DG_OK},
        {"/a%2fb%2F", "/a%2Fb%2F", DG_OK},
        {"/%c3%a9", "/%C3%A9", DG_OK},
        {"/%e2%82%ac%f0%9f%98%80", "/%E2%82%AC%F0%9F%98%80", DG_OK},
        {"/%252e", "/%252e", DG_OK},
        {"/...", "/...", DG_OK},
        {"/.a/..b", "/.a/..b", DG_OK},
        {"/a;b=1/c", "/a;b=1/c", DG_OK},
        {"/%0d%0a", "/%0D%0A", DG_OK},
        {"/.", NULL, DG_INVALID},
        {"/./a", NULL, DG_INVALID},
        {"/a/..", NULL, DG_INVALID},
        {"/a/../b", NULL, DG_INVALID},
        {"//../b", NULL, DG_INVALID},
        {"/%2e%2E/a", NULL, DG_INVALID},
        {"/.%2e", NULL, DG_INVALID},
        {"/..;x=1/a", NULL, DG_INVALID},
        {"/%00", NULL, DG_INVALID},
        {"/%c0%af", NULL, DG_INVALID},
        {"/%e0%80%af", NULL, DG_INVALID},
        {"/%ed%a0%80", NULL, DG_INVALID},
        {"/%f4%90%80%80", NULL, DG_INVALID},
        {"/%f8", NULL, DG_INVALID},
        {"/%80", NULL, DG_INVALID},
        {"/%c3", NULL, DG_INVALID},
        {"/%c3/%a9", NULL, DG_INVALID},
        {"/%c3a", NULL, DG_INVALID},
        {"", NULL, DG_SYNTAX},
        {"a", NULL, DG_SYNTAX},
        {"/%", NULL, DG_SYNTAX},
        {"/%4", NULL, DG_SYNTAX},
        {"/%4g", NULL, DG_SYNTAX},
        {"/a b", NULL, DG_SYNTAX},
        {"/a?b", NULL, DG_SYNTAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char out[64], again[64];
        dg_slice got, twice;
        const dg_slice path = dg_slice_str(cases[i].path);
        dg_status status = dg_path_normalise(path, out, path.len, &got);
        if (status != cases[i].status)
            fail_msg("%s: %s", cases[i].path, dg_status_text(status));
        if (status != DG_OK)
            continue;
        assert_true(dg_slice_eq(got, dg_slice_str(cases[i].want)));
        assert_int_equal(dg_path_normalise(got, again, got.len, &twice), DG_OK);
        assert_true(dg_slice_eq(got, twice));
        assert_int_equal(dg_path_normalise(path, again, got.len - 1, &twice), DG_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_come_apart),
        cmocka_unit_test(targets_agree_with_host),
        cmocka_unit_test(hosts_are_names_or_addresses),
        cmocka_unit_test(paths_have_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
