/* WHOLE ops against the same carried out plainly, on random ops and documents; what is turned gives
 * back what went in; and large values take time in proportion to their size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "generate_whole.h"
#include "reference_whole.h"
#include "transforms/program.h"
#include "try_whole.h"

enum { ROUNDS = 40000, OPS_MAX = 3 };

static void print_op(const dg_op *op)
{
    print_message(
        "  %s name=%.*s to=%.*s value=%.*s collision=%d unknown=%d flags=%d%d%d case=%d\n",
        dg_op_word(op->kind), DG_SLICE_FMT(op->name), DG_SLICE_FMT(op->to), DG_SLICE_FMT(op->value),
        op->collision, op->unknown, op->lossy, op->quoted, op->descending, op->case_from);
    for (size_t i = 0; i < op->path.count; i++)
        print_message("    path %.*s\n",
                      DG_SLICE_FMT(op->path.steps[i].ptr ? op->path.steps[i] : DG_SLICE("[]")));
    for (size_t i = 0; i < op->target.count; i++)
        print_message("    target %.*s\n", DG_SLICE_FMT(op->target.steps[i]));
    for (size_t i = 0; i < op->name_count; i++)
        print_message("    names %.*s\n", DG_SLICE_FMT(op->names[i]));
}

/* One round; true if nothing was refused. */
static bool compare(dg_whole *whole, uint64_t seed, dg_op_kind *ret_kind)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    whole_generator g = {.state = (seed + 1) * 0x9E3779B97F4A7C15u, .arena = &arena};
    const dg_op *ops[OPS_MAX];
    size_t count = 1 + whole_number(&g, OPS_MAX);
    for (size_t i = 0; i < count; i++)
        ops[i] = whole_op(&g);
    dg_buf in, want, got;
    dg_whole_error error = {0};
    dg_buf_init(&in, 0);
    dg_buf_init(&want, 0);
    dg_buf_init(&got, 0);
    whole_document(&g, ops[0], &in);
    size_t len = in.len;
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(&in, "\":,}]1\\ "[i % 8]);
    bool right = reference_whole(&arena, ops, count, dg_slice_of(in.ptr, len), &want);
    dg_status status = dg_whole_apply(whole, ops, count, dg_slice_of(in.ptr, len), &got, &error);
    if (status != (right ? DG_OK : DG_INVALID) ||
        (right && !dg_slice_eq(dg_buf_slice(&want), dg_buf_slice(&got)))) {
        print_message("seed %llu\nin       %.*s\nexpected %.*s%s\ngot      %.*s%s\n",
                      (unsigned long long)seed, (int)len, in.ptr, DG_SLICE_FMT(dg_buf_slice(&want)),
                      right ? "" : "(refused)", DG_SLICE_FMT(dg_buf_slice(&got)),
                      error.message ? error.message : "");
        for (size_t i = 0; i < count; i++)
            print_op(ops[i]);
        fail();
    }
    *ret_kind = ops[0]->kind;
    dg_buf_free(&in);
    dg_buf_free(&want);
    dg_buf_free(&got);
    dg_arena_free(&arena);
    return right;
}

static void ops_do_what_they_say(void **state)
{
    (void)state;
    size_t done[64] = {0}, refused[64] = {0}, all = 0;
    dg_op_kind kind;
    dg_whole *whole;
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    const char *only = getenv("DG_SEED"), *from = getenv("DG_SEED_FROM");
    uint64_t first = only ? strtoull(only, NULL, 10) : from ? strtoull(from, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (only ? 1 : ROUNDS); seed++)
        (compare(whole, seed, &kind) ? done : refused)[kind]++;
    for (int k = 0; k <= DG_OP_PRINT && !only; k++) {
        all += done[k];
        if (done[k] + refused[k])
            print_message("%s: %zu done, %zu refused\n", dg_op_word((dg_op_kind)k), done[k],
                          refused[k]);
        assert_true(done[k] + refused[k] == 0 || done[k] > ROUNDS / 400);
    }
    assert_true(only || all > ROUNDS / 4);
    dg_whole_free(whole);
}

/* ---- ops turned */

