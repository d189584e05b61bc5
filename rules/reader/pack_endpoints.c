/* The endpoints of a change: what each is called in the newer version, or that it is in one version
 * only, and what changes in its messages. */
#include "rules/reader/pack.h"

/* ---- names */

static bool has_param(const dg_template *t, dg_slice name)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->segments[i].kind == DG_SEGMENT_NAME && dg_slice_eq(t->segments[i].text, name))
            return true;
    return false;
}

/* Numbers the parameters of `newer` as those of `older` that they are: names by name, wildcards in
 * order. Names that the older one lacks get numbers of their own. False when the wildcards differ.
 */
static bool number_params(dg_arena *arena, const dg_template *older, dg_template *newer)
{
    dg_segment *segs = dg_arena_alloc(arena, (newer->count + 1) * sizeof *segs);
    bool used[DG_PARAMS_MAX] = {false};
    unsigned fresh = DG_PARAMS_MAX;
    for (size_t i = 0; segs && i < newer->count; i++) {
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
        if (!found && segs[i].kind != DG_SEGMENT_NAME)
            return false;
        if (!found)
            segs[i].param = fresh++;
    }
    for (size_t j = 0; segs && j < older->count; j++)
        if (older->segments[j].kind != DG_SEGMENT_LITERAL &&
            older->segments[j].kind != DG_SEGMENT_NAME && !used[older->segments[j].param])
            return false;
    newer->segments = segs;
    return segs != NULL;
}

/* Names of path parameters while ops are applied to them. */
typedef struct names {
    dg_slice at[2 * DG_PARAMS_MAX];
    size_t count;
    bool unknown; /* an op was met whose outcome cannot be told here */
} names;

static void take_name(names *n, dg_slice name)
{
    for (size_t i = 0; i < n->count; i++)
        if (dg_slice_eq(n->at[i], name)) {
            n->at[i] = n->at[--n->count];
            return;
        }
}

static void put_name(names *n, dg_slice name)
{
    take_name(n, name);
    if (n->count < sizeof n->at / sizeof *n->at)
        n->at[n->count++] = name;
    else
        n->unknown = true;
}

static bool in_path(const dg_path *path)
{
    return path->count == 2 && dg_slice_eq(path->steps[0], DG_SLICE("path")) && path->steps[1].ptr;
}

/* The ops on the parameters (`whole` is false), or on the document that has them. */
static void apply_names(names *n, const dg_ops *ops, bool whole)
{
    for (size_t i = 0; ops && i < ops->count && !n->unknown; i++) {
        const dg_op *op = &ops->items[i];
        if (op->kind == DG_OP_IN) {
            if (whole && dg_slice_eq(op->name, DG_SLICE("path")))
                apply_names(n, op->body, false);
        } else if (op->kind == DG_OP_MOVE || op->kind == DG_OP_COPY) {
            if (!whole)
                n->unknown = true;
            if (whole && op->kind == DG_OP_MOVE && in_path(&op->path))
                take_name(n, op->path.steps[1]);
            if (whole && in_path(&op->target))
                put_name(n, op->target.steps[1]);
        } else if (op->kind == DG_OP_RENAME || op->kind == DG_OP_DROP || op->kind == DG_OP_ADD ||
                   op->kind == DG_OP_DEFAULT) {
            if (!whole && (op->kind == DG_OP_RENAME || op->kind == DG_OP_DROP))
                take_name(n, op->name);
            if (!whole && op->kind != DG_OP_DROP)
                put_name(n, op->kind == DG_OP_RENAME ? op->to : op->name);
        } else if (op->kind != DG_OP_COUNT && op->kind != DG_OP_SUM) {
            n->unknown = true;
        }
    }
}

static void lost_param(dg_pack *pack, const dg_binding *b, dg_slice lost)
{
    dg_diags_add(pack->diags, DG_ERROR, b->origin,
                 "the parameter {%.*s} has no place in '%.*s': move it in the request, as in "
                 "`message: {move: {path.%.*s: query.%.*s}}`",
                 DG_SLICE_FMT(lost), DG_SLICE_FMT(b->newer.path), DG_SLICE_FMT(lost),
                 DG_SLICE_FMT(lost));
}

static void missing_param(dg_pack *pack, const dg_binding *b, dg_slice missing)
{
    dg_diags_add(
        pack->diags, DG_ERROR, b->origin,
        "nothing gives '%.*s' its parameter {%.*s}: move something there in the request, as in "
        "`message: {move: {query.%.*s: path.%.*s}}`",
        DG_SLICE_FMT(b->newer.path), DG_SLICE_FMT(missing), DG_SLICE_FMT(missing),
        DG_SLICE_FMT(missing));
}

