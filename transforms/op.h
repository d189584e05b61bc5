/* Operations: what a pack says about a JSON value, as data.
 *
 * The one list of operations is DG_OP_TABLE. An op list is applied to one value, from first to last. There are
 * three classes. LOCAL ops look at the value itself or at one member of it by name; SCALAR ops make a scalar of
 * a scalar (scalar.h): a whole chain of lists of both compiles into a single pass over the bytes (program.h).
 * WHOLE ops need their value whole, and run on a tape of it (whole.h), when the pass has written it; what is
 * around that value stays in the pass.
 *
 * Comforts of the pack language are resolved by rules/ before they come here: `add: {meta.version: v2}` arrives
 * as DEFAULT meta {} and IN meta [ADD version].
 *
 * Op lists are built in an arena by one thread and are immutable afterwards; any thread may read them. They
 * must outlive the programs compiled from them, and so must the arena. A list may refer to itself through
 * DG_OP_LENS (recursion by schema).
 *
 * Scalars have no members and no elements: a LOCAL op that looks for some leaves them as they are (`customer` may
 * be null, or an id). An array where an op needs an object, and an object where an op needs an array, is not the
 * shape that the pack describes: the run fails, rather than pass it in the wrong version. UNWRAP needs an object.
 * WHOLE ops leave null as it is, but for TEMPLATE, SWITCH and LIST. */
#ifndef DG_TRANSFORMS_OP_H
#define DG_TRANSFORMS_OP_H

#include "base/arena.h"
#include "base/diag.h"

/* What WHOLE ops do where the table is too short to say it:
 * - They are strict about shapes: MAP, FILTER, FIRST, SORT and JOIN want an array, ITEMS an object, SPLIT a string.
 *   The others want an object, refuse an array, and leave scalars as they are. Two members of one name in an
 *   object that an op looks into by name are refused.
 * - What is untouched keeps its bytes; what moves keeps its own text and comes to the end of its object; what is
 *   made has no white space.
 * - MOVE: from the places that the moved value leaves, objects that are empty by that go, too; others stay.
 * - MAP: a key must be there, a string, and no other item's. With `to`, other members of an item are refused,
 *   unless lossy. ITEMS puts the key first; a value with a member of the key's name is refused.
 * - SORT: numbers by their exact value, then strings by code point (descending: the other way round), and last, in
 *   both, elements where `path` is absent or null. Other values are refused. Equal elements stay in their order.
 * - SPLIT of "" is []. JOIN refuses elements that SPLIT would not give back, unless lossy. With `quoted` it puts
 *   them between double quotes and doubles those within, and SPLIT undoes that.
 * - SUM: exact, with as many digits behind the point as the number that has most; at most DG_DECIMAL_DIGITS_MAX
 *   digits. Of nothing it is 0. What is no number is refused, unless lossy: then it does not count.
 * - COUNT: of a path that ends with an each step, the values; else an array counts as its length, null as 0.
 * - SIGNS: fields have commas between them; without an order they ascend. Orders other than asc and desc are
 *   refused, and more of them than fields, unless lossy. Nothing happens without the member `name`.
 * - Paths of IS and the others in tests see nothing where the shape is another; a string with half a surrogate
 *   pair matches no pattern.
 *
 * SCALAR ops: CAST knows the pairs of dg_cast_is_known, and takes what would not come back as it was ("007", "FF")
 * only if lossy. TIME refuses a time that its target has no place for (a fraction, the time of a date), unless
 * lossy; then it is cut. A leap second is taken only if lossy, as :59. REPLACE leaves other values than strings
 * as they are, and a string without a match byte for byte. */
typedef enum dg_op_class { DG_OP_IS_LOCAL, DG_OP_IS_SCALAR, DG_OP_IS_WHOLE } dg_op_class;

