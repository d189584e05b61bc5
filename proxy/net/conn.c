#include "proxy/net/conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <unistd.h>

enum { OUT_KEPT_BYTES = 4096 };

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    dg_conn *conn = arg;
    dg_loop_look_at_clock(conn->loop);
    conn->can_read |= (what & (EV_READ | EV_CLOSED)) != 0;
    conn->peer_done |= (what & EV_CLOSED) != 0;
    conn->handler->ready(conn);
}

void dg_conn_timer_fired(dg_timer *timer)
{
    dg_conn *conn = (dg_conn *)((char *)timer - offsetof(dg_conn, timer));
    conn->handler->expired(conn);
}

dg_status dg_conn_open(dg_conn *conn, dg_loop *loop, int fd, SSL *ssl, dg_conn_phase phase,
                       const dg_conn_handler *handler)
{
    *conn = (dg_conn){.loop = loop, .handler = handler, .ssl = ssl, .fd = fd, .phase = (uint8_t)phase};
    event_assign(&conn->event, loop->base, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
                 on_event, conn);
    if ((ssl && !SSL_set_fd(ssl, fd)) || event_add(&conn->event, NULL) != 0) {
        ERR_clear_error();
        SSL_free(ssl);
        close(fd);
        conn->ssl = NULL;
        conn->fd = -1;
        return DG_NOMEM;
    }
    return DG_OK;
}

void dg_conn_close(dg_conn *conn)
{
    if (conn->fd < 0)
        return;
    event_del(&conn->event);
    dg_timer_clear(&conn->loop->wheel, &conn->timer);
    if (conn->ssl) {
        if (!conn->broken && conn->phase == DG_CONN_OPEN)
            SSL_shutdown(conn->ssl); /* our close_notify; the peer's is not waited for */
        ERR_clear_error();
        SSL_free(conn->ssl);
        conn->ssl = NULL;
    }
    close(conn->fd);
    conn->fd = -1;
    dg_block_give(conn->loop, conn->in);
    conn->in = NULL;
    conn->in_start = conn->in_end = 0;
    dg_buf_free(&conn->out);
    conn->out_start = 0;
}

void dg_conn_half_close(dg_conn *conn)
{
    if (conn->ssl) {
        SSL_shutdown(conn->ssl); /* our close_notify */
        ERR_clear_error();
    }
    shutdown(conn->fd, SHUT_WR);
}

void dg_conn_reset(dg_conn *conn)
{
    if (conn->fd < 0)
        return;
    conn->broken = true; /* no close_notify: a cut TLS stream must not end as if whole */
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0},
               sizeof(struct linger));
    dg_conn_close(conn);
}

static dg_status handshake(dg_conn *conn)
{
    ERR_clear_error();
    int done = SSL_do_handshake(conn->ssl);
    if (done == 1) {
        conn->phase = DG_CONN_OPEN;
        return DG_OK;
    }
    int error = SSL_get_error(conn->ssl, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return DG_AGAIN;
    conn->broken = true;
    return DG_IO;
}

dg_status dg_conn_progress_connect(dg_conn *conn)
{
    if (conn->phase != DG_CONN_CONNECTING)
        return DG_OK;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error) {
        errno = error;
        return DG_IO;
    }
    /* A spurious edge before the connection is there: ask whether it has a peer. */
    struct sockaddr_storage peer;
    size = sizeof peer;
    if (getpeername(conn->fd, (struct sockaddr *)&peer, &size) != 0)
        return errno == ENOTCONN ? DG_AGAIN : DG_IO;
    conn->phase = conn->ssl ? DG_CONN_HANDSHAKE : DG_CONN_OPEN;
    return DG_OK;
}

dg_status dg_conn_progress(dg_conn *conn)
{
    dg_status status = dg_conn_progress_connect(conn);
    return status == DG_OK && conn->phase == DG_CONN_HANDSHAKE ? handshake(conn) : status;
}

void dg_conn_drop_tls(dg_conn *conn)
{
    ERR_clear_error();
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    conn->broken = false;
    conn->phase = DG_CONN_OPEN;
}

