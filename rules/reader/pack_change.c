/* changes/: each file joins two neighbouring versions; together they are one unbroken chain. */
#include "rules/reader/pack.h"

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
        dg_pack_read_endpoints(pack, &reader, change, endpoints);
    if (pack->diags->errors == errors && !pack->arena->failed)
        dg_pack_invert(pack, change);
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