/* `n` are the names after all ops. A lost one and a missing one are likely the same. */
static void report_params(dg_pack *pack, const dg_binding *b, const names *n)
{
    dg_slice lost[2 * DG_PARAMS_MAX];
    size_t count = 0, at = 0;
    for (size_t i = 0; i < n->count; i++)
        if (!has_param(&b->newer, n->at[i]))
            lost[count++] = n->at[i];
    for (size_t i = 0; i < b->newer.count; i++) {
        const dg_segment *seg = &b->newer.segments[i];
        size_t k = 0;
        while (seg->kind == DG_SEGMENT_NAME && k < n->count && !dg_slice_eq(n->at[k], seg->text))
            k++;
        if (seg->kind != DG_SEGMENT_NAME || k < n->count)
            continue;
        if (at < count) {
            dg_diags_add(pack->diags, DG_ERROR, b->origin,
                         "the parameter {%.*s} has no place in '%.*s', which has {%.*s}: if they "
                         "are the same, say "
                         "`request: {path: {rename: {%.*s: %.*s}}}`",
                         DG_SLICE_FMT(lost[at]), DG_SLICE_FMT(b->newer.path),
                         DG_SLICE_FMT(seg->text), DG_SLICE_FMT(lost[at]), DG_SLICE_FMT(seg->text));
            at++;
        } else {
            missing_param(pack, b, seg->text);
        }
    }
    for (; at < count; at++)
        lost_param(pack, b, lost[at]);
}

/* Each parameter of one side must come from the other: by its name, or by ops of the request. */
static void check_params(dg_pack *pack, const dg_binding *b)
{
    const dg_side *side = dg_binding_side(b, DG_SIDE_REQUEST);
    names n = {.count = 0};
    for (size_t i = 0; i < b->older.count; i++)
        if (b->older.segments[i].kind == DG_SEGMENT_NAME)
            put_name(&n, b->older.segments[i].text);
    if (side) {
        apply_names(&n, side->path, false);
        apply_names(&n, side->message, true);
    }
    if (!n.unknown)
        report_params(pack, b, &n);
}

static void set_fate(dg_pack *pack, const dg_node *node, dg_fate fate, dg_binding *binding)
{
    if (binding->fate != DG_STAYS)
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "an endpoint becomes another, is removed, or is added: one of these");
    binding->fate = fate;
}

static void read_becomes(dg_pack *pack, const dg_node *node, dg_binding *binding)
{
    dg_slice text;
    dg_template newer;
    if (!dg_node_want_string(node, "an endpoint: 'GET /orders/{id}'", pack->diags, &text))
        return;
    if (dg_slice_eq(text, DG_SLICE("none"))) {
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "an endpoint that the newer version lacks is written '%.*s %.*s: removed'",
                     DG_SLICE_FMT(binding->older.method), DG_SLICE_FMT(binding->older.path));
        return;
    }
    if (!dg_template_parse(pack->arena, text, node->origin, pack->diags, &newer))
        return;
    if (!number_params(pack->arena, &binding->older, &newer)) {
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "the wildcards of '%.*s' must be those of '%.*s'", DG_SLICE_FMT(newer.path),
                     DG_SLICE_FMT(binding->older.path));
        return;
    }
    if (dg_slice_eq(newer.method, DG_SLICE("*")) !=
        dg_slice_eq(binding->older.method, DG_SLICE("*")))
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "an endpoint of any method (*) becomes one of any method, and no other does");
    binding->newer = newer;
    set_fate(pack, node, DG_BECOMES, binding);
}

/* ---- sides */

/* The first entry that covers an endpoint and declares a side wins: one that an earlier entry
 * always hides would be silently ignored. */
static void check_reached(dg_pack *pack, const dg_change *change, const dg_binding *binding,
                          const dg_node *node, unsigned of)
{
    for (const dg_binding *b = change->bindings; b < binding; b++)
        if (dg_binding_side(b, of) && !dg_template_same(&b->older, &binding->older) &&
            dg_template_covers(&b->older, &binding->older)) {
            dg_diags_add(pack->diags, DG_ERROR, node->key_origin,
                         "this is never used: '%.*s %.*s' (line %u) covers it, and the first entry "
                         "wins; put this entry before that one",
                         DG_SLICE_FMT(b->older.method), DG_SLICE_FMT(b->older.path),
                         b->origin.line);
            return;
        }
}

/* 404, or 4xx. */
static bool parse_status(dg_slice text, unsigned *ret_of)
{
    if (text.len != 3 || text.ptr[0] < '1' || text.ptr[0] > '5')
        return false;
    unsigned class = (unsigned)(text.ptr[0] - '0');
    char tens = text.ptr[1], ones = text.ptr[2];
    bool digits = tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
    if (!digits && !(tens == 'x' && ones == 'x'))
        return false;
    *ret_of = digits ? class * 100 + (unsigned)(tens - '0') * 10 + (unsigned)(ones - '0') : class;
    return true;
}

