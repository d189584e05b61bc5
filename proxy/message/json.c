#include "proxy/message/json.h"

#include "transforms/name.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Behind the quote that ends the string whose content begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at + 1, end);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
            continue;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return at;
            depth--;
            at++;
        } else if (depth || c == ',' || c == ':') {
            if (depth == 0)
                return at;
            at++;
            continue;
        } else {
            while (at < end && !is_space(*at) && !strchr(",]}", *at))
                at++;
        }
        if (depth == 0)
            return at;
    }
    return end;
}

bool dg_json_is_one(dg_slice text)
{
    const char *end = text.ptr + text.len, *at = text.len ? skip_space(text.ptr, end) : end;
    const char *behind = at < end ? skip_value(at, end) : at;
    return behind > at && skip_space(behind, end) == end;
}

dg_json_type dg_json_type_of(dg_slice value)
{
    switch (value.len ? value.ptr[0] : 'n') {
    case '{':
        return DG_JSON_OBJECT;
    case '[':
        return DG_JSON_ARRAY;
    case '"':
        return DG_JSON_STRING;
    case 't':
    case 'f':
        return DG_JSON_BOOLEAN;
    case 'n':
        return DG_JSON_NULL;
    default:
        return DG_JSON_NUMBER;
    }
}

dg_json_walk dg_json_walk_of(dg_slice value)
{
    dg_json_walk walk = {NULL, NULL};
    if (value.len == 0)
        return walk;
    const char *end = value.ptr + value.len, *at = skip_space(value.ptr, end);
    if (at < end && (*at == '{' || *at == '['))
        walk = (dg_json_walk){at + 1, end};
    return walk;
}

/* The next thing in the walk, or NULL at its end. */
static const char *next(dg_json_walk *walk)
{
    const char *at = skip_space(walk->at, walk->end);
    if (at < walk->end && *at == ',')
        at = skip_space(at + 1, walk->end);
    return at < walk->end && *at != '}' && *at != ']' ? at : NULL;
}

static dg_slice take_value(dg_json_walk *walk, const char *at)
{
    const char *end = skip_value(at, walk->end);
    walk->at = end;
    return dg_slice_of(at, (size_t)(end - at));
}

bool dg_json_next_element(dg_json_walk *walk, dg_slice *ret_value)
{
    const char *at = walk->at ? next(walk) : NULL;
    if (!at)
        return false;
    *ret_value = take_value(walk, at);
    return true;
}

bool dg_json_next_member(dg_json_walk *walk, dg_slice *ret_name, dg_slice *ret_value)
{
    const char *at = walk->at ? next(walk) : NULL;
    if (!at || *at != '"')
        return false;
    const char *end = skip_string(at + 1, walk->end);
    *ret_name = dg_slice_of(at + 1, (size_t)(end - at) - 2);
    at = skip_space(end, walk->end);
    at = at < walk->end && *at == ':' ? skip_space(at + 1, walk->end) : at;
    *ret_value = take_value(walk, at);
    return true;
}

dg_slice dg_json_member(dg_slice object, dg_slice name)
{
    dg_json_walk walk = dg_json_walk_of(object);
    dg_slice found, value;
    if (dg_json_type_of(object) != DG_JSON_OBJECT)
        return (dg_slice){NULL, 0};
    while (dg_json_next_member(&walk, &found, &value))
        if (dg_slice_eq(found, name))
            return value;
    return (dg_slice){NULL, 0};
}

/* RFC 3629 4. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned char c = at[0], low = 0x80, high = 0xBF;
    size_t more = c < 0x80                 ? 0
                  : c >= 0xC2 && c <= 0xDF ? 1
                  : c >= 0xE0 && c <= 0xEF ? 2
                  : c >= 0xF0 && c <= 0xF4 ? 3
                                           : left;
    if (more >= left)
        return 0;
    low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : low;
    high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : high;
    for (size_t i = 1; i <= more; i++) {
        if (at[i] < low || at[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return more + 1;
}

bool dg_is_utf8(dg_slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len;) {
        size_t len = sequence_length(bytes + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

bool dg_json_add_name(dg_slice name, dg_buf *out)
{
    size_t start = out->len;
    dg_name_decode(name, out);
    if (dg_is_utf8(dg_slice_from(dg_buf_slice(out), start)))
        return true;
    out->len = start;
    return false;
}

bool dg_json_add_text(dg_slice value, dg_buf *out)
{
    switch (dg_json_type_of(value)) {
    case DG_JSON_STRING:
        return dg_json_add_name(dg_slice_of(value.ptr + 1, value.len - 2), out);
    case DG_JSON_NUMBER:
    case DG_JSON_BOOLEAN:
        dg_buf_add(out, value);
        return true;
    default:
        return false;
    }
}
