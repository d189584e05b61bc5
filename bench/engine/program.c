#include "bench/engine/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
static const dg_value_pair pairs[] = {{S("\"paid\""), S("\"PAID\"")},
                                      {S("\"shipped\""), S("\"UNDER_WAY\"")},
                                      {S("\"on_hold\""), S("\"WAITING\"")},
                                      {S("\"cancelled\""), S("\"CANCELLED\"")}};
static const dg_op status_ops[] = {
    {.kind = DG_OP_VALUES, .pairs = pairs, .pair_count = 4, .unknown = DG_UNKNOWN_PASS}};
static const dg_ops status_list = {status_ops, 1};
static const dg_op order_ops[] = {
    {.kind = DG_OP_DROP, .name = S("internal_notes")},
    {.kind = DG_OP_IN, .name = S("order_status"), .body = &status_list},
    {.kind = DG_OP_RENAME, .name = S("order_status"), .to = S("status")},
    {.kind = DG_OP_RENAME, .name = S("customer_email"), .to = S("email_address")},
    {.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL}};
static const dg_ops order_list = {order_ops, 5};
static const dg_op list_ops[] = {{.kind = DG_OP_UNWRAP, .name = S("data")},
                                 {.kind = DG_OP_EACH, .body = &order_list}};
static const dg_ops list = {list_ops, 2};

/* A chain of versions: the translation, and then a rename a step. */
static char step_names[BENCH_STEPS + 1][16];
static dg_op step_ops[BENCH_STEPS][1];
static dg_op step_each[BENCH_STEPS][1];
static dg_ops step_bodies[BENCH_STEPS], step_lists[BENCH_STEPS];
static const dg_ops *steps[BENCH_STEPS] = {&list};

static void make_chain(void)
{
    for (size_t i = 0; i <= BENCH_STEPS; i++)
        snprintf(step_names[i], sizeof step_names[i], i == 1 ? "currency" : "currency%zu", i);
    for (size_t i = 1; i < BENCH_STEPS; i++) {
        step_ops[i][0] = (dg_op){.kind = DG_OP_RENAME,
                                 .name = dg_slice_str(step_names[i]),
                                 .to = dg_slice_str(step_names[i + 1])};
        step_bodies[i] = (dg_ops){step_ops[i], 1};
        step_each[i][0] = (dg_op){.kind = DG_OP_EACH, .body = &step_bodies[i]};
        step_lists[i] = (dg_ops){step_each[i], 1};
        steps[i] = &step_lists[i];
    }
}

static const dg_op case_ops[] = {{.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL}};
static const dg_ops case_list = {case_ops, 1};
static const dg_op rename_ops[] = {{.kind = DG_OP_RENAME, .name = S("meta"), .to = S("about")}};
static const dg_ops rename_list = {rename_ops, 1};
dg_program *bench_program(bench_job job, size_t count)
{
    const dg_ops *alone = job == BENCH_KEYS ? &case_list : &rename_list;
    dg_diags diags;
    dg_program *program;
    dg_diags_init(&diags);
    make_chain();
    if (dg_program_compile(job == BENCH_ORDERS ? steps : &alone, job == BENCH_ORDERS ? count : 1,
                           &diags, &program) != DG_OK)
        abort();
    dg_diags_free(&diags);
    return program;
}
