/* Connections to a backend: kept ones first, newest first; new ones otherwise. One pool a worker and backend,
 * on the worker's thread. A kept connection that shows any sign of life while nobody asked it for anything
 * (bytes, an end, an error) is closed (RFC 9112 9.2). */
#ifndef DG_NET_POOL_H
#define DG_NET_POOL_H

#include "certs/tls.h"
#include "proxy/net/address.h"
#include "proxy/net/conn.h"
#include "proxy/net/name.h"
#include "proxy/net/proxy_protocol.h"

/* A backend as configured. Immutable, but for what its name means; outlives its pools. */
typedef struct dg_upstream {
    const char *url;       /* as the operator wrote it, for messages */
    const char *authority; /* host[:port] for Host where the client sent none */
    const char *tls_host;  /* name or address to verify */
    dg_address addresses[DG_ADDRESSES_MAX];
    size_t address_count;
    dg_name *name; /* NULL = the addresses stay as they are */
    dg_tls_client *tls; /* NULL = plain */
    size_t idle_max;    /* kept connections a worker */
    uint64_t idle_ms;
    uint64_t connect_ms; /* connect and TLS handshake together */
    unsigned send_proxy; /* begin each connection with the PROXY protocol of this version, and keep none for another
                            client; 0 = do not */
    bool whole_requests; /* send each request in one piece with Content-Length (the control API) */
} dg_upstream;

/* Told of every connection that opens (+1) or closes (-1). */
typedef void (*dg_pool_counter)(void *context, int delta);

typedef struct dg_pool {
    dg_loop *loop;
    const dg_upstream *upstream;
    dg_pool_counter counter;
    void *context;
    struct dg_upconn *idle; /* newest first */
    size_t idle_count, open_count;
    dg_address addresses[DG_ADDRESSES_MAX]; /* the newest that this worker saw */
    size_t address_count;
    unsigned name_version;
    size_t next_address; /* the one that worked last */
} dg_pool;

typedef struct dg_upconn {
    dg_conn conn;
    dg_pool *pool;
    struct dg_upconn *next, **link; /* in the idle list; link NULL while in use */
    void *user;                     /* who uses it */
    size_t address, tries;
    dg_ip ip; /* of that address */
    uint8_t preface_bytes; /* what goes out before all else, even TLS */
    char preface[DG_PROXY_WRITE_BYTES_MAX];
    bool reused;    /* it has answered before: it may be dead without our knowing */
    bool connected; /* open at least once: what fails then is the exchange, not the connect */
} dg_upconn;

void dg_pool_init(dg_pool *pool, dg_loop *loop, const dg_upstream *upstream, dg_pool_counter counter,
                  void *context);
/* Closes the idle ones. Those in use must be gone. */
void dg_pool_free(dg_pool *pool);

/* A connection for `user`, whose handler gets its events from now on. A new one is connecting: drive it with
 * dg_upconn_progress. `fresh` never takes a kept one. NULL with errno. */
dg_upconn *dg_pool_take(dg_pool *pool, bool fresh, const dg_conn_handler *handler, void *user);
/* DG_OK when bytes may be sent, DG_AGAIN, DG_IO. Tries the backend's other addresses before it fails. */
DG_MUST_USE dg_status dg_upconn_progress(dg_upconn *up);
/* Where it is connected to; not known for a unix socket. */
void dg_upconn_address(const dg_upconn *up, dg_ip *ret_ip);
/* The user is done: keep it for the next one, or close it. */
void dg_pool_keep(dg_upconn *up);
void dg_pool_drop(dg_upconn *up);

#endif
