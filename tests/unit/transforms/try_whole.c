#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transforms/program.h"
#include "try_whole.h"

dg_status run_whole(const dg_op *const *ops, size_t count, dg_slice in, dg_buf *out,
                    dg_whole_error *error)
{
    dg_whole *whole;
    char *text = malloc(in.len + DG_JSON_PADDING);
    assert_non_null(text);
    if (in.len)
        memcpy(text, in.ptr, in.len);
    memset(text + in.len, '"', DG_JSON_PADDING);
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    size_t before = out->len;
    dg_status status = dg_whole_apply(whole, ops, count, dg_slice_of(text, in.len), out, error);
    dg_buf again;
    dg_buf_init(&again, out->bytes_max);
    dg_buf_add(&again, dg_slice_until(dg_buf_slice(out), before));
    assert_int_equal(dg_whole_apply(whole, ops, count, dg_slice_of(text, in.len), &again, error),
                     status);
    assert_true(dg_slice_eq(dg_buf_slice(&again), dg_buf_slice(out)));
    dg_buf_free(&again);
    dg_whole_free(whole);
    free(text);
    return status;
}

void whole_gives(const dg_op *const *ops, size_t count, const char *in, const char *out)
{
    dg_buf got;
    dg_whole_error error = {0};
    dg_buf_init(&got, 0);
    dg_status status = run_whole(ops, count, dg_slice_str(in), &got, &error);
    if (status != (out ? DG_OK : DG_INVALID))
        print_message("%s: %s: %s\n", dg_op_word(ops[0]->kind), in,
                      error.message ? error.message : "");
    assert_int_equal(status, out ? DG_OK : DG_INVALID);
    if (!out) {
        assert_int_equal(got.len, 0);
        assert_non_null(error.message);
        assert_non_null(error.op);
    } else if (!dg_slice_eq(dg_buf_slice(&got), dg_slice_str(out))) {
        print_message("%s: %s\nexpected %s\ngot      %.*s\n", dg_op_word(ops[0]->kind), in, out,
                      DG_SLICE_FMT(dg_buf_slice(&got)));
        fail();
    }
    dg_buf_free(&got);
}

void whole_rows(const whole_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        whole_gives(&rows[i].op, 1, rows[i].in, rows[i].out);
}
