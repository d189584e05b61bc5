/* Trying a program out: the nodes that the names in its ops lead to are built as messages would
 * have them built. */
#include "transforms/pass/check.h"
#include "transforms/loss.h"

#include <stdlib.h>

#include "base/hash.h"
#include "transforms/name.h"

enum { TRIED_NODES_MAX = 256 };

typedef struct trial {
    dg_check *check;
    dg_lexicon lex;
    dg_scratch scratch;
    dg_node *nodes[TRIED_NODES_MAX];
    size_t count;
    dg_status status;
} trial;

static void complain(trial *t, const dg_op *op, const dg_op *instead, const char *message)
{
    dg_origin nowhere = {0};
    if (!op)
        op = instead;
    t->check->wrong = true;
    dg_diags_add(t->check->diags, DG_ERROR, op ? op->origin : nowhere, "%s: %s",
                 op ? dg_op_said(op) : "program", message ? message : "cannot apply");
}

static void try_node(trial *t, dg_node *node)
{
    if (!node) {
        /* Bounds are the message's business, unless it is the program that has no end. */
        t->status = t->lex.status;
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        if (t->nodes[i] == node)
            return;
    if (t->count < TRIED_NODES_MAX)
        t->nodes[t->count++] = node;
}

static void try_name(trial *t, dg_node *node, dg_slice name)
{
    dg_buf text;
    dg_buf_init(&text, 0);
    dg_name_encode(name, &text);
    dg_key spare, *key = NULL;
    if (text.status == DG_OK) {
        dg_slice raw = dg_slice_of(text.ptr + 1, text.len - 2);
        key = dg_lexicon_key(&t->lex, node, raw, dg_hash(raw, t->lex.seed), &spare);
        t->status = key ? DG_OK : t->lex.status;
    } else {
        t->status = DG_NOMEM;
    }
    if (key && key->death == DG_NEVER && key->collision == DG_NEVER)
        try_node(t, dg_lexicon_child(&t->lex, key));
    dg_buf_free(&text);
}

static void try_constants(trial *t, dg_node *node)
{
    for (uint32_t i = 0; i < node->constant_count && t->status == DG_OK; i++) {
        dg_constant *c = &node->constants[i];
        if (c->key->collision != DG_NEVER && c->op->kind == DG_OP_ADD && !c->key->has_voids) {
            complain(t, dg_item_op(node->local.at[c->key->collision]), c->op,
                     "adds a member that an earlier op has added already");
            continue;
        }
        if (c->key->death != DG_NEVER || (node->select && !c->key->selected))
            continue;
        t->status = dg_constant_value(&t->lex, c);
        if (t->status == DG_OK && c->value.kind == DG_RESULT_REFUSED)
            complain(t, c->value.op, c->op, c->value.message);
    }
}

/* Follows every name that the node's ops mention. */
static void try_children(trial *t, dg_node *node)
{
    for (uint32_t i = 0; i < node->local.count && t->status == DG_OK; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        if (dg_item_tag(node->local.at[i]) != DG_ITEM_OP || dg_op_is_scalar(op))
            continue;
        if (op->kind == DG_OP_EACH || op->kind == DG_OP_CASE || op->kind == DG_OP_MEMBERS)
            try_node(t, dg_lexicon_element(&t->lex, node));
        else
            try_name(t, node, op->name);
        if (op->kind == DG_OP_RENAME && t->status == DG_OK)
            try_name(t, node, op->to);
    }
    if (node->select && t->status == DG_OK)
        try_name(t, node, node->select->name);
}

static void try_stages(trial *t, dg_node *node)
{
    const dg_op *choice = node->stages->choice;
    try_node(t, dg_lexicon_before(&t->lex, node));
    for (size_t i = 0; i <= (choice ? choice->case_count : 0) && t->status == DG_OK; i++)
        try_node(t, dg_lexicon_after(&t->lex, node, i));
}

dg_status dg_check_trial(dg_check *check, dg_program *program)
{
    trial *t = calloc(1, sizeof *t);
    if (!t)
        return DG_NOMEM;
    dg_scratch_init(&t->scratch);
    dg_lexicon_init(&t->lex, program, &t->scratch);
    t->check = check;
    dg_node *root = dg_lexicon_node(&t->lex, program->items, program->item_count);
    program->streams = root && (dg_node_enters(root, '{') || dg_node_enters(root, '['));
    try_node(t, root);
    for (size_t i = 0; i < t->count && t->status == DG_OK; i++) {
        dg_node *node = t->nodes[i];
        if (node->mode == DG_NODE_CONSTANT && node->result.kind == DG_RESULT_REFUSED)
            complain(t, node->result.op, NULL, node->result.message);
        if (node->mode == DG_NODE_STAGED) {
            try_stages(t, node);
            continue;
        }
        try_constants(t, node);
        if (t->status == DG_OK)
            try_children(t, node);
    }
    if (t->status == DG_INVALID || (t->status == DG_LIMIT && t->count == 0))
        complain(t, t->lex.op, dg_item_op(program->items[0]), t->lex.message);
    dg_status status = t->status == DG_NOMEM ? DG_NOMEM : DG_OK;
    dg_lexicon_free(&t->lex);
    dg_scratch_free(&t->scratch);
    free(t);
    return status;
}
