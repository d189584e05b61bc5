/* api.yaml: the versions of an API, how a request names one, and what exists without a change
 * naming it. */
#include "base/date.h"
#include "rules/reader/pack.h"
#include "rules/doc/upgrade.h"

static bool is_version_name(dg_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("-._~", c))))
            return false;
    }
    return s.len > 0 && s.len <= 64 && !dg_slice_eq(s, DG_SLICE(".")) &&
           !dg_slice_eq(s, DG_SLICE(".."));
}

const dg_version *dg_pack_version(const dg_pack *pack, dg_slice name, dg_origin origin)
{
    const char *names[DG_VERSIONS_MAX + 1];
    size_t count = 0;
    for (; count < pack->api.version_count; count++) {
        if (dg_slice_eq(dg_slice_str(pack->versions[count].name), name))
            return &pack->versions[count];
        names[count] = pack->versions[count].name;
    }
    names[count] = NULL;
    const char *meant = dg_did_you_mean(name, names);
    dg_diags_add(pack->diags, DG_ERROR, origin,
                 meant ? "there is no version '%.*s'; did you mean '%s'?"
                       : "there is no version '%.*s'%s",
                 DG_SLICE_FMT(name), meant ? meant : "");
    return NULL;
}

static int64_t read_date(dg_pack *pack, const dg_node *map, const char *key, bool end_of_day)
{
    const dg_node *node = dg_node_get(map, key);
    dg_slice text;
    int64_t when = DG_NEVER;
    if (node && dg_node_want_string(node, "a date", pack->diags, &text) &&
        dg_date_parse(text, end_of_day, &when) != DG_OK)
        dg_diags_add(pack->diags, DG_ERROR, node->origin,
                     "expected a date as 2026-01-31 or 2026-01-31T12:00:00Z, found '%.*s'",
                     DG_SLICE_FMT(text));
    return when;
}

/* errors: OPS, or {format: text, body: OPS}. */
static void read_errors(dg_pack *pack, const dg_node *node, dg_errors *errors)
{
    static const char *const keys[] = {"format", "body", NULL};
    const dg_node *format = dg_node_get(node, "format"), *body = dg_node_get(node, "body");
    const dg_ops_reader reader = {.arena = pack->arena, .diags = pack->diags};
    dg_ops *ops = dg_arena_zalloc(pack->arena, sizeof *ops);
    if (!ops)
        return;
    bool parts = format || body;
    if (parts)
        dg_node_check_keys(node, keys, pack->diags);
    if (format && dg_pack_read_format(pack, format, &errors->format) &&
        errors->format != DG_FORMAT_JSON && errors->format != DG_FORMAT_TEXT)
        dg_diags_add(pack->diags, DG_ERROR, format->origin, "errors are written as json or text");
    if ((!parts || body) && dg_ops_read(&reader, parts ? body : node, ops))
        (void)dg_ops_check_size(&reader, ops, node->origin);
    if (format && errors->format == DG_FORMAT_TEXT && !body)
        dg_diags_add(pack->diags, DG_ERROR, format->origin,
                     "an error as text needs ops that make a string of it: `body: {unwrap: title}`");
    errors->ops = ops;
}

static bool is_taken(const dg_pack *pack, dg_slice name)
{
    for (size_t i = 0; i < pack->api.version_count; i++) {
        const dg_version *v = &pack->versions[i];
        if (dg_slice_eq(dg_slice_str(v->name), name))
            return true;
        for (size_t j = 0; j < v->alias_count; j++)
            if (dg_slice_eq(v->aliases[j], name))
                return true;
    }
    return false;
}

/* Other words for a version in requests. */
static void read_aliases(dg_pack *pack, const dg_node *map, dg_version *version)
{
    const dg_node *list = dg_node_get(map, "aliases");
    if (!list || !dg_node_want_list(list, "a list of words: ['1']", pack->diags))
        return;
    dg_slice *aliases = dg_arena_alloc(pack->arena, (list->count + 1) * sizeof *aliases), text;
    for (const dg_node *n = list->first; n && aliases; n = n->next) {
        if (!dg_node_want_string(n, "a word", pack->diags, &text))
            continue;
        if (!is_version_name(text))
            dg_diags_add(pack->diags, DG_ERROR, n->origin,
                         "an alias stands in URLs: letters, digits and - . _ ~, at most 64 of them");
        else if (is_taken(pack, text))
            dg_diags_add(pack->diags, DG_ERROR, n->origin, "'%s' names another version already", text.ptr);
        else
            aliases[version->alias_count++] = text;
    }
    version->aliases = aliases;
}

