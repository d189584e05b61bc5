/* Ops that hold ops. */
#include "rules/reader/op_reader.h"

/* An op list that says something. */
static const dg_ops *read_body(const dg_reading *c, const dg_node *node)
{
    dg_ops *ops = dg_arena_zalloc(c->reader->arena, sizeof *ops);
    if (!ops || (node->kind != DG_NODE_SCALAR && !dg_op_not_empty(c, node)))
        return NULL;
    return dg_ops_read(c->reader, node, ops) ? ops : NULL;
}

bool dg_read_in(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "do", NULL};
    if (!dg_node_want_map(node, "a map: {at: name, do: [ops]}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    const dg_node *at = dg_node_get(node, "at"), *body = dg_node_get(node, "do");
    if (!at || !body)
        return dg_op_fail(c, node->origin, "in needs 'at' and 'do'");
    dg_steps path;
    good &= dg_steps_read(c, at, &path);
    const dg_ops *ops = read_body(c, body);
    if (!good || !ops)
        return false;
    dg_op_list inner = {NULL, 0, 0};
    for (size_t i = 0; i < ops->count; i++)
        if (!dg_op_push(c, &inner, ops->items[i]))
            return false;
    return dg_push_inside(c, &path, path.count, false, inner, c->out);
}

/* each and members: ops. */
bool dg_read_each(dg_reading *c, const dg_node *node)
{
    c->op.body = read_body(c, node);
    return c->op.body && dg_op_push(c, c->out, c->op);
}

/* {names: [id], do: OPS}: a list that does so to the members of that name, and itself to what every
 * member and element holds. */
bool dg_read_everywhere(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"names", "do", NULL};
    dg_diags *diags = c->reader->diags;
    if (!dg_node_want_map(node, "a map: {names: [id], do: [ops]}", diags))
        return false;
    bool good = dg_node_check_keys(node, keys, diags);
    const dg_node *names = dg_node_get(node, "names"), *body = dg_node_get(node, "do");
    dg_ops *itself = dg_arena_zalloc(c->reader->arena, sizeof *itself);
    if (!names || !body || !itself)
        return dg_op_fail(c, node->origin, "everywhere needs 'names' and 'do'");
    const dg_ops *ops = read_body(c, body);
    dg_op_list list = {NULL, 0, 0};
    if (!dg_node_want_list(names, "a list of names", diags) || !dg_op_not_empty(c, names))
        return false;
    c->op.lens = "everywhere";
    c->op.body = itself;
    for (const dg_node *n = names->first; n; n = n->next) {
        dg_op in = {.kind = DG_OP_IN, .word = c->op.word, .origin = n->origin, .body = ops};
        in.lenient = true;
        good &= dg_name_read(c, n, &in.name) && dg_op_push(c, &list, in);
    }
    dg_op members = c->op;
    members.kind = DG_OP_MEMBERS;
    members.body = dg_ops_of(c, c->op);
    if (!good || !ops || !members.body || !dg_op_push(c, &list, members))
        return false;
    *itself = (dg_ops){list.items, list.count};
    return dg_op_push(c, c->out, c->op);
}

bool dg_read_lens(dg_reading *c, const dg_node *node)
{
    const dg_ops_reader *r = c->reader;
    dg_slice name;
    if (!dg_node_want_string(node, "ops, or the name of a lens", r->diags, &name))
        return false;
    const char *names[DG_DOC_MEMBERS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < r->lens_count; i++) {
        if (dg_slice_eq(r->lenses[i].name, name)) {
            c->op.lens = r->lenses[i].name.ptr;
            c->op.body = &r->lenses[i].ops;
            return dg_op_push(c, c->out, c->op);
        }
        names[count++] = r->lenses[i].name.ptr;
    }
    names[count] = NULL;
    const char *meant = dg_diags_full(r->diags) ? NULL : dg_did_you_mean(name, names);
    dg_diags_add(r->diags, DG_ERROR, node->origin,
                 meant ? "there is no lens '%.*s' in this change; did you mean '%s'?"
                       : "there is no lens '%.*s' in this change%s",
                 DG_SLICE_FMT(name), meant ? meant : "");
    return false;
}

/* {up: OPS, down: OPS}: what stands beside it, dg_ops_read makes of it the author's own way back.
 */
bool dg_read_up(dg_reading *c, const dg_node *node)
{
    dg_ops ops;
    bool good = dg_ops_read(c->reader, node, &ops);
    if (!dg_node_get(c->item, "down"))
        return dg_op_fail(
            c, node->key_origin,
            "'up' needs 'down' beside it; without a way back of its own, an op stands "
            "alone");
    for (size_t i = 0; good && i < ops.count; i++)
        good = dg_op_push(c, c->out, ops.items[i]);
    return good;
}
