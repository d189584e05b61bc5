/* Lines and events: what comes out, however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transforms/sequence.h"

#define S(text) {"" text, sizeof(text) - 1}
static const dg_op ops[] = {{.kind = DG_OP_RENAME, .name = S("a"), .to = S("b")},
                            {.kind = DG_OP_DEFAULT, .name = S("v"), .value = S("[1,\n2]")}};
static const dg_ops list = {ops, 2};

typedef struct setup {
    dg_runner *runner;
    dg_program *program;
} setup;

static int begin(void **state)
{
    static setup s;
    const dg_ops *steps = &list;
    dg_diags diags;
    dg_diags_init(&diags);
    assert_int_equal(dg_program_compile(&steps, 1, &diags, &s.program), DG_OK);
    assert_int_equal(dg_runner_new(&s.runner), DG_OK);
    dg_diags_free(&diags);
    *state = &s;
    return 0;
}

static int end(void **state)
{
    setup *s = *state;
    dg_runner_free(s->runner);
    dg_program_free(s->program);
    return 0;
}

static dg_status run(setup *s, dg_sequence_kind kind, size_t max, const char *in, size_t step, dg_buf *out,
                     dg_run_error *error)
{
    dg_sequence *sequence;
    dg_status status = DG_OK;
    size_t len = strlen(in);
    dg_buf_init(out, 0);
    assert_int_equal(dg_sequence_new(s->runner, s->program, kind, max, &sequence), DG_OK);
    for (size_t at = 0; status == DG_OK && at < len; at += step)
        status = dg_sequence_feed(sequence, dg_slice_of(in + at, len - at < step ? len - at : step), false, out, error);
    if (status == DG_OK)
        status = dg_sequence_feed(sequence, (dg_slice){NULL, 0}, true, out, error);
    else
        assert_int_equal(dg_sequence_feed(sequence, DG_SLICE("\n\n"), true, out, NULL), status);
    dg_sequence_free(sequence);
    return status;
}

static void expect(setup *s, dg_sequence_kind kind, const char *in, const char *want)
{
    for (size_t step = 1; step <= strlen(in); step++) {
        dg_buf out;
        dg_run_error error = {0};
        assert_int_equal(run(s, kind, 0, in, step, &out, &error), DG_OK);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, want);
        dg_buf_free(&out);
    }
}

static void refuse(setup *s, dg_sequence_kind kind, size_t max, const char *in, dg_status want, size_t offset,
                   const char *before)
{
    for (size_t step = 1; step <= strlen(in); step++) {
        dg_buf out;
        dg_run_error error = {0};
        assert_int_equal(run(s, kind, max, in, step, &out, &error), want);
        assert_int_equal(error.status, want);
        assert_non_null(error.message);
        assert_int_equal(error.offset, offset);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, before);
        dg_buf_free(&out);
    }
}

static void each_line_is_a_text(void **state)
{
    expect(*state, DG_SEQUENCE_LINES, "{\"a\":1,\"v\":2}\n{\"a\" : 3}\r\n\n  \r\n7\n\"x\"",
           "{\"b\":1,\"v\":2}\n{\"b\" : 3,\"v\":[1, 2]}\r\n\n  \r\n7\n\"x\"");
    expect(*state, DG_SEQUENCE_LINES, "{}\n", "{\"v\":[1, 2]}\n");
    expect(*state, DG_SEQUENCE_LINES, "\n", "\n");
}

static void a_broken_line_ends_it(void **state)
{
    refuse(*state, DG_SEQUENCE_LINES, 0, "{\"v\":0}\n{\"a\":tru}\n{}\n", DG_SYNTAX, 13, "{\"v\":0}\n");
    refuse(*state, DG_SEQUENCE_LINES, 0, "{\"v\":0}\n{\"a\":", DG_SYNTAX, 13, "{\"v\":0}\n");
    refuse(*state, DG_SEQUENCE_LINES, 8, "7\n{\"v\":  0}\n", DG_LIMIT, 2, "7\n");
}

static void data_of_events_is_a_text(void **state)
{
    expect(*state, DG_SEQUENCE_EVENTS, "data: {\"a\":1,\"v\":2}\n\n", "data: {\"b\":1,\"v\":2}\n\n");
    expect(*state, DG_SEQUENCE_EVENTS,
           "\xef\xbb\xbf: hello\r\nevent: x\r\ndata:{\"a\":\r\nid: 7\r\ndata: 1,\r\ndata:  \"v\":2}\r\nretry: 5\r\n\r\n",
           "\xef\xbb\xbf: hello\r\nevent: x\r\ndata:{\"b\":\r\nid: 7\r\ndata: 1,\r\ndata:  \"v\":2}\r\nretry: 5\r\n\r\n");
    expect(*state, DG_SEQUENCE_EVENTS, "data: {\"a\":1,\"v\":2}\rid: 1\r\rdata: {\"v\":3}\r\r",
           "data: {\"b\":1,\"v\":2}\rid: 1\r\rdata: {\"v\":3}\r\r");
}

static void what_is_no_object_and_no_array_passes(void **state)
{
    expect(*state, DG_SEQUENCE_EVENTS, "data: DONE\n\ndata: [DONE]\n\ndata\n\ndata:\n\nevent: ping\n\ndata: \"{\"\n\n\n: x\n",
           "data: DONE\n\ndata: [DONE]\n\ndata\n\ndata:\n\nevent: ping\n\ndata: \"{\"\n\n\n: x\n");
}

static void what_is_added_takes_lines_of_its_own(void **state)
{
    expect(*state, DG_SEQUENCE_EVENTS, "data: {\"a\":1}\nid: 3\n\n", "data: {\"b\":1,\"v\":[1,\ndata: 2]}\nid: 3\n\n");
    expect(*state, DG_SEQUENCE_EVENTS, "data: {\"a\":1}", "data: {\"b\":1,\"v\":[1,\ndata: 2]}");
}

static void a_broken_event_ends_it(void **state)
{
    refuse(*state, DG_SEQUENCE_EVENTS, 0, "data: {\"v\":1}\n\nid: 1\ndata: {\"v\"\n\n", DG_SYNTAX, 21,
           "data: {\"v\":1}\n\nid: 1\n");
    refuse(*state, DG_SEQUENCE_EVENTS, 12, ":\n\ndata: {\"v\":      1}\n\n", DG_LIMIT, 3, ":\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_a_text),
        cmocka_unit_test(a_broken_line_ends_it),
        cmocka_unit_test(data_of_events_is_a_text),
        cmocka_unit_test(what_is_no_object_and_no_array_passes),
        cmocka_unit_test(what_is_added_takes_lines_of_its_own),
        cmocka_unit_test(a_broken_event_ends_it),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
