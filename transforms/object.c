/* Objects of a node that does something to them: every member is looked up in the lexicon, which
 * knows what becomes of it; constants and the question whether the object is empty are settled at
 * its end. */
#include "transforms/isa.h"

#include <stdlib.h>

#include "base/hash.h"
#include "transforms/run.h"

static const char *const SAME_NAME = "two members would have the same name";
static const char *const TAKEN = "a member of that name is there already";
static const char *const NO_MEMORY = "out of memory";

/* The object being written. */
typedef struct frame {
    dg_node *node;
    uint64_t serial;
    size_t open; /* output offset behind the brace */
    size_t kept; /* members written */
    int64_t
        alive; /* the local item that let the last member go; DG_NEVER: one stays; -1: none came */
    bool selected;  /* UNWRAP has its member */
    bool collapsed; /* it was empty for a moment: the white space that it began with is gone */
    dg_ending ending;
    const char *space; /* where the last value ended */
    uint32_t bit_end;  /* of `bits` that are in use */
    uint64_t bits[DG_BITS_MAX / 64];
} frame;

/* A member in the input. */
typedef struct place {
    const char *name;  /* its opening quote */
    const char *after; /* behind the closing quote */
    const char *value; /* NULL while it is not known */
    size_t mark;       /* output offset before its separator */
} place;

static void grow_bits(frame *f, uint32_t bit)
{
    for (; f->bit_end <= bit; f->bit_end += 64)
        f->bits[f->bit_end / 64] = 0;
}

static inline bool set_bit(frame *f, uint32_t bit)
{
    if (DG_UNLIKELY(bit >= f->bit_end))
        grow_bits(f, bit);
    uint64_t *word = &f->bits[bit / 64], before = *word;
    *word = before | (uint64_t)1 << (bit % 64);
    return before >> (bit % 64) & 1;
}

static bool get_bit(const frame *f, uint32_t bit)
{
    return bit < f->bit_end && (f->bits[bit / 64] >> (bit % 64) & 1);
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
static const char *note_name(dg_run_state *r, frame *f, dg_key *key, dg_slice raw, bool decoded,
                             const char *at)
{
    if (r->seen_count * 2 >= r->seen_mask && !grow_seen(r))
        return dg_scan_fail(&r->scan, at, DG_NOMEM, NO_MEMORY);
    /* Objects share the table: mix in which one it is. */
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
    r->seen[slot] = (dg_seen){f->serial, hash, decoded ? key->name : raw, decoded};
    r->seen_count++;
    return at;
}

static inline const char *claim_name(dg_run_state *r, frame *f, dg_key *key, const place *m)
{
    if (DG_LIKELY(key->bit >= 0))
        return set_bit(f, (uint32_t)key->bit) ? dg_refuse(r, m->name, NULL, SAME_NAME) : m->name;
    return note_name(r, f, key, dg_slice_of(m->name + 1, (size_t)(m->after - m->name) - 2), false,
                     m->name);
}

static void apply_marks(frame *f, const dg_key *key, int32_t death)
{
    for (uint32_t i = 0; i < key->mark_count; i++)
        if ((int64_t)f->node->constants[key->marks[i]].at < death)
            set_bit(f, key->marks[i]);
}

static inline void outlive(frame *f, int64_t death)
{
    if (f->alive < death)
        f->alive = death;
}

/* The name as it leaves, and what stands between it and the value. */
static bool put_name(dg_run_state *r, const dg_key *key, const place *m)
{
    if (!dg_room(r, m->name, key->token.len))
        return false;
    dg_put(r, key->token.ptr, key->token.len - 1);
    dg_put_input(r, m->after, (size_t)(m->value - m->after));
    return true;
}

static void forget(dg_run_state *r, const place *m)
{
    r->at = r->base + m->mark;
}

/* The void that a member's value came out as: who lost it. Returns the local item that let the
 * member go, or -1 if it is this node's value that is gone (f->ending). */
static int32_t void_member(dg_run_state *r, frame *f, const dg_key *key)
{
    uint32_t index = (uint32_t)r->void_at;
    r->void_at = -1;
    if (index < key->child_own)
        return key->child_items.notes[index];
    f->ending = (dg_ending){true, f->node->rest.notes[index - key->child_own]};
    return -1;
}

/* What remains to be said once the value of a member is behind us. */
static const char *settle_member(dg_run_state *r, frame *f, dg_key *key, const place *m,
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
static const char *run_special(dg_run_state *r, frame *f, dg_key *key, const place *m)
{
    dg_node *node = f->node;
    const char *p;
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

static const char *run_plain(dg_run_state *r, frame *f, dg_key *key, const place *m)
{
    if (!claim_name(r, f, key, m) || !put_name(r, key, m))
        return NULL;
    f->kept++;
    f->alive = DG_NEVER;
    dg_node *child = dg_lexicon_child(r->lex, key);
    return child ? dg_run_value(r, m->value, child) : dg_lexicon_failed(r, m->name);
}

/* Reads a name and its colon and finds its key. */
static dg_key *find_key(dg_run_state *r, dg_node *node, const char *p, place *m, dg_key *spare)
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
static const char *add_constant(dg_run_state *r, frame *f, dg_constant *c, const char *p)
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
        if (set_bit(f, (uint32_t)key->bit))
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
static const char *settle_object(dg_run_state *r, frame *f, const char *p)
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
            if (!get_bit(f, c) && !add_constant(r, f, &node->constants[c], p))
                return NULL;
            c++;
        }
    }
    f->collapsed |= f->alive >= 0 && f->alive != DG_NEVER;
    return p;
}

