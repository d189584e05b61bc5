/* Streams against runs: however a text is cut, the result and the verdict are those of the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "transforms/stream.h"

enum { PROGRAMS = 1500, DOCUMENTS = 8, STEPS_MAX = 3 };

typedef struct tally {
    size_t compiled, same, refused, early, runs;
} tally;

/* How a text is cut: pieces of `step` bytes; 0: of random ones. */
typedef struct cuts {
    size_t step;
    dg_stream_limits limits;
} cuts;

static const cuts ways[] = {{1, {0}},       {1, {.enter_bytes = 1}}, {0, {0}},
                            {0, {.enter_bytes = 1}}, {0, {.enter_bytes = 9}}, {7, {.enter_bytes = 1}},
                            {1 << 20, {.enter_bytes = 1}}};

typedef struct outcome {
    dg_status status;
    dg_buf text;
    dg_run_error error;
    size_t first; /* how much of the text had come when something left */
} outcome;

static void run_stream(dg_runner *runner, const dg_program *program, generator *g, const cuts *how,
                       dg_slice in, outcome *ret)
{
    dg_stream *stream;
    dg_buf_init(&ret->text, 0);
    ret->first = SIZE_MAX;
    assert_int_equal(dg_stream_new(runner, program, &how->limits, &stream), DG_OK);
    size_t at = 0;
    do {
        size_t step = how->step ? how->step : generate_number(g, 12), left = in.len - at;
        step = step < left ? step : left;
        /* A piece of its own, that nothing may look beyond. */
        char *piece = malloc(step + 1);
        assert_non_null(piece);
        memcpy(piece, in.ptr + at, step);
        bool last = at + step == in.len && (left == 0 || how->step || generate_number(g, 2));
        ret->status = dg_stream_feed(stream, dg_slice_of(piece, step), last, &ret->text,
                                     &ret->error);
        free(piece);
        at += step;
        if (ret->text.len && ret->first == SIZE_MAX)
            ret->first = at;
        if (last)
            break;
    } while (ret->status == DG_OK);
    if (ret->status != DG_OK) {
        dg_run_error again;
        size_t len = ret->text.len;
        assert_int_equal(dg_stream_feed(stream, DG_SLICE("]"), true, &ret->text, &again),
                         ret->status);
        assert_int_equal(ret->text.len, len);
        assert_int_equal(again.offset, ret->error.offset);
    }
    dg_stream_free(stream);
}

static bool same(const outcome *want, const outcome *have, size_t len)
{
    if (want->status == DG_OK)
        return have->status == DG_OK &&
               dg_slice_eq(dg_buf_slice(&want->text), dg_buf_slice(&have->text));
    if (have->status == DG_OK)
        return false;
    const dg_run_error *a = &want->error, *b = &have->error;
    if (strcmp(a->message, "bytes that are no UTF-8") == 0 && b->offset < a->offset)
        return true; /* what is wrong first */
    if (a->offset == len && want->status == DG_SYNTAX) /* what was missed there may have several names */
        return have->status == DG_SYNTAX && b->offset + 6 > len;
    return want->status == have->status && a->offset == b->offset &&
           strcmp(a->message, b->message) == 0 && strcmp(a->pointer, b->pointer) == 0 &&
           a->origin.file == b->origin.file && a->origin.line == b->origin.line;
}

static void show(const char *name, const outcome *o)
{
    print_message("%s: %s %.*s", name, dg_status_text(o->status),
                  DG_SLICE_FMT(dg_buf_slice(&o->text)));
    if (o->status != DG_OK)
        print_message(" (%s at %zu, %s)", o->error.message, o->error.offset, o->error.pointer);
    print_message("\n");
}

static void compare(dg_runner *runner, const dg_program *program, generator *g, dg_slice in,
                    tally *t, uint64_t seed)
{
    outcome want = {0};
    dg_buf_init(&want.text, 0);
    want.status = dg_run(runner, program, in, &want.text, &want.error);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        outcome have = {0};
        run_stream(runner, program, g, &ways[i], in, &have);
        if (!same(&want, &have, in.len)) {
            print_message("seed %llu, way %zu\nin  : %.*s\n", (unsigned long long)seed, i,
                          DG_SLICE_FMT(in));
            show("want", &want);
            show("have", &have);
            fail();
        }
        t->early += have.status == DG_OK && have.first < in.len;
        t->runs++;
        dg_buf_free(&have.text);
    }
    t->same += want.status == DG_OK;
    t->refused += want.status != DG_OK;
    dg_buf_free(&want.text);
}

/* Breaks a text somewhere, or not. */
static void mutate(generator *g, dg_buf *text)
{
    static const char bytes[] = "{}[]:,\"\\ 0-.ex\x01\x80\xff\xe2";
    if (text->len == 0 || generate_number(g, 3) > 0)
        return;
    size_t at = generate_number(g, (uint32_t)text->len);
    if (generate_number(g, 4) == 0)
        text->len = at;
    else
        text->ptr[at] = bytes[generate_number(g, sizeof bytes - 1)];
}

static void one_program(uint64_t seed, tally *t)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    generator g = {.state = seed * 0x9E3779B97F4A7C15u + 3, .arena = &arena};
    g.lens = dg_arena_zalloc(&arena, sizeof *g.lens);
    *g.lens = *generate_list(&g, 2);
    const dg_ops *steps[STEPS_MAX];
    size_t step_count = generate_number(&g, STEPS_MAX + 1);
    for (size_t i = 0; i < step_count; i++)
        steps[i] = generate_list(&g, 2);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_program *program;
    dg_runner *runner;
    if (dg_program_compile(steps, step_count, &diags, &program) == DG_OK) {
        t->compiled++;
        assert_int_equal(dg_runner_new(&runner), DG_OK);
        for (int i = 0; i < DOCUMENTS; i++) {
            dg_buf in;
            dg_buf_init(&in, 0);
            g.spaces = i % 2;
            generate_document(&g, &in);
            mutate(&g, &in);
            compare(runner, program, &g, dg_buf_slice(&in), t, seed);
            dg_buf_free(&in);
        }
        dg_runner_free(runner);
        dg_program_free(program);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void any_cut_gives_the_same(void **state)
{
    (void)state;
    tally t = {0};
    const char *only = getenv("DG_SEED"), *from = getenv("DG_SEED_FROM");
    if (only) {
        one_program(strtoull(only, NULL, 10), &t);
        return;
    }
    uint64_t first = from ? strtoull(from, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + PROGRAMS; seed++)
        one_program(seed, &t);
    print_message("%zu programs, %zu texts, %zu refused; %zu of %zu streams began early\n",
                  t.compiled, t.same, t.refused, t.early, t.runs);
    assert_true(t.compiled > PROGRAMS / 5 && t.same > PROGRAMS && t.refused > PROGRAMS / 5);
    assert_true(t.early > t.runs / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_cut_gives_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
