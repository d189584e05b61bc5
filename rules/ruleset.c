#include "rules/ruleset.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rules/compiled.h"

enum { RULESET_BYTES_MAX = 1 << 30 };

/* The binding of a change that serves an endpoint's part: the first that covers it and declares the
 * part. */
static const dg_binding *binding_for(const dg_change *change, const dg_template *older,
                                     dg_part part)
{
    for (size_t i = 0; i < change->binding_count; i++)
        if (change->bindings[i].up[part] && dg_template_covers(&change->bindings[i].older, older))
            return &change->bindings[i];
    return NULL;
}

/* The lists that a message of `line` passes on its way between two versions. */
static size_t collect_steps(const dg_compiled_api *api, const dg_line *line, dg_part part,
                            size_t from, size_t to, const dg_ops *steps[DG_VERSIONS_MAX])
{
    size_t count = 0;
    for (size_t at = from; at != to; at = from < to ? at + 1 : at - 1) {
        size_t j = from < to ? at : at - 1;
        const dg_binding *b = binding_for(api->pack.chain[j], &line->routes[j].name, part);
        const dg_ops *ops = !b ? NULL : from < to ? b->up[part] : b->down[part];
        if (ops && ops->count)
            steps[count++] = ops;
    }
    return count;
}

static dg_program_entry *find_entry(dg_program_entry *entry, const dg_ops *const *steps,
                                    size_t count)
{
    for (; entry; entry = entry->next)
        if (entry->step_count == count && memcmp(entry->steps, steps, count * sizeof *steps) == 0)
            return entry;
    return NULL;
}

/* The program of these lists, from the cache or compiled into it; *ret_program NULL = it changes
 * nothing. */
static dg_status cached_program(dg_program_cache *cache, const dg_ops **steps, size_t count,
                                dg_diags *diags, const dg_program **ret_program)
{
    *ret_program = NULL;
    if (count == 0)
        return DG_OK;
    uint64_t hash = dg_hash(dg_slice_of(steps, count * sizeof *steps), dg_hash_seed());
    dg_program_entry **bucket = &cache->buckets[hash % DG_PROGRAM_BUCKETS];
    dg_program_entry *entry = find_entry(*bucket, steps, count);
    if (!entry) {
        entry = dg_arena_zalloc(cache->arena, sizeof *entry);
        const dg_ops **copy = dg_arena_alloc(cache->arena, count * sizeof *copy);
        if (!entry || !copy)
            return DG_NOMEM;
        memcpy(copy, steps, count * sizeof *copy);
        entry->steps = copy;
        entry->step_count = count;
        dg_status status = dg_program_compile(copy, count, diags, &entry->program);
        if (status != DG_OK)
            return status;
        entry->identity = dg_program_is_identity(entry->program);
        entry->next = *bucket;
        *bucket = entry;
    }
    *ret_program = entry->identity ? NULL : entry->program;
    return DG_OK;
}

static void free_programs(dg_program_cache *cache)
{
    for (size_t i = 0; i < DG_PROGRAM_BUCKETS; i++)
        for (dg_program_entry *e = cache->buckets[i]; e; e = e->next)
            dg_program_free(e->program);
}

/* Compiles all parts between every version and the backend's. */
static dg_status compile_api(dg_ruleset *set, dg_compiled_api *api)
{
    const dg_ops *steps[DG_VERSIONS_MAX];
    size_t backend = api->pack.api.backend->index;
    for (size_t i = 0; i < api->line_count; i++)
        for (size_t v = 0; v < api->pack.api.version_count; v++)
            for (size_t part = 0; part < DG_PARTS; part++) {
                size_t from = part == DG_REQUEST ? v : backend,
                       to = part == DG_REQUEST ? backend : v;
                size_t count = collect_steps(api, &api->lines[i], (dg_part)part, from, to, steps);
                dg_diags found;
                dg_diags_init(&found);
                dg_status status = cached_program(&set->programs, steps, count, &found,
                                                  &api->lines[i].routes[v].programs[part]);
                dg_pack_take_diags(&found, api->pack.diags);
                dg_diags_free(&found);
                if (status == DG_NOMEM)
                    return status;
                if (status != DG_OK && api->pack.diags->errors == 0)
                    dg_diags_add(api->pack.diags, DG_ERROR, api->lines[i].origin,
                                 "this endpoint cannot be compiled: %s", dg_status_text(status));
            }
    return DG_OK;
}

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
    status = compile_api(set, api);
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
    free_programs(&ruleset->programs);
    free_programs(&ruleset->later->programs);
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
static const dg_route *find_route(const dg_compiled_api *api, const char *method_path,
                                  size_t version)
{
    dg_slice text = dg_slice_str(method_path);
    for (size_t i = 0; i < api->line_count; i++) {
        const dg_endpoint *e = &api->lines[i].routes[version].endpoint;
        if (text.len == e->method.len + 1 + e->path.len && dg_slice_starts(text, e->method) &&
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

dg_status dg_ruleset_find_program(const dg_ruleset *ruleset, const char *from, const char *to,
                                  const char *method_path, bool response, bool error,
                                  dg_diags *diags, const dg_program **ret_program)
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
        route = find_route(api, method_path, a->index);
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
    if (!route)
        return DG_NOT_FOUND;
    dg_part part = !response ? DG_REQUEST : error ? DG_ERROR_RESPONSE : DG_RESPONSE;
    const dg_ops *steps[DG_VERSIONS_MAX];
    size_t count = collect_steps(api, route->line, part, a->index, b->index, steps);
    const dg_program *program = NULL;
    pthread_mutex_lock(&ruleset->later->lock);
    dg_status status = cached_program(&ruleset->later->programs, steps, count, diags, &program);
    pthread_mutex_unlock(&ruleset->later->lock);
    if (status == DG_OK)
        *ret_program = program;
    return status;
}
