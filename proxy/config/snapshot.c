#include <stdlib.h>
#include <sys/resource.h>

#include "proxy/config/load.h"

enum { DESCRIPTORS_APART = 64 }; /* for what is no connection */

static void upstream_free(const dg_upstream *up)
{
    dg_tls_client_free(up->tls);
    if (up->name)
        dg_name_destroy(up->name);
}

static void config_free(dg_config *config)
{
    for (size_t i = 0; i < config->listen_count; i++)
        dg_tls_server_free(config->listens[i].tls);
    for (size_t i = 0; i < config->upstream_count; i++)
        upstream_free(&config->upstreams[i]);
    dg_arena_free(&config->arena);
}

static void snapshot_free(dg_snapshot *snapshot)
{
    dg_ruleset_free(snapshot->ruleset);
    config_free(&snapshot->config);
    free(snapshot);
}

dg_snapshot *dg_snapshot_ref(dg_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void dg_snapshot_unref(dg_snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) == 1)
        snapshot_free(snapshot);
}

/* A client and a backend take a descriptor each. */
static size_t connections_default(unsigned workers)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    size_t each = limit.rlim_cur > DESCRIPTORS_APART
                      ? ((size_t)limit.rlim_cur - DESCRIPTORS_APART) / workers / 2
                      : 0;
    return each > 8 ? each : 8;
}

static bool has_control(const dg_config *config)
{
    for (size_t i = 0; i < config->listen_count; i++)
        if (config->listens[i].control)
            return true;
    return false;
}

static void finish_upstreams(dg_snapshot *snapshot, const char *control_socket, dg_diags *diags)
{
    dg_config *config = &snapshot->config;
    if (control_socket && has_control(config)) {
        dg_upstream *up =
            dg_config_upstream(config, control_socket, (dg_origin){NULL, 0, 0}, diags);
        if (up)
            up->whole_requests = true;
        snapshot->control = up;
    }
    for (size_t i = 0; i < config->upstream_count; i++)
        config->upstreams[i].connect_ms = config->timeouts.connect_ms;
}

static dg_status register_slots(dg_snapshot *snapshot, dg_usage *usage)
{
    const dg_ruleset *rules = snapshot->ruleset;
    dg_arena *arena = &snapshot->config.arena;
    dg_slice dash = DG_SLICE("-"), other = DG_SLICE("other");
    size_t endpoints = dg_ruleset_endpoint_count(rules), apis = dg_ruleset_api_count(rules);
    snapshot->endpoint_slots = dg_arena_zalloc(arena, (endpoints + 1) * sizeof(uint32_t));
    snapshot->version_slots = dg_arena_zalloc(arena, (apis + 1) * sizeof(uint32_t *));
    if (dg_arena_failed(arena))
        return DG_NOMEM;
    dg_status status = dg_usage_slot(usage, dash, dash, dash, &snapshot->unmatched_slot);
    for (size_t i = 0; i < endpoints && status == DG_OK; i++) {
        const dg_endpoint *endpoint = dg_ruleset_endpoint(rules, i);
        status = dg_usage_slot(usage, dg_slice_str(dg_ruleset_endpoint_api(rules, i)->name),
                               dg_slice_str(endpoint->version->name), endpoint->path,
                               &snapshot->endpoint_slots[i]);
    }
    for (size_t i = 0; i < apis && status == DG_OK; i++) {
        const dg_api *api = dg_ruleset_api(rules, i);
        snapshot->version_slots[i] =
            dg_arena_zalloc(arena, (api->version_count + 1) * sizeof(uint32_t));
        if (!snapshot->version_slots[i])
            return DG_NOMEM;
        for (size_t v = 0; v <= api->version_count && status == DG_OK; v++) {
            dg_slice version =
                v < api->version_count ? dg_slice_str(api->versions[v].name) : DG_SLICE("unknown");
            status = dg_usage_slot(usage, dg_slice_str(api->name), version, other,
                                   &snapshot->version_slots[i][v]);
        }
    }
    return status;
}

dg_status dg_snapshot_load(const dg_config_options *options, const char *control_socket,
                           dg_usage *usage, dg_diags *diags, dg_snapshot **ret_snapshot)
{
    dg_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return DG_NOMEM;
    atomic_init(&snapshot->refs, 1);
    dg_config *config = &snapshot->config;
    dg_arena_init(&config->arena, 0);
    dg_status status = dg_config_load(config, options, diags);
    /* Packs are read even when the configuration is wrong, so that all errors come at once. */
    if (status != DG_NOMEM) {
        dg_status rules =
            dg_ruleset_load(config->packs, config->pack_count, diags, &snapshot->ruleset);
        status = status == DG_OK ? rules : status;
    }
    if (status == DG_OK) {
        if (!config->limits.connections)
            config->limits.connections = connections_default(config->workers);
        finish_upstreams(snapshot, control_socket, diags);
        status = diags->errors ? DG_INVALID : usage ? register_slots(snapshot, usage) : DG_OK;
    }
    if (status != DG_OK) {
        snapshot_free(snapshot);
        return status;
    }
    *ret_snapshot = snapshot;
    return DG_OK;
}
