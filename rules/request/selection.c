/* Which version does this request speak? Pure functions on slices, without allocation. */
#include "rules/request/selection.h"

#include "base/hash.h"
#include "rules/request/media.h"
#include "rules/request/query.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The version with that name or alias. */
static const dg_version *version_named(const dg_api *api, dg_slice name)
{
    for (size_t i = 0; i < api->version_count; i++) {
        const dg_version *v = &api->versions[i];
        if (dg_slice_eq(dg_slice_str(v->name), name))
            return v;
        for (size_t j = 0; j < v->alias_count; j++)
            if (dg_slice_eq(v->aliases[j], name))
                return v;
    }
    return NULL;
}

/* How `version` is written where `as` stood: an alias for the alias at the same place, else its name. */
static dg_slice spelled(const dg_api *api, dg_slice as, const dg_version *version)
{
    const dg_version *named = version_named(api, as);
    for (size_t j = 0; named && j < named->alias_count && j < version->alias_count; j++)
        if (dg_slice_eq(named->aliases[j], as))
            return version->aliases[j];
    return dg_slice_str(version->name);
}

/* v9 has the shape of v1: the same but for the digits. Such a segment names a version, if an unknown one. */
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

static void name_version(dg_selection *s, const dg_version *version, const dg_selector_rule *rule)
{
    s->named = true;
    if (!version)
        s->unknown = true;
    else if (s->version && s->version != version)
        s->contradiction = true;
    else if (!s->version) {
        s->version = version;
        s->rule = rule;
    }
}

const dg_version *dg_select_in_path(const dg_api *api, dg_slice *rest)
{
    if (rest->len < 2)
        return NULL;
    dg_slice below = dg_slice_from(*rest, 1);
    size_t end = dg_slice_find(below, '/');
    dg_slice segment = dg_slice_until(below, end);
    for (size_t i = 0; i < api->version_count; i++)
        if (dg_slice_eq(dg_slice_str(api->versions[i].name), segment)) {
            *rest = dg_slice_from(below, end);
            return &api->versions[i];
        }
    return NULL;
}

static void by_path(const dg_selector_rule *rule, const dg_api *api, dg_slice *rest, dg_selection *s)
{
    dg_slice below = dg_slice_from(*rest, rest->len ? 1 : 0);
    const dg_version *version = dg_select_in_path(api, rest);
    if (version || looks_like_version(api, dg_slice_until(below, dg_slice_find(below, '/'))))
        name_version(s, version, rule);
}

static dg_slice trimmed(dg_slice value)
{
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = dg_slice_from(value, 1);
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    return value;
}

static dg_slice field_line(const dg_request_view *request, dg_slice name, size_t index, size_t *ret_count)
{
    *ret_count = 0;
    return request->field ? request->field(request->context, name, index, ret_count) : (dg_slice){NULL, 0};
}

static void by_header(const dg_selector_rule *rule, const dg_api *api, const dg_request_view *request,
                      dg_selection *s)
{
    size_t count;
    dg_slice value = field_line(request, rule->name, 0, &count);
    if (count > 1)
        s->contradiction = true;
    if (count)
        name_version(s, version_named(api, trimmed(value)), rule);
}

static void by_query(const dg_selector_rule *rule, const dg_api *api, dg_slice query, dg_selection *s)
{
    dg_query_param param;
    size_t seen = 0;
    while (dg_query_next(&query, &param)) {
        if (!dg_query_is(param.name, rule->name))
            continue;
        const dg_version *version = NULL;
        for (size_t i = 0; i < api->version_count && !version; i++) {
            const dg_version *v = &api->versions[i];
            bool is = dg_query_is(param.value, dg_slice_str(v->name));
            for (size_t j = 0; j < v->alias_count; j++)
                is |= dg_query_is(param.value, v->aliases[j]);
            version = is ? v : NULL;
        }
        s->contradiction |= ++seen > 1;
        name_version(s, version, rule);
    }
}

/* What stands for {version} in a text of that spelling; .ptr NULL if the text is none. Letters of any case. */
static dg_slice spelled_version(const dg_spelling *spelling, dg_slice text)
{
    size_t around = spelling->before.len + spelling->after.len;
    if (text.len <= around || !dg_slice_ieq(dg_slice_until(text, spelling->before.len), spelling->before) ||
        !dg_slice_ieq(dg_slice_from(text, text.len - spelling->after.len), spelling->after))
        return (dg_slice){NULL, 0};
    return dg_slice_of(text.ptr + spelling->before.len, text.len - around);
}