/* Constants, the white space before the brace, and the brace at p. */
static const char *close_object(dg_run_state *r, frame *f, const char *p)
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

/* Whether the name at p is the key's, as it was learned, with its colon. It may lie beyond the end:
 * then its value does too, which is seen when that is run. */
static inline bool matches(const dg_key *key, const char *p)
{
    return (~dg_block_equal(key->match, p) & key->match_mask) == 0;
}

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The pair of slots of the name whose opening quote is at p in the cache of a node; NULL if where
 * it ends is not known. No branches: names come in any order here. */
static inline dg_key **near_slots(const dg_run_state *r, dg_node *node, const char *p,
                                  const uint32_t *c)
{
    size_t len = dg_scan_known(&r->scan, p, *c);
    if (DG_UNLIKELY(len < 3 || len > DG_TOKEN_BLOCK))
        return NULL;
    bool is_long = len >= 10;
    uint64_t head =
        load64(p + 1) & (is_long ? ~(uint64_t)0 : ((uint64_t)1 << 8 * (len - 2) % 64) - 1);
    uint64_t tail = load64(p + (is_long ? len - 9 : 1)) & (is_long ? ~(uint64_t)0 : 0);
    uint64_t h = (head ^ tail * 0x9E3779B97F4A7C15u ^ len) * 0xD6E8FEB86659FD93u;
    return &node->near[h >> 57 & ~(uint64_t)1];
}

static void remember(dg_key **slots, dg_key *key)
{
    if (slots[0] && slots[0] != key)
        slots[1] = slots[0];
    slots[0] = key;
}

