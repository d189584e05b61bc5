#include "rules/ruleset.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rules/compile/compiled.h"

enum { RULESET_BYTES_MAX = 1 << 30 };

static dg_status load_api(dg_ruleset *set, dg_compiled_api *api, const dg_pack_source *source,
                          dg_diags *diags)
{
    size_t errors = diags->errors;
    api->pack = (dg_pack){.arena = &set->arena, .diags = diags};
    api->pack.api.index = (size_t)(api - set->apis);
    dg_status status = dg_pack_read(&api->pack, source);
    if (status != DG_OK)
        return status;
    dg_lines_build(api);
    if (set->arena.failed)
        return DG_NOMEM;
    if (diags->errors != errors)
        return DG_INVALID;
    status = dg_backends_build(api, source);
    if (status == DG_OK)
        status = dg_chains_build(api, &set->programs);
    api->api = api->pack.api;
    if (status == DG_OK && diags->errors != errors)
        status = DG_INVALID;
    return status;
}

/* Two APIs under one base could not be told apart. */
static void check_bases(const dg_ruleset *set, size_t loaded, dg_diags *diags)
{
    for (size_t i = 0; i < loaded; i++)
        for (size_t j = 0; j < i; j++) {
            const dg_pack *a = &set->apis[i].pack, *b = &set->apis[j].pack;
            if (!a->api.name || !b->api.name)
                continue;
            if (dg_slice_eq(a->api.base, b->api.base))
                dg_diags_add(diags, DG_ERROR, a->base_origin,
                             "the API '%s' has this base already (%s:%u)", b->api.name,
                             b->base_origin.file, b->base_origin.line);
            if (strcmp(a->api.name, b->api.name) == 0)
                dg_diags_add(diags, DG_ERROR, a->base_origin, "another API is named '%s' (%s)",
                             b->api.name, b->base_origin.file);
        }
}

/* Numbers the endpoints over all APIs. */
static dg_status number_slots(dg_ruleset *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->api_count; i++)
        count += set->apis[i].line_count * set->apis[i].api.version_count;
    set->slots = dg_arena_alloc(&set->arena, (count + 1) * sizeof *set->slots);
    if (!set->slots)
        return DG_NOMEM;
    for (size_t i = 0; i < set->api_count; i++)
        for (size_t v = 0; v < set->apis[i].api.version_count; v++)
            for (size_t l = 0; l < set->apis[i].line_count; l++) {
                dg_route *route = &set->apis[i].lines[l].routes[v];
                route->endpoint.slot = set->slot_count;
                set->slots[set->slot_count++] = route;
            }
    return DG_OK;
}

static dg_ruleset *new_ruleset(size_t count)
{
    dg_ruleset *set = calloc(1, sizeof *set);
    struct dg_later *later = calloc(1, sizeof *later);
    if (!set || !later || pthread_mutex_init(&later->lock, NULL) != 0) {
        free(set);
        free(later);
        return NULL;
    }
    set->later = later;
    dg_arena_init(&set->arena, RULESET_BYTES_MAX);
    dg_arena_init(&later->arena, RULESET_BYTES_MAX);
    set->programs.arena = &set->arena;
    later->programs.arena = &later->arena;
    set->apis = dg_arena_zalloc(&set->arena, (count + 1) * sizeof *set->apis);
    if (!set->apis) {
        dg_ruleset_free(set);
        return NULL;
    }
    return set;
}

dg_status dg_ruleset_load(const dg_pack_source *sources, size_t count, dg_diags *diags,
                          dg_ruleset **ret_ruleset)
{
    dg_ruleset *set = new_ruleset(count);
    if (!set)
        return DG_NOMEM;
    size_t errors = diags->errors;
    dg_status status = DG_OK;
    for (size_t i = 0; i < count && status != DG_NOMEM; i++) {
        dg_status one = load_api(set, &set->apis[i], &sources[i], diags);
        if (one != DG_OK)
            status = one;
    }
    if (status != DG_NOMEM)
        check_bases(set, count, diags);
    if (status == DG_OK && diags->errors != errors)
        status = DG_INVALID;
    if (status == DG_OK) {
        set->api_count = count;
        status = number_slots(set);
    }
    if (status == DG_OK)
        *ret_ruleset = set;
    else
        dg_ruleset_free(set);
    return status;
}