static void read_version(dg_pack *pack, const dg_node *node)
{
    static const char *const keys[] = {"name", "aliases", "deprecated", "sunset", "docs", "errors", NULL};
    dg_version version = {
        .index = pack->api.version_count, .deprecated = DG_NEVER, .sunset = DG_NEVER};
    const dg_node *name = node;
    if (node->kind != DG_NODE_SCALAR) {
        if (!dg_node_want_map(node, "a version: {name: v1}", pack->diags))
            return;
        dg_node_check_keys(node, keys, pack->diags);
        if (!(name = dg_node_get(node, "name"))) {
            dg_diags_add(pack->diags, DG_ERROR, node->origin, "the version has no 'name'");
            return;
        }
        read_aliases(pack, node, &version);
        version.deprecated = read_date(pack, node, "deprecated", false);
        version.sunset = read_date(pack, node, "sunset", true);
        const dg_node *docs = dg_node_get(node, "docs");
        const dg_node *errors = dg_node_get(node, "errors");
        if (docs)
            (void)dg_node_want_string(docs, "a URL", pack->diags, &version.docs);
        if (errors)
            read_errors(pack, errors, &pack->errors[version.index]);
    }
    dg_slice text;
    if (!dg_node_want_string(name, "the name of a version", pack->diags, &text))
        return;
    if (!is_version_name(text))
        dg_diags_add(
            pack->diags, DG_ERROR, name->origin,
            "a version's name stands in URLs: letters, digits and - . _ ~, at most 64 of them");
    if (is_taken(pack, text))
        dg_diags_add(pack->diags, DG_ERROR, name->origin, "version '%s' comes twice", text.ptr);
    if (version.sunset != DG_NEVER && version.deprecated != DG_NEVER &&
        version.sunset < version.deprecated)
        dg_diags_add(pack->diags, DG_ERROR, dg_node_get(node, "sunset")->origin,
                     "the sunset is before the deprecation (RFC 9745, section 4)");
    version.name = text.ptr;
    pack->versions[pack->api.version_count++] = version;
}

static void read_versions(dg_pack *pack, const dg_node *root)
{
    const dg_node *list = dg_node_get(root, "versions");
    if (!list) {
        dg_diags_add(pack->diags, DG_ERROR, root->origin, "there is no list of 'versions'");
        return;
    }
    pack->versions_origin = list->key_origin;
    if (!dg_node_want_list(list, "a list of versions, the oldest first", pack->diags))
        return;
    if (list->count == 0 || list->count > DG_VERSIONS_MAX) {
        dg_diags_add(pack->diags, DG_ERROR, list->origin, "expected 1 to %d versions, found %zu",
                     (int)DG_VERSIONS_MAX, list->count);
        return;
    }
    pack->versions = dg_arena_zalloc(pack->arena, list->count * sizeof *pack->versions);
    pack->errors = dg_arena_zalloc(pack->arena, (list->count + 1) * sizeof *pack->errors);
    for (const dg_node *n = list->first; n && pack->versions && pack->errors; n = n->next)
        read_version(pack, n);
    pack->api.versions = pack->versions;
}

static void read_base(dg_pack *pack, const dg_node *root)
{
    const dg_node *node = dg_node_get(root, "base");
    pack->base_origin = node ? node->origin : root->origin;
    if (!node || (node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, DG_SLICE("/"))))
        return;
    dg_slice text;
    if (!dg_node_want_string(node, "a path: /api", pack->diags, &text))
        return;
    if (text.len == 0 || text.ptr[0] != '/') {
        dg_diags_add(pack->diags, DG_ERROR, node->origin, "a base begins with a slash: /api");
        return;
    }
    if (text.ptr[text.len - 1] == '/')
        text.len--;
    dg_template as_path;
    char *endpoint = dg_arena_printf(pack->arena, "GET %.*s", DG_SLICE_FMT(text));
    if (!endpoint || !dg_template_parse(pack->arena, dg_slice_str(endpoint), node->origin,
                                        pack->diags, &as_path))
        return;
    if (as_path.param_count)
        dg_diags_add(pack->diags, DG_ERROR, node->origin, "a base has no parameters");
    pack->api.base = text;
}

