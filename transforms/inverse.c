/* The way back: each op's inverse, in reverse order. */
#include "transforms/name.h"
#include "transforms/op.h"

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
    bool wrong;
} inverter;

#define LOSES(inv, op, ...)                                                                        \
    do {                                                                                           \
        (inv)->wrong = true;                                                                       \
        dg_diags_add((inv)->diags, DG_ERROR, (op)->origin, __VA_ARGS__);                           \
    } while (0)

static const dg_ops *invert_list(inverter *inv, const dg_ops *up);

/* The same scalar: strings decoded, anything else as text. Without memory
 * they count as texts. */
static bool same_scalar(dg_slice a, dg_slice b)
{
    if (a.len < 2 || b.len < 2 || a.ptr[0] != '"' || b.ptr[0] != '"')
        return dg_slice_eq(a, b);
    dg_buf x, y;
    dg_buf_init(&x, 0);
    dg_buf_init(&y, 0);
    dg_name_decode(dg_slice_of(a.ptr + 1, a.len - 2), &x);
    dg_name_decode(dg_slice_of(b.ptr + 1, b.len - 2), &y);
    bool same = x.status == DG_OK && y.status == DG_OK
                    ? dg_slice_eq(dg_buf_slice(&x), dg_buf_slice(&y))
                    : dg_slice_eq(a, b);
    dg_buf_free(&x);
    dg_buf_free(&y);
    return same;
}

static void invert_values(inverter *inv, const dg_op *up, dg_op *down)
{
    dg_value_pair *turned = dg_arena_alloc(inv->arena, (up->pair_count + 1) * sizeof *turned);
    size_t count = 0;
    if (!turned)
        return;
    for (size_t i = 0; i < up->pair_count; i++) {
        size_t k = 0;
        while (k < count && !same_scalar(turned[k].from, up->pairs[i].to))
            k++;
        if (k == count) {
            turned[count++] = (dg_value_pair){up->pairs[i].to, up->pairs[i].from};
        } else if (!up->lossy) {
            LOSES(inv, up,
                  "values: both %.*s and %.*s become %.*s, so the way back is not known; remove a "
                  "row, or accept that the first one wins with `lossy: accept`",
                  DG_SLICE_FMT(turned[k].to), DG_SLICE_FMT(up->pairs[i].from),
                  DG_SLICE_FMT(up->pairs[i].to));
        }
    }
    down->pairs = turned;
    down->pair_count = count;
    if (up->unknown == DG_UNKNOWN_DEFAULT) {
        down->value = (dg_slice){NULL, 0};
        down->unknown = up->lossy ? DG_UNKNOWN_PASS : DG_UNKNOWN_REJECT;
    }
}

/* What undoes DROP: false if nothing does. */
static bool invert_drop(inverter *inv, const dg_op *up, dg_op *down)
{
    if (up->if_empty) {
        /* Only {} was lost. */
        down->kind = DG_OP_DEFAULT;
        down->value = DG_SLICE("{}");
        return true;
    }
    if (up->value.len) {
        /* DEFAULT, as whoever answers may send the member after all. */
        down->kind = DG_OP_DEFAULT;
        return true;
    }
    if (!up->lossy)
        LOSES(inv, up,
              "drop: the value of \"%.*s\" is lost on the way back; give the value to put there "
              "with `restore: VALUE`, or leave it out with `lossy: accept`",
              DG_SLICE_FMT(up->name));
    return false;
}

/* Fills in *down (a copy of *up so far); false if the inverse is to do nothing. */
static bool invert_op(inverter *inv, const dg_op *up, dg_op *down)
{
    switch (up->kind) {
    case DG_OP_CASE:
        down->case_from = up->case_to;
        down->case_to = up->case_from;
        return true;
    case DG_OP_RENAME:
        down->name = up->to;
        down->to = up->name;
        return true;
    case DG_OP_DROP:
        return invert_drop(inv, up, down);
    case DG_OP_ADD:
        down->kind = DG_OP_DROP;
        return true;
    case DG_OP_DEFAULT:
        down->kind = DG_OP_DROP;
        down->value = (dg_slice){NULL, 0};
        down->when_null = false;
        return up->if_empty;
    case DG_OP_WRAP:
        down->kind = DG_OP_UNWRAP;
        return true;
    case DG_OP_UNWRAP:
        if (!up->lossy)
            LOSES(inv, up,
                  "unwrap: the members beside \"%.*s\" are lost on the way back; accept that with "
                  "`lossy: accept`",
                  DG_SLICE_FMT(up->name));
        down->kind = DG_OP_WRAP;
        return true;
    case DG_OP_VALUES:
        invert_values(inv, up, down);
        return true;
    case DG_OP_IN:
    case DG_OP_EACH:
    case DG_OP_LENS:
        down->body = up->body ? invert_list(inv, up->body) : NULL;
        return true;
    }
    return false;
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
        inv->wrong = true;
        dg_diags_add(inv->diags, DG_ERROR, origin,
                     "op lists nested too deep or too many to invert");
        return NULL;
    }
    dg_ops *list = dg_arena_zalloc(inv->arena, sizeof *list);
    dg_op *items = dg_arena_zalloc(inv->arena, (up->count + 1) * sizeof *items);
    if (!list || !items)
        return NULL;
    inv->pairs[inv->pair_count++] = (pair){up, list};
    inv->depth++;
    size_t count = 0;
    for (size_t i = up->count; i-- > 0;) {
        dg_op down = up->items[i];
        if (invert_op(inv, &up->items[i], &down))
            items[count++] = down;
    }
    inv->depth--;
    *list = (dg_ops){items, count};
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
