/* changes/: each file joins two neighbouring versions; together they are one unbroken chain. */
#include "rules/pack.h"

static bool is_part_name(dg_slice key, dg_part *ret_part)
{
    static const char *const words[DG_PARTS] = {"request", "response", "error"};
    for (size_t i = 0; i < DG_PARTS; i++)
        if (dg_slice_eq(key, dg_slice_str(words[i]))) {
            *ret_part = (dg_part)i;
            return true;
        }
    return false;
}

/* Numbers the parameters of `newer` as those of `older` that they are: names by name, wildcards in
 * order. */
static bool same_params(const dg_pack *pack, const dg_template *older, const dg_template *newer,
                        dg_origin origin)
{
    dg_segment *segs = dg_arena_alloc(pack->arena, (newer->count + 1) * sizeof *segs);
    bool used[DG_PARAMS_MAX] = {false}, good = segs && older->param_count == newer->param_count;
    for (size_t i = 0; good && i < newer->count; i++) {
        segs[i] = newer->segments[i];
        bool found = segs[i].kind == DG_SEGMENT_LITERAL;
        for (size_t j = 0; !found && j < older->count; j++) {
            const dg_segment *old = &older->segments[j];
            if (old->kind != segs[i].kind || used[old->param] ||
                (old->kind == DG_SEGMENT_NAME && !dg_slice_eq(old->text, segs[i].text)))
                continue;
            found = used[old->param] = true;
            segs[i].param = old->param;
        }
        good = found;
    }
    if (!good)
        dg_diags_add(pack->diags, DG_ERROR, origin,
                     "the parameters and wildcards of '%.*s' must be those of '%.*s', by name",
                     DG_SLICE_FMT(newer->path), DG_SLICE_FMT(older->path));
    else
        ((dg_template *)(uintptr_t)newer)->segments = segs;
    return good;
}

static void read_becomes(dg_pack *pack, const dg_node *node, dg_binding *binding)
{
    dg_slice text;
    if (!dg_node_want_string(node, "an endpoint: 'GET /orders/{id}'", pack->diags, &text))
        return;
    if (dg_slice_eq(text, DG_SLICE("none"))) {
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "endpoints that exist in one of the two versions only are not supported yet");
        return;
    }
    dg_template newer;
    if (!dg_template_parse(pack->arena, text, node->origin, pack->diags, &newer) ||
        !same_params(pack, &binding->older, &newer, node->origin))
        return;
    if (dg_slice_eq(newer.method, DG_SLICE("*")) !=
        dg_slice_eq(binding->older.method, DG_SLICE("*")))
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "an endpoint of any method (*) becomes one of any method, and no other does");
    binding->newer = newer;
    binding->becomes = true;
}

/* The op list of a part; a lens alone is the list of that lens, so that all parts that say so share
 * one inverse and one program. */
static void read_part(dg_pack *pack, const dg_ops_reader *reader, const dg_node *node, dg_part part,
                      dg_binding *binding)
{
    dg_ops *ops = dg_arena_zalloc(pack->arena, sizeof *ops);
    if (!ops || !dg_ops_read(reader, node, ops) ||
        !dg_ops_check_size(reader, ops, node->key_origin))
        return;
    binding->up[part] =
        ops->count == 1 && ops->items[0].kind == DG_OP_LENS ? ops->items[0].body : ops;
}

/* The first entry that covers an endpoint and declares a part wins: a part that an earlier entry
 * always wins would be silently ignored. */
static void check_reached(dg_pack *pack, const dg_change *change, const dg_binding *binding,
                          const dg_node *node, dg_part part)
{
    for (const dg_binding *b = change->bindings; b < binding; b++)
        if (b->up[part] && !dg_template_same(&b->older, &binding->older) &&
            dg_template_covers(&b->older, &binding->older)) {
            dg_diags_add(pack->diags, DG_ERROR, node->key_origin,
                         "this is never used: '%.*s %.*s' (line %u) covers it, and the first entry "
                         "wins; put this entry before that one",
                         DG_SLICE_FMT(b->older.method), DG_SLICE_FMT(b->older.path),
                         b->origin.line);
            return;
        }
}