/* Where a media range names a version by this rule: a slice of it, .ptr NULL if it does not. */
static dg_slice version_in_range(const dg_selector_rule *rule, dg_slice range)
{
    dg_slice rest = range, type = dg_media_next_part(&rest), part;
    if (!rule->name.len)
        return spelled_version(&rule->spelling, type);
    while (rest.len) {
        part = dg_media_next_part(&rest);
        size_t equals = dg_slice_find(part, '=');
        if (equals < part.len && dg_slice_ieq(trimmed(dg_slice_until(part, equals)), rule->name))
            return dg_media_unquoted(trimmed(dg_slice_from(part, equals + 1)));
    }
    return (dg_slice){NULL, 0};
}

/* The version that the client likes best (RFC 9110 12.5.1): of the ranges that name one, the one with the
 * greatest weight, the first of equals. Ranges of unknown versions count only when no other is acceptable. */
static void by_accept(const dg_selector_rule *rule, const dg_api *api, const dg_request_view *request,
                      dg_selection *s)
{
    const dg_version *best = NULL;
    unsigned weight = 0;
    size_t count;
    bool unknown = false;
    dg_slice line = field_line(request, DG_SLICE("Accept"), 0, &count), range;
    for (size_t i = 0; i < count; line = ++i < count ? field_line(request, DG_SLICE("Accept"), i, &(size_t){0}) : line)
        while (dg_media_next_range(&line, &range)) {
            dg_slice name = version_in_range(rule, range);
            unsigned q = name.ptr ? dg_media_weight(range) : 0;
            const dg_version *version = q ? version_named(api, name) : NULL;
            unknown |= q && !version;
            if (version && q > weight) {
                best = version;
                weight = q;
            }
        }
    if (best || unknown)
        name_version(s, best, rule);
}

static void by_media_type(const dg_selector_rule *rule, const dg_api *api, const dg_request_view *request,
                          dg_selection *s)
{
    size_t count;
    by_accept(rule, api, request, s);
    dg_slice type = field_line(request, DG_SLICE("Content-Type"), 0, &count);
    dg_slice name = count ? version_in_range(rule, type) : (dg_slice){NULL, 0};
    if (name.ptr)
        name_version(s, version_named(api, name), rule);
}

static dg_slice without_port(dg_slice host)
{
    for (size_t i = host.len; i-- > 0 && host.ptr[i] != ']';)
        if (host.ptr[i] == ':')
            return dg_slice_until(host, i);
    return host;
}

static void by_host(const dg_selector_rule *rule, const dg_api *api, dg_slice host, dg_selection *s)
{
    host = without_port(host);
    for (size_t i = 0; i < rule->host_count; i++)
        if (dg_slice_ieq(rule->hosts[i].host, host)) {
            name_version(s, rule->hosts[i].version, rule);
            return;
        }
    dg_slice name = rule->host_count ? (dg_slice){NULL, 0} : spelled_version(&rule->spelling, host);
    const dg_version *version = NULL;
    for (size_t i = 0; name.ptr && i < api->version_count && !version; i++) /* host names have no case */
        if (dg_slice_ieq(dg_slice_str(api->versions[i].name), name))
            version = &api->versions[i];
    if (version || (name.ptr && looks_like_version(api, name)))
        name_version(s, version, rule);
}

/* A client that no pin names is not pinned. */
static void by_value(const dg_selector_rule *rule, dg_slice value, dg_selection *s)
{
    if (rule->pins.count == 0)
        return;
    for (size_t at = dg_hash(value, dg_hash_seed()) & rule->pins.mask; rule->pins.slots[at].version;
         at = (at + 1) & rule->pins.mask)
        if (dg_slice_eq(rule->pins.slots[at].value, value)) {
            name_version(s, rule->pins.slots[at].version, rule);
            return;
        }
}

/* A certificate may have several names of a kind: those that are pinned must agree. */
static void by_certificate(const dg_selector_rule *rule, const dg_request_view *request, dg_selection *s)
{
    dg_slice names = request->certificate ? request->certificate(request->context, rule->name) : (dg_slice){NULL, 0};
    while (names.len) {
        size_t end = dg_slice_find(names, ',');
        dg_slice name = trimmed(dg_slice_until(names, end));
        if (name.len)
            by_value(rule, name, s);
        names = dg_slice_from(names, end + 1);
    }
}

static void by_pin(const dg_selector_rule *rule, const dg_request_view *request, dg_selection *s)
{
    size_t count;
    if (rule->by_certificate) {
        by_certificate(rule, request, s);
        return;
    }
    dg_slice value = trimmed(field_line(request, rule->name, 0, &count));
    if (count > 1)
        s->contradiction = true;
    if (count == 1)
        by_value(rule, value, s);
}

