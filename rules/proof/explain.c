#include "rules/proof/explain.h"

#include "rules/compile/compiled.h"

/* The list as one on the document. */
static const dg_ops *in_body(dg_arena *arena, const dg_ops *list)
{
    dg_op *op = dg_arena_zalloc(arena, sizeof *op);
    dg_ops *ops = dg_arena_alloc(arena, sizeof *ops);
    if (!op || !ops)
        return NULL;
    *op = (dg_op){.kind = DG_OP_IN, .name = DG_SLICE("body"), .body = list};
    *ops = (dg_ops){op, 1};
    return ops;
}

static dg_status add_list(dg_arena *arena, const dg_ops *list, bool body, dg_step *steps,
                          size_t *count)
{
    if (!list || list->count == 0)
        return DG_OK;
    if (body)
        list = in_body(arena, list);
    return list ? dg_steps_add(arena, list, steps, count) : DG_NOMEM;
}

static dg_status add_side(dg_arena *arena, const dg_side *side, bool up, dg_step *steps,
                          size_t *count)
{
    const dg_two_ways *around = side->message ? &side->whole : &side->around;
    dg_status status = add_list(arena, up ? around->up : around->down, false, steps, count);
    if (status == DG_OK && !side->message)
        status = add_list(arena, up ? side->body.up : side->body.down, true, steps, count);
    return status;
}

static const dg_version *version_named(const dg_api *api, const char *name)
{
    for (size_t i = 0; i < api->version_count; i++)
        if (strcmp(api->versions[i].name, name) == 0)
            return &api->versions[i];
    return NULL;
}

dg_status dg_explain_way(dg_arena *arena, const dg_ruleset *rules, const char *from, const char *to,
                         const char *method_path, unsigned status, dg_diags *diags, dg_way *ret_way)
{
    dg_way way = {.count = 0};
    dg_status result =
        dg_ruleset_find_translation(rules, from, to, method_path, status, diags, &way.translation);
    if (result != DG_OK)
        return result;
    const dg_compiled_api *api = &rules->apis[0];
    const dg_version *a = version_named(&api->api, from), *b = version_named(&api->api, to);
    const dg_line *line = a ? dg_line_named(api, dg_slice_str(method_path), a->index) : NULL;
    const dg_side *sides[DG_VERSIONS_MAX];
    size_t count = 0;
    dg_step *steps = dg_arena_alloc(arena, DG_STEPS_MAX * sizeof *steps);
    if (!line || !b)
        return DG_NOT_FOUND;
    result =
        steps ? dg_chain_sides(api, line, status, a->index, b->index, sides, &count) : DG_NOMEM;
    for (size_t i = 0; i < count && result == DG_OK; i++)
        result = add_side(arena, sides[i], a->index < b->index, steps, &way.count);
    way.steps = steps;
    way.down = a->index > b->index;
    if (result == DG_OK)
        *ret_way = way;
    return result;
}

static dg_status tell(dg_arena *arena, dg_runner *runner, dg_buf *value, dg_buf *next,
                      dg_told *told)
{
    static const dg_loose strict = {.exact = true};
    dg_tree *before = NULL, *after = NULL;
    dg_buf_clear(next);
    told->before = dg_arena_dup(arena, dg_buf_slice(value));
    dg_status status =
        dg_ops_run(runner, &told->step->ops, dg_buf_slice(value), next, &told->error);
    if (status != DG_OK) {
        told->error.status = status;
        return status == DG_NOMEM ? status : DG_OK;
    }
    told->after = dg_arena_dup(arena, dg_buf_slice(next));
    status = dg_tree_read(arena, told->before, &before);
    if (status == DG_OK)
        status = dg_tree_read(arena, told->after, &after);
    if (status == DG_OK)
        told->differences = dg_compare(arena, before, after, "", &strict);
    dg_buf swap = *value;
    *value = *next;
    *next = swap;
    return arena->failed ? DG_NOMEM : status;
}

dg_status dg_explain_run(dg_arena *arena, dg_runner *runner, const dg_way *way, dg_slice document,
                         const dg_told **ret_told, size_t *ret_count)
{
    dg_tree *tree = NULL;
    dg_told *told = dg_arena_zalloc(arena, (way->count + 1) * sizeof *told);
    dg_status status = told ? dg_tree_read(arena, document, &tree) : DG_NOMEM;
    size_t count = 0;
    dg_buf value, next;
    if (status != DG_OK)
        return status;
    dg_buf_init(&value, 0);
    dg_buf_init(&next, 0);
    dg_buf_add(&value, document);
    status = dg_buf_reserve(&value, DG_JSON_PADDING);
    while (status == DG_OK && count < way->count) {
        told[count].step = &way->steps[count];
        status = tell(arena, runner, &value, &next, &told[count]);
        if (told[count++].error.status != DG_OK)
            break;
    }
    dg_buf_free(&value);
    dg_buf_free(&next);
    if (status == DG_OK) {
        *ret_told = told;
        *ret_count = count;
    }
    return status;
}
