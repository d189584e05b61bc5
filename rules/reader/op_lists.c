/* Ops on lists: into maps and texts and back, which elements, in which order, and what they come
 * to. */
#include "rules/reader/op_reader.h"

/* A member of the operand that is a name; false, with an error if `needed`, when there is none. */
static bool name_of(const dg_reading *c, const dg_node *map, const char *key, bool needed,
                    dg_slice *ret_name)
{
    const dg_node *node = dg_node_get(map, key);
    if (node)
        return dg_name_read(c, node, ret_name);
    if (needed)
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin, "%s needs '%s'", c->op.word, key);
    return !needed;
}

/* list_to_map and map_to_list. */
bool dg_read_list_to_map(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "key", "value", NULL};
    if (!dg_node_want_map(node, "a map: {at: mounts, key: destination}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    good &= name_of(c, node, "key", true, &c->op.name);
    good &= name_of(c, node, "value", false, &c->op.to);
    if (good && dg_slice_eq(c->op.name, c->op.to))
        good = dg_op_fail(c, node->origin, "key and value are two members");
    return dg_push_there(c, node) && good;
}

bool dg_read_filter(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "where", NULL};
    if (!dg_node_want_map(node, "a map: {at: items, where: {at: active, is: true}}",
                          c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    const dg_node *where = dg_node_get(node, "where");
    if (!where)
        return dg_op_fail(c, node->origin, "filter needs 'where': what holds for those that stay");
    c->op.test = dg_test_boxed(c, where);
    return dg_push_there(c, node) && good && c->op.test;
}

/* split and join: {at: tags, by: ","} */
bool dg_read_split(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "by", "quoted", NULL};
    dg_diags *diags = c->reader->diags;
    if (!dg_node_want_map(node, "a map: {at: tags, by: \",\"}", diags))
        return false;
    bool good = dg_node_check_keys(node, keys, diags);
    const dg_node *by = dg_node_get(node, "by"), *quoted = dg_node_get(node, "quoted");
    if (!by || by->kind != DG_NODE_SCALAR || by->text.len == 0)
        good = dg_op_fail(c, by ? by->origin : node->origin,
                          "expected the text between the parts in 'by': \",\"");
    else
        c->op.value = by->text;
    if (quoted)
        good &= dg_node_want_bool(quoted, "true or false", diags, &c->op.quoted);
    return dg_push_there(c, node) && good;
}

static bool has_each(const dg_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        if (dg_step_is_each(steps->at[i]))
            return true;
    return false;
}

bool dg_read_sort(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "by", "order", NULL};
    static const char *const orders[] = {"ascending", "descending", NULL};
    if (!dg_node_want_map(node, "a map: {at: items, by: price}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    const dg_node *by = dg_node_get(node, "by"), *order = dg_node_get(node, "order");
    dg_steps steps = {.count = 0};
    size_t which = 0;
    if (by && !dg_steps_read(c, by, &steps))
        good = false;
    else if (by && has_each(&steps))
        good = dg_op_fail(c, by->origin, "an element is sorted by one value, not by several");
    c->op.path = dg_path_of(c, &steps, 0);
    if (order)
        good &= dg_node_want_word(order, orders, c->reader->diags, &which);
    c->op.descending = which == 1;
    return dg_push_there(c, node) && good;
}

/* sum and count: {of: "items[].price", to: total}. A list alone means its elements. */
bool dg_read_sum(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"of", "to", NULL};
    dg_diags *diags = c->reader->diags;
    if (!dg_node_want_map(node, "a map: {of: \"items[].price\", to: total}", diags))
        return false;
    bool good = dg_node_check_keys(node, keys, diags);
    const dg_node *of = dg_node_get(node, "of"), *to = dg_node_get(node, "to");
    dg_steps from, target;
    dg_slice text;
    if (!of || !to) {
        dg_diags_add(diags, DG_ERROR, node->origin, "%s needs 'of' and 'to'", c->op.word);
        return false;
    }
    good &= dg_steps_read(c, of, &from);
    good &= dg_node_want_string(to, "a path", diags, &text) &&
            dg_steps_of_member(c, text, to->origin, &target);
    if (!good)
        return false;
    if (has_each(&target))
        return dg_op_fail(c, to->origin, "one result goes to one place, not into a list");
    if (!has_each(&from))
        from.at[from.count++] = (dg_slice){NULL, 0}; /* parsing leaves room for one */
    c->op.path = dg_path_of(c, &from, 0);
    c->op.target = dg_path_of(c, &target, 0);
    return dg_op_push(c, c->out, c->op);
}

/* sort_signs and sort_orders: {fields: _sort, orders: _order} */
bool dg_read_sort_signs(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"fields", "orders", NULL};
    if (!dg_node_want_map(node, "a map: {fields: sort, orders: order}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    good &= name_of(c, node, "fields", true, &c->op.name);
    good &= name_of(c, node, "orders", true, &c->op.to);
    if (good && dg_slice_eq(c->op.name, c->op.to))
        good = dg_op_fail(c, node->origin, "fields and orders are two members");
    return dg_op_push(c, c->out, c->op) && good;
}
