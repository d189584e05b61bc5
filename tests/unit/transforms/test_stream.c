/* Streams against runs: however a text is cut, the result and the verdict are those of the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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
    generator g = {.state = seed * 0x9E3779B97F4A7C15u + 3, .arena = &arena,
                   .whole = seed % 3 == 0 ? 30 : 0};
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

/* ---- Large texts, made as they are read */

#define S(text) {"" text, sizeof(text) - 1}
static const dg_op item_ops[] = {{.kind = DG_OP_RENAME, .name = S("a"), .to = S("b")}};
static const dg_ops item_list = {item_ops, 1};
static const dg_op each_ops[] = {{.kind = DG_OP_EACH, .body = &item_list}};
static const dg_ops each_list = {each_ops, 1};
static const dg_op data_ops[] = {{.kind = DG_OP_UNWRAP, .name = S("data")},
                                 {.kind = DG_OP_EACH, .body = &item_list},
                                 {.kind = DG_OP_WRAP, .name = S("items")}};
static const dg_ops data_list = {data_ops, 3};
static const dg_op empty_ops[] = {{.kind = DG_OP_IN, .name = S("x"), .body = &each_list},
                                  {.kind = DG_OP_DROP, .name = S("x"), .if_empty = true}};
static const dg_ops empty_list = {empty_ops, 2};

typedef struct large {
    dg_runner *runner;
    dg_program *program;
    dg_stream *stream;
    dg_buf out;
    uint64_t in_bytes, out_bytes;
    dg_run_error error;
} large;

static void open_large(large *l, const dg_ops *list, const dg_stream_limits *limits)
{
    dg_diags diags;
    dg_diags_init(&diags);
    memset(l, 0, sizeof *l);
    assert_int_equal(dg_program_compile(&list, 1, &diags, &l->program), DG_OK);
    assert_int_equal(dg_runner_new(&l->runner), DG_OK);
    assert_int_equal(dg_stream_new(l->runner, l->program, limits, &l->stream), DG_OK);
    dg_diags_free(&diags);
}

static dg_status feed(large *l, const char *text, bool last)
{
    dg_status status = dg_stream_feed(l->stream, dg_slice_str(text), last, &l->out, &l->error);
    l->in_bytes += strlen(text);
    l->out_bytes += l->out.len;
    l->out.len = 0;
    return status;
}

static void close_large(large *l)
{
    dg_stream_free(l->stream);
    dg_runner_free(l->runner);
    dg_program_free(l->program);
    dg_buf_free(&l->out);
}

static long peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* DG_STREAM_MB: how large, for whoever wants to see a gigabyte. */
static void a_long_array_needs_little_memory(void **state)
{
    (void)state;
    enum { ITEMS = 1000 };
    const char *megabytes = getenv("DG_STREAM_MB");
    uint64_t bytes = (megabytes ? strtoull(megabytes, NULL, 10) : 64) << 20;
    large l;
    dg_buf piece;
    dg_buf_init(&piece, 0);
    for (int i = 0; i < ITEMS; i++)
        dg_buf_add_str(&piece, "{\"a\":12345,\"c\":[\"some text\",null,{\"a\":1}]} ,\n");
    dg_buf_add_char(&piece, '\0');
    open_large(&l, &data_list, NULL);
    long before = peak_kb();
    assert_int_equal(feed(&l, "{\"links\":null,\"data\":[", false), DG_OK);
    while (l.in_bytes < bytes) {
        uint64_t behind = l.in_bytes - l.out_bytes;
        assert_int_equal(feed(&l, piece.ptr, false), DG_OK);
        assert_true(l.in_bytes - l.out_bytes < behind + 100);
    }
    assert_int_equal(feed(&l, "{}],\"more\":1}", true), DG_OK);
    long grown = peak_kb() - before;
    print_message("%llu bytes, %ld KB more memory\n", (unsigned long long)l.in_bytes, grown);
#ifndef __SANITIZE_ADDRESS__
    assert_true(grown < 4096);
#endif
    assert_true(dg_program_streams(l.program));
    close_large(&l);
    dg_buf_free(&piece);
}

/* A string that nothing looks at; a number; a member that goes: none has to be held. */
static void long_scalars_pass_through(void **state)
{
    (void)state;
    char text[8193];
    static const char *const begins[] = {"[{\"a\":\"", "[{\"c\":-1", "[{\"c\":{\"d\":[\"", "{\"gone\":\"", "{\"gone\":[[\""};
    static const char *const fills[] = {"0123 \\u00e5 \\\\ ", "0123456789012345", "01,34]67}9:0123 ", "0123456789abcdef",
                                        "0123456789abcdef"};
    static const char *const ends[] = {"\"}]", "}]", "\"]}}]", "\",\"data\":[{\"a\":1}]}", "\"]],\"data\":[]}"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        large l;
        for (size_t k = 0; k < sizeof text - 1; k += 16)
            memcpy(text + k, fills[i], 16);
        text[sizeof text - 1] = '\0';
        open_large(&l, i < 3 ? &each_list : &data_list, NULL);
        assert_int_equal(feed(&l, begins[i], false), DG_OK);
        while (l.in_bytes < 10 << 20)
            assert_int_equal(feed(&l, text, false), DG_OK);
        assert_true(i >= 3 || l.in_bytes - l.out_bytes < 4 << 16);
        assert_int_equal(feed(&l, ends[i], true), DG_OK);
        assert_true(i < 3 ? l.in_bytes == l.out_bytes : l.out_bytes < 32);
        close_large(&l);
    }
}

static void what_has_to_wait_is_bounded(void **state)
{
    (void)state;
    large l;
    open_large(&l, &empty_list, &(dg_stream_limits){.held_bytes_max = 100000});
    assert_int_equal(feed(&l, "{\"b\":1,\"x\":[", false), DG_OK);
    dg_status status = DG_OK;
    while (status == DG_OK && l.in_bytes < 1 << 20)
        status = feed(&l, "{\"a\":12345},{\"a\":12345},{\"a\":12345},{\"a\":12345},", false);
    assert_int_equal(status, DG_LIMIT);
    assert_true(l.in_bytes > 100000 && l.in_bytes < 110000);
    assert_string_equal(l.error.pointer, "/x");
    close_large(&l);
}

static void errors_count_from_the_beginning(void **state)
{
    (void)state;
    large l;
    open_large(&l, &each_list, NULL);
    assert_int_equal(feed(&l, "[", false), DG_OK);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(feed(&l, "{\"a\":12345},", false), DG_OK);
    assert_int_equal(feed(&l, "{\"c\":{\"d/e\":[0,1,tru", false), DG_OK);
    assert_int_equal(feed(&l, "th]}}]", false), DG_SYNTAX);
    assert_int_equal(l.error.offset, 1 + 200000 * 12 + 17);
    assert_string_equal(l.error.pointer, "/200000/c/d~1e/2");
    close_large(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_long_array_needs_little_memory), /* first: peaks add up */
                                       cmocka_unit_test(any_cut_gives_the_same),
                                       cmocka_unit_test(long_scalars_pass_through),
                                       cmocka_unit_test(what_has_to_wait_is_bounded),
                                       cmocka_unit_test(errors_count_from_the_beginning)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
