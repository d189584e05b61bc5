#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/net/address.h"
#include "proxy/net/proxy_protocol.h"

#define BYTES(literal) {"" literal, sizeof(literal) - 1}
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 "\xC0\x00\x02\x01\xC6\x33\x64\x02\x04\xD2\x01\xBB"
#define TCP6 "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\2\x04\xD2\x01\xBB"

static const struct {
    const char *name;
    dg_slice in;
    const char *from, *to; /* NULL: refused; "unix" is what an unknown one reads like */
} cases[] = {
    {"y_v1_tcp4", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 443\r\n"), "192.0.2.1:1234", "198.51.100.2:443"},
    {"y_v1_tcp6", BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n"), "[2001:db8::1]:1234", "[2001:db8::2]:443"},
    {"y_v1_zero_port", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\n"), "192.0.2.1:0", "198.51.100.2:65535"},
    {"y_v1_unknown", BYTES("PROXY UNKNOWN\r\n"), "", ""},
    {"y_v1_unknown_with_more", BYTES("PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n"), "", ""},
    {"n_v1_port", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 65536\r\n"), NULL, NULL},
    {"n_v1_leading_zero", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 01234 443\r\n"), NULL, NULL},
    {"n_v1_no_port", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234\r\n"), NULL, NULL},
    {"n_v1_more", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 443 \r\n"), NULL, NULL},
    {"n_v1_two_spaces", BYTES("PROXY TCP4  192.0.2.1 198.51.100.2 1234 443\r\n"), NULL, NULL},
    {"n_v1_family", BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 1234 443\r\n"), NULL, NULL},
    {"n_v1_octet", BYTES("PROXY TCP4 192.0.2.256 198.51.100.2 1234 443\r\n"), NULL, NULL},
    {"n_v1_nul", BYTES("PROXY TCP4 192.0.2.1\0.9 198.51.100.2 1234 443\r\n"), NULL, NULL},
    {"n_v1_protocol", BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 1234 443\r\n"), NULL, NULL},
    {"n_v1_bare_lf", BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 443\n"), NULL, NULL},
    {"n_v1_lower", BYTES("proxy TCP4 192.0.2.1 198.51.100.2 1234 443\r\n"), NULL, NULL},
    {"n_request", BYTES("GET / HTTP/1.1\r\n\r\n"), NULL, NULL},
    {"y_v2_tcp4", BYTES(SIGNATURE "\x21\x11\0\x0C" TCP4), "192.0.2.1:1234", "198.51.100.2:443"},
    {"y_v2_tcp6", BYTES(SIGNATURE "\x21\x21\0\x24" TCP6), "[2001:db8::1]:1234", "[2001:db8::2]:443"},
    {"y_v2_tlv", BYTES(SIGNATURE "\x21\x11\0\x11" TCP4 "\x04\0\2ab"), "192.0.2.1:1234", "198.51.100.2:443"},
    {"y_v2_local", BYTES(SIGNATURE "\x20\x11\0\x0C" TCP4), "", ""},
    {"y_v2_local_bare", BYTES(SIGNATURE "\x20\x00\0\0"), "", ""},
    {"y_v2_unspecified", BYTES(SIGNATURE "\x21\x00\0\3abc"), "", ""},
    {"n_v2_short", BYTES(SIGNATURE "\x21\x11\0\x0B" TCP4), NULL, NULL},
    {"n_v2_short_tcp6", BYTES(SIGNATURE "\x21\x21\0\x0C" TCP4), NULL, NULL},
    {"n_v2_version", BYTES(SIGNATURE "\x11\x11\0\x0C" TCP4), NULL, NULL},
    {"n_v2_command", BYTES(SIGNATURE "\x22\x11\0\x0C" TCP4), NULL, NULL},
    {"n_v2_datagrams", BYTES(SIGNATURE "\x21\x12\0\x0C" TCP4), NULL, NULL},
    {"n_v2_family", BYTES(SIGNATURE "\x21\x41\0\x0C" TCP4), NULL, NULL},
    {"n_v2_too_long", BYTES(SIGNATURE "\x21\x11\x02\x09" TCP4), NULL, NULL},
};

static void check_ip(const dg_ip *ip, const char *want)
{
    char text[DG_ADDRESS_TEXT_BYTES];
    if (!*want) {
        assert_int_equal(ip->any.sa_family, AF_UNSPEC);
        return;
    }
    dg_address_text(&ip->any, text);
    assert_string_equal(text, want);
}

static void headers_are_taken_whole_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dg_route route;
        size_t consumed = 0;
        char bytes[256];
        memcpy(bytes, cases[i].in.ptr, cases[i].in.len);
        memcpy(bytes + cases[i].in.len, "GET /", 5); /* what follows is left */
        dg_status status = dg_proxy_parse(dg_slice_of(bytes, cases[i].in.len + 5), &consumed, &route);
        if (!cases[i].from) {
            assert_true(status == DG_SYNTAX || status == DG_LIMIT);
            continue;
        }
        print_message("%s\n", cases[i].name);
        assert_int_equal(status, DG_OK);
        assert_int_equal(consumed, cases[i].in.len);
        check_ip(&route.from, cases[i].from);
        check_ip(&route.to, cases[i].to);
        for (size_t cut = 0; cut < cases[i].in.len; cut++)
            assert_int_equal(dg_proxy_parse(dg_slice_of(bytes, cut), &consumed, &route), DG_AGAIN);
    }
}

static void lines_without_an_end_are_bounded(void **state)
{
    (void)state;
    char line[200] = "PROXY UNKNOWN ";
    dg_route route;
    size_t consumed;
    memset(line + 14, 'x', sizeof line - 14);
    assert_int_equal(dg_proxy_parse(dg_slice_of(line, 106), &consumed, &route), DG_AGAIN);
    assert_int_equal(dg_proxy_parse(dg_slice_of(line, 107), &consumed, &route), DG_LIMIT);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(dg_proxy_parse(dg_slice_of(line, 200), &consumed, &route), DG_OK);
    assert_int_equal(consumed, 107);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dg_route route, again;
        size_t consumed;
        if (!cases[i].from || dg_proxy_parse(cases[i].in, &consumed, &route) != DG_OK)
            continue;
        for (unsigned version = 1; version <= 2; version++) {
            char out[DG_PROXY_WRITE_BYTES_MAX];
            size_t bytes = dg_proxy_write(version, &route, out);
            assert_int_equal(dg_proxy_parse(dg_slice_of(out, bytes), &consumed, &again), DG_OK);
            assert_int_equal(consumed, bytes);
            check_ip(&again.from, cases[i].from);
            check_ip(&again.to, cases[i].to);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_taken_whole_or_refused),
        cmocka_unit_test(lines_without_an_end_are_bounded),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
