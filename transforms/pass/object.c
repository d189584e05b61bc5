/* Objects of a node that does something to them, by the member that quick.c does not know: it is
 * looked up in the lexicon, which knows what becomes of it; constants and the question whether the
 * object is empty are settled at its end. */
#include "transforms/text/isa.h"

#include <stdlib.h>

#include "base/hash.h"
#include "transforms/pass/object.h"

static const char *const SAME_NAME = "two members would have the same name";
static const char *const TAKEN = "a member of that name is there already";
static const char *const NO_MEMORY = "out of memory";

bool dg_has_bit(const dg_frame *f, uint32_t bit)
{
    if (bit < DG_FIRST_BITS)
        return f->claimed >> bit & 1;
    bit -= DG_FIRST_BITS;
    return bit < f->bit_end && (f->bits[bit / 64] >> (bit % 64) & 1);
}

bool dg_claim_bit(dg_frame *f, uint32_t bit)
{
    uint64_t *word = &f->claimed;
    if (bit >= DG_FIRST_BITS) {
        bit -= DG_FIRST_BITS;
        for (; f->bit_end <= bit; f->bit_end += 64)
            f->bits[f->bit_end / 64] = 0;
        word = &f->bits[bit / 64];
    }
    uint64_t before = *word;
    *word = before | (uint64_t)1 << (bit % 64);
    return before >> (bit % 64) & 1;
}

static bool grow_seen(dg_run_state *r)
{
    size_t size = r->seen ? (r->seen_mask + 1) * 2 : 256;
    dg_seen *grown = calloc(size, sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; r->seen && i <= r->seen_mask; i++) {
        if (!r->seen[i].object)
            continue;
        size_t at = r->seen[i].hash & (size - 1);
        while (grown[at].object)
            at = (at + 1) & (size - 1);
        grown[at] = r->seen[i];
    }
    free(r->seen);
    r->seen = grown;
    r->seen_mask = size - 1;
    return true;
}

/* Whether what is noted in `seen` leaves as `name`. Uses the lexicon's scratch. */
static dg_status same_name(dg_run_state *r, dg_node *node, const dg_seen *seen, dg_slice name,
                           bool *ret_same)
{
    dg_key other;
    if (seen->decoded) {
        *ret_same = dg_slice_eq(seen->name, name);
        return DG_OK;
    }
    dg_status status = dg_lexicon_simulate(r->lex, node, seen->name, &other);
    if (status == DG_OK)
        *ret_same = dg_slice_eq(other.name, name);
    return status;
}

/* Notes an output name that has no bit; NULL and a refusal if it is there already. The key's slices
 * in the lexicon's scratch are renewed if they had to be given up. */
static const char *note_name(dg_run_state *r, dg_frame *f, dg_key *key, dg_slice raw, bool decoded,
                             const char *at)
{
    if (r->seen_count * 2 >= r->seen_mask && !grow_seen(r))
        return dg_scan_fail(&r->scan, at, DG_NOMEM, NO_MEMORY);
    /* Objects share the table: mix in which one it is. */
    if (f->serial == 0)
        f->serial = ++r->objects;
    uint64_t hash = key->name_hash ^ f->serial * 0x9E3779B97F4A7C15u;
    size_t slot = hash & r->seen_mask;
    for (; r->seen[slot].object; slot = (slot + 1) & r->seen_mask) {
        const dg_seen *seen = &r->seen[slot];
        if (seen->object != f->serial || seen->hash != hash)
            continue;
        dg_buf name;
        bool same = false;
        dg_buf_init(&name, 0);
        dg_buf_add(&name, key->name);
        dg_status status = name.status;
        if (status == DG_OK)
            status = same_name(r, f->node, seen, dg_buf_slice(&name), &same);
        dg_buf_free(&name);
        if (status != DG_OK)
            return dg_scan_fail(&r->scan, at, status, NO_MEMORY);
        if (same)
            return dg_refuse(r, at, NULL, SAME_NAME);
        if (!decoded && dg_lexicon_simulate(r->lex, f->node, raw, key) != DG_OK)
            return dg_lexicon_failed(r, at);
    }
    if (!decoded && f->serial & DG_OBJECT_LASTS) {
        raw = dg_arena_dup(r->names, raw);
        if (dg_arena_failed(r->names))
            return dg_scan_fail(&r->scan, at, DG_LIMIT, "too many names to keep");
    }
    r->seen[slot] = (dg_seen){f->serial, hash, decoded ? key->name : raw, decoded};
    r->seen_count++;
    return at;
}

