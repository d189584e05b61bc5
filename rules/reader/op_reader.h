/* Reading op lists: what the readers of the single ops share.
 *
 * An op is a row of DG_OP_FORM_TABLE and a function: it is given the operand, and adds to
 * reading->out what transforms/op.h knows, by the comforts of the language: dotted paths become IN
 * and EACH, `set` becomes DROP and ADD, `everywhere` a lens that names itself. Readers report every
 * mistake and go on; they return false after one. Private to rules/. */
#ifndef DG_RULES_OP_READER_H
#define DG_RULES_OP_READER_H

#include "rules/reader/pack.h"

enum { DG_OP_ENTRIES_MAX = 512 /* of one rename, move or copy */ };

/* What may stand beside an op in its item, over and above `at` and `down`. */
enum {
    DG_MAY_LOSE = 1,    /* lossy: accept */
    DG_MAY_RESTORE = 2, /* restore: VALUE */
    DG_MAY_DEPEND = 4,  /* when: absent, null or empty */
    DG_MAY_COLLIDE = 8, /* collision: reject, newer or older */
    DG_MAY_BRANCH = 16  /* do, else, newer */
};

/*    word             kind      reader                 policies */
/* clang-format off */
#define DG_OP_FORM_TABLE(X)                                                                        \
    X("rename",        RENAME,   dg_read_rename,        DG_MAY_COLLIDE)                            \
    X("move",          MOVE,     dg_read_move,          DG_MAY_COLLIDE)                            \
    X("copy",          COPY,     dg_read_move,          DG_MAY_COLLIDE)                            \
    X("case",          CASE,     dg_read_case,          DG_MAY_COLLIDE)                            \
    X("add",           ADD,      dg_read_add,           0)                                         \
    X("default",       DEFAULT,  dg_read_add,           DG_MAY_DEPEND)                             \
    X("set",           ADD,      dg_read_set,           DG_MAY_LOSE | DG_MAY_RESTORE)              \
    X("drop",          DROP,     dg_read_drop,          DG_MAY_LOSE | DG_MAY_RESTORE | DG_MAY_DEPEND) \
    X("keep",          KEEP,     dg_read_keep,          DG_MAY_LOSE)                               \
    X("wrap",          WRAP,     dg_read_wrap,          0)                                         \
    X("unwrap",        UNWRAP,   dg_read_wrap,          DG_MAY_LOSE)                               \
    X("template",      TEMPLATE, dg_read_template,      0)                                         \
    X("values",        VALUES,   dg_read_values,        DG_MAY_LOSE)                               \
    X("cast",          CAST,     dg_read_cast,          0)                                         \
    X("time",          TIME,     dg_read_time,          DG_MAY_LOSE)                               \
    X("replace",       REPLACE,  dg_read_replace,       DG_MAY_LOSE)                               \
    X("null_to_empty", SWITCH,   dg_read_nulls,         0)                                         \
    X("empty_to_null", SWITCH,   dg_read_nulls,         0)                                         \
    X("parse",         PARSE,    dg_read_parse,         0)                                         \
    X("print",         PRINT,    dg_read_places,        0)                                         \
    X("split",         SPLIT,    dg_read_split,         DG_MAY_LOSE)                               \
    X("join",          JOIN,     dg_read_split,         0)                                         \
    X("first",         FIRST,    dg_read_places,        DG_MAY_LOSE)                               \
    X("list",          LIST,     dg_read_places,        0)                                         \
    X("list_to_map",   MAP,      dg_read_list_to_map,   DG_MAY_LOSE)                               \
    X("map_to_list",   ITEMS,    dg_read_list_to_map,   DG_MAY_LOSE)                               \
    X("filter",        FILTER,   dg_read_filter,        DG_MAY_LOSE)                               \
    X("sort",          SORT,     dg_read_sort,          DG_MAY_LOSE)                               \
    X("sum",           SUM,      dg_read_sum,           0)                                         \
    X("count",         COUNT,    dg_read_sum,           0)                                         \
    X("sort_signs",    SIGNS,    dg_read_sort_signs,    0)                                         \
    X("sort_orders",   UNSIGN,   dg_read_sort_signs,    0)                                         \
    X("in",            IN,       dg_read_in,            0)                                         \
    X("each",          EACH,     dg_read_each,          0)                                         \
    X("members",       MEMBERS,  dg_read_each,          0)                                         \
    X("everywhere",    LENS,     dg_read_everywhere,    0)                                         \
    X("lens",          LENS,     dg_read_lens,          0)                                         \
    X("switch",        SWITCH,   dg_read_switch,        0)                               \
    X("if",            SWITCH,   dg_read_if,            DG_MAY_BRANCH)               \
    X("refuse",        REFUSE,   dg_read_refuse,        0)                         \
    X("up",            BOTH,     dg_read_up,            0)
