/* The way back: each op's inverse, in reverse order. */
#include "transforms/loss.h"

enum { LISTS_MAX = 1024, DEPTH_MAX = 128 };

typedef struct pair {
    const dg_ops *up;
    dg_ops *down;
} pair;

typedef struct inverter {
    dg_arena *arena;
    dg_diags *diags;
    pair pairs[LISTS_MAX]; /* lists inverted so far, or being inverted */
    size_t pair_count;
    unsigned depth;
    bool wrong, full; /* full: said that there are too many lists */
} inverter;

/* The list being made: room for two ops for each of the way up. */
typedef struct turned {
    dg_op *items;
    size_t count;
} turned;

static const dg_ops *invert_list(inverter *inv, const dg_ops *up);

static void fail(inverter *inv, dg_origin origin, const char *word, const char *message)
{
    inv->wrong = true;
    dg_diags_add(inv->diags, DG_ERROR, origin, "%s: %s", word, message);
}

static void push(turned *out, dg_op op)
{
    out->items[out->count++] = op;
}

static void invert_values(inverter *inv, const dg_op *up, turned *out)
{
    dg_op down = *up;
    dg_value_pair *pairs = dg_arena_alloc(inv->arena, (up->pair_count + 1) * sizeof *pairs);
    const uint32_t *first = dg_rows_first(inv->arena, up);
    size_t count = 0;
    if (!pairs || !first)
        return;
    for (size_t i = 0; i < up->pair_count; i++)
        if (first[i] == i)
            pairs[count++] = (dg_value_pair){up->pairs[i].to, up->pairs[i].from};
    down.pairs = pairs;
    down.pair_count = count;
    if (up->unknown == DG_UNKNOWN_DEFAULT) {
        down.value = (dg_slice){NULL, 0};
        down.unknown = up->lossy ? DG_UNKNOWN_PASS : DG_UNKNOWN_REJECT;
    }
    push(out, down);
}

static void invert_drop(const dg_op *up, turned *out)
{
    dg_op down = *up;
    down.kind = DG_OP_DEFAULT; /* whoever answers may send the member after all */
    down.when_null = false;
    if (up->if_empty) /* only {} was lost */
        down.value = DG_SLICE("{}");
    if (down.value.len)
        push(out, down);
}

/* Drops what came to a place, and the objects on the way to it that hold nothing else. */
static void drop_at(inverter *inv, const dg_op *up, const dg_path *path, turned *out)
{
    dg_op drop = {.kind = DG_OP_DROP, .word = dg_op_said(up), .origin = up->origin};
    dg_op list[2] = {drop, drop};
    size_t count = 1;
    list[0].name = path->steps[path->count - 1];
    for (size_t i = path->count - 1; i-- > 0;) {
        bool of_list = !path->steps[i].ptr || !path->steps[i + 1].ptr;
        dg_ops *body = dg_arena_alloc(inv->arena, sizeof *body);
        dg_op *items = dg_arena_alloc(inv->arena, count * sizeof *items);
        if (!body || !items)
            return;
        memcpy(items, list, count * sizeof *items);
        *body = (dg_ops){items, count};
        list[0] = (dg_op){.kind = DG_OP_IN, .word = drop.word, .origin = up->origin};
        if (!path->steps[i].ptr)
            list[0].kind = DG_OP_EACH;
        list[0].name = path->steps[i];
        list[0].body = body;
        list[1] = drop;
        list[1].name = path->steps[i];
        list[1].if_empty = true;
        count = of_list ? 1 : 2; /* lists stay */
    }
    for (size_t i = 0; i < count; i++)
        push(out, list[i]);
}

/* The newer name's value wins in both directions: there it had its name already, here it gets it.
 */
static dg_collision turned_collision(dg_collision collision)
{
    return collision == DG_COLLISION_NEWER   ? DG_COLLISION_OLDER
           : collision == DG_COLLISION_OLDER ? DG_COLLISION_NEWER
                                             : DG_COLLISION_REJECT;
}

