#include "rules/doc/upgrade.h"

#include "rules/doc/fmt.h"

enum { DEPTH_MAX = DG_DOC_DEPTH_MAX };

/* Format 0 took `lossy: accept` beside any op. */
static const char *const lossless[] = {"case", "rename", "add",  "default", "wrap",
                                       "in",   "each",   "lens", NULL};
/* And ops without an operand. */
static const char *const may_be_empty[] = {"rename", "drop", "add", "default", "each", NULL};

static bool is_one_of(dg_slice word, const char *const *words)
{
    for (; *words; words++)
        if (dg_slice_eq(word, dg_slice_str(*words)))
            return true;
    return false;
}

static dg_fmt_entry *member(const dg_fmt_node *map, const char *key)
{
    for (dg_fmt_entry *e = map->kind == DG_NODE_MAP ? map->first : NULL; e; e = e->next)
        if (dg_slice_eq(e->key.text, dg_slice_str(key)))
            return e;
    return NULL;
}

/* Takes an entry out; what stands above it stands above the next one then, or beside nothing. */
static void remove_entry(dg_fmt_node *parent, dg_fmt_entry *gone)
{
    dg_fmt_entry **at = &parent->first;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    if (!gone->next || !gone->above)
        return;
    dg_fmt_comment *last = gone->above;
    while (last->next)
        last = last->next;
    last->next = gone->next->above;
    gone->next->above = gone->above;
}

static void upgrade_ops(dg_fmt_node *ops, unsigned depth);

/* False when the item says nothing at all. */
static bool upgrade_item(dg_fmt_node *item, unsigned depth)
{
    bool says = item->kind != DG_NODE_MAP;
    dg_fmt_entry *lossy = member(item, "lossy"), *drop = member(item, "drop");
    for (dg_fmt_entry *e = says ? NULL : item->first; e; e = e->next) {
        bool empty = e->value.kind != DG_NODE_SCALAR && !e->value.first;
        says |= e != lossy && !(empty && is_one_of(e->key.text, may_be_empty));
        dg_fmt_entry *body =
            dg_slice_eq(e->key.text, DG_SLICE("in")) ? member(&e->value, "do") : NULL;
        if (body)
            upgrade_ops(&body->value, depth + 1);
        else if (dg_slice_eq(e->key.text, DG_SLICE("each")))
            upgrade_ops(&e->value, depth + 1);
        if (lossy && is_one_of(e->key.text, lossless)) {
            remove_entry(item, lossy);
            lossy = NULL;
        }
    }
    if (lossy && drop && (drop->value.kind == DG_NODE_MAP || member(item, "restore")))
        remove_entry(item, lossy);
    return says;
}

static void upgrade_ops(dg_fmt_node *ops, unsigned depth)
{
    if (depth == DEPTH_MAX)
        return;
    if (ops->kind != DG_NODE_LIST) {
        (void)upgrade_item(ops, depth);
        return;
    }
    for (dg_fmt_entry *e = ops->first, *next; e; e = next) {
        next = e->next;
        if (!upgrade_item(&e->value, depth))
            remove_entry(ops, e);
    }
}

static void upgrade_endpoint(dg_fmt_node *endpoint)
{
    static const char *const parts[] = {"request", "response", "error"};
    for (size_t i = 0; i < 3; i++) {
        dg_fmt_entry *part = member(endpoint, parts[i]);
        if (part)
            upgrade_ops(&part->value, 0);
    }
}

static void upgrade_root(dg_fmt_node *root)
{
    dg_fmt_entry *title = member(root, "change"), *lenses = member(root, "lenses");
    dg_fmt_entry *endpoints = member(root, "endpoints");
    if (title && title->value.kind == DG_NODE_SCALAR)
        title->value.scalar.plain = false; /* 7 was a title, too */
    for (dg_fmt_entry *e = lenses ? lenses->value.first : NULL; e; e = e->next)
        upgrade_ops(&e->value, 0);
    for (dg_fmt_entry *e = endpoints ? endpoints->value.first : NULL; e; e = e->next) {
        if (endpoints->value.kind == DG_NODE_MAP)
            upgrade_endpoint(&e->value);
        else if (e->value.kind == DG_NODE_MAP && e->value.first)
            upgrade_endpoint(&e->value.first->value);
    }
}

