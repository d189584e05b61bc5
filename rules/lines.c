/* Endpoints through the versions: which one became which. */
#include <stdlib.h>

#include "rules/compiled.h"

static bool serves_method(const dg_template *rule, const dg_template *endpoint)
{
    return dg_slice_eq(rule->method, endpoint->method) || dg_slice_eq(rule->method, DG_SLICE("*"));
}

/* The binding that gives `name` another name: by its older or by its newer one; the exact method
 * wins. */
static const dg_binding *find_becomes(const dg_change *change, const dg_template *name,
                                      bool by_newer)
{
    const dg_binding *found = NULL;
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        const dg_template *side = by_newer ? &b->newer : &b->older;
        if (!b->becomes || !dg_template_same_path(side, name))
            continue;
        if (dg_slice_eq(side->method, name->method))
            return b;
        if (!found && serves_method(side, name))
            found = b;
    }
    return found;
}

/* A wildcard that moves what it covers, `name` too, but not by name. */
static const dg_binding *find_covering(const dg_change *change, const dg_template *name)
{
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        if (b->becomes && !dg_template_same_path(&b->older, name) &&
            dg_template_covers(&b->older, name))
            return b;
    }
    return NULL;
}

/* `name`, which has the path of `from`, as `to`: the parameters keep their numbers. */
static bool rename_endpoint(dg_arena *arena, const dg_template *name, const dg_template *from,
                            const dg_template *to, dg_template *ret_name)
{
    dg_segment *segs = dg_arena_alloc(arena, (to->count + 1) * sizeof *segs);
    if (!segs)
        return false;
    for (size_t i = 0; i < to->count; i++) {
        segs[i] = to->segments[i];
        for (size_t j = 0; segs[i].kind != DG_SEGMENT_LITERAL && j < from->count; j++)
            if (from->segments[j].kind != DG_SEGMENT_LITERAL &&
                from->segments[j].param == to->segments[i].param)
                segs[i].param = name->segments[j].param;
    }
    *ret_name = *to;
    ret_name->segments = segs;
    if (dg_slice_eq(to->method, DG_SLICE("*")))
        ret_name->method = name->method;
    return true;
}

static bool step_down(dg_compiled_api *api, const dg_line *line, size_t j)
{
    const dg_change *change = api->pack.chain[j];
    const dg_template *newer = &line->routes[j + 1].name;
    const dg_binding *b = find_becomes(change, newer, true);
    if (b)
        return rename_endpoint(api->pack.arena, newer, &b->newer, &b->older, &line->routes[j].name);
    b = find_becomes(change, newer, false);
    if (b) {
        dg_diags_add(api->pack.diags, DG_ERROR, line->origin,
                     "'%.*s %.*s' has no name in '%s', where that is another endpoint (%s:%u); "
                     "endpoints that "
                     "begin in a version are not supported yet",
                     DG_SLICE_FMT(newer->method), DG_SLICE_FMT(newer->path),
                     api->pack.versions[j].name, b->origin.file, b->origin.line);
        return false;
    }
    line->routes[j].name = *newer;
    return true;
}

static bool step_up(dg_compiled_api *api, const dg_line *line, size_t j)
{
    const dg_change *change = api->pack.chain[j];
    const dg_template *older = &line->routes[j].name;
    const dg_binding *b = find_becomes(change, older, false);
    if (b)
        return rename_endpoint(api->pack.arena, older, &b->older, &b->newer,
                               &line->routes[j + 1].name);
    b = find_covering(change, older);
    if (b) {
        dg_diags_add(api->pack.diags, DG_ERROR, b->origin,
                     "this covers '%.*s %.*s' too: say what that becomes",
                     DG_SLICE_FMT(older->method), DG_SLICE_FMT(older->path));
        return false;
    }
    line->routes[j + 1].name = *older;
    return true;
}