static void read_inventory(dg_pack *pack, const dg_node *root)
{
    const dg_node *list = dg_node_get(root, "endpoints");
    if (!list || !dg_node_want_list(list, "a list of endpoints: ['GET /health']", pack->diags))
        return;
    pack->inventory = dg_arena_zalloc(pack->arena, (list->count + 1) * sizeof *pack->inventory);
    for (const dg_node *n = list->first; n && pack->inventory; n = n->next) {
        dg_slice text;
        dg_inventory *entry = &pack->inventory[pack->inventory_count];
        if (dg_node_want_string(n, "an endpoint: 'GET /health'", pack->diags, &text) &&
            dg_template_parse(pack->arena, text, n->origin, pack->diags, &entry->endpoint)) {
            entry->origin = n->origin;
            pack->inventory_count++;
        }
    }
}

/* strict: {duplicates: reject, surrogates: reject} */
static void read_strict(dg_pack *pack, const dg_node *root)
{
    static const char *const keys[] = {"duplicates", "surrogates", NULL};
    static const char *const duplicates[] = {"touched", "reject", NULL};
    static const char *const surrogates[] = {"pass", "reject", NULL};
    const dg_node *map = dg_node_get(root, "strict");
    size_t which;
    if (!map || !dg_node_want_map(map, "a map: {duplicates: reject, surrogates: reject}", pack->diags))
        return;
    dg_node_check_keys(map, keys, pack->diags);
    const dg_node *twice = dg_node_get(map, "duplicates"), *half = dg_node_get(map, "surrogates");
    if (twice && dg_node_want_word(twice, duplicates, pack->diags, &which) && which == 1)
        pack->strict.duplicates = DG_DUPLICATES_ANYWHERE;
    if (half && dg_node_want_word(half, surrogates, pack->diags, &which) && which == 1)
        pack->strict.surrogates = DG_SURROGATES_REJECT;
}

void dg_pack_read_api(dg_pack *pack, const dg_node *root)
{
    static const char *const keys[] = {"dragoman",      "api",      "base",      "versions", "selected_by",
                                       "contradiction", "unlisted", "endpoints", "errors",   "strict",    NULL};
    if (!dg_node_want_map(root, "a map: api, base, versions ...", pack->diags))
        return;
    if (!dg_format_check(root, pack->diags))
        return; /* what another format says is not for this reader */
    dg_node_check_keys(root, keys, pack->diags);
    const dg_node *name = dg_node_get(root, "api"), *unlisted = dg_node_get(root, "unlisted");
    const dg_node *errors = dg_node_get(root, "errors");
    dg_slice text;
    if (!name)
        dg_diags_add(pack->diags, DG_ERROR, root->origin, "the API has no name: 'api'");
    else if (dg_node_want_string(name, "the name of the API", pack->diags, &text)) {
        pack->api.name = text.ptr;
        if (!is_version_name(text))
            dg_diags_add(
                pack->diags, DG_ERROR, name->origin,
                "an API's name is made of letters, digits and - . _ ~, at most 64 of them");
    }
    read_base(pack, root);
    read_versions(pack, root);
    dg_pack_read_selectors(pack, root);
    read_inventory(pack, root);
    read_strict(pack, root);
    if (errors && pack->errors)
        read_errors(pack, errors, &pack->errors[pack->api.version_count]);
    if (!unlisted)
        return;
    pack->api.pass_unlisted =
        unlisted->kind == DG_NODE_SCALAR && dg_slice_eq(unlisted->text, DG_SLICE("pass"));
    if (!pack->api.pass_unlisted &&
        !(unlisted->kind == DG_NODE_SCALAR && dg_slice_eq(unlisted->text, DG_SLICE("reject"))))
        dg_diags_add(pack->diags, DG_ERROR, unlisted->origin, "expected reject or pass");
}
