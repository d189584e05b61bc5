/* Memory of ops on whole values and scalars: none is taken in steady state but by patterns, and
 * running out of it anywhere does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "generate_whole.h"
#include "transforms/pattern.h"
#include "transforms/program.h"
#include "transforms/scalar/scalar.h"
#include "try_whole.h"

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

static dg_status run_new(const dg_op *op, dg_slice in, dg_buf *out, dg_whole_error *error)
{
    dg_whole *whole;
    dg_status status = dg_whole_new(&whole);
    if (status != DG_OK)
        return status;
    status = dg_whole_apply(whole, &op, 1, in, out, error);
    /* One that ran out of memory is as good as new. */
    size_t later = fail_at;
    fail_at = SIZE_MAX;
    if (status == DG_NOMEM) {
        dg_buf again;
        dg_buf_init(&again, 0);
        assert_int_equal(out->len, 0);
        assert_non_null(error->message);
        assert_int_not_equal(dg_whole_apply(whole, &op, 1, in, &again, error), DG_NOMEM);
        dg_buf_free(&again);
    }
    fail_at = later;
    dg_whole_free(whole);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t failures = 0;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        dg_arena arena;
        dg_buf in, want;
        dg_whole_error error;
        dg_arena_init(&arena, 0);
        dg_buf_init(&in, 0);
        dg_buf_init(&want, 0);
        whole_generator g = {.state = seed * 0x9E3779B97F4A7C15u, .arena = &arena};
        const dg_op *op = whole_op(&g);
        whole_document(&g, op, &in);
        size_t len = in.len;
        for (int i = 0; i < DG_JSON_PADDING; i++)
            dg_buf_add_char(&in, ' ');
        dg_slice text = dg_slice_of(in.ptr, len);
        taken = 0;
        dg_status right = run_new(op, text, &want, &error);
        size_t total = taken;
        for (size_t n = 0; n < total; n++) {
            dg_buf out;
            dg_buf_init(&out, 0);
            taken = 0;
            fail_at = n;
            dg_status status = run_new(op, text, &out, &error);
            fail_at = SIZE_MAX;
            assert_true(status == right || status == DG_NOMEM);
            assert_true(status != DG_OK || dg_slice_eq(dg_buf_slice(&want), dg_buf_slice(&out)));
            failures += status == DG_NOMEM;
            dg_buf_free(&out);
        }
        dg_buf_free(&in);
        dg_buf_free(&want);
        dg_arena_free(&arena);
    }
    assert_true(failures > 1500);
}

static dg_status scalars(dg_buf *out)
{
    static const dg_slice ins[] = {{"\"a\\u0062c\"", 10},
                                   {"\"\\u0061aa\"", 10},
                                   {"\"\\u0062\"", 8},
                                   {"\"2026-01-01T00:00:00\\u005a\"", 27}};
    dg_arena arena;
    dg_diags diags;
    const char *message;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    dg_op ops[] = {{.kind = DG_OP_REPLACE, .with = {"<$0>", 4}},
                   {.kind = DG_OP_CAST, .cast_from = DG_CAST_STRING, .cast_to = DG_CAST_BASE64},
                   {.kind = DG_OP_CAST, .cast_from = DG_CAST_STRING, .cast_to = DG_CAST_BASE64},
                   {.kind = DG_OP_TIME,
                    .time_from = {.kind = DG_TIME_RFC3339},
                    .time_to = {.kind = DG_TIME_HTTP}}};
    dg_status status = dg_pattern_new(&arena, DG_SLICE("([a-c])(?=c)|\\w{2}+"), (dg_origin){0},
                                      &diags, &ops[0].pattern);
    for (size_t i = 0; i < sizeof ops / sizeof *ops && status == DG_OK; i++)
        status = dg_scalar_apply(&ops[i], NULL, ins[i], out, &message);
    if (status != DG_OK)
        out->len = 0;
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    return status;
}

static void every_allocation_of_scalars_may_fail(void **state)
{
    (void)state;
    dg_buf want;
    dg_buf_init(&want, 0);
    taken = 0;
    assert_int_equal(scalars(&want), DG_OK);
    assert_true(
        dg_slice_eq(dg_buf_slice(&want),
                    DG_SLICE("\"<ab>c\"\"YWFh\"\"Yg==\"\"Thu, 01 Jan 2026 00:00:00 GMT\"")));
    size_t total = taken;
    assert_true(total > 8);
    for (size_t n = 0; n < total; n++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        taken = 0;
        fail_at = n;
        dg_status status = scalars(&out);
        fail_at = SIZE_MAX;
        assert_int_equal(status, DG_NOMEM);
        dg_buf_free(&out);
    }
    dg_buf_free(&want);
}

