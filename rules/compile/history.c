#include "rules/compile/history.h"

#include "rules/compile/compiled.h"

bool dg_ruleset_step(const dg_ruleset *ruleset, const dg_api *api, size_t step,
                     dg_step_told *ret_step)
{
    if (step + 1 >= api->version_count)
        return false;
    const dg_change *change = ruleset->apis[api->index].pack.chain[step];
    *ret_step = (dg_step_told){.title = change->title,
                               .origin = change->origin,
                               .older = &api->versions[step],
                               .newer = &api->versions[step + 1],
                               .endpoints = change->binding_count};
    for (size_t i = 0; i < change->binding_count; i++) {
        ret_step->renamed += change->bindings[i].fate == DG_BECOMES;
        ret_step->removed += change->bindings[i].fate == DG_REMOVED;
        ret_step->added += change->bindings[i].fate == DG_ADDED;
    }
    return true;
}