static void gives_back(const dg_op *up, const dg_op *down, const char *const *texts, size_t count)
{
    const dg_op *ops[] = {up, down};
    for (size_t i = 0; i < count; i++)
        whole_gives(ops, 2, texts[i], texts[i]);
}

static void ops_turned_give_back_what_went_in(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "[]", "null", "[{\"id\":\"a\",\"v\": 1.0},{\"id\":\"\\u0062\\n\",\"v\":[ ]}]"};
    gives_back(OP(MAP, .name = S("id")), OP(ITEMS, .name = S("id")), ALL_OF(lists));
    static const char *const pairs[] = {
        "[{\"id\":\"a\",\"v\":1.0},{\"id\":\"\\u0062\\n\",\"v\":[ 1, 2]}]"};
    gives_back(OP(MAP, .name = S("id"), .to = S("v")), OP(ITEMS, .name = S("id"), .to = S("v")),
               ALL_OF(pairs));
    static const char *const maps[] = {"{}", "{\"\":{\"x\":[ 1 ]},\"\\u0062\":{ }}", "null"};
    gives_back(OP(ITEMS, .name = S("id")), OP(MAP, .name = S("id")), ALL_OF(maps));
    static const char *const texts[] = {"\"\"",      "\"a\"", "\",\"",
                                        "\"a,,b,\"", "null",  "\"\xC3\xA9,\\\"\""};
    gives_back(OP(SPLIT, .value = S(",")), OP(JOIN, .value = S(",")), ALL_OF(texts));
    static const char *const fields[] = {"[]",
                                         "[\"\"]",
                                         "[\"\",\"\"]",
                                         "[\"a,b\",\"\\\"\"]",
                                         "[\"\\\"a\\\"\",\"b\\\",\",\"a\\\"b,c\\\"d\"]",
                                         "[\",\"]",
                                         "[\"\\\"\\\"\"]",
                                         "[\"a\\\",\",\"b\"]",
                                         "[\",\\\"\",\"\\\",\"]"};
    gives_back(OP(JOIN, .value = S(","), .quoted = true),
               OP(SPLIT, .value = S(","), .quoted = true), ALL_OF(fields));
    static const char *const orders[] = {
        "{\"_sort\":\"\",\"_order\":\"\"}",
        "{\"x\" : 1,\"_sort\":\"a,b,c\",\"_order\":\"asc,desc,asc\"}", "{ }", "7"};
    gives_back(OP(SIGNS, .name = S("_sort"), .to = S("_order")),
               OP(UNSIGN, .name = S("_sort"), .to = S("_order")), ALL_OF(orders));
    static const char *const signs[] = {"{\"_sort\":\"-a,b\"}",
                                        "{\"y\":[ ], \"_sort\" : \"-a,,-b\"}", "{\"_sort\":\"\"}"};
    gives_back(OP(UNSIGN, .name = S("_sort"), .to = S("_order")),
               OP(SIGNS, .name = S("_sort"), .to = S("_order")), ALL_OF(signs));
    static const char *const values[] = {"{\"a\":[1.0,\"\\u0062 \\\"\",{}]}", "\"a b\"", "-0.0e5",
                                         "[[],\"\\ud83d\\ude00\"]", "null"};
    gives_back(OP(PRINT, .lossy = false), OP(PARSE, .lossy = false), ALL_OF(values));
    static const char *const places[] = {
        "{\"x\" : 1,\"a\":{\"b\":[ 1 ]}}", "{\"a\":{\"b\":1}}", "{\"a\":{ }}", "{}", "1",
        "{\"a\":{\"c\":1,\"b\":2}}"};
    gives_back(OP(MOVE, .path = PATH(S("a"), S("b")), .target = PATH(S("z"))),
               OP(MOVE, .path = PATH(S("z")), .target = PATH(S("a"), S("b"))), ALL_OF(places));
    static const char *const ones[] = {"[]", "[ 1.0]", "[{ \"a\":1}]"};
    const dg_op *first_list[] = {OP(FIRST, .lossy = true), OP(LIST, .lossy = true)};
    whole_gives(first_list, 2, ones[0], "[]");
    whole_gives(first_list, 2, ones[1], "[1.0]");
    whole_gives(first_list, 2, ones[2], ones[2]);
}

/* ---- large values */

static uint64_t thread_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

typedef void filler(dg_buf *out, size_t count);

