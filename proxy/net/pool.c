#include "proxy/net/pool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

void dg_pool_init(dg_pool *pool, dg_loop *loop, const dg_upstream *upstream, dg_pool_counter counter,
                  void *context)
{
    *pool = (dg_pool){.loop = loop, .upstream = upstream, .counter = counter, .context = context,
                      .address_count = upstream->address_count};
    memcpy(pool->addresses, upstream->addresses, sizeof pool->addresses);
}

static void count(dg_pool *pool, int delta)
{
    pool->open_count += (size_t)delta;
    pool->counter(pool->context, delta);
}

void dg_pool_free(dg_pool *pool)
{
    while (pool->idle)
        dg_pool_drop(pool->idle);
    DG_ASSERT(pool->open_count == 0);
}

static void unlink_idle(dg_upconn *up)
{
    *up->link = up->next;
    if (up->next)
        up->next->link = up->link;
    up->link = NULL;
    up->next = NULL;
    up->pool->idle_count--;
}

/* Perhaps the name means other addresses by now. */
static void not_connected(const dg_pool *pool)
{
    if (pool->upstream->name)
        atomic_store(&pool->upstream->name->failed, true);
}

void dg_pool_drop(dg_upconn *up)
{
    if (!up->connected)
        not_connected(up->pool);
    if (up->link)
        unlink_idle(up);
    dg_conn_close(&up->conn);
    count(up->pool, -1);
    free(up);
}

static dg_upconn *upconn_of(dg_conn *conn)
{
    return (dg_upconn *)(void *)conn; /* its first member */
}

/* An idle connection: the first edges after it opened may only say that it is writable. */
static void idle_ready(dg_conn *conn)
{
    if (conn->can_read || conn->peer_done)
        dg_pool_drop(upconn_of(conn));
}

static void idle_expired(dg_conn *conn)
{
    dg_pool_drop(upconn_of(conn));
}

static const dg_conn_handler idle_handler = {idle_ready, idle_expired};

/* Whether nothing came since the loop last looked at a kept connection: a request sent into its end would be
 * lost, and bytes would be taken for its answer. */
static bool is_quiet(const dg_upconn *up)
{
    char byte;
    return recv(up->conn.fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* Starts connecting to up->address. errno on failure. */
static dg_status start_connect(dg_upconn *up, const dg_conn_handler *handler)
{
    dg_pool *pool = up->pool;
    const dg_address *address = &pool->addresses[up->address];
    int on = 1;
    up->ip.any.sa_family = AF_UNSPEC;
    if (address->storage.ss_family != AF_UNIX)
        memcpy(&up->ip, &address->storage, sizeof up->ip);
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return DG_IO;
    if (address->storage.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = NULL;
    if ((connect(fd, (const struct sockaddr *)&address->storage, address->size) != 0 &&
         errno != EINPROGRESS) ||
        (pool->upstream->tls &&
         !(ssl = dg_tls_client_session(pool->upstream->tls, pool->upstream->tls_host)))) {
        int error = errno;
        close(fd);
        errno = error;
        return DG_IO;
    }
    if (dg_conn_open(&up->conn, pool->loop, fd, ssl, DG_CONN_CONNECTING, handler) != DG_OK) {
        errno = ENOMEM;
        return DG_NOMEM;
    }
    dg_conn_deadline(&up->conn, pool->upstream->connect_ms);
    return DG_OK;
}

/* Goes through the addresses from up->address on until one starts to connect. */
static dg_status try_addresses(dg_upconn *up, const dg_conn_handler *handler)
{
    const dg_pool *pool = up->pool;
    for (; up->tries < pool->address_count; up->tries++) {
        up->address %= pool->address_count; /* there may be fewer than before */
        if (start_connect(up, handler) == DG_OK)
            return DG_OK;
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            break;
        up->address++;
    }
    return DG_IO;
}

dg_upconn *dg_pool_take(dg_pool *pool, bool fresh, const dg_conn_handler *handler, void *user)
{
    dg_upconn *up;
    while (!fresh && (up = pool->idle)) {
        if (!is_quiet(up)) {
            dg_pool_drop(up);
            continue;
        }
        unlink_idle(up);
        dg_conn_no_deadline(&up->conn);
        up->reused = true;
        up->conn.handler = handler;
        up->user = user;
        return up;
    }
    up = calloc(1, sizeof *up);
    if (!up) {
        errno = ENOMEM;
        return NULL;
    }
    if (pool->upstream->name)
        (void)dg_name_take(pool->upstream->name, &pool->name_version, pool->addresses, &pool->address_count);
    *up = (dg_upconn){.pool = pool, .user = user, .address = pool->next_address};
    if (try_addresses(up, handler) != DG_OK) {
        int error = errno;
        not_connected(pool);
        free(up);
        errno = error;
        return NULL;
    }
    count(pool, 1);
    return up;
}

/* The socket is empty: it takes so little at once. */
static bool send_preface(const dg_upconn *up)
{
    ssize_t n = up->preface_bytes ? send(up->conn.fd, up->preface, up->preface_bytes, MSG_NOSIGNAL) : 0;
    return n == (ssize_t)up->preface_bytes;
}

dg_status dg_upconn_progress(dg_upconn *up)
{
    if (up->connected)
        return DG_OK;
    for (;;) {
        bool connecting = up->conn.phase == DG_CONN_CONNECTING;
        dg_status status = dg_conn_progress_connect(&up->conn);
        if (status == DG_OK && connecting && !send_preface(up))
            return DG_IO;
        if (status == DG_OK)
            status = dg_conn_progress(&up->conn);
        if (status == DG_OK) {
            up->connected = true;
            up->pool->next_address = up->address;
            dg_conn_no_deadline(&up->conn);
        }
        /* A refused handshake is an answer: other addresses are tried only where nobody answered. */
        if (status != DG_IO || up->conn.phase != DG_CONN_CONNECTING)
            return status;
        const dg_conn_handler *handler = up->conn.handler;
        int error = errno;
        dg_conn_close(&up->conn);
        up->tries++;
        up->address++;
        if (try_addresses(up, handler) != DG_OK) {
            errno = error;
            return DG_IO;
        }
    }
}

void dg_upconn_address(const dg_upconn *up, dg_ip *ret_ip)
{
    *ret_ip = up->ip;
}

void dg_pool_keep(dg_upconn *up)
{
    dg_pool *pool = up->pool;
    bool clean = dg_conn_input(&up->conn).len == 0 && dg_conn_queued(&up->conn) == 0 &&
                 dg_conn_fill(&up->conn) == DG_AGAIN;
    if (!clean || pool->upstream->send_proxy || pool->idle_count >= pool->upstream->idle_max) {
        dg_pool_drop(up);
        return;
    }
    dg_conn_rest(&up->conn);
    up->user = NULL;
    up->conn.handler = &idle_handler;
    dg_conn_deadline(&up->conn, pool->upstream->idle_ms);
    up->next = pool->idle;
    up->link = &pool->idle;
    if (pool->idle)
        pool->idle->link = &up->next;
    pool->idle = up;
    pool->idle_count++;
}
