#include "proxy/message/header.h"

#include "proxy/message/json.h"
#include "rules/reader/field.h"

enum { TEXT_BYTES_MAX = 1 << 16, ADDED_BYTES_MAX = 1 << 16 };

static bool is_in(const dg_header *h, size_t i)
{
    return dg_field_is_documented(h->fields[i].name) &&
           !(h->is_out && h->is_out(h->context, &h->fields[i]));
}

/* ISO 8859-1 is what fields were once (RFC 9110 5.5). */
static void add_utf8(dg_slice value, dg_buf *out)
{
    if (dg_is_utf8(value)) {
        dg_buf_add(out, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c >= 0x80)
            dg_buf_add_char(out, (char)(0xC0 | c >> 6));
        dg_buf_add_char(out, c >= 0x80 ? (char)(0x80 | (c & 0x3F)) : (char)c);
    }
}

static void add_name(dg_slice name, dg_buf *out)
{
    dg_buf_add_char(out, '"'); /* a token has nothing to escape */
    for (size_t i = 0; i < name.len; i++)
        dg_buf_add_char(out, dg_ascii_lower(name.ptr[i]));
    dg_buf_add_char(out, '"');
}

static void add_values(const dg_header *h, size_t first, dg_buf *text, dg_buf *out)
{
    size_t count = 0, added = 0;
    for (size_t i = first; i < h->count; i++)
        count += dg_slice_ieq(h->fields[i].name, h->fields[first].name) && is_in(h, i);
    add_name(h->fields[first].name, out);
    dg_buf_add_str(out, count > 1 ? ":[" : ":");
    for (size_t i = first; i < h->count; i++) {
        if (!dg_slice_ieq(h->fields[i].name, h->fields[first].name) || !is_in(h, i))
            continue;
        dg_buf_add_str(out, added++ ? "," : "");
        dg_buf_clear(text);
        add_utf8(h->fields[i].value, text);
        if (text->status != DG_OK)
            out->status = text->status;
        dg_buf_add_json(out, dg_buf_slice(text));
    }
    dg_buf_add_str(out, count > 1 ? "]" : "");
}

dg_status dg_header_document(const dg_header *header, dg_buf *out)
{
    dg_buf text;
    dg_buf_init(&text, 0);
    size_t start = out->len;
    bool any = false;
    dg_buf_add_char(out, '{');
    for (size_t i = 0; i < header->count; i++) {
        bool known = !is_in(header, i);
        for (size_t j = 0; j < i && !known; j++)
            known =
                dg_slice_ieq(header->fields[i].name, header->fields[j].name) && is_in(header, j);
        if (known)
            continue;
        dg_buf_add_str(out, any ? "," : "");
        any = true;
        add_values(header, i, &text, out);
    }
    dg_buf_add_char(out, '}');
    dg_status status = out->status;
    dg_buf_free(&text);
    if (status != DG_OK)
        out->len = start;
    return status;
}

typedef struct rebuilding {
    const dg_header *header;
    dg_header_plan *plan;
    const char *message;
} rebuilding;

static dg_status refuse(rebuilding *r, const char *message)
{
    r->message = message;
    return DG_INVALID;
}

static size_t find_nth(const dg_header *h, dg_slice name, size_t nth)
{
    for (size_t i = 0; i < h->count; i++)
        if (dg_slice_ieq(h->fields[i].name, name) && is_in(h, i) && nth-- == 0)
            return i;
    return h->count;
}

/* Whether the line has that value in the document. The text goes on growing; it is cut again. */
static bool has_value(rebuilding *r, size_t line, dg_slice value, size_t start)
{
    dg_buf *text = &r->plan->text;
    size_t end = text->len;
    add_utf8(r->header->fields[line].value, text);
    bool same = text->status == DG_OK &&
                dg_slice_eq(dg_slice_from(dg_buf_slice(text), end),
                            dg_slice_until(dg_slice_from(dg_buf_slice(text), start), value.len));
    text->len = end;
    return same;
}

static void add_line(dg_buf *out, dg_slice name, dg_slice value)
{
    dg_buf_add(out, name);
    dg_buf_add_str(out, ": ");
    dg_buf_add(out, value);
    dg_buf_add_str(out, "\r\n");
}

/* Optional white space around it would not survive (RFC 9110 5.5). */
static bool is_bare(dg_slice value)
{
    return value.len == 0 ||
           (!strchr(" \t", value.ptr[0]) && !strchr(" \t", value.ptr[value.len - 1]));
}

static dg_status put(rebuilding *r, dg_slice name, dg_slice value, size_t nth)
{
    dg_buf *text = &r->plan->text;
    size_t start = text->len;
    if (!dg_json_add_text(value, text))
        return refuse(r, "a field is a string, a number or a boolean, or a list of these");
    if (text->status != DG_OK)
        return text->status;
    dg_slice decoded = dg_slice_from(dg_buf_slice(text), start);
    size_t line = find_nth(r->header, name, nth);
    if (line < r->header->count && has_value(r, line, decoded, start)) {
        r->plan->lines[line].fate = DG_LINE_STAYS;
        return text->status;
    }
    decoded = dg_slice_from(dg_buf_slice(text), start);
    if (!dg_field_text_ok(decoded) || !is_bare(decoded))
        return refuse(r, "the value of a field has no control characters, and no spaces around it");
    if (line == r->header->count && r->header->is_reserved &&
        r->header->is_reserved(r->header->context, name))
        return refuse(r, "that header field is not a pack's to set");
    if (line < r->header->count)
        r->plan->lines[line] =
            (struct dg_line_plan){.fate = DG_LINE_CHANGES, .start = start, .len = decoded.len};
    else
        add_line(&r->plan->added, name, decoded);
    return r->plan->added.status;
}

static dg_status put_member(rebuilding *r, dg_slice name, dg_slice value)
{
    /* A name that is written with an escape is none of a field. */
    if (dg_field_problem(name))
        return refuse(r, dg_field_is_documented(name) ? "that is no name of a header field"
                                                      : "that header field is not a pack's to set");
    dg_json_type type = dg_json_type_of(value);
    if (type == DG_JSON_NULL)
        return DG_OK;
    if (type != DG_JSON_ARRAY)
        return put(r, name, value, 0);
    dg_json_walk walk = dg_json_walk_of(value);
    dg_slice element;
    dg_status status = DG_OK;
    for (size_t nth = 0; status == DG_OK && dg_json_next_element(&walk, &element); nth++)
        status = put(r, name, element, nth);
    return status;
}

dg_status dg_header_rebuild(const dg_header *header, dg_slice object, dg_header_plan *plan,
                            const char **ret_message)
{
    rebuilding r = {.header = header, .plan = plan};
    dg_buf_clear(&plan->text);
    dg_buf_clear(&plan->added);
    plan->text.bytes_max = TEXT_BYTES_MAX;
    plan->added.bytes_max = ADDED_BYTES_MAX;
    for (size_t i = 0; i < header->count; i++)
        plan->lines[i].fate = is_in(header, i) ? DG_LINE_GOES : DG_LINE_STAYS;
    dg_status status = DG_OK;
    if (object.len && dg_json_type_of(object) != DG_JSON_OBJECT)
        status = refuse(&r, "the header fields are an object");
    dg_json_walk walk = dg_json_walk_of(object);
    dg_slice name, value;
    while (status == DG_OK && dg_json_next_member(&walk, &name, &value))
        status = put_member(&r, name, value);
    if (status == DG_INVALID)
        *ret_message = r.message;
    return status;
}
