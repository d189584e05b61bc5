/* WHOLE ops between texts and what they say: separated lists, signs, JSON in a string. */
#include "transforms/name.h"
#include "transforms/program.h"
#include "transforms/text/scan.h"
#include "transforms/whole/whole_ops.h"

/* ---- separated texts */

static bool is_at(dg_slice text, size_t at, dg_slice what)
{
    return what.len <= text.len - at && memcmp(text.ptr + at, what.ptr, what.len) == 0;
}

/* Where the first separator is, or the end of the text. With `quoted`, those between double quotes
 * are none; a quote that nothing closes goes to the end. */
static size_t find_separator(dg_slice text, dg_slice separator, bool quoted)
{
    bool inside = false;
    size_t at = 0;
    while (at < text.len) {
        if (!quoted || !inside) {
            if (is_at(text, at, separator))
                return at;
        }
        inside ^= text.ptr[at] == '"';
        at++;
    }
    return at;
}

/* Behind the quoted field that the text starts with, or 0 if it is none: closed, with a separator
 * or the end after it. */
static size_t quoted_field(dg_slice text, dg_slice separator)
{
    if (text.len < 2 || *text.ptr != '"')
        return 0;
    for (size_t at = 1; at < text.len; at++) {
        if (text.ptr[at] != '"')
            continue;
        if (at + 1 < text.len && text.ptr[at + 1] == '"')
            at++;
        else
            return at + 1 == text.len || is_at(text, at + 1, separator) ? at + 1 : 0;
    }
    return 0;
}

/* The content of a quoted field, its quotes doubled. */
static void add_unquoted(dg_slice field, dg_buf *out)
{
    for (size_t at = 1; at + 1 < field.len; at++) {
        dg_buf_add_char(out, field.ptr[at]);
        at += field.ptr[at] == '"';
    }
}

static bool has_separator(dg_tape *tape, const dg_op *op)
{
    if (op->value.len == 0)
        return dg_tape_refuse(tape, "a separator without a character");
    if (op->quoted && dg_slice_find(op->value, '"') < op->value.len)
        return dg_tape_refuse(tape,
                              "a separator with a quote in it does not go with quoted fields");
    return true;
}

static bool add_part(dg_tape *tape, dg_tape_node *list, dg_slice part, bool is_quoted)
{
    size_t from = tape->text.len;
    if (is_quoted) {
        add_unquoted(part, &tape->text);
        if (!dg_tape_made(tape, from, &part))
            return false;
    }
    dg_tape_node *node = dg_tape_string(tape, part);
    if (node)
        dg_tape_append(list, node);
    return node != NULL;
}

bool dg_whole_split(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_slice text;
    if ((*root)->kind == DG_TAPE_NULL)
        return true;
    if ((*root)->kind != DG_TAPE_STRING)
        return dg_tape_refuse(tape, "expected a string");
    dg_tape_node *list = dg_tape_container(tape, DG_TAPE_ARRAY);
    if (!list || !has_separator(tape, op) || !dg_tape_text(tape, *root, &text))
        return false;
    *root = list;
    for (bool more = text.len > 0; more;) {
        size_t quoted = op->quoted ? quoted_field(text, op->value) : 0;
        size_t end = quoted ? quoted : find_separator(text, op->value, op->quoted);
        if (!add_part(tape, list, dg_slice_until(text, end), quoted > 0))
            return false;
        more = end < text.len;
        text = dg_slice_from(text, more ? end + op->value.len : end);
    }
    return true;
}

/* Does SPLIT give the element back, as it is? `last`: no separator follows; `only`: it is the only
 * one. */
static bool splits_back(const dg_op *op, dg_slice part, dg_slice with_separator, bool last,
                        bool only)
{
    size_t quotes = 0;
    if (only && part.len == 0)
        return false;
    if (op->quoted) {
        for (size_t i = 0; i < part.len; i++)
            quotes += part.ptr[i] == '"';
        if (quotes % 2 || (quotes && *part.ptr == '"'))
            return false;
    }
    return find_separator(last ? part : with_separator, op->value, op->quoted) == part.len;
}

static void add_quoted(dg_slice part, dg_buf *out)
{
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] == '"')
            dg_buf_add_char(out, '"');
        dg_buf_add_char(out, part.ptr[i]);
    }
    dg_buf_add_char(out, '"');
}

