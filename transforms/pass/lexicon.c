#include "transforms/pass/lexicon.h"

#include <stdlib.h>

#include "base/hash.h"

void dg_items_add(dg_items *items, dg_item item, int32_t note)
{
    if (items->status != DG_OK)
        return;
    if (items->count == DG_SEQUENCE_MAX) {
        items->status = DG_LIMIT;
        return;
    }
    if (items->count == items->cap) {
        uint32_t cap = items->cap ? items->cap * 2 : 8;
        dg_item *at = realloc(items->at, cap * sizeof *at);
        if (at)
            items->at = at;
        int32_t *notes = at ? realloc(items->notes, cap * sizeof *notes) : NULL;
        if (!notes) {
            items->status = DG_NOMEM;
            return;
        }
        items->notes = notes;
        items->cap = cap;
    }
    items->at[items->count] = item;
    items->notes[items->count++] = note;
}

void dg_items_free(dg_items *items)
{
    free(items->at);
    free(items->notes);
    *items = (dg_items){0};
}

bool dg_items_keep(dg_lexicon *lex, const dg_items *from, dg_items *to)
{
    dg_arena *arena = &lex->arena;
    dg_slice at = dg_arena_dup(arena, dg_slice_of(from->at, from->count * sizeof *from->at));
    dg_slice notes =
        dg_arena_dup(arena, dg_slice_of(from->notes, from->count * sizeof *from->notes));
    if (dg_arena_failed(arena))
        return false;
    *to = (dg_items){.at = (dg_item *)(uintptr_t)at.ptr,
                     .notes = (int32_t *)(uintptr_t)notes.ptr,
                     .count = from->count,
                     .cap = from->count};
    return true;
}

void dg_lexicon_init(dg_lexicon *lex, const dg_program *program, dg_scratch *scratch)
{
    *lex = (dg_lexicon){.seed = dg_hash_seed(), .program = program, .scratch = scratch};
    lex->program_id = program ? program->id : 0;
    /* Matches nothing: neither byte is UTF-8. */
    lex->none.match[0] = lex->none.match[1] = 0xFF;
    lex->none.match_mask = 3;
    lex->none.next = lex->none.first = (dg_guess){&lex->none, &lex->none};
    dg_arena_init(&lex->arena, 0);
    dg_buf_init(&lex->name, 0);
    dg_buf_init(&lex->other, 0);
    dg_buf_init(&lex->token, 0);
    dg_buf_init(&lex->scalar, 0);
    dg_buf_init(&lex->next_scalar, 0);
}

void dg_lexicon_reset(dg_lexicon *lex)
{
    dg_arena_reset(&lex->arena);
    memset(lex->buckets, 0, sizeof lex->buckets);
    lex->root = lex->copy = NULL;
    lex->tables = NULL;
    lex->node_count = lex->key_count = lex->item_count = lex->runs = 0;
    lex->evaluations = 0;
    lex->full = lex->broken = false;
    lex->status = DG_OK;
    lex->message = NULL;
    lex->op = NULL;
}

void dg_lexicon_free(dg_lexicon *lex)
{
    dg_arena_free(&lex->arena);
    dg_buf_free(&lex->name);
    dg_buf_free(&lex->other);
    dg_buf_free(&lex->token);
    dg_buf_free(&lex->scalar);
    dg_buf_free(&lex->next_scalar);
    dg_items_free(&lex->child);
    free(lex->marks);
}

static dg_node *fail(dg_lexicon *lex, dg_status status, const char *message)
{
    lex->status = status;
    lex->message = message;
    lex->op = NULL;
    return NULL;
}

dg_node *dg_lexicon_node(dg_lexicon *lex, const dg_item *items, uint32_t count)
{
    if (count == 0 && lex->copy)
        return lex->copy;
    size_t bytes = count * sizeof *items;
    uint64_t hash = dg_hash(dg_slice_of(items, bytes), lex->seed);
    dg_node **bucket = &lex->buckets[hash % DG_NODE_BUCKETS];
    for (dg_node *n = *bucket; n; n = n->next)
        if (n->hash == hash && n->item_count == count &&
            (count == 0 || memcmp(n->items, items, bytes) == 0))
            return n;
    if (lex->node_count >= DG_NODES_MAX || lex->item_count + count > DG_LEXICON_ITEMS_MAX) {
        lex->full = true;
        return fail(lex, DG_LIMIT, "the transformation of this text has too many different parts");
    }
    dg_node *node = dg_arena_zalloc(&lex->arena, sizeof *node);
    dg_slice copy = dg_arena_dup(&lex->arena, dg_slice_of(items, bytes));
    if (!node || (bytes && !copy.ptr))
        return fail(lex, DG_NOMEM, "out of memory");
    node->hash = hash;
    node->items = (const dg_item *)(const void *)copy.ptr;
    node->item_count = count;
    node->override_object = node->override_array = DG_NEVER;
    node->first = (dg_guess){&lex->none, &lex->none};
    for (size_t i = 0; i < sizeof node->near / sizeof *node->near; i++)
        node->near[i] = &lex->none;
    node->next = *bucket;
    *bucket = node;
    lex->node_count++;
    lex->item_count += count;
    dg_status status = dg_symbol_build(lex, node, -1, NULL);
    if (status != DG_OK) {
        /* A half-built node must not be found again: the caller resets the lexicon. */
        lex->broken = true;
        return NULL;
    }
    if (count == 0)
        lex->copy = node;
    return node;
}

