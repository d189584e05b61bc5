/* A hundred runs of 2 KB, distinct, in steady state, for callgrind to count: what is inside
 * counted_run. Prints how many bytes they had. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/engine/messages.h"
#include "bench/engine/program.h"

enum { RUNS = 100 };

void counted_run(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out);

__attribute__((noinline)) void counted_run(dg_runner *runner, const dg_program *program,
                                           dg_slice in, dg_buf *out)
{
    dg_buf_clear(out);
    if (dg_run(runner, program, in, out, NULL) != DG_OK)
        abort();
}

int main(void)
{
    static bench_messages m;
    const bench_kind kind = {.orders = 2, .items = 2};
    dg_program *program = bench_program(BENCH_ORDERS, 1);
    dg_runner *runner;
    dg_buf out;
    size_t bytes = 0;
    dg_buf_init(&out, 0);
    bench_messages_make(&m, &kind);
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
