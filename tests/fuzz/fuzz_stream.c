/* The first four bytes choose a program, the next four where the text is cut, the rest is the text: a stream says
 * what a run on the whole says. */
#include <stdio.h>
#include <stdlib.h>

#include "generate.h"
#include "transforms/sequence.h"
#include "transforms/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void try_stream(dg_runner *runner, const dg_program *program, generator *g, dg_slice in)
{
    dg_buf whole, out;
    dg_run_error error = {0};
    dg_stream *stream;
    const dg_stream_limits limits = {.enter_bytes = 1 + generate_number(g, 40)};
    dg_buf_init(&whole, 0);
    dg_buf_init(&out, 0);
    dg_status want = dg_run(runner, program, in, &whole, NULL);
    require(dg_stream_new(runner, program, &limits, &stream) == DG_OK, "a stream");
    dg_status status = DG_OK;
    for (size_t at = 0; status == DG_OK && at <= in.len;) {
        size_t step = 1 + generate_number(g, 30), left = in.len - at;
        bool last = step > left;
        status = dg_stream_feed(stream, dg_slice_of(in.ptr + at, last ? left : step), last, &out, &error);
        at += step;
    }
    require((status == DG_OK) == (want == DG_OK), "the same verdict");
    require(status != DG_OK || dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&whole)), "the same text");
    require(status == DG_OK || (error.message && error.offset <= in.len), "an error");
    dg_stream_free(stream);
    dg_buf_free(&whole);
    dg_buf_free(&out);
}

static void try_sequence(dg_runner *runner, const dg_program *program, generator *g, dg_slice in,
                         dg_sequence_kind kind)
{
    dg_buf outs[2];
    dg_status status[2];
    for (int i = 0; i < 2; i++) {
        dg_sequence *sequence;
        status[i] = DG_OK;
        dg_buf_init(&outs[i], 0);
        require(dg_sequence_new(runner, program, kind, 0, &sequence) == DG_OK, "a sequence");
        for (size_t at = 0; status[i] == DG_OK && at <= in.len;) {
            size_t step = i ? 1 + generate_number(g, 30) : in.len + 1, left = in.len - at;
            bool last = step > left;
            status[i] = dg_sequence_feed(sequence, dg_slice_of(in.ptr + at, last ? left : step), last, &outs[i], NULL);
            at += step;
        }
        dg_sequence_free(sequence);
    }
    require(status[0] == status[1], "the same verdict on items");
    require(dg_slice_eq(dg_buf_slice(&outs[0]), dg_buf_slice(&outs[1])), "the same items");
    dg_buf_free(&outs[0]);
    dg_buf_free(&outs[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8 || size > 20000)
        return 0;
    dg_arena arena;
    dg_diags diags;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    uint32_t seed, cuts;
    memcpy(&seed, data, 4);
    memcpy(&cuts, data + 4, 4);
    generator g = {.state = (seed + 1) * 0x9E3779B97F4A7C15u, .arena = &arena, .whole = seed % 3 ? 0 : 30};
    g.lens = dg_arena_zalloc(&arena, sizeof *g.lens);
    *g.lens = *generate_list(&g, 2);
    const dg_ops *steps[2];
    size_t step_count = generate_number(&g, 3);
    for (size_t i = 0; i < step_count; i++)
        steps[i] = generate_list(&g, 2);
    g.state ^= cuts * 0x9E3779B97F4A7C15u;
    dg_program *program;
    dg_runner *runner = NULL;
    if (dg_program_compile(steps, step_count, &diags, &program) == DG_OK) {
        dg_buf in;
        dg_buf_init(&in, 0);
        dg_buf_add(&in, dg_slice_of(data + 8, size - 8));
        require(dg_buf_reserve(&in, DG_JSON_PADDING) == DG_OK && dg_runner_new(&runner) == DG_OK, "memory");
        memset(in.ptr + in.len, ' ', DG_JSON_PADDING);
        try_stream(runner, program, &g, dg_buf_slice(&in));
        try_sequence(runner, program, &g, dg_buf_slice(&in), DG_SEQUENCE_LINES);
        try_sequence(runner, program, &g, dg_buf_slice(&in), DG_SEQUENCE_EVENTS);
        dg_runner_free(runner);
        dg_program_free(program);
        dg_buf_free(&in);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    return 0;
}