static void read_binding(dg_pack *pack, const dg_ops_reader *reader, dg_change *change,
                         const dg_node *node)
{
    static const char *const keys[] = {"request", "response", "error", "becomes", NULL};
    dg_binding *binding = &change->bindings[change->binding_count];
    *binding = (dg_binding){.origin = node->key_origin};
    if (!dg_template_parse(pack->arena, node->key, node->key_origin, pack->diags, &binding->older))
        return;
    binding->newer = binding->older;
    for (size_t i = 0; i < change->binding_count; i++)
        if (dg_template_same(&change->bindings[i].older, &binding->older))
            dg_diags_add(pack->diags, DG_ERROR, node->key_origin,
                         "'%.*s' comes twice, first in line %u", DG_SLICE_FMT(node->key),
                         change->bindings[i].origin.line);
    change->binding_count++;
    if (dg_node_is_null(node))
        return;
    if (!dg_node_want_map(node, "a map: {request: [ops], response: [ops]}", pack->diags))
        return;
    dg_node_check_keys(node, keys, pack->diags);
    for (const dg_node *n = node->first; n; n = n->next) {
        dg_part part;
        if (is_part_name(n->key, &part)) {
            read_part(pack, reader, n, part, binding);
            check_reached(pack, change, binding, n, part);
        } else if (dg_slice_eq(n->key, DG_SLICE("becomes"))) {
            read_becomes(pack, n, binding);
        }
    }
}

static void read_endpoints(dg_pack *pack, const dg_ops_reader *reader, dg_change *change,
                           const dg_node *node)
{
    if (node->kind == DG_NODE_SCALAR && !dg_node_is_null(node)) {
        (void)dg_node_want_map(node, "a list or a map of endpoints", pack->diags);
        return;
    }
    pack->binding_total += node->count;
    if (pack->binding_total > DG_BINDINGS_MAX) {
        dg_diags_add(pack->diags, DG_ERROR, node->origin, "the pack binds more than %d endpoints",
                     (int)DG_BINDINGS_MAX);
        return;
    }
    change->bindings = dg_arena_zalloc(pack->arena, (node->count + 1) * sizeof *change->bindings);
    for (const dg_node *n = node->first; n && change->bindings; n = n->next) {
        if (node->kind == DG_NODE_MAP)
            read_binding(pack, reader, change, n);
        else if (dg_node_want_map(n, "an endpoint: {GET /orders: {response: [ops]}}",
                                  pack->diags)) {
            if (n->count != 1)
                dg_diags_add(pack->diags, DG_ERROR, n->origin,
                             "one endpoint a list item, found %zu", n->count);
            else
                read_binding(pack, reader, change, n->first);
        }
    }
}

static void read_lenses(dg_pack *pack, dg_ops_reader *reader, dg_change *change,
                        const dg_node *node)
{
    if (!dg_node_want_map(node, "a map of lenses: {Order: [ops]}", pack->diags))
        return;
    change->lenses = dg_arena_zalloc(pack->arena, (node->count + 1) * sizeof *change->lenses);
    if (!change->lenses)
        return;
    for (const dg_node *n = node->first; n; n = n->next)
        change->lenses[change->lens_count++] = (dg_lens){.name = n->key, .node = n};
    reader->lenses = change->lenses;
    reader->lens_count = change->lens_count;
    for (size_t i = 0; i < change->lens_count; i++)
        (void)dg_ops_read(reader, change->lenses[i].node, &change->lenses[i].ops);
    (void)dg_lenses_check(reader);
}

/* between: [older, newer] */
static bool read_between(dg_pack *pack, const dg_node *root, dg_change *change)
{
    const dg_node *node = dg_node_get(root, "between");
    if (!node) {
        dg_diags_add(pack->diags, DG_ERROR, root->origin,
                     "the change joins no versions: 'between: [v1, v2]'");
        return false;
    }
    change->origin = node->origin;
    dg_slice older, newer;
    if (!dg_node_want_list(node, "two versions: [v1, v2]", pack->diags))
        return false;
    if (node->count != 2) {
        dg_diags_add(pack->diags, DG_ERROR, node->origin, "expected two versions, found %zu",
                     node->count);
        return false;
    }
    const dg_node *first = node->first, *second = first->next;
    if (!dg_node_want_string(first, "the name of a version", pack->diags, &older) ||
        !dg_node_want_string(second, "the name of a version", pack->diags, &newer))
        return false;
    const dg_version *from = dg_pack_version(pack, older, first->origin);
    const dg_version *to = dg_pack_version(pack, newer, second->origin);
    if (!from || !to)
        return false;
    if (to->index != from->index + 1) {
        if (to->index <= from->index)
            dg_diags_add(pack->diags, DG_ERROR, node->origin,
                         "a change is written upward: '%s' is not older than '%s'", from->name,
                         to->name);
        else
            dg_diags_add(pack->diags, DG_ERROR, node->origin,
                         "'%s' and '%s' are no neighbours: write one change for each step",
                         from->name, to->name);
        return false;
    }
    change->from = from->index;
    return true;
}

