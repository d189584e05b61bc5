/* "What is this request?": pure functions on slices, without allocation. */
#include "rules/compile/compiled.h"
#include "rules/request/query.h"

enum { DG_TARGET_BYTES_MAX = 16384 };

static bool starts_with_base(dg_slice path, dg_slice base)
{
    return dg_slice_starts(path, base) && (path.len == base.len || path.ptr[base.len] == '/');
}

/* The API with the longest base that the path is below. */
static const dg_compiled_api *find_api(const dg_ruleset *set, dg_slice path)
{
    const dg_compiled_api *best = NULL;
    for (size_t i = 0; i < set->api_count; i++) {
        const dg_compiled_api *api = &set->apis[i];
        if (starts_with_base(path, api->api.base) &&
            (!best || api->api.base.len > best->api.base.len))
            best = api;
    }
    return best;
}

/* Where the requests of a route go. */
static const dg_route *upstream_route(const dg_route *route)
{
    return route->upstream;
}

/* Whether the backend's version has the endpoint at all. */
static bool is_served(const dg_route *route)
{
    return route->upstream->endpoint.version == route->backend->version;
}

static void take_backend(dg_match *match, const dg_backend *backend)
{
    match->backend = backend->version;
    match->backend_index = backend->index;
}

static bool is_any(dg_slice method)
{
    return dg_slice_eq(method, DG_SLICE("*"));
}

/* The path of `to` with the parameters that were found for `from`, a route of the same line; `named`, if not NULL,
 * holds the values of the named ones in their order. False when a parameter has no value. */
static bool add_path(const dg_route *to, const dg_template *from, const dg_slice *params,
                     const dg_slice *named, dg_buf *out)
{
    const dg_template *t = &to->name;
    for (size_t i = 0; i < t->count; i++) {
        const dg_segment *seg = &t->segments[i];
        dg_slice value = seg->text;
        bool found = seg->kind == DG_SEGMENT_LITERAL;
        if (seg->kind == DG_SEGMENT_NAME && named) {
            value = *named++;
            found = true;
        }
        for (size_t j = 0, at = 0; !found && j < from->count; j++) {
            if (from->segments[j].kind == DG_SEGMENT_LITERAL)
                continue;
            found = from->segments[j].param == seg->param;
            if (found)
                value = params[at];
            at++;
        }
        if (!found)
            return false;
        /* ** that matched nothing, not even a slash, leaves none, unless it is all that there is.
         */
        if (seg->kind == DG_SEGMENT_REST && !value.ptr && i > 0)
            continue;
        dg_buf_add_char(out, '/');
        dg_buf_add(out, value);
    }
    if (t->count == 0)
        dg_buf_add_char(out, '/');
    return true;
}

/* Whether a path of the backend's version is that of an endpoint, and of no other. */
static bool reaches(const dg_compiled_api *api, const dg_match *match, const dg_route *upstream, dg_slice path)
{
    dg_table_match there;
    return dg_table_find(&api->tables[match->backend->index], match->upstream_method, path, &there) &&
           dg_template_same(&there.route->name, &upstream->name);
}

static bool makes_path(const dg_translation *request)
{
    return request && request->message && (request->parts & DG_IN_PATH);
}

/* A parameter's value may be a word that names another endpoint of the backend's version:
 * /orders/{id} with "count" for an id. Such a request would reach what it did not mean, and be
 * translated as what it is not. */
static bool reaches_itself(const dg_compiled_api *api, const dg_match *match,
                           const dg_table_match *found)
{
    char space[DG_TARGET_BYTES_MAX];
    dg_buf path = {
        .ptr = space, .cap = sizeof space, .bytes_max = sizeof space}; /* so it never allocates */
    const dg_route *upstream = upstream_route(found->route);
    if (found->param_count == 0 || match->version == match->backend || !is_served(found->route) ||
        makes_path(found->route->request))
        return true; /* a path that ops make is looked at when it is made */
    return add_path(upstream, &found->route->name, found->params, NULL, &path) && path.status == DG_OK &&
           reaches(api, match, upstream, dg_buf_slice(&path));
}

static void take_route(dg_match *match, const dg_table_match *found)
{
    take_backend(match, found->route->backend);
    match->endpoint = &found->route->endpoint;
    match->answers = found->route->answers;
    match->param_count = found->param_count;
    memcpy(match->params, found->params, found->param_count * sizeof *found->params);
    match->route = found->route;
}

