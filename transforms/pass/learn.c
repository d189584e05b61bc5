/* Learning: what a node's local items do to a member name, and to a scalar. */
#include <stdlib.h>

#include "base/hash.h"
#include "transforms/pass/lexicon.h"
#include "transforms/name.h"

enum { NO_UTF8 = 0xFF };

static dg_status fail(dg_lexicon *lex, dg_status status, const char *message)
{
    lex->op = NULL;
    lex->message = message;
    return lex->status = status;
}

static bool excepted(const dg_op *op, dg_slice name)
{
    for (size_t i = 0; i < op->name_count; i++)
        if (dg_slice_eq(op->names[i], name))
            return true;
    return false;
}

static void mark(dg_lexicon *lex, dg_key *key, uint32_t constant)
{
    if (key->mark_count == lex->mark_cap) {
        uint32_t cap = lex->mark_cap ? lex->mark_cap * 2 : 8;
        uint32_t *grown = realloc(lex->marks, cap * sizeof *grown);
        if (!grown) {
            lex->child.status = DG_NOMEM;
            return;
        }
        lex->marks = grown;
        lex->mark_cap = cap;
    }
    lex->marks[key->mark_count++] = constant;
}

/* CASE on the name in lex->name; true if it changed. */
static bool convert(dg_lexicon *lex, const dg_op *op)
{
    dg_buf_clear(&lex->other);
    dg_name_convert(dg_buf_slice(&lex->name), op->case_from, op->case_to, &lex->other);
    bool changed = !dg_slice_eq(dg_buf_slice(&lex->name), dg_buf_slice(&lex->other));
    dg_buf swap = lex->name;
    lex->name = lex->other;
    lex->other = swap;
    return changed;
}

static void apply_body(dg_lexicon *lex, const dg_op *op, uint32_t at)
{
    for (size_t k = 0; op->body && k < op->body->count; k++)
        dg_items_add(&lex->child, dg_item_of(&op->body->items[k], DG_ITEM_OP), (int32_t)at);
}

/* The heart of it: the local items from `from` on, carried out on the name in lex->name. Fills in
 * what they do to the member; true in *ret_changed if the name is not what it was. */
static void simulate(dg_lexicon *lex, dg_node *node, uint32_t from, dg_key *key, bool *ret_changed)
{
    dg_items *child = &lex->child;
    *ret_changed = false;
    for (uint32_t i = from, constant = 0; i < node->local.count; i++) {
        dg_item item = node->local.at[i];
        const dg_op *op = dg_item_op(item);
        dg_slice name = dg_buf_slice(&lex->name);
        if (dg_item_tag(item) != DG_ITEM_OP)
            continue;
        if (op->kind == DG_OP_CASE) {
            if (excepted(op, name))
                continue;
            *ret_changed |= convert(lex, op);
            if (child->count == 0 || child->at[child->count - 1] != item)
                dg_items_add(child, item, (int32_t)i);
            continue;
        }
        if (op->kind == DG_OP_MEMBERS)
            apply_body(lex, op, i);
        if (op->kind == DG_OP_MEMBERS || op->kind == DG_OP_EACH || dg_op_is_scalar(op) ||
            !dg_slice_eq(name, op->name))
            continue;
        if (op->kind == DG_OP_RENAME) {
            dg_buf_clear(&lex->name);
            dg_buf_add(&lex->name, op->to);
            *ret_changed = true;
        } else if (op->kind == DG_OP_DROP && (op->if_empty || op->when_null)) {
            if (op->if_empty)
                dg_items_add(child, dg_item_of(op, DG_ITEM_IF_EMPTY), (int32_t)i);
            if (op->when_null)
                dg_items_add(child, dg_item_of(op, DG_ITEM_IF_NULL_VOID), (int32_t)i);
            key->has_voids = true;
        } else if (op->kind == DG_OP_DROP) {
            key->death = (int32_t)i;
            return;
        } else if (op->kind == DG_OP_ADD) {
            key->collision = (int32_t)i;
            return;
        } else if (op->kind == DG_OP_DEFAULT) {
            while (node->constants[constant].at != i)
                constant++;
            mark(lex, key, constant);
            if (op->when_null)
                dg_items_add(child, dg_item_of(op, DG_ITEM_IF_NULL), (int32_t)i);
        } else if (op->kind == DG_OP_IN) {
            apply_body(lex, op, i);
        }
    }
}

