/* What a program refuses because its options say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

static const dg_op renames[] = {DROP("gone"), RENAME("a", "b")};
static const dg_ops rename_list = LIST(renames), nothing = {0};

static dg_program *compile_with(const dg_ops *list, dg_program_options options)
{
    dg_diags diags;
    dg_program *program = NULL;
    dg_diags_init(&diags);
    assert_int_equal(dg_program_compile_with(&list, 1, &options, &diags, &program), DG_OK);
    dg_diags_free(&diags);
    return program;
}

static void says(dg_program_options options, const char *in, dg_status status, size_t offset,
                 const char *pointer)
{
    const dg_ops *lists[] = {&rename_list, &nothing};
    for (size_t i = 0; i < 2; i++) {
        dg_program *program = compile_with(lists[i], options);
        dg_run_error error = {0};
        dg_buf out;
        dg_buf_init(&out, 0);
        assert_int_equal(run_program(program, dg_slice_str(in), &out, &error), status);
        if (status != DG_OK) {
            assert_int_equal(out.len, 0);
            assert_int_equal(error.offset, offset);
            assert_string_equal(error.pointer, pointer);
            assert_non_null(error.message);
        }
        assert_false(dg_program_is_identity(program));
        dg_buf_free(&out);
        dg_program_free(program);
    }
}

static void equal_names_anywhere(void **state)
{
    const dg_program_options o = {.duplicates = DG_DUPLICATES_ANYWHERE};
    (void)state;
    says(o, "{\"x\":{\"k\":1,\"l\":1},\"y\":{\"k\":[{\"k\":\":\"}]}}", DG_OK, 0, "");
    says(o, "{\"x\":{\"k\":1,\"k\":1}}", DG_INVALID, 12, "/x/k");
    says(o, "{\"x\":{\"k\":1,\"l\":{\"k\":2},\"\\u006b\" :1}}", DG_INVALID, 24, "/x/k");
    says(o, "{\"gone\":[0,{\"k\":1,\"k\":1}]}", DG_INVALID, 18, "/gone/1/k");
    says(o, "{\"k\":\"k\",\"\\\\\":\"\\\"\",\"\\\"\":0}", DG_OK, 0, "");
}

static void lone_surrogates(void **state)
{
    const dg_program_options o = {.surrogates = DG_SURROGATES_REJECT};
    (void)state;
    says(o, "{\"x\":\"\\ud83d\\ude00 \\\\ud800 \\u00e5\"}", DG_OK, 0, "");
    says(o, "{\"x\":\"\\ud83d\"}", DG_INVALID, 6, "/x");
    says(o, "{\"x\":\"\\ude00\\ud83d\"}", DG_INVALID, 6, "/x");
    says(o, "{\"x\":\"\\ud83d\\ud83d\\ude00\"}", DG_INVALID, 6, "/x");
    says(o, "{\"gone\":{\"\\uDC00\":1}}", DG_INVALID, 10, "/gone");
    says((dg_program_options){.depth_max = 4}, "{\"x\":\"\\ud83d\"}", DG_OK, 0, "");
}

static void depth(void **state)
{
    const dg_program_options o = {.depth_max = 3};
    (void)state;
    says(o, "{\"x\":[[1]],\"y\":[[]]}", DG_OK, 0, "");
    says(o, "{\"x\":[[1,[]]],\"y\":1}", DG_LIMIT, 9, "/x/0/1");
    says(o, "{\"gone\":[[{}]]}", DG_LIMIT, 10, "/gone/0/0");
}

static void the_default_asks_for_nothing(void **state)
{
    (void)state;
    dg_program *program =
        compile_with(&nothing, (dg_program_options){.depth_max = DG_JSON_DEPTH_MAX});
    assert_true(dg_program_is_identity(program));
    dg_program_free(program);
    gives(&rename_list, "{\"x\":{\"k\":1,\"k\":\"\\ud800\"},\"a\":0}",
          "{\"x\":{\"k\":1,\"k\":\"\\ud800\"},\"b\":0}");
}

/* Thousands of names, and of names that look alike. */
static void many_names(void **state)
{
    (void)state;
    dg_program *program =
        compile_with(&rename_list, (dg_program_options){.duplicates = DG_DUPLICATES_ANYWHERE});
    dg_buf in, out;
    dg_run_error error;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add_str(&in, "[");
    for (int i = 0; i < 200; i++) {
        dg_buf_add_str(&in, i ? ",{" : "{");
        for (int k = 0; k < 40; k++)
            dg_buf_printf(&in, "%s\"key%d\":%d", k ? "," : "", k, i);
        dg_buf_add_str(&in, "}");
    }
    size_t len = in.len;
    dg_buf_add_str(&in, "]");
    const dg_ops *list = &nothing;
    dg_program *copies =
        compile_with(list, (dg_program_options){.duplicates = DG_DUPLICATES_ANYWHERE});
    assert_int_equal(run_program(copies, dg_buf_slice(&in), &out, &error), DG_OK);
    in.len = len;
    dg_buf_add_str(&in, ",{\"key1\":0,\"\\u006bey1\":0}]");
    dg_buf_clear(&out);
    assert_int_equal(run_program(copies, dg_buf_slice(&in), &out, &error), DG_INVALID);
    assert_string_equal(error.pointer, "/200/key1");
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_program_free(program);
    dg_program_free(copies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_anywhere),
        cmocka_unit_test(lone_surrogates),
        cmocka_unit_test(depth),
        cmocka_unit_test(many_names),
        cmocka_unit_test(the_default_asks_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