static dg_status tls_result(dg_conn *conn, int result)
{
    int error = SSL_get_error(conn->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return DG_AGAIN;
    if (error == SSL_ERROR_ZERO_RETURN)
        return DG_CLOSED;
    conn->broken = true;
    return DG_IO; /* an end without close_notify counts as a cut (RFC 9112 9.8) */
}

/* One read into `to`. */
static dg_status read_some(dg_conn *conn, char *to, size_t room, size_t *ret_bytes)
{
    if (conn->ssl) {
        ERR_clear_error();
        int n = SSL_read(conn->ssl, to, (int)room);
        if (n > 0) {
            *ret_bytes = (size_t)n;
            return DG_OK;
        }
        return tls_result(conn, n);
    }
    ssize_t n;
    do
        n = recv(conn->fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        /* A short read drained the socket: the next bytes bring a new edge. A FIN that came along with
         * them does not, so it is read for at once. */
        conn->can_read = (size_t)n == room || conn->peer_done;
        *ret_bytes = (size_t)n;
        return DG_OK;
    }
    if (n == 0)
        return DG_CLOSED;
    if (errno == EAGAIN)
        return DG_AGAIN;
    conn->broken = true;
    return DG_IO;
}

dg_status dg_conn_fill(dg_conn *conn)
{
    if (conn->eof)
        return DG_CLOSED;
    if (conn->broken)
        return DG_IO;
    if (!conn->can_read) {
        dg_conn_rest(conn);
        return DG_AGAIN;
    }
    if (!conn->in && !(conn->in = dg_block_take(conn->loop)))
        return DG_NOMEM;
    if (conn->in_start == conn->in_end)
        conn->in_start = conn->in_end = 0;
    if (conn->in_end == DG_BLOCK_BYTES) {
        if (conn->in_start == 0)
            return DG_LIMIT;
        memmove(conn->in->bytes, conn->in->bytes + conn->in_start, conn->in_end - conn->in_start);
        conn->in_end -= conn->in_start;
        conn->in_start = 0;
    }
    size_t bytes = 0;
    dg_status status =
        read_some(conn, conn->in->bytes + conn->in_end, DG_BLOCK_BYTES - conn->in_end, &bytes);
    conn->in_end += (uint32_t)bytes;
    if (status == DG_AGAIN)
        conn->can_read = false;
    conn->eof |= status == DG_CLOSED;
    dg_conn_rest(conn);
    return status;
}

void dg_conn_consume(dg_conn *conn, size_t bytes)
{
    DG_ASSERT(bytes <= conn->in_end - conn->in_start);
    conn->in_start += (uint32_t)bytes;
}

void dg_conn_rest(dg_conn *conn)
{
    if (conn->in && conn->in_start == conn->in_end) {
        dg_block_give(conn->loop, conn->in);
        conn->in = NULL;
        conn->in_start = conn->in_end = 0;
    }
}

bool dg_conn_peer_is_gone(const dg_conn *conn)
{
    char byte;
    if (conn->peer_done || conn->eof || conn->broken)
        return true;
    if (!conn->can_read) /* no edge came */
        return false;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

bool dg_conn_yield(dg_conn *conn)
{
    if (event_del(&conn->event) == 0 && event_add(&conn->event, NULL) == 0)
        return true;
    conn->broken = true; /* it would never hear of anything again */
    return false;
}

/* Writes to the socket; *ret_bytes is what it took. */
static dg_status write_some(dg_conn *conn, const struct iovec *iov, int count, size_t *ret_bytes)
{
    *ret_bytes = 0;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count};
    ssize_t n;
    do
        n = count == 1 ? send(conn->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                       : sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0) {
        *ret_bytes = (size_t)n;
        return DG_OK;
    }
    if (errno == EAGAIN)
        return DG_AGAIN;
    conn->broken = true;
    return DG_IO;
}

static dg_status tls_write_some(dg_conn *conn, const char *from, size_t bytes, size_t *ret_bytes)
{
    ERR_clear_error();
    *ret_bytes = 0;
    int n = SSL_write(conn->ssl, from, (int)(bytes < DG_BLOCK_BYTES ? bytes : DG_BLOCK_BYTES));
    if (n > 0) {
        *ret_bytes = (size_t)n;
        return DG_OK;
    }
    dg_status status = tls_result(conn, n);
    return status == DG_CLOSED ? DG_IO : status;
}

/* Queues what is left of iov after `skip` bytes. */
static dg_status queue(dg_conn *conn, const struct iovec *iov, int count, size_t skip)
{
    for (int i = 0; i < count; i++) {
        dg_slice piece = {iov[i].iov_base, iov[i].iov_len};
        size_t gone = skip < piece.len ? skip : piece.len;
        skip -= gone;
        dg_buf_add(&conn->out, dg_slice_from(piece, gone));
    }
    conn->broken |= conn->out.status != DG_OK;
    return conn->out.status;
}

dg_status dg_conn_write(dg_conn *conn, const struct iovec *iov, int count)
{
    if (conn->broken)
        return DG_IO;
    bool was_queued = dg_conn_queued(conn) > 0;
    if (was_queued || conn->ssl) {
        dg_status status = queue(conn, iov, count, 0);
        if (status != DG_OK || was_queued)
            return status;
        status = dg_conn_flush(conn);
        return status == DG_AGAIN ? DG_OK : status;
    }
    size_t total = 0, wrote;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    dg_status status = write_some(conn, iov, count, &wrote);
    if (status == DG_IO)
        return status;
    return wrote < total ? queue(conn, iov, count, wrote) : DG_OK;
}

dg_status dg_conn_flush(dg_conn *conn)
{
    while (dg_conn_queued(conn)) {
        const char *from = conn->out.ptr + conn->out_start;
        size_t bytes = dg_conn_queued(conn), wrote;
        struct iovec iov = {.iov_base = conn->out.ptr + conn->out_start, .iov_len = bytes};
        dg_status status = conn->ssl ? tls_write_some(conn, from, bytes, &wrote)
                                     : write_some(conn, &iov, 1, &wrote);
        conn->out_start += wrote;
        if (status != DG_OK)
            return status;
        if (wrote < bytes && !conn->ssl)
            return DG_AGAIN;
    }
    conn->out_start = 0;
    if (conn->out.cap > OUT_KEPT_BYTES || !conn->in)
        dg_buf_free(&conn->out);
    else
        dg_buf_clear(&conn->out);
    return DG_OK;
}

void dg_conn_deadline(dg_conn *conn, uint64_t after_ms)
{
    dg_loop_deadline(conn->loop, &conn->timer, after_ms);
}

void dg_conn_extend_deadline(dg_conn *conn, uint64_t by_ms, uint64_t at_most_ms)
{
    uint64_t due = conn->timer.due_ms + by_ms, last = conn->loop->now_ms + at_most_ms;
    if (by_ms && dg_timer_is_set(&conn->timer))
        dg_timer_set(&conn->loop->wheel, &conn->timer, due < last ? due : last);
}

void dg_conn_no_deadline(dg_conn *conn)
{
    dg_timer_clear(&conn->loop->wheel, &conn->timer);
}
