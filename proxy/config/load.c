#include "proxy/config/load.h"

#include <stdio.h>
#include <unistd.h>

#include "proxy/http/head.h"

enum { LISTENS_MAX = 64, WORKERS_MAX = 256, TRUSTED_MAX = 256, UPGRADES_MAX = 16,
       MODE_DEFAULT = 0660 };

typedef struct reader {
    dg_config *config;
    dg_diags *diags;
} reader;

const char *dg_config_path(dg_config *config, dg_slice path)
{
    const char *slash = config->file ? strrchr(config->file, '/') : NULL;
    if (!slash || (path.len && path.ptr[0] == '/'))
        return dg_arena_dup(&config->arena, path).ptr;
    return dg_arena_printf(&config->arena, "%.*s/%.*s", (int)(slash - config->file), config->file,
                           DG_SLICE_FMT(path));
}

/* ---- numbers with units */

static bool read_number(dg_slice *text, uint64_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9' && n < UINT32_MAX; i++)
        n = n * 10 + (uint64_t)(text->ptr[i] - '0');
    *text = dg_slice_from(*text, i);
    *ret = n;
    return i > 0;
}

/* "500ms", "10s", "2m", "1h" or plain seconds; more than 0, at most a day. */
static bool parse_duration(dg_slice text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    uint64_t n;
    if (!read_number(&text, &n) || n == 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (dg_slice_eq(text, dg_slice_str(units[i].unit)) && n * units[i].ms <= 86400000) {
            *ret_ms = n * units[i].ms;
            return true;
        }
    return false;
}

#define DURATION_FORM "write 500ms, 10s, 2m or 1h (at most 24h, more than 0)"

void dg_config_duration(const dg_node *map, const char *key, dg_diags *diags, uint64_t *ret_ms)
{
    const dg_node *node = dg_node_get(map, key);
    dg_slice text;
    if (node && dg_node_want_string(node, "a duration like 500ms, 10s or 2m", diags, &text) &&
        !parse_duration(text, ret_ms))
        dg_diags_add(diags, DG_ERROR, node->origin, "'%.*s' is no duration: " DURATION_FORM, DG_SLICE_FMT(text));
}

static void read_bytes(reader *r, const dg_node *map, const char *key, uint64_t min, uint64_t max,
                       size_t *ret_bytes)
{
    const dg_node *node = dg_node_get(map, key);
    dg_slice text;
    uint64_t n;
    if (!node || !dg_node_want_string(node, "a size like 16KB or 8MB", r->diags, &text))
        return;
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"", 1}, {"KB", 1024}, {"MB", 1048576}, {"GB", 1073741824}};
    if (read_number(&text, &n))
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (dg_slice_ieq(text, dg_slice_str(units[i].unit)) && n * units[i].bytes >= min &&
                n * units[i].bytes <= max) {
                *ret_bytes = (size_t)(n * units[i].bytes);
                return;
            }
    dg_diags_add(r->diags, DG_ERROR, node->origin,
                 "'%.*s' is no size for %s: write 16KB or 8MB, from %llu to %llu bytes",
                 DG_SLICE_FMT(node->text), key, (unsigned long long)min, (unsigned long long)max);
}

/* ---- listeners */

static dg_listen *add_listen(reader *r, const char *text, dg_origin origin)
{
    dg_config *config = r->config;
    const char *error = NULL;
    if (!config->listens)
        config->listens = dg_arena_zalloc(&config->arena, LISTENS_MAX * sizeof *config->listens);
    if (!config->listens || config->listen_count == LISTENS_MAX) {
        dg_diags_add(r->diags, DG_ERROR, origin, "too many listeners (the limit is %d)", LISTENS_MAX);
        return NULL;
    }
    if (strncmp(text, "unix:", 5) == 0 && text[5] != '/') {
        dg_diags_add(r->diags, DG_ERROR, origin, "'%s': the path of a socket to listen on begins with /", text);
        return NULL;
    }
    dg_listen *listen = &config->listens[config->listen_count];
    *listen = (dg_listen){.text = dg_arena_strdup(&config->arena, text), .origin = origin, .mode = MODE_DEFAULT};
    if (dg_address_resolve(text, true, listen->addresses, &listen->address_count, &error) != DG_OK) {
        dg_diags_add(r->diags, DG_ERROR, origin, "cannot listen on '%s': %s", text, error);
        return NULL;
    }
    config->listen_count++;
    return listen;
}

