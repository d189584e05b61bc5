/* Templates, and the tests that choose a case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transforms/pattern.h"
#include "transforms/program.h"
#include "transforms/whole/template.h"
#include "try_whole.h"

static const char order[] =
    "{\"id\": 12345678901234567890, \"user\": {\"name\": \"J\\u00f6 \\\"X\\\"\", \"e.mail\": null},"
    " \"items\": [{\"sku\": \"a\", \"n\": 1}, {\"n\": 2}, {\"sku\": [\"b\" ], \"n\": 3}],"
    " \"on\": true, \"deep\": { \"x\" : [ ] }}";

static void places_are_filled(void **state)
{
    (void)state;
    static const struct {
        const char *template, *out;
    } rows[] = {
        {"\"{id}\"", "12345678901234567890"},
        {"\"#{id}\"", "\"#12345678901234567890\""},
        {"{\"a\":\"{user.name}\",\"b\":\"Dear {user.name}!\"}",
         "{\"a\":\"J\\u00f6 \\\"X\\\"\",\"b\":\"Dear J\xC3\xB6 \\\"X\\\"!\"}"},
        {"{\"a\":\"{nothing}\",\"b\":[\"{nothing.at.all}\",\"x{nothing}\",1]}", "{\"b\":[1]}"},
        {"{\"a\":\"{user.e\\\\.mail}\",\"b\":\"<{user.e\\\\.mail}>\"}", "{\"a\":null}"},
        {"[\"{items[].sku}\",\"{items[].n}\"]", "[[\"a\",[\"b\" ]],[1,2,3]]"},
        {"\"{nothing[].x}\"", "[]"},
        {"\"{deep}\"", "{ \"x\" : [ ] }"},
        {"{\"all\":{\"it\":[\"{deep.x}\"]}}", "{\"all\":{\"it\":[[ ]]}}"},
        {"\"{nothing}\"", "null"},
        {"\"{on}\"", "true"},
        {"\"on={on} {{x} }\"", "\"on=true {x} }\""},
        {"\"{{id}\"", "\"{id}\""},
        {"\"\\u007bid}\"", "12345678901234567890"},
        {"[1.0,\"\\u0041\",{\"{id}\":null}]", "[1.0,\"\\u0041\",{\"{id}\":null}]"},
        {"\"{id\"", NULL},
        {"\"{id.}\"", NULL},
        {"\"{.id}\"", NULL},
        {"\"{items.n}\"", NULL},
        {"\"{user[].n}\"", NULL},
        {"\"x{deep}\"", NULL},
        {"\"x{items[].n}\"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const dg_op op = {.kind = DG_OP_TEMPLATE, .value = dg_slice_str(rows[i].template)};
        const dg_op *ops[] = {&op};
        whole_gives(ops, 1, order, rows[i].out);
    }
    const whole_row scalars[] = {
        {OP(TEMPLATE, .value = S("{\"v\":\"{}\"}")), "null", "{\"v\":null}"},
        {OP(TEMPLATE, .value = S("{\"v\":\"{}\"}")), "[ 1 ]", "{\"v\":[ 1 ]}"},
        {OP(TEMPLATE, .value = S("\"{[].a}\"")), "[{\"a\":1},{\"a\":2}]", "[1,2]"},
        {OP(TEMPLATE, .value = S("\"{[][]}\"")), "[[1],[2,3]]", "[1,2,3]"},
        {OP(TEMPLATE, .value = S("\"v{}\"")), "\"\\ud800\"", "\"v\\ud800\""},
    };
    whole_rows(ALL_OF(scalars));
}

static void faults_are_told(void **state)
{
    (void)state;
    static const char *const good[] = {"",       "a",      "{}", "{a}", "{a.b[].c}", "{[]}",
                                       "{[].a}", "{[][]}", "{{", "a}b", "{a\\.b\\}}"};
    static const char *const bad[] = {"{",   "x{a",    "{a..b}", "{a.}",
                                      "{.}", "{a[0]}", "{a[]b}", "{a\\}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(dg_template_fault(dg_slice_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(dg_template_fault(dg_slice_str(bad[i])));
}

/* ---- tests on values */

