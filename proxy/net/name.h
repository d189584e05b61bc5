/* The addresses of a backend's host name, which change while we run. One thread looks them up (it may block), any thread takes
 * them; nobody waits for a lookup. */
#ifndef DG_NET_NAME_H
#define DG_NET_NAME_H

#include <pthread.h>
#include <stdatomic.h>

#include "proxy/net/address.h"

typedef struct dg_name {
    const char *text;    /* "host:port" */
    uint64_t every_ms;   /* looked up again so often */
    uint64_t due_ms;     /* the one thread's: monotonic */
    atomic_bool failed;  /* a connection could not be made: look again soon */
    atomic_uint version; /* of the addresses; 0 = those of the configuration */
    pthread_mutex_t lock;
    dg_address addresses[DG_ADDRESSES_MAX]; /* under the lock */
    size_t count;
} dg_name;

/* text outlives it. The addresses are those that are known already. */
void dg_name_init(dg_name *name, const char *text, const dg_address *addresses, size_t count, uint64_t every_ms);
void dg_name_destroy(dg_name *name);

/* Looks the name up if it is time to. *ret_changed: there are other addresses than before. DG_NOT_FOUND: it does not
 * resolve now; the old ones stay. */
DG_MUST_USE dg_status dg_name_look_up(dg_name *name, uint64_t now_ms, bool *ret_changed);

/* Copies the addresses if they are others than those of *version, which is then theirs. */
bool dg_name_take(dg_name *name, unsigned *version, dg_address addresses[DG_ADDRESSES_MAX], size_t *count);

#endif
