/* Running objects: what quick.c, where members go by that are known, and object.c, for all others,
 * know of each other. Internal to the room. */
#ifndef DG_TRANSFORMS_OBJECT_H
#define DG_TRANSFORMS_OBJECT_H

#include "transforms/text/isa.h"

#include "transforms/pass/run.h"

/* The object being written. */
typedef struct dg_frame {
    dg_node *node;
    uint64_t serial; /* its number; 0: it has none so far */
    size_t open;     /* output offset behind the brace */
    size_t kept;     /* members written */
    int64_t
        alive; /* the local item that let the last member go; DG_NEVER: one stays; -1: none came */
    bool selected;  /* UNWRAP has its member */
    bool collapsed; /* it was empty for a moment: the white space that it began with is gone */
    dg_ending ending;
    const char *space; /* where the last value ended */
    uint64_t claimed;  /* the first bits of output names, and DG_BITS_OTHER, always */
    uint32_t bit_end;  /* of `bits`, which are the others, how many are in use */
    uint64_t bits[DG_BITS_MAX / 64];
} dg_frame;

/* A member in the input. */
typedef struct dg_place {
    const char *name;  /* its opening quote */
    const char *after; /* behind the closing quote */
    const char *value; /* NULL while it is not known */
    size_t mark;       /* output offset before its separator */
} dg_place;

/* What members that are quick look at, and what only the others do, and the end of an object that
 * is not plain. */
static inline void dg_open_frame(dg_frame *f, dg_node *node)
{
    f->node = node;
    f->kept = 0;
    f->alive = -1;
    f->claimed = DG_BITS_OTHER;
    f->bit_end = 0;
}
static inline void dg_complete_frame(dg_frame *f)
{
    f->serial = 0;
    f->selected = f->collapsed = false;
    f->ending = (dg_ending){false, 0};
}
static inline void dg_start_frame(dg_frame *f, dg_node *node)
{
    dg_open_frame(f, node);
    dg_complete_frame(f);
}

/* Whether the name at `name` (its opening quote; not beyond the end) is the key's, as it was
 * learned, with its colon. It may end beyond the end: then its value does too, which is seen when
 * that is run. */
static inline bool dg_names(const dg_key *key, const char *name)
{
    return (~dg_block_equal(key->match + 1, name) & key->match_mask >> 1) == 0;
}

/* The same for a comma and the name of a key that is quick, or a quick drop. */
static inline bool dg_follows(const dg_key *key, const char *comma)
{
    return (~dg_block_equal(key->match, comma) & key->match_mask) == 0;
}

static inline uint64_t dg_load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The slots of a name in the cache of a node; NULL if it is not plain. No branches: names
 * come in any order here. *ret_after is behind its closing quote. */
static inline dg_key **dg_near_slots(dg_node *node, const char *name, const char **ret_after)
{
    const char *after = *name == '"' ? dg_plain_string(name, false, NULL) : NULL;
    if (DG_UNLIKELY(!after))
        return NULL;
    *ret_after = after;
    size_t len = (size_t)(after - name) - 2, n = len < 8 ? len : 8;
    uint64_t mask = ~(uint64_t)0 >> ((64 - 8 * n) & 63);
    uint64_t head = dg_load64(name + 1) & mask, tail = dg_load64(name + 1 + len - n) & mask;
    uint64_t h = (head ^ tail * 0x9E3779B97F4A7C15u ^ len) * 0xD6E8FEB86659FD93u;
    return &node->near[h >> 32 & (DG_NEAR_SLOTS - 1)];
}

/* The key at `name` if the cache has it, for nodes whose members come in any order. Where the name
 * ends is known without it, so that nobody waits for it. */
static inline dg_key *dg_near_key(dg_node *node, dg_guess *guess, const char *name,
                                  const char **ret_after)
{
    dg_key **slots = dg_near_slots(node, name, ret_after);
    for (unsigned i = 0; slots && i < DG_NEAR_PROBES; i++)
        if (dg_names(slots[i], name)) {
            node->strays += slots[i] != guess->key;
            return guess->key = slots[i];
        }
    return NULL;
}

/* The key at `name`, which is not the quick one that was guessed: one that is not quick, the other
 * one, one that follows them, for members are often left out, or one from the cache. NULL if it
 * takes a closer look. */
dg_key *dg_other_key(dg_node *node, dg_guess *guess, const char *name);

bool dg_has_bit(const dg_frame *f, uint32_t bit);
/* True if it was claimed already. */
bool dg_claim_bit(dg_frame *f, uint32_t bit);

/* A known name, at p, has come twice, if it does not lie beyond the end. */
const char *dg_refuse_quick(dg_run_state *r, const dg_key *key, const char *p);
/* A member that is not quick, or not known: key is NULL then. Learns. */
const char *dg_run_slow(dg_run_state *r, dg_frame *f, dg_key *key, dg_guess **guess, dg_place *m);
/* Constants, the white space before the brace, and the brace at p. */
const char *dg_close_object(dg_run_state *r, dg_frame *f, const char *p);

/* A member whose value a stream enters before its end has come. */
typedef struct dg_entry {
    dg_place place;
    dg_key *key, spare;
    dg_node *child; /* NULL: the member goes */
    bool later;     /* dg_entry_close has to be called, with the key, when the value has ended */
} dg_entry;
/* Looks at the member at `name`; nothing is written. False: it is not to be entered, or it takes a
 * closer look to say what is wrong. */
bool dg_entry_find(dg_run_state *r, dg_frame *f, const char *name, dg_entry *ret_entry);
/* Writes the name, behind its separator. NULL: refused. */
const char *dg_entry_open(dg_run_state *r, dg_frame *f, dg_entry *entry);
/* NULL: refused, at `at`. */
const char *dg_entry_close(dg_run_state *r, dg_frame *f, const dg_key *key, const char *at);

#endif
