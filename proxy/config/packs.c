/* Packs and their backends, as they are written. */
#include "proxy/config/load.h"

enum { PACKS_MAX = 256, BACKENDS_MAX = 64, NAMES_MAX = 256 };

void dg_config_no_transform(const dg_node *node, dg_diags *diags, bool *ret_ignores)
{
    dg_slice text;
    if (!dg_node_want_string(node, "'refuse' or 'ignore'", diags, &text))
        return;
    *ret_ignores = dg_slice_eq(text, DG_SLICE("ignore"));
    if (!*ret_ignores && !dg_slice_eq(text, DG_SLICE("refuse")))
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "'no_transform' says what happens to messages that forbid their translation: 'refuse' or 'ignore'");
}

dg_pack_source *dg_config_add_pack(dg_config *config, const char *dir, dg_origin origin, dg_diags *diags)
{
    if (!config->packs) {
        config->packs = dg_arena_zalloc(&config->arena, PACKS_MAX * sizeof *config->packs);
        config->pack_upstreams =
            dg_arena_zalloc(&config->arena, PACKS_MAX * sizeof *config->pack_upstreams);
        config->pack_ignores_no_transform =
            dg_arena_zalloc(&config->arena, PACKS_MAX * sizeof *config->pack_ignores_no_transform);
    }
    size_t *only = dg_arena_zalloc(&config->arena, sizeof *only); /* the default backend */
    if (!config->packs || !config->pack_upstreams || !config->pack_ignores_no_transform || !only)
        return NULL;
    if (config->pack_count == PACKS_MAX) {
        dg_diags_add(diags, DG_ERROR, origin, "too many packs (the limit is %d)", PACKS_MAX);
        return NULL;
    }
    dg_pack_source *pack = &config->packs[config->pack_count++];
    *pack = (dg_pack_source){.dir = dir, .origin = origin};
    config->pack_upstreams[pack - config->packs] = only;
    config->pack_ignores_no_transform[pack - config->packs] = config->ignores_no_transform;
    return pack;
}

/* ---- the backends of a pack */

/* A name, or a list of them. */
static void read_names(dg_config *config, const dg_node *node, const char *what, dg_diags *diags,
                       const dg_named **ret_names, size_t *ret_count)
{
    const dg_node *first = node->kind == DG_NODE_LIST ? node->first : node;
    size_t count = node->kind == DG_NODE_LIST ? node->count : 1, read = 0;
    dg_slice text;
    if (count == 0 || count > NAMES_MAX) {
        dg_diags_add(diags, DG_ERROR, node->origin, "expected %s, or a list of 1 to %d", what, (int)NAMES_MAX);
        return;
    }
    dg_named *names = dg_arena_zalloc(&config->arena, count * sizeof *names);
    for (const dg_node *n = first; n && names && read < count; n = n->next)
        if (dg_node_want_string(n, what, diags, &text))
            names[read++] = (dg_named){text.ptr, n->origin};
        else
            return;
    *ret_names = names;
    *ret_count = names ? read : 0;
}

static void read_backend(dg_config *config, const dg_node *node, dg_diags *diags, dg_backend_source *backend,
                         size_t *ret_upstream)
{
    static const char *const known[] = {"versions", "endpoints", "upstream", "backend_version", NULL};
    backend->origin = node->origin;
    if (!dg_node_want_map(node, "a map: {versions: [v1], upstream: URL, backend_version: v1}", diags) ||
        !dg_node_check_keys(node, known, diags))
        return;
    const dg_node *versions = dg_node_get(node, "versions"), *endpoints = dg_node_get(node, "endpoints");
    const dg_node *upstream = dg_node_get(node, "upstream"), *version = dg_node_get(node, "backend_version");
    dg_slice text;
    if (!versions && !endpoints)
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "what goes to this backend? It needs 'versions', 'endpoints' or both");
    if (versions)
        read_names(config, versions, "the name of a version", diags, &backend->versions, &backend->version_count);
    if (endpoints)
        read_names(config, endpoints, "an endpoint: 'GET /reports/**'", diags, &backend->endpoints,
                   &backend->endpoint_count);
    if (!version)
        dg_diags_add(diags, DG_ERROR, node->origin, "a backend needs 'backend_version', the version that it speaks");
    else if (dg_node_want_string(version, "the name of a version", diags, &text))
        backend->version = (dg_named){text.ptr, version->origin};
    if (!upstream) {
        dg_diags_add(diags, DG_ERROR, node->origin, "a backend needs an 'upstream'");
        return;
    }
    size_t at = dg_config_read_upstream(config, upstream, diags);
    *ret_upstream = at == SIZE_MAX ? 0 : at;
}