/* Appends an element and the separator behind it. */
static bool join_one(dg_tape *tape, const dg_op *op, const dg_tape_node *list,
                     const dg_tape_node *node)
{
    dg_buf *text = &tape->text;
    dg_slice part;
    bool last = !node->next, only = last && node == list->first;
    size_t from = text->len;
    if (node->kind != DG_TAPE_STRING)
        return dg_tape_refuse(tape, "an element that is no string cannot be joined");
    if (!dg_tape_text(tape, node, &part))
        return false;
    dg_buf_add(text, part);
    dg_buf_add(text, op->value);
    if (text->status != DG_OK)
        return true; /* dg_tape_made says it */
    if (!splits_back(op, part, dg_slice_from(dg_buf_slice(text), from), last, only)) {
        if (!op->quoted && !op->lossy)
            return dg_tape_refuse(tape, part.len ? "an element has the separator in it"
                                                 : "a single empty element would be gone");
        if (op->quoted) {
            text->len = from;
            add_quoted(part, text);
            dg_buf_add(text, op->value);
        }
    }
    if (last && text->status == DG_OK)
        text->len -= op->value.len;
    return true;
}

bool dg_whole_join(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    size_t from = tape->text.len;
    dg_slice text;
    if ((*root)->kind == DG_TAPE_NULL)
        return true;
    if ((*root)->kind != DG_TAPE_ARRAY)
        return dg_tape_refuse(tape, "expected an array");
    if (!has_separator(tape, op) || !dg_tape_read(tape, *root))
        return false;
    for (const dg_tape_node *node = (*root)->first; node; node = node->next)
        if (!join_one(tape, op, *root, node))
            return false;
    dg_tape_node *joined = dg_tape_made(tape, from, &text) ? dg_tape_string(tape, text) : NULL;
    if (joined)
        *root = joined;
    return joined != NULL;
}

/* ---- signs */

/* The next field of a list with commas; false behind the last one. */
static bool next_field(dg_slice *text, bool *more, dg_slice *ret_field)
{
    if (!*more)
        return false;
    size_t comma = dg_slice_find(*text, ',');
    *ret_field = dg_slice_until(*text, comma);
    *more = comma < text->len;
    *text = dg_slice_from(*text, comma + *more);
    return true;
}

/* The string of a member, that stays; *ret_is is false if there is none, or null. */
static bool member_text(dg_tape *tape, dg_tape_node *member, dg_slice *ret_text, bool *ret_is)
{
    dg_slice text;
    *ret_is = member && member->kind != DG_TAPE_NULL;
    *ret_text = (dg_slice){NULL, 0};
    if (!*ret_is)
        return true;
    if (member->kind != DG_TAPE_STRING)
        return dg_tape_refuse(tape, "the fields or their orders are no string");
    if (!dg_tape_text(tape, member, &text))
        return false;
    if (text.ptr == tape->name.ptr && !dg_tape_dup(tape, text, &text))
        return false;
    *ret_text = text;
    return true;
}

static bool replace_text(dg_tape *tape, dg_tape_node *member, size_t from)
{
    dg_slice text;
    dg_tape_node *node = dg_tape_made(tape, from, &text) ? dg_tape_string(tape, text) : NULL;
    if (node)
        dg_tape_replace(member, node);
    return node != NULL;
}

static bool add_signs(dg_tape *tape, const dg_op *op, dg_slice fields, dg_slice orders)
{
    dg_slice field, order;
    bool more = fields.len > 0, more_orders = orders.len > 0, first = true;
    while (next_field(&fields, &more, &field)) {
        bool has_order = next_field(&orders, &more_orders, &order);
        bool descending = has_order && dg_slice_eq(order, DG_SLICE("desc"));
        if (has_order && !descending && !dg_slice_eq(order, DG_SLICE("asc")))
            return dg_tape_refuse(tape, "an order is neither asc nor desc");
        if (descending && field.len == 0)
            return dg_tape_refuse(tape, "a sign without a field");
        if (field.len && *field.ptr == '-')
            return dg_tape_refuse(tape, "a field has a sign already");
        if (!first)
            dg_buf_add_char(&tape->text, ',');
        if (descending)
            dg_buf_add_char(&tape->text, '-');
        dg_buf_add(&tape->text, field);
        first = false;
    }
    return !more_orders || op->lossy || dg_tape_refuse(tape, "more orders than fields");
}

/* The members `name` and `to` of an object, and the text of the first; *ret_is is false if there is
 * nothing to do. */
