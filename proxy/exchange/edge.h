/* A worker's edge: its loop, its clients, its pools, and the snapshot that new exchanges begin with.
 * Everything here belongs to one worker thread. */
#ifndef DG_EXCHANGE_EDGE_H
#define DG_EXCHANGE_EDGE_H

#include "base/date.h"
#include "proxy/accesslog/accesslog.h"
#include "proxy/coding/coding.h"
#include "proxy/config/config.h"
#include "proxy/http/head.h"
#include "proxy/message/message.h"
#include "proxy/net/listener.h"

typedef struct dg_exchange dg_exchange;
typedef struct dg_downstream dg_downstream;

/* A snapshot on one worker, with what that worker derives from it. New exchanges take the newest epoch; an
 * old one goes when its last exchange ends, and its kept connections and learned keys with it. */
enum { DG_LIFECYCLE_SLOTS = 16 };

typedef struct dg_epoch {
    dg_snapshot *snapshot;
    struct { /* the fields of versions lately answered in, for they are always the same */
        const dg_version *version;
        dg_buf text;
    } lifecycle[DG_LIFECYCLE_SLOTS];
    dg_runner *runner;
    dg_pool *pools; /* by upstream */
    size_t exchanges;
} dg_epoch;

typedef struct dg_edge {
    dg_loop loop;
    dg_epoch *epoch;
    dg_usage_shard *usage;
    dg_accesslog_ring *log; /* written to when the snapshot names an access log */
    dg_downstream *clients; /* all open connections from clients */
    size_t client_count, control_count; /* the second: those of them on the admin port */
    dg_exchange *spare; /* exchanges for reuse, with the memory of their buffers */
    size_t spare_count;
    dg_coder *coder;
    bool draining;
    dg_head head; /* scratch of the message being looked at; never outlives one event */
    dg_buf scratch; /* likewise */
    dg_translator translator; /* likewise */
    uint64_t id_seed[2]; /* of request ids: random, and a counter from a random start */
    char via[32]; /* our pseudonym, to find loops */
    uint64_t wall_until_ms; /* wall_s is looked up again after that */
    int64_t wall_s;
    char date[DG_IMF_FIXDATE_BYTES]; /* of wall_s */
} dg_edge;

DG_MUST_USE dg_status dg_edge_init(dg_edge *edge, dg_snapshot *snapshot, dg_usage_shard *usage,
                                   dg_accesslog_ring *log, const char *via);
/* Closes everything at once. */
void dg_edge_free(dg_edge *edge);

/* New exchanges begin with this snapshot from now on. On DG_NOMEM the old one stays. */
DG_MUST_USE dg_status dg_edge_switch(dg_edge *edge, dg_snapshot *snapshot);
/* Idle connections go now, active ones after their exchange. */
void dg_edge_drain(dg_edge *edge);
/* Nothing is in flight; connections on the admin port do not count. */
bool dg_edge_is_empty(const dg_edge *edge);

bool dg_edge_has_room(const dg_edge *edge); /* for another client */

/* A client came on a listener; fd is taken over. */
void dg_edge_accept(dg_edge *edge, int fd, const struct sockaddr *peer, const dg_listen *listen);

/* Seconds since 1970, at most a tenth of a second old; and as a date for Date fields. */
int64_t dg_edge_now(dg_edge *edge);
dg_slice dg_edge_date(dg_edge *edge);
void dg_epoch_release(dg_edge *edge, dg_epoch *epoch);

#endif
