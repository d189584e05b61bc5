/* A small HTTP server for the control plane: whole requests in, whole answers out, one handler.
 *
 * The only user of libevhtp. Its peers are dragoman's own front and tools on the same machine,
 * never the network: it listens on a unix socket or on loopback. What libevhtp cannot parse, and a
 * body beyond the limit, ends the connection without an answer. Out of memory inside libevhtp ends
 * the process. Everything runs on the thread of the event base. SIGPIPE must be ignored by the
 * process. */
#ifndef DG_PROXY_CONTROL_SERVER_H
#define DG_PROXY_CONTROL_SERVER_H

#include <event2/event.h>

#include "base/buf.h"

enum {
    DG_CONTROL_BODY_MAX = 1 << 20,      /* bytes of a request's body */
    DG_CONTROL_RESPONSE_MAX = 64 << 20, /* bytes of an answer's body */
    DG_CONTROL_CONNECTIONS_MAX = 256,   /* more are closed at once */
    DG_CONTROL_FIELDS_MAX = 4,
    DG_CONTROL_FIELD_BYTES_MAX = 256,
    DG_CONTROL_IDLE_S = 75
};

typedef struct dg_control_server dg_control_server;

typedef struct dg_control_request {
    dg_slice method;       /* "GET" */
    dg_slice path;         /* as sent: begins with a slash, not decoded */
    dg_slice query;        /* without the '?'; empty if none */
    dg_slice content_type; /* empty if none */
    dg_slice body;
} dg_control_request;

typedef struct dg_control_field {
    const char *name; /* a literal */
    char value[DG_CONTROL_FIELD_BYTES_MAX];
} dg_control_field;

/* Comes as 200 with an empty body. The server adds Date, Content-Length and Connection, leaves the
 * body out where it must (HEAD, 204, 304), and answers 500 when the body's status is not DG_OK. */
typedef struct dg_control_response {
    unsigned status;
    const char *content_type; /* a literal; NULL = none */
    dg_buf body;              /* the server's to free */
    dg_control_field fields[DG_CONTROL_FIELDS_MAX];
    size_t field_count;
} dg_control_response;

/* Adds a field. Control bytes in the value, and what does not fit, make the answer a 500. */
void dg_control_response_field(dg_control_response *response, const char *name, const char *fmt,
                               ...) DG_PRINTF(3, 4);

/* The request's slices are valid during the call. Must not free the server. */
typedef void (*dg_control_handler)(void *context, const dg_control_request *request,
                                   dg_control_response *response);

/* address: "unix:/path", "127.0.0.1:9000" or "[::1]:9000"; port 0 = any free one. The unix socket
 * gets mode 0600; one that nobody listens on is replaced, one in use is not, and at the end it is
 * unlinked. DG_SYNTAX for a malformed address, DG_IO (errno says why), DG_NOMEM. */
DG_MUST_USE dg_status dg_control_server_new(struct event_base *base, const char *address,
                                            dg_control_handler handler, void *context,
                                            dg_control_server **ret_server);
/* The TCP port, 0 for a unix socket. */
unsigned dg_control_server_port(const dg_control_server *server);
/* Closes all connections. Before the base is freed. NULL is fine. */
void dg_control_server_free(dg_control_server *server);

#endif
