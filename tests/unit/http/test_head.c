#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/http/chars.h"
#include "proxy/http/head.h"

/* DG_SLICE for static tables. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

#define H    "Host: h.example\r\n"
#define END  "\r\n"
#define POST "POST /a HTTP/1.1\r\n" H

/* What a head means, or the status that refuses it. */
typedef struct verdict {
    unsigned refused; /* 0 = accepted */
    dg_framing framing;
    uint64_t length;
    bool keep_alive, expect, upgrade;
} verdict;

typedef struct example {
    const char *name;
    dg_slice bytes;
    verdict want;
} example;

#define REFUSED(status)                                                                            \
    {                                                                                              \
        status, DG_FRAMING_NONE, 0, false, false, false                                            \
    }
#define NO_BODY                                                                                    \
    {                                                                                              \
        0, DG_FRAMING_NONE, 0, true, false, false                                                  \
    }

static const example requests[] = {
    {"y_get", BYTES("GET / HTTP/1.1\r\n" H END), NO_BODY},
    {"y_empty_line_first", BYTES("\r\nGET / HTTP/1.1\r\n" H END), NO_BODY},
    {"y_minor_2_is_1", BYTES("GET / HTTP/1.2\r\n" H END), NO_BODY},
    {"y_unknown_method", BYTES("FROB / HTTP/1.1\r\n" H END), NO_BODY},
    {"y_options_asterisk", BYTES("OPTIONS * HTTP/1.1\r\n" H END), NO_BODY},
    {"y_absolute", BYTES("GET http://h.example/x?y HTTP/1.1\r\n" H END), NO_BODY},
    {"y_ipv6_host", BYTES("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"), NO_BODY},
    {"y_empty_value", BYTES("GET / HTTP/1.1\r\n" H "X:\r\n\r\n"), NO_BODY},
    {"y_only_blank_value", BYTES("GET / HTTP/1.1\r\n" H "X: \t \r\n\r\n"), NO_BODY},
    {"y_high_bytes_in_value", BYTES("GET / HTTP/1.1\r\n" H "X: \xc3\xa9\xff\r\n\r\n"), NO_BODY},
    {"y_every_tchar", BYTES("GET / HTTP/1.1\r\n" H "!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n"), NO_BODY},
    {"y_http10", BYTES("GET / HTTP/1.0\r\n\r\n"), {0, DG_FRAMING_NONE, 0, false, false, false}},
    {"y_http10_keep_alive", BYTES("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), NO_BODY},
    {"y_close",
     BYTES("GET / HTTP/1.1\r\n" H "Connection: x, CLOSE\r\n\r\n"),
     {0, DG_FRAMING_NONE, 0, false, false, false}},
    {"y_length",
     BYTES(POST "Content-Length: 7\r\n\r\n"),
     {0, DG_FRAMING_LENGTH, 7, true, false, false}},
    {"y_length_zeros",
     BYTES(POST "Content-Length: 0000010\r\n\r\n"),
     {0, DG_FRAMING_LENGTH, 10, true, false, false}},
    {"y_length_largest",
     BYTES(POST "Content-Length: 9223372036854775807\r\n\r\n"),
     {0, DG_FRAMING_LENGTH, INT64_MAX, true, false, false}},
    {"y_chunked",
     BYTES(POST "tRANSFER-eNCODING:\tcHuNkEd \r\n\r\n"),
     {0, DG_FRAMING_CHUNKED, 0, true, false, false}},
    {"y_expect",
     BYTES(POST "Content-Length: 7\r\nExpect: 100-Continue\r\n\r\n"),
     {0, DG_FRAMING_LENGTH, 7, true, true, false}},
    {"y_expect_in_10_ignored",
     BYTES("POST / HTTP/1.0\r\nContent-Length: 7\r\nExpect: x\r\n\r\n"),
     {0, DG_FRAMING_LENGTH, 7, false, false, false}},
    {"y_upgrade",
     BYTES("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
     {0, DG_FRAMING_NONE, 0, true, false, true}},
    {"y_upgrade_unnamed", BYTES("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n\r\n"), NO_BODY},

    {"n_second_empty_line", BYTES("\r\n\r\nGET / HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_leading_lf", BYTES("\nGET / HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_leading_space", BYTES(" GET / HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_lower_case_method", BYTES("get / HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_method_too_long", BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" H END),
     REFUSED(501)},
    {"n_connect", BYTES("CONNECT h.example:443 HTTP/1.1\r\n" H END), REFUSED(501)},
    {"n_trace", BYTES("TRACE / HTTP/1.1\r\n" H END), REFUSED(405)},
    {"n_tab_for_space", BYTES("GET\t/ HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_two_spaces", BYTES("GET /  HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_trailing_space", BYTES("GET / HTTP/1.1 \r\n" H END), REFUSED(400)},
    {"n_http09", BYTES("GET /\r\n\r\n"), REFUSED(400)},
    {"n_http2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), REFUSED(505)},
    {"n_minor_two_digits", BYTES("GET / HTTP/1.10\r\n" H END), REFUSED(505)},
    {"n_lower_case_http", BYTES("GET / http/1.1\r\n" H END), REFUSED(400)},
    {"n_other_protocol", BYTES("GET / ICY/1.1\r\n" H END), REFUSED(400)},
    {"n_tls", BYTES("\x16\x03\x01\x02\x00\x01"), REFUSED(400)},
    {"n_lf_after_request_line", BYTES("GET / HTTP/1.1\n" H END), REFUSED(400)},
    {"n_high_byte_in_target", BYTES("GET /\xff HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_broken_triplet", BYTES("GET /%zz HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_backslash", BYTES("GET /a\\b HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_fragment", BYTES("GET /a#b HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_asterisk_get", BYTES("GET * HTTP/1.1\r\n" H END), REFUSED(400)},
    {"n_no_host", BYTES("GET / HTTP/1.1\r\n\r\n"), REFUSED(400)},
    {"n_two_hosts", BYTES("GET / HTTP/1.1\r\n" H H END), REFUSED(400)},
    {"n_empty_host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), REFUSED(400)},
    {"n_host_userinfo", BYTES("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), REFUSED(400)},
    {"n_bad_host_in_10", BYTES("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), REFUSED(400)},
    {"n_space_before_colon", BYTES("GET / HTTP/1.1\r\n" H "X : v\r\n\r\n"), REFUSED(400)},
    {"n_empty_name", BYTES("GET / HTTP/1.1\r\n" H ": v\r\n\r\n"), REFUSED(400)},
    {"n_no_colon", BYTES("GET / HTTP/1.1\r\n" H "words\r\n\r\n"), REFUSED(400)},
    {"n_fold", BYTES("GET / HTTP/1.1\r\n" H "X: v\r\n w\r\n\r\n"), REFUSED(400)},
    {"n_fold_first", BYTES("GET / HTTP/1.1\r\n " H END), REFUSED(400)},
    {"n_nul_in_value", BYTES("GET / HTTP/1.1\r\n" H "X: v\0w\r\n\r\n"), REFUSED(400)},
    {"n_del_far_in_value",
     BYTES("GET / HTTP/1.1\r\n" H "X: 0123456789abcdef0123456789\x7f\r\n\r\n"), REFUSED(400)},
    {"n_bare_cr", BYTES("GET / HTTP/1.1\r\n" H "X: v\rw\r\n\r\n"), REFUSED(400)},
    {"n_bare_lf", BYTES("GET / HTTP/1.1\r\n" H "X: v\nY: w\r\n\r\n"), REFUSED(400)},
    {"n_cr_cr_lf", BYTES("GET / HTTP/1.1\r\n" H "X: v\r\r\n\r\n"), REFUSED(400)},
    {"n_end_by_lf", BYTES("GET / HTTP/1.1\r\n" H "\n"), REFUSED(400)},
    {"n_end_by_cr_cr_lf", BYTES("GET / HTTP/1.1\r\n" H "\r\r\n"), REFUSED(400)},
    {"n_length_and_coding", BYTES(POST "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n"),
     REFUSED(400)},
    {"n_equal_lengths", BYTES(POST "Content-Length: 7\r\nContent-Length: 7\r\n\r\n"), REFUSED(400)},
    {"n_length_list", BYTES(POST "Content-Length: 7, 7\r\n\r\n"), REFUSED(400)},
    {"n_length_empty", BYTES(POST "Content-Length:\r\n\r\n"), REFUSED(400)},
    {"n_length_plus", BYTES(POST "Content-Length: +7\r\n\r\n"), REFUSED(400)},
    {"n_length_2_63", BYTES(POST "Content-Length: 9223372036854775808\r\n\r\n"), REFUSED(400)},
    {"n_length_2_64_7", BYTES(POST "Content-Length: 18446744073709551623\r\n\r\n"), REFUSED(400)},
    {"n_two_codings", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"),
     REFUSED(400)},
    {"n_gzip_chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), REFUSED(501)},
    {"n_chunkedx", BYTES(POST "Transfer-Encoding: chunkedx\r\n\r\n"), REFUSED(501)},
    {"n_coding_empty", BYTES(POST "Transfer-Encoding:\r\n\r\n"), REFUSED(400)},
    {"n_coding_in_10", BYTES("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
     REFUSED(400)},
    {"n_underscore_length", BYTES(POST "Content_Length: 3\r\n\r\n"), REFUSED(400)},
    {"n_underscore_coding", BYTES(POST "TRANSFER_ENCODING: x\r\n\r\n"), REFUSED(400)},
    {"n_connection_names_coding",
     BYTES(POST "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n"),
     REFUSED(400)},
    {"n_expect_other", BYTES(POST "Expect: 200-maybe\r\n\r\n"), REFUSED(417)},
};

typedef struct answer {
    example as;
    dg_method method;
    bool upgrade_asked;
} answer;

#define OK "HTTP/1.1 200 OK\r\n"

static const answer responses[] = {
    {{"y_length",
      BYTES(OK "Content-Length: 7\r\n\r\n"),
      {0, DG_FRAMING_LENGTH, 7, true, false, false}},
     DG_METHOD_GET,
     false},
    {{"y_chunked",
      BYTES(OK "Transfer-Encoding: chunked\r\n\r\n"),
      {0, DG_FRAMING_CHUNKED, 0, true, false, false}},
     DG_METHOD_GET,
     false},
    {{"y_until_close", BYTES(OK END), {0, DG_FRAMING_UNTIL_CLOSE, 0, false, false, false}},
     DG_METHOD_GET,
     false},
    {{"y_no_reason", BYTES("HTTP/1.1 204 \r\n\r\n"), NO_BODY}, DG_METHOD_GET, false},
    {{"y_no_reason_no_space", BYTES("HTTP/1.1 204\r\n\r\n"), NO_BODY}, DG_METHOD_GET, false},
    {{"y_head", BYTES(OK "Content-Length: 7\r\n\r\n"), {0, DG_FRAMING_NONE, 7, true, false, false}},
     DG_METHOD_HEAD,
     false},
    {{"y_head_chunked", BYTES(OK "Transfer-Encoding: chunked\r\n\r\n"), NO_BODY},
     DG_METHOD_HEAD,
     false},
    {{"y_304",
      BYTES("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
      {0, DG_FRAMING_NONE, 7, true, false, false}},
     DG_METHOD_GET,
     false},
    {{"y_204_with_length_is_not_reused",
      BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n"),
      {0, DG_FRAMING_NONE, 10, false, false, false}},
     DG_METHOD_GET,
     false},
    {{"y_100", BYTES("HTTP/1.1 100 Continue\r\n\r\n"), NO_BODY}, DG_METHOD_POST, false},
    {{"y_101_asked",
      BYTES("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
      {0, DG_FRAMING_NONE, 0, true, false, true}},
     DG_METHOD_GET,
     true},
    {{"y_http10",
      BYTES("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"),
      {0, DG_FRAMING_LENGTH, 1, false, false, false}},
     DG_METHOD_GET,
     false},
    {{"n_101_unasked", BYTES("HTTP/1.1 101 Switching Protocols\r\n\r\n"), REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_204_chunked", BYTES("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
      REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_head_bad_length", BYTES(OK "Content-Length: 7x\r\n\r\n"), REFUSED(502)},
     DG_METHOD_HEAD,
     false},
    {{"n_both", BYTES(OK "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n"), REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_chunked_in_10", BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
      REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_099", BYTES("HTTP/1.1 099 Low\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_600", BYTES("HTTP/1.1 600 High\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_four_digits", BYTES("HTTP/1.1 2000 OK\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_one_digit", BYTES("HTTP/1.1 2 OK\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_no_status", BYTES("HTTP/1.1\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_http2", BYTES("HTTP/2.0 200 OK\r\n\r\n"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_html", BYTES("<html>"), REFUSED(502)}, DG_METHOD_GET, false},
    {{"n_bare_lf", BYTES("HTTP/1.1 200 OK\nContent-Length: 7\n\n"), REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_control_in_reason", BYTES("HTTP/1.1 200 O\x01K\r\n\r\n"), REFUSED(502)},
     DG_METHOD_GET,
     false},
    {{"n_empty_line_first", BYTES("\r\nHTTP/1.1 204 No\r\n\r\n"), REFUSED(502)},
     DG_METHOD_GET,
     false},
};

/* What is being parsed, and by which rules. */
typedef struct subject {
    const char *name;
    dg_slice bytes;
    const dg_head_limits *limits;
    bool request;
    dg_method method;
    bool upgrade_asked;
} subject;

static dg_status parse_prefix(const subject *s, size_t len, size_t *scan, dg_head *head,
                              size_t *consumed, dg_http_error *error)
{
    /* In memory of its own that ends with the bytes, so that a sanitizer sees a read beyond them.
     */
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, s->bytes.ptr, len);
    const dg_slice bytes = {copy, len};
    dg_status status = s->request ? dg_request_parse(bytes, scan, s->limits, head, consumed, error)
                                  : dg_response_parse(bytes, scan, s->limits, s->method,
                                                      s->upgrade_asked, head, consumed, error);
    free(copy);
    return status;
}

/* In `step` bytes at a time after the first `first`; the verdict comes with the last bytes at the
 * latest. */
static verdict judge(const subject *s, size_t first, size_t step, size_t *ret_consumed)
{
    static dg_head head;
    dg_http_error error = {0, NULL};
    size_t scan = 0;
    *ret_consumed = 0;
    for (size_t len = first;; len = len + step < s->bytes.len ? len + step : s->bytes.len) {
        dg_status status = parse_prefix(s, len, &scan, &head, ret_consumed, &error);
        if (status == DG_OK)
            return (verdict){0,
                             head.framing,
                             head.content_length,
                             head.keep_alive,
                             head.expect_continue,
                             head.upgrade};
        if (status != DG_AGAIN) {
            assert_non_null(error.reason);
            return (verdict)REFUSED(error.status);
        }
        if (len == s->bytes.len)
            return (verdict)REFUSED(1); /* undecided */
    }
}

static void same_verdict(const subject *s, verdict got, const verdict *want, const char *how)
{
    if (got.refused != want->refused || got.framing != want->framing ||
        got.length != want->length || got.keep_alive != want->keep_alive ||
        got.expect != want->expect || got.upgrade != want->upgrade)
        fail_msg("%s (%s): refused %u, framing %d, length %llu, keep-alive %d", s->name, how,
                 got.refused, (int)got.framing, (unsigned long long)got.length, got.keep_alive);
}

static void judge_all_ways(const subject *s, const verdict *want)
{
    size_t whole, consumed;
    same_verdict(s, judge(s, s->bytes.len, 1, &whole), want, "whole");
    assert_true(want->refused || whole == s->bytes.len);
    same_verdict(s, judge(s, 0, 1, &consumed), want, "byte by byte");
    assert_int_equal(consumed, whole);
    for (size_t at = 1; at < s->bytes.len; at++) {
        same_verdict(s, judge(s, at, s->bytes.len, &consumed), want, "split in two");
        assert_int_equal(consumed, whole);
    }
}

static void requests_have_one_verdict_however_they_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        const subject s = {requests[i].name, requests[i].bytes, NULL, true, DG_METHOD_OTHER, false};
        judge_all_ways(&s, &requests[i].want);
    }
}

static void responses_have_one_verdict_however_they_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(responses) / sizeof(*responses); i++) {
        const answer *a = &responses[i];
        const subject s = {a->as.name, a->as.bytes, NULL, false, a->method, a->upgrade_asked};
        judge_all_ways(&s, &a->as.want);
    }
}

static void limits_hold_at_their_edge(void **state)
{
    (void)state;
    const dg_slice head = DG_SLICE("GET /123456 HTTP/1.1\r\n" H "A: 1\r\nB: 2\r\n\r\n");
    const verdict accepted = NO_BODY;
    const struct {
        dg_head_limits limits;
        verdict want;
    } cases[] = {
        {{head.len, 7, 3}, accepted},
        {{head.len - 1, 7, 3}, REFUSED(431)},
        {{head.len, 6, 3}, REFUSED(414)},
        {{head.len, 7, 2}, REFUSED(431)},
        {{12, 100, 3}, REFUSED(414)},
        {{0, 0, 0}, accepted},
        {{SIZE_MAX, SIZE_MAX - 1, SIZE_MAX}, accepted},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const subject s = {"limits", head, &cases[i].limits, true, DG_METHOD_OTHER, false};
        judge_all_ways(&s, &cases[i].want);
    }
}

static void nonsense_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    const subject tls = {"tls", DG_SLICE("\x16"), NULL, true, DG_METHOD_OTHER, false};
    const subject html = {"html", DG_SLICE("<"), NULL, false, DG_METHOD_GET, false};
    const subject line = {"line", DG_SLICE("GET / HTTP/1.1\r\nbad line\r\n"), NULL, true, 0, false};
    size_t consumed;
    assert_int_equal(judge(&tls, 1, 1, &consumed).refused, 400);
    assert_int_equal(judge(&html, 1, 1, &consumed).refused, 502);
    assert_int_equal(judge(&line, 0, 1, &consumed).refused, 400);
}

static void fields_are_found_in_order(void **state)
{
    (void)state;
    static dg_head head;
    const dg_slice bytes =
        DG_SLICE("GET /p?q HTTP/1.1\r\nX-A: 1\r\n" H "VIA: a\r\nx-a:\t2 \r\nVia:b\r\n\r\nrest");
    size_t scan = 0, consumed = 0;
    dg_http_error error;
    assert_int_equal(dg_request_parse(bytes, &scan, NULL, &head, &consumed, &error), DG_OK);
    assert_int_equal(consumed, bytes.len - 4);
    assert_true(dg_slice_eq(head.method, DG_SLICE("GET")));
    assert_true(dg_slice_eq(head.target, DG_SLICE("/p?q")));
    assert_int_equal(head.method_id, DG_METHOD_GET);
    assert_int_equal(head.field_count, 5);
    const dg_field *via = dg_head_find(&head, DG_FIELD_VIA);
    assert_true(dg_slice_eq(via->value, DG_SLICE("a")));
    via = dg_head_next(&head, via);
    assert_true(dg_slice_eq(via->value, DG_SLICE("b")));
    assert_null(dg_head_next(&head, via));
    const dg_field *other = dg_head_find_name(&head, DG_SLICE("X-a"));
    assert_true(dg_slice_eq(other->value, DG_SLICE("1")));
    other = dg_head_next(&head, other);
    assert_true(dg_slice_eq(other->value, DG_SLICE("2")));
    assert_null(dg_head_next(&head, other));
    assert_null(dg_head_find_name(&head, DG_SLICE("X-B")));
    assert_ptr_equal(dg_head_find_name(&head, DG_SLICE("host")),
                     dg_head_find(&head, DG_FIELD_HOST));
    assert_int_equal(dg_head_value(&head, DG_FIELD_ETAG).len, 0);
}

static void tables_know_their_own_words(void **state)
{
    (void)state;
    for (unsigned id = 1; id < DG_FIELD_ID_COUNT; id++) {
        char text[32];
        const dg_slice name = dg_field_name((dg_field_id)id);
        assert_in_range(name.len, 2, sizeof(text));
        assert_int_equal(dg_field_id_of(name), id);
        for (size_t i = 0; i < name.len; i++)
            text[i] = i % 2 ? (char)(name.ptr[i] & ~0x20) : dg_ascii_lower(name.ptr[i]);
        for (size_t i = 0; i < name.len; i++)
            if (name.ptr[i] == '-' || (name.ptr[i] >= '0' && name.ptr[i] <= '9'))
                text[i] = name.ptr[i];
        assert_int_equal(dg_field_id_of(dg_slice_of(text, name.len)), id);
        text[name.len - 1] = '!';
        assert_int_equal(dg_field_id_of(dg_slice_of(text, name.len)), DG_FIELD_OTHER);
    }
    for (unsigned id = 1; id < DG_METHOD_COUNT; id++)
        assert_int_equal(dg_method_of(dg_method_name((dg_method)id)), id);
    assert_int_equal(dg_method_of(DG_SLICE("get")), DG_METHOD_OTHER);
    assert_true(dg_field_hop_by_hop(DG_FIELD_TE) && !dg_field_hop_by_hop(DG_FIELD_HOST));
    assert_true(dg_method_idempotent(DG_METHOD_PUT) && !dg_method_idempotent(DG_METHOD_POST));
    assert_true(dg_method_safe(DG_METHOD_GET) && !dg_method_safe(DG_METHOD_PUT));
    assert_true(dg_slice_eq(dg_reason_phrase(404), DG_SLICE("Not Found")));
    assert_true(dg_slice_eq(dg_reason_phrase(499), DG_SLICE("Client Error")));
    assert_int_equal(dg_reason_phrase(600).len, 0);
}

static bool in(const char *set, unsigned c)
{
    return c != 0 && c < 0x80 && strchr(set, (int)c) != NULL;
}

/* Spelled out from the grammars, against the numbers of the table. */
static void octets_are_of_their_classes(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z';
        const bool alnum = digit || lower || (c >= 'A' && c <= 'Z');
        const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const bool unreserved = alnum || in("-._~", c);
        const bool path = unreserved || in("!$&'()*+,;=:@/", c);
        const bool value = c == '\t' || (c >= 0x20 && c != 0x7f);
        const unsigned want =
            (alnum || in("!#$%&'*+-.^_`|~", c) ? DG_CHAR_TOKEN : 0u) | (path ? DG_CHAR_PATH : 0u) |
            (path || in("?[]", c) ? DG_CHAR_QUERY : 0u) | (unreserved ? DG_CHAR_UNRESERVED : 0u) |
            (hex ? DG_CHAR_HEX : 0u) | (value ? DG_CHAR_VALUE : 0u) | (digit ? DG_CHAR_DIGIT : 0u) |
            (lower ? DG_CHAR_LOWER : 0u);
        assert_int_equal(dg_chars[c], want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_one_verdict_however_they_arrive),
        cmocka_unit_test(responses_have_one_verdict_however_they_arrive),
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(nonsense_is_refused_at_its_first_byte),
        cmocka_unit_test(fields_are_found_in_order),
        cmocka_unit_test(tables_know_their_own_words),
        cmocka_unit_test(octets_are_of_their_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
