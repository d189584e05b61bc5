/* Endpoints through the versions: which one became which. */
#include <stdlib.h>

#include "rules/compile/compiled.h"

static bool serves_method(const dg_template *rule, const dg_template *endpoint)
{
    return dg_slice_eq(rule->method, endpoint->method) || dg_slice_eq(rule->method, DG_SLICE("*"));
}

/* The binding that gives `older` another name in the newer version; the exact method wins. */
static const dg_binding *find_becomes(const dg_change *change, const dg_template *older)
{
    const dg_binding *found = NULL;
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        if (b->fate != DG_BECOMES || !dg_template_same_path(&b->older, older))
            continue;
        if (dg_slice_eq(b->older.method, older->method))
            return b;
        if (!found && serves_method(&b->older, older))
            found = b;
    }
    return found;
}

/* The binding that `newer` comes from, if it had another name. Several older endpoints may have become it: on the way
 * down the one that has the same name goes before, and then the first. */
static const dg_binding *find_became(const dg_change *change, const dg_template *newer)
{
    const dg_binding *found = NULL;
    bool exact = false;
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        if (b->fate == DG_STAYS && dg_template_same(&b->older, newer))
            return NULL;
        if (b->fate != DG_BECOMES || exact || !dg_template_same_path(&b->newer, newer))
            continue;
        exact = dg_slice_eq(b->newer.method, newer->method);
        if (exact || (!found && serves_method(&b->newer, newer)))
            found = b;
    }
    return found;
}

/* The binding that says that the endpoint is in one version only. */
static const dg_binding *find_end(const dg_change *change, const dg_template *name, dg_fate fate)
{
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        if (b->fate == fate && dg_template_covers(&b->older, name))
            return b;
        if (b->fate != DG_ADDED && dg_template_same(&b->older, name))
            return NULL; /* an entry of its own, before those that cover it */
    }
    return NULL;
}

/* A wildcard that moves what it covers, `name` too, but not by name. */
static const dg_binding *find_covering(const dg_change *change, const dg_template *name)
{
    for (size_t i = 0; i < change->binding_count; i++) {
        const dg_binding *b = &change->bindings[i];
        if (b->fate == DG_BECOMES && !dg_template_same_path(&b->older, name) &&
            dg_template_covers(&b->older, name))
            return b;
    }
    return NULL;
}

/* `name`, which has the path of `from`, as `to`: the parameters keep their numbers; those that `from` lacks get some
 * that no other step gives. */
static bool rename_endpoint(dg_arena *arena, const dg_template *name, const dg_template *from,
                            const dg_template *to, size_t step, dg_template *ret_name)
{
    dg_segment *segs = dg_arena_alloc(arena, (to->count + 1) * sizeof *segs);
    if (!segs)
        return false;
    for (size_t i = 0; i < to->count; i++) {
        segs[i] = to->segments[i];
        bool found = segs[i].kind == DG_SEGMENT_LITERAL;
        for (size_t j = 0; !found && j < from->count; j++) {
            found = from->segments[j].kind != DG_SEGMENT_LITERAL &&
                    from->segments[j].param == to->segments[i].param;
            if (found)
                segs[i].param = name->segments[j].param;
        }
        if (!found)
            segs[i].param = (unsigned)(step + 1) * 2 * DG_PARAMS_MAX + to->segments[i].param;
    }
    *ret_name = *to;
    ret_name->segments = segs;
    if (dg_slice_eq(to->method, DG_SLICE("*")))
        ret_name->method = name->method;
    return true;
}

static void end_line(const dg_line *line, size_t at, const dg_template *name, const dg_binding *end)
{
    line->routes[at] = (dg_route){.name = *name, .absent = true, .end = end};
}

static bool step_down(dg_compiled_api *api, const dg_line *line, size_t j)
{
    const dg_change *change = api->pack.chain[j];
    const dg_route *newer = &line->routes[j + 1];
    const dg_binding *end = newer->absent ? newer->end : find_end(change, &newer->name, DG_ADDED);
    if (end) {
        end_line(line, j, &newer->name, end);
        return true;
    }
    const dg_binding *b = find_became(change, &newer->name);
    if (b)
        return rename_endpoint(api->pack.arena, &newer->name, &b->newer, &b->older, 2 * j,
                               &line->routes[j].name);
    b = find_becomes(change, &newer->name);
    if (!b)
        b = find_end(change, &newer->name, DG_REMOVED);
    if (b) {
        dg_diags_add(api->pack.diags, DG_ERROR, line->origin,
                     "'%.*s %.*s' has no name in '%s', where that is another endpoint (%s:%u); if it "
                     "begins in '%s', say so there: '%.*s %.*s: added'",
                     DG_SLICE_FMT(newer->name.method), DG_SLICE_FMT(newer->name.path),
                     api->pack.versions[j].name, b->origin.file, b->origin.line,
                     api->pack.versions[j + 1].name, DG_SLICE_FMT(newer->name.method),
                     DG_SLICE_FMT(newer->name.path));
        return false;
    }
    line->routes[j].name = newer->name;
    return true;
}