/* Simulates the name in lex->name. With `raw`, a name that does not change keeps that spelling. */
static dg_status work_out(dg_lexicon *lex, dg_node *node, uint32_t from, const dg_slice *raw,
                          dg_key *key)
{
    bool changed;
    *key = (dg_key){.bit = -1, .death = DG_NEVER, .collision = DG_NEVER};
    lex->child.count = 0;
    lex->child.status = DG_OK;
    simulate(lex, node, from, key, &changed);
    key->child_own = lex->child.count;
    bool stays = key->death == DG_NEVER && key->collision == DG_NEVER;
    key->selected =
        node->select && stays && dg_slice_eq(dg_buf_slice(&lex->name), node->select->name);
    for (uint32_t i = 0; key->selected && i < node->rest.count; i++) {
        dg_items_add(&lex->child, node->rest.at[i], -1);
        key->has_voids |= dg_item_voids(node->rest.at[i]);
    }
    dg_buf_clear(&lex->token);
    if (changed || !raw) {
        dg_name_encode(dg_buf_slice(&lex->name), &lex->token);
    } else {
        dg_buf_add_char(&lex->token, '"');
        dg_buf_add(&lex->token, *raw);
        dg_buf_add_char(&lex->token, '"');
    }
    dg_buf_add_char(&lex->token, ':');
    if (lex->child.status == DG_LIMIT)
        return fail(lex, DG_LIMIT, "too many operations on one value");
    if (lex->child.status != DG_OK || lex->name.status != DG_OK || lex->other.status != DG_OK ||
        lex->token.status != DG_OK)
        return fail(lex, DG_NOMEM, "out of memory");
    key->name = dg_buf_slice(&lex->name);
    key->token = dg_buf_slice(&lex->token);
    key->name_hash = dg_hash(key->name, lex->seed);
    key->child_items = lex->child;
    key->marks = lex->marks;
    key->plain = stays && !node->select && key->mark_count == 0 && !key->has_voids;
    return DG_OK;
}

/* The bit of an output name: found, or given if there is room; else -1, and then always. */
static dg_status intern(dg_lexicon *lex, dg_node *node, dg_key *key)
{
    key->bit = -1;
    bool leaves = !node->select && key->death == DG_NEVER && key->collision == DG_NEVER;
    if (!leaves || key->name.len > DG_NAME_BYTES_MAX)
        return DG_OK;
    if (!node->names)
        node->names = dg_arena_zalloc(&lex->arena, DG_NAME_BUCKETS * sizeof *node->names);
    if (!node->names)
        return fail(lex, DG_NOMEM, "out of memory");
    dg_interned **bucket = &node->names[key->name_hash % DG_NAME_BUCKETS];
    for (dg_interned *n = *bucket; n; n = n->next)
        if (n->hash == key->name_hash && dg_slice_eq(n->name, key->name)) {
            key->bit = n->bit;
            return DG_OK;
        }
    if (node->bit_count >= DG_NODE_KEYS_MAX + node->constant_count)
        return DG_OK;
    dg_interned *n = dg_arena_zalloc(&lex->arena, sizeof *n);
    dg_slice name = dg_arena_dup(&lex->arena, key->name);
    if (dg_arena_failed(&lex->arena))
        return fail(lex, DG_NOMEM, "out of memory");
    *n = (dg_interned){*bucket, name, key->name_hash, (int32_t)node->bit_count++};
    *bucket = n;
    key->bit = n->bit;
    return DG_OK;
}

/* Copies what lies in scratch into the lexicon. */
static dg_key *keep(dg_lexicon *lex, const dg_key *from, const dg_slice *raw)
{
    dg_arena *arena = &lex->arena;
    dg_key *key = dg_arena_zalloc(arena, sizeof *key);
    if (!key)
        return NULL;
    *key = *from;
    const dg_items *child = &from->child_items;
    key->token = dg_arena_dup(arena, from->token);
    if (raw)
        key->raw = dg_arena_dup(arena, *raw);
    dg_slice at = dg_arena_dup(arena, dg_slice_of(child->at, child->count * sizeof *child->at));
    dg_slice notes =
        dg_arena_dup(arena, dg_slice_of(child->notes, child->count * sizeof *child->notes));
    dg_slice marks =
        dg_arena_dup(arena, dg_slice_of(from->marks, from->mark_count * sizeof *from->marks));
    if (dg_arena_failed(arena))
        return NULL;
    key->child_items.at = (dg_item *)(uintptr_t)at.ptr;
    key->child_items.notes = (int32_t *)(uintptr_t)notes.ptr;
    key->child_items.cap = child->count;
    key->marks = (uint32_t *)(uintptr_t)marks.ptr;
    key->name = (dg_slice){NULL, 0};
    key->learned = true;
    key->next = key->first = (dg_guess){&lex->none, &lex->none};
    key->claim =
        key->bit >= 0 && key->bit < DG_FIRST_BITS ? (uint64_t)1 << key->bit : DG_BITS_OTHER;
    key->match[0] = key->match[1] = NO_UTF8;
    key->match_mask = 3;
    if (raw && raw->len + 4 <= DG_TOKEN_BLOCK) {
        key->match_len = (uint16_t)(raw->len + 4);
        key->match_mask = key->match_len == 32 ? 0xFFFFFFFFu : ((uint32_t)1 << key->match_len) - 1;
        key->match[1] = '"';
        memcpy(key->match + 2, key->raw.ptr, raw->len);
        memcpy(key->match + 2 + raw->len, "\":", 2);
    }
    return key;
}

