#include "rules/proof/example.h"

#include "base/hash.h"
#include "rules/reader/pack.h"

typedef struct reader {
    dg_arena *arena;
    dg_diags *diags;
    dg_pack *pack; /* knows the versions' names */
    dg_example *examples;
    size_t count;
} reader;

static dg_slice json_of(reader *r, const dg_node *node)
{
    dg_buf out;
    dg_slice text = {NULL, 0};
    dg_buf_init(&out, 0);
    if (node && dg_node_json(node, r->diags, &out))
        text = dg_arena_dup(r->arena, dg_buf_slice(&out));
    if (out.status != DG_OK)
        r->arena->failed = true;
    dg_buf_free(&out);
    return text;
}

/* A list of strings. */
static const dg_slice *read_names(reader *r, const dg_node *node, const char *what,
                                  size_t *ret_count)
{
    if (!dg_node_want_list(node, what, r->diags))
        return NULL;
    dg_slice *names = dg_arena_alloc(r->arena, (node->count + 1) * sizeof *names);
    size_t count = 0;
    for (const dg_node *child = node->first; names && child; child = child->next)
        if (dg_node_want_string(child, what, r->diags, &names[count]))
            count++;
    *ret_count = count;
    return names;
}

static void read_unordered(reader *r, const dg_node *node, dg_loose *loose)
{
    if (node && node->kind != DG_NODE_LIST) {
        (void)dg_node_want_bool(node, "true, or a list of paths of arrays", r->diags,
                                &loose->all_unordered);
        return;
    }
    if (node)
        loose->unordered =
            read_names(r, node, "a list of paths of arrays", &loose->unordered_count);
}

static void read_message(reader *r, const dg_node *node, bool request, dg_slice *ret_text)
{
    static const char *const request_keys[] = {"method", "target",    "headers",
                                               "body",   "body_text", NULL};
    static const char *const response_keys[] = {"status", "headers", "body", "body_text", NULL};
    if (!node || !dg_node_want_map(node, request ? "a request" : "a response", r->diags))
        return;
    dg_slice text;
    uint64_t status;
    (void)dg_node_check_keys(node, request ? request_keys : response_keys, r->diags);
    const char *const needed[] = {request ? "method" : "status", request ? "target" : NULL};
    for (size_t i = 0; i < 2 && needed[i]; i++)
        if (!dg_node_get(node, needed[i]))
            dg_diags_add(r->diags, DG_ERROR, node->origin, "'%s' is missing", needed[i]);
    const dg_node *method = dg_node_get(node, "method"), *target = dg_node_get(node, "target");
    const dg_node *code = dg_node_get(node, "status"), *headers = dg_node_get(node, "headers");
    if (method)
        (void)dg_node_want_string(method, "a method", r->diags, &text);
    if (target)
        (void)dg_node_want_string(target, "a target", r->diags, &text);
    if (code)
        (void)dg_node_want_u64(code, "a status", 100, 599, r->diags, &status);
    if (headers)
        (void)dg_node_want_map(headers, "header fields", r->diags);
    *ret_text = json_of(r, node);
}

static void read_telling(reader *r, const dg_node *node, bool is_body, bool newer, dg_telling *told)
{
    static const char *const keys[] = {"request", "response", NULL};
    if (is_body) {
        told->body = json_of(r, node);
        return;
    }
    if (newer && dg_node_is_null(node)) {
        told->not_asked = true;
        return;
    }
    if (!dg_node_want_map(node, "a map with 'request' and 'response'", r->diags))
        return;
    (void)dg_node_check_keys(node, keys, r->diags);
    read_message(r, dg_node_get(node, "request"), true, &told->request);
    read_message(r, dg_node_get(node, "response"), false, &told->response);
    if (!dg_node_get(node, "request"))
        dg_diags_add(r->diags, DG_ERROR, node->origin,
                     "'request' is missing: an answer is one to a request");
}

static void read_versions(reader *r, const dg_node *node, dg_example *e)
{
    size_t last = r->pack->api.version_count - 1;
    e->versions[0] = &r->pack->versions[0];
    e->versions[1] = &r->pack->versions[last];
    if (!node || !dg_node_want_list(node, "two versions, the older first", r->diags))
        return;
    const dg_version *found[2] = {NULL, NULL};
    size_t count = 0;
    dg_slice name;
    for (const dg_node *child = node->first; child; child = child->next, count++)
        if (dg_node_want_string(child, "the name of a version", r->diags, &name) && count < 2)
            found[count] = dg_pack_version(r->pack, name, child->origin);
    if (count != 2 || (found[0] && found[1] && found[0]->index >= found[1]->index))
        dg_diags_add(r->diags, DG_ERROR, node->origin, "expected two versions, the older first");
    for (size_t i = 0; i < 2; i++)
        if (found[i])
            e->versions[i] = found[i];
}

