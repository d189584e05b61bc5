/* Objects of a node that does something to them: every member is looked up in the lexicon, which
 * knows what becomes of it; constants and the question whether the object is empty are settled at
 * its end. */
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
    unsigned words; /* of `bits` in use */
    uint64_t bits[DG_BITS_MAX / 64 + 1];
} frame;

/* A member in the input. */
typedef struct place {
    const char *name;  /* its opening quote */
    const char *after; /* behind the closing quote */
    const char *value; /* NULL while it is not known */
    size_t mark;       /* output offset before its separator */
} place;

static inline bool set_bit(frame *f, uint32_t bit)
{
    unsigned word = bit / 64;
    while (f->words <= word)
        f->bits[f->words++] = 0;
    uint64_t mask = (uint64_t)1 << (bit % 64);
    bool was = f->bits[word] & mask;
    f->bits[word] |= mask;
    return was;
}

static bool get_bit(const frame *f, uint32_t bit)
{
    return bit / 64 < f->words && (f->bits[bit / 64] >> (bit % 64) & 1);
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
    dg_put(r, m->after, (size_t)(m->value - m->after));
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
static const char *close_object(dg_run_state *r, frame *f, const char *space, const char *p)
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
    dg_put(r, space, (size_t)(p - space));
    *r->at++ = '}';
    return p + 1;
}

#ifdef DG_SCAN_SSE2
static inline bool matches(const dg_key *key, const char *p)
{
    const __m128i *m = (const __m128i *)(const void *)key->match;
    const __m128i *t = (const __m128i *)(const void *)p;
    unsigned low =
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(m), _mm_loadu_si128(t)));
    unsigned high =
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(m + 1), _mm_loadu_si128(t + 1)));
    return ((low | high << 16) & key->match_mask) == key->match_mask;
}
#else
static inline bool matches(const dg_key *key, const char *p)
{
    return memcmp(key->match, p, key->match_len) == 0;
}
#endif

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The slot of the name whose opening quote is at p in the cache of a node: NULL if the name is too
 * long for it, or has an escape. */
static inline dg_key **near_slot(dg_node *node, const char *p)
{
    unsigned n = dg_scan_block(p + 1, NULL);
    if (n == DG_SCAN_BLOCK)
        n += dg_scan_block(p + 1 + DG_SCAN_BLOCK, NULL);
    if (n > DG_TOKEN_BLOCK - 3 || p[1 + n] != '"')
        return NULL;
    uint64_t head = load64(p + 1), tail = 0;
    if (n >= 8)
        tail = load64(p + 1 + n - 8);
    else
        head &= ((uint64_t)1 << (8 * n)) - 1;
    uint64_t h = (head ^ tail * 0x9E3779B97F4A7C15u ^ n) * 0xD6E8FEB86659FD93u;
    return &node->near[h >> 58];
}

/* The member at p, if its key is known and its name stands as it did when it was learned: the one
 * that was guessed, or one from the cache. */
static inline dg_key *known_key(const dg_run_state *r, dg_key *guess, dg_node *node, const char *p,
                                dg_key ***ret_slot)
{
    /* What lies behind the end must not complete a name. */
    if (DG_UNLIKELY(p + DG_TOKEN_BLOCK > r->scan.end))
        return NULL;
    if (DG_LIKELY(guess && guess->match_len && matches(guess, p)))
        return guess;
    if (*p != '"')
        return NULL;
    dg_key **slot = *ret_slot = near_slot(node, p);
    return slot && *slot && (*slot)->match_len && matches(*slot, p) ? *slot : NULL;
}

/* A member whose name and colon stand at p as they were learned: in one go. */
static inline const char *run_guess(dg_run_state *r, frame *f, const dg_key *key, const char *p)
{
    if (DG_UNLIKELY(set_bit(f, (uint32_t)key->bit)))
        return dg_refuse(r, p, NULL, SAME_NAME);
    if (!dg_room(r, p, DG_TOKEN_BLOCK))
        return NULL;
    memcpy(r->at, key->emit, DG_TOKEN_BLOCK);
    r->at += key->emit_len;
    p += key->match_len;
    f->kept++;
    f->alive = DG_NEVER;
    if (DG_UNLIKELY(p < r->scan.end && (unsigned char)*p <= ' ')) {
        const char *value = dg_scan_space(&r->scan, p);
        dg_put(r, p, (size_t)(value - p));
        p = value;
    }
    return dg_run_child(r, p, key->child);
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
    f.words = 0;
    const bool writes = !node->select;
    if (r->depth >= DG_JSON_DEPTH_MAX)
        return dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
    r->depth++;
    if (writes)
        *r->at++ = '{';
    f.open = (size_t)(r->at - r->base);
    const char *space = p + 1;
    p = dg_scan_space(&r->scan, space);
    dg_key spare, *key, **follows = &node->first;
    bool more = !(p < r->scan.end && *p == '}');
    if (more && writes)
        dg_put(r, space, (size_t)(p - space));
    size_t mark = (size_t)(r->at - r->base);
    while (more) {
        dg_key **slot = NULL;
        place m = {.name = p, .mark = mark};
        key = known_key(r, *follows, node, p, &slot);
        if (!key && !(key = find_key(r, node, p, &m, &spare)))
            return NULL;
        if (key->learned && *follows != key)
            *follows = key;
        if (slot && key->learned && key->match_len)
            *slot = key;
        if (m.value) {
            p = key->plain ? run_plain(r, &f, key, &m) : run_special(r, &f, key, &m);
        } else if (DG_LIKELY(key->quick)) {
            p = run_guess(r, &f, key, p);
        } else {
            m.after = p + key->match_len - 1;
            m.value = dg_scan_space(&r->scan, m.after + 1);
            p = key->plain ? run_plain(r, &f, key, &m) : run_special(r, &f, key, &m);
        }
        if (!p)
            return NULL;
        if (key != &spare)
            follows = &key->next;
        space = p;
        p = dg_scan_space(&r->scan, p);
        if (DG_UNLIKELY(p >= r->scan.end || (*p != ',' && *p != '}')))
            return dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a comma or '}'");
        if (*p == '}')
            break;
        p = dg_scan_space(&r->scan, p + 1);
        mark = (size_t)(r->at - r->base);
        if (writes && f.kept)
            dg_put(r, space, (size_t)(p - space));
    }
    p = close_object(r, &f, space, p);
    *ret_ending = f.ending;
    return p;
}
