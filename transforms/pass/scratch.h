/* Where staged values (lexicon.h) are between one stage and the next: two buffers for each stage
 * that is under way, and the working memory of the ops on whole values. One per runner; grows with
 * what messages need, and stays. Internal to the room. */
#ifndef DG_TRANSFORMS_SCRATCH_H
#define DG_TRANSFORMS_SCRATCH_H

#include "transforms/pattern.h"
#include "transforms/whole/whole.h"

/* Stages under way at a time: those that follow each other on one value, and those of values within
 * it. */
enum { DG_STAGES_MAX = 512 };

typedef struct dg_stage {
    dg_buf written; /* by what comes before the ops */
    dg_buf applied; /* by the ops */
} dg_stage;

typedef struct dg_scratch {
    dg_whole *whole;
    dg_matcher matcher;
    dg_stage *stages[DG_STAGES_MAX];
    unsigned depth; /* how many are under way */
} dg_scratch;

void dg_scratch_init(dg_scratch *scratch);
void dg_scratch_free(dg_scratch *scratch);

/* The next stage, with empty buffers, `applied` of at most `bytes_max` (0 = no limit), valid until
 * dg_scratch_leave. DG_LIMIT: too many are under way; DG_NOMEM. */
DG_MUST_USE dg_status dg_scratch_enter(dg_scratch *scratch, size_t bytes_max, dg_stage **ret_stage);
void dg_scratch_leave(dg_scratch *scratch);

#endif
