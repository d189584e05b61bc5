/* Header fields as documents, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/message/header.h"

#define FIELD(n, v)                                                                                \
    {                                                                                              \
        .name = {n, sizeof(n) - 1}, .value = { v, sizeof(v) - 1 }                                  \
    }

static const dg_field fields[] = {
    FIELD("X-A", "1"),        FIELD("Host", "h"),       FIELD("Content-Length", "5"),
    FIELD("x-a", "2"),        FIELD("X-Latin", "\xE9"), FIELD("X-Utf8", "\xC3\xA9"),
    FIELD("Connection", "x"), FIELD("ETag", "\"x\""),   FIELD("X-Out", "o"),
};
enum { COUNT = sizeof fields / sizeof *fields };

static bool is_out(const void *context, const dg_field *field)
{
    return dg_slice_ieq(field->name, dg_slice_str(context));
}

static bool is_reserved(const void *context, dg_slice name)
{
    (void)context;
    return dg_slice_ieq(name, DG_SLICE("x-ours"));
}

static const dg_header header = {fields, COUNT, is_out, "x-out", is_reserved};

static void fields_are_an_object_of_strings(void **state)
{
    (void)state;
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_header_document(&header, &out), DG_OK);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr,
                        "{\"x-a\":[\"1\",\"2\"],\"x-latin\":\"\xC3\xA9\",\"x-utf8\":\"\xC3\xA9\"}");
    dg_buf_free(&out);
}

/* The fates of the lines, a letter each (S, G, C), the values that changed, and what is added. */
static void check_plan(const char *object, const char *fates, const char *changed,
                       const char *added)
{
    dg_header_plan plan = {.text.ptr = NULL};
    const char *message = NULL;
    assert_int_equal(dg_header_rebuild(&header, dg_slice_str(object), &plan, &message), DG_OK);
    dg_buf values;
    dg_buf_init(&values, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal("SGC"[plan.lines[i].fate], fates[i]);
        if (plan.lines[i].fate == DG_LINE_CHANGES)
            dg_buf_add(&values, dg_header_value(&plan, i));
    }
    assert_true(dg_slice_eq(dg_buf_slice(&values), dg_slice_str(changed)));
    assert_true(dg_slice_eq(dg_buf_slice(&plan.added), dg_slice_str(added)));
    dg_buf_free(&values);
    dg_buf_free(&plan.text);
    dg_buf_free(&plan.added);
}

static void lines_stay_where_nothing_changed(void **state)
{
    (void)state;
    check_plan("{\"x-a\":[\"1\",\"2\"],\"x-latin\":\"\xC3\xA9\",\"x-utf8\":\"\xC3\xA9\"}",
               "SSSSSSSSS", "", "");
    check_plan("{\"x-a\":[\"1\",\"3\"],\"x-latin\":\"\xC3\xA9\"}", "SSSCSGSSS", "3", "");
    check_plan("{\"x-a\":\"1\",\"x-utf8\":5}", "SSSGGCSSS", "5", "");
    check_plan("{\"x-b\":[\"1\",true],\"x-c\":null}", "GSSGGGSSS", "", "x-b: 1\r\nx-b: true\r\n");
    check_plan("{\"x-a\":[\"1\",\"2\",\"3\"]}", "SSSSGGSSS", "", "x-a: 3\r\n");
    check_plan("", "GSSGGGSSS", "", "");
}

static void what_no_field_can_hold_is_refused(void **state)
{
    static const char *const objects[] = {"{\"x\":\"a\\r\\nb: c\"}",
                                          "{\"x\":\"\\u0000\"}",
                                          "{\"x\":\" a\"}",
                                          "{\"x\":{}}",
                                          "{\"X-A\":\"1\"}",
                                          "{\"x y\":\"1\"}",
                                          "{\"\":\"1\"}",
                                          "{\"via\":\"1\"}",
                                          "{\"content-length\":1}",
                                          "{\"x\\u000a\":1}",
                                          "[]",
                                          "{\"x\":[[1]]}",
                                          "{\"transfer-encoding\":\"chunked\"}",
                                          "{\"x-ours\":\"1\"}",
                                          "{\"x\":\"\\udfff\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        dg_header_plan plan = {.text.ptr = NULL};
        const char *message = NULL;
        assert_int_equal(dg_header_rebuild(&header, dg_slice_str(objects[i]), &plan, &message),
                         DG_INVALID);
        assert_non_null(message);
        dg_buf_free(&plan.text);
        dg_buf_free(&plan.added);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_an_object_of_strings),
        cmocka_unit_test(lines_stay_where_nothing_changed),
        cmocka_unit_test(what_no_field_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
