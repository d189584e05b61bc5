/* The client's connection: accept, read a head, read a body, and what comes after the answer. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/exchange/exchange.h"
#include "proxy/log.h"

enum {
    STEPS_MAX = 256,           /* heads and pieces of bodies before it is the others' turn */
    LINGER_MS = 2000,          /* how long an answer may take to be read behind our half close */
    LINGER_BYTES_MAX = 1 << 20 /* and what is dropped meanwhile */
};

static void client_ready(dg_conn *conn);
static void client_expired(dg_conn *conn);
static const dg_conn_handler client_handler = {client_ready, client_expired};

static dg_downstream *downstream_of(dg_conn *conn)
{
    return (dg_downstream *)(void *)conn; /* its first member */
}

static const dg_timeouts *timeouts(const dg_edge *edge)
{
    return &edge->epoch->snapshot->config.timeouts;
}

/* ---- beginning and end of a connection */

static bool is_trusted(const dg_config *config, const struct sockaddr *peer)
{
    for (size_t i = 0; i < config->trusted_count; i++)
        if (dg_network_has(&config->trusted[i], peer))
            return true;
    return false;
}

/* Whom this connection speaks for. */
static void set_peer(dg_downstream *down, const struct sockaddr *peer)
{
    char host[DG_ADDRESS_TEXT_BYTES];
    dg_address_host(peer, host);
    memcpy(down->host, host, sizeof down->host - 1);
    down->nameless = peer->sa_family == AF_UNIX;
    down->trusted = is_trusted(&down->edge->epoch->snapshot->config, peer);
}

