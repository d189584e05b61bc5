/* Which backend serves which version and endpoint: what the configuration lists, the first that fits. */
#include "rules/compile/compiled.h"

/* What one backend of the list is for. */
typedef struct rule {
    const dg_backend_source *source;
    bool versions[DG_VERSIONS_MAX];
    dg_template *endpoints; /* as many as the source has */
    bool *covers;           /* which of these cover an endpoint */
    bool chosen;            /* some request goes there */
} rule;

static void read_versions(dg_compiled_api *api, rule *r)
{
    for (size_t v = 0; v < api->pack.api.version_count; v++)
        r->versions[v] = r->source->version_count == 0;
    for (size_t i = 0; i < r->source->version_count; i++) {
        const dg_named *name = &r->source->versions[i];
        const dg_version *version = dg_pack_version(&api->pack, dg_slice_str(name->text), name->origin);
        if (version)
            r->versions[version->index] = true;
    }
}

static bool read_endpoints(dg_compiled_api *api, dg_arena *scratch, rule *r)
{
    size_t count = r->source->endpoint_count;
    r->endpoints = dg_arena_zalloc(scratch, (count + 1) * sizeof *r->endpoints);
    r->covers = dg_arena_zalloc(scratch, (count + 1) * sizeof *r->covers);
    bool good = r->endpoints && r->covers;
    for (size_t i = 0; i < count && good; i++) {
        const dg_named *name = &r->source->endpoints[i];
        good = dg_template_parse(scratch, dg_slice_str(name->text), name->origin, api->pack.diags, &r->endpoints[i]);
    }
    return good;
}

/* Endpoints go by their names in the newest version, which stay when older versions go; one that is not there any
 * more, by its last name. */
static bool names_endpoint(const dg_compiled_api *api, rule *r, const dg_line *line)
{
    const dg_template *name = &line->routes[api->pack.api.version_count - 1].name;
    bool named = r->source->endpoint_count == 0;
    for (size_t i = 0; i < r->source->endpoint_count; i++)
        if (dg_template_covers(&r->endpoints[i], name))
            named = r->covers[i] = true;
    return named;
}

static void choose_for_line(dg_compiled_api *api, rule *rules, size_t count, const dg_line *line)
{
    for (size_t v = 0; v < api->pack.api.version_count; v++)
        line->routes[v].backend = &api->backends[0];
    for (size_t i = count; i-- > 0;) {
        if (!names_endpoint(api, &rules[i], line))
            continue;
        for (size_t v = 0; v < api->pack.api.version_count; v++)
            if (rules[i].versions[v])
                line->routes[v].backend = &api->backends[i + 1];
    }
    for (size_t v = 0; v < api->pack.api.version_count; v++)
        if (line->routes[v].backend->index && !line->routes[v].absent)
            rules[line->routes[v].backend->index - 1].chosen = true;
}

/* An endpoint that no pack names has no name to go by: only the version decides. */
static void choose_for_unlisted(dg_compiled_api *api, rule *rules, size_t count)
{
    bool asked = api->pack.api.pass_unlisted;
    for (size_t v = 0; v < api->pack.api.version_count; v++) {
        size_t i = 0;
        while (i < count && (rules[i].source->endpoint_count || !rules[i].versions[v]))
            i++;
        api->unlisted[v] = &api->backends[i < count ? i + 1 : 0];
        if (i < count && asked)
            rules[i].chosen = true;
    }
}

/* What no request would ever meet is a mistake. */
static void check_used(dg_compiled_api *api, const rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool all = true;
        for (size_t j = 0; j < rules[i].source->endpoint_count; j++) {
            const dg_named *name = &rules[i].source->endpoints[j];
            if (!rules[i].covers[j])
                dg_diags_add(api->pack.diags, DG_ERROR, name->origin,
                             "'%s' covers no endpoint of API '%s', as '%s' calls them", name->text,
                             api->pack.api.name, api->pack.versions[api->pack.api.version_count - 1].name);
            all &= rules[i].covers[j];
        }
        if (all && !rules[i].chosen)
            dg_diags_add(api->pack.diags, DG_ERROR, rules[i].source->origin,
                         "no request goes to this backend: those before it take all that it names");
    }
}

dg_status dg_backends_build(dg_compiled_api *api, const dg_pack_source *source)
{
    size_t errors = api->pack.diags->errors, count = source->backend_count;
    dg_arena scratch;
    dg_arena_init(&scratch, 0);
    rule *rules = dg_arena_zalloc(&scratch, (count + 1) * sizeof *rules);
    api->backends = dg_arena_zalloc(api->pack.arena, (count + 1) * sizeof *api->backends);
    api->unlisted = dg_arena_zalloc(api->pack.arena, api->pack.api.version_count * sizeof *api->unlisted);
    bool good = rules && api->backends && api->unlisted;
    if (good)
        api->backends[0] = (dg_backend){api->pack.api.backend, 0};
    for (size_t i = 0; i < count && good; i++) {
        rules[i].source = &source->backends[i];
        api->backends[i + 1] = (dg_backend){
            dg_pack_version(&api->pack, dg_slice_str(rules[i].source->version.text), rules[i].source->version.origin),
            i + 1};
        read_versions(api, &rules[i]);
        good = read_endpoints(api, &scratch, &rules[i]);
    }
    bool failed = scratch.failed || api->pack.arena->failed;
    if (good && api->pack.diags->errors == errors) {
        for (size_t i = 0; i < api->line_count; i++)
            choose_for_line(api, rules, count, &api->lines[i]);
        choose_for_unlisted(api, rules, count);
        check_used(api, rules, count);
    }
    dg_arena_free(&scratch);
    return failed ? DG_NOMEM : api->pack.diags->errors == errors ? DG_OK : DG_INVALID;
}
