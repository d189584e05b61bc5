#include "proxy/http/fields.h"

#include "proxy/http/chars.h"

enum { WEIGHT_MAX = 1000 };

bool dg_is_token(dg_slice name)
{
    return name.len > 0 && dg_chars_span(name, DG_CHAR_TOKEN) == name.len;
}

bool dg_is_field_value(dg_slice value)
{
    return dg_chars_span(value, DG_CHAR_VALUE) == value.len;
}

dg_list dg_list_of_value(dg_slice value)
{
    return (dg_list){value, NULL, NULL};
}

dg_list dg_list_of_field(const dg_head *head, dg_field_id id)
{
    return (dg_list){{NULL, 0}, head, dg_head_find(head, id)};
}

/* The end of a quoted string that begins at s[at], behind its closing quote; the end of s without
 * one. */
static size_t quoted_end(dg_slice s, size_t at)
{
    for (at++; at < s.len; at++) {
        if (s.ptr[at] == '"')
            return at + 1;
        if (s.ptr[at] == '\\')
            at++;
    }
    return s.len;
}

/* Where the part of s up to an unquoted separator ends. */
static size_t part_end(dg_slice s, char separator)
{
    size_t at = 0;
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t'))
        at++;
    if (at < s.len && s.ptr[at] == '<')
        at += dg_slice_find(dg_slice_from(s, at), '>');
    while (at < s.len && s.ptr[at] != separator)
        at = s.ptr[at] == '"' ? quoted_end(s, at) : at + 1;
    return at;
}

bool dg_list_next(dg_list *list, dg_slice *ret_member)
{
    for (;;) {
        while (list->rest.len) {
            const size_t end = part_end(list->rest, ',');
            const dg_slice member = dg_trim_ows(dg_slice_until(list->rest, end));
            list->rest = dg_slice_from(list->rest, end + 1);
            if (member.len) {
                *ret_member = member;
                return true;
            }
        }
        if (!list->next)
            return false;
        list->rest = list->next->value;
        list->next = dg_head_next(list->head, list->next);
    }
}

bool dg_param_next(dg_slice *rest, char separator, dg_param *ret_param)
{
    while (rest->len) {
        const size_t end = part_end(*rest, separator);
        const dg_slice part = dg_trim_ows(dg_slice_until(*rest, end));
        *rest = dg_slice_from(*rest, end + 1);
        if (part.len == 0)
            continue;
        const size_t equals = dg_slice_find(part, '=');
        dg_slice value = dg_trim_ows(dg_slice_from(part, equals + 1));
        if (value.len && value.ptr[0] == '"') {
            const size_t close = quoted_end(value, 0);
            const bool closed = close >= 2 && value.ptr[close - 1] == '"';
            value = (dg_slice){value.ptr + 1, close - (closed ? 2 : 1)};
        }
        *ret_param =
            (dg_param){dg_trim_ows(dg_slice_until(part, equals)), value, equals < part.len};
        return true;
    }
    return false;
}

bool dg_connection_names(const dg_head *head, dg_slice name)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_CONNECTION);
    dg_slice option;
    while (dg_list_next(&list, &option))
        if (dg_slice_ieq(option, name))
            return true;
    return false;
}

/* End-to-end fields that a sender must not list in Connection (RFC 9110 7.6.1), and whose loss
 * would change what the message is, whom it is for, or whom it came from. */
static bool needed_by_message(dg_field_id id)
{
    switch (id) {
    case DG_FIELD_HOST:
    case DG_FIELD_CONTENT_LENGTH:
    case DG_FIELD_CONTENT_TYPE:
    case DG_FIELD_CONTENT_ENCODING:
    case DG_FIELD_CONTENT_RANGE:
    case DG_FIELD_CONTENT_LOCATION:
    case DG_FIELD_CACHE_CONTROL:
    case DG_FIELD_ETAG:
    case DG_FIELD_VARY:
    case DG_FIELD_DATE:
    case DG_FIELD_VIA:
    case DG_FIELD_FORWARDED:
    case DG_FIELD_X_FORWARDED_FOR:
    case DG_FIELD_X_FORWARDED_PROTO:
    case DG_FIELD_X_FORWARDED_HOST:
    case DG_FIELD_AUTHORIZATION:
    case DG_FIELD_API_VERSION:
        return true;
    default:
        return false;
    }
}

bool dg_field_is_dropped(const dg_head *head, const dg_field *field)
{
    if (dg_field_hop_by_hop(field->id))
        return true;
    if (!dg_head_find(head, DG_FIELD_CONNECTION) || needed_by_message(field->id))
        return false;
    return dg_connection_names(head, field->name);
}

dg_status dg_media_type_parse(dg_slice value, dg_media_type *ret_type)
{
    value = dg_trim_ows(value);
    const size_t type = dg_chars_span(value, DG_CHAR_TOKEN);
    if (type == 0 || type == value.len || value.ptr[type] != '/')
        return DG_SYNTAX;
    const dg_slice after = dg_slice_from(value, type + 1);
    const size_t subtype = dg_chars_span(after, DG_CHAR_TOKEN);
    const dg_slice params = dg_trim_ows(dg_slice_from(after, subtype));
    if (subtype == 0 || (params.len && params.ptr[0] != ';'))
        return DG_SYNTAX;
    *ret_type = (dg_media_type){{value.ptr, type}, {after.ptr, subtype}, params};
    return DG_OK;
}

static bool ends_with_json(dg_slice subtype)
{
    const dg_slice suffix = DG_SLICE("+json");
    return subtype.len >= suffix.len &&
           dg_slice_ieq(dg_slice_from(subtype, subtype.len - suffix.len), suffix);
}

