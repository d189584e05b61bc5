/* Private to this folder: a worker thread, and the mailbox through which the control thread talks to it. */
#ifndef DG_SERVER_WORKER_H
#define DG_SERVER_WORKER_H

#include <pthread.h>

#include "proxy/exchange/edge.h"

enum { DG_SOCKETS_MAX = 64 * DG_ADDRESSES_MAX };

/* A socket that listens, on its way to a worker. */
typedef struct dg_socket {
    dg_address address;
    int fd;
} dg_socket;

typedef struct dg_worker_mail {
    dg_snapshot *snapshot; /* a reference; NULL = no new one */
    dg_socket *sockets;    /* malloc'ed, DG_SOCKETS_MAX: addresses that are new with the snapshot */
    size_t socket_count;
    bool drain, stop;
} dg_worker_mail;

typedef struct dg_worker {
    pthread_t thread;
    bool running;
    dg_edge edge;
    struct dg_acceptor *acceptors;
    int wake_fd; /* eventfd */
    struct event wake;
    pthread_mutex_t lock;
    dg_worker_mail mail; /* under the lock */
    int done_fd;         /* eventfd of the control thread: an edge went empty */
    atomic_bool empty;
} dg_worker;

/* Starts a worker with its first mail, which is taken over with DG_OK only. done_fd is written to when
 * it has drained. */
DG_MUST_USE dg_status dg_worker_start(dg_worker *worker, const dg_worker_mail *first,
                                      dg_usage_shard *usage, dg_accesslog_ring *log,
                                      const char *via, int done_fd);
/* Control thread. What is in `mail` is taken over; a snapshot that was not looked at yet is replaced. */
void dg_worker_tell(dg_worker *worker, const dg_worker_mail *mail);
/* Tells it to stop, and waits. */
void dg_worker_join(dg_worker *worker);

#endif
