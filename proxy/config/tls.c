/* What a configuration says of TLS, on both sides. */
#include "proxy/config/load.h"
#include "proxy/http/head.h"

enum { CERTS_MAX = 64 };

static const char *read_file(dg_config *config, const dg_node *map, const char *key, dg_diags *diags)
{
    const dg_node *node = dg_node_get(map, key);
    dg_slice text;
    return node && dg_node_want_string(node, "a file", diags, &text) ? dg_config_path(config, text)
                                                                    : NULL;
}

/* False, with a diagnostic, when a file is missing. */
static bool read_pair(dg_config *config, const dg_node *node, dg_diags *diags,
                      dg_tls_cert_files *ret_files)
{
    if (!dg_node_get(node, "cert") || !dg_node_get(node, "key")) {
        dg_diags_add(diags, DG_ERROR, node->origin, "a certificate needs both 'cert' and 'key'");
        return false;
    }
    dg_tls_cert_files files = {.cert_file = read_file(config, node, "cert", diags),
                               .key_file = read_file(config, node, "key", diags),
                               .ocsp_file = read_file(config, node, "ocsp", diags),
                               .origin = node->origin};
    if (!files.cert_file || !files.key_file || (dg_node_get(node, "ocsp") && !files.ocsp_file))
        return false;
    *ret_files = files;
    return true;
}

/* ---- listeners */

static void add_cert(dg_config *config, dg_listen *listen, const dg_node *node, dg_diags *diags)
{
    if (listen->cert_count == CERTS_MAX)
        dg_diags_add(diags, DG_ERROR, node->origin, "too many certificates (the limit is %d)", CERTS_MAX);
    else if (read_pair(config, node, diags, &listen->certs[listen->cert_count]))
        listen->cert_count++;
}

static void read_certs(dg_config *config, dg_listen *listen, const dg_node *list, dg_diags *diags)
{
    static const char *const known[] = {"cert", "key", "ocsp", NULL};
    for (const dg_node *item = list->first; item; item = item->next)
        if (dg_node_want_map(item, "a certificate: {cert: FILE, key: FILE}", diags) &&
            dg_node_check_keys(item, known, diags))
            add_cert(config, listen, item, diags);
}

static void read_clients(dg_config *config, dg_listen *listen, const dg_node *node, dg_diags *diags)
{
    const dg_node *verify = dg_node_get(node, "client_verify");
    dg_slice text;
    listen->client_ca = read_file(config, node, "client_ca", diags);
    listen->client_required = true;
    if (!verify || !dg_node_want_string(verify, "'required' or 'optional'", diags, &text))
        return;
    listen->client_required = dg_slice_eq(text, DG_SLICE("required"));
    if (!listen->client_required && !dg_slice_eq(text, DG_SLICE("optional")))
        dg_diags_add(diags, DG_ERROR, verify->origin, "'client_verify' is 'required' or 'optional'");
    if (!dg_node_get(node, "client_ca"))
        dg_diags_add(diags, DG_ERROR, verify->origin,
                     "'client_verify' needs a 'client_ca' to verify clients with");
}

static void read_map(dg_config *config, dg_listen *listen, const dg_node *node, dg_diags *diags)
{
    static const char *const known[] = {"cert",  "key",       "ocsp",
                                        "certs", "client_ca", "client_verify", NULL};
    if (!dg_node_want_map(node, "a certificate: {cert: FILE, key: FILE}", diags) ||
        !dg_node_check_keys(node, known, diags))
        return;
    const dg_node *certs = dg_node_get(node, "certs");
    if (!certs)
        add_cert(config, listen, node, diags);
    else if (dg_node_get(node, "cert") || dg_node_get(node, "key") || dg_node_get(node, "ocsp"))
        dg_diags_add(diags, DG_ERROR, certs->origin,
                     "a certificate stands beside 'certs': write it into the list");
    else if (dg_node_want_list(certs, "a list of certificates", diags))
        read_certs(config, listen, certs, diags);
    read_clients(config, listen, node, diags);
}

