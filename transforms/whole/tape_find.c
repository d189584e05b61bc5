/* Finding what an op names on the tape. */
#include "transforms/name.h"
#include "transforms/whole/tape.h"

static bool decode(dg_tape *tape, const char *quoted, size_t len, dg_slice *ret_text)
{
    dg_slice raw = dg_slice_of(quoted + 1, len - 2);
    if (dg_slice_find(raw, '\\') == raw.len) {
        *ret_text = raw;
        return true;
    }
    dg_buf_clear(&tape->name);
    dg_name_decode(raw, &tape->name);
    if (tape->name.status != DG_OK)
        return dg_tape_fail(tape, tape->name.status, "out of memory");
    *ret_text = dg_buf_slice(&tape->name);
    return true;
}

bool dg_tape_name(dg_tape *tape, const dg_tape_node *member, dg_slice *ret_name)
{
    return decode(tape, member->key, member->key_len, ret_name);
}

bool dg_tape_text(dg_tape *tape, const dg_tape_node *string, dg_slice *ret_text)
{
    return decode(tape, string->text, string->len, ret_text);
}

/* An escape is longer than what it stands for: only longer names need decoding. */
bool dg_tape_is_named(dg_tape *tape, const dg_tape_node *member, dg_slice name)
{
    dg_slice raw = dg_slice_of(member->key + 1, member->key_len - 2), decoded;
    if (raw.len < name.len)
        return false;
    if (raw.len == name.len)
        return dg_slice_eq(raw, name) && dg_slice_find(raw, '\\') == raw.len;
    if (dg_slice_find(raw, '\\') == raw.len)
        return false;
    return dg_tape_name(tape, member, &decoded) && dg_slice_eq(decoded, name);
}

bool dg_tape_find(dg_tape *tape, dg_tape_node *object, dg_slice name, dg_tape_node **ret_member)
{
    dg_tape_node *found = NULL;
    if (!dg_tape_read(tape, object))
        return false;
    for (dg_tape_node *m = object->first; m; m = m->next) {
        if (!dg_tape_is_named(tape, m, name))
            continue;
        if (found)
            return dg_tape_refuse(tape, "two members have one name");
        found = m;
    }
    *ret_member = found;
    return tape->status == DG_OK;
}

bool dg_tape_at(dg_tape *tape, dg_tape_node *node, dg_path path, dg_tape_node **ret_node)
{
    for (size_t i = 0; i < path.count && node; i++) {
        if (node->kind == DG_TAPE_ARRAY)
            return dg_tape_refuse(tape, "expected an object, not an array");
        if (node->kind != DG_TAPE_OBJECT)
            node = NULL;
        else if (!dg_tape_find(tape, node, path.steps[i], &node))
            return false;
    }
    *ret_node = node;
    return true;
}

/* Recursion stops where the value does: no deeper than DG_JSON_DEPTH_MAX. False: `visit` wants no
 * more, or a failure. */
static bool visit_from(dg_tape *tape, dg_tape_node *node, dg_path path, size_t step, bool strict,
                       dg_tape_visitor *visit, void *context)
{
    for (; step < path.count && path.steps[step].ptr; step++) {
        if (node->kind == DG_TAPE_ARRAY && strict)
            return dg_tape_refuse(tape, "expected an object, not an array");
        if (node->kind != DG_TAPE_OBJECT)
            return true;
        if (!dg_tape_find(tape, node, path.steps[step], &node))
            return false;
        if (!node)
            return true;
    }
    if (step == path.count)
        return visit(context, node);
    if (node->kind == DG_TAPE_OBJECT && strict)
        return dg_tape_refuse(tape, "expected an array, not an object");
    if (node->kind != DG_TAPE_ARRAY)
        return true;
    if (!dg_tape_read(tape, node))
        return false;
    for (dg_tape_node *n = node->first; n; n = n->next)
        if (!visit_from(tape, n, path, step + 1, strict, visit, context))
            return false;
    return true;
}

bool dg_tape_visit(dg_tape *tape, dg_tape_node *node, dg_path path, bool strict,
                   dg_tape_visitor *visit, void *context)
{
    visit_from(tape, node, path, 0, strict, visit, context);
    return tape->status == DG_OK;
}

static size_t count_children(const dg_tape_node *node)
{
    size_t count = 0;
    for (const dg_tape_node *n = node->first; n; n = n->next)
        count++;
    return count;
}

bool dg_tape_distinct(dg_tape *tape, dg_tape_node *object)
{
    if (!dg_tape_read(tape, object) || !dg_tape_begin(tape, count_children(object)))
        return false;
    for (dg_tape_node *m = object->first; m; m = m->next) {
        dg_tape_node *other = NULL;
        dg_slice name = {NULL, 0};
        if (!dg_tape_name(tape, m, &name) || !dg_tape_meet(tape, name, m, &other))
            return false;
        if (other)
            return dg_tape_refuse(tape, "two members have one name");
    }
    return true;
}
