/* Private to this folder: the configuration's text to dg_config. */
#ifndef DG_CONFIG_LOAD_H
#define DG_CONFIG_LOAD_H

#include "proxy/config/config.h"
#include "rules/doc/doc.h"

/* Fills config, whose arena is initialised, from the file and the options. Errors go to diags. */
DG_MUST_USE dg_status dg_config_load(dg_config *config, const dg_config_options *options, dg_diags *diags);

/* Adds a backend from "http://host:port", "https://host" or "unix:/path". The returned pointer is valid until
 * the next call. NULL when refused. */
dg_upstream *dg_config_upstream(dg_config *config, const char *url, dg_origin origin, dg_diags *diags);

/* The same from "upstream": a URL, or a map. Its index among the upstreams, or SIZE_MAX when refused. */
size_t dg_config_read_upstream(dg_config *config, const dg_node *node, dg_diags *diags);

/* TLS for a backend, as the URL alone asks for it. Without it (out of memory, say) there is an error: never plain
 * text instead. */
void dg_config_tls(dg_upstream *up, const dg_tls_client_files *files, dg_diags *diags);

/* ---- packs.c */
/* A folder, or a map with its backends and settings. */
void dg_config_read_pack(dg_config *config, const dg_node *node, dg_diags *diags);
/* A pack with the default backend. NULL when there are too many, or no memory. */
dg_pack_source *dg_config_add_pack(dg_config *config, const char *dir, dg_origin origin, dg_diags *diags);
/* "refuse" or "ignore". */
void dg_config_no_transform(const dg_node *node, dg_diags *diags, bool *ret_ignores);

/* ---- tls.c */
/* "tls" of a listener: one certificate, a list of them, or a map with both them and the clients' CA. */
void dg_config_listen_tls(dg_config *config, dg_listen *listen, const dg_node *node, dg_diags *diags);
/* "verify", "ca" and "tls" of a backend. */
void dg_config_upstream_tls(dg_config *config, dg_upstream *up, const dg_node *node, dg_diags *diags);
/* "client_fields": part of an identity to the name of a field. */
void dg_config_client_fields(dg_config *config, const dg_node *node, dg_diags *diags);

/* The duration below `key`, if there is one: "500ms", "10s". */
void dg_config_duration(const dg_node *map, const char *key, dg_diags *diags, uint64_t *ret_ms);

/* A text relative to the folder of the configuration's file. */
const char *dg_config_path(dg_config *config, dg_slice path);

#endif