static bool step_up(dg_compiled_api *api, const dg_line *line, size_t j)
{
    const dg_change *change = api->pack.chain[j];
    const dg_route *older = &line->routes[j];
    const dg_binding *end = older->absent ? older->end : find_end(change, &older->name, DG_REMOVED);
    if (end) {
        end_line(line, j + 1, &older->name, end);
        return true;
    }
    const dg_binding *b = find_becomes(change, &older->name);
    if (b)
        return rename_endpoint(api->pack.arena, &older->name, &b->older, &b->newer, 2 * j + 1,
                               &line->routes[j + 1].name);
    b = find_covering(change, &older->name);
    if (b) {
        dg_diags_add(api->pack.diags, DG_ERROR, b->origin,
                     "this covers '%.*s %.*s' too: say what that becomes",
                     DG_SLICE_FMT(older->name.method), DG_SLICE_FMT(older->name.path));
        return false;
    }
    line->routes[j + 1].name = older->name;
    return true;
}

void dg_line_seed(dg_compiled_api *api, const dg_template *name, size_t index, dg_origin origin)
{
    for (size_t i = 0; i < api->line_count; i++) {
        const dg_route *route = &api->lines[i].routes[index];
        if (!route->absent && dg_template_same(&route->name, name))
            return;
    }
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
 * ones pass: then their errors are meant, too. Nor is one that ends what it covers. */
static bool makes_endpoint(const dg_binding *b, bool pass_unlisted)
{
    bool only_errors = b->fate == DG_STAYS && b->side_count > 0;
    for (size_t i = 0; i < b->side_count; i++) {
        unsigned of = b->sides[i].of;
        only_errors &= of == DG_SIDE_ERROR || of == 4 || of == 5 || of >= 400;
    }
    bool wild = dg_slice_eq(b->older.method, DG_SLICE("*"));
    for (size_t i = 0; i < b->older.count; i++)
        wild |= b->older.segments[i].kind == DG_SEGMENT_STAR ||
                b->older.segments[i].kind == DG_SEGMENT_REST;
    return pass_unlisted || !(only_errors && wild);
}

/* Whether the way down from version v leads back along the line: of several that became one endpoint, one is what
 * that endpoint was before, and has its name in the newer version. */
static bool leads_back(const dg_compiled_api *api, const dg_line *line, size_t v)
{
    if (v == 0 || line->routes[v - 1].absent)
        return true;
    const dg_template *newer = &line->routes[v].name, *older = &line->routes[v - 1].name;
    const dg_binding *b = find_became(api->pack.chain[v - 1], newer);
    return !line->routes[v - 1].merged && dg_template_same_path(b ? &b->older : newer, older);
}

static int by_template(const void *a, const void *b)
{
    const dg_endpoint *const *x = a, *const *y = b;
    return dg_template_compare(&((const dg_route *)(const void *)*x)->name,
                               &((const dg_route *)(const void *)*y)->name);
}

/* Those that others give way to go before. */
static void add_routes(dg_compiled_api *api, size_t v, bool merged)
{
    for (size_t i = 0; i < api->line_count; i++) {
        dg_route *route = &api->lines[i].routes[v], *taken = NULL;
        if (route->absent || route->merged != merged)
            continue;
        if (!dg_table_add(api->pack.arena, &api->tables[v], &route->name, route, &taken))
            return;
        if (taken && !merged)
            dg_diags_add(api->pack.diags, DG_ERROR, route->line->origin,
                         "two endpoints are '%.*s %.*s' in '%s'; the other one is from %s:%u",
                         DG_SLICE_FMT(route->name.method), DG_SLICE_FMT(route->name.path),
                         api->pack.versions[v].name, taken->line->origin.file, taken->line->origin.line);
        route->merged = taken != NULL;
    }
}

static void build_version(dg_compiled_api *api, size_t v)
{
    dg_version *version = &api->pack.versions[v];
    dg_endpoint **list = dg_arena_alloc(api->pack.arena, (api->line_count + 1) * sizeof(dg_endpoint *));
    if (!list)
        return;
    for (size_t i = 0; i < api->line_count; i++) {
        dg_route *route = &api->lines[i].routes[v];
        route->line = &api->lines[i];
        route->merged = !route->absent && !leads_back(api, &api->lines[i], v);
        route->endpoint = (dg_endpoint){
            .method = route->name.method, .path = route->name.path, .version = version, .slot = i};
    }
    add_routes(api, v, false);
    add_routes(api, v, true);
    for (size_t i = 0; i < api->line_count; i++) {
        dg_route *route = &api->lines[i].routes[v];
        if (!route->absent && !route->merged)
            list[version->endpoint_count++] = &route->endpoint;
    }
    qsort(list, version->endpoint_count, sizeof *list, by_template);
    version->endpoints = list;
}

/* What another endpoint became has not been added. */
static bool check_added(dg_compiled_api *api, const dg_change *change, const dg_binding *b)
{
    for (size_t i = 0; b->fate == DG_ADDED && i < change->binding_count; i++) {
        const dg_binding *other = &change->bindings[i];
        if (other->fate != DG_BECOMES || !dg_template_same(&other->newer, &b->older))
            continue;
        dg_diags_add(api->pack.diags, DG_ERROR, b->origin,
                     "this is not added: it is what '%.*s %.*s' becomes (line %u)",
                     DG_SLICE_FMT(other->older.method), DG_SLICE_FMT(other->older.path), other->origin.line);
        return false;
    }
    return true;
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
            if (makes_endpoint(b, pack->api.pass_unlisted) && check_added(api, pack->chain[j], b))
                dg_line_seed(api, &b->older, j + (b->fate == DG_ADDED), b->origin);
        }
    for (size_t i = 0; i < pack->inventory_count; i++)
        dg_line_seed(api, &pack->inventory[i].endpoint, versions - 1, pack->inventory[i].origin);
    for (size_t v = 0; v < versions; v++)
        build_version(api, v);
}