static bool holds(const dg_test *test, const char *in)
{
    dg_whole *whole;
    dg_whole_error error;
    dg_buf text;
    size_t which = 99;
    const dg_switch_case cases[] = {{.test = test}};
    const dg_op op = {.kind = DG_OP_SWITCH, .cases = cases, .case_count = 1};
    dg_buf_init(&text, 0);
    dg_buf_add_str(&text, in);
    size_t len = text.len;
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(&text, ' ');
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    assert_int_equal(dg_whole_switch(whole, &op, dg_slice_of(text.ptr, len), &which, &error),
                     DG_OK);
    dg_whole_free(whole);
    dg_buf_free(&text);
    assert_in_range(which, 0, 1);
    return which == 0;
}

#define ROOT             ((dg_path){NULL, 0})
#define TEST(kind_, ...) (&(const dg_test){.kind = DG_TEST_##kind_, __VA_ARGS__})

static void tests_hold_or_not(void **state)
{
    (void)state;
    dg_arena arena;
    dg_diags diags;
    const dg_pattern *pattern;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    assert_int_equal(
        dg_pattern_new(&arena, DG_SLICE("^a\xC3\xA9"), (dg_origin){0}, &diags, &pattern), DG_OK);
    const dg_path a = PATH(S("a")), each = PATH(S("a"), EACH, S("b"));
    const dg_test parts[] = {{.kind = DG_TEST_EXISTS, .path = a},
                             {.kind = DG_TEST_IS, .path = ROOT, .value = S("1")}};
    const struct {
        const dg_test *test;
        const char *in;
        bool holds;
    } rows[] = {
        {TEST(ALWAYS, .path = ROOT), "null", true},
        {TEST(EXISTS, .path = a), "{\"a\":null}", true},
        {TEST(EXISTS, .path = a), "{\"b\":1}", false},
        {TEST(EXISTS, .path = a), "[{\"a\":1}]", false},
        {TEST(EXISTS, .path = a), "7", false},
        {TEST(EXISTS, .path = ROOT), "null", true},
        {TEST(EXISTS, .path = each), "{\"a\":[1,{\"b\":2}]}", true},
        {TEST(EXISTS, .path = each), "{\"a\":{\"b\":2}}", false},
        {TEST(IS, .path = a, .value = S("\"x\"")), "{\"a\":\"\\u0078\"}", true},
        {TEST(IS, .path = a, .value = S("\"\\u0078\"")), "{\"a\":\"x\"}", true},
        {TEST(IS, .path = a, .value = S("\"x\"")), "{\"a\":\"xx\"}", false},
        {TEST(IS, .path = a, .value = S("1")), "{\"a\":1.0}", false},
        {TEST(IS, .path = a, .value = S("1")), "{}", false},
        {TEST(IS, .path = a, .value = S("null")), "{}", false},
        {TEST(IS, .path = each, .value = S("2")), "{\"a\":[{\"b\":1},{\"b\":2}]}", true},
        {TEST(IS, .path = ROOT, .value = S("{\"a\":[1,{}],\"b\":\"c\"}")),
         "{ \"b\": \"\\u0063\", \"a\" : [ 1, { } ] }", true},
        {TEST(IS, .path = ROOT, .value = S("{\"a\":1,\"b\":2}")), "{\"a\":1,\"a\":1}", false},
        {TEST(IS, .path = ROOT, .value = S("{\"a\":1,\"a\":1}")), "{\"a\":1,\"a\":1}", false},
        {TEST(IS, .path = ROOT, .value = S("{\"a\":1}")), "{\"a\":1,\"b\":2}", false},
        {TEST(IS, .path = ROOT, .value = S("[1,2]")), "[2,1]", false},
        {TEST(IS, .path = ROOT, .value = S("[]")), "{}", false},
        {TEST(KIND, .path = a, .value = S("object")), "{\"a\":{}}", true},
        {TEST(KIND, .path = a, .value = S("\"boolean\"")), "{\"a\":false}", true},
        {TEST(KIND, .path = a, .value = S("null")), "{\"a\":false}", false},
        {TEST(KIND, .path = a, .value = S("null")), "{}", false},
        {TEST(EMPTY, .path = a), "{}", true},
        {TEST(EMPTY, .path = a), "{\"a\":{ }}", true},
        {TEST(EMPTY, .path = a), "{\"a\":[0]}", false},
        {TEST(EMPTY, .path = a), "{\"a\":\"\"}", true},
        {TEST(EMPTY, .path = a), "{\"a\":0}", false},
        {TEST(EMPTY, .path = ROOT), "null", true},
        {TEST(MATCHES, .path = a, .pattern = pattern), "{\"a\":\"a\\u00e9b\"}", true},
        {TEST(MATCHES, .path = a, .pattern = pattern), "{\"a\":\"ae\"}", false},
        {TEST(MATCHES, .path = a, .pattern = pattern), "{\"a\":\"a\\u00e9\\ud800\"}", false},
        {TEST(MATCHES, .path = a, .pattern = pattern), "{\"a\":1}", false},
        {TEST(LESS, .path = a, .value = S("10")), "{\"a\":9.99e0}", true},
        {TEST(LESS, .path = a, .value = S("10")), "{\"a\":1e1}", false},
        {TEST(LESS, .path = a, .value = S("-1e400")), "{\"a\":-1e401}", true},
        {TEST(LESS, .path = a, .value = S("10")), "{\"a\":\"9\"}", false},
        {TEST(ALL, .parts = parts, .part_count = 2), "{\"a\":1}", false},
        {TEST(ANY, .parts = parts, .part_count = 2), "{\"a\":1}", true},
        {TEST(ANY, .parts = parts, .part_count = 2), "1", true},
        {TEST(ALL, .parts = parts, .part_count = 0), "1", true},
        {TEST(ANY, .parts = parts, .part_count = 0), "1", false},
        {TEST(NOT, .parts = parts, .part_count = 1), "1", true},
        {TEST(NOT, .parts = parts, .part_count = 1), "{\"a\":1}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (holds(rows[i].test, rows[i].in) != rows[i].holds)
            print_message("row %zu: %s\n", i, rows[i].in);
        assert_int_equal(holds(rows[i].test, rows[i].in), rows[i].holds);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void the_first_case_that_holds_is_taken(void **state)
{
    (void)state;
    const dg_switch_case cases[] = {{.test = TEST(EXISTS, .path = PATH(S("a")))},
                                    {.test = TEST(EXISTS, .path = PATH(S("b")))},
                                    {.test = TEST(KIND, .path = ROOT, .value = S("object"))}};
    const dg_op op = {.kind = DG_OP_SWITCH, .cases = cases, .case_count = 3};
    static const struct {
        char in[96];
        size_t which;
    } rows[] = {{"{\"b\":1,\"a\":1}", 0}, {"{\"b\":1}", 1}, {"{}", 2}, {"[]", 3}};
    dg_whole *whole;
    dg_whole_error error = {0};
    size_t which = 9;
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(dg_whole_switch(whole, &op, dg_slice_str(rows[i].in), &which, &error),
                         DG_OK);
        assert_int_equal(which, rows[i].which);
    }
    static const char twice[96] = "{\"b\":1,\"b\":2}";
    assert_int_equal(dg_whole_switch(whole, &op, dg_slice_str(twice), &which, &error), DG_INVALID);
    assert_ptr_equal(error.op, &op);
    assert_non_null(error.message);
    dg_whole_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(tests_hold_or_not),
        cmocka_unit_test(the_first_case_that_holds_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
