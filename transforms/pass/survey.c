/* A node's local items, looked through once: what a run should not have to look for, and where an
 * op that needs the value whole cuts them. */
#include "transforms/pass/lexicon.h"

static dg_status no_memory(dg_lexicon *lex)
{
    lex->op = NULL;
    lex->message = "out of memory";
    return lex->status = DG_NOMEM;
}

static bool adds(dg_item item)
{
    const dg_op *op = dg_item_op(item);
    return dg_item_tag(item) == DG_ITEM_OP && (op->kind == DG_OP_ADD || op->kind == DG_OP_DEFAULT);
}

static bool is_for_objects(dg_op_kind kind)
{
    return kind == DG_OP_RENAME || kind == DG_OP_DROP || kind == DG_OP_ADD ||
           kind == DG_OP_DEFAULT || kind == DG_OP_IN;
}

static void look_at(dg_node *node, dg_item item, int32_t at)
{
    const dg_op *op = dg_item_op(item);
    unsigned tag = dg_item_tag(item);
    bool scalar = tag == DG_ITEM_OP && dg_op_is_scalar(op);
    node->scalars |= tag == DG_ITEM_IF_NULL || tag == DG_ITEM_IF_NULL_VOID || scalar;
    node->voids |= tag == DG_ITEM_IF_EMPTY;
    bool settles = scalar && dg_op_settles(op);
    bool each = tag == DG_ITEM_OP && op->kind == DG_OP_EACH;
    bool member = tag == DG_ITEM_OP && is_for_objects(op->kind) && !op->lenient;
    if (node->override_object == DG_NEVER && (settles || each))
        node->override_object = at;
    if (node->override_array == DG_NEVER && (settles || member))
        node->override_array = at;
}

static dg_status find_constants(dg_lexicon *lex, dg_node *node)
{
    for (uint32_t i = 0, c = 0; i < node->local.count; i++)
        if (adds(node->local.at[i]))
            node->constants[c++] = (dg_constant){.op = dg_item_op(node->local.at[i]), .at = i};
    for (uint32_t c = 0; c < node->constant_count; c++) {
        dg_constant *constant = &node->constants[c];
        constant->key = dg_lexicon_constant_key(lex, node, constant->op->name, constant->at + 1);
        if (!constant->key) {
            lex->op = constant->op;
            return lex->status;
        }
    }
    return DG_OK;
}

dg_status dg_node_survey(dg_lexicon *lex, dg_node *node)
{
    uint32_t count = node->local.count, constants = 0;
    for (uint32_t i = 0; i < count; i++) {
        look_at(node, node->local.at[i], (int32_t)i);
        constants += adds(node->local.at[i]);
    }
    if (constants > DG_NODE_CONSTANTS_MAX) {
        lex->op = NULL;
        lex->message = "too many values are added to one object";
        return lex->status = DG_LIMIT;
    }
    node->constant_count = constants;
    node->bit_count = constants;
    node->constants = dg_arena_zalloc(&lex->arena, (constants + 1) * sizeof *node->constants);
    node->tails = dg_arena_zalloc(&lex->arena, (count + 1) * sizeof *node->tails);
    node->tables = dg_arena_zalloc(&lex->arena, (count + 1) * sizeof *node->tables);
    if (dg_arena_failed(&lex->arena))
        return no_memory(lex);
    dg_status status = find_constants(lex, node);
    if (status != DG_OK)
        return status;
    bool bare = node->prefix.len + node->suffix.len == 0 && !node->select;
    node->passes_scalars = bare && !node->scalars;
    node->direct = bare && !node->voids && node->override_object == DG_NEVER && count > 0;
    node->direct_array = bare && node->override_array == DG_NEVER && count > 0;
    node->plain_end = constants == 0 && !node->voids && !node->select;
    node->mode = DG_NODE_STREAM;
    return DG_OK;
}

/* What follows the ops: the other items, and what UNWRAP leads to. */
static dg_status add_rest(dg_lexicon *lex, dg_node *node, const dg_items *items, uint32_t from)
{
    dg_items rest = {0};
    for (uint32_t i = from; i < items->count; i++)
        dg_items_add(&rest, items->at[i], items->notes[i]);
    if (node->select)
        dg_items_add(&rest, dg_item_of(node->select, DG_ITEM_OP), 0);
    for (uint32_t i = 0; i < node->rest.count; i++)
        dg_items_add(&rest, node->rest.at[i], node->rest.notes[i]);
    dg_status status = rest.status;
    if (status == DG_OK && !dg_items_keep(lex, &rest, &node->stages->rest))
        status = DG_NOMEM;
    dg_items_free(&rest);
    lex->op = NULL;
    lex->message = status == DG_LIMIT ? "too many operations on one value" : "out of memory";
    return lex->status = status;
}

dg_status dg_node_cut(dg_lexicon *lex, dg_node *node, const dg_items *items, uint32_t cut)
{
    uint32_t at = cut;
    dg_stages *stages = dg_arena_zalloc(&lex->arena, sizeof *stages);
    const dg_op **ops = dg_arena_zalloc(&lex->arena, (items->count - cut + 1) * sizeof *ops);
    dg_items before = *items;
    before.count = cut;
    if (!stages || !ops || !dg_items_keep(lex, &before, &node->local))
        return no_memory(lex);
    for (; at < items->count && dg_item_is_whole(items->at[at]); at++) {
        const dg_op *op = dg_item_op(items->at[at]);
        if (op->kind == DG_OP_SWITCH) {
            stages->choice = op;
            stages->cases =
                dg_arena_zalloc(&lex->arena, (op->case_count + 1) * sizeof *stages->cases);
            if (!stages->cases)
                return no_memory(lex);
            at++;
            break;
        }
        ops[stages->op_count++] = op;
    }
    stages->ops = ops;
    node->stages = stages;
    dg_status status = add_rest(lex, node, items, at);
    if (status == DG_OK)
        node->mode = DG_NODE_STAGED;
    return status;
}