void dg_pack_take_diags(const dg_diags *found, dg_diags *to)
{
    for (const dg_diag *d = found->first; d; d = d->next) {
        bool known = false;
        for (const dg_diag *e = to->first; e && !known; e = e->next)
            known =
                e->origin.line == d->origin.line && e->origin.column == d->origin.column &&
                strcmp(e->message, d->message) == 0 &&
                (e->origin.file == d->origin.file ||
                 (e->origin.file && d->origin.file && strcmp(e->origin.file, d->origin.file) == 0));
        if (!known)
            dg_diags_add(to, d->severity, d->origin, "%s", d->message);
    }
}

static void invert(dg_pack *pack, const dg_ops *up, dg_ops *ret_down)
{
    dg_diags found;
    dg_diags_init(&found);
    if (dg_ops_inverse(pack->arena, up, &found, ret_down) == DG_NOMEM)
        pack->arena->failed = true;
    dg_pack_take_diags(&found, pack->diags);
    dg_diags_free(&found);
}

static const dg_ops *inverse_of(dg_pack *pack, const dg_ops *up)
{
    dg_ops *down = dg_arena_zalloc(pack->arena, sizeof *down);
    if (down)
        invert(pack, up, down);
    return down;
}

/* The ways back, after everything is read: a list whose lens is broken cannot be turned. Lenses
 * that nothing uses are turned too, for the sake of their mistakes. */
static void invert_all(dg_pack *pack, dg_change *change)
{
    for (size_t i = 0; i < change->lens_count; i++)
        invert(pack, &change->lenses[i].ops, &change->lenses[i].down);
    for (size_t i = 0; i < change->binding_count; i++)
        for (size_t part = 0; part < DG_PARTS; part++) {
            dg_binding *b = &change->bindings[i];
            const dg_lens *lens = change->lenses, *end = lens + change->lens_count;
            while (lens < end && b->up[part] != &lens->ops)
                lens++;
            if (lens < end)
                b->down[part] = &lens->down;
            else if (b->up[part])
                b->down[part] = inverse_of(pack, b->up[part]);
        }
}

const dg_change *dg_pack_read_change(dg_pack *pack, const dg_node *root)
{
    static const char *const keys[] = {"change", "between", "lenses", "endpoints", NULL};
    size_t errors = pack->diags->errors;
    dg_change *change = dg_arena_zalloc(pack->arena, sizeof *change);
    if (!change || !dg_node_want_map(root, "a map: change, between, endpoints", pack->diags))
        return NULL;
    dg_node_check_keys(root, keys, pack->diags);
    dg_ops_reader reader = {.arena = pack->arena, .diags = pack->diags};
    reader.op_total = &pack->op_total;
    const dg_node *title = dg_node_get(root, "change"), *lenses = dg_node_get(root, "lenses");
    const dg_node *endpoints = dg_node_get(root, "endpoints");
    dg_slice text;
    if (!title)
        dg_diags_add(pack->diags, DG_ERROR, root->origin,
                     "the change has no title: 'change: what changed'");
    else if (!dg_node_is_string(title))
        dg_diags_add(pack->diags, DG_ERROR, title->origin, "expected a title, found %s",
                     dg_node_describe(title));
    else if (dg_node_want_string(title, "a title", pack->diags, &text))
        change->title = text.ptr;
    bool joined = read_between(pack, root, change);
    if (lenses && !dg_node_is_null(lenses))
        read_lenses(pack, &reader, change, lenses);
    if (endpoints && !dg_node_is_null(endpoints))
        read_endpoints(pack, &reader, change, endpoints);
    if (pack->diags->errors == errors && !pack->arena->failed)
        invert_all(pack, change);
    return joined ? change : NULL;
}

void dg_pack_join(dg_pack *pack, const dg_change *const *changes, size_t count)
{
    size_t steps = pack->api.version_count ? pack->api.version_count - 1 : 0;
    pack->chain = dg_arena_zalloc(pack->arena, (steps + 1) * sizeof *pack->chain);
    for (size_t i = 0; i < count && pack->chain; i++) {
        const dg_change **place = &pack->chain[changes[i]->from];
        if (*place)
            dg_diags_add(pack->diags, DG_ERROR, changes[i]->origin,
                         "%s joins '%s' and '%s' already", (*place)->origin.file,
                         pack->versions[changes[i]->from].name,
                         pack->versions[changes[i]->from + 1].name);
        else
            *place = changes[i];
    }
    for (size_t i = 0; i < steps && pack->chain; i++)
        if (!pack->chain[i])
            dg_diags_add(pack->diags, DG_ERROR, pack->versions_origin,
                         "no change joins '%s' and '%s'", pack->versions[i].name,
                         pack->versions[i + 1].name);
}