void dg_select_version(const dg_selection_rules *rules, const dg_api *api, const dg_request_view *request,
                       dg_slice *rest, dg_selection *ret_selection)
{
    dg_selection s = {.rule = NULL};
    for (size_t i = 0; i < rules->count; i++) {
        const dg_selector_rule *rule = &rules->rules[i];
        dg_selection one = {.rule = NULL};
        switch (rule->by) {
        case DG_BY_PATH:
            by_path(rule, api, rest, &one);
            break;
        case DG_BY_HEADER:
            by_header(rule, api, request, &one);
            break;
        case DG_BY_MEDIA_TYPE:
            by_media_type(rule, api, request, &one);
            break;
        case DG_BY_QUERY:
            by_query(rule, api, request->query, &one);
            break;
        case DG_BY_HOST:
            by_host(rule, api, request->host, &one);
            break;
        case DG_BY_PIN:
            if (!s.named)
                by_pin(rule, request, &one);
            break;
        case DG_BY_DEFAULT:
            if (!s.named)
                name_version(&one, rule->version, rule);
            break;
        case DG_BY_NONE:
            break;
        }
        s.contradiction |= one.contradiction; /* within one place nothing can win */
        if ((s.named && rules->first_wins) || !one.named)
            continue;
        s.unknown |= one.unknown;
        name_version(&s, one.version, one.rule ? one.rule : rule);
    }
    *ret_selection = s;
}

/* ---- the same in another version's words */

void dg_select_add_query(const dg_selection_rules *rules, const dg_api *api, dg_slice query,
                         const dg_version *version, dg_buf *out)
{
    const dg_selector_rule *selects = NULL;
    for (size_t i = 0; i < rules->count && !selects; i++)
        selects = rules->rules[i].by == DG_BY_QUERY ? &rules->rules[i] : NULL;
    dg_query_param param;
    char mark = '?';
    if (!selects && query.len) {
        dg_buf_add_char(out, '?');
        dg_buf_add(out, query);
        return;
    }
    while (dg_query_next(&query, &param)) {
        dg_buf_add_char(out, mark);
        mark = '&';
        if (selects && dg_query_is(param.name, selects->name)) {
            dg_buf_add(out, param.name);
            dg_buf_add_char(out, '=');
            dg_buf_add(out, spelled(api, param.value, version));
        } else {
            dg_buf_add(out, param.text);
        }
    }
}

bool dg_select_add_host(const dg_selection_rules *rules, const dg_version *version, dg_buf *out)
{
    for (size_t i = 0; i < rules->count; i++) {
        const dg_selector_rule *rule = &rules->rules[i];
        if (rule->by != DG_BY_HOST)
            continue;
        for (size_t j = 0; j < rule->host_count; j++)
            if (rule->hosts[j].version == version) {
                dg_buf_add(out, rule->hosts[j].host);
                return true;
            }
        if (rule->host_count)
            return false;
        dg_buf_add(out, rule->spelling.before);
        for (const char *c = version->name; *c; c++)
            dg_buf_add_char(out, dg_ascii_lower(*c));
        dg_buf_add(out, rule->spelling.after);
        return true;
    }
    return false;
}

/* A field of media ranges, with the versions in it exchanged; everything else byte for byte. */
static bool add_media_types(const dg_selector_rule *rule, const dg_api *api, dg_slice value,
                            const dg_version *version, dg_buf *out)
{
    dg_slice rest = value, range;
    const char *copied = value.ptr;
    while (dg_media_next_range(&rest, &range)) {
        dg_slice name = version_in_range(rule, range);
        if (!name.ptr || !version_named(api, name))
            continue;
        dg_buf_add(out, dg_slice_of(copied, (size_t)(name.ptr - copied)));
        dg_buf_add(out, spelled(api, name, version));
        copied = name.ptr + name.len;
    }
    if (copied == value.ptr)
        return false;
    dg_buf_add(out, dg_slice_of(copied, (size_t)(value.ptr + value.len - copied)));
    return true;
}

bool dg_select_add_field(const dg_selection_rules *rules, const dg_api *api, dg_slice name, dg_slice value,
                         const dg_version *version, dg_buf *out)
{
    for (size_t i = 0; i < rules->count; i++) {
        const dg_selector_rule *rule = &rules->rules[i];
        if (rule->by == DG_BY_HEADER && dg_slice_ieq(rule->name, name)) {
            dg_buf_add(out, spelled(api, trimmed(value), version));
            return true;
        }
        bool typed = rule->by == DG_BY_MEDIA_TYPE && (dg_slice_ieq(name, DG_SLICE("Accept")) ||
                                                      dg_slice_ieq(name, DG_SLICE("Content-Type")));
        if (typed && add_media_types(rule, api, value, version, out))
            return true;
    }
    return false;
}