void dg_edge_accept(dg_edge *edge, int fd, const struct sockaddr *peer, const dg_listen *listen)
{
    const dg_tls_server *tls = listen->tls;
    int on = 1;
    if (peer->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    dg_downstream *down = calloc(1, sizeof *down);
    SSL *ssl = down && tls ? dg_tls_server_session(tls) : NULL;
    if (!down || (tls && !ssl)) {
        free(down);
        close(fd);
        return;
    }
    down->edge = edge;
    down->control = listen->control;
    down->awaits_route = listen->proxy_protocol;
    down->redirect_port = listen->redirect_port;
    down->tls = ssl != NULL;
    set_peer(down, peer);
    if (dg_conn_open(&down->conn, &edge->loop, fd, ssl, ssl ? DG_CONN_HANDSHAKE : DG_CONN_OPEN,
                     &client_handler) != DG_OK) {
        free(down);
        return;
    }
    down->next = edge->clients;
    down->link = &edge->clients;
    if (edge->clients)
        edge->clients->link = &down->next;
    edge->clients = down;
    edge->client_count++;
    edge->control_count += down->control;
    if (!down->control) {
        dg_usage_gauge(edge->usage, DG_GAUGE_CONNECTIONS_ACCEPTED, 1);
        dg_usage_gauge(edge->usage, DG_GAUGE_DOWNSTREAM_CONNECTIONS, 1);
    }
    /* A connection that says nothing has the time of an idle one; a handshake that of a head. */
    dg_conn_deadline(&down->conn, ssl || down->awaits_route ? timeouts(edge)->head_ms : timeouts(edge)->idle_ms);
}

void dg_downstream_free(dg_downstream *down)
{
    DG_ASSERT(!down->exchange);
    *down->link = down->next;
    if (down->next)
        down->next->link = down->link;
    down->edge->client_count--;
    down->edge->control_count -= down->control;
    if (!down->control)
        dg_usage_gauge(down->edge->usage, DG_GAUGE_DOWNSTREAM_CONNECTIONS, -1);
    dg_conn_close(&down->conn);
    free(down->identity);
    free(down->route);
    down->route = NULL;
    if (down->running)
        down->dead = true;
    else
        free(down);
}

void dg_exchange_abort(dg_exchange *x)
{
    dg_downstream *down = x->down;
    if (!down->control)
        dg_usage_gauge(x->edge->usage, DG_GAUGE_EXCHANGES_CUT, 1);
    if (!x->problem) {
        x->problem = "cut";
        x->side = "downstream";
    }
    dg_exchange_free(x);
    dg_conn_reset(&down->conn);
    dg_downstream_free(down);
}

/* ---- after the answer */

/* Half closes and waits for the client to read what was sent: closing at once could reset the connection
 * under an answer that is still on its way (RFC 9112 9.6). */
static void linger(dg_downstream *down)
{
    if (down->conn.eof || down->conn.broken) {
        dg_downstream_free(down);
        return;
    }
    dg_conn_half_close(&down->conn);
    down->state = DG_CLIENT_LINGER;
    down->conn.can_read = true;
    dg_conn_deadline(&down->conn, LINGER_MS);
}

/* Reads and drops. False when the connection is gone. */
static bool linger_on(dg_downstream *down)
{
    for (;;) {
        size_t held = dg_conn_input(&down->conn).len;
        down->lingered += (uint32_t)held;
        dg_conn_consume(&down->conn, held);
        dg_status status = dg_conn_fill(&down->conn);
        if (status == DG_AGAIN)
            return true;
        if (status != DG_OK || down->lingered > LINGER_BYTES_MAX) {
            dg_downstream_free(down);
            return false;
        }
    }
}

/* Behind the answer's last byte: the next request, or the end. False when there will be no next one. */
static bool next_request(dg_downstream *down)
{
    dg_exchange *x = down->exchange;
    if (x) {
        down->closing |= x->close_after;
        dg_exchange_free(x);
    }
    down->scan = 0;
    down->state = DG_CLIENT_HEAD;
    down->head_timer = false;
    down->closing |= down->edge->draining && dg_conn_input(&down->conn).len == 0;
    if (down->closing) {
        linger(down);
        return false;
    }
    dg_conn_deadline(&down->conn, timeouts(down->edge)->idle_ms);
    return true;
}

static void run(dg_downstream *down);

void dg_downstream_answered(dg_downstream *down)
{
    if (dg_conn_queued(&down->conn)) {
        down->state = DG_CLIENT_FLUSH;
        dg_conn_deadline(&down->conn, timeouts(down->edge)->send_ms);
        return;
    }
    bool nested = down->running;
    down->running = true; /* the end of the loop frees the memory, if it comes to that */
    next_request(down);
    if (!nested)
        run(down);
}

void dg_answer_done(dg_exchange *x)
{
    /* An answer that came before the whole request did: what is left of it is not read. */
    x->close_after |= !x->request.done;
    dg_downstream_answered(x->down);
}

/* ---- the head */

static void refuse_head(dg_downstream *down, const dg_http_error *error)
{
    dg_usage_gauge(down->edge->usage, DG_GAUGE_REQUESTS_REJECTED, 1);
    dg_problem problem = error->status == 501   ? DG_PROBLEM_NOT_IMPLEMENTED
                         : error->status == 500 ? DG_PROBLEM_INTERNAL
                         : error->status == 408 ? DG_PROBLEM_REQUEST_TIMEOUT
                                                : DG_PROBLEM_BAD_REQUEST;
    dg_downstream_refuse(down, error->status, problem, error->reason);
}

static void refuse_with(dg_downstream *down, unsigned status, const char *reason)
{
    refuse_head(down, &(dg_http_error){.status = status, .reason = reason});
}

static void begin_exchange(dg_downstream *down, const dg_head *head)
{
    dg_exchange *x = dg_exchange_new(down);
    if (!x) {
        refuse_with(down, 500, "out of memory");
        return;
    }
    x->minor = head->minor;
    x->method = head->method_id;
    x->expects = head->expect_continue;
    x->close_after = !head->keep_alive || down->edge->draining;
    dg_body_start(&x->request, head->framing, head->content_length);
    down->state = x->request.done ? DG_CLIENT_WAIT : DG_CLIENT_BODY;
    down->head_timer = false;
    if (down->state == DG_CLIENT_BODY)
        dg_conn_deadline(&down->conn, timeouts(down->edge)->body_ms);
    else
        dg_conn_no_deadline(&down->conn);
    dg_select(x, head);
}

/* Parses what is there. DG_AGAIN: read more. DG_LIMIT: too large. Otherwise the loop goes on. */
static dg_status read_head(dg_downstream *down)
{
    dg_slice in = dg_conn_input(&down->conn);
    if (in.len == 0)
        return DG_AGAIN;
    dg_edge *edge = down->edge;
    if (!down->head_timer) {
        down->head_timer = true;
        dg_conn_deadline(&down->conn, timeouts(edge)->head_ms);
    }
    dg_head_limits limits = {.head_bytes_max = edge->epoch->snapshot->config.limits.head_bytes};
    dg_http_error error = {0};
    size_t consumed = 0;
    dg_status status =
        dg_request_parse(in, &down->scan, &limits, &edge->head, &consumed, &error);
    if (status == DG_AGAIN)
        return in.len == DG_BLOCK_BYTES ? DG_LIMIT : DG_AGAIN;
    if (status != DG_OK) {
        refuse_head(down, &error);
        return DG_OK;
    }
    down->scan = 0;
    dg_conn_consume(&down->conn, consumed);
    begin_exchange(down, &edge->head);
    return DG_OK;
}

/* ---- the body */

static void body_failed(dg_exchange *x, dg_status status)
{
    x->close_after = true;
    if (status == DG_NOMEM) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return;
    }
    dg_usage_gauge(x->edge->usage, DG_GAUGE_REQUESTS_REJECTED, 1);
    const char *detail = x->request.chunked.error;
    dg_fail(x, status == DG_LIMIT && x->whole && !detail ? DG_PROBLEM_BODY_TOO_LARGE
                                                         : DG_PROBLEM_BAD_REQUEST,
            detail, NULL);
}

