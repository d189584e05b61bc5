/* Operations: what a pack says about a JSON value, as data.
 *
 * The one list of operations is DG_OP_TABLE. An op list is applied to one value, from first to last. Every
 * op is local: it looks at the value itself or at one member of it by name, so that a whole chain of lists
 * can be compiled into a single pass over the bytes (program.h). Longer paths, lens names and other comforts
 * of the pack language are resolved by rules/ before they come here: `add: {meta.version: v2}` arrives as
 * DEFAULT meta {} and IN meta [ADD version].
 *
 * Op lists are built in an arena by one thread and are immutable afterwards; any thread may read them. They
 * must outlive the programs compiled from them, and so must the arena. A list may refer to itself through
 * DG_OP_LENS (recursion by schema).
 *
 * Scalars have no members and no elements: an op that looks for some leaves them as they are (`customer` may be
 * null, or an id). An array where an op needs an object, and an object where EACH needs an array, is not the shape
 * that the pack describes: the run fails, rather than pass it in the wrong version. UNWRAP needs an object. */
#ifndef DG_TRANSFORMS_OP_H
#define DG_TRANSFORMS_OP_H

#include "base/arena.h"
#include "base/diag.h"

/*   kind     word in packs  what it does to the value                                inverse           */
#define DG_OP_TABLE(X)                                                                               \
    X(CASE, "case")       /* converts every member name, recursively                  CASE turned     */ \
    X(RENAME, "rename")   /* member `name` becomes `to`, at its place                 RENAME turned   */ \
    X(DROP, "drop")       /* member `name` goes                                       ADD `value`, if */ \
                          /*                                                          a restore value */ \
    X(ADD, "add")         /* member `name` with `value`, at the end; if it is there   DROP            */ \
                          /* already: a collision, rejected                                           */ \
    X(DEFAULT, "default") /* as ADD if absent (or null, by `when_null`); else nothing none            */ \
    X(WRAP, "wrap")       /* value becomes {"name": value}                            UNWRAP          */ \
    X(UNWRAP, "unwrap")   /* object becomes the value of its member `name`, others go WRAP            */ \
    X(VALUES, "values")   /* a scalar is looked up in a table                         the table turned*/ \
    X(IN, "in")           /* applies `body` to member `name`, if there                IN inverse body */ \
    X(EACH, "each")       /* applies `body` to each element of an array               EACH inverse    */ \
    X(LENS, "lens")       /* applies `body`, a named list that others share           LENS inverse    */

typedef enum dg_op_kind {
#define DG_OP_ENUM(kind, word) DG_OP_##kind,
    DG_OP_TABLE(DG_OP_ENUM)
#undef DG_OP_ENUM
} dg_op_kind;

/* The word of the op in a pack; static. */
const char *dg_op_word(dg_op_kind kind);

/* How member names are written. One algorithm, ASCII only, the first character never changes:
 * camel -> snake: each upper-case letter X becomes _x.   orderID -> order_i_d
 * snake -> camel: each _x, x a lower-case letter, becomes X.   order_i_d -> orderID, address_1 stays */
typedef enum dg_naming { DG_CAMEL, DG_SNAKE } dg_naming;

/* What VALUES does with a scalar that its table does not know. Objects and arrays are unknown too. */
typedef enum dg_unknown { DG_UNKNOWN_REJECT, DG_UNKNOWN_PASS, DG_UNKNOWN_DEFAULT } dg_unknown;

typedef struct dg_op dg_op;

typedef struct dg_ops {
    const dg_op *items;
    size_t count;
} dg_ops;

/* A row of a value table: two JSON scalars as compact text ("\"active\"", "1", "true", "null"). Strings are
 * compared decoded, numbers as text. */
typedef struct dg_value_pair {
    dg_slice from, to;
} dg_value_pair;

struct dg_op {
    dg_op_kind kind;
    dg_origin origin;     /* where the pack says it: for explain and for errors */
    dg_slice name;        /* RENAME, DROP, ADD, DEFAULT, WRAP, UNWRAP, IN: a member name, decoded UTF-8 */
    dg_slice to;          /* RENAME: the new name */
    dg_slice value;       /* ADD, DEFAULT: JSON text. DROP: what the inverse restores, or empty.
                             VALUES: the value for DG_UNKNOWN_DEFAULT */
    const dg_ops *body;   /* IN, EACH, LENS */
    const char *lens;     /* LENS: its name, for messages */
    dg_naming case_from, case_to; /* CASE */
    const dg_slice *except;       /* CASE: names left alone, with all that is below them, in the spelling */
    size_t except_count;          /*   that comes in; both spellings are listed by the loader */
    const dg_value_pair *pairs;   /* VALUES */
    size_t pair_count;
    dg_unknown unknown;           /* VALUES */
    bool when_null;  /* DEFAULT: null counts as absent */
    bool if_empty;   /* DEFAULT: {}, made for what comes into it. DROP, its inverse: only when its value
                        came out as {} */
    bool lossy;      /* the pack accepts that the inverse loses */
};

/* The way back: what undoes `up`, in reverse order. Where an op would lose or invent information and the
 * pack names no policy, adds an error at the op's origin that says what is lost and which policies would
 * settle it (`restore: VALUE`, `lossy: accept`, ...), and goes on to find the others. DG_INVALID then.
 * Recursive lenses are inverted once each. *ret_down lives in `arena`. */
DG_MUST_USE dg_status dg_ops_inverse(dg_arena *arena, const dg_ops *up, dg_diags *diags, dg_ops *ret_down);

#endif