static dg_status upgrade_text(dg_arena *arena, dg_slice text, const char *file, dg_diags *diags,
                              dg_buf *out)
{
    const dg_node *root;
    dg_fmt_file tree;
    dg_status status = dg_doc_read(arena, text, file, diags, &root);
    if (status == DG_OK)
        status = dg_fmt_read(arena, text, file, diags, &tree);
    if (status != DG_OK)
        return status;
    upgrade_root(&tree.root);
    dg_fmt_put(&tree, out);
    return out->status;
}

dg_status dg_upgrade_change(dg_slice text, const char *file, dg_diags *diags, dg_buf *out)
{
    dg_arena arena;
    dg_buf lines;
    dg_arena_init(&arena, 0);
    dg_buf_init(&lines, DG_DOC_BYTES_MAX);
    dg_status status = DG_INVALID;
    if (!dg_fmt_lines(text, &lines))
        dg_diags_add(diags, DG_ERROR, (dg_origin){file, 0, 0},
                     "has line ends that are neither \\n nor \\r\\n: write them out");
    else
        status = lines.status == DG_OK
                     ? upgrade_text(&arena, dg_buf_slice(&lines), file, diags, out)
                     : lines.status;
    dg_buf_free(&lines);
    dg_arena_free(&arena);
    return status;
}

/* Where the first key stands, in bytes. */
static size_t first_key(dg_slice text, const dg_node *root)
{
    size_t at = 0;
    for (uint32_t line = 1; line < root->first->key_origin.line; line++)
        at += dg_slice_find(dg_slice_from(text, at), '\n') + 1;
    return at + root->first->key_origin.column - 1;
}

dg_status dg_upgrade_api(dg_slice text, const char *file, dg_diags *diags, dg_buf *out)
{
    const dg_node *root;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    if (dg_slice_starts(text, DG_SLICE("\xEF\xBB\xBF")))
        text = dg_slice_from(text, 3);
    dg_status status = dg_doc_read(&arena, text, file, diags, &root);
    if (status == DG_OK && (root->kind != DG_NODE_MAP || !root->first)) {
        dg_diags_add(diags, DG_ERROR, root->origin, "expected a map: api, base, versions ...");
        status = DG_INVALID;
    } else if (status == DG_OK && dg_node_get(root, "dragoman")) {
        dg_buf_add(out, text);
    } else if (status == DG_OK) {
        size_t at = first_key(text, root);
        /* Between braces the root and its first key begin at two places. */
        bool in_braces = root->origin.line != root->first->key_origin.line ||
                         root->origin.column != root->first->key_origin.column;
        dg_buf_add(out, dg_slice_until(text, at));
        if (in_braces)
            dg_buf_printf(out, "\"dragoman\": %d, ", (int)DG_PACK_FORMAT);
        else
            dg_buf_printf(out, "dragoman: %d\n%*s", (int)DG_PACK_FORMAT,
                          (int)root->first->key_origin.column - 1, "");
        dg_buf_add(out, dg_slice_from(text, at));
    }
    dg_arena_free(&arena);
    return status == DG_OK ? out->status : status;
}

bool dg_format_check(const dg_node *api, dg_diags *diags)
{
    const dg_node *node = dg_node_get(api, "dragoman");
    uint64_t format = DG_PACK_FORMAT;
    if (node &&
        !dg_node_want_u64(node, "the number of the pack's format", 0, UINT32_MAX, diags, &format))
        return false;
    if (format > DG_PACK_FORMAT)
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "the pack is of format %llu, and this dragoman reads formats up to %d: take a "
                     "newer dragoman",
                     (unsigned long long)format, (int)DG_PACK_FORMAT);
    else if (format < DG_PACK_FORMAT)
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "the pack is of format %llu: `dragoman upgrade` rewrites it",
                     (unsigned long long)format);
    return format == DG_PACK_FORMAT;
}
