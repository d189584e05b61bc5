#include "transforms/pass/scratch.h"

#include <stdlib.h>

void dg_scratch_init(dg_scratch *scratch)
{
    *scratch = (dg_scratch){0};
    dg_matcher_init(&scratch->matcher);
}

void dg_scratch_free(dg_scratch *scratch)
{
    dg_whole_free(scratch->whole);
    dg_matcher_free(&scratch->matcher);
    for (unsigned i = 0; i < DG_STAGES_MAX && scratch->stages[i]; i++) {
        dg_buf_free(&scratch->stages[i]->written);
        dg_buf_free(&scratch->stages[i]->applied);
        free(scratch->stages[i]);
    }
    *scratch = (dg_scratch){0};
}

dg_status dg_scratch_enter(dg_scratch *scratch, size_t bytes_max, dg_stage **ret_stage)
{
    if (scratch->depth == DG_STAGES_MAX)
        return DG_LIMIT;
    if (!scratch->whole) {
        dg_status status = dg_whole_new(&scratch->whole);
        if (status != DG_OK)
            return status;
        dg_whole_match_with(scratch->whole, &scratch->matcher);
    }
    dg_stage *stage = scratch->stages[scratch->depth];
    if (!stage) {
        if (!(stage = malloc(sizeof *stage)))
            return DG_NOMEM;
        dg_buf_init(&stage->written, 0);
        dg_buf_init(&stage->applied, 0);
        scratch->stages[scratch->depth] = stage;
    }
    dg_buf_clear(&stage->written);
    dg_buf_clear(&stage->applied);
    stage->applied.bytes_max = bytes_max;
    scratch->depth++;
    *ret_stage = stage;
    return DG_OK;
}

void dg_scratch_leave(dg_scratch *scratch)
{
    scratch->depth--;
}