/* clang-format on */

typedef struct dg_op_list {
    dg_op *items;
    size_t count, cap;
} dg_op_list;

/* A dotted path: member names, and for each element a slice whose ptr is NULL. */
typedef struct dg_steps {
    dg_slice at[DG_OP_PATH_MAX];
    size_t count; /* 0 = the value itself, written "." */
} dg_steps;

typedef enum dg_when { DG_WHEN_UNSAID, DG_WHEN_ABSENT, DG_WHEN_NULL, DG_WHEN_EMPTY } dg_when;

/* One item of an op list while it is read. */
typedef struct dg_reading {
    const dg_ops_reader *reader;
    dg_op_list *out;
    dg_op op; /* kind, word, origin and policies: what each op begins as */
    dg_when when;
    const dg_node *item;
} dg_reading;

#define DG_OP_READER_DECLARE(word, kind, read, policies)                                           \
    bool read(dg_reading *c, const dg_node *operand);
DG_OP_FORM_TABLE(DG_OP_READER_DECLARE)
#undef DG_OP_READER_DECLARE

/* At a path that is empty (null, "", [], {}), the value becomes this JSON text. */
bool dg_push_empty_becomes(const dg_reading *c, const dg_steps *at, dg_slice json);

/* Adds an error; false. */
bool dg_op_fail(const dg_reading *c, dg_origin origin, const char *message);
/* False after an error when a map or list says nothing. */
bool dg_op_not_empty(const dg_reading *c, const dg_node *node);
/* The node as JSON text in the arena, or its key. */
bool dg_json_of(const dg_reading *c, const dg_node *node, dg_slice *ret_json);
bool dg_key_json_of(const dg_reading *c, const dg_node *node, dg_slice *ret_json);
/* In the arena; NULL out of memory. */
const dg_ops *dg_ops_box(const dg_reading *c, dg_op_list list);
/* A list of one op. */
const dg_ops *dg_ops_of(const dg_reading *c, dg_op op);

/* op_path.c */
bool dg_steps_parse(const dg_reading *c, dg_slice text, dg_origin origin, dg_steps *ret_steps);
bool dg_steps_read(const dg_reading *c, const dg_node *node, dg_steps *ret_steps);
/* Ends with a name. */
bool dg_steps_of_member(const dg_reading *c, dg_slice text, dg_origin origin, dg_steps *ret_steps);
/* A single name. */
bool dg_name_read(const dg_reading *c, const dg_node *node, dg_slice *ret_name);
/* The `at` of an operand, or the value itself when it has none. */
bool dg_at_read(const dg_reading *c, const dg_node *operand, dg_steps *ret_steps);
/* From the step `first` on, in the arena. */
dg_path dg_path_of(const dg_reading *c, const dg_steps *steps, size_t first);
static inline bool dg_step_is_each(dg_slice step)
{
    return step.ptr == NULL;
}

bool dg_op_push(const dg_reading *c, dg_op_list *list, dg_op op);
/* Adds `inner` to `out` inside the first `count` steps. With `make`, objects that are missing on
 * the way are made, but none inside a list. */
bool dg_push_inside(const dg_reading *c, const dg_steps *steps, size_t count, bool make,
                    dg_op_list inner, dg_op_list *out);
bool dg_push_at(const dg_reading *c, const dg_steps *steps, size_t count, bool make, dg_op op);
/* c->op at the `at` of its operand. */
bool dg_push_there(const dg_reading *c, const dg_node *operand);

/* op_policies.c: what stands beside the op. */
bool dg_read_policies(dg_reading *c, unsigned policies);
/* unknown: reject, pass, and {default: VALUE} where the op has it. */
bool dg_read_unknown(dg_reading *c, const dg_node *operand, bool has_default);

/* op_tests.c: a condition, in the arena; NULL after an error. */
const dg_test *dg_test_boxed(const dg_reading *c, const dg_node *node);

#endif
