/* A hundred runs of 2 KB (indented: 3 KB), distinct, in steady state, for callgrind to count: what
 * is inside counted_run. The argument says how the messages look. Prints how many bytes they had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/engine/messages.h"
#include "bench/engine/program.h"

enum { RUNS = 100 };

static const struct {
    const char *name;
    bench_kind kind;
} KINDS[] = {{"ordered", {2, 2, BENCH_IN_ORDER, false}},
             {"omitted", {3, 3, BENCH_OMITTED, false}},
             {"shuffled", {2, 2, BENCH_SHUFFLED, false}},
             {"unknown", {2, 2, BENCH_UNKNOWN, false}},
             {"indented", {2, 2, BENCH_IN_ORDER, true}}};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

void counted_run(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out);

__attribute__((noinline)) void counted_run(dg_runner *runner, const dg_program *program,
                                           dg_slice in, dg_buf *out)
{
    dg_buf_clear(out);
    if (dg_run(runner, program, in, out, NULL) != DG_OK)
        abort();
}

int main(int argc, char **argv)
{
    static bench_messages m;
    size_t which = 0;
    while (argc == 2 && which < KIND_COUNT && strcmp(argv[1], KINDS[which].name) != 0)
        which++;
    if (argc != 2 || which == KIND_COUNT) {
        fprintf(stderr, "usage: bench_count KIND\n");
        return 2;
    }
    dg_program *program = bench_program(BENCH_ORDERS, 1);
    dg_runner *runner;
    dg_buf out;
    size_t bytes = 0;
    dg_buf_init(&out, 0);
    bench_messages_make(&m, &KINDS[which].kind);
    if (dg_runner_new(&runner) != DG_OK || m.count < RUNS)
        abort();
    for (size_t i = 0; i < RUNS; i++) {
        dg_buf_clear(&out);
        if (dg_run(runner, program, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]), &out, NULL) !=
            DG_OK)
            abort();
    }
    for (size_t i = 0; i < RUNS; i++) {
        counted_run(runner, program, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]), &out);
        bytes += m.len[i];
    }
    printf("%zu\n", bytes);
    dg_buf_free(&m.bytes);
    dg_buf_free(&out);
    dg_runner_free(runner);
    dg_program_free(program);
    return 0;
}
