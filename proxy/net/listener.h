/* Listeners: a listening socket on one loop. When descriptors run out, accepting pauses for a while instead
 * of spinning: the kernel's queue holds the connections meanwhile. */
#ifndef DG_NET_LISTENER_H
#define DG_NET_LISTENER_H

#include "proxy/net/address.h"
#include "proxy/net/loop.h"

enum { DG_ACCEPT_PAUSE_MS = 200, DG_ACCEPT_BATCH = 64 };

typedef struct dg_listener dg_listener;

/* A connection came; fd is non-blocking and the callee's. */
typedef void (*dg_accept_handler)(void *context, int fd, const struct sockaddr *peer);
/* Whether there is room for another connection; if not, accepting pauses. */
typedef bool (*dg_accept_room)(void *context);
/* Accepting pauses, because of an error or (0) for lack of room: for a line in the log. */
typedef void (*dg_accept_pause_handler)(void *context, int error);

typedef struct dg_listener_handler {
    dg_accept_room room;
    dg_accept_handler accepted;
    dg_accept_pause_handler paused;
} dg_listener_handler;

/* Binds and listens: SO_REUSEPORT, so that every worker has a socket of its own. first: nobody else may have
 * the address; without that check a second process would silently share the traffic. Any thread. The error is
 * errno. */
DG_MUST_USE dg_status dg_listen_socket(const dg_address *address, bool first, int *ret_fd);

/* The same on a unix socket, whose file gets `mode` before anybody can connect. A file that nobody listens on is replaced if
 * it is a socket, else DG_IO with EADDRINUSE. */
DG_MUST_USE dg_status dg_listen_unix(const dg_address *address, unsigned mode, int *ret_fd);

/* Whether the file is a socket that nobody listens on: left behind by a process that was killed. */
bool dg_unix_is_stale(const dg_address *address);

/* Takes over fd. The loop's thread. */
DG_MUST_USE dg_status dg_listener_new(dg_loop *loop, int fd, const dg_listener_handler *handler,
                                      void *context, dg_listener **ret_listener);
void dg_listener_free(dg_listener *listener);

#endif
