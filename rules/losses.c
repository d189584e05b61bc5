#include "rules/losses.h"

#include "rules/compiled.h"

static void add_list(const dg_ops **lists, size_t *count, const dg_ops *ops)
{
    if (ops)
        lists[(*count)++] = ops;
}

enum { LISTS_OF_SIDE = 5 };

/* All lists of a change: what its endpoints bind, and lenses that nothing uses. */
static const dg_ops **lists_of(dg_arena *arena, const dg_change *change, size_t *ret_count)
{
    size_t room = change->lens_count + 1, count = 0;
    for (size_t i = 0; i < change->binding_count; i++)
        room += change->bindings[i].side_count * LISTS_OF_SIDE;
    const dg_ops **lists = dg_arena_alloc(arena, room * sizeof *lists);
    if (!lists)
        return NULL;
    for (size_t i = 0; i < change->binding_count; i++)
        for (size_t k = 0; k < change->bindings[i].side_count; k++) {
            const dg_side *side = &change->bindings[i].sides[k];
            add_list(lists, &count, side->path);
            add_list(lists, &count, side->query);
            add_list(lists, &count, side->headers);
            add_list(lists, &count, side->body.up);
            add_list(lists, &count, side->message);
        }
    for (size_t i = 0; i < change->lens_count; i++)
        lists[count++] = &change->lenses[i].ops;
    *ret_count = count;
    return lists;
}

dg_status dg_ruleset_losses(const dg_ruleset *ruleset, dg_loss_visit *visit, void *context)
{
    dg_status status = DG_OK;
    for (size_t i = 0; i < ruleset->api_count; i++) {
        const dg_compiled_api *api = &ruleset->apis[i];
        for (size_t v = 0; status == DG_OK && v + 1 < api->api.version_count; v++) {
            const dg_loss *loss = NULL;
            size_t count = 0;
            dg_arena arena;
            dg_arena_init(&arena, 0);
            const dg_ops **lists = lists_of(&arena, api->pack.chain[v], &count);
            status = lists ? dg_ops_losses(&arena, lists, count, &loss) : DG_NOMEM;
            for (; status == DG_OK && loss; loss = loss->next)
                visit(context, &api->api, &api->api.versions[v], &api->api.versions[v + 1], loss);
            dg_arena_free(&arena);
        }
    }
    return status;
}