/* "0660": octal, as chmod takes it. */
static void read_mode(reader *r, dg_listen *listen, const dg_node *node)
{
    dg_slice text;
    unsigned mode = 0;
    if (!dg_node_want_string(node, "a mode like \"0660\"", r->diags, &text))
        return;
    bool good = text.len > 0 && text.len <= 4;
    for (size_t i = 0; i < text.len && good; i++) {
        good = text.ptr[i] >= '0' && text.ptr[i] <= '7';
        mode = mode * 8 + (unsigned)(text.ptr[i] - '0');
    }
    if (listen->addresses[0].storage.ss_family != AF_UNIX)
        dg_diags_add(r->diags, DG_ERROR, node->origin, "'mode' is for unix sockets");
    else if (!good || mode > 0777)
        dg_diags_add(r->diags, DG_ERROR, node->origin, "'%s' is no mode: write \"0660\"", text.ptr);
    else
        listen->mode = mode;
}

/* {redirect: https, port: 8443} */
static void read_redirect(reader *r, dg_listen *listen, const dg_node *map)
{
    const dg_node *node = dg_node_get(map, "redirect"), *port_node = dg_node_get(map, "port");
    dg_slice text;
    uint64_t port = 443;
    if (port_node && !node)
        dg_diags_add(r->diags, DG_ERROR, port_node->origin, "'port' is where 'redirect: https' leads to");
    if (!node || !dg_node_want_string(node, "'https'", r->diags, &text))
        return;
    if (!dg_slice_eq(text, DG_SLICE("https")))
        dg_diags_add(r->diags, DG_ERROR, node->origin, "a listener redirects to 'https' only");
    else if (dg_node_get(map, "tls"))
        dg_diags_add(r->diags, DG_ERROR, node->origin, "a listener with 'tls' is https already: it would redirect to itself");
    else if (!port_node || dg_node_want_u64(port_node, "a port", 1, 65535, r->diags, &port))
        listen->redirect_port = (uint16_t)port;
}

static void read_listen(reader *r, const dg_node *node)
{
    static const char *const known[] = {"address", "mode", "port", "proxy_protocol", "redirect", "tls", NULL};
    const dg_node *address = node;
    dg_slice text;
    if (node->kind == DG_NODE_MAP) {
        if (!dg_node_check_keys(node, known, r->diags))
            return;
        address = dg_node_get(node, "address");
        if (!address) {
            dg_diags_add(r->diags, DG_ERROR, node->origin, "a listener needs an 'address'");
            return;
        }
    }
    if (!dg_node_want_string(address, "an address like 127.0.0.1:8080", r->diags, &text))
        return;
    dg_listen *listen = add_listen(r, text.ptr, address->origin);
    if (!listen || node->kind != DG_NODE_MAP)
        return;
    const dg_node *tls = dg_node_get(node, "tls"), *mode = dg_node_get(node, "mode");
    const dg_node *proxy = dg_node_get(node, "proxy_protocol");
    if (tls)
        dg_config_listen_tls(r->config, listen, tls, r->diags);
    if (mode)
        read_mode(r, listen, mode);
    read_redirect(r, listen, node);
    if (proxy)
        (void)dg_node_want_bool(proxy, "true or false", r->diags, &listen->proxy_protocol);
}

/* ---- the rest */

static void read_pack(reader *r, const dg_node *node)
{
    dg_config_read_pack(r->config, node, r->diags);
}

static void read_timeouts(reader *r, const dg_node *node)
{
    static const char *const known[] = {"head", "body", "connect", "answer", "send", "idle", "tunnel", "drain",
                                        "tickets", NULL};
    dg_timeouts *t = &r->config->timeouts;
    if (!dg_node_want_map(node, "a map of durations", r->diags) ||
        !dg_node_check_keys(node, known, r->diags))
        return;
    dg_config_duration(node, "head", r->diags, &t->head_ms);
    dg_config_duration(node, "body", r->diags, &t->body_ms);
    dg_config_duration(node, "connect", r->diags, &t->connect_ms);
    dg_config_duration(node, "answer", r->diags, &t->answer_ms);
    dg_config_duration(node, "send", r->diags, &t->send_ms);
    dg_config_duration(node, "idle", r->diags, &t->idle_ms);
    dg_config_duration(node, "tunnel", r->diags, &t->tunnel_ms);
    dg_config_duration(node, "drain", r->diags, &t->drain_ms);
    dg_config_duration(node, "tickets", r->diags, &t->tickets_ms);
}

