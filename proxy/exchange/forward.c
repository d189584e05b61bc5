/* To the backend: a connection, the request, and what to do when it fails. */
#include <errno.h>

#include "proxy/exchange/exchange.h"
#include "proxy/log.h"

static void up_ready(dg_conn *conn);
static void up_expired(dg_conn *conn);
static const dg_conn_handler up_handler = {up_ready, up_expired};

static dg_upconn *upconn_of(dg_conn *conn)
{
    return (dg_upconn *)(void *)conn; /* its first member */
}

static dg_pool *pool_of(dg_exchange *x)
{
    return &x->epoch->pools[x->upstream - x->epoch->snapshot->config.upstreams];
}

static void log_failure(dg_exchange *x, const char *what)
{
    dg_log_peer("backend", "%s: %s (%.*s %.*s)", x->upstream->url, what, DG_SLICE_FMT(x->method_name),
                DG_SLICE_FMT(x->path));
}

static dg_slice content(const dg_exchange *x)
{
    if (!x->whole)
        return (dg_slice){NULL, 0};
    return dg_buf_slice(x->translates_request ? &x->request_out : &x->request_bytes);
}

/* The request's last byte is on its way: now the backend has its time. */
static void all_sent(dg_exchange *x)
{
    x->request_sent = true;
    dg_conn_deadline(&x->up->conn, x->epoch->snapshot->config.timeouts.answer_ms);
}

static void say_whom_for(dg_exchange *x)
{
    dg_route route;
    if (x->down->route)
        route = *x->down->route;
    else
        dg_route_of(x->down->conn.fd, &route);
    x->up->preface_bytes = (uint8_t)dg_proxy_write(x->upstream->send_proxy, &route, x->up->preface);
}

static bool connect_to(dg_exchange *x, bool fresh)
{
    x->up = dg_pool_take(pool_of(x), fresh, &up_handler, x);
    if (x->up && x->upstream->send_proxy)
        say_whom_for(x);
    if (x->up)
        return true;
    int error = errno;
    bool ours = error == EMFILE || error == ENFILE || error == ENOMEM || error == EADDRNOTAVAIL;
    log_failure(x, strerror(error));
    dg_fail(x, ours ? DG_PROBLEM_UNAVAILABLE : DG_PROBLEM_UPSTREAM_REFUSED, NULL, NULL);
    return false;
}

/* RFC 9110 9.2.2: sent again only when that is the same as sending it once (to the backend, whose method it
 * is), or nothing was sent; once; and only when all of it is still here. */
static bool may_retry(const dg_exchange *x)
{
    bool repeatable = x->whole || x->request.framing == DG_FRAMING_NONE || !x->head_sent;
    return x->up->reused && !x->retried && !x->any_received && repeatable &&
           (!x->head_sent || dg_method_idempotent(dg_method_of(dg_exchange_upstream_method(x))));
}

static void send_request(dg_exchange *x);

void dg_forward_failed(dg_exchange *x, const char *what)
{
    if (may_retry(x)) {
        dg_usage_gauge(x->edge->usage, DG_GAUGE_RETRIES, 1);
        dg_exchange_release_up(x, false);
        x->retried = true;
        x->head_sent = x->request_sent = false;
        if (connect_to(x, true))
            send_request(x);
        return;
    }
    bool connected = x->up->connected, handshake = x->up->conn.phase == DG_CONN_HANDSHAKE;
    log_failure(x, handshake ? dg_tls_failure(x->up->conn.ssl) : what);
    dg_fail(x,
            connected    ? DG_PROBLEM_UPSTREAM_CLOSED
            : handshake  ? DG_PROBLEM_UPSTREAM_TLS
                         : DG_PROBLEM_UPSTREAM_REFUSED,
            NULL, NULL);
}

/* Bytes that came before anything was asked are nobody's answer (RFC 9112 9.2). */
static bool spoke_first(dg_exchange *x)
{
    return dg_conn_fill(&x->up->conn) == DG_OK;
}