/* Makes the key quick if it may be, or a quick drop. */
static dg_status quicken(dg_lexicon *lex, dg_key *key)
{
    if (key->match_len == 0)
        return DG_OK;
    if (key->death != DG_NEVER && key->collision == DG_NEVER && key->mark_count == 0 &&
        !key->has_voids && !key->node->select) {
        key->drops = true;
        key->match[0] = ',';
        key->claim = DG_BITS_OTHER;
        return DG_OK;
    }
    if (!key->plain || key->token.len + 1 > DG_TOKEN_BLOCK)
        return DG_OK;
    dg_node *child = dg_lexicon_child(lex, key);
    if (!child)
        return lex->status;
    key->quick = true;
    key->match[0] = key->emit[0] = ',';
    memcpy(key->emit + 1, key->token.ptr, key->token.len);
    key->emit_len = (uint16_t)(key->token.len + 1);
    key->direct = child->direct;
    if (key->emit_len > key->match_len || !child->passes_scalars)
        key->claim |= DG_BITS_OTHER;
    return DG_OK;
}

static bool grow_slots(dg_lexicon *lex, dg_node *node)
{
    uint32_t size = node->slots ? (node->slot_mask + 1) * 2 : 16;
    dg_key **slots = dg_arena_zalloc(&lex->arena, size * sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; node->slots && i <= node->slot_mask; i++) {
        dg_key *key = node->slots[i];
        if (!key)
            continue;
        uint64_t at = key->hash & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = key;
    }
    node->slots = slots;
    node->slot_mask = size - 1;
    return true;
}

static dg_key *learn(dg_lexicon *lex, dg_node *node, dg_slice raw, const dg_key *spare)
{
    if ((!node->slots || node->key_count * 2 > node->slot_mask) && !grow_slots(lex, node)) {
        fail(lex, DG_NOMEM, "out of memory");
        return NULL;
    }
    dg_key *key = keep(lex, spare, &raw);
    if (!key) {
        fail(lex, DG_NOMEM, "out of memory");
        return NULL;
    }
    key->node = node;
    uint64_t at = key->hash & node->slot_mask;
    while (node->slots[at])
        at = (at + 1) & node->slot_mask;
    node->slots[at] = key;
    node->key_count++;
    lex->key_count++;
    return quicken(lex, key) == DG_OK ? key : NULL;
}

dg_status dg_lexicon_simulate(dg_lexicon *lex, dg_node *node, dg_slice raw, dg_key *spare)
{
    dg_buf_clear(&lex->name);
    dg_name_decode(raw, &lex->name);
    return work_out(lex, node, 0, &raw, spare);
}

dg_key *dg_lexicon_key(dg_lexicon *lex, dg_node *node, dg_slice raw, uint64_t hash, dg_key *spare)
{
    if (node->slots) {
        for (uint64_t at = hash & node->slot_mask; node->slots[at]; at = (at + 1) & node->slot_mask)
            if (node->slots[at]->hash == hash && dg_slice_eq(node->slots[at]->raw, raw))
                return node->slots[at];
    }
    if (dg_lexicon_simulate(lex, node, raw, spare) != DG_OK || intern(lex, node, spare) != DG_OK)
        return NULL;
    spare->hash = hash;
    spare->raw = raw;
    if (node->key_count >= DG_NODE_KEYS_MAX || lex->key_count >= DG_LEXICON_KEYS_MAX)
        lex->full = true;
    else if (raw.len <= DG_NAME_BYTES_MAX &&
             (spare->bit >= 0 || node->select || spare->death != DG_NEVER ||
              spare->collision != DG_NEVER))
        return learn(lex, node, raw, spare);
    return spare;
}

