/* The lexicon: what a runner knows about one program. It grows as messages teach it, within bounds.
 *
 * A node is a sequence of items (ops, one after the other) pending on one input value. It is built
 * once per sequence (symbol.c): what the sequence wraps around the value becomes a prefix and a
 * suffix, what it does to the value itself stays as the list of local items. What an object's local
 * items do to a member is simulated once per member name (learn.c) and kept as a key. Beyond the
 * bounds, keys are simulated each time. A lexicon belongs to one runner and so to one thread.
 * Internal to the room. */
#ifndef DG_TRANSFORMS_LEXICON_H
#define DG_TRANSFORMS_LEXICON_H

#include "transforms/program.h"
#include "transforms/text/scan.h"
#include "transforms/pass/scratch.h"

enum {
    DG_NODES_MAX = 2048,    /* nodes a lexicon */
    DG_SEQUENCE_MAX = 4096, /* items pending on a value */
    DG_LEXICON_ITEMS_MAX = 1 << 18,
    DG_LEXICON_KEYS_MAX = 8192,
    DG_NODE_KEYS_MAX = 1024,
    DG_NODE_CONSTANTS_MAX = 512, /* ADD and DEFAULT in one node */
    DG_NODE_FORKS_MAX = 64,
    DG_NAME_BYTES_MAX = 256, /* longer names are not learned */
    DG_BITS_MAX = DG_NODE_CONSTANTS_MAX + DG_NODE_KEYS_MAX,
    DG_EXPANSION_MAX = 1 << 16, /* steps of building one node */
    DG_EVALUATION_DEPTH_MAX = 16,
    DG_TOKEN_BLOCK = 32,
    DG_NEAR_SLOTS = 256, /* a power of two */
    DG_NEAR_PROBES = 4,
    DG_NEVER = 0x7FFFFFFF
};

/* An op, or (tagged in the low bits) what an op of the parent object asks of its member's value. */
typedef uintptr_t dg_item;
enum {
    DG_ITEM_OP = 0,
    DG_ITEM_IF_EMPTY = 1,    /* {} is void */
    DG_ITEM_IF_NULL = 2,     /* null becomes the op's value */
    DG_ITEM_IF_NULL_VOID = 3 /* null is void */
};

static inline dg_item dg_item_of(const dg_op *op, unsigned tag)
{
    return (uintptr_t)op | tag;
}
static inline const dg_op *dg_item_op(dg_item item)
{
    return (const dg_op *)(item & ~(uintptr_t)3);
}
static inline unsigned dg_item_tag(dg_item item)
{
    return (unsigned)(item & 3);
}
/* Whether it may let the value go. */
static inline bool dg_item_voids(dg_item item)
{
    return dg_item_tag(item) == DG_ITEM_IF_EMPTY || dg_item_tag(item) == DG_ITEM_IF_NULL_VOID;
}

/* Ops that need their value whole (op.h). */
static inline bool dg_op_is_whole(const dg_op *op)
{
    if (op->kind == DG_OP_CASE || op->kind == DG_OP_RENAME)
        return op->collision != DG_COLLISION_REJECT;
    return dg_op_class_of(op->kind) == DG_OP_IS_WHOLE;
}
static inline bool dg_item_is_whole(dg_item item)
{
    return dg_item_tag(item) == DG_ITEM_OP && dg_op_is_whole(dg_item_op(item));
}
/* Ops that are nothing but a list. */
static inline bool dg_op_is_list(const dg_op *op)
{
    return op->kind == DG_OP_LENS || op->kind == DG_OP_BOTH;
}
/* Ops that make a scalar of a scalar. */
static inline bool dg_op_is_scalar(const dg_op *op)
{
    return op->kind == DG_OP_VALUES || dg_op_class_of(op->kind) == DG_OP_IS_SCALAR;
}
/* Whether such an op replaces objects and arrays by a value of its own, or refuses them. */
static inline bool dg_op_settles(const dg_op *op)
{
    return op->kind != DG_OP_REPLACE && op->unknown != DG_UNKNOWN_PASS;
}
/* Why it refuses them. */
static inline const char *dg_op_expects(const dg_op *op)
{
    return op->kind == DG_OP_VALUES ? "a value that the table does not know"
                                    : "expected a scalar, found an object or an array";
}

