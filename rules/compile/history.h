/* The changes of an API, in their order. */
#ifndef DG_RULES_HISTORY_H
#define DG_RULES_HISTORY_H

#include "rules/ruleset.h"

typedef struct dg_step_told {
    const char *title;
    dg_origin origin;
    const dg_version *older, *newer;
    size_t endpoints; /* entries of the change: those that stay, become others, go and come */
    size_t renamed, removed, added;
} dg_step_told;

/* The change between version `step` and the next. False when there is none. What it tells lives as
 * long as the rule set. */
bool dg_ruleset_step(const dg_ruleset *ruleset, const dg_api *api, size_t step,
                     dg_step_told *ret_step);

#endif
