/* A runner: what its runs and streams share, one call after the other. Internal to the room. */
#ifndef DG_TRANSFORMS_RUNNER_H
#define DG_TRANSFORMS_RUNNER_H

#include "transforms/pass/run.h"
#include "transforms/pass/strict.h"

struct dg_runner {
    dg_lexicon **lexicons;
    size_t count, cap;
    dg_lexicon *last;
    dg_buf spill;
    dg_scratch scratch;
    dg_strict strict;
    dg_tokens tokens;
    bool (*run_text)(dg_run_state *r, dg_slice in, dg_node *root);
};

/* Whether the functions for AVX2 (isa.h) run here. */
bool dg_run_is_wide(void);

#endif