/* Sends the head, with the body behind it when that is whole. May free x. */
static void send_request(dg_exchange *x)
{
    bool was_open = x->up->connected;
    dg_status status = dg_upconn_progress(x->up);
    if (status == DG_AGAIN)
        return;
    if (status != DG_OK) {
        dg_forward_failed(x, strerror(errno));
        return;
    }
    if (!was_open)
        x->connected_us = x->edge->loop.now_us;
    if (!was_open && spoke_first(x)) {
        log_failure(x, "it answered before it was asked");
        dg_fail(x, DG_PROBLEM_UPSTREAM_MALFORMED, NULL, NULL);
        return;
    }
    dg_upconn_address(x->up, &x->backend_ip);
    dg_slice body = content(x);
    struct iovec iov[] = {{x->request_head.ptr, x->request_head.len},
                          {(void *)(uintptr_t)body.ptr, body.len}};
    status = dg_conn_write(&x->up->conn, iov, body.len ? 2 : 1);
    if (status != DG_OK) {
        /* A plain socket that failed took nothing; of TLS records that cannot be said, nor when there was no
         * memory for what was left over. */
        x->head_sent = status != DG_IO || x->up->conn.ssl;
        dg_forward_failed(x, "the connection broke while the request was sent");
        return;
    }
    x->head_sent = true;
    if (x->request.done)
        all_sent(x);
    else
        dg_receive_more(x);
}

/* The head waited for the content. */
static bool build_whole(dg_exchange *x)
{
    dg_run_error error = {.message = NULL};
    dg_slice plain;
    dg_status status = dg_decode(x, x->request_coding, dg_buf_slice(&x->request_bytes), &plain, &error);
    if (status == DG_OK)
        status = dg_head_again(x, &x->request_lines, false, &x->edge->head);
    if (status == DG_OK)
        return dg_request_build(x, &x->edge->head, true, plain);
    dg_request_refuse(x, status, &error);
    return false;
}

/* The whole body is here: what becomes of it is what goes on. False when it was refused (x may be gone). */
static bool translate_request(dg_exchange *x)
{
    if (dg_buf_reserve(&x->request_bytes, DG_JSON_PADDING) != DG_OK) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return false;
    }
    const char *field = NULL;
    dg_status status = dg_digests_check(x, dg_buf_slice(&x->request_bytes), &field);
    if (status != DG_OK) {
        dg_fail(x, field ? DG_PROBLEM_BAD_DIGEST : DG_PROBLEM_INTERNAL, field ? field : "out of memory", NULL);
        return false;
    }
    if (x->request_lines.len)
        return build_whole(x);
    dg_run_error error = {.message = NULL};
    status = dg_translate(x, x->match.request, x->request_coding, DG_CODING_IDENTITY,
                          dg_buf_slice(&x->request_bytes), &x->request_out, &error);
    if (status != DG_OK)
        dg_request_refuse(x, status, &error);
    return status == DG_OK;
}

/* A length where there is content, or could be (RFC 9110 8.6). */
static bool has_length(const dg_exchange *x)
{
    dg_method method = dg_method_of(dg_exchange_upstream_method(x));
    return !x->bare || method == DG_METHOD_POST || method == DG_METHOD_PUT || method == DG_METHOD_PATCH;
}

void dg_forward(dg_exchange *x)
{
    if (x->whole) {
        if (x->translates_request && !x->request_ready && !translate_request(x))
            return;
        if (!x->bare && dg_digests_renew(x, content(x), &x->request_head) != DG_OK) {
            dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
            return;
        }
        if (has_length(x))
            dg_request_head_length(x, content(x).len);
    }
    dg_request_head_end(x);
    if (x->request_head.status != DG_OK || (x->whole && x->request_bytes.status != DG_OK)) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return;
    }
    if (connect_to(x, false))
        send_request(x);
}

bool dg_forward_is_full(const dg_exchange *x)
{
    return !x->head_sent || !x->up || dg_conn_queued(&x->up->conn) > 0;
}

/* The backend takes no more. It may have answered before it closed (413, say): that answer is worth more than
 * our error. */
static void write_failed(dg_exchange *x, dg_status status)
{
    if (status == DG_NOMEM) { /* it is alive, and would wait for the rest */
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return;
    }
    x->up->conn.broken = false;
    x->up->conn.can_read = true;
    dg_conn_deadline(&x->up->conn, x->epoch->snapshot->config.timeouts.answer_ms);
    dg_answer_read(x);
}

