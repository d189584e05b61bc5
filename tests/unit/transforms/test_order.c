/* Members in any order: what a runner has learned from the messages before changes nothing. One
 * that has seen them all agrees with one that has seen none, on result, refusal and place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

enum { NAMES_MAX = 700, MEMBERS_MAX = 60, MESSAGES = 600 };

static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void put_object(dg_buf *out, uint32_t names, bool spaced, unsigned depth);

static void put_value(dg_buf *out, uint32_t names, bool spaced, unsigned depth)
{
    static const char *const scalars[] = {
        "\"a string\"",   "\"one that is longer than a block of 32 bytes\"",
        "\"\\u00e9\\n\"", "0",
        "12.50",          "-1e3",
        "true",           "false",
        "null",           "\"on\"",
        "\"off\"",        "[1,2]"};
    uint32_t which = below(14);
    if (which >= 12 && depth < 3)
        put_object(out, names, spaced, depth + 1);
    else
        dg_buf_add_str(out, scalars[which % 12]);
}

/* Names from n0 on, most of them in their order as a rule; spelled with an escape now and then. */
static void put_object(dg_buf *out, uint32_t names, bool spaced, unsigned depth)
{
    const char *gap = spaced ? ",\n  " : ",", *colon = spaced ? ": " : ":";
    uint32_t style = below(4), start = below(names), count = below(MEMBERS_MAX);
    dg_buf_add_str(out, spaced ? "{\n  " : "{");
    for (uint32_t i = 0; i < count && i < names; i++) {
        if (style == 1 && below(4) == 0)
            continue;
        uint32_t n = style < 2 ? i : style == 2 ? (start + i * 7) % names : below(names);
        if (out->ptr[out->len - 1] != '{' && out->ptr[out->len - 1] != ' ')
            dg_buf_add_str(out, below(50) ? gap : " , ");
        dg_buf_printf(out, n % 3 ? "\"member_%u\"%s" : "\"%u_in_a_name_that_is_long\"%s", n,
                      below(50) ? colon : " :\t");
        put_value(out, names, spaced, depth);
    }
    dg_buf_add_str(out, spaced ? "\n}" : "}");
}

static dg_status run_once(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out,
                          dg_run_error *error)
{
    dg_buf_clear(out);
    *error = (dg_run_error){0};
    return dg_run(runner, program, in, out, error);
}

static void agrees(dg_runner *learned, const dg_program *program, const dg_buf *text, size_t len)
{
    dg_runner *fresh;
    dg_buf got, expected;
    dg_run_error error, expected_error;
    dg_slice in = dg_slice_of(text->ptr, len);
    dg_buf_init(&got, 0);
    dg_buf_init(&expected, 0);
    assert_int_equal(dg_runner_new(&fresh), DG_OK);
    dg_status status = run_once(fresh, program, in, &expected, &expected_error);
    assert_int_equal(run_once(learned, program, in, &got, &error), status);
    assert_true(dg_slice_eq(dg_buf_slice(&got), dg_buf_slice(&expected)));
    if (status != DG_OK) {
        assert_int_equal(error.offset, expected_error.offset);
        /* What a text lacks at its end is said in several ways. */
        if (error.offset < len) {
            assert_string_equal(error.message, expected_error.message);
            assert_string_equal(error.pointer, expected_error.pointer);
        }
    }
    dg_buf_free(&got);
    dg_buf_free(&expected);
    dg_runner_free(fresh);
}

static void try_names(const dg_ops *list, uint32_t names)
{
    dg_program *program = compile(list);
    dg_runner *learned;
    assert_int_equal(dg_runner_new(&learned), DG_OK);
    for (unsigned i = 0; i < MESSAGES; i++) {
        dg_buf text;
        dg_buf_init(&text, 0);
        random_state = names * 1000003u + i;
        /* Long runs of one style of spacing, and of order within it. */
        put_object(&text, names, i / 100 % 2, 0);
        size_t len = text.len;
        for (int k = 0; k < DG_JSON_PADDING; k++)
            dg_buf_add_char(&text, "\":,}]1\\ "[k % 8]);
        assert_int_equal(text.status, DG_OK);
        agrees(learned, program, &text, len);
        agrees(learned, program, &text, below((uint32_t)len));
        dg_buf_free(&text);
    }
    dg_runner_free(learned);
    dg_program_free(program);
}

static const dg_value_pair pairs[] = {
    {S("\"on\""), S("true")}, {S("\"off\""), S("false")}, {S("0"), S("\"none\"")}};
static const dg_op value_ops[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
static const dg_ops value_list = LIST(value_ops);
static const dg_op ops[] = {DROP("member_4"),
                            RENAME("member_5", "a_name_that_is_longer_than_it_was"),
                            RENAME("member_7", "m"),
                            IN("member_8", &value_list),
                            DROP_EMPTY("member_10"),
                            DEFAULT("member_11", "[]"),
                            CAMEL};
static const dg_ops list = LIST(ops);

static void a_dozen_names(void **state)
{
    (void)state;
    try_names(&list, 13);
}

static void more_names_than_a_cache_holds(void **state)
{
    (void)state;
    try_names(&list, NAMES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dozen_names),
        cmocka_unit_test(more_names_than_a_cache_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