/* kind, word in packs, class;   what it does to the value;   what undoes it */
#define DG_OP_TABLE(X)                                                                                       \
    X(CASE, "case", LOCAL)         /* converts every member name, recursively; CASE turned */                \
    X(RENAME, "rename", LOCAL)     /* member `name` becomes `to`, at its place; RENAME turned */             \
    X(DROP, "drop", LOCAL)         /* member `name` goes; DEFAULT `value`, if there is one to restore */     \
    X(ADD, "add", LOCAL)           /* member `name` with `value`, at the end; one that is there already is   \
                                      a collision, rejected; DROP */                                         \
    X(DEFAULT, "default", LOCAL)   /* as ADD if absent (or null, by `when_null`); else nothing; nothing */   \
    X(WRAP, "wrap", LOCAL)         /* value becomes {"name": value}; UNWRAP */                               \
    X(UNWRAP, "unwrap", LOCAL)     /* object becomes the value of its member `name`, others go; WRAP */      \
    X(VALUES, "values", LOCAL)     /* a scalar is looked up in a table; the table turned */                  \
    X(IN, "in", LOCAL)             /* applies `body` to member `name`, if there; IN inverse body */          \
    X(EACH, "each", LOCAL)         /* applies `body` to each element of an array; EACH inverse body */       \
    X(MEMBERS, "members", LOCAL)   /* applies `body` to the value of each member of an object, and to each   \
                                      element of an array; MEMBERS inverse body */                           \
    X(LENS, "lens", LOCAL)         /* applies `body`, a named list that others share; LENS inverse */        \
    X(BOTH, "up", LOCAL)           /* applies `body`; BOTH with `other`, the author's own way back */        \
    X(CAST, "cast", SCALAR)        /* a scalar of one kind becomes one of another; CAST turned */            \
    X(TIME, "time", SCALAR)        /* a time in one format becomes one in another; TIME turned */            \
    X(REPLACE, "replace", SCALAR)  /* in a string, what matches `pattern` becomes `with`; nothing */         \
    X(MOVE, "move", WHOLE)         /* what is at `path` goes to `target`, and empty objects on its way       \
                                      with it; MOVE turned */                                                \
    X(COPY, "copy", WHOLE)         /* what is at `path` comes to `target`, too; dropping it there */         \
    X(KEEP, "keep", WHOLE)         /* members that are not among `names` go; nothing */                      \
    X(TEMPLATE, "template", WHOLE) /* the value is made anew, of `value` and what it names; nothing */       \
    X(SWITCH, "switch", WHOLE)     /* applies the list of the first case whose test holds; SWITCH on the     \
                                      tests of the newer side */                                             \
    X(MAP, "list_to_map", WHOLE)   /* [{"name": k, ...}, ...] becomes {k: {...}, ...}; with `to`,            \
                                      [{"name": k, "to": v}, ...] becomes {k: v, ...}; ITEMS */              \
    X(ITEMS, "map_to_list", WHOLE) /* the reverse of MAP, with the same operands; MAP */                     \
    X(FILTER, "filter", WHOLE)     /* elements for which `test` does not hold go; nothing */                 \
    X(FIRST, "first", WHOLE)       /* array becomes its first element, or null; LIST */                      \
    X(LIST, "list", WHOLE)         /* value becomes [value], null becomes []; FIRST */                       \
    X(SPLIT, "split", WHOLE)       /* string becomes an array of strings; JOIN */                            \
    X(JOIN, "join", WHOLE)         /* array of strings becomes a string; SPLIT */                            \
    X(SUM, "sum", WHOLE)           /* the exact sum of the numbers at `path` comes to `target`; dropping it */ \
    X(COUNT, "count", WHOLE)       /* how many values are at `path` comes to `target`; dropping it */        \
    X(SORT, "sort", WHOLE)         /* orders an array by `path` in its elements, stably; nothing */          \
    X(SIGNS, "sort_signs", WHOLE)  /* {"name": "a,b", "to": "desc,asc"} becomes {"name": "-a,b"}; UNSIGN */  \
    X(UNSIGN, "sort_orders", WHOLE) /* the reverse; SIGNS */                                                  \
    X(PARSE, "parse", WHOLE)       /* a string of JSON text becomes that value; PRINT */                     \
    X(PRINT, "print", WHOLE)       /* a value becomes a string of its text, compact; PARSE */                \
    X(REFUSE, "refuse", WHOLE)     /* the value cannot be translated, and `with`, ended by NUL, says why; REFUSE */

typedef enum dg_op_kind {
#define DG_OP_ENUM(kind, word, class) DG_OP_##kind,
    DG_OP_TABLE(DG_OP_ENUM)
#undef DG_OP_ENUM
} dg_op_kind;

/* The word of the op in a pack; static. */
const char *dg_op_word(dg_op_kind kind);
dg_op_class dg_op_class_of(dg_op_kind kind);

/* How member names are written. One algorithm, ASCII only, the first character never changes:
 * camel -> snake: each upper-case letter X becomes _x.   orderID -> order_i_d
 * snake -> camel: each _x, x a lower-case letter, becomes X.   order_i_d -> orderID, address_1 stays */
typedef enum dg_naming { DG_CAMEL, DG_SNAKE } dg_naming;

/* What VALUES does with a scalar that its table does not know. Objects and arrays are unknown too. */
typedef enum dg_unknown { DG_UNKNOWN_REJECT, DG_UNKNOWN_PASS, DG_UNKNOWN_DEFAULT } dg_unknown;

