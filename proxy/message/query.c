#include "proxy/message/query.h"

#include "proxy/message/json.h"

/* ---- percent-encoding (RFC 3986 2.1) */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool dg_percent_decode(dg_slice raw, bool plus, dg_buf *out)
{
    size_t start = out->len;
    bool good = true;
    for (size_t i = 0; i < raw.len && good; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex_value(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_value(raw.ptr[i + 2]) : -1;
            good = high >= 0 && low >= 0;
            c = good ? (char)(high * 16 + low) : c;
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        dg_buf_add_char(out, c);
    }
    good = good && (out->status != DG_OK || dg_is_utf8(dg_slice_from(dg_buf_slice(out), start)));
    if (!good && out->status == DG_OK)
        out->len = start;
    return good;
}

void dg_percent_encode(dg_slice text, bool query, dg_buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *others = query ? "-._~,:/@!$*;[]()" : "-._~!$&'()*+,;=:@";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr(others, c));
        if (plain) {
            dg_buf_add_char(out, (char)c);
            continue;
        }
        const char triplet[] = {'%', hex[c >> 4], hex[c & 15]};
        dg_buf_add(out, dg_slice_of(triplet, sizeof triplet));
    }
}

/* ---- what came */

typedef struct span {
    size_t start, len;
} span;

/* A parameter as it came: its text in the query, and its decoded name and value in `text`. */
typedef struct param {
    dg_slice raw;
    span name, value;
    bool out; /* of the document */
} param;

typedef struct params {
    param at[DG_QUERY_PARAMS_MAX];
    size_t count;
    dg_buf text;
} params;

static dg_slice slice_of(const params *p, span s)
{
    return dg_slice_until(dg_slice_from(dg_buf_slice(&p->text), s.start), s.len);
}

static bool decode(params *p, dg_slice raw, span *ret)
{
    ret->start = p->text.len;
    bool good = dg_percent_decode(raw, true, &p->text);
    ret->len = p->text.len - ret->start;
    return good;
}

/* Empty ones ("a&&b") say nothing. */
static dg_status read_params(dg_slice query, const dg_query_rest *rest, params *p)
{
    p->count = 0;
    dg_buf_init(&p->text, 0);
    while (query.len) {
        size_t end = dg_slice_find(query, '&');
        dg_slice raw = dg_slice_until(query, end);
        query = dg_slice_from(query, end + 1);
        if (raw.len == 0)
            continue;
        if (p->count == DG_QUERY_PARAMS_MAX)
            return DG_LIMIT;
        size_t equals = dg_slice_find(raw, '=');
        param *one = &p->at[p->count++];
        *one = (param){.raw = raw};
        one->out = rest && rest->is_out(rest->context, dg_slice_until(raw, equals));
        if (!one->out && (!decode(p, dg_slice_until(raw, equals), &one->name) ||
                          !decode(p, dg_slice_from(raw, equals + 1), &one->value)))
            return DG_SYNTAX;
    }
    return p->text.status;
}

/* ---- to a document */

static bool same_name(const params *p, size_t a, size_t b)
{
    return !p->at[b].out && dg_slice_eq(slice_of(p, p->at[a].name), slice_of(p, p->at[b].name));
}

static void add_values(const params *p, size_t first, dg_buf *out)
{
    size_t count = 0;
    for (size_t i = first; i < p->count; i++)
        count += same_name(p, first, i);
    dg_buf_add_json(out, slice_of(p, p->at[first].name));
    dg_buf_add_str(out, count > 1 ? ":[" : ":");
    size_t added = 0;
    for (size_t i = first; i < p->count; i++)
        if (same_name(p, first, i)) {
            dg_buf_add_str(out, added++ ? "," : "");
            dg_buf_add_json(out, slice_of(p, p->at[i].value));
        }
    dg_buf_add_str(out, count > 1 ? "]" : "");
}

dg_status dg_query_document(dg_slice query, const dg_query_rest *rest, dg_buf *out)
{
    params p;
    size_t start = out->len;
    dg_status status = read_params(query, rest, &p);
    bool any = false;
    if (status == DG_OK)
        dg_buf_add_char(out, '{');
    for (size_t i = 0; status == DG_OK && i < p.count; i++) {
        bool known = p.at[i].out;
        for (size_t j = 0; j < i && !known; j++)
            known = same_name(&p, i, j);
        if (known)
            continue;
        dg_buf_add_str(out, any ? "," : "");
        any = true;
        add_values(&p, i, out);
    }
    if (status == DG_OK)
        dg_buf_add_char(out, '}');
    dg_buf_free(&p.text);
    if (status == DG_OK)
        status = out->status;
    if (status != DG_OK)
        out->len = start;
    return status;
}

/* ---- and back */