dg_node *dg_lexicon_element(dg_lexicon *lex, dg_node *node)
{
    if (node->element)
        return node->element;
    dg_items items = {0};
    for (uint32_t i = 0; i < node->local.count; i++) {
        dg_item item = node->local.at[i];
        const dg_op *op = dg_item_op(item);
        if (dg_item_tag(item) != DG_ITEM_OP)
            continue;
        if (op->kind == DG_OP_CASE) {
            if (items.count == 0 || items.at[items.count - 1] != item)
                dg_items_add(&items, item, 0);
        } else if (op->kind == DG_OP_EACH || op->kind == DG_OP_MEMBERS) {
            for (size_t k = 0; op->body && k < op->body->count; k++)
                dg_items_add(&items, dg_item_of(&op->body->items[k], DG_ITEM_OP), 0);
        }
    }
    if (items.status != DG_OK)
        fail(lex, items.status, "too many operations on one value");
    else
        node->element = dg_lexicon_node(lex, items.at, items.count);
    dg_items_free(&items);
    return node->element;
}

bool dg_node_copies(const dg_node *node)
{
    return node->mode == DG_NODE_COPY ||
           (node->mode == DG_NODE_STREAM && node->local.count == 0 && !node->select);
}

bool dg_node_enters(const dg_node *node, char c)
{
    bool opens = c == '{' || c == '[';
    if (dg_node_copies(node))
        return opens || node->mode == DG_NODE_COPY;
    if (node->mode != DG_NODE_STREAM)
        return false;
    if (!opens)
        return node->passes_scalars;
    if (c == '[')
        return node->override_array == DG_NEVER && !node->select;
    if (node->override_object != DG_NEVER || node->voids)
        return false;
    for (uint32_t i = 0; i < node->rest.count; i++)
        if (dg_item_tag(node->rest.at[i]) == DG_ITEM_IF_EMPTY)
            return false;
    return true;
}

dg_node *dg_lexicon_before(dg_lexicon *lex, dg_node *node)
{
    dg_stages *stages = node->stages;
    if (!stages->before)
        stages->before = dg_lexicon_node(lex, node->local.at, node->local.count);
    return stages->before;
}

dg_node *dg_lexicon_after(dg_lexicon *lex, dg_node *node, size_t at)
{
    dg_stages *stages = node->stages;
    const dg_switch_case *chosen =
        stages->choice && at < stages->choice->case_count ? &stages->choice->cases[at] : NULL;
    dg_node **after = chosen ? &stages->cases[at] : &stages->after;
    if (*after)
        return *after;
    dg_items items = {0};
    for (size_t i = 0; chosen && i < chosen->body->count; i++)
        dg_items_add(&items, dg_item_of(&chosen->body->items[i], DG_ITEM_OP), 0);
    for (uint32_t i = 0; i < stages->rest.count; i++)
        dg_items_add(&items, stages->rest.at[i], 0);
    if (items.status != DG_OK)
        fail(lex, items.status, "too many operations on one value");
    else
        *after = dg_lexicon_node(lex, items.at, items.count);
    dg_items_free(&items);
    return *after;
}

dg_status dg_constant_value(dg_lexicon *lex, dg_constant *constant)
{
    if (constant->value.kind > DG_RESULT_BUSY)
        return DG_OK;
    if (constant->value.kind == DG_RESULT_BUSY) {
        constant->value = (dg_result){.kind = DG_RESULT_REFUSED,
                                      .op = constant->op,
                                      .message = "the added value contains itself, without end"};
        return DG_OK;
    }
    constant->value.kind = DG_RESULT_BUSY;
    dg_result result;
    dg_status status = dg_evaluate(lex, constant->key->child_items.at,
                                   constant->key->child_items.count, constant->op->value, &result);
    if (status == DG_OK)
        constant->value = result;
    else
        constant->value.kind = DG_RESULT_UNKNOWN;
    return status;
}

dg_status dg_node_tail(dg_lexicon *lex, dg_node *node, uint32_t at, const dg_result **ret_result)
{
    dg_result *tail = &node->tails[at];
    if (tail->kind == DG_RESULT_BUSY) {
        lex->op = dg_item_op(node->local.at[at]);
        lex->message = "the value contains itself, without end";
        return lex->status = DG_INVALID;
    }
    if (tail->kind == DG_RESULT_UNKNOWN) {
        dg_items items = {0};
        for (uint32_t i = at + 1; i < node->local.count; i++)
            dg_items_add(&items, node->local.at[i], 0);
        if (node->select)
            dg_items_add(&items, dg_item_of(node->select, DG_ITEM_OP), 0);
        for (uint32_t i = 0; i < node->rest.count; i++)
            dg_items_add(&items, node->rest.at[i], 0);
        tail->kind = DG_RESULT_BUSY;
        dg_result result;
        dg_status status = items.status;
        if (status == DG_OK)
            status = dg_evaluate(lex, items.at, items.count, dg_item_op(node->local.at[at])->value,
                                 &result);
        else
            fail(lex, status, "too many operations on one value");
        dg_items_free(&items);
        if (status != DG_OK) {
            tail->kind = DG_RESULT_UNKNOWN;
            return status;
        }
        *tail = result;
    }
    *ret_result = tail;
    return DG_OK;
}

dg_status dg_node_fork(dg_lexicon *lex, dg_node *node, uint32_t fork, const dg_result **ret_result)
{
    dg_result *result = &node->forks[fork];
    if (result->kind == DG_RESULT_BUSY) {
        lex->op = NULL;
        lex->message = "the value contains itself, without end";
        return lex->status = DG_INVALID;
    }
    if (result->kind == DG_RESULT_UNKNOWN) {
        dg_result worked_out = {0};
        result->kind = DG_RESULT_BUSY;
        dg_status status = dg_symbol_build(lex, node, (int32_t)fork, &worked_out);
        if (status != DG_OK) {
            result->kind = DG_RESULT_UNKNOWN;
            return status;
        }
        *result = worked_out;
    }
    *ret_result = result;
    return DG_OK;
}
