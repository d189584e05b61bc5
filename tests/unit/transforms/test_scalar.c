/* Casts and replacements of scalars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "transforms/scalar/cast.h"
#include "transforms/pattern.h"
#include "transforms/scalar/scalar.h"

typedef struct cast_row {
    dg_cast from, to;
    const char *in, *out; /* NULL: refused */
    bool lossy;
} cast_row;

static dg_status run(const dg_op *op, const char *in, dg_buf *out, const char **message)
{
    dg_buf_clear(out);
    return dg_scalar_apply(op, NULL, dg_slice_str(in), out, message);
}

static void expect(const dg_op *op, const char *in, const char *want)
{
    dg_buf out;
    const char *message = NULL;
    dg_buf_init(&out, 0);
    dg_status status = run(op, in, &out, &message);
    bool same = want && dg_slice_eq(dg_buf_slice(&out), dg_slice_str(want));
    if (status != (want ? DG_OK : DG_INVALID) || (want && !same))
        print_message("%s: %s %.*s (%s)\n", in, dg_status_text(status),
                      DG_SLICE_FMT(dg_buf_slice(&out)), message ? message : "");
    assert_int_equal(status, want ? DG_OK : DG_INVALID);
    assert_true(want ? same : message != NULL && out.len == 0);
    dg_buf_free(&out);
}

#define DIGITS_64 "1234567890123456789012345678901234567890123456789012345678901234"

static const cast_row rows[] = {
    {DG_CAST_NUMBER, DG_CAST_STRING, "1.50E+3", "\"1.50E+3\"", false},
    {DG_CAST_NUMBER, DG_CAST_STRING, "12345678901234567890", "\"12345678901234567890\"", false},
    {DG_CAST_NUMBER, DG_CAST_STRING, "\"a\"", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_STRING, "true", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_STRING, "{\"a\":1}", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_STRING, "null", "null", false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"-0.0e5\"", "-0.0e5", false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"\\u0031\"", "1", false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"01\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"1.\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\".5\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"1e\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"1e+\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"1x\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\" 1\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"-\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "\"\"", NULL, false},
    {DG_CAST_STRING, DG_CAST_NUMBER, "1", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_BOOLEAN, "0", "false", false},
    {DG_CAST_NUMBER, DG_CAST_BOOLEAN, "1", "true", false},
    {DG_CAST_NUMBER, DG_CAST_BOOLEAN, "2", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_BOOLEAN, "1.0", NULL, false},
    {DG_CAST_BOOLEAN, DG_CAST_NUMBER, "true", "1", false},
    {DG_CAST_BOOLEAN, DG_CAST_NUMBER, "false", "0", false},
    {DG_CAST_BOOLEAN, DG_CAST_NUMBER, "1", NULL, false},
    {DG_CAST_BOOLEAN, DG_CAST_STRING, "false", "\"false\"", false},
    {DG_CAST_STRING, DG_CAST_BOOLEAN, "\"true\"", "true", false},
    {DG_CAST_STRING, DG_CAST_BOOLEAN, "\"True\"", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_DECIMAL, "42", "\"42\"", false},
    {DG_CAST_NUMBER, DG_CAST_DECIMAL, "-42", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_DECIMAL, "4.2", NULL, false},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"42\"", "42", false},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"0\"", "0", false},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"007\"", NULL, false},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"007\"", "7", true},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"000\"", "0", true},
    {DG_CAST_DECIMAL, DG_CAST_NUMBER, "\"\"", NULL, true},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"255\"", "\"ff\"", false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"0\"", "\"0\"", false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"18446744073709551616\"", "\"10000000000000000\"", false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"" DIGITS_64 "\"",
     "\"30046030f26f462d7ac21a27eb9d53fff233c7acd12d87e96aff2\"", false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"" DIGITS_64 "5\"", NULL, false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"ff\"", NULL, false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"\"", NULL, false},
    {DG_CAST_DECIMAL, DG_CAST_HEX, "\"010\"", NULL, false},
    {DG_CAST_HEX, DG_CAST_DECIMAL, "\"ff\"", "\"255\"", false},
    {DG_CAST_HEX, DG_CAST_DECIMAL, "\"FF\"", NULL, false},
    {DG_CAST_HEX, DG_CAST_DECIMAL, "\"0FF\"", "\"255\"", true},
    {DG_CAST_HEX, DG_CAST_DECIMAL, "\"fg\"", NULL, true},
    {DG_CAST_HEX, DG_CAST_DECIMAL, "\"" DIGITS_64 "\"", NULL, false},
    {DG_CAST_NUMBER, DG_CAST_HEX, "65535", "\"ffff\"", false},
    {DG_CAST_HEX, DG_CAST_NUMBER, "\"ffff\"", "65535", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"\"", "\"\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"f\"", "\"Zg==\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"fo\"", "\"Zm8=\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"foo\"", "\"Zm9v\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"\\u0000\xC3\xBF\"", "\"AMO/\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"\\ud83d\\ude00\"", "\"8J+YgA==\"", false},
    {DG_CAST_STRING, DG_CAST_BASE64, "\"\\ud83d\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zm9vYg==\"", "\"foob\"", false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"AMO/\"", "\"\\u0000\xC3\xBF\"", false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zg=\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zg\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zh==\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zm9=\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zg==Zg==\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Z===\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zm9v\\n\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"Zm-_\"", NULL, false},
    {DG_CAST_BASE64, DG_CAST_STRING, "\"/w==\"", NULL, false},
};

