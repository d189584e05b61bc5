/* Private to this folder: the thread that looks the names of backends up again, while nobody waits for it. */
#ifndef DG_SERVER_RESOLVER_H
#define DG_SERVER_RESOLVER_H

#include "proxy/config/config.h"

typedef struct dg_resolver dg_resolver;

DG_MUST_USE dg_status dg_resolver_new(dg_resolver **ret_resolver);
/* The backends of this snapshot from now on. Takes a reference. */
void dg_resolver_watch(dg_resolver *resolver, dg_snapshot *snapshot);
/* A lookup that hangs is not waited for: its thread ends by itself. NULL is fine. */
void dg_resolver_free(dg_resolver *resolver);

#endif