/* OPTIONS asks about the path, whatever methods it has (RFC 9110 9.3.7); browsers ask so before
 * they call another site (CORS). The backend answers, at the path that it knows; there is no body
 * to translate. */
static bool match_options(const dg_compiled_api *api, dg_slice method, dg_match *match)
{
    dg_table_match found;
    if (!dg_slice_eq(method, DG_SLICE("OPTIONS")) ||
        !dg_table_find(&api->tables[match->version->index], (dg_slice){NULL, 0}, match->rest,
                       &found))
        return false;
    take_route(match, &found);
    match->errors_only = true;
    return true;
}

static const dg_route *find_route(const dg_compiled_api *api, const dg_version *version,
                                  dg_slice method, dg_slice path)
{
    dg_table_match found;
    return dg_table_find(&api->tables[version->index], method, path, &found) ? found.route : NULL;
}

static bool ends_in_rest(const dg_route *route)
{
    const dg_template *t = &route->name;
    return t->count && t->segments[t->count - 1].kind == DG_SEGMENT_REST;
}

/* A request that no endpoint serves by name (`served` is NULL, or ends in **) passes as it is; but
 * never to an endpoint that the backend's version lists, for that would answer in a version that
 * the client does not speak. As many backends serve /orders/ as /orders, a slash more does not
 * dodge an endpoint. */
static bool dodges(const dg_compiled_api *api, const dg_match *match, dg_slice method,
                   const dg_route *served)
{
    const dg_version *client = match->version, *backend = match->backend;
    const dg_route *upstream = served ? upstream_route(served) : NULL, *other;
    if (client == backend || (served && !ends_in_rest(served)))
        return false;
    if (!served && find_route(api, backend, method, match->rest))
        return true;
    dg_slice bare = match->rest;
    while (bare.len > 1 && bare.ptr[bare.len - 1] == '/')
        bare.len--;
    if (bare.len == match->rest.len)
        return false;
    return ((other = find_route(api, client, method, bare)) && other != served) ||
           ((other = find_route(api, backend, method, bare)) && other != upstream);
}

/* What the pack says to who asks for an endpoint that the backend's version does not have. */
static dg_match_result match_ended(dg_match *match, const dg_route *route)
{
    size_t last = route->upstream->endpoint.version->index;
    const dg_route *next = &route->line->routes[last < match->backend->index ? last + 1 : last - 1];
    match->answer = next->end->answer;
    return match->answer                    ? DG_MATCH_OK
           : next->end->fate == DG_REMOVED ? DG_MATCH_REMOVED
                                            : DG_MATCH_ADDED;
}

/* The route of the request, and what it is upstream. */
static dg_match_result match_endpoint(const dg_compiled_api *api, dg_slice method, dg_match *match)
{
    dg_table_match found;
    bool listed = dg_table_find(&api->tables[match->version->index], method, match->rest, &found);
    match->upstream_method = method;
    take_backend(match, api->unlisted[match->version->index]);
    if (listed) {
        const dg_route *upstream = upstream_route(found.route);
        take_backend(match, found.route->backend);
        /* HEAD is what GET would say; where GET becomes another method, nothing would say it. */
        if (dg_slice_eq(method, DG_SLICE("HEAD")) &&
            !dg_slice_eq(found.route->name.method, upstream->name.method))
            listed = false;
        else if (!is_any(upstream->name.method) && !dg_slice_eq(method, DG_SLICE("HEAD")))
            match->upstream_method = upstream->name.method;
        if (listed && !reaches_itself(api, match, &found))
            return DG_MATCH_UNKNOWN_ENDPOINT;
        if (!listed)
            take_backend(match, api->unlisted[match->version->index]);
    }
    if (!listed && match_options(api, method, match))
        return DG_MATCH_OK;
    if ((listed || api->api.pass_unlisted) &&
        dodges(api, match, method, listed ? found.route : NULL))
        return DG_MATCH_UNKNOWN_ENDPOINT;
    if (!listed && api->api.pass_unlisted)
        return DG_MATCH_OK;
    if (!listed)
        return found.path_known ? DG_MATCH_METHOD : DG_MATCH_UNKNOWN_ENDPOINT;
    match->request = found.route->request;
    take_route(match, &found);
    return is_served(found.route) ? DG_MATCH_OK : match_ended(match, found.route);
}