/* Which message a body is of. */
static void read_part(reader *r, const dg_node *node, dg_example *e)
{
    const dg_node *request = dg_node_get(node, "request"),
                  *response = dg_node_get(node, "response");
    bool said = true;
    uint64_t status = 200;
    if (!request == !response) {
        dg_diags_add(
            r->diags, DG_ERROR, node->origin,
            "an example of a body says `request: true`, or `response: true` or the status");
        return;
    }
    const dg_node *part = request ? request : response;
    bool is_status = response && part->kind == DG_NODE_SCALAR && part->text.len &&
                     part->text.ptr[0] >= '0' && part->text.ptr[0] <= '9';
    if (is_status)
        (void)dg_node_want_u64(part, "true, or a status", 100, 599, r->diags, &status);
    else if (dg_node_want_bool(part, response ? "true, or a status" : "true", r->diags, &said) &&
             !said)
        dg_diags_add(r->diags, DG_ERROR, part->origin, "expected true");
    e->status = response ? (unsigned)status : 0;
}

static void read_example(reader *r, const dg_node *node)
{
    static const char *const keys[] = {"name",     "note",    "versions", "older",     "newer",
                                       "endpoint", "request", "response", "unordered", "volatile",
                                       "headers",  "clients", "out",      NULL};
    static const char *const clients[] = {"older", "newer", "both", NULL};
    if (!dg_node_want_map(node, "an example", r->diags) || r->count == DG_EXAMPLES_MAX)
        return;
    dg_example *e = &r->examples[r->count++];
    *e = (dg_example){.origin = node->origin};
    (void)dg_node_check_keys(node, keys, r->diags);
    const dg_node *name = dg_node_get(node, "name"), *endpoint = dg_node_get(node, "endpoint");
    const dg_node *headers = dg_node_get(node, "headers"), *skipped = dg_node_get(node, "volatile");
    const dg_node *who = dg_node_get(node, "clients"), *out = dg_node_get(node, "out");
    size_t which = 0;
    if (!name)
        dg_diags_add(r->diags, DG_ERROR, node->origin,
                     "'name' is missing: what does the example show?");
    else
        (void)dg_node_want_string(name, "a name", r->diags, &e->name);
    if (endpoint && dg_node_want_string(endpoint, "an endpoint, as the older version calls it",
                                        r->diags, &e->endpoint))
        read_part(r, node, e);
    else if (!endpoint && (dg_node_get(node, "request") || dg_node_get(node, "response")))
        dg_diags_add(
            r->diags, DG_ERROR, node->origin,
            "messages stand in 'older' and 'newer'; an example of a body names its 'endpoint'");
    read_versions(r, dg_node_get(node, "versions"), e);
    static const char *const sides[] = {"older", "newer"};
    for (size_t i = 0; i < 2; i++) {
        const dg_node *side = dg_node_get(node, sides[i]);
        if (side)
            read_telling(r, side, endpoint != NULL, i == 1, &e->told[i]);
        else
            dg_diags_add(r->diags, DG_ERROR, node->origin, "'%s' is missing", sides[i]);
    }
    read_unordered(r, dg_node_get(node, "unordered"), &e->loose);
    if (skipped)
        e->loose.skipped = read_names(r, skipped, "a list of paths", &e->loose.skipped_count);
    if (headers)
        e->headers = read_names(r, headers, "a list of header fields", &e->header_count);
    if (who && dg_node_want_word(who, clients, r->diags, &which))
        e->clients = (dg_clients)(which + DG_CLIENTS_OLDER);
    if (out)
        (void)dg_node_want_string(out, "why the pack cannot do this", r->diags, &e->out);
}

/* A file holds one example, or a list of them. */
static void read_file(reader *r, const dg_node *root)
{
    size_t room = DG_EXAMPLES_MAX - r->count;
    if (root->kind == DG_NODE_LIST && root->count > room)
        dg_diags_add(r->diags, DG_ERROR, root->origin, "a pack has at most %d examples",
                     (int)DG_EXAMPLES_MAX);
    if (root->kind != DG_NODE_LIST) {
        read_example(r, root);
        return;
    }
    for (const dg_node *child = root->first; child; child = child->next)
        read_example(r, child);
}

dg_status dg_examples_load(dg_arena *arena, const char *dir, const dg_api *api, dg_diags *diags,
                           const dg_example **ret_examples, size_t *ret_count)
{
    const char *names[DG_CHANGE_FILES_MAX];
    size_t errors = diags->errors;
    dg_pack pack = {.arena = arena, .diags = diags, .dir = dir, .api = *api};
    pack.versions = dg_arena_alloc(arena, (api->version_count + 1) * sizeof *pack.versions);
    reader r = {.arena = arena, .diags = diags, .pack = &pack};
    r.examples = dg_arena_zalloc(arena, DG_EXAMPLES_MAX * sizeof *r.examples);
    const char *folder = dg_arena_printf(arena, "%s/examples", dir);
    if (!pack.versions || !r.examples || !folder)
        return DG_NOMEM;
    memcpy(pack.versions, api->versions, api->version_count * sizeof *pack.versions);
    pack.api.versions = pack.versions;
    size_t files = dg_pack_list(&pack, folder, names);
    for (size_t i = 0; i < files; i++) {
        const char *path = dg_arena_printf(arena, "%s/%s", folder, names[i]);
        const dg_node *root = path ? dg_pack_load(&pack, path) : NULL;
        if (root)
            read_file(&r, root);
    }
    if (dg_arena_failed(arena))
        return DG_NOMEM;
    *ret_examples = r.examples;
    *ret_count = r.count;
    return diags->errors == errors ? DG_OK : DG_INVALID;
}
