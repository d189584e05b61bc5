/* Dotted paths, and ops at the end of one. */
#include "rules/reader/op_reader.h"

/* A name up to the next dot or bracket; a backslash takes the next character as it is. */
static size_t take_name(dg_slice text, size_t *at, char *ret_name)
{
    size_t len = 0, i = *at;
    while (i < text.len && text.ptr[i] != '.' && text.ptr[i] != '[') {
        i += text.ptr[i] == '\\' && i + 1 < text.len;
        ret_name[len++] = text.ptr[i++];
    }
    *at = i;
    return len;
}

bool dg_steps_parse(const dg_reading *c, dg_slice text, dg_origin origin, dg_steps *ret_steps)
{
    dg_steps steps = {.count = 0};
    char *name = dg_arena_alloc(c->reader->arena, text.len + 1);
    if (!name)
        return false;
    bool wants_name = true;
    if (dg_slice_eq(text, DG_SLICE(".")))
        return dg_op_fail(c, origin,
                          "'.' is the value itself, and this needs a member: name one, or make the "
                          "value one with 'wrap'");
    if (text.len > 1 && text.ptr[0] == '$' && (text.ptr[1] == '.' || text.ptr[1] == '['))
        return dg_op_fail(c, origin,
                          "a path begins with a name, or with []: items[].x, not $.items[*].x");
    for (size_t i = 0; i < text.len;) {
        size_t len = take_name(text, &i, name);
        bool each = i + 1 < text.len && text.ptr[i] == '[' && text.ptr[i + 1] == ']';
        if ((i < text.len && text.ptr[i] == '[' && !each) || (len && !wants_name) ||
            (!len && wants_name && !(each && steps.count == 0)))
            return dg_op_fail(
                c, origin,
                "a path is written a.b or items[].x; a \\ takes the next character as it is");
        if (steps.count + 2 > DG_OP_PATH_MAX)
            return dg_op_fail(c, origin, "the path has too many steps");
        if (len)
            steps.at[steps.count++] = dg_slice_of(name, len);
        name += len;
        if (each)
            steps.at[steps.count++] = (dg_slice){NULL, 0};
        i += each ? 2 : 0;
        wants_name = i < text.len && text.ptr[i] == '.';
        i += wants_name;
    }
    if (wants_name)
        return dg_op_fail(c, origin, "a path ends with a name or with []");
    *ret_steps = steps;
    return true;
}

bool dg_steps_read(const dg_reading *c, const dg_node *node, dg_steps *ret_steps)
{
    dg_slice text;
    if (!dg_node_want_string(node, "a path", c->reader->diags, &text))
        return false;
    if (dg_slice_eq(text, DG_SLICE("."))) {
        ret_steps->count = 0;
        return true;
    }
    return dg_steps_parse(c, text, node->origin, ret_steps);
}

bool dg_steps_of_member(const dg_reading *c, dg_slice text, dg_origin origin, dg_steps *ret_steps)
{
    if (!dg_steps_parse(c, text, origin, ret_steps))
        return false;
    if (dg_step_is_each(ret_steps->at[ret_steps->count - 1]))
        return dg_op_fail(c, origin,
                          "this op works on a member: the path must end with a name, not with []");
    return true;
}

bool dg_name_read(const dg_reading *c, const dg_node *node, dg_slice *ret_name)
{
    dg_slice text;
    dg_steps steps;
    if (!dg_node_want_string(node, "a name", c->reader->diags, &text) ||
        !dg_steps_parse(c, text, node->origin, &steps))
        return false;
    if (steps.count != 1 || dg_step_is_each(steps.at[0]))
        return dg_op_fail(c, node->origin, "expected a name, not a path; say where with 'at'");
    *ret_name = steps.at[0];
    return true;
}

bool dg_at_read(const dg_reading *c, const dg_node *operand, dg_steps *ret_steps)
{
    const dg_node *at = dg_node_get(operand, "at");
    ret_steps->count = 0;
    return !at || dg_steps_read(c, at, ret_steps);
}

dg_path dg_path_of(const dg_reading *c, const dg_steps *steps, size_t first)
{
    size_t count = steps->count - first;
    dg_slice *copy = dg_arena_alloc(c->reader->arena, (count + 1) * sizeof *copy);
    if (!copy)
        return (dg_path){NULL, 0};
    memcpy(copy, steps->at + first, count * sizeof *copy);
    return (dg_path){copy, count};
}

bool dg_op_push(const dg_reading *c, dg_op_list *list, dg_op op)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 2;
        dg_op *grown = dg_arena_alloc(c->reader->arena, cap * sizeof *grown);
        if (!grown)
            return false;
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = op;
    return true;
}

bool dg_push_inside(const dg_reading *c, const dg_steps *steps, size_t count, bool make,
                    dg_op_list inner, dg_op_list *out)
{
    for (size_t i = count; i-- > 0;) {
        bool each = dg_step_is_each(steps->at[i]);
        dg_op op = {.kind = each ? DG_OP_EACH : DG_OP_IN, .origin = c->op.origin};
        op.name = steps->at[i];
        op.body = dg_ops_box(c, inner);
        dg_op_list outer = {NULL, 0, 0};
        bool into_list = i + 1 < count && dg_step_is_each(steps->at[i + 1]);
        if (make && !each && !into_list) {
            dg_op made = {.kind = DG_OP_DEFAULT, .origin = c->op.origin, .name = steps->at[i]};
            made.value = DG_SLICE("{}");
            made.if_empty = true;
            if (!dg_op_push(c, &outer, made))
                return false;
        }
        if (!op.body || !dg_op_push(c, &outer, op))
            return false;
        inner = outer;
    }
    for (size_t i = 0; i < inner.count; i++)
        if (!dg_op_push(c, out, inner.items[i]))
            return false;
    return true;
}

bool dg_push_at(const dg_reading *c, const dg_steps *steps, size_t count, bool make, dg_op op)
{
    dg_op_list inner = {NULL, 0, 0};
    return dg_op_push(c, &inner, op) && dg_push_inside(c, steps, count, make, inner, c->out);
}

bool dg_push_there(const dg_reading *c, const dg_node *operand)
{
    dg_steps at;
    return dg_at_read(c, operand, &at) && dg_push_at(c, &at, at.count, false, c->op);
}