/* Two members of one object that come out under one name, by CASE, RENAME, MOVE or COPY: refused, or one of
 * them goes: NEWER keeps the one that had the newer name already, OLDER the one that got it just now.
 * CASE and RENAME with another policy than REJECT run as WHOLE ops. */
typedef enum dg_collision { DG_COLLISION_REJECT, DG_COLLISION_NEWER, DG_COLLISION_OLDER } dg_collision;

/* What a scalar is, for CAST. DECIMAL and HEX are strings of digits, "255" and "ff"; BASE64 (RFC 4648 4, padded)
 * stands for the string of UTF-8 that it decodes to. NUMBER and DECIMAL keep the digits that came. */
#define DG_CAST_TABLE(X)                                                                                     \
    X(NUMBER, "number")                                                                                      \
    X(STRING, "string")                                                                                      \
    X(BOOLEAN, "boolean")                                                                                    \
    X(DECIMAL, "decimal")                                                                                    \
    X(HEX, "hex")                                                                                            \
    X(BASE64, "base64")

typedef enum dg_cast {
#define DG_CAST_ENUM(kind, word) DG_CAST_##kind,
    DG_CAST_TABLE(DG_CAST_ENUM)
#undef DG_CAST_ENUM
} dg_cast;

/* How a time is written. UNIX and UNIX_MS are numbers, whole ones; the others are strings; PATTERN is one of
 * %Y %m %d %e %H %M %S %f (digits of a fraction) %z (+00:00 or Z, written +00:00) %b %a (English) %% and text.
 * UTC, proleptic Gregorian, years 0 to 9999. */
typedef enum dg_time_kind {
    DG_TIME_UNIX,    /* 1767225600 */
    DG_TIME_UNIX_MS, /* 1767225600000 */
    DG_TIME_RFC3339, /* "2026-01-01T00:00:00Z"; read with any offset, written with Z and a fraction if it is not 0 */
    DG_TIME_HTTP,    /* "Thu, 01 Jan 2026 00:00:00 GMT" (RFC 9110 5.6.7) */
    DG_TIME_DATE,    /* "2026-01-01": midnight */
    DG_TIME_PATTERN
} dg_time_kind;

typedef struct dg_time_format {
    dg_time_kind kind;
    dg_slice pattern; /* PATTERN */
} dg_time_format;

/* Where something is below a value: member names, decoded; a name with a NULL pointer means each element. */
typedef struct dg_path {
    const dg_slice *steps;
    size_t count; /* 0 = the value itself */
} dg_path;

/* A question about a value, true or false. Strings are compared decoded, numbers as text, and objects member by
 * member in any order. What is absent is equal to nothing. */
typedef enum dg_test_kind {
    DG_TEST_ALWAYS,
    DG_TEST_EXISTS,  /* something is at `path` */
    DG_TEST_IS,      /* what is at `path` equals `value` */
    DG_TEST_KIND,    /* ... is of the JSON type `value`: "object", "array", "string", "number", "boolean", "null" */
    DG_TEST_EMPTY,   /* ... is null, "", [] or {}, or absent */
    DG_TEST_MATCHES, /* ... is a string in which `pattern` matches */
    DG_TEST_LESS,    /* ... is a number less than the number `value` */
    DG_TEST_ALL,     /* each of `parts` holds */
    DG_TEST_ANY,     /* one of `parts` holds */
    DG_TEST_NOT      /* the only one of `parts` does not hold */
} dg_test_kind;

typedef struct dg_test {
    dg_test_kind kind;
    dg_origin origin;
    dg_path path; /* with an each step: of any of them */
    dg_slice value;
    const struct dg_pattern *pattern;
    const struct dg_test *parts;
    size_t part_count;
} dg_test;

typedef struct dg_op dg_op;

typedef struct dg_ops {
    const dg_op *items;
    size_t count;
} dg_ops;

/* A case of SWITCH. `newer` tells on the way back, when the value is of the newer version, that this case it was;
 * NULL if the pack does not say. Turning the op makes them change places. */
typedef struct dg_switch_case {
    const dg_test *test, *newer;
    const dg_ops *body;
} dg_switch_case;

/* A row of a value table: two JSON scalars as compact text ("\"active\"", "1", "true", "null"). Strings are
 * compared decoded, numbers as text. */
typedef struct dg_value_pair {
    dg_slice from, to;
} dg_value_pair;