/* A growing list of items; `status` is sticky. `notes` runs beside it: what the list's user needs
 * to know. */
typedef struct dg_items {
    dg_item *at;
    int32_t *notes;
    uint32_t count, cap;
    dg_status status;
} dg_items;
void dg_items_add(dg_items *items, dg_item item, int32_t note);
void dg_items_free(dg_items *items);

/* What a sequence makes of a value that is known: text, nothing (an IF_EMPTY item let it go), or a
 * refusal. */
typedef enum dg_result_kind {
    DG_RESULT_UNKNOWN,
    DG_RESULT_BUSY, /* being worked out: asking again means that it contains itself */
    DG_RESULT_TEXT,
    DG_RESULT_VOID,
    DG_RESULT_REFUSED
} dg_result_kind;

typedef struct dg_result {
    dg_result_kind kind;
    int32_t void_at; /* VOID: the index in the sequence of the item that let it go */
    dg_slice text;   /* followed by DG_JSON_PADDING bytes */
    const char *message;
    const dg_op *op;
} dg_result;

typedef struct dg_node dg_node;
typedef struct dg_key dg_key;

/* The key that came next last time, and another that did before; dg_lexicon.none if none did. */
typedef struct dg_guess {
    dg_key *key, *other;
} dg_guess;

/* What a local list does to one member name. */
struct dg_key {
    uint8_t match[DG_TOKEN_BLOCK + 1]; /* `,"key":` as it comes; the comma is none if it is not quick, and the
                                      quote is none if it is longer than the block */
    uint8_t emit[DG_TOKEN_BLOCK + 1]; /* `,"key":` as it leaves */
    uint32_t match_mask;           /* which bytes of a block to compare */
    uint16_t match_len, emit_len;  /* with comma, quotes and colon; match_len 0: longer than the block */
    uint64_t claim;                /* the bit of its output name; with DG_BITS_OTHER if that is not among
                                      the first, if it drops, if it leaves longer than it came,
                                      or if scalars do not stay as they are */
    bool quick;                    /* plain, and both tokens fit a block */
    bool drops;                    /* it goes with its value, and that is all; follows a comma only */
    bool direct;                   /* its child is */
    bool plain;                    /* kept, with nothing but a child, a token and a bit */
    bool selected;                 /* the member that UNWRAP takes */
    bool learned;
    int32_t bit; /* of its output name, or -1 if that is not interned */
    dg_node *child;
    dg_node *node;       /* whose key it is */
    dg_guess next;       /* what followed it */
    dg_guess first;      /* what came first in its value, or in the value's elements */
    dg_slice raw, token; /* the name's content as it comes; `"key":` as it leaves */
    uint64_t hash, name_hash;
    int32_t death;        /* the index of the local item that drops it, or DG_NEVER */
    int32_t collision;    /* of the ADD that it collides with, or DG_NEVER */
    uint32_t child_own;   /* items of the child's sequence that come from here, not from `rest` */
    dg_items child_items; /* notes: the local index that each came from */
    uint32_t *marks;      /* constants that need not be added any more, ascending */
    uint32_t mark_count;
    bool has_voids; /* the child's sequence holds IF_EMPTY */
    dg_slice name;  /* decoded, as it leaves; valid while being learned only */
};

/* An ADD or DEFAULT of the local list. */
typedef struct dg_constant {
    const dg_op *op;
    uint32_t at; /* its index in the local list */
    dg_key *key; /* what the rest of the list does to it */
    dg_result value;
} dg_constant;

typedef struct dg_interned {
    struct dg_interned *next;
    dg_slice name;
    uint64_t hash;
    int32_t bit;
} dg_interned;

/* A value table, decoded and hashed. */
typedef struct dg_table {
    struct dg_table *next;
    const dg_op *op;
    dg_slice *from; /* canonical scalars, see learn.c */
    uint32_t *slots;
    uint32_t mask;
    bool escapes; /* a backslash is in one of them */
} dg_table;