/* Whether an op of the list may change what is below the member `name`, or what that is called. */
static bool touches(const dg_ops *list, dg_slice name)
{
    for (size_t i = 0; list && i < list->count; i++) {
        const dg_op *op = &list->items[i];
        switch (op->kind) {
        case DG_OP_RENAME:
            if (dg_slice_eq(op->to, name))
                return true;
            break;
        case DG_OP_DROP:
        case DG_OP_ADD:
        case DG_OP_DEFAULT:
        case DG_OP_IN:
            break;
        case DG_OP_REFUSE:
            continue;
        case DG_OP_MOVE:
        case DG_OP_COPY:
        case DG_OP_SUM:
        case DG_OP_COUNT: /* the others leave what they read */
            if (dg_slice_eq(op->target.steps[0], name) ||
                (op->kind == DG_OP_MOVE && dg_slice_eq(op->path.steps[0], name)))
                return true;
            continue;
        default:
            return true;
        }
        if (dg_slice_eq(op->name, name))
            return true;
    }
    return false;
}

/* Whether the list only refuses. */
static bool changes_nothing(const dg_ops *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        if (list->items[i].kind != DG_OP_REFUSE)
            return false;
    return true;
}

/* Whether no case changes what the test asks for, so that it tells on the way back, too. */
static bool holds_after(const dg_op *op, const dg_test *test)
{
    bool asks = test->kind != DG_TEST_ALWAYS && test->part_count == 0;
    bool named = test->path.count && test->path.steps[0].ptr;
    for (size_t i = 0; asks && i < op->case_count; i++)
        if (named ? touches(op->cases[i].body, test->path.steps[0]) : !changes_nothing(op->cases[i].body))
            return false;
    for (size_t i = 0; i < test->part_count; i++)
        if (!holds_after(op, &test->parts[i]))
            return false;
    return true;
}

static void invert_switch(inverter *inv, const dg_op *up, turned *out)
{
    dg_op down = *up;
    dg_switch_case *cases = dg_arena_alloc(inv->arena, (up->case_count + 1) * sizeof *cases);
    if (!cases)
        return;
    for (size_t i = 0; i < up->case_count; i++) {
        const dg_switch_case *c = &up->cases[i];
        const dg_test *newer = c->newer;
        DG_ASSERT(c->test);
        if (!newer && holds_after(up, c->test))
            newer = c->test;
        if (!newer)
            fail(
                inv, c->test->origin, dg_op_said(up),
                "which case it was is not known on the way back, for the ops change what is asked; "
                "say what holds for the newer value with `newer: CONDITION`, or write the way "
                "back with `down: OPS`");
        cases[i] = (dg_switch_case){newer, c->test, c->body ? invert_list(inv, c->body) : NULL};
    }
    down.cases = cases;
    push(out, down);
}

static void swap_formats(dg_op *op)
{
    dg_cast cast = op->cast_from;
    op->cast_from = op->cast_to;
    op->cast_to = cast;
    dg_time_format time = op->time_from;
    op->time_from = op->time_to;
    op->time_to = time;
    dg_naming naming = op->case_from;
    op->case_from = op->case_to;
    op->case_to = naming;
}

static void push_as(dg_op_kind kind, dg_op down, turned *out)
{
    down.kind = kind;
    if (kind == DG_OP_DROP) {
        down.value = (dg_slice){NULL, 0};
        down.when_null = false;
    }
    push(out, down);
}

