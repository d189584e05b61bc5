/* Private to this folder: the configuration's text to dg_config. */
#ifndef DG_CONFIG_LOAD_H
#define DG_CONFIG_LOAD_H

#include "proxy/config/config.h"
#include "rules/doc.h"

/* Fills config, whose arena is initialised, from the file and the options. Errors go to diags. */
DG_MUST_USE dg_status dg_config_load(dg_config *config, const dg_config_options *options, dg_diags *diags);

/* Adds a backend from "http://host:port", "https://host" or "unix:/path". The returned pointer is valid until
 * the next call. NULL when refused. */
dg_upstream *dg_config_upstream(dg_config *config, const char *url, dg_origin origin, dg_diags *diags);

/* TLS for a backend; without it (out of memory, say) there is an error: never plain text instead. */
void dg_config_tls(dg_upstream *up, bool verify, const char *ca, dg_origin origin, dg_diags *diags);

/* A text relative to the folder of the configuration's file. */
const char *dg_config_path(dg_config *config, dg_slice path);

#endif
