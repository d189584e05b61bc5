#include "proxy/config/load.h"

enum { UPSTREAMS_MAX = 256, IDLE_DEFAULT = 512, IDLE_MS_DEFAULT = 30000, RESOLVE_MS_DEFAULT = 30000 };

static bool is_host_text(dg_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c >= 0x7F || strchr("/?#@\\\"<>{}|^`%", c))
            return false;
    }
    return s.len > 0;
}

/* "host[:port]" behind the scheme; a path is refused, for it would be a second, hidden rewrite. */
static bool split_url(dg_config *config, dg_slice rest, bool tls, dg_upstream *up, const char **ret_address,
                      const char **ret_error)
{
    if (rest.len && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    if (!is_host_text(rest)) {
        *ret_error = "a backend is written http://host:port or https://host:port, without a path";
        return false;
    }
    const char *close = memchr(rest.ptr, ']', rest.len);
    dg_slice after = close ? dg_slice_of(close, (size_t)(rest.ptr + rest.len - close)) : rest;
    size_t colon = dg_slice_find(after, ':');
    bool has_port = colon < after.len;
    dg_slice host = has_port ? dg_slice_until(rest, (size_t)(after.ptr - rest.ptr) + colon) : rest;
    up->authority = dg_arena_dup(&config->arena, rest).ptr;
    *ret_address = has_port ? up->authority
                            : dg_arena_printf(&config->arena, "%.*s:%s", DG_SLICE_FMT(rest),
                                              tls ? "443" : "80");
    if (host.len > 2 && host.ptr[0] == '[')
        host = dg_slice_of(host.ptr + 1, host.len - 2);
    up->tls_host = dg_arena_dup(&config->arena, host).ptr;
    return true;
}

static bool parse_url(dg_config *config, const char *url, dg_upstream *up, bool *ret_tls,
                      const char **ret_address, const char **ret_error)
{
    dg_slice text = dg_slice_str(url);
    *ret_tls = dg_slice_starts(text, DG_SLICE("https://"));
    if (dg_slice_starts(text, DG_SLICE("unix:"))) {
        up->authority = "localhost";
        up->tls_host = "localhost";
        *ret_address = url;
        return true;
    }
    if (!*ret_tls && !dg_slice_starts(text, DG_SLICE("http://"))) {
        *ret_error = "a backend is written http://host:port, https://host:port or unix:/path";
        return false;
    }
    return split_url(config, dg_slice_from(text, *ret_tls ? 8 : 7), *ret_tls, up, ret_address, ret_error);
}

void dg_config_tls(dg_upstream *up, const dg_tls_client_files *files, dg_diags *diags)
{
    dg_status status = dg_tls_client_new(files, diags, &up->tls);
    if (status != DG_OK && !diags->errors)
        dg_diags_add(diags, DG_ERROR, files->origin, "no TLS to the backend '%s': %s", up->url,
                     dg_status_text(status));
}

dg_upstream *dg_config_upstream(dg_config *config, const char *url, dg_origin origin, dg_diags *diags)
{
    const char *address = NULL, *error = NULL;
    bool tls = false;
    if (!config->upstreams)
        config->upstreams = dg_arena_zalloc(&config->arena, UPSTREAMS_MAX * sizeof *config->upstreams);
    if (!config->upstreams || config->upstream_count == UPSTREAMS_MAX) {
        dg_diags_add(diags, DG_ERROR, origin, "too many backends (the limit is %d)", UPSTREAMS_MAX);
        return NULL;
    }
    dg_upstream *up = &config->upstreams[config->upstream_count];
    *up = (dg_upstream){.url = dg_arena_strdup(&config->arena, url), .idle_max = IDLE_DEFAULT,
                        .idle_ms = IDLE_MS_DEFAULT};
    if (dg_arena_failed(&config->arena))
        return NULL;
    if (!parse_url(config, url, up, &tls, &address, &error) || !address ||
        dg_address_resolve(address, false, up->addresses, &up->address_count, &error) != DG_OK) {
        dg_diags_add(diags, DG_ERROR, origin, "backend '%s': %s", url, error ? error : "out of memory");
        return NULL;
    }
    if (tls)
        dg_config_tls(up, &(dg_tls_client_files){.verify = true, .origin = origin}, diags);
    config->upstream_count++;
    if (dg_address_is_name(address) && (up->name = dg_arena_zalloc(&config->arena, sizeof *up->name)))
        dg_name_init(up->name, address, up->addresses, up->address_count, RESOLVE_MS_DEFAULT);
    return up;
}

/* ---- as it is written */

static void read_send_proxy(const dg_node *node, dg_upstream *up, dg_diags *diags)
{
    dg_slice text;
    if (!dg_node_want_string(node, "'v1' or 'v2'", diags, &text))
        return;
    up->send_proxy = dg_slice_eq(text, DG_SLICE("v1")) ? 1 : dg_slice_eq(text, DG_SLICE("v2")) ? 2 : 0;
    if (!up->send_proxy)
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "'send_proxy' is the version of the PROXY protocol: 'v1' or 'v2'");
}

static void read_options(dg_config *config, const dg_node *node, dg_upstream *up, dg_diags *diags)
{
    const dg_node *keep = dg_node_get(node, "keep"), *host = dg_node_get(node, "tls_host");
    const dg_node *send_proxy = dg_node_get(node, "send_proxy");
    dg_slice text;
    uint64_t n;
    if (keep && dg_node_want_u64(keep, "a number of connections", 0, 65536, diags, &n))
        up->idle_max = (size_t)n;
    if (host && dg_node_want_string(host, "a host name", diags, &text))
        up->tls_host = text.ptr;
    dg_config_upstream_tls(config, up, node, diags);
    if (send_proxy)
        read_send_proxy(send_proxy, up, diags);
    uint64_t every_ms = 0;
    dg_config_duration(node, "resolve", diags, &every_ms);
    if (every_ms && up->name)
        up->name->every_ms = every_ms;
}

size_t dg_config_read_upstream(dg_config *config, const dg_node *node, dg_diags *diags)
{
    static const char *const known[] = {"url",      "verify",     "ca",      "tls", "keep",
                                        "tls_host", "send_proxy", "resolve", NULL};
    const dg_node *url = node;
    dg_slice text;
    if (node->kind == DG_NODE_MAP) {
        if (!dg_node_check_keys(node, known, diags))
            return SIZE_MAX;
        url = dg_node_get(node, "url");
        if (!url) {
            dg_diags_add(diags, DG_ERROR, node->origin, "a backend needs a 'url'");
            return SIZE_MAX;
        }
    }
    if (!dg_node_want_string(url, "the URL of a backend", diags, &text))
        return SIZE_MAX;
    dg_upstream *up = dg_config_upstream(config, text.ptr, url->origin, diags);
    if (!up)
        return SIZE_MAX;
    if (node->kind == DG_NODE_MAP)
        read_options(config, node, up, diags);
    return (size_t)(up - config->upstreams);
}
