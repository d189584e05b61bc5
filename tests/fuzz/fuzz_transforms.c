/* The first four bytes choose a program, the rest is the text. The engine agrees with the plain
 * reference about texts that are JSON, refuses the others, and says the same again when it has
 * learned. */
#include <stdio.h>
#include <stdlib.h>

#include "generate.h"
#include "reference.h"
#include "transforms/program.h"
#include "transforms/text/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static bool is_json(dg_slice text)
{
    dg_scan s = {.end = text.ptr + text.len};
    const char *p = dg_scan_value(&s, dg_scan_space(&s, text.ptr), 0);
    return p && dg_scan_space(&s, p) == s.end && !dg_utf8_fault(text.ptr, s.end);
}

static void pad(dg_buf *buf)
{
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(buf, "\":,}]1\\ "[i % 8]);
    buf->len -= DG_JSON_PADDING;
}

static void try_text(const dg_program *program, const dg_ops *const *steps, size_t step_count,
                     dg_slice in)
{
    dg_runner *runner;
    dg_buf out, again, expected;
    dg_arena arena;
    dg_run_error error = {0};
    dg_arena_init(&arena, 0);
    dg_buf_init(&out, 0);
    dg_buf_init(&again, 0);
    dg_buf_init(&expected, 0);
    require(dg_runner_new(&runner) == DG_OK, "a runner");
    dg_status status = dg_run(runner, program, in, &out, &error);
    require(dg_run(runner, program, in, &again, &error) == status, "the same status again");
    require(dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&again)), "the same text again");
    require(status == DG_OK || (out.len == 0 && error.message && error.offset <= in.len),
            "an error");
    bool json = is_json(in);
    require(json || status != DG_OK, "a broken text is refused");
    if (status == DG_OK) {
        pad(&out);
        require(is_json(dg_buf_slice(&out)) || out.len > in.len, "the result is JSON");
    }
    if (json && status != DG_LIMIT) {
        dg_status want = reference_run(&arena, steps, step_count, in, &expected);
        bool stricter = want == DG_OK && status == DG_INVALID && reference_forgave();
        require(want == DG_LIMIT || want == status || stricter, "the reference's status");
        require(want != DG_OK || stricter || dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&expected)),
                "the reference's text");
    }
    dg_runner_free(runner);
    dg_buf_free(&out);
    dg_buf_free(&again);
    dg_buf_free(&expected);
    dg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > 20000)
        return 0;
    dg_arena arena;
    dg_diags diags;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    uint32_t seed;
    memcpy(&seed, data, 4);
    generator g = {.state = (seed + 1) * 0x9E3779B97F4A7C15u, .arena = &arena};
    g.whole = seed % 2 ? 0 : 20;
    g.lens = dg_arena_zalloc(&arena, sizeof *g.lens);
    *g.lens = *generate_list(&g, 2);
    const dg_ops *steps[3];
    size_t step_count = 1 + generate_number(&g, 3);
    for (size_t i = 0; i < step_count; i++)
        steps[i] = generate_list(&g, 2);
    dg_program *program;
    if (dg_program_compile(steps, step_count, &diags, &program) == DG_OK) {
        dg_buf in;
        dg_buf_init(&in, 0);
        dg_buf_add(&in, dg_slice_of(data + 4, size - 4));
        pad(&in);
        try_text(program, steps, step_count, dg_buf_slice(&in));
        dg_buf_free(&in);
        dg_program_free(program);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    return 0;
}