static void fill_items(dg_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dg_buf_printf(out, "%s{\"id\":\"k%zu\",\"v\":%zu}", i ? "," : "[", i, i % 7);
    dg_buf_add_char(out, ']');
}

static void fill_map(dg_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dg_buf_printf(out, "%s\"aKey%zu\":{}", i ? "," : "{", i);
    dg_buf_add_char(out, '}');
}

static void fill_equal(dg_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dg_buf_add_str(out, i ? ",1e5" : "[1e5");
    dg_buf_add_char(out, ']');
}

static void fill_strings(dg_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dg_buf_add_str(out, i ? ",\"a\\\"\"" : "[\"a\\\"\"");
    dg_buf_add_char(out, ']');
}

static void fill_text(dg_buf *out, size_t count)
{
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < count; i++)
        dg_buf_add_str(out, i % 2 ? "\\\"," : "\\\"a\\\\");
    dg_buf_add_char(out, '"');
}

static void fill_deep(dg_buf *out, size_t count)
{
    for (int depth = 0; depth < 200; depth++)
        dg_buf_add_str(out, "{\"a\":");
    fill_items(out, count);
    for (int depth = 0; depth < 200; depth++)
        dg_buf_add_char(out, '}');
}

/* The least time of a few, for others use the processor, too. */
static uint64_t time_of(const dg_op *op, filler *fill, size_t count)
{
    dg_whole *whole;
    dg_buf in, out;
    uint64_t least = UINT64_MAX;
    dg_whole_error error;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    fill(&in, count);
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(&in, ' ');
    in.len -= DG_JSON_PADDING;
    assert_int_equal(dg_whole_new(&whole), DG_OK);
    for (int i = 0; i < 3; i++) {
        uint64_t start = thread_us();
        out.len = 0;
        assert_int_equal(dg_whole_apply(whole, &op, 1, dg_buf_slice(&in), &out, &error), DG_OK);
        uint64_t us = thread_us() - start;
        least = us < least ? us : least;
    }
    dg_whole_free(whole);
    dg_buf_free(&in);
    dg_buf_free(&out);
    return least;
}

static void large_values_take_time_in_proportion(void **state)
{
    (void)state;
    enum { SMALL = 5000, FACTOR = 16 };
    static dg_slice names[1000], steps[200];
    static char texts[1000][16];
    for (size_t i = 0; i < 1000; i++)
        names[i] =
            dg_slice_of(texts[i], (size_t)snprintf(texts[i], sizeof *texts, "aKey%zu", i * 3));
    for (size_t i = 0; i < 200; i++)
        steps[i] = S("a");
    const struct {
        const dg_op *op;
        filler *fill;
    } rows[] = {{OP(MAP, .name = S("id")), fill_items},
                {OP(ITEMS, .name = S("id")), fill_map},
                {OP(KEEP, .names = names, .name_count = 1000), fill_map},
                {OP(CASE, .case_to = DG_SNAKE, .collision = DG_COLLISION_NEWER), fill_map},
                {OP(SORT, .path = {NULL, 0}), fill_equal},
                {OP(SORT, .path = PATH(S("v")), .descending = true), fill_items},
                {OP(JOIN, .value = S(","), .quoted = true), fill_strings},
                {OP(SPLIT, .value = S(","), .quoted = true), fill_text},
                {OP(SPLIT, .value = S("a")), fill_text},
                {OP(MOVE, .path = {steps, 200}, .target = PATH(S("b"))), fill_deep},
                {OP(TEMPLATE, .value = S("[\"{[].id}\",\"{}\"]")), fill_items},
                {OP(PRINT, .lossy = false), fill_items}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t small = time_of(rows[i].op, rows[i].fill, SMALL);
        uint64_t large = time_of(rows[i].op, rows[i].fill, (size_t)SMALL * FACTOR);
        print_message("%s: %llu us, %llu us\n", dg_op_word(rows[i].op->kind),
                      (unsigned long long)small, (unsigned long long)large);
        /* A quadratic one would take 256 times as long. */
        assert_true(large < (small + 500) * FACTOR * 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_do_what_they_say),
        cmocka_unit_test(ops_turned_give_back_what_went_in),
        cmocka_unit_test(large_values_take_time_in_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
