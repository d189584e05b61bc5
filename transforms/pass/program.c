/* Compiling: the lists are checked, joined into one sequence, and tried out on the names that they
 * mention. */
#include <stdatomic.h>
#include <stdlib.h>

#include "transforms/pass/check.h"
#include "transforms/pass/strict.h"

/* Whether a list does nothing, ever; false when `budget` lists do not suffice to find out. */
static bool does_nothing(const dg_ops *list, unsigned *budget)
{
    if (*budget == 0)
        return false;
    --*budget;
    for (size_t i = 0; i < list->count; i++) {
        const dg_op *op = &list->items[i];
        bool holds = op->kind == DG_OP_IN || op->kind == DG_OP_EACH || op->kind == DG_OP_MEMBERS ||
                     dg_op_is_list(op);
        if (!holds || !does_nothing(op->body, budget))
            return false;
    }
    return true;
}

static dg_status join(const dg_ops *const *steps, size_t step_count, dg_program *program)
{
    size_t count = 0, at = 0;
    unsigned budget = DG_LISTS_MAX;
    program->identity = program->streams = true;
    for (size_t i = 0; i < step_count; i++) {
        count += steps[i]->count;
        program->identity &= does_nothing(steps[i], &budget);
    }
    if (program->identity)
        return DG_OK; /* no items */
    program->items = malloc((count + 1) * sizeof *program->items);
    if (!program->items)
        return DG_NOMEM;
    for (size_t i = 0; i < step_count; i++)
        for (size_t k = 0; k < steps[i]->count; k++)
            program->items[at++] = dg_item_of(&steps[i]->items[k], DG_ITEM_OP);
    program->item_count = (uint32_t)count;
    return DG_OK;
}

/* Where the last op stands. */
static dg_origin last_origin(const dg_ops *const *steps, size_t count)
{
    while (count && steps[count - 1]->count == 0)
        count--;
    const dg_ops *last = count ? steps[count - 1] : NULL;
    return last ? last->items[last->count - 1].origin : (dg_origin){0};
}

dg_status dg_program_compile(const dg_ops *const *steps, size_t step_count, dg_diags *diags,
                             dg_program **ret_program)
{
    static const dg_program_options options;
    return dg_program_compile_with(steps, step_count, &options, diags, ret_program);
}

dg_status dg_program_compile_with(const dg_ops *const *steps, size_t step_count,
                                  const dg_program_options *options, dg_diags *diags,
                                  dg_program **ret_program)
{
    static atomic_uint_fast64_t ids;
    size_t count = 0;
    dg_check *check = calloc(1, sizeof *check);
    dg_program *program = calloc(1, sizeof *program);
    dg_status status = check && program ? DG_OK : DG_NOMEM;
    if (status == DG_OK) {
        check->diags = diags;
        program->options = *options;
        program->strict = dg_strict_checks(options);
        program->id = atomic_fetch_add(&ids, 1) + 1;
        for (size_t i = 0; i < step_count; i++) {
            dg_check_list(check, steps[i]);
            count += steps[i]->count;
        }
        if (count > DG_SEQUENCE_MAX) {
            check->wrong = true;
            dg_diags_add(diags, DG_ERROR, last_origin(steps, step_count),
                         "all that happens to one message, from one version to another, is %zu "
                         "ops, more than %d",
                         count, (int)DG_SEQUENCE_MAX);
        }
        if (check->failed)
            status = DG_NOMEM;
        else if (check->wrong)
            status = DG_INVALID;
    }
    if (status == DG_OK)
        status = join(steps, step_count, program);
    if (status == DG_OK && !program->identity)
        status = dg_check_trial(check, program);
    if (status == DG_OK && check->wrong)
        status = DG_INVALID;
    free(check);
    if (status != DG_OK) {
        dg_program_free(program);
        return status;
    }
    *ret_program = program;
    return DG_OK;
}

void dg_program_free(dg_program *program)
{
    if (!program)
        return;
    free(program->items);
    free(program);
}

bool dg_program_is_identity(const dg_program *program)
{
    return program->identity && !program->strict;
}

bool dg_program_streams(const dg_program *program)
{
    return program->streams && !program->strict;
}