/* A client that asked waits for this before it sends its body (RFC 9110 10.1.1). */
static dg_status send_continue(dg_downstream *down)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    down->exchange->expects = false;
    return dg_conn_write(&down->conn, &(struct iovec){text, sizeof text - 1}, 1);
}

/* Takes a piece of the body; DG_OK when it is taken, whatever became of the exchange. */
static dg_status take_piece(dg_downstream *down, dg_slice in)
{
    dg_exchange *x = down->exchange;
    dg_slice piece;
    size_t consumed;
    bool passes = !x->whole && !x->request_flow;
    dg_status status = dg_body_next_joined(&x->request, in, passes ? &x->request_bytes : NULL,
                                           passes ? &x->request_trailers : NULL, &consumed, &piece);
    if (status == DG_OK && x->whole) {
        dg_buf_add(&x->request_bytes, piece);
        status = x->request_bytes.len > x->epoch->snapshot->config.limits.body_bytes
                     ? DG_LIMIT
                     : x->request_bytes.status;
    }
    x->request_bytes_in += piece.len;
    /* Consumed before the doors below: what is behind the body belongs to the next request. The piece stays
     * readable until the next fill. */
    dg_conn_consume(&down->conn, consumed);
    if (status != DG_OK)
        return status;
    if (x->request.done) {
        down->state = DG_CLIENT_WAIT;
        dg_conn_no_deadline(&down->conn);
    } else {
        dg_conn_extend_deadline(&down->conn, dg_body_time_bought(&x->request, piece.len),
                                timeouts(down->edge)->body_ms);
    }
    if (!x->whole)
        dg_forward_piece(x, piece, x->request.done);
    else if (x->request.done)
        dg_forward(x);
    else if (x->request_kind != DG_FLOW_NONE && x->request_bytes.len >= DG_FLOW_BYTES)
        dg_forward_flow(x);
    return DG_OK;
}

/* DG_AGAIN: read more. DG_LIMIT: the backend is full. Otherwise the loop goes on. */
static dg_status read_body(dg_downstream *down)
{
    dg_exchange *x = down->exchange;
    dg_slice in = dg_conn_input(&down->conn);
    if (!x->whole && dg_forward_is_full(x))
        return DG_LIMIT;
    if (x->request_flow && (x->request_bytes.len || x->request_more)) {
        dg_forward_more(x);
        return DG_OK;
    }
    if (in.len == 0)
        return x->expects && send_continue(down) != DG_OK ? DG_CLOSED : DG_AGAIN;
    x->expects = false; /* it did not wait */
    dg_status status = take_piece(down, in);
    if (status != DG_OK)
        body_failed(x, status);
    return DG_OK;
}

/* ---- the loop */

/* The client's end, or an error, where more of a request was awaited. */
static void ended(dg_downstream *down, dg_status status)
{
    dg_exchange *x = down->exchange;
    if (status == DG_IO || status == DG_NOMEM) {
        if (x)
            dg_exchange_abort(x);
        else
            dg_downstream_free(down);
    } else if (x) {
        x->close_after = true;
        dg_fail(x, DG_PROBLEM_BAD_REQUEST, "the connection ended before the body did", NULL);
    } else if (status == DG_LIMIT) {
        refuse_with(down, 431, "the head is too large");
    } else if (dg_conn_input(&down->conn).len) {
        refuse_with(down, 400, "the connection ended inside the head");
    } else {
        dg_downstream_free(down);
    }
}

/* One step. False when nothing more can be done until the next event. */
static bool step(dg_downstream *down)
{
    dg_status status;
    switch ((dg_client_state)down->state) {
    case DG_CLIENT_HEAD:
        status = read_head(down);
        break;
    case DG_CLIENT_BODY:
        status = read_body(down);
        break;
    case DG_CLIENT_LINGER:
        return linger_on(down) && false;
    case DG_CLIENT_TUNNEL:
        dg_tunnel_run(down->exchange);
        return false;
    default:
        return false;
    }
    if (status == DG_LIMIT && down->state == DG_CLIENT_BODY)
        return false;
    if (status == DG_AGAIN)
        status = dg_conn_fill(&down->conn);
    if (status == DG_AGAIN)
        return false;
    if (status != DG_OK)
        ended(down, status);
    return true;
}

/* Nobody is left to answer: the backend need not go on either. Half a close counts as a whole one here, for the two
 * look alike until something is written. */
static void client_gone(dg_exchange *x)
{
    x->client_ended = true;
    x->problem = "client-gone";
    x->side = "downstream";
    dg_exchange_abort(x);
}