void dg_ruleset_free(dg_ruleset *ruleset)
{
    if (!ruleset)
        return;
    dg_program_cache_free(&ruleset->programs);
    dg_program_cache_free(&ruleset->later->programs);
    dg_arena_free(&ruleset->later->arena);
    pthread_mutex_destroy(&ruleset->later->lock);
    free(ruleset->later);
    dg_arena_free(&ruleset->arena);
    free(ruleset);
}

size_t dg_ruleset_api_count(const dg_ruleset *ruleset)
{
    return ruleset->api_count;
}

const dg_api *dg_ruleset_api(const dg_ruleset *ruleset, size_t index)
{
    DG_ASSERT(index < ruleset->api_count);
    return &ruleset->apis[index].api;
}

size_t dg_ruleset_endpoint_count(const dg_ruleset *ruleset)
{
    return ruleset->slot_count;
}

const dg_endpoint *dg_ruleset_endpoint(const dg_ruleset *ruleset, size_t slot)
{
    DG_ASSERT(slot < ruleset->slot_count);
    return &ruleset->slots[slot]->endpoint;
}

const dg_api *dg_ruleset_endpoint_api(const dg_ruleset *ruleset, size_t slot)
{
    DG_ASSERT(slot < ruleset->slot_count);
    size_t first = 0;
    for (size_t i = 0; i < ruleset->api_count; i++) {
        first += ruleset->apis[i].line_count * ruleset->apis[i].api.version_count;
        if (slot < first)
            return &ruleset->apis[i].api;
    }
    return NULL; /* not reached: slots are counted the same way */
}

/* By its name, or by a path that it serves. */
static const dg_route *find_route(const dg_compiled_api *api, dg_slice text, size_t version)
{
    for (size_t i = 0; i < api->line_count; i++) {
        const dg_endpoint *e = &api->lines[i].routes[version].endpoint;
        if (api->lines[i].routes[version].absent || api->lines[i].routes[version].merged)
            continue;
        if (text.ptr && text.len == e->method.len + 1 + e->path.len && dg_slice_starts(text, e->method) &&
            text.ptr[e->method.len] == ' ' &&
            dg_slice_eq(dg_slice_from(text, e->method.len + 1), e->path))
            return &api->lines[i].routes[version];
    }
    size_t space = dg_slice_find(text, ' ');
    dg_slice path = dg_slice_from(text, space + 1);
    dg_table_match found;
    if (path.len == 0 || path.ptr[0] != '/' || space == 0 ||
        !dg_table_find(&api->tables[version], dg_slice_until(text, space), path, &found))
        return NULL;
    return found.route;
}

const dg_line *dg_line_named(const dg_compiled_api *api, dg_slice method_path, size_t version)
{
    const dg_route *route = find_route(api, method_path, version);
    return route ? route->line : NULL;
}

static void report_unknown(const dg_compiled_api *api, const dg_version *from,
                           const char *method_path, dg_diags *diags)
{
    const char **names = calloc(from->endpoint_count + 1, sizeof *names);
    for (size_t i = 0; names && i < from->endpoint_count; i++)
        names[i] =
            dg_arena_printf(&diags->arena, "%.*s %.*s", DG_SLICE_FMT(from->endpoints[i]->method),
                            DG_SLICE_FMT(from->endpoints[i]->path));
    bool complete = names && !diags->arena.failed;
    const char *meant = complete ? dg_did_you_mean(dg_slice_str(method_path), names) : NULL;
    if (!strchr(method_path, ' '))
        dg_diags_add(diags, DG_ERROR, (dg_origin){NULL, 0, 0},
                     "'%s' is no endpoint: expected a method and a path, as in 'GET /orders/{id}'",
                     method_path);
    else
        dg_diags_add(diags, DG_ERROR, (dg_origin){NULL, 0, 0},
                     meant ? "'%s' of API '%s' has no endpoint '%s'; did you mean '%s'?"
                           : "'%s' of API '%s' has no endpoint '%s'%s",
                     from->name, api->api.name, method_path, meant ? meant : "");
    for (size_t i = 0; complete && !meant && i < from->endpoint_count; i++)
        dg_diags_add(diags, DG_NOTE, (dg_origin){NULL, 0, 0}, "there is '%s'", names[i]);
    free(names);
}