typedef enum dg_node_mode {
    DG_NODE_BUILDING,
    DG_NODE_COPY,     /* nothing pending */
    DG_NODE_CONSTANT, /* the value is validated and replaced by `result` */
    DG_NODE_STREAM,
    DG_NODE_STAGED /* local items that need the value whole: `stages` */
} dg_node_mode;

/* How a staged node is run: `before` writes the value, the ops are applied to what it wrote, and `after`, or
 * the node of the case that `choice` picks, reads the outcome. Built when met. */
typedef struct dg_stages {
    dg_node *before, *after;
    const dg_op **ops;
    uint32_t op_count;
    const dg_op *choice; /* the SWITCH that follows the ops, or NULL */
    dg_node **cases;     /* of `choice`; with none of them it is `after` */
    dg_items rest;       /* what follows the ops; notes as those of dg_node.local */
} dg_stages;

struct dg_node {
    dg_node_mode mode;
    dg_node *next; /* in its hash bucket */
    uint64_t hash;
    const dg_item *items; /* the sequence */
    uint32_t item_count;

    dg_result result;
    dg_slice prefix, suffix;
    /* Local items; notes: for IF_EMPTY what happens then: >= 0 the value is void, by that index of
     * the sequence; < 0 fork -1 - note takes the place of the whole node. */
    dg_items local;
    const dg_op
        *select; /* UNWRAP: local items are followed by it, and by `rest` on the member's value */
    dg_items rest;
    dg_result *forks;
    uint32_t fork_count;
    dg_stages *stages; /* STAGED */

    bool scalars;      /* local items that look at scalars */
    bool voids;        /* local items that look whether the object is empty */
    /* The first local item that settles objects, and arrays, whatever is in them: an op on scalars that does
     * not let them pass, or an op for the other kind. DG_NEVER = none. */
    int32_t override_object, override_array;
    dg_result *tails;  /* one per local item: what follows it makes of its op's value */
    dg_table **tables; /* one per local item, for VALUES */

    dg_constant *constants;
    uint32_t constant_count;
    dg_node *element; /* of an array; built when met */

    bool direct;         /* objects are run as they are, with nothing around them or after them */
    bool direct_array;   /* the same of arrays */
    bool passes_scalars; /* they are copied as they are, with nothing around them */

    dg_guess first;              /* what came first, where no key knows better */
    unsigned strays;             /* how often, of late, the key that followed was another */
    bool plain_end;              /* nothing but members is in its objects */
    /* A cache before the slots, by a hash that anybody can guess; a key is in one of a few slots. */
    dg_key *near[DG_NEAR_SLOTS + DG_NEAR_PROBES - 1];
    dg_key **slots;
    uint32_t slot_mask, key_count;
    dg_interned **names;
    uint32_t bit_count;
};

/* dg_key.claim: the first bits as they are; the one behind them is always claimed, so that whatever
 * takes more than a look at a bit is met on the same way as a name that comes twice. */
enum { DG_FIRST_BITS = 63 };
#define DG_BITS_OTHER ((uint64_t)1 << DG_FIRST_BITS)

/* More strays than this: keys are looked up rather than guessed. */
enum { DG_STRAYS_MANY = 32, DG_STRAYS_MAX = 64 };
enum { DG_NODE_BUCKETS = 256, DG_NAME_BUCKETS = 256 };

typedef struct dg_lexicon {
    dg_arena arena;
    uint64_t seed;
    uint64_t program_id;
    const dg_program *program;
    dg_node *buckets[DG_NODE_BUCKETS];
    dg_node *root, *copy;
    dg_key none; /* matches nothing, and is followed by itself */
    dg_table *tables;
    uint32_t node_count, key_count, item_count;
    unsigned evaluations; /* nested */
    bool full;            /* a bound was met */
    bool broken;          /* a node is half built: to be reset before the next run */
    uint32_t runs;        /* since it was empty */
    /* Why the last call failed. */
    dg_status status;
    const char *message;
    const dg_op *op;
    /* Scratch of learn.c */
    dg_buf name, other, token;
    dg_buf scalar, next_scalar; /* of value.c: what a SCALAR op made, and what the next one makes of it */
    dg_scratch *scratch;        /* of staged nodes; whoever owns the lexicon lends it */
    dg_items child;
    uint32_t *marks;
    uint32_t mark_cap;
} dg_lexicon;