/* Appends what undoes one op: none, one or two. */
static void invert_op(inverter *inv, const dg_op *up, turned *out)
{
    dg_op down = *up;
    switch (up->kind) {
    case DG_OP_DROP:
        invert_drop(up, out);
        return;
    case DG_OP_VALUES:
        invert_values(inv, up, out);
        return;
    case DG_OP_SWITCH:
        invert_switch(inv, up, out);
        return;
    case DG_OP_COPY:
    case DG_OP_SUM:
    case DG_OP_COUNT:
        drop_at(inv, up, &up->target, out);
        return;
    case DG_OP_CASE:
    case DG_OP_CAST:
    case DG_OP_TIME:
        swap_formats(&down);
        down.collision = turned_collision(up->collision);
        push(out, down);
        return;
    case DG_OP_RENAME:
    case DG_OP_MOVE:
        down.name = up->to;
        down.to = up->name;
        down.path = up->target;
        down.target = up->path;
        down.collision = turned_collision(up->collision);
        push(out, down);
        return;
    case DG_OP_DEFAULT:
        if (up->if_empty)
            push_as(DG_OP_DROP, down, out);
        return;
    case DG_OP_BOTH:
        down.body = up->other;
        down.other = up->body;
        push(out, down);
        return;
    case DG_OP_IN:
    case DG_OP_EACH:
    case DG_OP_MEMBERS:
    case DG_OP_LENS:
        down.body = up->body ? invert_list(inv, up->body) : NULL;
        push(out, down);
        return;
#define TURNS_INTO(kind, inverse)                                                                  \
    case DG_OP_##kind:                                                                             \
        push_as(DG_OP_##inverse, down, out);                                                       \
        return;
        TURNS_INTO(ADD, DROP)
        TURNS_INTO(WRAP, UNWRAP)
        TURNS_INTO(UNWRAP, WRAP)
        TURNS_INTO(MAP, ITEMS)
        TURNS_INTO(ITEMS, MAP)
        TURNS_INTO(FIRST, LIST)
        TURNS_INTO(LIST, FIRST)
        TURNS_INTO(SPLIT, JOIN)
        TURNS_INTO(JOIN, SPLIT)
        TURNS_INTO(SIGNS, UNSIGN)
        TURNS_INTO(UNSIGN, SIGNS)
        TURNS_INTO(PARSE, PRINT)
        TURNS_INTO(PRINT, PARSE)
#undef TURNS_INTO
    case DG_OP_REFUSE: /* what has no counterpart there has none here */
        push(out, down);
        return;
    case DG_OP_REPLACE: /* these undo nothing */
    case DG_OP_KEEP:
    case DG_OP_TEMPLATE:
    case DG_OP_FILTER:
    case DG_OP_SORT:
        return;
    }
}

static void check_loss(inverter *inv, const dg_op *up)
{
    char text[DG_LOSS_TEXT];
    const char *policies = "";
    if (up->lossy || dg_op_loss_up(inv->arena, up, text, &policies) != DG_LOSS_OPEN)
        return;
    inv->wrong = true;
    dg_diags_add(inv->diags, DG_ERROR, up->origin, "%s: %s; %s", dg_op_said(up), text, policies);
}

/* The inverse of a list, once each: a list that holds itself finds its own, still being filled.
 * NULL out of memory or bounds. */
static const dg_ops *invert_list(inverter *inv, const dg_ops *up)
{
    for (size_t i = 0; i < inv->pair_count; i++)
        if (inv->pairs[i].up == up)
            return inv->pairs[i].down;
    if (inv->pair_count == LISTS_MAX || inv->depth == DEPTH_MAX) {
        dg_origin origin = up->count ? up->items[0].origin : (dg_origin){0};
        if (!inv->full)
            dg_diags_add(inv->diags, DG_ERROR, origin,
                         "op lists in op lists (cases, each, in, lenses): more than %d in one list, "
                         "or more than %d deep",
                         (int)LISTS_MAX, (int)DEPTH_MAX);
        inv->wrong = inv->full = true;
        return NULL;
    }
    dg_ops *list = dg_arena_zalloc(inv->arena, sizeof *list);
    dg_op *items = dg_arena_zalloc(inv->arena, (2 * up->count + 1) * sizeof *items);
    if (!list || !items)
        return NULL;
    inv->pairs[inv->pair_count++] = (pair){up, list};
    inv->depth++;
    turned out = {items, 0};
    for (size_t i = up->count; i-- > 0;) {
        check_loss(inv, &up->items[i]);
        invert_op(inv, &up->items[i], &out);
    }
    inv->depth--;
    *list = (dg_ops){out.items, out.count};
    return list;
}

dg_status dg_ops_inverse(dg_arena *arena, const dg_ops *up, dg_diags *diags, dg_ops *ret_down)
{
    inverter *inv = dg_arena_zalloc(arena, sizeof *inv);
    if (!inv)
        return DG_NOMEM;
    inv->arena = arena;
    inv->diags = diags;
    const dg_ops *down = invert_list(inv, up);
    if (dg_arena_failed(arena))
        return DG_NOMEM;
    if (inv->wrong || !down)
        return DG_INVALID;
    *ret_down = *down;
    return DG_OK;
}