void dg_config_listen_tls(dg_config *config, dg_listen *listen, const dg_node *node, dg_diags *diags)
{
    size_t errors = diags->errors;
    listen->certs = dg_arena_zalloc(&config->arena, CERTS_MAX * sizeof *listen->certs);
    if (!listen->certs)
        return;
    if (node->kind == DG_NODE_LIST)
        read_certs(config, listen, node, diags);
    else
        read_map(config, listen, node, diags);
    if (diags->errors > errors && !listen->cert_count)
        return; /* each was refused */
    /* Whatever went wrong, a listener that was to speak TLS never speaks without. */
    const dg_node *ca = dg_node_get(node, "client_ca");
    dg_tls_server_files files = {.certs = listen->certs,
                                 .count = listen->cert_count,
                                 .client_ca_file = listen->client_ca,
                                 .client_required = listen->client_required,
                                 .client_origin = ca ? ca->origin : node->origin,
                                 .tickets = config->tickets};
    dg_status status = dg_tls_server_new(&files, diags, &listen->tls);
    if (status != DG_OK && !diags->errors)
        dg_diags_add(diags, DG_ERROR, node->origin, "no TLS for this listener: %s", dg_status_text(status));
}

/* ---- backends */

void dg_config_upstream_tls(dg_config *config, dg_upstream *up, const dg_node *node, dg_diags *diags)
{
    static const char *const known[] = {"cert", "key", NULL};
    const dg_node *verify = dg_node_get(node, "verify"), *ca = dg_node_get(node, "ca");
    const dg_node *tls = dg_node_get(node, "tls");
    dg_tls_cert_files own;
    dg_tls_client_files files = {.verify = true, .origin = (ca ? ca : verify ? verify : node)->origin};
    if (!up->tls && (verify || ca || tls || dg_node_get(node, "tls_host"))) {
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "'verify', 'ca', 'tls' and 'tls_host' need an https:// backend");
        return;
    }
    if (!verify && !ca && !tls)
        return;
    if (verify)
        (void)dg_node_want_bool(verify, "true or false", diags, &files.verify);
    files.ca_file = read_file(config, node, "ca", diags);
    if (tls && dg_node_want_map(tls, "our certificate: {cert: FILE, key: FILE}", diags) &&
        dg_node_check_keys(tls, known, diags) && read_pair(config, tls, diags, &own))
        files.own = &own;
    dg_tls_client_free(up->tls);
    up->tls = NULL;
    dg_config_tls(up, &files, diags);
}

/* ---- who a client is */

static const char *refuse_name(const dg_config *config, dg_slice name)
{
    if (!dg_is_token(name))
        return "is no name of a field";
    if (dg_field_id_of(name) != DG_FIELD_OTHER)
        return "has a meaning of its own: choose another name";
    for (size_t i = 0; i < DG_TLS_IDENTITY_COUNT; i++)
        if (dg_slice_ieq(config->client_fields[i], name))
            return "is there twice";
    return NULL;
}

void dg_config_client_fields(dg_config *config, const dg_node *node, dg_diags *diags)
{
    const char *known[DG_TLS_IDENTITY_COUNT + 1] = {NULL};
    for (unsigned i = 0; i < DG_TLS_IDENTITY_COUNT; i++)
        known[i] = dg_tls_identity_key((dg_tls_identity_part)i);
    if (!dg_node_want_map(node, "a map of names for fields", diags) ||
        !dg_node_check_keys(node, known, diags))
        return;
    for (unsigned i = 0; i < DG_TLS_IDENTITY_COUNT; i++) {
        const dg_node *name = dg_node_get(node, known[i]);
        dg_slice text;
        if (!name || !dg_node_want_string(name, "the name of a field", diags, &text))
            continue;
        const char *why = refuse_name(config, text);
        if (why)
            dg_diags_add(diags, DG_ERROR, name->origin, "'%.*s' %s", DG_SLICE_FMT(text), why);
        config->client_fields[i] = text;
        config->has_client_fields = true;
    }
}