static const dg_version *version_named(const dg_compiled_api *api, const char *name)
{
    for (size_t i = 0; i < api->api.version_count; i++)
        if (strcmp(api->api.versions[i].name, name) == 0)
            return &api->api.versions[i];
    return NULL;
}

/* Whether the endpoint is there all the way. */
static bool check_way(const dg_line *line, const dg_version *from, const dg_version *to,
                      const char *method_path, dg_diags *diags)
{
    size_t low = from->index < to->index ? from->index : to->index;
    size_t high = from->index + to->index - low;
    for (size_t v = low; v <= high; v++)
        if (line->routes[v].absent) {
            dg_diags_add(diags, DG_ERROR, line->routes[v].end->origin, "'%s' is not in '%s'", method_path,
                         v == to->index ? to->name : line->routes[v].endpoint.version->name);
            return false;
        }
    return true;
}

dg_status dg_chain_find(const dg_ruleset *ruleset, const dg_compiled_api *api, const dg_line *line, unsigned status,
                        size_t from, size_t to, dg_diags *diags, const dg_translation **ret_translation)
{
    const dg_translation *translation = NULL;
    pthread_mutex_lock(&ruleset->later->lock);
    dg_status result =
        dg_chain_translation(api, &ruleset->later->programs, line, status, from, to, diags, &translation);
    pthread_mutex_unlock(&ruleset->later->lock);
    if (result == DG_OK)
        *ret_translation = translation;
    return result;
}

dg_status dg_ruleset_find_translation(const dg_ruleset *ruleset, const char *from, const char *to,
                                      const char *method_path, unsigned message_status, dg_diags *diags,
                                      const dg_translation **ret_translation)
{
    const dg_compiled_api *api = NULL;
    const dg_version *a = NULL, *b = NULL;
    const dg_route *route = NULL;
    for (size_t i = 0; i < ruleset->api_count && !route; i++) {
        const dg_version *x = version_named(&ruleset->apis[i], from);
        const dg_version *y = version_named(&ruleset->apis[i], to);
        if (!x || !y)
            continue;
        api = &ruleset->apis[i];
        a = x;
        b = y;
        route = find_route(api, dg_slice_str(method_path), a->index);
    }
    if (!api)
        for (size_t i = 0; i < ruleset->api_count; i++) {
            dg_pack names = ruleset->apis[i].pack;
            names.diags = diags;
            (void)dg_pack_version(&names, dg_slice_str(from), (dg_origin){NULL, 0, 0});
            (void)dg_pack_version(&names, dg_slice_str(to), (dg_origin){NULL, 0, 0});
        }
    else if (!route)
        report_unknown(api, a, method_path, diags);
    if (!route || !check_way(route->line, a, b, method_path, diags))
        return DG_NOT_FOUND;
    return dg_chain_find(ruleset, api, route->line, message_status, a->index, b->index, diags, ret_translation);
}

dg_status dg_ruleset_find_program(const dg_ruleset *ruleset, const char *from, const char *to,
                                  const char *method_path, bool response, bool error,
                                  dg_diags *diags, const dg_program **ret_program)
{
    const dg_translation *translation;
    dg_status status = dg_ruleset_find_translation(ruleset, from, to, method_path,
                                                   !response ? 0 : error ? 4 : 2, diags, &translation);
    if (status != DG_OK)
        return status;
    if (translation && (translation->message || translation->from != DG_FORMAT_JSON ||
                        translation->to != DG_FORMAT_JSON)) {
        dg_diags_add(diags, DG_ERROR, (dg_origin){NULL, 0, 0},
                     "between '%s' and '%s' more than the body of '%s' changes: translate the whole message", from,
                     to, method_path);
        return DG_INVALID;
    }
    *ret_program = translation ? translation->body : NULL;
    return DG_OK;
}
