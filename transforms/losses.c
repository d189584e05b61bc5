/* What a person signs: all that an op list cannot carry, in either direction. */
#include <stdio.h>

#include "base/hash.h"
#include "transforms/loss.h"

enum { LIST_SLOTS = 1 << 18, DEPTH_MAX = 128, PATH_BYTES = 200 };

typedef struct walk {
    dg_arena *arena;
    const dg_loss *first, **last;
    size_t count;
    const dg_ops **lists; /* entered already: a lens is told once */
    size_t list_count;
    unsigned depth;
} walk;

static void add_loss(walk *w, const dg_op *op, const char *path, bool down, bool accepted,
                     const char *text)
{
    if (w->count == DG_LOSSES_MAX)
        return;
    dg_loss *loss = dg_arena_zalloc(w->arena, sizeof *loss);
    if (!loss)
        return;
    *loss = (dg_loss){.origin = op->origin, .down = down, .accepted = accepted};
    loss->word = dg_op_said(op);
    loss->path = dg_arena_strdup(w->arena, path[0] ? path : ".");
    loss->message = dg_arena_strdup(w->arena, text);
    *w->last = loss;
    w->last = &loss->next;
    w->count++;
}

static void visit_list(walk *w, const dg_ops *list, const char *path);

static void visit_op(walk *w, const dg_op *op, const char *path)
{
    char text[DG_LOSS_TEXT], below[PATH_BYTES];
    const char *policies;
    dg_loss_kind kind = dg_op_loss_up(w->arena, op, text, &policies);
    if (kind != DG_LOSES_NOTHING)
        add_loss(w, op, path, false, op->lossy, text);
    if (dg_op_loss_down(op, text))
        add_loss(w, op, path, true, false, text);
    switch (op->kind) {
    case DG_OP_IN:
        (void)snprintf(below, sizeof below, "%s%s%.*s", path, path[0] ? "." : "",
                       DG_SLICE_FMT(op->name));
        visit_list(w, op->body, below);
        return;
    case DG_OP_EACH:
        (void)snprintf(below, sizeof below, "%s[]", path);
        visit_list(w, op->body, below);
        return;
    case DG_OP_MEMBERS:
        (void)snprintf(below, sizeof below, "%s%s*", path, path[0] ? "." : "");
        visit_list(w, op->body, below);
        return;
    case DG_OP_LENS:
        visit_list(w, op->body, path);
        return;
    default:
        for (size_t i = 0; i < op->case_count; i++)
            visit_list(w, op->cases[i].body, path);
    }
}

static void visit_list(walk *w, const dg_ops *list, const char *path)
{
    if (!list || w->list_count == LIST_SLOTS / 2 || w->depth == DEPTH_MAX)
        return;
    size_t at = dg_hash(dg_slice_of(&list, sizeof list), 0) % LIST_SLOTS;
    while (w->lists[at] && w->lists[at] != list)
        at = (at + 1) % LIST_SLOTS;
    if (w->lists[at])
        return;
    w->lists[at] = list;
    w->list_count++;
    w->depth++;
    for (size_t i = 0; i < list->count; i++)
        visit_op(w, &list->items[i], path);
    w->depth--;
}

dg_status dg_ops_losses(dg_arena *arena, const dg_ops *const *lists, size_t count,
                        const dg_loss **ret_first)
{
    walk *w = dg_arena_zalloc(arena, sizeof *w);
    if (!w)
        return DG_NOMEM;
    w->arena = arena;
    w->last = &w->first;
    w->lists = dg_arena_zalloc(arena, LIST_SLOTS * sizeof *w->lists);
    for (size_t i = 0; w->lists && i < count; i++)
        visit_list(w, lists[i], "");
    if (dg_arena_failed(arena))
        return DG_NOMEM;
    *ret_first = w->first;
    return DG_OK;
}