/* A parameter as it leaves: raw as it came, or a name and a value to encode; `place` is that of the
 * one that came, or of the one before it. */
typedef struct leaving {
    dg_slice raw;
    span name, value;
    long place;
} leaving;

typedef struct rebuilding {
    params came;
    leaving at[DG_QUERY_PARAMS_MAX];
    size_t count;
    long place;
    const char *message;
} rebuilding;

static dg_status refuse(rebuilding *r, const char *message)
{
    r->message = message;
    return DG_INVALID;
}

/* The one that came under the name, the `nth`; or the count. */
static size_t find_nth(const params *p, span name, size_t nth)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->at[i].out && dg_slice_eq(slice_of(p, p->at[i].name), slice_of(p, name)) &&
            nth-- == 0)
            return i;
    return p->count;
}

static dg_status put(rebuilding *r, span name, dg_slice value, size_t nth)
{
    if (r->count == DG_QUERY_PARAMS_MAX)
        return DG_LIMIT;
    leaving *one = &r->at[r->count++];
    *one = (leaving){.name = name, .value = {.start = r->came.text.len}};
    if (!dg_json_add_text(value, &r->came.text))
        return refuse(r, "a parameter is a string, a number or a boolean, or a list of these");
    one->value.len = r->came.text.len - one->value.start;
    if (r->came.text.status != DG_OK)
        return r->came.text.status;
    size_t as = find_nth(&r->came, name, nth);
    if (as < r->came.count) {
        r->place = (long)as;
        if (dg_slice_eq(slice_of(&r->came, r->came.at[as].value), slice_of(&r->came, one->value)))
            one->raw = r->came.at[as].raw;
    }
    one->place = r->place;
    return DG_OK;
}

static dg_status put_member(rebuilding *r, dg_slice name, dg_slice value)
{
    span decoded = {.start = r->came.text.len};
    if (!dg_json_add_name(name, &r->came.text))
        return refuse(r, "the name of a parameter is no UTF-8");
    decoded.len = r->came.text.len - decoded.start;
    dg_json_type type = dg_json_type_of(value);
    if (type == DG_JSON_NULL)
        return DG_OK;
    if (type != DG_JSON_ARRAY)
        return put(r, decoded, value, 0);
    dg_json_walk walk = dg_json_walk_of(value);
    dg_slice element;
    dg_status status = DG_OK;
    for (size_t nth = 0; status == DG_OK && dg_json_next_element(&walk, &element); nth++)
        status = put(r, decoded, element, nth);
    return status;
}

/* By their places, and where these are equal as they are. */
static void sort(rebuilding *r)
{
    for (size_t i = 1; i < r->count; i++) {
        leaving one = r->at[i];
        size_t at = i;
        for (; at > 0 && r->at[at - 1].place > one.place; at--)
            r->at[at] = r->at[at - 1];
        r->at[at] = one;
    }
}

static void print(const rebuilding *r, dg_buf *out)
{
    for (size_t i = 0; i < r->count; i++) {
        const leaving *one = &r->at[i];
        dg_buf_add_str(out, i ? "&" : "");
        dg_buf_add(out, one->raw);
        if (one->raw.ptr)
            continue;
        dg_percent_encode(slice_of(&r->came, one->name), true, out);
        dg_buf_add_char(out, '=');
        dg_percent_encode(slice_of(&r->came, one->value), true, out);
    }
}

static dg_status rebuild(rebuilding *r, dg_slice query, const dg_query_rest *rest, dg_slice object)
{
    dg_status status = read_params(query, rest, &r->came);
    if (status == DG_SYNTAX)
        return refuse(r, "it is not percent-encoded UTF-8");
    if (status == DG_OK && object.len && dg_json_type_of(object) != DG_JSON_OBJECT)
        return refuse(r, "the parameters are an object");
    for (size_t i = 0; status == DG_OK && i < r->came.count; i++)
        if (r->came.at[i].out)
            r->at[r->count++] = (leaving){.raw = r->came.at[i].raw, .place = (long)i};
    dg_json_walk walk = dg_json_walk_of(object);
    dg_slice name, value;
    while (status == DG_OK && dg_json_next_member(&walk, &name, &value))
        status = put_member(r, name, value);
    return status;
}

dg_status dg_query_rebuild(dg_slice query, const dg_query_rest *rest, dg_slice object, dg_buf *out,
                           const char **ret_message)
{
    rebuilding r = {.count = 0, .place = -1};
    size_t start = out->len;
    dg_status status = rebuild(&r, query, rest, object);
    if (status == DG_OK) {
        sort(&r);
        print(&r, out);
        status = out->status;
    }
    dg_buf_free(&r.came.text);
    if (status != DG_OK)
        out->len = start;
    if (status == DG_INVALID)
        *ret_message = r.message;
    return status;
}