/* A browser's preflight carries none of the fields of the request that it asks about, so none that selects a
 * version: any version that knows the path will do, the newest first. */
static bool match_preflight(const dg_compiled_api *api, dg_slice method, dg_match *match)
{
    for (size_t i = api->api.version_count; i-- > 0;) {
        match->version = &api->api.versions[i];
        match->upstream_method = method;
        if (match_options(api, method, match))
            return true;
    }
    match->version = NULL;
    return false;
}

dg_match_result dg_ruleset_match(const dg_ruleset *ruleset, const dg_request_view *request,
                                 dg_match *ret_match)
{
    *ret_match = (dg_match){.selected_by = DG_BY_NONE};
    const dg_compiled_api *api = find_api(ruleset, request->path);
    if (!api)
        return DG_MATCH_NO_API;
    dg_slice rest = dg_slice_from(request->path, api->api.base.len);
    dg_selection s;
    dg_select_version(&api->pack.selection, &api->api, request, &rest, &s);
    ret_match->api = &api->api;
    take_backend(ret_match, &api->backends[0]);
    ret_match->rest = rest.len ? rest : DG_SLICE("/");
    if (s.contradiction)
        return DG_MATCH_CONTRADICTION;
    if (s.unknown)
        return DG_MATCH_UNKNOWN_VERSION;
    if (!s.version)
        return match_preflight(api, request->method, ret_match) ? DG_MATCH_OK : DG_MATCH_NO_VERSION;
    ret_match->version = s.version;
    ret_match->selected_by = s.rule->by;
    dg_match_result result = match_endpoint(api, request->method, ret_match);
    if (result == DG_MATCH_UNKNOWN_ENDPOINT && s.rule->by == DG_BY_DEFAULT) {
        if (match_preflight(api, request->method, ret_match))
            return DG_MATCH_OK;
        ret_match->version = s.version;
    }
    return result;
}

/* dg_match knows its API by the public struct; the compiled one begins with it. */
static const dg_compiled_api *compiled(const dg_match *match)
{
    return (const dg_compiled_api *)(const void *)match->api;
}

static void add_query(const dg_match *match, dg_slice query, const dg_version *version, dg_buf *out)
{
    dg_select_add_query(&compiled(match)->pack.selection, match->api, query, version, out);
}

static void add_front(const dg_api *api, const dg_version *in_path, dg_buf *out)
{
    dg_buf_add(out, api->base);
    if (in_path) {
        dg_buf_add_char(out, '/');
        dg_buf_add_str(out, in_path->name);
    }
}

const dg_translation *dg_match_answer(const dg_match *match, unsigned status)
{
    const dg_answers *answers = match->answers;
    if (!answers || status < 100 || status > 599 || (match->errors_only && status < 400))
        return NULL;
    size_t low = 0, high = answers->exact_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (answers->exact[middle].status < status)
            low = middle + 1;
        else
            high = middle;
    }
    bool exact = low < answers->exact_count && answers->exact[low].status == status;
    return exact ? answers->exact[low].translation : answers->classes[status / 100 - 1];
}

bool dg_match_answers_change(const dg_match *match)
{
    return match->answers && match->answers->change;
}

bool dg_match_answers_ask(const dg_match *match)
{
    return match->answers && match->answers->ask;
}

bool dg_match_param(const dg_match *match, size_t index, dg_slice *ret_name, dg_slice *ret_raw)
{
    const dg_route *route = match->route;
    for (size_t i = 0, at = 0; route && i < route->name.count; i++) {
        const dg_segment *seg = &route->name.segments[i];
        if (seg->kind == DG_SEGMENT_NAME && index-- == 0) {
            *ret_name = seg->text;
            *ret_raw = match->params[at];
            return true;
        }
        at += seg->kind != DG_SEGMENT_LITERAL;
    }
    return false;
}

bool dg_match_upstream_param(const dg_match *match, size_t index, dg_slice *ret_name)
{
    const dg_route *route = match->route, *upstream = route ? upstream_route(route) : NULL;
    for (size_t i = 0; upstream && i < upstream->name.count; i++) {
        const dg_segment *seg = &upstream->name.segments[i];
        if (seg->kind == DG_SEGMENT_NAME && index-- == 0) {
            *ret_name = seg->text;
            return true;
        }
    }
    return false;
}

