#include "rules/proof/lossless.h"

enum { LISTS_MAX = 4096 /* looked into; beyond it: an own way back, to be safe */ };

size_t dg_side_lists(const dg_side *side, const dg_ops *ret_lists[DG_SIDE_LISTS])
{
    const dg_ops *const all[DG_SIDE_LISTS] = {side->path, side->query, side->headers, side->body.up,
                                              side->message};
    size_t count = 0;
    for (size_t i = 0; i < DG_SIDE_LISTS; i++)
        if (all[i])
            ret_lists[count++] = all[i];
    return count;
}

/* Lists that are to be looked into, each once. */
typedef struct pile {
    const dg_ops *lists[LISTS_MAX];
    size_t count;
    bool full;
} pile;

static void put(pile *p, const dg_ops *list)
{
    for (size_t i = 0; list && i < p->count; i++)
        if (p->lists[i] == list)
            return;
    if (list && p->count < LISTS_MAX)
        p->lists[p->count++] = list;
    else if (list)
        p->full = true;
}

/* Some words of the language come as an op with two ways, too: these are no author's. */
static bool is_own(const dg_op *op)
{
    const dg_op *body = op->kind == DG_OP_BOTH && op->body->count == 1 ? op->body->items : NULL;
    if (op->kind != DG_OP_BOTH)
        return false;
    bool two = body && body->kind == DG_OP_TEMPLATE && op->other->count == 1 &&
               op->other->items->kind == DG_OP_TEMPLATE;
    bool one = body && body->kind == DG_OP_SWITCH && op->other->count == 0;
    return !(two || one) || !op->word || op->word != body->word ||
           strcmp(op->word, "template") == 0;
}

/* Ops that give a newer value a shape that it may not have had. */
static bool shapes(const dg_op *op)
{
    return op->kind == DG_OP_DEFAULT || op->kind == DG_OP_KEEP ||
           (op->kind == DG_OP_BOTH && op->other->count == 0);
}

static bool look(dg_arena *arena, const dg_ops *const *lists, size_t count, dg_lost *lost)
{
    pile *p = dg_arena_zalloc(arena, sizeof *p);
    if (!p)
        return false;
    for (size_t i = 0; i < count; i++)
        put(p, lists[i]);
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->lists[i]->count; k++) {
            const dg_op *op = &p->lists[i]->items[k];
            lost->own |= is_own(op);
            lost->down |= shapes(op);
            put(p, op->body);
            for (size_t c = 0; c < op->case_count; c++)
                put(p, op->cases[c].body);
        }
    lost->own |= p->full;
    return true;
}

dg_status dg_lists_lose(const dg_ops *const *lists, size_t count, dg_lost *ret_lost)
{
    dg_arena arena;
    const dg_loss *loss = NULL;
    dg_arena_init(&arena, 0);
    dg_lost lost = {.up = false};
    dg_status status =
        !look(&arena, lists, count, &lost) ? DG_NOMEM : dg_ops_losses(&arena, lists, count, &loss);
    for (; status == DG_OK && loss; loss = loss->next) {
        lost.up |= !loss->down;
        lost.down |= loss->down;
    }
    dg_arena_free(&arena);
    if (status == DG_OK)
        *ret_lost = lost;
    return status;
}

bool dg_lossless(const dg_compiled_api *api, const dg_line *line, unsigned status, size_t older,
                 size_t newer)
{
    const dg_side *sides[DG_VERSIONS_MAX];
    const dg_ops *lists[DG_VERSIONS_MAX * DG_SIDE_LISTS];
    size_t side_count = 0, count = 0;
    dg_lost lost;
    /* The status is the newer version's: the way is traced from there. */
    if (dg_chain_sides(api, line, status, newer, older, sides, &side_count) != DG_OK)
        return false;
    for (size_t i = 0; i < side_count; i++)
        count += dg_side_lists(sides[i], lists + count);
    return dg_lists_lose(lists, count, &lost) == DG_OK && !lost.up && !lost.down && !lost.own;
}
