/* The running proxy: one control thread (this one) with signals, reload and the admin API, and one worker
 * thread a core, each with an edge of its own.
 *
 * SIGHUP reloads: a configuration that is not whole changes nothing. SIGTERM, SIGINT and SIGQUIT drain: no
 * new connections, what is in flight is finished within the drain time, then the end; a second one ends at
 * once. */
#ifndef DG_PROXY_SERVER_H
#define DG_PROXY_SERVER_H

#include "proxy/config/config.h"

typedef struct dg_server_hooks {
    void *context;
    /* The listeners are open and the workers run. `snapshot` is the first one; valid during the call. */
    void (*started)(void *context, const dg_snapshot *snapshot);
} dg_server_hooks;

/* Runs until it is told to end. 0, or 1 when it could not start: every error was printed. hooks may be NULL. */
int dg_server_run(const dg_config_options *options, const dg_server_hooks *hooks);

/* Reads and checks everything without opening a socket; prints every error. 0 or 1. */
int dg_server_check(const dg_config_options *options);

#endif
