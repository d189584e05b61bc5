/* Memory: none is taken in steady state, and running out of it anywhere does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transforms/sequence.h"
#include "transforms/stream.h"
#include "try.h"

/* The linker sends every allocation of the program through these (--wrap). */
static size_t taken, fail_at = SIZE_MAX;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

static bool fails(void)
{
    return taken++ == fail_at;
}
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __real_realloc(ptr, size);
}

static const dg_value_pair pairs[] = {{S("\"a\""), S("1")}, {S("\"b\""), S("2")}};
static const dg_op status_ops[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
static const dg_ops status_list = LIST(status_ops);
static const dg_op order_ops[] = {CAMEL, RENAME("total", "amount"), IN("status", &status_list),
                                  DROP("internalNotes"),
                                  DEFAULT("currency", "{\"isO_code\":\"EUR\"}")};
static const dg_ops order_list = LIST(order_ops);
static const dg_op each_ops[] = {
    UNWRAP("data"),       EACH(&order_list),          WRAP("orders"), ADD("v", "[2]"),
    DROP_EMPTY("orders"), DEFAULT("made_up", "null"), SNAKE};
static const dg_ops local_list = LIST(each_ops);
/* The same, and stages before, within and after it. */
static const dg_slice x_y[] = {S("x"), S("y")}, made[] = {S("made")};
static const dg_op cast_ops[] = {{.kind = DG_OP_CAST,
                                  .cast_from = DG_CAST_NUMBER,
                                  .cast_to = DG_CAST_STRING,
                                  .unknown = DG_UNKNOWN_PASS},
                                 {.kind = DG_OP_TIME,
                                  .time_from = {.kind = DG_TIME_UNIX},
                                  .time_to = {.kind = DG_TIME_RFC3339},
                                  .unknown = DG_UNKNOWN_PASS}};
static const dg_ops cast_list = LIST(cast_ops);
static const dg_test is_object = {.kind = DG_TEST_KIND, .value = S("object")};
static const dg_op moved_ops[] = {{.kind = DG_OP_MOVE, .path = {x_y, 1}, .target = {made, 1}},
                                  IN("made", &cast_list)};
static const dg_ops moved_list = LIST(moved_ops);
static const dg_switch_case cases[] = {{&is_object, NULL, &moved_list}};
static const dg_op item_ops[] = {RENAME("item_id", "x"),
                                 {.kind = DG_OP_SWITCH, .cases = cases, .case_count = 1}};
static const dg_ops item_list = LIST(item_ops), items_list = {&(const dg_op)EACH(&item_list), 1};
static const dg_op line_ops[] = {IN("line_items", &items_list),
                                 {.kind = DG_OP_COUNT, .path = {x_y, 2}, .target = {x_y, 1}}};
static const dg_ops line_list = LIST(line_ops), lines_list = {&(const dg_op)EACH(&line_list), 1};
static const dg_op staged_ops[] = {
    IN("data", &lines_list),
    LENS(&local_list),
    {.kind = DG_OP_TEMPLATE, .value = S("{\"orders\":\"{orders}\"}")},
    {.kind = DG_OP_PRINT},
    WRAP("text")};
static const dg_ops program_list = LIST(staged_ops);
static const char TEXT[1024] =
    "{\"data\":[{\"order_id\":1,\"total\":2.5,\"status\":\"a\",\"internal_notes\":{\"x\":[1]},"
    "\"line_items\":[{\"item_id\":1},{\"item_id\":2}]}, "
    "{\"st\\u0061tus\":\"\\u0062\"}],\"meta\":{}}";

static void takes_nothing(const dg_ops *list, dg_program_options options)
{
    dg_diags diags;
    dg_program *program;
    dg_diags_init(&diags);
    assert_int_equal(dg_program_compile_with(&list, 1, &options, &diags, &program), DG_OK);
    dg_diags_free(&diags);
    dg_runner *runner;
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    dg_slice in = dg_slice_str(TEXT);
    for (int i = 0; i < 3; i++) {
        dg_buf_clear(&out);
        assert_int_equal(dg_run(runner, program, in, &out, NULL), DG_OK);
    }
    size_t before = taken;
    for (int i = 0; i < 100; i++) {
        dg_buf_clear(&out);
        assert_int_equal(dg_run(runner, program, in, &out, NULL), DG_OK);
    }
    assert_int_equal(taken, before);
    dg_buf_free(&out);
    dg_runner_free(runner);
    dg_program_free(program);
}

static void steady_state_takes_nothing(void **state)
{
    (void)state;
    takes_nothing(&local_list, (dg_program_options){0});
    takes_nothing(&program_list, (dg_program_options){0});
    takes_nothing(&program_list, (dg_program_options){.duplicates = DG_DUPLICATES_ANYWHERE,
                                                      .surrogates = DG_SURROGATES_REJECT});
}

/* Compiles, runs, inverts; the first failure's status. */
static dg_status everything(dg_slice in, dg_slice *ret_text, dg_buf *out)
{
    const dg_ops *steps[] = {&program_list};
    dg_diags diags;
    dg_program *program = NULL;
    dg_runner *runner = NULL;
    dg_arena arena;
    dg_ops down;
    dg_diags_init(&diags);
    dg_arena_init(&arena, 0);
    const dg_program_options options = {.duplicates = DG_DUPLICATES_ANYWHERE};
    dg_status status = dg_program_compile_with(steps, 1, &options, &diags, &program);
    if (status == DG_OK)
        status = dg_runner_new(&runner);
    for (int i = 0; i < 2 && status == DG_OK; i++) {
        dg_buf_clear(out);
        status = dg_run(runner, program, in, out, NULL);
    }
    bool ran = status == DG_OK;
    if (ran)
        status = dg_ops_inverse(&arena, &order_list, &diags, &down);
    if (status == DG_INVALID) /* DROP has no policy: that is said, not a failure of memory */
        status = DG_OK;
    if (status == DG_OK)
        *ret_text = dg_buf_slice(out);
    /* A runner that ran out of memory once is as good as new. */
    size_t later = fail_at;
    fail_at = SIZE_MAX;
    if (runner && program && !ran) {
        assert_int_equal(out->len, 0);
        assert_int_equal(dg_run(runner, program, in, out, NULL), DG_OK);
        dg_buf_clear(out);
    }
    fail_at = later;
    dg_runner_free(runner);
    dg_program_free(program);
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    dg_buf want;
    dg_slice text;
    dg_buf_init(&want, 0);
    fail_at = SIZE_MAX;
    taken = 0;
    assert_int_equal(everything(dg_slice_str(TEXT), &text, &want), DG_OK);
    size_t total = taken;
    assert_true(total > 50);
    for (size_t n = 0; n < total; n++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        taken = 0;
        fail_at = n;
        dg_status status = everything(dg_slice_str(TEXT), &text, &out);
        fail_at = SIZE_MAX;
        if (status != DG_OK)
            assert_int_equal(status, DG_NOMEM);
        else
            assert_true(dg_slice_eq(dg_buf_slice(&want), text));
        dg_buf_free(&out);
    }
    dg_buf_free(&want);
}

/* A stream and a sequence, in small pieces; the first failure's status. */
static dg_status in_pieces(const dg_program *program, dg_slice in, dg_buf *out)
{
    dg_runner *runner = NULL;
    dg_stream *stream = NULL;
    dg_sequence *events = NULL;
    const dg_stream_limits limits = {.enter_bytes = 8};
    dg_status status = dg_runner_new(&runner);
    if (status == DG_OK)
        status = dg_stream_new(runner, program, &limits, &stream);
    for (size_t at = 0; status == DG_OK && at < in.len; at += 10) {
        dg_slice piece = dg_slice_until(dg_slice_from(in, at), 10);
        status = dg_stream_feed(stream, piece, at + 10 >= in.len, out, NULL);
    }
    if (status == DG_OK)
        status = dg_sequence_new(runner, program, DG_SEQUENCE_EVENTS, 0, &events);
    if (status == DG_OK)
        status = dg_sequence_feed(events, DG_SLICE("data: "), false, out, NULL);
    if (status == DG_OK)
        status = dg_sequence_feed(events, in, false, out, NULL);
    if (status == DG_OK)
        status = dg_sequence_feed(events, DG_SLICE("\n\n"), true, out, NULL);
    dg_sequence_free(events);
    dg_stream_free(stream);
    dg_runner_free(runner);
    return status;
}

static void every_allocation_of_a_stream_may_fail(void **state)
{
    (void)state;
    dg_program *program = compile(&local_list);
    dg_buf want;
    dg_buf_init(&want, 0);
    fail_at = SIZE_MAX;
    taken = 0;
    assert_int_equal(in_pieces(program, dg_slice_str(TEXT), &want), DG_OK);
    size_t total = taken;
    for (size_t n = 0; n < total; n++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        taken = 0;
        fail_at = n;
        dg_status status = in_pieces(program, dg_slice_str(TEXT), &out);
        fail_at = SIZE_MAX;
        if (status != DG_OK)
            assert_int_equal(status, DG_NOMEM);
        else
            assert_true(dg_slice_eq(dg_buf_slice(&want), dg_buf_slice(&out)));
        dg_buf_free(&out);
    }
    dg_buf_free(&want);
    dg_program_free(program);
}

/* Texts that make up new names for ever do not make a runner grow for ever. */
static void what_is_learned_is_bounded(void **state)
{
    (void)state;
    dg_program *program = compile(&local_list);
    dg_runner *runner;
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    size_t settled = 0;
    for (int i = 0; i < 400; i++) {
        dg_buf_clear(&in);
        dg_buf_clear(&out);
        dg_buf_add_str(&in, "{\"data\":[{");
        for (int k = 0; k < 40; k++)
            dg_buf_printf(&in, "%s\"key_%d_x\":{\"y_%d\":1}", k ? "," : "", i * 40 + k, k);
        dg_buf_add_str(&in, "}]}");
        size_t len = in.len;
        for (int k = 0; k < DG_JSON_PADDING; k++)
            dg_buf_add_char(&in, '}');
        if (i == 300)
            settled = taken;
        assert_int_equal(dg_run(runner, program, dg_slice_of(in.ptr, len), &out, NULL), DG_OK);
    }
    /* Full: the last hundred texts take next to nothing, 4000 new names or not. */
    assert_true(taken - settled < 200);
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_runner_free(runner);
    dg_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_state_takes_nothing),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_a_stream_may_fail),
        cmocka_unit_test(what_is_learned_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
