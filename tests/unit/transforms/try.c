#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

dg_program *compile(const dg_ops *list)
{
    dg_diags diags;
    dg_program *program = NULL;
    dg_diags_init(&diags);
    dg_status status = dg_program_compile(&list, 1, &diags, &program);
    if (status != DG_OK)
        dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    assert_int_equal(status, DG_OK);
    return program;
}

dg_status run_program(const dg_program *program, dg_slice in, dg_buf *out, dg_run_error *error)
{
    dg_runner *runner;
    dg_buf text, again;
    dg_buf_init(&text, 0);
    dg_buf_init(&again, 0);
    dg_buf_add(&text, in);
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(&text, "\":,}]1\\ "[i % 8]);
    dg_slice padded = dg_slice_of(text.ptr, in.len);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    dg_status status = dg_run(runner, program, padded, out, error);
    for (int i = 0; i < 2; i++) {
        dg_buf_clear(&again);
        assert_int_equal(dg_run(runner, program, padded, &again, error), status);
        assert_true(dg_slice_eq(dg_buf_slice(&again), dg_buf_slice(out)));
    }
    dg_runner_free(runner);
    dg_buf_free(&text);
    dg_buf_free(&again);
    return status;
}

void gives(const dg_ops *list, const char *in, const char *out)
{
    dg_program *program = compile(list);
    dg_run_error error;
    dg_buf got;
    dg_buf_init(&got, 0);
    dg_status status = run_program(program, dg_slice_str(in), &got, &error);
    if (status != DG_OK)
        print_message("%s at %zu %s\n", error.message, error.offset, error.pointer);
    assert_int_equal(status, DG_OK);
    dg_buf_add_char(&got, '\0');
    assert_string_equal(got.ptr, out);
    dg_buf_free(&got);
    dg_program_free(program);
}

void refuses(const dg_ops *list, const char *in, dg_status status, size_t offset,
             const char *pointer)
{
    dg_program *program = compile(list);
    dg_run_error error;
    dg_buf got;
    dg_buf_init(&got, 0);
    assert_int_equal(run_program(program, dg_slice_str(in), &got, &error), status);
    assert_int_equal(got.len, 0);
    assert_int_equal(error.status, status);
    assert_int_equal(error.offset, offset);
    assert_string_equal(error.pointer, pointer);
    assert_non_null(error.message);
    dg_buf_free(&got);
    dg_program_free(program);
}