bool dg_match_query_selects(const dg_match *match, dg_slice raw_name)
{
    const dg_selection_rules *rules = &compiled(match)->pack.selection;
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].by == DG_BY_QUERY && dg_query_is(raw_name, rules->rules[i].name))
            return true;
    return false;
}

static void add_upstream_front(const dg_match *match, dg_buf *out)
{
    add_front(match->api, match->api->by_path ? match->backend : NULL, out);
}

void dg_match_upstream_target(const dg_match *match, dg_slice query, dg_buf *out)
{
    const dg_route *route = match->route;
    size_t start = out->len;
    add_upstream_front(match, out);
    size_t front = out->len;
    if (!route || match->version == match->backend ||
        !add_path(upstream_route(route), &route->name, match->params, NULL, out)) {
        out->len = out->status == DG_OK ? front : start;
        dg_buf_add(out, match->rest);
    }
    add_query(match, query, match->backend, out);
}

bool dg_match_upstream_target_with(const dg_match *match, const dg_slice *params, dg_slice query, dg_buf *out)
{
    const dg_route *route = match->route;
    size_t start = out->len;
    add_upstream_front(match, out);
    size_t front = out->len;
    bool good = add_path(upstream_route(route), &route->name, match->params, params, out) &&
                reaches(compiled(match), match, upstream_route(route), dg_slice_from(dg_buf_slice(out), front));
    if (good)
        add_query(match, query, match->backend, out);
    else
        out->len = start;
    return good;
}

bool dg_match_successor_target(const dg_match *match, dg_slice query, dg_buf *out)
{
    const dg_route *route = match->route;
    if (!route || match->version->index + 1 >= match->api->version_count)
        return false;
    const dg_version *next = match->version + 1;
    const dg_route *to = &route->line->routes[next->index];
    size_t start = out->len;
    add_front(match->api, match->api->by_path ? next : NULL, out);
    if (to->absent || !add_path(to, &route->name, match->params, NULL, out)) {
        out->len = start;
        return false;
    }
    add_query(match, query, next, out);
    return true;
}

bool dg_match_client_target(const dg_match *match, dg_slice backend_target, dg_buf *out)
{
    const dg_compiled_api *api = compiled(match);
    if (!match->version)
        return false;
    size_t hash = dg_slice_find(backend_target, '#');
    dg_slice fragment = dg_slice_from(backend_target, hash),
             path = dg_slice_until(backend_target, hash);
    size_t mark = dg_slice_find(path, '?');
    dg_slice query = dg_slice_from(path, mark + 1);
    path = dg_slice_until(path, mark);
    if (path.len == 0 || path.ptr[0] != '/' || !starts_with_base(path, match->api->base))
        return false;
    dg_slice rest = dg_slice_from(path, match->api->base.len);
    if (match->api->by_path && dg_select_in_path(match->api, &rest) != match->backend)
        return false;
    if (rest.len == 0)
        rest = DG_SLICE("/");
    DG_ASSERT(rest.ptr && match->backend);
    dg_table_match found;
    bool listed =
        dg_table_find(&api->tables[match->backend->index], (dg_slice){NULL, 0}, rest, &found);
    if (!listed && !match->api->pass_unlisted)
        return false;
    size_t start = out->len;
    add_front(match->api, match->selected_by == DG_BY_PATH ? match->version : NULL, out);
    const dg_route *to = listed ? &found.route->line->routes[match->version->index] : NULL;
    if (to && (to->absent || !add_path(to, &found.route->name, found.params, NULL, out))) {
        out->len = start;
        return false;
    }
    if (!to)
        dg_buf_add(out, rest);
    add_query(match, query, match->version, out);
    dg_buf_add(out, fragment);
    return true;
}

bool dg_match_field_for_backend(const dg_match *match, dg_slice name, dg_slice value, dg_buf *out)
{
    return dg_select_add_field(&compiled(match)->pack.selection, match->api, name, value, match->backend,
                               out);
}

bool dg_match_field_for_client(const dg_match *match, dg_slice name, dg_slice value, dg_buf *out)
{
    return match->version && dg_select_add_field(&compiled(match)->pack.selection, match->api, name, value,
                                                 match->version, out);
}

bool dg_match_host_for_backend(const dg_match *match, dg_buf *out)
{
    return match->selected_by == DG_BY_HOST &&
           dg_select_add_host(&compiled(match)->pack.selection, match->backend, out);
}
