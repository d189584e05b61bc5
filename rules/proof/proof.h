/* Proof that a pack does what it says: its examples, and the laws of packs (laws.h).
 *
 * Pure but for reading the pack's folder. One thread. */
#ifndef DG_RULES_PROOF_PROOF_H
#define DG_RULES_PROOF_PROOF_H

#include "rules/proof/example.h"

/* Whole messages from one version to another, as the proxy does it; proxy/message/replay.h says
 * how. */
typedef dg_status dg_replay_function(const dg_ruleset *rules, dg_runner *runner,
                                     const char *version, dg_slice json, dg_buf *out,
                                     dg_run_error *ret_error);
typedef struct dg_replayer {
    dg_replay_function *request, *answer;
} dg_replayer;

/* A pack at work. */
typedef struct dg_proof dg_proof;

/* Loads the pack. `dir` and `diags` must outlive the proof. As dg_ruleset_load. */
DG_MUST_USE dg_status dg_proof_open(const char *dir, const dg_replayer *replayer, dg_diags *diags,
                                    dg_proof **ret_proof);
void dg_proof_close(dg_proof *proof); /* NULL is fine */
const dg_api *dg_proof_api(const dg_proof *proof);
/* The rules for a backend of that version, loaded when they are first asked for. */
DG_MUST_USE dg_status dg_proof_rules(dg_proof *proof, size_t backend, const dg_ruleset **ret_rules);
dg_runner *dg_proof_runner(dg_proof *proof);

/* What an example says that is not so. */
typedef struct dg_finding {
    struct dg_finding *next;
    const char *what;    /* "the request of a v1 client" */
    const char *refusal; /* why nothing came out of it; NULL: something did, and it differs */
    dg_origin op;        /* that refused, or no file */
    const dg_difference *differences;
    size_t difference_count; /* no more than DG_DIFFERENCES_MAX of them are kept */
} dg_finding;

/* *ret_first NULL: it is all so. Findings live in the arena; *ret_count: how many things were
 * checked. DG_NOMEM, DG_IO. */
DG_MUST_USE dg_status dg_example_check(dg_proof *proof, dg_arena *arena, const dg_example *example,
                                       const dg_finding **ret_first, size_t *ret_count);

#endif
