#include "proxy/admin/control_server.h"

#include <errno.h>
#include <evhtp/evhtp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/date.h"
#include "proxy/admin/control_socket.h"
#include "proxy/http/tables.h"

enum { BACKLOG = 128, ACCEPT_PAUSE_MS = 250 };

/* libevhtp forgets its connections, so they are listed here to be closed at the end. */
typedef struct connection {
    struct connection *next, **link;
    dg_control_server *server;
    evhtp_connection_t *evhtp;
    bool has_query; /* of the request at hand, in its target */
} connection;

struct dg_control_server {
    evhtp_t *htp;
    struct event *resume; /* accepting, after it failed */
    dg_control_handler handler;
    void *context;
    dg_control_socket socket;
    connection *connections;
    size_t connection_count;
};

void dg_control_response_field(dg_control_response *response, const char *name, const char *fmt,
                               ...)
{
    DG_ASSERT(response->field_count < DG_CONTROL_FIELDS_MAX);
    dg_control_field *field = &response->fields[response->field_count++];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(field->value, sizeof field->value, fmt, args);
    va_end(args);
    field->name = name;
    bool good = len >= 0 && len < (int)sizeof field->value;
    for (int i = 0; good && i < len; i++)
        good = (unsigned char)field->value[i] >= ' ' && field->value[i] != 0x7F;
    if (!good && response->body.status == DG_OK)
        response->body.status = DG_INVALID;
}

static void add_head(struct evbuffer *out, const dg_control_response *response,
                     const evhtp_request_t *request)
{
    char date[DG_IMF_FIXDATE_BYTES];
    dg_date_imf(dg_wall_s(), date);
    evbuffer_add_printf(out, "HTTP/1.1 %u %.*s\r\nDate: %.*s\r\n", response->status,
                        DG_SLICE_FMT(dg_reason_phrase(response->status)), (int)sizeof date, date);
    if (response->content_type)
        evbuffer_add_printf(out, "Content-Type: %s\r\n", response->content_type);
    for (size_t i = 0; i < response->field_count; i++)
        evbuffer_add_printf(out, "%s: %s\r\n", response->fields[i].name, response->fields[i].value);
    if (response->status != 204 && response->status != 304)
        evbuffer_add_printf(out, "Content-Length: %zu\r\n", response->body.len);
    bool stays = request->flags & EVHTP_REQ_FLAG_KEEPALIVE;
    if (stays && request->proto == EVHTP_PROTO_10)
        evbuffer_add_printf(out, "Connection: keep-alive\r\n");
    else if (!stays)
        evbuffer_add_printf(out, "Connection: close\r\n");
    evbuffer_add(out, "\r\n", 2);
}

/* The answer is written here and not by evhtp_send_reply, which knows few reason phrases and adds a
 * Content-Type to everything. */
static void answer(evhtp_request_t *request, dg_control_response *response)
{
    struct evbuffer *out = evbuffer_new();
    if (response->body.status != DG_OK) {
        dg_buf_clear(&response->body);
        response->status = 500;
        response->content_type = NULL;
        response->field_count = 0;
    }
    if (!out) {
        evhtp_send_reply(request, EVHTP_RES_SERVERR);
        return;
    }
    add_head(out, response, request);
    if (evhtp_response_needs_body((evhtp_res)response->status, request->method))
        evbuffer_add(out, response->body.ptr, response->body.len);
    evhtp_send_reply_body(request, out);
    evhtp_send_reply_end(request);
    evbuffer_free(out);
}

static void on_request(evhtp_request_t *request, void *context)
{
    dg_control_server *server = context;
    evhtp_hooks_t *hooks = request->conn->hooks;
    const connection *c = hooks ? hooks->on_headers_arg : NULL;
    const evhtp_uri_t *uri = request->uri;
    size_t body_bytes = evbuffer_get_length(request->buffer_in);
    dg_control_request asked = {
        .method = dg_slice_str(htparser_get_methodstr_m(request->method)),
        .path = dg_slice_str(uri && uri->path ? uri->path->full : "/"),
        .content_type = dg_slice_str(evhtp_header_find(request->headers_in, "Content-Type")),
    };
    if (uri && c && c->has_query)
        asked.query = dg_slice_str((const char *)uri->query_raw);
    if (body_bytes)
        asked.body = dg_slice_of(evbuffer_pullup(request->buffer_in, -1), body_bytes);
    dg_control_response response = {.status = 200};
    dg_buf_init(&response.body, DG_CONTROL_RESPONSE_MAX);
    if (body_bytes && !asked.body.ptr)
        response.body.status = DG_NOMEM;
    else
        server->handler(server->context, &asked, &response);
    answer(request, &response);
    dg_buf_free(&response.body);
}