static inline const char *claim_name(dg_run_state *r, dg_frame *f, dg_key *key, const dg_place *m)
{
    if (DG_LIKELY(key->bit >= 0))
        return dg_claim_bit(f, (uint32_t)key->bit) ? dg_refuse(r, m->name, NULL, SAME_NAME)
                                                   : m->name;
    return note_name(r, f, key, dg_slice_of(m->name + 1, (size_t)(m->after - m->name) - 2), false,
                     m->name);
}

static void apply_marks(dg_frame *f, const dg_key *key, int32_t death)
{
    for (uint32_t i = 0; i < key->mark_count; i++)
        if ((int64_t)f->node->constants[key->marks[i]].at < death)
            dg_claim_bit(f, key->marks[i]);
}

static inline void outlive(dg_frame *f, int64_t death)
{
    if (f->alive < death)
        f->alive = death;
}

/* The name as it leaves, and what stands between it and the value. */
static bool put_name(dg_run_state *r, const dg_key *key, const dg_place *m)
{
    if (!dg_room(r, m->name, key->token.len))
        return false;
    dg_put(r, key->token.ptr, key->token.len - 1);
    dg_put_input(r, m->after, (size_t)(m->value - m->after));
    return true;
}

static void forget(dg_run_state *r, const dg_place *m)
{
    r->at = r->base + m->mark;
}

/* The void that a member's value came out as: who lost it. Returns the local item that let the
 * member go, or -1 if it is this node's value that is gone (f->ending). */
static int32_t void_member(dg_run_state *r, dg_frame *f, const dg_key *key)
{
    uint32_t index = (uint32_t)r->void_at;
    r->void_at = -1;
    if (index < key->child_own)
        return key->child_items.notes[index];
    f->ending = (dg_ending){true, f->node->rest.notes[index - key->child_own]};
    return -1;
}

/* What remains to be said once the value of a member is behind us. */
static const char *settle_member(dg_run_state *r, dg_frame *f, dg_key *key, const dg_place *m,
                                 const char *p)
{
    int32_t death = key->death;
    bool was_void = r->void_at >= 0;
    if (was_void) {
        int32_t lost = void_member(r, f, key);
        if (lost >= 0) {
            forget(r, m);
            apply_marks(f, key, lost);
            outlive(f, lost);
            return p;
        }
    }
    apply_marks(f, key, key->collision < death ? key->collision : death);
    outlive(f, death);
    if (key->collision != DG_NEVER)
        return dg_refuse(r, m->name, dg_item_op(f->node->local.at[key->collision]), TAKEN);
    if (death != DG_NEVER || (f->node->select && !key->selected)) {
        forget(r, m);
        return p;
    }
    if (!f->node->select) {
        f->kept++;
        return claim_name(r, f, key, m) ? p : NULL;
    }
    if (f->selected)
        return dg_refuse(r, m->name, f->node->select, SAME_NAME);
    f->selected = true;
    return p;
}

/* A member that is more than a name and a child. */
static const char *run_special(dg_run_state *r, dg_frame *f, dg_key *key, const dg_place *m)
{
    dg_node *node = f->node;
    const char *p;
    DG_ASSERT(node);
    bool leaves = key->death == DG_NEVER && (!node->select || key->selected);
    bool collides = key->collision != DG_NEVER;
    if (collides && !key->has_voids)
        return dg_refuse(r, m->name, dg_item_op(node->local.at[key->collision]), TAKEN);
    if (!leaves && !(key->has_voids && (node->voids || collides))) {
        p = dg_scan_value(&r->scan, m->value, r->depth);
        return p ? settle_member(r, f, key, m, p) : NULL;
    }
    bool learned = key->learned;
    dg_node *child = dg_lexicon_child(r->lex, key);
    if (!child)
        return dg_lexicon_failed(r, m->name);
    if (leaves && !collides && !node->select && !put_name(r, key, m))
        return NULL;
    p = leaves && !collides ? dg_run_value(r, m->value, child) : dg_probe(r, m->value, child);
    if (!p)
        return NULL;
    if (!learned) {
        /* Its slices lie in scratch that the value may have used. */
        dg_slice raw = dg_slice_of(m->name + 1, (size_t)(m->after - m->name) - 2);
        int32_t bit = key->bit;
        if (dg_lexicon_simulate(r->lex, node, raw, key) != DG_OK)
            return dg_lexicon_failed(r, m->name);
        key->bit = bit;
    }
    return settle_member(r, f, key, m, p);
}

static const char *run_plain(dg_run_state *r, dg_frame *f, dg_key *key, const dg_place *m)
{
    if (!claim_name(r, f, key, m) || !put_name(r, key, m))
        return NULL;
    f->kept++;
    f->alive = DG_NEVER;
    dg_node *child = dg_lexicon_child(r->lex, key);
    return child ? dg_run_value(r, m->value, child) : dg_lexicon_failed(r, m->name);
}