static void run(dg_downstream *down)
{
    down->running = true;
    for (unsigned steps = 1; !down->dead && step(down); steps++)
        if (steps == STEPS_MAX && !down->dead && dg_conn_yield(&down->conn))
            break;
    if (!down->dead && down->state == DG_CLIENT_WAIT && down->exchange && dg_conn_peer_is_gone(&down->conn))
        client_gone(down->exchange);
    down->running = false;
    if (down->dead)
        free(down);
    else
        dg_conn_rest(&down->conn);
}

void dg_receive_more(dg_exchange *x)
{
    if (!x->down->running)
        run(x->down);
}

/* Writes what is queued. False when the connection is gone. */
static bool flush(dg_downstream *down)
{
    dg_exchange *x = down->exchange;
    dg_status status = dg_conn_flush(&down->conn);
    if (status == DG_AGAIN)
        return true;
    if (status != DG_OK) {
        if (x)
            dg_exchange_abort(x);
        else
            dg_downstream_free(down);
        return false;
    }
    if (down->state == DG_CLIENT_FLUSH)
        return next_request(down) || down->state == DG_CLIENT_LINGER;
    if (x)
        dg_answer_resume(x);
    return true;
}

/* Drives the handshake. False when the connection may be gone, or waits. */
static bool progress(dg_downstream *down)
{
    dg_conn *conn = &down->conn;
    dg_status status = dg_conn_progress(conn);
    if (status == DG_AGAIN)
        return false;
    if (status == DG_OK && dg_tls_identity_of(conn->ssl, &down->identity) == DG_OK) {
        dg_conn_deadline(conn, timeouts(down->edge)->idle_ms);
        return true;
    }
    if (status == DG_IO && conn->ssl && dg_tls_met_plain_http()) {
        dg_conn_drop_tls(conn);
        refuse_with(down, 400, "this port speaks TLS: ask with https://");
        return false;
    }
    dg_downstream_free(down); /* also when it cannot be said who it is */
    return false;
}

/* What a balancer says before anything else. False: not yet, or the connection is gone. */
static bool read_route(dg_downstream *down)
{
    dg_route route;
    dg_status status = dg_proxy_read(down->conn.fd, &route);
    if (status == DG_AGAIN && !down->conn.peer_done)
        return false;
    if (status == DG_OK && route.from.any.sa_family != AF_UNSPEC) {
        down->route = malloc(sizeof *down->route);
        status = down->route ? DG_OK : DG_NOMEM;
        if (down->route) {
            *down->route = route;
            set_peer(down, &route.from.any);
        }
    }
    if (status != DG_OK) {
        if (status == DG_SYNTAX || status == DG_LIMIT) {
            dg_usage_gauge(down->edge->usage, DG_GAUGE_REQUESTS_REJECTED, 1);
            dg_log_peer("proxy protocol", "%s does not begin with the PROXY protocol: closed", down->host);
        }
        dg_downstream_free(down);
        return false;
    }
    down->awaits_route = false;
    down->conn.can_read = true; /* the edge that brought it may have brought more */
    dg_conn_deadline(&down->conn, down->tls ? timeouts(down->edge)->head_ms : timeouts(down->edge)->idle_ms);
    return true;
}

static void client_ready(dg_conn *conn)
{
    dg_downstream *down = downstream_of(conn);
    down->running = true; /* so that nothing below frees the memory under our feet */
    bool alive = !down->awaits_route || read_route(down);
    if (alive && conn->phase != DG_CONN_OPEN)
        alive = progress(down);
    if (alive && dg_conn_queued(conn))
        alive = flush(down);
    down->running = false;
    if (down->dead)
        free(down);
    else if (alive)
        run(down);
}

static void client_expired(dg_conn *conn)
{
    dg_downstream *down = downstream_of(conn);
    dg_exchange *x = down->exchange;
    if (x && down->state == DG_CLIENT_BODY) {
        x->close_after = true;
        if (!x->whole && dg_forward_is_full(x)) /* 408 would say: ask again (RFC 9110 15.5.9) */
            dg_fail(x, DG_PROBLEM_ANSWER_TIMEOUT, "the backend did not take the body in time", NULL);
        else
            dg_fail(x, DG_PROBLEM_REQUEST_TIMEOUT, "the body did not come in time", NULL);
    } else if (x && down->state == DG_CLIENT_TUNNEL) {
        dg_tunnel_expired(x);
    } else if (x) { /* it does not read its answer */
        dg_exchange_abort(x);
    } else if (down->state == DG_CLIENT_HEAD && dg_conn_input(conn).len) {
        refuse_with(down, 408, "the head did not come in time");
    } else {
        dg_downstream_free(down);
    }
}