/* They take their places behind the default one. */
static void read_backends(dg_config *config, const dg_node *node, dg_diags *diags, size_t index)
{
    if (!dg_node_want_list(node, "a list of backends", diags))
        return;
    if (node->count > BACKENDS_MAX) {
        dg_diags_add(diags, DG_ERROR, node->origin, "a pack has %d backends at most", (int)BACKENDS_MAX);
        return;
    }
    dg_backend_source *backends = dg_arena_zalloc(&config->arena, (node->count + 1) * sizeof *backends);
    size_t *upstreams = dg_arena_zalloc(&config->arena, (node->count + 1) * sizeof *upstreams), count = 0;
    if (!backends || !upstreams)
        return;
    size_t errors = diags->errors;
    upstreams[0] = config->pack_upstreams[index][0];
    for (const dg_node *n = node->first; n; n = n->next, count++)
        read_backend(config, n, diags, &backends[count], &upstreams[count + 1]);
    if (diags->errors != errors) /* with half of them there would be errors that are none */
        return;
    config->pack_upstreams[index] = upstreams;
    config->packs[index].backends = backends;
    config->packs[index].backend_count = count;
}

/* ---- a pack */

static void read_settings(dg_config *config, const dg_node *node, dg_diags *diags, size_t index)
{
    const dg_node *version = dg_node_get(node, "backend_version"), *pins = dg_node_get(node, "pins");
    const dg_node *no_transform = dg_node_get(node, "no_transform"), *backends = dg_node_get(node, "backends");
    dg_pack_source *pack = &config->packs[index];
    dg_slice text;
    if (version && dg_node_want_string(version, "the name of a version", diags, &text))
        pack->backend_version = text.ptr;
    if (pins && dg_node_want_string(pins, "a file", diags, &text))
        pack->pins = dg_config_path(config, text);
    if (no_transform)
        dg_config_no_transform(no_transform, diags, &config->pack_ignores_no_transform[index]);
    if (backends)
        read_backends(config, backends, diags, index);
}

void dg_config_read_pack(dg_config *config, const dg_node *node, dg_diags *diags)
{
    static const char *const known[] = {"dir",      "backend_version", "backends", "pins",
                                        "upstream", "no_transform",    NULL};
    const dg_node *dir = node, *upstream = NULL;
    dg_slice text;
    if (node->kind == DG_NODE_MAP) {
        if (!dg_node_check_keys(node, known, diags))
            return;
        dir = dg_node_get(node, "dir");
        upstream = dg_node_get(node, "upstream");
        if (!dir) {
            dg_diags_add(diags, DG_ERROR, node->origin, "a pack needs a 'dir'");
            return;
        }
    }
    if (!dg_node_want_string(dir, "the folder of a pack", diags, &text))
        return;
    dg_pack_source *pack = dg_config_add_pack(config, dg_config_path(config, text), dir->origin, diags);
    if (!pack)
        return;
    size_t index = (size_t)(pack - config->packs);
    if (upstream) {
        size_t at = dg_config_read_upstream(config, upstream, diags);
        config->pack_upstreams[index][0] = at == SIZE_MAX ? 0 : at;
    } else if (!config->has_default && !diags->errors) {
        dg_diags_add(diags, DG_ERROR, dir->origin,
                     "the pack has no backend: give it an 'upstream', or the configuration a default one");
    }
    if (node->kind == DG_NODE_MAP)
        read_settings(config, node, diags, index);
}