static void read_limits(reader *r, const dg_node *node)
{
    static const char *const known[] = {"head", "body", "connections", NULL};
    dg_limits *limits = &r->config->limits;
    uint64_t n;
    if (!dg_node_want_map(node, "a map of limits", r->diags) ||
        !dg_node_check_keys(node, known, r->diags))
        return;
    read_bytes(r, node, "head", 1024, DG_BLOCK_BYTES, &limits->head_bytes);
    read_bytes(r, node, "body", 1024, (uint64_t)1 << 30, &limits->body_bytes);
    const dg_node *connections = dg_node_get(node, "connections");
    if (connections &&
        dg_node_want_u64(connections, "a number of connections", 1, 10000000, r->diags, &n))
        limits->connections = (size_t)n;
}

static void read_unmatched(reader *r, const dg_node *node)
{
    dg_slice text;
    if (!dg_node_want_string(node, "'reject' or 'pass'", r->diags, &text))
        return;
    r->config->pass_unmatched = dg_slice_eq(text, DG_SLICE("pass"));
    if (!r->config->pass_unmatched && !dg_slice_eq(text, DG_SLICE("reject")))
        dg_diags_add(r->diags, DG_ERROR, node->origin,
                     "'unmatched' says what happens to requests that no pack claims: 'reject' or 'pass'");
}

static void read_admin(reader *r, const dg_node *node)
{
    dg_slice text;
    if (!dg_node_want_string(node, "an address like 127.0.0.1:9901", r->diags, &text))
        return;
    dg_listen *listen = add_listen(r, text.ptr, node->origin);
    if (listen)
        listen->control = true;
}

static void read_trusted(reader *r, const dg_node *node)
{
    dg_config *config = r->config;
    dg_slice text;
    if (!config->trusted)
        config->trusted = dg_arena_zalloc(&config->arena, TRUSTED_MAX * sizeof *config->trusted);
    if (!config->trusted || !dg_node_want_string(node, "a network like 10.0.0.0/8", r->diags, &text))
        return;
    if (config->trusted_count == TRUSTED_MAX)
        dg_diags_add(r->diags, DG_ERROR, node->origin, "too many networks (the limit is %d)", TRUSTED_MAX);
    else if (dg_network_parse(text.ptr, &config->trusted[config->trusted_count]) == DG_OK)
        config->trusted_count++;
    else
        dg_diags_add(r->diags, DG_ERROR, node->origin,
                     "'%s' is no network: write 10.0.0.0/8, 192.0.2.7, ::1 or unix", text.ptr);
}

/* Other forms of HTTP would carry requests past the packs, whatever version they are in; TLS (RFC 2817) would have to end
 * here. */
static void read_upgrade(reader *r, const dg_node *node)
{
    static const char *const refused[] = {"h2c", "h2", "h3", "HTTP", "TLS"};
    dg_config *config = r->config;
    dg_slice text;
    if (!config->upgrades)
        config->upgrades = dg_arena_zalloc(&config->arena, UPGRADES_MAX * sizeof *config->upgrades);
    if (!config->upgrades || !dg_node_want_string(node, "a protocol like websocket", r->diags, &text))
        return;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (dg_slice_ieq(text, dg_slice_str(refused[i]))) {
            dg_diags_add(r->diags, DG_ERROR, node->origin,
                         "'%s' cannot be upgraded to: what is said in it would pass the packs unseen", text.ptr);
            return;
        }
    if (!text.len || strpbrk(text.ptr, " \t,/;\"()<>@:\\[]?={}"))
        dg_diags_add(r->diags, DG_ERROR, node->origin, "'%s' is no name of a protocol: write websocket", text.ptr);
    else if (config->upgrade_count == UPGRADES_MAX)
        dg_diags_add(r->diags, DG_ERROR, node->origin, "too many protocols (the limit is %d)", UPGRADES_MAX);
    else
        config->upgrades[config->upgrade_count++] = text;
}

/* A token, and none of the fields that mean something else. */
static bool may_be_request_id(dg_slice name)
{
    dg_field_id id = dg_field_id_of(name);
    return name.len <= 64 && dg_is_token(name) && (id == DG_FIELD_OTHER || id == DG_FIELD_X_REQUEST_ID);
}