/* Before the body: a form in the body would become the query of a request that has none. */
static evhtp_res on_headers(evhtp_request_t *request, evhtp_headers_t *headers, void *context)
{
    connection *c = context;
    (void)headers;
    c->has_query = request->uri && request->uri->query_raw;
    return EVHTP_RES_OK;
}

static evhtp_res on_connection_end(evhtp_connection_t *evhtp, void *context)
{
    connection *c = context;
    (void)evhtp;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->server->connection_count--;
    free(c);
    return EVHTP_RES_OK;
}

static evhtp_res on_connection(evhtp_connection_t *evhtp, void *context)
{
    dg_control_server *server = context;
    connection *c = NULL;
    if (server->connection_count < DG_CONTROL_CONNECTIONS_MAX)
        c = calloc(1, sizeof *c);
    if (!c)
        return EVHTP_RES_ERROR;
    *c = (connection){server->connections, &server->connections, server, evhtp, false};
    if (evhtp_connection_set_hook(evhtp, evhtp_hook_on_headers, on_headers, c) ||
        evhtp_connection_set_hook(evhtp, evhtp_hook_on_connection_fini, on_connection_end, c)) {
        free(c);
        return EVHTP_RES_ERROR;
    }
    if (c->next)
        c->next->link = &c->next;
    server->connections = c;
    server->connection_count++;
    return EVHTP_RES_OK;
}

/* Without file descriptors the listener stays readable: libevhtp would spin. */
static void on_accept_failure(struct evconnlistener *listener, void *context)
{
    evhtp_t *htp = context;
    dg_control_server *server = htp->arg;
    struct timeval pause = {.tv_usec = (suseconds_t)ACCEPT_PAUSE_MS * 1000};
    if (event_add(server->resume, &pause) == 0)
        evconnlistener_disable(listener);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    dg_control_server *server = context;
    (void)fd, (void)what;
    evconnlistener_enable(server->htp->server);
}

static dg_status start(dg_control_server *server, struct event_base *base)
{
    struct timeval idle = {.tv_sec = DG_CONTROL_IDLE_S};
    server->htp = evhtp_new(base, server);
    server->resume = evtimer_new(base, on_resume, server);
    if (!server->htp || !server->resume)
        return DG_NOMEM;
    evhtp_disable_flag(server->htp, EVHTP_FLAG_ENABLE_100_CONT);
    evhtp_set_max_body_size(server->htp, DG_CONTROL_BODY_MAX + 1); /* it refuses from there on */
    evhtp_set_timeouts(server->htp, &idle, &idle);
    evhtp_set_parser_flags(server->htp, EVHTP_PARSE_QUERY_FLAG_LENIENT);
    evhtp_set_gencb(server->htp, on_request, server);
    evhtp_set_post_accept_cb(server->htp, on_connection, server);
    if (evhtp_accept_socket(server->htp, server->socket.fd, BACKLOG))
        return DG_IO;
    server->socket.fd = -1; /* the listener's now */
    evconnlistener_set_error_cb(server->htp->server, on_accept_failure);
    return DG_OK;
}

dg_status dg_control_server_new(struct event_base *base, const char *address,
                                dg_control_handler handler, void *context,
                                dg_control_server **ret_server)
{
    dg_control_server *server = calloc(1, sizeof *server);
    if (!server)
        return DG_NOMEM;
    *server = (dg_control_server){.handler = handler, .context = context, .socket = {.fd = -1}};
    dg_status status = dg_control_socket_open(address, &server->socket);
    if (status == DG_OK)
        status = start(server, base);
    if (status != DG_OK) {
        int error = errno;
        dg_control_server_free(server);
        errno = error;
        return status;
    }
    *ret_server = server;
    return DG_OK;
}

unsigned dg_control_server_port(const dg_control_server *server)
{
    return server->socket.port;
}

void dg_control_server_free(dg_control_server *server)
{
    if (!server)
        return;
    if (server->htp)
        evhtp_unbind_socket(server->htp);
    while (server->connections)
        evhtp_connection_free(server->connections->evhtp); /* on_connection_end unlinks it */
    evhtp_free(server->htp);
    if (server->resume)
        event_free(server->resume);
    if (server->socket.fd >= 0)
        close(server->socket.fd);
    dg_control_socket_unlink(&server->socket);
    free(server);
}
