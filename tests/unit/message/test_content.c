/* Content in its formats, and JSON text that is walked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/message/content.h"
#include "proxy/message/json.h"

static void check_read(dg_format format, const char *content, const char *json)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    const char *message = NULL;
    dg_status status = dg_content_read(format, dg_slice_str(content), &out, &message);
    assert_int_equal(status, json ? DG_OK : DG_SYNTAX);
    assert_true(json ? dg_slice_eq(dg_buf_slice(&out), dg_slice_str(json)) : message != NULL);
    dg_buf_free(&out);
}

static void check_write(dg_format format, const char *json, const char *came, const char *content)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    const char *message = NULL;
    dg_status status =
        dg_content_write(format, dg_slice_str(json), dg_slice_str(came), &out, &message);
    assert_int_equal(status, content ? DG_OK : DG_INVALID);
    assert_true(content ? dg_slice_eq(dg_buf_slice(&out), dg_slice_str(content)) : message != NULL);
    dg_buf_free(&out);
}

static void formats_are_read_as_json(void **state)
{
    (void)state;
    check_read(DG_FORMAT_TEXT, "a\"\n", "\"a\\\"\\u000a\"");
    check_read(DG_FORMAT_TEXT, "\xFF", NULL);
    check_read(DG_FORMAT_FORM, "a=1&b=x+y", "{\"a\":\"1\",\"b\":\"x y\"}");
    check_read(DG_FORMAT_FORM, "a=%", NULL);
    check_read(DG_FORMAT_JSON, " {\"a\" : 1} ", " {\"a\" : 1} ");
    check_read(DG_FORMAT_NONE, "", "null");
}

/* It is put into a document, and must not end before its end. */
static void json_that_is_not_one_value_is_refused(void **state)
{
    static const char *const texts[] = {
        "", " ", "1,2", "{},\"path\":{}", "1}", "]", "\"a\",\"b\"", "1 2", "{}{}", ",", ":"};
    static const char *const ones[] = {"1", " \"a,b}\" ", "{\"a\":[1,{\"b\":\"]\\\"\"}]}", "[]",
                                       "null\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_read(DG_FORMAT_JSON, texts[i], NULL);
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        check_read(DG_FORMAT_JSON, ones[i], ones[i]);
}

static void formats_are_written_from_json(void **state)
{
    (void)state;
    check_write(DG_FORMAT_TEXT, " \"a\\nb\" ", "", "a\nb");
    check_write(DG_FORMAT_TEXT, "5", "", NULL);
    check_write(DG_FORMAT_TEXT, "\"\\ud800\"", "", NULL);
    check_write(DG_FORMAT_FORM, "{\"a\":\"A\",\"b\":[1,2]}", "a=%41", "a=%41&b=1&b=2");
    check_write(DG_FORMAT_FORM, "[1]", "", NULL);
    check_write(DG_FORMAT_FORM, "{\"a\":{}}", "", NULL);
    check_write(DG_FORMAT_JSON, " {} ", "", " {} ");
    check_write(DG_FORMAT_NONE, "{}", "", "");
}

static void formats_go_by_their_media_type(void **state)
{
    (void)state;
    assert_true(dg_content_is(DG_FORMAT_JSON, DG_SLICE("application/problem+json")));
    assert_true(dg_content_is(DG_FORMAT_TEXT, DG_SLICE("Text/plain; charset=utf-8")));
    assert_true(dg_content_is(DG_FORMAT_FORM, DG_SLICE("application/x-www-form-urlencoded")));
    assert_false(dg_content_is(DG_FORMAT_FORM, DG_SLICE("application/json")));
    assert_false(dg_content_is(DG_FORMAT_TEXT, DG_SLICE("application/json")));
    assert_false(dg_content_is(DG_FORMAT_NONE, DG_SLICE("text/plain")));
    for (dg_format f = DG_FORMAT_JSON; f < DG_FORMAT_NONE; f++)
        assert_true(dg_content_is(f, dg_content_type(f)));
}

static void json_is_walked(void **state)
{
    (void)state;
    dg_slice text = DG_SLICE(" { \"a\" : [1, \"]\" , {}] , \"b\":null,\"c\":\"\\\"\" } "), name,
             value;
    dg_json_walk walk = dg_json_walk_of(text), elements;
    assert_true(dg_json_next_member(&walk, &name, &value));
    assert_true(dg_slice_eq(name, DG_SLICE("a")) &&
                dg_slice_eq(value, DG_SLICE("[1, \"]\" , {}]")));
    elements = dg_json_walk_of(value);
    const char *const expected[] = {"1", "\"]\"", "{}"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(dg_json_next_element(&elements, &value));
        assert_true(dg_slice_eq(value, dg_slice_str(expected[i])));
    }
    assert_false(dg_json_next_element(&elements, &value));
    assert_true(dg_json_next_member(&walk, &name, &value));
    assert_true(dg_slice_eq(value, DG_SLICE("null")));
    assert_true(dg_json_next_member(&walk, &name, &value));
    assert_true(dg_slice_eq(value, DG_SLICE("\"\\\"\"")));
    assert_false(dg_json_next_member(&walk, &name, &value));
    assert_int_equal(dg_json_member(dg_slice_from(text, 1), DG_SLICE("x")).len, 0);
    walk = dg_json_walk_of(DG_SLICE("5"));
    assert_false(dg_json_next_element(&walk, &value));
    assert_true(dg_is_utf8(DG_SLICE("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")));
    assert_false(dg_is_utf8(DG_SLICE("\xC0\x80")) || dg_is_utf8(DG_SLICE("\xED\xA0\x80")) ||
                 dg_is_utf8(DG_SLICE("\xE2\x82")) || dg_is_utf8(DG_SLICE("\x80")) ||
                 dg_is_utf8(DG_SLICE("\x99\x99\x99\x99\x99\x99\x99\x99\x99\x99\x99\x99")) ||
                 dg_is_utf8(DG_SLICE("\xF4\x90\x80\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_read_as_json),
        cmocka_unit_test(json_that_is_not_one_value_is_refused),
        cmocka_unit_test(formats_are_written_from_json),
        cmocka_unit_test(formats_go_by_their_media_type),
        cmocka_unit_test(json_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
