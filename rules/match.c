/* "What is this request?": pure functions on slices, without allocation. */
#include "rules/compiled.h"

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

static const dg_version *version_named(const dg_api *api, dg_slice name)
{
    for (size_t i = 0; i < api->version_count; i++)
        if (dg_slice_eq(dg_slice_str(api->versions[i].name), name))
            return &api->versions[i];
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* v9 has the shape of v1: the same but for the digits. Such a segment names a version, if an
 * unknown one. */
static bool same_shape(dg_slice a, dg_slice b)
{
    size_t i = 0, j = 0;
    bool digits = false;
    while (i < a.len && j < b.len) {
        if (is_digit(a.ptr[i]) && is_digit(b.ptr[j])) {
            for (; i < a.len && is_digit(a.ptr[i]); i++)
                digits = true;
            for (; j < b.len && is_digit(b.ptr[j]); j++)
                digits = true;
        } else if (a.ptr[i++] != b.ptr[j++]) {
            return false;
        }
    }
    return digits && i == a.len && j == b.len;
}

static bool looks_like_version(const dg_api *api, dg_slice segment)
{
    for (size_t i = 0; i < api->version_count; i++)
        if (same_shape(segment, dg_slice_str(api->versions[i].name)))
            return true;
    return false;
}

static int hex_value(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Whether `raw` is `plain` once its % escapes are decoded; `plain` has none and no spaces. */
static bool eq_decoded(dg_slice raw, dg_slice plain)
{
    size_t i = 0, j = 0;
    for (; i < raw.len && j < plain.len; j++) {
        char c = raw.ptr[i++];
        if (c == '%' && i + 1 < raw.len && hex_value(raw.ptr[i]) >= 0 &&
            hex_value(raw.ptr[i + 1]) >= 0) {
            c = (char)(hex_value(raw.ptr[i]) * 16 + hex_value(raw.ptr[i + 1]));
            i += 2;
        }
        if (c != plain.ptr[j])
            return false;
    }
    return i == raw.len && j == plain.len;
}

/* Takes the next parameter off `left`: its whole text, and where its value begins (text.len if it
 * has none). */
static bool next_param(dg_slice *left, dg_slice *ret_text, size_t *ret_value)
{
    if (left->len == 0)
        return false;
    size_t end = dg_slice_find(*left, '&');
    *ret_text = dg_slice_until(*left, end);
    *left = dg_slice_from(*left, end + 1);
    size_t equals = dg_slice_find(*ret_text, '=');
    *ret_value = equals < ret_text->len ? equals + 1 : ret_text->len;
    return true;
}

static bool is_param(dg_slice text, dg_slice name)
{
    return eq_decoded(dg_slice_until(text, dg_slice_find(text, '=')), name);
}

/* What the selectors say together. */
typedef struct selection {
    const dg_version *version;
    dg_selector by;
    bool named;   /* some selector names a version */
    bool unknown; /* and one of them names one that does not exist */
    bool contradiction;
} selection;

static void name_version(selection *s, const dg_version *version, dg_selector by)
{
    s->named = true;
    if (!version)
        s->unknown = true;
    else if (s->version && s->version != version)
        s->contradiction = true;
    else if (!s->version) {
        s->version = version;
        s->by = by;
    }
}

static void select_by_path(const dg_api *api, dg_slice *rest, selection *s)
{
    if (!api->by_path || rest->len < 2)
        return;
    dg_slice below = dg_slice_from(*rest, 1);
    size_t end = dg_slice_find(below, '/');
    dg_slice segment = dg_slice_until(below, end);
    const dg_version *version = version_named(api, segment);
    if (version)
        *rest = dg_slice_from(below, end);
    if (version || looks_like_version(api, segment))
        name_version(s, version, DG_BY_PATH);
}

static void select_by_header(const dg_api *api, const dg_request_view *request, selection *s)
{
    size_t count = 0;
    dg_slice value = api->version_field.len && request->field
                         ? request->field(request->context, api->version_field, &count)
                         : (dg_slice){NULL, 0};
    if (count > 1)
        s->contradiction = true;
    if (count == 0)
        return;
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = dg_slice_from(value, 1);
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    name_version(s, version_named(api, value), DG_BY_HEADER);
}

static void select_by_query(const dg_api *api, dg_slice query, selection *s)
{
    dg_slice text;
    size_t value, seen = 0;
    while (api->version_query.len && next_param(&query, &text, &value)) {
        if (!is_param(text, api->version_query))
            continue;
        const dg_version *version = NULL;
        for (size_t i = 0; i < api->version_count && !version; i++)
            if (eq_decoded(dg_slice_from(text, value), dg_slice_str(api->versions[i].name)))
                version = &api->versions[i];
        s->contradiction |= ++seen > 1;
        name_version(s, version, DG_BY_QUERY);
    }
}

static void select_version(const dg_compiled_api *api, const dg_request_view *request,
                           dg_slice *rest, selection *s)
{
    for (size_t i = 0; i < api->pack.order_count; i++)
        switch (api->pack.order[i]) {
        case DG_BY_PATH:
            select_by_path(&api->api, rest, s);
            break;
        case DG_BY_HEADER:
            select_by_header(&api->api, request, s);
            break;
        case DG_BY_QUERY:
            select_by_query(&api->api, request->query, s);
            break;
        case DG_BY_DEFAULT:
            if (!s->named)
                name_version(s, api->pack.default_version, DG_BY_DEFAULT);
            break;
        case DG_BY_NONE:
            break;
        }
}

/* Where the requests of a route go. */
static const dg_route *upstream_route(const dg_route *route)
{
    return route->upstream;
}

/* Whether the backend's version has the endpoint at all. */
static bool is_served(const dg_compiled_api *api, const dg_route *route)
{
    return route->upstream->endpoint.version->index == api->api.backend->index;
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
static bool reaches(const dg_compiled_api *api, const dg_route *upstream, dg_slice method, dg_slice path)
{
    dg_table_match there;
    return dg_table_find(&api->tables[api->api.backend->index], method, path, &there) &&
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
    if (found->param_count == 0 || match->version == api->api.backend || !is_served(api, found->route) ||
        makes_path(found->route->request))
        return true; /* a path that ops make is looked at when it is made */
    return add_path(upstream, &found->route->name, found->params, NULL, &path) && path.status == DG_OK &&
           reaches(api, upstream, match->upstream_method, dg_buf_slice(&path));
}

static void take_route(dg_match *match, const dg_table_match *found)
{
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
    const dg_version *client = match->version, *backend = api->api.backend;
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
static dg_match_result match_ended(const dg_compiled_api *api, dg_match *match, const dg_route *route)
{
    size_t last = route->upstream->endpoint.version->index;
    const dg_route *next = &route->line->routes[last < api->api.backend->index ? last + 1 : last - 1];
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
    if (listed) {
        const dg_route *upstream = upstream_route(found.route);
        /* HEAD is what GET would say; where GET becomes another method, nothing would say it. */
        if (dg_slice_eq(method, DG_SLICE("HEAD")) &&
            !dg_slice_eq(found.route->name.method, upstream->name.method))
            listed = false;
        else if (!is_any(upstream->name.method) && !dg_slice_eq(method, DG_SLICE("HEAD")))
            match->upstream_method = upstream->name.method;
        if (listed && !reaches_itself(api, match, &found))
            return DG_MATCH_UNKNOWN_ENDPOINT;
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
    return is_served(api, found.route) ? DG_MATCH_OK : match_ended(api, match, found.route);
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
    selection s = {.by = DG_BY_NONE};
    select_version(api, request, &rest, &s);
    ret_match->api = &api->api;
    ret_match->rest = rest.len ? rest : DG_SLICE("/");
    if (s.contradiction)
        return DG_MATCH_CONTRADICTION;
    if (s.unknown)
        return DG_MATCH_UNKNOWN_VERSION;
    if (!s.version)
        return match_preflight(api, request->method, ret_match) ? DG_MATCH_OK : DG_MATCH_NO_VERSION;
    ret_match->version = s.version;
    ret_match->selected_by = s.by;
    dg_match_result result = match_endpoint(api, request->method, ret_match);
    if (result == DG_MATCH_UNKNOWN_ENDPOINT && s.by == DG_BY_DEFAULT) {
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

/* "?" and the query, with the value of the selecting parameter replaced. */
static void add_query(const dg_api *api, dg_slice query, const dg_version *version, dg_buf *out)
{
    dg_slice text;
    size_t value;
    char mark = '?';
    if (api->version_query.len == 0 && query.len) {
        dg_buf_add_char(out, '?');
        dg_buf_add(out, query);
        return;
    }
    while (next_param(&query, &text, &value)) {
        dg_buf_add_char(out, mark);
        mark = '&';
        if (is_param(text, api->version_query)) {
            dg_buf_add(out, dg_slice_until(text, dg_slice_find(text, '=')));
            dg_buf_add_char(out, '=');
            dg_buf_add_str(out, version->name);
        } else {
            dg_buf_add(out, text);
        }
    }
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

static void add_upstream_front(const dg_match *match, dg_buf *out)
{
    add_front(match->api, match->api->by_path ? match->api->backend : NULL, out);
}

void dg_match_upstream_target(const dg_match *match, dg_slice query, dg_buf *out)
{
    const dg_route *route = match->route;
    size_t start = out->len;
    add_upstream_front(match, out);
    size_t front = out->len;
    if (!route || match->version == match->api->backend ||
        !add_path(upstream_route(route), &route->name, match->params, NULL, out)) {
        out->len = out->status == DG_OK ? front : start;
        dg_buf_add(out, match->rest);
    }
    add_query(match->api, query, match->api->backend, out);
}

bool dg_match_upstream_target_with(const dg_match *match, const dg_slice *params, dg_slice query, dg_buf *out)
{
    const dg_route *route = match->route;
    size_t start = out->len;
    add_upstream_front(match, out);
    size_t front = out->len;
    bool good = add_path(upstream_route(route), &route->name, match->params, params, out) &&
                reaches(compiled(match), upstream_route(route), match->upstream_method,
                        dg_slice_from(dg_buf_slice(out), front));
    if (good)
        add_query(match->api, query, match->api->backend, out);
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
    add_query(match->api, query, next, out);
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
    if (match->api->by_path) {
        selection s = {.by = DG_BY_NONE};
        select_by_path(match->api, &rest, &s);
        if (s.version != match->api->backend)
            return false;
    }
    if (rest.len == 0)
        rest = DG_SLICE("/");
    DG_ASSERT(rest.ptr && match->api->backend);
    dg_table_match found;
    bool listed =
        dg_table_find(&api->tables[match->api->backend->index], (dg_slice){NULL, 0}, rest, &found);
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
    add_query(match->api, query, match->version, out);
    dg_buf_add(out, fragment);
    return true;
}