dg_key *dg_lexicon_constant_key(dg_lexicon *lex, dg_node *node, dg_slice name, uint32_t from)
{
    dg_key spare;
    dg_buf_clear(&lex->name);
    dg_buf_add(&lex->name, name);
    if (work_out(lex, node, from, NULL, &spare) != DG_OK || intern(lex, node, &spare) != DG_OK)
        return NULL;
    dg_slice decoded = spare.name;
    dg_key *key = keep(lex, &spare, NULL);
    if (key && key->bit < 0)
        key->name = dg_arena_dup(&lex->arena, decoded);
    if (dg_arena_failed(&lex->arena)) {
        fail(lex, DG_NOMEM, "out of memory");
        return NULL;
    }
    return key;
}

dg_node *dg_lexicon_child(dg_lexicon *lex, dg_key *key)
{
    if (!key->child)
        key->child = dg_lexicon_node(lex, key->child_items.at, key->child_items.count);
    return key->child;
}

/* A scalar in the one form that tables compare: a string as a quote and its decoded bytes, anything
 * else as its text. `spare` holds it if it must be made. */
static dg_slice canonical(dg_slice text, dg_buf *spare)
{
    if (text.len < 2 || text.ptr[0] != '"')
        return text;
    dg_slice content = {text.ptr + 1, text.len - 2};
    if (dg_slice_find(content, '\\') == content.len)
        return (dg_slice){text.ptr, text.len - 1};
    dg_buf_clear(spare);
    dg_buf_add_char(spare, '"');
    dg_name_decode(content, spare);
    return dg_buf_slice(spare);
}

/* Rows are the pack's own, and so few share a slot, whatever a message holds. */
static uint64_t row_hash(dg_slice s)
{
    uint64_t head = 0, tail = 0;
    if (s.len >= 8) {
        memcpy(&head, s.ptr, 8);
        memcpy(&tail, s.ptr + s.len - 8, 8);
    } else {
        for (size_t i = 0; i < s.len; i++)
            head = head << 8 | (uint8_t)s.ptr[i];
    }
    uint64_t h = (head ^ tail * 0x9E3779B97F4A7C15u ^ s.len) * 0xD6E8FEB86659FD93u;
    return h >> 32;
}

static uint32_t find_row(const dg_table *table, dg_slice key)
{
    for (uint64_t s = row_hash(key) & table->mask; table->slots[s]; s = (s + 1) & table->mask)
        if (dg_slice_eq(table->from[table->slots[s] - 1], key))
            return table->slots[s] - 1;
    return (uint32_t)table->op->pair_count;
}

static dg_table *new_table(dg_lexicon *lex, const dg_op *op)
{
    dg_table *table = dg_arena_zalloc(&lex->arena, sizeof *table);
    uint32_t size = 8;
    while (size < op->pair_count * 2)
        size *= 2;
    dg_slice *from = dg_arena_zalloc(&lex->arena, (op->pair_count + 1) * sizeof *from);
    uint32_t *slots = dg_arena_zalloc(&lex->arena, size * sizeof *slots);
    if (!table || !from || !slots)
        return NULL;
    *table = (dg_table){lex->tables, op, from, slots, size - 1, false};
    for (uint32_t i = 0; i < op->pair_count; i++) {
        from[i] = dg_arena_dup(&lex->arena, canonical(op->pairs[i].from, &lex->other));
        if (dg_arena_failed(&lex->arena) || lex->other.status != DG_OK)
            return NULL;
        table->escapes |= dg_slice_find(from[i], '\\') < from[i].len;
        uint64_t at = row_hash(from[i]) & table->mask;
        /* The first of equal rows wins. */
        while (slots[at] && !dg_slice_eq(from[slots[at] - 1], from[i]))
            at = (at + 1) & table->mask;
        if (!slots[at])
            slots[at] = i + 1;
    }
    return lex->tables = table;
}

uint32_t dg_lexicon_lookup(dg_lexicon *lex, dg_node *node, uint32_t at, dg_slice text)
{
    const dg_op *op = dg_item_op(node->local.at[at]);
    dg_table *table = node->tables[at];
    if (!table) {
        for (table = lex->tables; table && table->op != op; table = table->next)
            ;
        if (!table && !(table = new_table(lex, op))) {
            fail(lex, DG_NOMEM, "out of memory");
            return UINT32_MAX;
        }
        node->tables[at] = table;
    }
    /* What is in the table as it stands is found at once. */
    if (DG_LIKELY(!table->escapes && text.len)) {
        uint32_t row = find_row(table, (dg_slice){text.ptr, text.len - (*text.ptr == '"')});
        if (row < op->pair_count)
            return row;
    }
    dg_slice key = canonical(text, &lex->other);
    if (lex->other.status != DG_OK) {
        fail(lex, DG_NOMEM, "out of memory");
        return UINT32_MAX;
    }
    return find_row(table, key);
}
