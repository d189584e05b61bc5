#include "rules/losses.h"

#include "base/hash.h"
#include "rules/compile/compiled.h"

static void add_list(const dg_ops **lists, size_t *count, const dg_ops *ops)
{
    if (ops)
        lists[(*count)++] = ops;
}

enum { LISTS_OF_SIDE = 5 };

/* All lists of a change: what its endpoints bind, and lenses that nothing uses. */
static const dg_ops **lists_of(dg_arena *arena, const dg_change *change, size_t *ret_count)
{
    size_t room = change->lens_count + 1, count = 0;
    for (size_t i = 0; i < change->binding_count; i++)
        room += change->bindings[i].side_count * LISTS_OF_SIDE;
    const dg_ops **lists = dg_arena_alloc(arena, room * sizeof *lists);
    if (!lists)
        return NULL;
    for (size_t i = 0; i < change->binding_count; i++)
        for (size_t k = 0; k < change->bindings[i].side_count; k++) {
            const dg_side *side = &change->bindings[i].sides[k];
            add_list(lists, &count, side->path);
            add_list(lists, &count, side->query);
            add_list(lists, &count, side->headers);
            add_list(lists, &count, side->body.up);
            add_list(lists, &count, side->message);
        }
    for (size_t i = 0; i < change->lens_count; i++)
        lists[count++] = &change->lenses[i].ops;
    *ret_count = count;
    return lists;
}

/* ---- where */

enum { NAMED_MAX = 3, ASKED_MAX = 500 /* endpoints of a change */ };

/* The endpoints that meet a loss. */
typedef struct place {
    const dg_loss *loss;
    const dg_binding *named[NAMED_MAX];
    const dg_binding *last; /* counted */
    size_t count;
} place;

typedef struct places {
    place *at;
    size_t size; /* a power of two */
} places;

static place *find_place(const places *all, const dg_loss *loss)
{
    const uint64_t key[] = {(uint64_t)(uintptr_t)loss->origin.file, loss->origin.line,
                            loss->origin.column, loss->down};
    size_t i = dg_hash(dg_slice_of(key, sizeof key), 0) & (all->size - 1);
    for (; all->at[i].loss; i = (i + 1) & (all->size - 1)) {
        const dg_loss *other = all->at[i].loss;
        if (other->origin.file == loss->origin.file && other->origin.line == loss->origin.line &&
            other->origin.column == loss->origin.column && other->down == loss->down)
            break;
    }
    return &all->at[i];
}

static bool make_places(dg_arena *arena, const dg_loss *first, places *ret)
{
    size_t count = 0;
    for (const dg_loss *loss = first; loss; loss = loss->next)
        count++;
    ret->size = 16;
    while (ret->size < count * 2)
        ret->size *= 2;
    ret->at = dg_arena_zalloc(arena, ret->size * sizeof *ret->at);
    for (const dg_loss *loss = first; ret->at && loss; loss = loss->next)
        find_place(ret, loss)->loss = loss;
    return ret->at != NULL;
}

static dg_status note_binding(const places *all, const dg_binding *binding)
{
    const dg_change one = {.bindings = (dg_binding *)(uintptr_t)binding, .binding_count = 1};
    const dg_loss *loss = NULL;
    size_t count = 0;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    const dg_ops **lists = lists_of(&arena, &one, &count);
    dg_status status = lists ? dg_ops_losses(&arena, lists, count, &loss) : DG_NOMEM;
    for (; status == DG_OK && loss; loss = loss->next) {
        place *p = find_place(all, loss);
        if (!p->loss || p->last == binding)
            continue;
        p->last = binding;
        if (p->count < NAMED_MAX)
            p->named[p->count] = binding;
        p->count++;
    }
    dg_arena_free(&arena);
    return status;
}

static const char *where_of(dg_arena *arena, const place *p)
{
    const char *text = "";
    for (size_t i = 0; text && i < p->count && i < NAMED_MAX; i++)
        text = dg_arena_printf(arena, "%s%s%.*s %.*s", text, i ? ", " : "",
                               DG_SLICE_FMT(p->named[i]->older.method),
                               DG_SLICE_FMT(p->named[i]->older.path));
    if (text && p->count > NAMED_MAX)
        text = dg_arena_printf(arena, "%s and %zu more", text, p->count - NAMED_MAX);
    return text;
}

static dg_status visit_change(const dg_compiled_api *api, size_t older, dg_loss_visit *visit,
                              void *context)
{
    const dg_change *change = api->pack.chain[older];
    const dg_loss *first = NULL;
    size_t count = 0;
    places all;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    const dg_ops **lists = lists_of(&arena, change, &count);
    dg_status status = lists ? dg_ops_losses(&arena, lists, count, &first) : DG_NOMEM;
    if (status == DG_OK && !make_places(&arena, first, &all))
        status = DG_NOMEM;
    for (size_t i = 0; status == DG_OK && first && change->binding_count <= ASKED_MAX &&
                       i < change->binding_count;
         i++)
        status = note_binding(&all, &change->bindings[i]);
    for (const dg_loss *loss = first; status == DG_OK && loss; loss = loss->next) {
        const char *where = where_of(&arena, find_place(&all, loss));
        if (where)
            visit(context, &api->api, &api->api.versions[older], &api->api.versions[older + 1],
                  loss, where);
        else
            status = DG_NOMEM;
    }
    dg_arena_free(&arena);
    return status;
}

dg_status dg_ruleset_losses(const dg_ruleset *ruleset, dg_loss_visit *visit, void *context)
{
    dg_status status = DG_OK;
    for (size_t i = 0; i < ruleset->api_count; i++)
        for (size_t v = 0; status == DG_OK && v + 1 < ruleset->apis[i].api.version_count; v++)
            status = visit_change(&ruleset->apis[i], v, visit, context);
    return status;
}
