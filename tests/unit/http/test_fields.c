#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proxy/http/fields.h"

/* The head of a response with these field lines. Valid until the next call. */
static const dg_head *head_of(const char *lines)
{
    static dg_head head;
    static char bytes[1024];
    int len = snprintf(bytes, sizeof(bytes), "HTTP/1.1 200 OK\r\n%s\r\n", lines);
    assert_in_range(len, 1, sizeof(bytes) - 1);
    size_t scan = 0, consumed;
    dg_http_error error;
    assert_int_equal(dg_response_parse(dg_slice_of(bytes, (size_t)len), &scan, NULL, DG_METHOD_GET,
                                       false, &head, &consumed, &error),
                     DG_OK);
    return &head;
}

static void lists_come_apart(void **state)
{
    (void)state;
    const struct {
        const char *lines, *want; /* members, joined with "|" */
    } cases[] = {
        {"", ""},
        {"Vary:\r\n", ""},
        {"Vary: a\r\n", "a"},
        {"Vary: a, b\t,,c ,\r\n", "a|b|c"},
        {"Vary: a\r\nX: no\r\nVary:\r\nVary: b,c\r\n", "a|b|c"},
        {"Vary: \"a,b\", c\"d,\\\"e,f\" ,g\r\n", "\"a,b\"|c\"d,\\\"e,f\"|g"},
        {"Vary: \"open, b\r\n", "\"open, b"},
        {"Vary: <http://h/a,b>; rel=x, <c>;d=\"e,f\"\r\n", "<http://h/a,b>; rel=x|<c>;d=\"e,f\""},
        {"Vary: <open, b\r\n", "<open, b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        dg_buf got;
        dg_buf_init(&got, 0);
        dg_list list = dg_list_of_field(head_of(cases[i].lines), DG_FIELD_VARY);
        dg_slice member;
        while (dg_list_next(&list, &member)) {
            if (got.len)
                dg_buf_add_char(&got, '|');
            dg_buf_add(&got, member);
        }
        if (!dg_slice_eq(dg_buf_slice(&got), dg_slice_str(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].lines, DG_SLICE_FMT(dg_buf_slice(&got)));
        dg_buf_free(&got);
    }
}

static void parameters_come_apart(void **state)
{
    (void)state;
    dg_slice rest = DG_SLICE("; a ; b = c;d=\"e;\\\"f\" ;; g=;h=\"open");
    const struct {
        const char *name, *value;
        bool has_value;
    } want[] = {{"a", "", false},
                {"b", "c", true},
                {"d", "e;\\\"f", true},
                {"g", "", true},
                {"h", "open", true}};
    dg_param param;
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        assert_true(dg_param_next(&rest, ';', &param));
        assert_true(dg_slice_eq(param.name, dg_slice_str(want[i].name)));
        assert_true(dg_slice_eq(param.value, dg_slice_str(want[i].value)));
        assert_int_equal(param.has_value, want[i].has_value);
    }
    assert_false(dg_param_next(&rest, ';', &param));
}

static void json_is_told_by_its_media_type(void **state)
{
    (void)state;
    const struct {
        const char *value;
        dg_json_kind kind;
    } cases[] = {
        {"application/json", DG_JSON_YES},
        {"Application/JSON; Charset=\"UTF-8\"", DG_JSON_YES},
        {"text/json;charset=us-ascii", DG_JSON_YES},
        {"application/vnd.a.v1+json; v=1", DG_JSON_YES},
        {"application/problem+JSON", DG_JSON_YES},
        {"application/json, text/html", DG_JSON_YES},
        {"application/json garbage; charset=utf-8", DG_JSON_YES},
        {"application/json; charset=iso-8859-1", DG_JSON_CHARSET},
        {"application/json; charset=utf-8; charset=utf-16", DG_JSON_CHARSET},
        {"application/jsonx", DG_JSON_NO},
        {"application/x-ndjson", DG_JSON_NO},
        {"image/json", DG_JSON_NO},
        {"text/html; x=application/json", DG_JSON_NO},
        {"json", DG_JSON_NO},
        {"application/", DG_JSON_NO},
        {"", DG_JSON_NO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (dg_media_type_json(dg_slice_str(cases[i].value)) != cases[i].kind)
            fail_msg("%s", cases[i].value);
    assert_int_equal(dg_head_json(head_of("")), DG_JSON_NO);
    assert_true(dg_head_has_one_type(head_of("Content-Type: text/plain; a=\"x, y\"\r\n")));
    assert_false(dg_head_has_one_type(head_of("")));
    assert_false(dg_head_has_one_type(head_of("Content-Type:\r\n")));
    assert_false(dg_head_has_one_type(head_of("Content-Type: json\r\n")));
    assert_false(dg_head_has_one_type(head_of("Content-Type: text/plain; a=b, text/json\r\n")));
    assert_false(dg_head_has_one_type(head_of("Content-Type: text/plain\r\nContent-Type: text/plain\r\n")));
    assert_int_equal(dg_head_json(head_of("Content-Type: text/json\r\n")), DG_JSON_YES);
    assert_int_equal(
        dg_head_json(head_of("Content-Type: text/html\r\nContent-Type: text/json\r\n")),
        DG_JSON_CHARSET);
    dg_media_type type;
    assert_int_equal(dg_media_type_parse(DG_SLICE(" a/b+c ; d=e"), &type), DG_OK);
    assert_true(dg_slice_eq(type.type, DG_SLICE("a")) &&
                dg_slice_eq(type.subtype, DG_SLICE("b+c")));
    assert_true(dg_slice_eq(type.params, DG_SLICE("; d=e")));
    const char *bad[] = {"", "a", "a/", "/b", "a/b c", "a/b, c/d"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(dg_media_type_parse(dg_slice_str(bad[i]), &type), DG_SYNTAX);
}

static void connection_options_are_dropped(void **state)
{
    (void)state;
    const dg_head *head =
        head_of("Connection: x-hop, Host, content-type\r\nConnection: close\r\n"
                "X-Hop: 1\r\nX-Keep: 1\r\nHost: h\r\nContent-Type: a/b\r\nTE: x\r\n");
    const struct {
        const char *name;
        bool named, dropped;
    } cases[] = {{"X-Hop", true, true}, {"X-Keep", false, false},
                 {"Host", true, false}, {"Content-Type", true, false},
                 {"TE", false, true},   {"Connection", false, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const dg_slice name = dg_slice_str(cases[i].name);
        assert_int_equal(dg_connection_names(head, name), cases[i].named);
        assert_int_equal(dg_field_is_dropped(head, dg_head_find_name(head, name)),
                         cases[i].dropped);
    }
    assert_true(dg_connection_names(head, DG_SLICE("CLOSE")));
}

static void codings_and_directives_are_read(void **state)
{
    (void)state;
    const dg_head *head = head_of("Cache-Control: max-age=1, private=\"a, no-store\"\r\n"
                                  "Cache-Control: No-Transform\r\n");
    assert_true(dg_head_cache_control(head, DG_SLICE("no-transform")));
    assert_true(dg_head_cache_control(head, DG_SLICE("private")));
    assert_false(dg_head_cache_control(head, DG_SLICE("no-store")));
    const struct {
        const char *lines, *coding;
        unsigned weight;
    } cases[] = {
        {"", "gzip", 0},
        {"", "identity", 1000},
        {"Accept-Encoding:\r\n", "identity", 1000},
        {"Accept-Encoding: gzip, br;q=0.5\r\n", "GZIP", 1000},
        {"Accept-Encoding: gzip\r\nAccept-Encoding: br ; Q=0.525\r\n", "br", 525},
        {"Accept-Encoding: gzip\r\n", "zstd", 0},
        {"Accept-Encoding: gzip\r\n", "identity", 1},
        {"Accept-Encoding: gzip, identity;q=0\r\n", "identity", 0},
        {"Accept-Encoding: gzip, *;q=0\r\n", "identity", 0},
        {"Accept-Encoding: *;q=0.3, gzip;q=1.000\r\n", "br", 300},
        {"Accept-Encoding: gzip;q=1.001\r\n", "gzip", 0},
        {"Accept-Encoding: gzip;q=-1\r\n", "gzip", 0},
        {"Accept-Encoding: gzip;q=0.1234\r\n", "gzip", 0},
        {"Accept-Encoding: gzip;q=\r\n", "gzip", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (dg_head_accepts_coding(head_of(cases[i].lines), dg_slice_str(cases[i].coding)) !=
            cases[i].weight)
            fail_msg("%s %s", cases[i].lines, cases[i].coding);
}

static void via_names_its_receivers(void **state)
{
    (void)state;
    const dg_head *head =
        head_of("Via: 1.0 fred, 1.1 p.example:80 (dragoman, a)\r\nVia: HTTP/1.1\tDragoman\r\n");
    assert_true(dg_head_via_has(head, DG_SLICE("fred")));
    assert_true(dg_head_via_has(head, DG_SLICE("p.example:80")));
    assert_true(dg_head_via_has(head, DG_SLICE("dragoman")));
    assert_false(dg_head_via_has(head, DG_SLICE("1.1")));
    assert_false(dg_head_via_has(head_of("Via: 1.1 other (dragoman)\r\n"), DG_SLICE("dragoman")));
    assert_false(dg_head_via_has(head_of("Via: dragoman\r\n"), DG_SLICE("dragoman")));
}

static void own_fields_can_be_checked(void **state)
{
    (void)state;
    assert_true(dg_is_token(DG_SLICE("X-A")) && !dg_is_token(DG_SLICE("")) &&
                !dg_is_token(DG_SLICE("a b")));
    assert_true(dg_is_field_value(DG_SLICE("a\t\xff")) && dg_is_field_value(DG_SLICE("")));
    assert_false(dg_is_field_value(DG_SLICE("a\r\nb")) || dg_is_field_value(DG_SLICE("\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_apart),
        cmocka_unit_test(parameters_come_apart),
        cmocka_unit_test(json_is_told_by_its_media_type),
        cmocka_unit_test(connection_options_are_dropped),
        cmocka_unit_test(codings_and_directives_are_read),
        cmocka_unit_test(via_names_its_receivers),
        cmocka_unit_test(own_fields_can_be_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