struct dg_program {
    uint64_t id; /* no two programs of a process share one */
    dg_item *items;
    uint32_t item_count;
    bool identity;
    bool streams;
    bool strict; /* the options ask for more than the pass does */
    dg_program_options options;
};

/* `scratch` must outlive it. */
void dg_lexicon_init(dg_lexicon *lex, const dg_program *program, dg_scratch *scratch);
void dg_lexicon_free(dg_lexicon *lex);
/* Forgets everything. */
void dg_lexicon_reset(dg_lexicon *lex);

/* The node of a sequence, built if it is new. NULL: lex->status says why. */
dg_node *dg_lexicon_node(dg_lexicon *lex, const dg_item *items, uint32_t count);
/* Builds `node` from its sequence; with fork >= 0, as if the value were not there from that fork
 * on. */
dg_status dg_symbol_build(dg_lexicon *lex, dg_node *node, int32_t fork, dg_result *ret_fork);
/* Fills in what a run should not have to look for among the local items; survey.c. */
dg_status dg_node_survey(dg_lexicon *lex, dg_node *node);
/* Cuts `items` before the first that needs the value whole, at `cut`: `node` is staged then. */
dg_status dg_node_cut(dg_lexicon *lex, dg_node *node, const dg_items *items, uint32_t cut);
/* A copy in the lexicon's arena; false out of memory. */
bool dg_items_keep(dg_lexicon *lex, const dg_items *from, dg_items *to);

/* What the local list does to the name whose string content is `raw` (hash: dg_hash of it).
 * Learned, if there is room; else written to `spare`, whose pointers are valid until the next call.
 * NULL: lex->status. */
dg_key *dg_lexicon_key(dg_lexicon *lex, dg_node *node, dg_slice raw, uint64_t hash, dg_key *spare);
/* The same for a name that is not learned whatever there is room for. */
dg_status dg_lexicon_simulate(dg_lexicon *lex, dg_node *node, dg_slice raw, dg_key *spare);
/* What local items from `from` on do to the decoded name of a constant; learned. */
dg_key *dg_lexicon_constant_key(dg_lexicon *lex, dg_node *node, dg_slice name, uint32_t from);
/* The child that a key leads to. */
dg_node *dg_lexicon_child(dg_lexicon *lex, dg_key *key);
dg_node *dg_lexicon_element(dg_lexicon *lex, dg_node *node);
/* The parts of a staged node; `at` is a case of its choice, or case_count. */
dg_node *dg_lexicon_before(dg_lexicon *lex, dg_node *node);
dg_node *dg_lexicon_after(dg_lexicon *lex, dg_node *node, size_t at);

/* Whether what the node does to a value is nothing but what it puts around it. */
bool dg_node_copies(const dg_node *node);
/* Whether it can begin on a value that begins with `c` before its end is known: nothing that comes
 * later in it makes it go, or be another (spine.h). */
bool dg_node_enters(const dg_node *node, char c);

/* The pair that a scalar's text matches, its number; pair_count if none; UINT32_MAX out of memory.
 */
uint32_t dg_lexicon_lookup(dg_lexicon *lex, dg_node *node, uint32_t at, dg_slice text);

/* What a sequence makes of `text`; run.c. */
dg_status dg_evaluate(dg_lexicon *lex, const dg_item *items, uint32_t count, dg_slice text,
                      dg_result *ret_result);
/* Worked out once each. A refusal is DG_OK with DG_RESULT_REFUSED. */
dg_status dg_constant_value(dg_lexicon *lex, dg_constant *constant);
dg_status dg_node_tail(dg_lexicon *lex, dg_node *node, uint32_t at, const dg_result **ret_result);
dg_status dg_node_fork(dg_lexicon *lex, dg_node *node, uint32_t fork, const dg_result **ret_result);

#endif