static void read_responses(dg_pack *pack, const dg_ops_reader *reader, const dg_change *change,
                           const dg_node *node, dg_binding *binding)
{
    if (!dg_node_want_map(node, "a map: {404: [ops], 5xx: [ops]}", pack->diags))
        return;
    for (const dg_node *n = node->first; n; n = n->next) {
        unsigned of;
        if (!parse_status(n->key, &of)) {
            dg_diags_add(pack->diags, DG_ERROR, n->key_origin,
                         "expected a status or a class of them: 404, 4xx");
            continue;
        }
        dg_pack_read_side(pack, reader, n, of, binding);
        check_reached(pack, change, binding, n, of);
    }
}

static bool side_of(dg_slice key, unsigned *ret_of)
{
    if (dg_slice_eq(key, DG_SLICE("request")))
        *ret_of = DG_SIDE_REQUEST;
    else if (dg_slice_eq(key, DG_SLICE("response")))
        *ret_of = DG_SIDE_RESPONSE;
    else if (dg_slice_eq(key, DG_SLICE("error")))
        *ret_of = DG_SIDE_ERROR;
    else
        return false;
    return true;
}

/* ---- entries */

/* removed, added: with an answer, or without one. */
static void read_fate(dg_pack *pack, const dg_change *change, const dg_node *node, dg_fate fate,
                      dg_binding *binding)
{
    set_fate(pack, node, fate, binding);
    if (node->kind == DG_NODE_MAP)
        binding->answer = dg_pack_read_answer(pack, node, change->from + (fate == DG_ADDED));
    else if (!dg_node_is_null(node) && (node->kind != DG_NODE_SCALAR || node->quoted ||
                                        !dg_slice_eq(node->text, DG_SLICE("true"))))
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "expected nothing, or an answer: {status: 410, body: {...}}");
}

static void read_entry(dg_pack *pack, const dg_ops_reader *reader, const dg_change *change,
                       const dg_node *node, dg_binding *binding)
{
    static const char *const keys[] = {"request", "response", "error", "responses",
                                       "becomes", "removed",  "added", NULL};
    const dg_node *responses = dg_node_get(node, "responses");
    dg_node_check_keys(node, keys, pack->diags);
    size_t most = 3 + (responses ? responses->count : 0);
    binding->sides = dg_arena_zalloc(pack->arena, most * sizeof *binding->sides);
    for (const dg_node *n = node->first; n && binding->sides; n = n->next) {
        unsigned of;
        if (side_of(n->key, &of)) {
            dg_pack_read_side(pack, reader, n, of, binding);
            check_reached(pack, change, binding, n, of);
        } else if (n == responses) {
            read_responses(pack, reader, change, n, binding);
        } else if (dg_slice_eq(n->key, DG_SLICE("becomes"))) {
            read_becomes(pack, n, binding);
        } else if (dg_slice_eq(n->key, DG_SLICE("removed"))) {
            read_fate(pack, change, n, DG_REMOVED, binding);
        } else if (dg_slice_eq(n->key, DG_SLICE("added"))) {
            read_fate(pack, change, n, DG_ADDED, binding);
        }
    }
    if (binding->side_count && (binding->fate == DG_REMOVED || binding->fate == DG_ADDED))
        dg_diags_add(pack->diags, DG_ERROR, binding->origin,
                     "an endpoint of one version only has no messages to translate");
    const dg_side *request = dg_binding_side(binding, DG_SIDE_REQUEST);
    if (binding->fate == DG_BECOMES || (request && (request->path || request->message)))
        check_params(pack, binding);
}

static bool is_word(const dg_node *node, dg_slice word)
{
    return node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, word);
}

/* The name that an entry goes by is of the newer version when the endpoint is added, of the older
 * one otherwise. */
static void check_once(dg_pack *pack, const dg_change *change, const dg_binding *binding,
                       const dg_node *node)
{
    for (const dg_binding *b = change->bindings; b < binding; b++)
        if ((b->fate == DG_ADDED) == (binding->fate == DG_ADDED) &&
            dg_template_same(&b->older, &binding->older))
            dg_diags_add(pack->diags, DG_ERROR, node->key_origin,
                         "'%.*s' comes twice, first in line %u", DG_SLICE_FMT(node->key),
                         b->origin.line);
}

static void read_binding(dg_pack *pack, const dg_ops_reader *reader, dg_change *change,
                         const dg_node *node)
{
    dg_binding *binding = &change->bindings[change->binding_count];
    *binding = (dg_binding){.origin = node->key_origin};
    if (!dg_template_parse(pack->arena, node->key, node->key_origin, pack->diags, &binding->older))
        return;
    binding->newer = binding->older;
    if (is_word(node, DG_SLICE("removed")))
        binding->fate = DG_REMOVED;
    else if (is_word(node, DG_SLICE("added")))
        binding->fate = DG_ADDED;
    else if (!dg_node_is_null(node) &&
             dg_node_want_map(node,
                              "a map: {request: [ops], response: [ops]}; or removed, or added",
                              pack->diags))
        read_entry(pack, reader, change, node, binding);
    check_once(pack, change, binding, node);
    change->binding_count++;
}

void dg_pack_read_endpoints(dg_pack *pack, const dg_ops_reader *reader, dg_change *change,
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
