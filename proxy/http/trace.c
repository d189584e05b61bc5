#include "proxy/http/trace.h"

#include "proxy/http/chars.h"

enum { PARENT_BYTES = 55, KEY_BYTES_MAX = 256, VALUE_BYTES_MAX = 256 };

/* ---- traceparent: "00-" trace-id "-" parent-id "-" flags */

/* Lower-case hexadecimal digits. */
static bool is_hex(dg_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') && !(s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))
            return false;
    return true;
}

static bool is_zero(dg_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '0')
            return false;
    return true;
}

dg_slice dg_trace_id(const dg_head *head)
{
    const dg_slice none = {NULL, 0};
    const dg_field *field = dg_head_find(head, DG_FIELD_TRACEPARENT);
    if (!field || dg_head_next(head, field) || field->value.len < PARENT_BYTES)
        return none;
    const char *at = field->value.ptr;
    const dg_slice version = {at, 2}, trace = {at + 3, DG_TRACE_ID_BYTES}, parent = {at + 36, 16}, flags = {at + 53, 2};
    /* Later versions may have more behind (2.2.4); version 00 may not, and ff is none. */
    const bool first = dg_slice_eq(version, DG_SLICE("00"));
    const bool ends = field->value.len == PARENT_BYTES || (!first && at[PARENT_BYTES] == '-');
    const bool good = is_hex(version) && !dg_slice_eq(version, DG_SLICE("ff")) && at[2] == '-' && is_hex(trace) &&
                      !is_zero(trace) && at[35] == '-' && is_hex(parent) && !is_zero(parent) && at[52] == '-' &&
                      is_hex(flags) && ends;
    return good ? trace : none;
}

/* ---- tracestate: key "=" value, parted by commas */

static bool is_key(dg_slice key)
{
    size_t ats = 0;
    if (key.len == 0 || key.len > KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        const char c = key.ptr[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        const bool starts = i == 0 || key.ptr[i - 1] == '@'; /* of a tenant, or of its system */
        ats += c == '@';
        if (!letter && (starts || !(c && strchr("_-*/@", c))))
            return false;
    }
    return ats <= 1 && key.ptr[key.len - 1] != '@';
}

static bool is_value(dg_slice value)
{
    if (value.len == 0 || value.len > VALUE_BYTES_MAX || value.ptr[value.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '=')
            return false;
    return true;
}

/* Adds the keys of one field. */
static bool read_members(dg_slice rest, dg_slice keys[DG_TRACESTATE_MEMBERS_MAX], size_t *count)
{
    while (rest.len) {
        const size_t end = dg_slice_find(rest, ',');
        const dg_slice member = dg_trim_ows(dg_slice_until(rest, end));
        const size_t equals = dg_slice_find(member, '=');
        const dg_slice key = dg_slice_until(member, equals);
        rest = dg_slice_from(rest, end + 1);
        if (member.len == 0)
            continue;
        if (*count == DG_TRACESTATE_MEMBERS_MAX || !is_key(key) || !is_value(dg_slice_from(member, equals + 1)))
            return false;
        for (size_t i = 0; i < *count; i++)
            if (dg_slice_eq(keys[i], key))
                return false;
        keys[(*count)++] = key;
    }
    return true;
}

bool dg_tracestate_is_valid(const dg_head *head)
{
    dg_slice keys[DG_TRACESTATE_MEMBERS_MAX];
    size_t count = 0;
    for (const dg_field *f = dg_head_find(head, DG_FIELD_TRACESTATE); f; f = dg_head_next(head, f))
        if (!read_members(f->value, keys, &count))
            return false;
    return true;
}