dg_json_kind dg_media_type_json(dg_slice value)
{
    value = dg_trim_ows(value);
    if (dg_slice_eq(value, DG_SLICE("application/json")) ||
        dg_slice_eq(value, DG_SLICE("application/json; charset=utf-8")))
        return DG_JSON_YES; /* as nearly all say it */
    /* Only as far as the type goes: behind it a lenient reader forgives everything. */
    const size_t type = dg_chars_span(value, DG_CHAR_TOKEN);
    const dg_slice after = dg_slice_from(value, type + 1);
    const dg_slice subtype = dg_slice_until(after, dg_chars_span(after, DG_CHAR_TOKEN));
    if (type == value.len || value.ptr[type] != '/')
        return DG_JSON_NO;
    const dg_slice top = dg_slice_until(value, type);
    const bool plain =
        dg_slice_ieq(subtype, DG_SLICE("json")) &&
        (dg_slice_ieq(top, DG_SLICE("application")) || dg_slice_ieq(top, DG_SLICE("text")));
    if (!plain && !ends_with_json(subtype))
        return DG_JSON_NO;
    dg_slice rest = dg_slice_from(after, subtype.len);
    rest = dg_slice_from(rest, dg_slice_find(rest, ';'));
    dg_param param;
    while (dg_param_next(&rest, ';', &param)) {
        if (!dg_slice_ieq(param.name, DG_SLICE("charset")))
            continue;
        if (!dg_slice_ieq(param.value, DG_SLICE("utf-8")) &&
            !dg_slice_ieq(param.value, DG_SLICE("utf8")) &&
            !dg_slice_ieq(param.value, DG_SLICE("us-ascii")))
            return DG_JSON_CHARSET;
    }
    return DG_JSON_YES;
}

dg_json_kind dg_head_json(const dg_head *head)
{
    const dg_field *field = dg_head_find(head, DG_FIELD_CONTENT_TYPE);
    if (!field)
        return DG_JSON_NO;
    dg_json_kind kind = dg_media_type_json(field->value);
    for (const dg_field *f = dg_head_next(head, field); f; f = dg_head_next(head, f))
        if (kind != DG_JSON_NO || dg_media_type_json(f->value) != DG_JSON_NO)
            return DG_JSON_CHARSET;
    return kind;
}

bool dg_head_has_one_type(const dg_head *head)
{
    const dg_field *field = dg_head_find(head, DG_FIELD_CONTENT_TYPE);
    dg_media_type type;
    return field && !dg_head_next(head, field) && part_end(field->value, ',') == field->value.len &&
           dg_media_type_parse(field->value, &type) == DG_OK;
}

bool dg_head_cache_control(const dg_head *head, dg_slice directive)
{
    for (const dg_field *f = dg_head_find(head, DG_FIELD_CACHE_CONTROL); f;
         f = dg_head_next(head, f)) {
        dg_slice rest = f->value;
        dg_param param;
        while (dg_param_next(&rest, ',', &param))
            if (dg_slice_ieq(param.name, directive))
                return true;
    }
    return false;
}

/* qvalue (RFC 9110 12.4.2): 0 to 1 with at most three decimals; malformed ones are 0. */
static unsigned weight_of(dg_slice text)
{
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return 0;
    unsigned weight = (unsigned)(text.ptr[0] - '0') * WEIGHT_MAX;
    unsigned unit = WEIGHT_MAX / 10;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (!dg_char_is(text.ptr[i], DG_CHAR_DIGIT))
            return 0;
        weight += (unsigned)(text.ptr[i] - '0') * unit;
    }
    return weight <= WEIGHT_MAX ? weight : 0;
}

/* "gzip;q=0.5" into its name and weight. */
static unsigned coding_weight(dg_slice member, dg_slice *ret_name)
{
    const size_t end = dg_slice_find(member, ';');
    *ret_name = dg_trim_ows(dg_slice_until(member, end));
    dg_slice rest = dg_slice_from(member, end);
    dg_param param;
    while (dg_param_next(&rest, ';', &param))
        if (dg_slice_ieq(param.name, DG_SLICE("q")))
            return weight_of(param.value);
    return WEIGHT_MAX;
}

unsigned dg_head_accepts_coding(const dg_head *head, dg_slice coding)
{
    const bool identity = dg_slice_ieq(coding, DG_SLICE("identity"));
    dg_list list = dg_list_of_field(head, DG_FIELD_ACCEPT_ENCODING);
    dg_slice member, name;
    bool any = false, star = false;
    unsigned star_weight = 0;
    while (dg_list_next(&list, &member)) {
        const unsigned weight = coding_weight(member, &name);
        any = true;
        if (dg_slice_ieq(name, coding))
            return weight;
        if (dg_slice_eq(name, DG_SLICE("*"))) {
            star = true;
            star_weight = weight;
        }
    }
    if (star)
        return star_weight;
    if (!identity)
        return 0;
    return any ? 1 : WEIGHT_MAX;
}

bool dg_head_via_has(const dg_head *head, dg_slice pseudonym)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_VIA);
    dg_slice member;
    while (dg_list_next(&list, &member)) {
        /* received-protocol RWS received-by [ RWS comment ] */
        const char *space = memchr(member.ptr, ' ', member.len);
        const char *tab = memchr(member.ptr, '\t', member.len);
        if (!space || (tab && tab < space))
            space = tab;
        if (!space)
            continue;
        dg_slice by = dg_trim_ows(dg_slice_from(member, (size_t)(space - member.ptr)));
        size_t end = 0;
        while (end < by.len && by.ptr[end] != ' ' && by.ptr[end] != '\t')
            end++;
        if (dg_slice_ieq(dg_slice_until(by, end), pseudonym))
            return true;
    }
    return false;
}