static void steady_state_takes_nothing(void **state)
{
    (void)state;
    static const char text[4096] = "{\"items\":[{\"id\":\"\\u0062\",\"n\":2,\"tags\":\"x,y\"},{"
                                   "\"id\":\"a\",\"n\":1.5}],\"meta\":{\"a\":{\"b\":1}},"
                                   "\"aB\":1,\"a_b\":2}";
    const dg_op *ops[] = {
        OP(MOVE, .path = PATH(S("meta"), S("a")), .target = PATH(S("x"), S("y"))),
        OP(COPY, .path = PATH(S("items")), .target = PATH(S("list"))),
        OP(SUM, .path = PATH(S("items"), EACH, S("n")), .target = PATH(S("total"))),
        OP(CASE, .case_to = DG_SNAKE, .collision = DG_COLLISION_OLDER),
        OP(KEEP, NAMES(S("items"), S("list"), S("total"), S("x"), S("a_b"))),
        OP(TEMPLATE, .value = S("{\"l\":\"{list}\",\"t\":\"sum "
                                "{total}\",\"i\":\"{items[].id}\",\"it\":\"{items}\"}")),
        OP(PRINT, .lossy = false),
        OP(PARSE, .lossy = false)};
    dg_whole *whole;
    dg_whole_error error;
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    size_t before = 0;
    for (int i = 0; i < 100; i++) {
        if (i == 3)
            before = taken;
        dg_buf_clear(&out);
        assert_int_equal(
            dg_whole_apply(whole, ops, sizeof ops / sizeof *ops, dg_slice_str(text), &out, &error),
            DG_OK);
    }
    assert_int_equal(taken, before);
    dg_buf_free(&out);
    dg_whole_free(whole);
}

/* What is full stays as it was; what is too deep is refused, and just not too deep is not. */
static void limits_hold(void **state)
{
    (void)state;
    const dg_op *list = OP(LIST, .lossy = true), *ops[DG_JSON_DEPTH_MAX + 1];
    dg_whole_error error = {0};
    for (size_t i = 0; i <= DG_JSON_DEPTH_MAX; i++)
        ops[i] = list;
    for (size_t max = 1; max < 12; max++) {
        dg_buf out;
        dg_buf_init(&out, max);
        dg_buf_add_char(&out, '=');
        dg_status status = run_whole(ops, 2, DG_SLICE("{\"a\":1}"), &out, &error);
        assert_int_equal(status, DG_LIMIT);
        assert_true(dg_slice_eq(dg_buf_slice(&out), DG_SLICE("=")));
        assert_int_equal(out.status, DG_OK);
        dg_buf_free(&out);
    }
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(run_whole(ops, DG_JSON_DEPTH_MAX, DG_SLICE("1"), &out, &error), DG_OK);
    assert_int_equal(out.len, 1 + 2 * DG_JSON_DEPTH_MAX);
    assert_int_equal(run_whole(ops, DG_JSON_DEPTH_MAX, DG_SLICE("{}"), &out, &error), DG_LIMIT);
    assert_int_equal(run_whole(ops, DG_JSON_DEPTH_MAX + 1, DG_SLICE("1"), &out, &error), DG_LIMIT);
    const dg_op *copy = OP(COPY, .path = PATH(S("a")), .target = PATH(S("b"), S("c")));
    dg_buf deep;
    dg_buf_init(&deep, 0);
    dg_buf_add_str(&deep, "{\"a\":");
    for (int i = 0; i < DG_JSON_DEPTH_MAX - 1; i++)
        dg_buf_add_char(&deep, '[');
    for (int i = 0; i < DG_JSON_DEPTH_MAX - 1; i++)
        dg_buf_add_char(&deep, ']');
    dg_buf_add_char(&deep, '}');
    assert_int_equal(run_whole(&copy, 1, dg_buf_slice(&deep), &out, &error), DG_LIMIT);
    const dg_op *beside = OP(COPY, .path = PATH(S("a")), .target = PATH(S("b")));
    assert_int_equal(run_whole(&beside, 1, dg_buf_slice(&deep), &out, &error), DG_OK);
    dg_buf_free(&deep);
    dg_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_scalars_may_fail),
        cmocka_unit_test(steady_state_takes_nothing),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