/* Reads a name and its colon and finds its key. */
static dg_key *find_key(dg_run_state *r, dg_node *node, const char *p, dg_place *m, dg_key *spare)
{
    m->name = p;
    if (p >= r->scan.end || *p != '"') {
        dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a member name");
        return NULL;
    }
    m->after = dg_scan_string(&r->scan, p + 1, NULL);
    if (!m->after)
        return NULL;
    p = dg_scan_space(&r->scan, m->after);
    if (p >= r->scan.end || *p != ':') {
        dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a colon");
        return NULL;
    }
    m->value = dg_scan_space(&r->scan, p + 1);
    dg_slice raw = dg_slice_of(m->name + 1, (size_t)(m->after - m->name) - 2);
    dg_key *key = dg_lexicon_key(r->lex, node, raw, dg_hash(raw, r->lex->seed), spare);
    if (!key)
        dg_lexicon_failed(r, m->name);
    return key;
}

/* A constant that is not there already. */
static const char *add_constant(dg_run_state *r, dg_frame *f, dg_constant *c, const char *p)
{
    dg_key *key = c->key;
    dg_node *node = f->node;
    int32_t death = key->death;
    bool leaves = death == DG_NEVER && (!node->select || key->selected);
    if (leaves || key->has_voids) {
        if (dg_constant_value(r->lex, c) != DG_OK)
            return dg_lexicon_failed(r, p);
        if (c->value.kind == DG_RESULT_VOID && (uint32_t)c->value.void_at < key->child_own)
            death = key->child_items.notes[c->value.void_at];
        else if (c->value.kind == DG_RESULT_VOID)
            f->ending =
                (dg_ending){true, node->rest.notes[(uint32_t)c->value.void_at - key->child_own]};
        else if (c->value.kind == DG_RESULT_REFUSED && key->collision == DG_NEVER && leaves)
            return dg_refuse(r, p, c->value.op ? c->value.op : c->op, c->value.message);
    }
    if (f->alive < (int64_t)c->at && f->alive >= 0) {
        f->collapsed = true;
        r->at = node->select ? r->at : r->base + f->open;
    }
    apply_marks(f, key, death < key->collision ? death : key->collision);
    if (key->collision < death)
        return dg_refuse(r, p, dg_item_op(node->local.at[key->collision]), TAKEN);
    outlive(f, death);
    if (death != DG_NEVER || (node->select && !key->selected))
        return p;
    if (node->select) {
        if (f->selected)
            return dg_refuse(r, p, node->select, SAME_NAME);
        f->selected = true;
    } else if (key->bit >= 0) {
        if (dg_claim_bit(f, (uint32_t)key->bit))
            return dg_refuse(r, p, c->op, SAME_NAME);
    } else if (!note_name(r, f, key, key->name, true, p)) {
        return NULL;
    }
    if (f->ending.gone)
        return p;
    if (!dg_room(r, p, c->value.text.len + key->token.len + 1))
        return NULL;
    if (!node->select) {
        if (f->kept++)
            *r->at++ = ',';
        dg_put(r, key->token.ptr, key->token.len);
    }
    dg_put(r, c->value.text.ptr, c->value.text.len);
    return p;
}

/* Carries out, in their order, the local items that concern the object as a whole. p is at its end.
 */
static const char *settle_object(dg_run_state *r, dg_frame *f, const char *p)
{
    dg_node *node = f->node;
    if (node->constant_count == 0 && !node->voids) {
        f->collapsed = f->alive >= 0 && f->alive != DG_NEVER;
        return p;
    }
    for (uint32_t i = 0, c = 0; i < node->local.count; i++) {
        if (dg_item_tag(node->local.at[i]) == DG_ITEM_IF_EMPTY && f->alive < (int64_t)i) {
            f->ending = (dg_ending){true, node->local.notes[i]};
            return p;
        }
        if (c < node->constant_count && node->constants[c].at == i) {
            if (!dg_has_bit(f, c) && !add_constant(r, f, &node->constants[c], p))
                return NULL;
            c++;
        }
    }
    f->collapsed |= f->alive >= 0 && f->alive != DG_NEVER;
    return p;
}

const char *dg_close_object(dg_run_state *r, dg_frame *f, const char *p)
{
    if (!settle_object(r, f, p))
        return NULL;
    r->depth--;
    if (f->ending.gone)
        return p + 1;
    if (f->node->select)
        return f->selected ? p + 1
                           : dg_refuse(r, p, f->node->select, "the member to unwrap is missing");
    if (f->kept == 0 && f->collapsed)
        r->at = r->base + f->open;
    /* What stood before the brace stays, so that adding and dropping again gives back the same. */
    dg_put_input(r, f->space, (size_t)(p - f->space));
    *r->at++ = '}';
    return p + 1;
}