static inline dg_key *near_key(dg_key **slots, const char *p)
{
    for (unsigned i = 0; i < 2; i++)
        if (slots[i] && matches(slots[i], p))
            return slots[i];
    return NULL;
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

/* The key at p, which is not the one that was guessed: the other one, one that follows them, for
 * members are often left out, or one from the cache. */
static dg_key *other_key(const dg_run_state *r, dg_node *node, dg_guess *guess, const char *p,
                         const uint32_t *c)
{
    dg_key *key = guess->other;
    if (key && matches(key, p))
        return key;
    key = guess->key;
    for (unsigned i = 0; key && i < OMITTED_MAX; i++)
        if ((key = key->next.key) && matches(key, p))
            return key;
    dg_key **slots = near_slots(r, node, p, c);
    if (slots && (key = near_key(slots, p))) {
        node->strays += 4;
        learn_guess(guess, key);
        return key;
    }
    return NULL;
}

/* A key that is known, at p; NULL if it takes a closer look. */
static inline dg_key *known_key(const dg_run_state *r, dg_node *node, dg_guess *guess,
                                const char *p, const uint32_t *c)
{
    dg_key *key = guess->key;
    if (DG_LIKELY(node->strays < DG_STRAYS_MANY))
        return DG_LIKELY(key && matches(key, p)) ? key : other_key(r, node, guess, p, c);
    dg_key **slots = near_slots(r, node, p, c);
    dg_key *near = slots ? near_key(slots, p) : NULL;
    node->strays += near != key;
    if (near)
        guess->key = near;
    return near;
}

/* A name that is known has come twice, if it does not lie beyond the end. */
static const char *refuse_quick(dg_run_state *r, const dg_key *key, const char *p)
{
    if (key->match_len < r->scan.end - p)
        return dg_refuse(r, p, NULL, SAME_NAME);
    return dg_scan_fail(&r->scan, r->scan.end, DG_SYNTAX, "the text ends too early");
}

/* A member that is not quick, or not known: key is NULL then. Learns. */
static const char *run_slow(dg_run_state *r, frame *f, dg_key *key, dg_guess **guess, place *m)
{
    dg_node *node = f->node;
    dg_key spare;
    const char *p = m->name;
    if (!key) {
        dg_key **slots = near_slots(r, node, p, r->scan.cursor);
        if (!(key = find_key(r, node, p, m, &spare)))
            return NULL;
        if (key->learned)
            learn_guess(*guess, key);
        if (slots && key->learned && key->match_len)
            remember(slots, key);
    } else {
        m->after = p + key->match_len - 1;
        m->value = dg_scan_space(&r->scan, m->after + 1);
    }
    dg_scan_sync(&r->scan, r->scan.cursor, m->value);
    r->first = key != &spare ? &key->first : NULL;
    p = key->plain ? run_plain(r, f, key, m) : run_special(r, f, key, m);
    if (!p)
        return NULL;
    if (key != &spare)
        *guess = &key->next;
    dg_scan_sync(&r->scan, r->scan.cursor, dg_scan_space(&r->scan, p) + 1);
    return p;
}

/* Whether a comma and a name's quote stand at p, which need not be before the end. */
static inline bool goes_on(const char *p)
{
    uint16_t pair;
    memcpy(&pair, p, sizeof pair);
    return memcmp(&pair, ",\"", sizeof pair) == 0;
}

/* Where the members of an object have come to. */
typedef struct progress {
    dg_guess *guess;  /* what comes next */
    size_t separator; /* bytes of the output before the name that stand there for it */
    bool at_name;     /* else behind a value */
    dg_key *key;      /* at a name: its key, or NULL */
} progress;

/* Members whose names and colons stand as they were learned, from the name at p on: each in one go,
 * with what changes all the time in registers. Stops at the first that is another, or behind a
 * value that no comma and name follow at once. */
static inline const char *run_quick(dg_run_state *r, frame *f, const char *p, progress *now)
{
    dg_node *node = f->node;
    dg_guess *guess = now->guess;
    const uint32_t *c = r->scan.cursor;
    char *at = r->at;
    dg_key *key;
    for (;;) {
        key = known_key(r, node, guess, p, c);
        if (DG_UNLIKELY(!key || !key->quick)) {
            now->key = key;
            now->at_name = true;
            break;
        }
        guess = &key->next;
        if (DG_UNLIKELY(set_bit(f, (uint32_t)key->bit)))
            return refuse_quick(r, key, p);
        dg_block_copy(at, (const char *)key->emit);
        at += key->emit_len;
        p += key->match_len;
        f->kept = 1;
        f->alive = DG_NEVER;
        if (*p == ' ' && (unsigned char)p[1] > ' ') {
            *at++ = ' ';
            p++;
        } else if (DG_UNLIKELY((unsigned char)*p <= ' ' && p < r->scan.end)) {
            const char *value = dg_scan_space(&r->scan, p);
            r->at = at;
            dg_put_input(r, p, (size_t)(value - p));
            at = r->at;
            p = value;
        }
        if (DG_UNLIKELY((intptr_t)((uintptr_t)at - (uintptr_t)p) > r->lead_max)) {
            r->at = at;
            if (!dg_room(r, p, 0))
                return NULL;
            at = r->at;
        }
        size_t len = dg_scan_short(&r->scan, p, c[1]);
        if (DG_LIKELY(len && key->child->passes_scalars && dg_copy_short_scalar(p, len, at))) {
            p += len;
            at += len;
            c += 2;
        } else {
            r->at = at;
            r->first = &key->first;
            if (!(p = dg_run_long(r, p, key->child, c + 1)))
                return NULL;
            at = r->at;
            c = r->scan.cursor;
        }
        if (DG_LIKELY(goes_on(p) && r->scan.end - p > 1)) {
            *at++ = ',';
            p++;
            now->separator = 1;
            continue;
        }
        /* A line of its own for each member. */
        dg_mask others =
            *p == ',' && r->scan.end - p > 1 ? ~dg_block_copy_spaces(at + 1, p + 1) : 0;
        if (others == 0) {
            now->at_name = false;
            break;
        }
        *at = ',';
        now->separator = 1 + (size_t)__builtin_ctz(others);
        p += now->separator;
        at += now->separator;
    }
    r->at = at;
    r->scan.cursor = c;
    now->guess = guess;
    return p;
}

/* The members from p on, where the first name is; returns where the brace is. */
static const char *run_members(dg_run_state *r, frame *f, const char *p, dg_guess *guess)
{
    const bool writes = !f->node->select;
    progress now = {.guess = guess};
    for (;;) {
        if (!(p = run_quick(r, f, p, &now)))
            return NULL;
        if (now.at_name) {
            place m = {.name = p, .mark = (size_t)(r->at - r->base) - now.separator};
            if (!(p = run_slow(r, f, now.key, &now.guess, &m)))
                return NULL;
        }
        f->space = p;
        p = dg_scan_space(&r->scan, p);
        if (DG_UNLIKELY(p >= r->scan.end || (*p != ',' && *p != '}')))
            return dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a comma or '}'");
        if (*p == '}')
            return p;
        p = dg_scan_space(&r->scan, p + 1);
        now.separator = writes && f->kept ? (size_t)(p - f->space) : 0;
        dg_put_input(r, f->space, now.separator);
    }
}

const char *dg_run_object(dg_run_state *r, const char *p, dg_node *node, dg_ending *ret_ending)
{
    frame f;
    f.node = node;
    f.serial = ++r->objects;
    f.kept = 0;
    f.alive = -1;
    f.selected = f.collapsed = false;
    f.ending = (dg_ending){false, 0};
    f.bit_end = 64;
    f.bits[0] = 0;
    if (r->depth >= DG_JSON_DEPTH_MAX)
        return dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
    r->depth++;
    if (node->strays)
        node->strays = (node->strays > DG_STRAYS_MAX ? DG_STRAYS_MAX : node->strays) - 1;
    *r->at = '{';
    r->at += !node->select;
    f.open = (size_t)(r->at - r->base);
    f.space = p + 1;
    p = dg_scan_space(&r->scan, p + 1);
    dg_scan_sync(&r->scan, r->scan.cursor, p);
    if (p >= r->scan.end || *p != '}') {
        /* The same key may lead to objects of several nodes, by way of arrays. */
        dg_guess *first = r->first;
        if (!first || (first->key && first->key->node != node))
            first = &node->first;
        dg_put_input(r, f.space, node->select ? 0 : (size_t)(p - f.space));
        if (!(p = run_members(r, &f, p, first)))
            return NULL;
    }
    p = close_object(r, &f, p);
    *ret_ending = f.ending;
    return p;
}