static void casts_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const cast_row *row = &rows[i];
        const dg_op op = {
            .kind = DG_OP_CAST, .cast_from = row->from, .cast_to = row->to, .lossy = row->lossy};
        assert_true(dg_cast_is_known(row->from, row->to));
        expect(&op, row->in, row->out);
    }
}

/* What a cast takes, the one back gives back; but for the spelling of escapes. */
static void casts_turned_give_back_the_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const cast_row *row = &rows[i];
        const dg_op back = {.kind = DG_OP_CAST, .cast_from = row->to, .cast_to = row->from};
        if (row->out && !row->lossy && !strstr(row->in, "\\u"))
            expect(&back, row->out, row->in);
    }
}

static void casts_come_in_pairs(void **state)
{
    (void)state;
    size_t known = 0;
    for (int from = 0; from <= DG_CAST_BASE64; from++)
        for (int to = 0; to <= DG_CAST_BASE64; to++) {
            known += dg_cast_is_known((dg_cast)from, (dg_cast)to);
            assert_int_equal(dg_cast_is_known((dg_cast)from, (dg_cast)to),
                             dg_cast_is_known((dg_cast)to, (dg_cast)from));
        }
    assert_int_equal(known, 14);
    assert_false(dg_cast_is_known(DG_CAST_STRING, DG_CAST_STRING));
    assert_false(dg_cast_is_known(DG_CAST_BOOLEAN, DG_CAST_HEX));
}

static void another_value_follows_the_policy(void **state)
{
    (void)state;
    dg_op op = {.kind = DG_OP_CAST,
                .cast_from = DG_CAST_NUMBER,
                .cast_to = DG_CAST_STRING,
                .unknown = DG_UNKNOWN_PASS};
    expect(&op, "\"1\"", "\"1\"");
    expect(&op, "[ 1 ]", "[ 1 ]");
    op.unknown = DG_UNKNOWN_DEFAULT;
    op.value = DG_SLICE("\"?\"");
    expect(&op, "true", "\"?\"");
    expect(&op, "1", "\"1\"");
    op = (dg_op){.kind = DG_OP_TIME,
                 .time_from = {.kind = DG_TIME_UNIX},
                 .time_to = {.kind = DG_TIME_DATE},
                 .unknown = DG_UNKNOWN_PASS};
    expect(&op, "\"never\"", "\"never\"");
    expect(&op, "1", NULL); /* a loss is no other value */
}

static void matches_are_replaced(void **state)
{
    (void)state;
    dg_arena arena;
    dg_diags diags;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    dg_op op = {.kind = DG_OP_REPLACE, .with = DG_SLICE("$2-$1")};
    assert_int_equal(
        dg_pattern_new(&arena, DG_SLICE("(\\w)=(\\w)"), (dg_origin){0}, &diags, &op.pattern),
        DG_OK);
    expect(&op, "\"a=b c=d\\n\"", "\"b-a d-c\\u000a\"");
    expect(&op, "\"\\u0061\\/\"", "\"\\u0061\\/\"");
    expect(&op, "\"\\u0061=b\"", "\"b-a\"");
    expect(&op, "1", "1");
    expect(&op, "null", "null");
    expect(&op, "\"a=b\\ud800\"", NULL);
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    const dg_op op = {.kind = DG_OP_CAST, .cast_from = DG_CAST_NUMBER, .cast_to = DG_CAST_STRING};
    const char *message = NULL;
    dg_buf out;
    dg_buf_init(&out, 6);
    dg_buf_add_str(&out, "abc");
    assert_int_equal(dg_scalar_apply(&op, NULL, DG_SLICE("123"), &out, &message), DG_LIMIT);
    assert_non_null(message);
    assert_true(dg_slice_eq(dg_buf_slice(&out), DG_SLICE("abc")));
    assert_int_equal(dg_scalar_apply(&op, NULL, DG_SLICE("1"), &out, &message), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&out), DG_SLICE("abc\"1\"")));
    dg_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts_are_exact),      cmocka_unit_test(casts_turned_give_back_the_value),
        cmocka_unit_test(casts_come_in_pairs),  cmocka_unit_test(another_value_follows_the_policy),
        cmocka_unit_test(matches_are_replaced), cmocka_unit_test(a_full_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
