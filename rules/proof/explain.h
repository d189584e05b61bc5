/* Which ops a message meets between two versions, one by one, and what each does to a value. */
#ifndef DG_RULES_PROOF_EXPLAIN_H
#define DG_RULES_PROOF_EXPLAIN_H

#include "rules/proof/compare.h"
#include "rules/proof/steps.h"
#include "rules/ruleset.h"

typedef struct dg_way {
    const dg_step
        *steps; /* on the document of the message (rules/ruleset.h): its body is at "body" */
    size_t count;
    bool down;                         /* each op does what undoes it */
    const dg_translation *translation; /* what they come to; NULL: nothing changes */
} dg_way;

/* As dg_ruleset_find_translation. The steps live in the arena. DG_LIMIT, DG_NOMEM, DG_NOT_FOUND. */
DG_MUST_USE dg_status dg_explain_way(dg_arena *arena, const dg_ruleset *rules, const char *from,
                                     const char *to, const char *method_path, unsigned status,
                                     dg_diags *diags, dg_way *ret_way);

/* What one step did. */
typedef struct dg_told {
    const dg_step *step;
    dg_slice before, after; /* the document, JSON; `after` is empty when the step refused */
    const dg_difference *differences; /* NULL: it changed nothing */
    dg_run_error error;               /* status DG_OK, or why it refused */
} dg_told;

/* Runs the steps on a document until one refuses. *ret_told has *ret_count entries. Everything
 * lives in the arena. DG_SYNTAX: the document is no JSON. DG_NOMEM. */
DG_MUST_USE dg_status dg_explain_run(dg_arena *arena, dg_runner *runner, const dg_way *way,
                                     dg_slice document, const dg_told **ret_told,
                                     size_t *ret_count);

#endif