struct dg_op {
    dg_op_kind kind;
    const char *word;     /* what the pack calls it, where that is another word than the kind's; else NULL.
                             Static: for messages */
    dg_origin origin;     /* where the pack says it: for explain and for errors */
    dg_slice name;        /* RENAME, DROP, ADD, DEFAULT, WRAP, UNWRAP, IN: a member name, decoded UTF-8.
                             MAP, ITEMS: the member that is the key. SIGNS, UNSIGN: the member of the fields */
    dg_slice to;          /* RENAME: the new name. MAP, ITEMS: the member that is the value, or empty.
                             SIGNS, UNSIGN: the member of the orders */
    dg_slice value;       /* ADD, DEFAULT: JSON text. DROP: what the inverse restores, or empty.
                             VALUES: the value for DG_UNKNOWN_DEFAULT.
                             TEMPLATE: JSON text; in its strings "{a.b}" stands for what is at a.b of the value
                             that the op is applied to ("{}": the value itself, "{items[].x}": all of them, as an
                             array), "{{" for a brace. A string that is nothing but one of these becomes that
                             value, of whatever kind; in a longer string scalars are inserted as text. A member
                             or element whose string names something that is absent (in a longer string: or
                             null) is left out; the whole template then is null.
                             SPLIT, JOIN: the separator, decoded */
    const dg_ops *body;   /* IN, EACH, MEMBERS, LENS, BOTH */
    const dg_ops *other;  /* BOTH: the way back */
    const char *lens;     /* LENS: its name, for messages */
    dg_naming case_from, case_to; /* CASE */
    const dg_slice *names;        /* CASE: names left alone, with all that is below them, in the spelling that */
    size_t name_count;            /*   comes in; both spellings are listed by the loader. KEEP: which stay */
    const dg_value_pair *pairs;   /* VALUES */
    size_t pair_count;
    dg_unknown unknown; /* VALUES, CAST, TIME, PARSE: what becomes of another value; CAST, TIME and PARSE let null
                           pass */
    dg_cast cast_from, cast_to;           /* CAST */
    dg_time_format time_from, time_to;    /* TIME */
    const struct dg_pattern *pattern;     /* REPLACE */
    dg_slice with;                        /* REFUSE: why. REPLACE: $0 the match, $1 to $9 groups, $$ a dollar */
    dg_path path, target; /* MOVE, COPY, SUM, COUNT: from and to; SORT: by. Objects missing on the way to `target` are made;
                             `target` has no each steps, but that of COPY: it comes to each element; nor has `path`
                             of MOVE and COPY */
    const dg_test *test;  /* FILTER */
    const dg_switch_case *cases; /* SWITCH */
    size_t case_count;
    dg_collision collision; /* CASE, RENAME, MOVE, COPY, SUM, COUNT */
    bool when_null;  /* DEFAULT: null counts as absent. DROP: only a member that is null */
    bool if_empty;   /* DEFAULT: {}, made for what comes into it. DROP, its inverse: only when its value
                        came out as {} */
    bool descending; /* SORT */
    bool quoted;     /* SPLIT, JOIN: a separator between double quotes does not separate */
    bool lossy;      /* the pack accepts that the inverse loses */
    bool lenient;    /* IN: an array is left as it is */
};

/* The way back: what undoes `up`, in reverse order. Where an op would lose or invent information and the
 * pack names no policy, adds an error at the op's origin that says what is lost and which policies would
 * settle it (`restore: VALUE`, `lossy: accept`, ...), and goes on to find the others. DG_INVALID then.
 * Recursive lenses are inverted once each. *ret_down lives in `arena`. */
DG_MUST_USE dg_status dg_ops_inverse(dg_arena *arena, const dg_ops *up, dg_diags *diags, dg_ops *ret_down);

/* What a list cannot carry, though it is right: accepted by a policy, or in the nature of the op. */
typedef struct dg_loss {
    const struct dg_loss *next;
    dg_origin origin;
    bool down;           /* a newer message loses it on its way to the older version; else the reverse */
    bool accepted;       /* the pack says so: `lossy: accept` */
    const char *word;    /* of the op, as the pack has it */
    const char *path;    /* of the value that the op works on, as the list has it: "items[].price"; "." */
    const char *message;
} dg_loss;

enum { DG_LOSSES_MAX = 10000 /* of one call; what is beyond is not told */ };

/* All that these lists lose, in their order, a list that several share once; they live in `arena`. The lists are
 * such that dg_ops_inverse turns. DG_NOMEM. */
DG_MUST_USE dg_status dg_ops_losses(dg_arena *arena, const dg_ops *const *lists, size_t count,
                                    const dg_loss **ret_first);

#endif
