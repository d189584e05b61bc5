/* The jobs of job.h as programs. */
#ifndef DG_BENCH_PROGRAM_H
#define DG_BENCH_PROGRAM_H

#include "bench/engine/job.h"
#include "transforms/program.h"

/* Of the longest chain: the job, and then a rename a step. */
enum { BENCH_STEPS = 50 };

/* Ends the process if memory runs out. Not for several threads. */
dg_program *bench_program(bench_job job, size_t steps);

#endif