void dg_line_seed(dg_compiled_api *api, const dg_template *name, size_t index, dg_origin origin)
{
    for (size_t i = 0; i < api->line_count; i++)
        if (dg_template_same(&api->lines[i].routes[index].name, name))
            return;
    if (api->line_count == DG_ENDPOINTS_MAX) {
        dg_diags_add(api->pack.diags, DG_ERROR, origin, "the API has more than %d endpoints",
                     (int)DG_ENDPOINTS_MAX);
        return;
    }
    size_t versions = api->pack.api.version_count;
    dg_line *line = &api->lines[api->line_count];
    *line = (dg_line){.origin = origin};
    line->routes = dg_arena_zalloc(api->pack.arena, versions * sizeof *line->routes);
    if (!line->routes)
        return;
    line->routes[index].name = *name;
    bool good = true;
    for (size_t j = index; good && j-- > 0;)
        good = step_down(api, line, j);
    for (size_t j = index; good && j + 1 < versions; j++)
        good = step_up(api, line, j);
    api->line_count += good;
}

/* A rule for errors everywhere ("* / **": {error: ...}) is no endpoint by itself, unless unlisted
 * ones pass: then their errors are meant, too. */
static bool makes_endpoint(const dg_binding *b, bool pass_unlisted)
{
    bool only_error =
        b->up[DG_ERROR_RESPONSE] && !b->up[DG_REQUEST] && !b->up[DG_RESPONSE] && !b->becomes;
    bool wild = dg_slice_eq(b->older.method, DG_SLICE("*"));
    for (size_t i = 0; i < b->older.count; i++)
        wild |= b->older.segments[i].kind == DG_SEGMENT_STAR ||
                b->older.segments[i].kind == DG_SEGMENT_REST;
    return pass_unlisted || !(only_error && wild);
}

static int by_template(const void *a, const void *b)
{
    const dg_endpoint *const *x = a, *const *y = b;
    return dg_template_compare(&((const dg_route *)(const void *)*x)->name,
                               &((const dg_route *)(const void *)*y)->name);
}

static void build_version(dg_compiled_api *api, size_t v)
{
    dg_arena *arena = api->pack.arena;
    dg_version *version = &api->pack.versions[v];
    dg_endpoint **list = dg_arena_alloc(arena, (api->line_count + 1) * sizeof(dg_endpoint *));
    for (size_t i = 0; list && i < api->line_count; i++) {
        dg_route *route = &api->lines[i].routes[v], *taken = NULL;
        route->line = &api->lines[i];
        route->endpoint = (dg_endpoint){
            .method = route->name.method, .path = route->name.path, .version = version, .slot = i};
        if (!dg_table_add(arena, &api->tables[v], &route->name, route, &taken))
            return;
        if (taken)
            dg_diags_add(api->pack.diags, DG_ERROR, api->lines[i].origin,
                         "two endpoints are '%.*s %.*s' in '%s'; the other one is from %s:%u",
                         DG_SLICE_FMT(route->name.method), DG_SLICE_FMT(route->name.path),
                         version->name, taken->line->origin.file, taken->line->origin.line);
        list[i] = &route->endpoint;
    }
    if (!list)
        return;
    qsort(list, api->line_count, sizeof *list, by_template);
    version->endpoints = list;
    version->endpoint_count = api->line_count;
}

void dg_lines_build(dg_compiled_api *api)
{
    dg_pack *pack = &api->pack;
    size_t versions = pack->api.version_count;
    api->lines = dg_arena_zalloc(pack->arena, DG_ENDPOINTS_MAX * sizeof *api->lines);
    api->tables = dg_arena_zalloc(pack->arena, versions * sizeof *api->tables);
    if (!api->lines || !api->tables)
        return;
    for (size_t j = 0; j + 1 < versions; j++)
        for (size_t i = 0; i < pack->chain[j]->binding_count; i++) {
            const dg_binding *b = &pack->chain[j]->bindings[i];
            if (makes_endpoint(b, pack->api.pass_unlisted))
                dg_line_seed(api, &b->older, j, b->origin);
        }
    for (size_t i = 0; i < pack->inventory_count; i++)
        dg_line_seed(api, &pack->inventory[i].endpoint, versions - 1, pack->inventory[i].origin);
    for (size_t v = 0; v < versions; v++)
        build_version(api, v);
}
