/* Queries and forms as documents, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/message/query.h"

static bool is_version(const void *context, dg_slice raw_name)
{
    return dg_slice_eq(raw_name, dg_slice_str(context));
}

static const dg_query_rest rest = {is_version, "v"};

static void check_document(const char *query, const char *expected)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_query_document(dg_slice_str(query), &rest, &out), DG_OK);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected);
    dg_buf_free(&out);
}

static void queries_are_objects_of_strings(void **state)
{
    (void)state;
    check_document("", "{}");
    check_document("a=1&b=%20+%2B", "{\"a\":\"1\",\"b\":\"  +\"}");
    check_document("t=a&x=&t=b&t", "{\"t\":[\"a\",\"b\",\"\"],\"x\":\"\"}");
    check_document("=", "{\"\":\"\"}");
    check_document("&&a=b=c&", "{\"a\":\"b=c\"}");
    check_document("v=v1&a=1&v=v2", "{\"a\":\"1\"}");
    check_document("%61=1&a=2", "{\"a\":[\"1\",\"2\"]}");
    check_document("a=%22%5C%0A&%C3%A9=%F0%9F%98%80",
                   "{\"a\":\"\\\"\\\\\\u000a\",\"\xC3\xA9\":\"\xF0\x9F\x98\x80\"}");
    check_document("items[0][id]=7", "{\"items[0][id]\":\"7\"}");
}

static void what_is_no_utf8_is_refused(void **state)
{
    static const char *const queries[] = {"a=%",    "a=%f",        "a=%zz",
                                          "%ff=1",  "a=%C3",       "a=%C0%80",
                                          "a=\xFF", "a=%ED%A0%80", "a=%F5%80%80%80"};
    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        dg_buf_add_str(&out, "x");
        assert_int_equal(dg_query_document(dg_slice_str(queries[i]), NULL, &out), DG_SYNTAX);
        assert_int_equal(out.len, 1);
        dg_buf_free(&out);
    }
}

static void too_many_parameters_are_refused(void **state)
{
    (void)state;
    dg_buf query, out;
    dg_buf_init(&query, 0);
    dg_buf_init(&out, 0);
    for (int i = 0; i < DG_QUERY_PARAMS_MAX; i++)
        dg_buf_add_str(&query, "a&");
    assert_int_equal(dg_query_document(dg_buf_slice(&query), NULL, &out), DG_OK);
    dg_buf_add_str(&query, "a");
    assert_int_equal(dg_query_document(dg_buf_slice(&query), NULL, &out), DG_LIMIT);
    dg_buf_free(&query);
    dg_buf_free(&out);
}

static void check_rebuilt(const char *query, const char *object, const char *expected)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    const char *message = NULL;
    assert_int_equal(
        dg_query_rebuild(dg_slice_str(query), &rest, dg_slice_str(object), &out, &message), DG_OK);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected);
    dg_buf_free(&out);
}

static void what_did_not_change_keeps_its_bytes_and_place(void **state)
{
    (void)state;
    check_rebuilt("a=%41+x&b", "{\"a\":\"A x\",\"b\":\"\"}", "a=%41+x&b");
    check_rebuilt("a=%41&b=2", "{\"a\":\"A\",\"b\":\"3\"}", "a=%41&b=3");
    check_rebuilt("a=1&b=2&c=3", "{\"a\":\"1\",\"z\":\"2\",\"c\":\"3\"}", "a=1&z=2&c=3");
    check_rebuilt("a=1&b=2", "{\"z\":\"1\",\"b\":\"2\"}", "z=1&b=2");
    check_rebuilt("t=1&x=%20&t=3", "{\"t\":[\"1\",\"3\"],\"x\":\" \"}", "t=1&x=%20&t=3");
    check_rebuilt("t=1&x=2&t=3", "{\"t\":[\"1\",\"4\",\"5\"],\"x\":\"2\"}", "t=1&x=2&t=4&t=5");
    check_rebuilt("t=1&x=2&t=3", "{\"t\":\"1\",\"x\":\"2\"}", "t=1&x=2");
    check_rebuilt("v=v1&a=1", "{\"b\":\"2\"}", "b=2&v=v1");
    check_rebuilt("a=1", "{}", "");
    check_rebuilt("a=1", "", "");
    check_rebuilt("", "{\"a\":5,\"b\":true,\"c\":null,\"d\":[],\"e\":[1.50]}", "a=5&b=true&e=1.50");
    check_rebuilt("", "{ \"a&=\" : \"x y&+#%\\u00e9/\" } ", "a%26%3D=x%20y%26%2B%23%25%C3%A9/");
}

static void what_no_query_can_hold_is_refused(void **state)
{
    static const char *const objects[] = {
        "{\"a\":{}}", "{\"a\":[[]]}",        "{\"a\":[null]}", "[]",
        "\"x\"",      "{\"a\":\"\\ud800\"}", "{\"\\udc00\":1}"};
    (void)state;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        const char *message = NULL;
        assert_int_equal(
            dg_query_rebuild(DG_SLICE("a=1"), NULL, dg_slice_str(objects[i]), &out, &message),
            DG_INVALID);
        assert_non_null(message);
        assert_int_equal(out.len, 0);
        dg_buf_free(&out);
    }
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* Without the empty parameters. */
static void add_bare(dg_slice query, dg_buf *out)
{
    while (query.len) {
        size_t end = dg_slice_find(query, '&');
        if (end && out->len)
            dg_buf_add_char(out, '&');
        dg_buf_add(out, dg_slice_until(query, end));
        query = dg_slice_from(query, end + 1);
    }
}

/* What comes of a query and its own document is the query, but for empty parameters. */
static void there_and_back_is_the_same(void **state)
{
    static const char alphabet[] = "aab=&&+%%254C3A9v;[]/?.";
    unsigned seed = 7, good = 0;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char query[16];
        size_t len = next_random(&seed) % sizeof query;
        for (size_t i = 0; i < len; i++)
            query[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        dg_buf object, out, expected;
        dg_buf_init(&object, 0);
        dg_buf_init(&out, 0);
        dg_buf_init(&expected, 0);
        const char *message = NULL;
        dg_slice text = dg_slice_of(query, len);
        if (dg_query_document(text, &rest, &object) == DG_OK) {
            assert_int_equal(dg_query_rebuild(text, &rest, dg_buf_slice(&object), &out, &message),
                             DG_OK);
            add_bare(text, &expected);
            assert_true(dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&expected)));
            good++;
        }
        dg_buf_free(&object);
        dg_buf_free(&out);
        dg_buf_free(&expected);
    }
    assert_true(good > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_are_objects_of_strings),
        cmocka_unit_test(what_is_no_utf8_is_refused),
        cmocka_unit_test(too_many_parameters_are_refused),
        cmocka_unit_test(what_did_not_change_keeps_its_bytes_and_place),
        cmocka_unit_test(what_no_query_can_hold_is_refused),
        cmocka_unit_test(there_and_back_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