static bool sign_members(dg_tape *tape, const dg_op *op, dg_tape_node *object,
                         dg_tape_node **ret_name, dg_tape_node **ret_to, dg_slice *ret_fields,
                         bool *ret_is)
{
    *ret_is = false;
    if (object->kind == DG_TAPE_ARRAY)
        return dg_tape_refuse(tape, "expected an object, not an array");
    if (object->kind != DG_TAPE_OBJECT)
        return true;
    return dg_tape_find(tape, object, op->name, ret_name) &&
           dg_tape_find(tape, object, op->to, ret_to) &&
           member_text(tape, *ret_name, ret_fields, ret_is);
}

bool dg_whole_signs(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *name, *to;
    dg_slice fields, orders;
    bool is, ordered;
    size_t from = tape->text.len;
    if (!sign_members(tape, op, *root, &name, &to, &fields, &is) || !is)
        return tape->status == DG_OK;
    if (!member_text(tape, to, &orders, &ordered) || !add_signs(tape, op, fields, orders) ||
        !replace_text(tape, name, from))
        return false;
    if (to)
        dg_tape_remove(to);
    return true;
}

bool dg_whole_unsign(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *name, *to;
    dg_slice fields, field, text;
    bool is, first = true;
    size_t from = tape->text.len;
    if (!sign_members(tape, op, *root, &name, &to, &fields, &is) || !is)
        return tape->status == DG_OK;
    if (to)
        return dg_tape_refuse(tape, "the member of the orders is there already");
    dg_slice rest = fields;
    for (bool more = rest.len > 0; next_field(&rest, &more, &field); first = false) {
        dg_buf_add_str(&tape->text, first ? "" : ",");
        dg_buf_add_str(&tape->text, field.len && *field.ptr == '-' ? "desc" : "asc");
    }
    if (!dg_tape_made(tape, from, &text) || !(to = dg_tape_string(tape, text)))
        return false;
    first = true;
    for (bool more = fields.len > 0; next_field(&fields, &more, &field); first = false) {
        bool sign = field.len && *field.ptr == '-';
        field = dg_slice_from(field, sign);
        if (sign && (field.len == 0 || *field.ptr == '-'))
            return dg_tape_refuse(tape,
                                  field.len ? "a field with two signs" : "a sign without a field");
        dg_buf_add_str(&tape->text, first ? "" : ",");
        dg_buf_add(&tape->text, field);
    }
    return replace_text(tape, name, from) && dg_tape_add_named(tape, *root, op->to, to);
}

/* ---- JSON in a string */

/* Whether the text is JSON, and if so, without the white space around it. */
static bool is_json(dg_slice text, dg_slice *ret_value)
{
    dg_scan s = {.end = text.ptr + text.len};
    const char *start = dg_scan_space(&s, text.ptr);
    const char *end = dg_scan_value(&s, start, 0);
    if (!end || dg_scan_space(&s, end) != s.end || dg_utf8_fault(text.ptr, s.end))
        return false;
    *ret_value = dg_slice_of(start, (size_t)(end - start));
    return true;
}

bool dg_whole_parse(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_slice text;
    dg_tape_node *value = NULL;
    if ((*root)->kind == DG_TAPE_NULL)
        return true;
    if ((*root)->kind == DG_TAPE_STRING) {
        if (!dg_tape_text(tape, *root, &text) || !dg_tape_dup(tape, text, &text))
            return false;
        if (is_json(text, &text)) {
            value = dg_tape_value(tape, text);
            if (value)
                *root = value;
            return value != NULL;
        }
    }
    if (op->unknown == DG_UNKNOWN_REJECT)
        return dg_tape_refuse(tape, "expected a string of JSON");
    if (op->unknown == DG_UNKNOWN_DEFAULT && (value = dg_tape_value(tape, op->value)))
        *root = value;
    return tape->status == DG_OK;
}

bool dg_whole_print(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    size_t from = tape->text.len;
    dg_slice text;
    (void)op;
    if ((*root)->kind == DG_TAPE_NULL)
        return true;
    if (!dg_tape_print(tape, *root, &tape->text) || !dg_tape_made(tape, from, &text))
        return false;
    dg_tape_compact(text, &tape->text);
    dg_tape_node *node = dg_tape_made(tape, from, &text) ? dg_tape_string(tape, text) : NULL;
    if (node)
        *root = node;
    return node != NULL;
}