/* Writes a piece as it goes on, with the end behind the last. */
static dg_status write_piece(dg_exchange *x, dg_slice piece, bool last)
{
    char head[DG_CHUNK_HEAD_BYTES_MAX];
    struct iovec iov[4];
    int n = 0;
    bool chunked = x->request_flow || x->request.framing == DG_FRAMING_CHUNKED;
    if (chunked && piece.len)
        iov[n++] = (struct iovec){head, dg_chunk_head(head, piece.len)};
    if (piece.len)
        iov[n++] = (struct iovec){(void *)(uintptr_t)piece.ptr, piece.len};
    if (chunked && piece.len)
        iov[n++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    if (chunked && last) {
        dg_slice end = dg_trailers_end(x, &x->request_trailers);
        iov[n++] = (struct iovec){(void *)(uintptr_t)end.ptr, end.len};
    }
    return n ? dg_conn_write(&x->up->conn, iov, n) : DG_OK;
}

/* What comes of a piece goes on, until that is all or the backend does not take more. False: x may be gone. */
static bool flow_piece(dg_exchange *x, dg_slice piece, bool last)
{
    do {
        dg_run_error error = {.message = NULL};
        dg_buf_clear(&x->request_out);
        dg_status status = dg_flow_feed(x->request_flow, piece, last, &x->request_out, &error);
        if (status != DG_OK && status != DG_AGAIN) {
            dg_log_translation(x, &error);
            dg_request_refuse(x, status, &error);
            return false;
        }
        x->request_more = status == DG_AGAIN;
        piece.len = 0;
        status = write_piece(x, dg_buf_slice(&x->request_out), last && !x->request_more);
        if (status != DG_OK) {
            write_failed(x, status);
            return false;
        }
    } while (x->request_more && !dg_conn_queued(&x->up->conn));
    return true;
}

void dg_forward_piece(dg_exchange *x, dg_slice piece, bool last)
{
    if (x->request_flow) {
        if (flow_piece(x, piece, last) && last && !x->request_more)
            all_sent(x);
        return;
    }
    dg_status status = write_piece(x, piece, last);
    if (status != DG_OK)
        write_failed(x, status);
    else if (last)
        all_sent(x);
}

void dg_forward_more(dg_exchange *x)
{
    dg_buf collected = x->request_bytes;
    x->request_bytes = (dg_buf){.bytes_max = collected.bytes_max};
    dg_forward_piece(x, dg_buf_slice(&collected), x->request.done);
    dg_buf_free(&collected);
}

void dg_forward_flow(dg_exchange *x)
{
    if (dg_flow_new(x->epoch->runner, x->match.request->body, x->request_kind, x->request_coding, DG_CODING_IDENTITY,
                    x->epoch->snapshot->config.limits.body_bytes, &x->request_flow) != DG_OK) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return;
    }
    x->whole = false;
    x->request_out.bytes_max = 0; /* it leaves share by share */
    dg_request_head_chunked(x);
    dg_forward(x);
}

/* ---- events of the backend's connection */

static void up_ready(dg_conn *conn)
{
    dg_exchange *x = upconn_of(conn)->user;
    if (!x->head_sent) {
        send_request(x);
        return;
    }
    if (x->tunnel) {
        dg_tunnel_run(x);
        return;
    }
    if (dg_conn_queued(conn)) {
        dg_status status = dg_conn_flush(conn);
        if (status == DG_IO) {
            write_failed(x, status);
            return;
        }
    }
    dg_exchange_hold(x);
    if (x->request_more && x->request.done && !dg_conn_queued(conn))
        dg_forward_more(x);
    else if (!x->request_sent && !dg_conn_queued(conn))
        dg_receive_more(x);
    if (!x->gone && x->up && x->up->conn.can_read)
        dg_answer_read(x);
    dg_exchange_let_go(x);
}

static void up_expired(dg_conn *conn)
{
    dg_exchange *x = upconn_of(conn)->user;
    bool connected = upconn_of(conn)->connected;
    log_failure(x, connected ? "no answer in time" : "no connection in time");
    dg_fail(x, connected ? DG_PROBLEM_ANSWER_TIMEOUT : DG_PROBLEM_CONNECT_TIMEOUT, NULL, NULL);
}