static void read_access_log(reader *r, const dg_node *node)
{
    static const char *const known[] = {"file", "format", NULL};
    const dg_node *file = node, *format = NULL;
    dg_access_log *log = &r->config->access_log;
    dg_slice text;
    if (node->kind == DG_NODE_MAP) {
        if (!dg_node_check_keys(node, known, r->diags))
            return;
        file = dg_node_get(node, "file");
        format = dg_node_get(node, "format");
        if (!file) {
            dg_diags_add(r->diags, DG_ERROR, node->origin, "an access log needs a 'file'");
            return;
        }
    }
    if (dg_node_want_string(file, "a file, or - for standard output", r->diags, &text))
        log->file = dg_slice_eq(text, DG_SLICE("-")) ? "-" : dg_config_path(r->config, text);
    if (!format || !dg_node_want_string(format, "'json', 'combined' or 'extended'", r->diags, &text))
        return;
    log->format = dg_slice_eq(text, DG_SLICE("combined"))   ? DG_LOG_COMBINED
                  : dg_slice_eq(text, DG_SLICE("extended")) ? DG_LOG_EXTENDED
                                                            : DG_LOG_JSON;
    if (log->format == DG_LOG_JSON && !dg_slice_eq(text, DG_SLICE("json")))
        dg_diags_add(r->diags, DG_ERROR, format->origin,
                     "the format of an access log is 'json', 'combined' or 'extended'");
}

/* "none", or {field: X-Request-Id, trust: all} */
static void read_request_id(reader *r, const dg_node *node)
{
    static const char *const known[] = {"field", "trust", NULL};
    dg_request_id_config *id = &r->config->request_id;
    dg_slice text;
    if (node->kind != DG_NODE_MAP) {
        if (!dg_node_want_string(node, "'none', or a map with 'field' and 'trust'", r->diags, &text))
            return;
        if (!dg_slice_eq(text, DG_SLICE("none")))
            dg_diags_add(r->diags, DG_ERROR, node->origin,
                         "'request_id' is 'none', or a map with 'field' and 'trust'");
        id->field = (dg_slice){NULL, 0};
        return;
    }
    if (!dg_node_check_keys(node, known, r->diags))
        return;
    const dg_node *field = dg_node_get(node, "field"), *trust = dg_node_get(node, "trust");
    if (field && dg_node_want_string(field, "the name of a field", r->diags, &id->field) &&
        !may_be_request_id(id->field))
        dg_diags_add(r->diags, DG_ERROR, field->origin, "'%s' cannot be the field of the request id", field->text.ptr);
    if (!trust || !dg_node_want_string(trust, "'trusted' or 'all'", r->diags, &text))
        return;
    id->trust_all = dg_slice_eq(text, DG_SLICE("all"));
    if (!id->trust_all && !dg_slice_eq(text, DG_SLICE("trusted")))
        dg_diags_add(r->diags, DG_ERROR, trust->origin,
                     "request ids are believed from 'trusted' proxies, or from 'all'");
}

static void each(reader *r, const dg_node *node, void (*read)(reader *, const dg_node *))
{
    if (node->kind != DG_NODE_LIST) {
        read(r, node);
        return;
    }
    for (const dg_node *item = node->first; item; item = item->next)
        read(r, item);
}

static void read_root(reader *r, const dg_node *root, const dg_config_options *options)
{
    static const char *const known[] = {"listen", "upstream", "packs", "unmatched", "no_transform", "admin",
                                        "access_log", "trusted_proxies", "client_fields", "upgrades", "request_id",
                                        "workers", "timeouts", "limits", NULL};
    const dg_node *node;
    uint64_t n;
    if (!dg_node_want_map(root, "a configuration", r->diags))
        return;
    (void)dg_node_check_keys(root, known, r->diags);
    if ((node = dg_node_get(root, "upstream")) && !options->upstream)
        r->config->has_default = dg_config_read_upstream(r->config, node, r->diags) == 0;
    if ((node = dg_node_get(root, "listen")) && !options->listen_count)
        each(r, node, read_listen);
    if ((node = dg_node_get(root, "no_transform")))
        dg_config_no_transform(node, r->diags, &r->config->ignores_no_transform);
    if ((node = dg_node_get(root, "packs")))
        each(r, node, read_pack);
    if ((node = dg_node_get(root, "unmatched")))
        read_unmatched(r, node);
    if ((node = dg_node_get(root, "admin")) && !options->admin)
        read_admin(r, node);
    if ((node = dg_node_get(root, "trusted_proxies")))
        each(r, node, read_trusted);
    if ((node = dg_node_get(root, "client_fields")))
        dg_config_client_fields(r->config, node, r->diags);
    if ((node = dg_node_get(root, "upgrades")))
        each(r, node, read_upgrade);
    if ((node = dg_node_get(root, "request_id")))
        read_request_id(r, node);
    if ((node = dg_node_get(root, "access_log")))
        read_access_log(r, node);
    if ((node = dg_node_get(root, "workers")) &&
        dg_node_want_u64(node, "a number of workers", 1, WORKERS_MAX, r->diags, &n))
        r->config->workers = (unsigned)n;
    if ((node = dg_node_get(root, "timeouts")))
        read_timeouts(r, node);
    if ((node = dg_node_get(root, "limits")))
        read_limits(r, node);
}