/* In the first of the slots that is free; else in the place of another. */
static void remember(dg_run_state *r, dg_key **slots, dg_key *key)
{
    unsigned i = 0;
    while (i < DG_NEAR_PROBES - 1 && slots[i] != &r->lex->none && slots[i] != key)
        i++;
    slots[i] = key;
}

enum { OMITTED_MAX = 3 };

/* Makes the key the guess. */
static inline void learn_guess(dg_guess *guess, dg_key *key)
{
    if (guess->key == key)
        return;
    guess->other = guess->key;
    guess->key = key;
}

dg_key *dg_other_key(dg_node *node, dg_guess *guess, const char *name)
{
    dg_key *key = guess->key;
    if (dg_names(key, name))
        return key;
    if (dg_names(guess->other, name))
        return guess->other;
    for (unsigned i = 0; i < OMITTED_MAX; i++)
        if (dg_names(key = key->next.key, name))
            return key;
    const char *after;
    dg_guess near = *guess;
    if ((key = dg_near_key(node, &near, name, &after))) {
        node->strays += 3;
        learn_guess(guess, key);
    }
    return key;
}

const char *dg_refuse_quick(dg_run_state *r, const dg_key *key, const char *p)
{
    if (key->match_len - 1 < r->scan.end - p)
        return dg_refuse(r, p, NULL, SAME_NAME);
    return dg_scan_fail(&r->scan, r->scan.end, DG_SYNTAX, "the text ends too early");
}

const char *dg_run_slow(dg_run_state *r, dg_frame *f, dg_key *key, dg_guess **guess, dg_place *m)
{
    dg_node *node = f->node;
    dg_key spare;
    const char *p = m->name;
    if (!key) {
        if (!(key = find_key(r, node, p, m, &spare)))
            return NULL;
        if (key->learned) {
            learn_guess(*guess, key);
            dg_key **slots = key->match_len ? dg_near_slots(node, p, &m->after) : NULL;
            if (slots)
                remember(r, slots, key);
        }
    } else {
        m->after = p + key->match_len - 2;
        if (m->after >= r->scan.end)
            return dg_scan_fail(&r->scan, m->after, DG_SYNTAX, "the text ends too early");
        m->value = dg_scan_space(&r->scan, m->after + 1);
    }
    r->first = key != &spare ? &key->first : NULL;
    p = key->plain ? run_plain(r, f, key, m) : run_special(r, f, key, m);
    if (p && key != &spare)
        *guess = &key->next;
    return p;
}

bool dg_entry_find(dg_run_state *r, dg_frame *f, const char *name, dg_entry *ret_entry)
{
    dg_node *node = f->node;
    dg_entry *e = ret_entry;
    dg_key *key = find_key(r, node, name, &e->place, &e->spare);
    if (!key || (!key->plain && (key->has_voids || key->collision != DG_NEVER)))
        return false;
    bool leaves = key->plain || (key->death == DG_NEVER && (!node->select || key->selected));
    e->key = key;
    e->child = NULL;
    e->later = leaves && !key->plain;
    if (!leaves)
        return true;
    if (e->later && (!key->learned || (key->bit < 0 && !node->select)))
        return false;
    if (!(e->child = dg_lexicon_child(r->lex, key)))
        return false;
    if (key->learned)
        return true;
    /* Its slices lie in scratch that the child may have used. */
    dg_slice raw = dg_slice_of(name + 1, (size_t)(e->place.after - name) - 2);
    int32_t bit = key->bit;
    bool ok = dg_lexicon_simulate(r->lex, node, raw, key) == DG_OK;
    key->bit = bit;
    return ok;
}

const char *dg_entry_open(dg_run_state *r, dg_frame *f, dg_entry *e)
{
    dg_key *key = e->key;
    const dg_place *m = &e->place;
    if (!e->child) {
        forget(r, m);
        apply_marks(f, key, key->death);
        outlive(f, key->death);
        return m->value;
    }
    if (!e->later && !claim_name(r, f, key, m))
        return NULL;
    if (!f->node->select && !put_name(r, key, m))
        return NULL;
    f->kept += !f->node->select;
    apply_marks(f, key, DG_NEVER);
    outlive(f, DG_NEVER);
    return m->value;
}

const char *dg_entry_close(dg_run_state *r, dg_frame *f, const dg_key *key, const char *at)
{
    const dg_op *select = f->node->select;
    if (select ? f->selected : dg_claim_bit(f, (uint32_t)key->bit))
        return dg_refuse(r, at, select, SAME_NAME);
    f->selected = select != NULL;
    return at;
}
