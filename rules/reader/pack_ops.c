/* Op lists: from the words of a pack to the ops of transforms/op.h. Each item is an op of
 * DG_OP_FORM_TABLE with its operand, and what stands beside it. */
#include "rules/reader/op_reader.h"

static const struct {
    const char *word;
    dg_op_kind kind;
    bool (*read)(dg_reading *c, const dg_node *operand);
    unsigned policies;
} forms[] = {
#define FORM_ROW(word, kind, read, policies) {word, DG_OP_##kind, read, policies},
    DG_OP_FORM_TABLE(FORM_ROW)
#undef FORM_ROW
};

enum { FORM_COUNT = sizeof forms / sizeof *forms };

bool dg_op_fail(const dg_reading *c, dg_origin origin, const char *message)
{
    dg_diags_add(c->reader->diags, DG_ERROR, origin, "%s", message);
    return false;
}

bool dg_op_not_empty(const dg_reading *c, const dg_node *node)
{
    if (node->kind == DG_NODE_SCALAR || node->count)
        return true;
    dg_slice what = node->key.len ? node->key : dg_slice_str(c->op.word);
    dg_diags_add(c->reader->diags, DG_ERROR, node->origin, "%.*s is empty: it says nothing",
                 DG_SLICE_FMT(what));
    return false;
}

static bool json_of(const dg_reading *c, const dg_node *node, bool of_key, dg_slice *ret_json)
{
    const dg_ops_reader *r = c->reader;
    dg_buf buf;
    dg_buf_init(&buf, DG_DOC_BYTES_MAX * 6);
    bool good =
        of_key ? dg_node_key_json(node, r->diags, &buf) : dg_node_json(node, r->diags, &buf);
    if (buf.status == DG_LIMIT)
        (void)dg_op_fail(c, node->origin, "the value is too large");
    if (buf.status == DG_NOMEM)
        r->arena->failed = true;
    good &= buf.status == DG_OK;
    dg_slice copy = good ? dg_arena_dup(r->arena, dg_buf_slice(&buf)) : (dg_slice){NULL, 0};
    dg_buf_free(&buf);
    *ret_json = copy;
    return copy.ptr != NULL;
}

bool dg_json_of(const dg_reading *c, const dg_node *node, dg_slice *ret_json)
{
    return json_of(c, node, false, ret_json);
}

bool dg_key_json_of(const dg_reading *c, const dg_node *node, dg_slice *ret_json)
{
    return json_of(c, node, true, ret_json);
}

const dg_ops *dg_ops_box(const dg_reading *c, dg_op_list list)
{
    dg_ops *ops = dg_arena_alloc(c->reader->arena, sizeof *ops);
    if (ops)
        *ops = (dg_ops){list.items, list.count};
    return ops;
}

const dg_ops *dg_ops_of(const dg_reading *c, dg_op op)
{
    dg_op_list list = {NULL, 0, 0};
    return dg_op_push(c, &list, op) ? dg_ops_box(c, list) : NULL;
}

/* `down:` beside an op is its own way back: together they are one op that is turned by turning them
 * round. */
static bool add_way_back(const dg_reading *c, const dg_node *down, dg_op_list *list)
{
    dg_ops ops;
    if (!dg_ops_read(c->reader, down, &ops))
        return false;
    dg_ops *other = dg_arena_alloc(c->reader->arena, sizeof *other);
    dg_op both = {.kind = DG_OP_BOTH, .word = c->op.word, .origin = c->op.origin};
    both.body = dg_ops_box(c, *list);
    both.other = other;
    if (!other || !both.body)
        return false;
    *other = ops;
    *list = (dg_op_list){NULL, 0, 0};
    return dg_op_push(c, list, both);
}

/* The op of an item with what stands beside it: `at` is where all of it happens, `down` too. */
static bool read_form(dg_reading *c, size_t form, const dg_node *operand, dg_op_list *out)
{
    dg_op_list list = {NULL, 0, 0};
    dg_steps at = {.count = 0};
    const dg_node *where = dg_node_get(c->item, "at"), *down = dg_node_get(c->item, "down");
    c->op = (dg_op){.kind = forms[form].kind, .word = forms[form].word};
    c->op.origin = operand->key_origin;
    c->out = &list;
    bool good = dg_read_policies(c, forms[form].policies);
    good &= forms[form].read(c, operand);
    if (down)
        good &= add_way_back(c, down, &list);
    if (where)
        good &= dg_steps_read(c, where, &at);
    return good && dg_push_inside(c, &at, at.count, false, list, out);
}

/* Every op and every unknown key of an item is looked at, so that all mistakes show at once. */
static bool read_item(dg_reading *c, dg_op_list *out)
{
    static const char *const beside[] = {"at",   "lossy", "restore", "when", "collision",
                                         "down", "do",    "else",    "newer"};
    enum { BESIDE_COUNT = sizeof beside / sizeof *beside };
    const char *known[FORM_COUNT + BESIDE_COUNT + 1];
    bool good = true;
    size_t found = 0, count = 0;
    for (; count < FORM_COUNT; count++) {
        known[count] = forms[count].word;
        const dg_node *operand = dg_node_get(c->item, known[count]);
        if (operand && found++)
            good = dg_op_fail(c, operand->key_origin,
                              "one op an item: begin a new list item for the second");
        else if (operand)
            good &= read_form(c, count, operand, out);
    }
    for (size_t i = 0; i < BESIDE_COUNT; i++)
        known[count++] = beside[i];
    known[count] = NULL;
    bool all_known = dg_node_check_keys(c->item, known, c->reader->diags);
    if (!found && all_known)
        good = dg_op_fail(c, c->item->origin, "there is no op in this item");
    return good && all_known && found;
}

static bool read_op(const dg_ops_reader *r, const dg_node *node, dg_op_list *out)
{
    dg_reading c = {.reader = r, .out = out, .item = node};
    c.op = (dg_op){.kind = DG_OP_LENS, .word = "lens", .origin = node->origin};
    if (node->kind == DG_NODE_SCALAR)
        return dg_read_lens(&c, node);
    return dg_node_want_map(node, "an op, or the name of a lens", r->diags) && read_item(&c, out);
}

bool dg_ops_read(const dg_ops_reader *reader, const dg_node *node, dg_ops *ret_ops)
{
    dg_op_list list = {NULL, 0, 0};
    bool good = true;
    if (node->kind == DG_NODE_LIST)
        for (const dg_node *n = node->first; n; n = n->next)
            good &= read_op(reader, n, &list);
    else
        good = read_op(reader, node, &list);
    if (good)
        *ret_ops = (dg_ops){list.items, list.count};
    return good;
}