/* One duration for everything that a peer is waited for. */
static void read_timeout_option(reader *r, const char *text)
{
    dg_timeouts *t = &r->config->timeouts;
    uint64_t ms;
    if (!parse_duration(dg_slice_str(text), &ms)) {
        dg_diags_add(r->diags, DG_ERROR, (dg_origin){NULL, 0, 0},
                     "--timeout: '%s' is no duration: " DURATION_FORM, text);
        return;
    }
    t->head_ms = t->body_ms = t->connect_ms = t->answer_ms = t->send_ms = ms;
}

static void read_options(reader *r, const dg_config_options *options)
{
    for (size_t i = 0; i < options->listen_count; i++)
        (void)add_listen(r, options->listens[i], (dg_origin){NULL, 0, 0});
    for (size_t i = 0; i < options->pack_count; i++)
        (void)dg_config_add_pack(r->config, dg_arena_strdup(&r->config->arena, options->packs[i]),
                                 (dg_origin){NULL, 0, 0}, r->diags);
    dg_listen *admin =
        options->admin ? add_listen(r, options->admin, (dg_origin){NULL, 0, 0}) : NULL;
    if (admin)
        admin->control = true;
    if (options->workers)
        r->config->workers = options->workers;
    if (options->timeout)
        read_timeout_option(r, options->timeout);
}

static void check_whole(reader *r)
{
    dg_config *config = r->config;
    dg_origin whole = {config->file, 0, 0};
    bool any = false;
    for (size_t i = 0; i < config->listen_count; i++)
        any |= !config->listens[i].control;
    if (!any && !r->diags->errors)
        dg_diags_add(r->diags, DG_ERROR, whole, "nothing to listen on: give 'listen' (or --listen)");
    if (!config->upstream_count && !r->diags->errors)
        dg_diags_add(r->diags, DG_ERROR, whole, "no backend: give 'upstream' (or --upstream)");
    else if (!config->has_default && config->pass_unmatched && !r->diags->errors)
        dg_diags_add(r->diags, DG_ERROR, whole,
                     "'unmatched: pass' needs a default backend: give 'upstream' (or --upstream)");
}

dg_status dg_config_load(dg_config *config, const dg_config_options *options, dg_diags *diags)
{
    reader r = {config, diags};
    const dg_node *root = NULL;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    config->workers = processors > 0 && processors <= WORKERS_MAX ? (unsigned)processors : 1;
    config->timeouts = (dg_timeouts){.head_ms = 10000, .body_ms = 60000, .connect_ms = 5000,
                                     .answer_ms = 60000, .send_ms = 60000, .idle_ms = 75000,
                                     .tunnel_ms = 3600000,
                                     .drain_ms = 30000,
                                     .tickets_ms = DG_TLS_TICKETS_INTERVAL_S * 1000ull};
    config->tickets = options->tickets;
    config->request_id.field = DG_SLICE("X-Request-Id");
    config->limits = (dg_limits){.head_bytes = DG_BLOCK_BYTES, .body_bytes = 8u << 20};
    /* The backend on the command line is the default one, whatever the file's packs name. */
    if (options->upstream)
        config->has_default =
            dg_config_upstream(config, options->upstream, (dg_origin){NULL, 0, 0}, diags) != NULL;
    if (options->file) {
        config->file = dg_arena_strdup(&config->arena, options->file);
        if (config->file && dg_doc_load(&config->arena, config->file, diags, &root) == DG_OK)
            read_root(&r, root, options);
    }
    read_options(&r, options);
    config->pass_unmatched |= config->pack_count == 0;
    check_whole(&r);
    if (dg_arena_failed(&config->arena))
        return DG_NOMEM;
    return diags->errors ? DG_INVALID : DG_OK;
}
