/* A client that speaks raw bytes to a server on the same thread's event base. */
#ifndef DG_TEST_RAW_CLIENT_H
#define DG_TEST_RAW_CLIENT_H

#include <event2/event.h>

#include "base/buf.h"

typedef struct raw_client {
    struct event_base *base;
    int fd;
    dg_buf in; /* the newest answer */
    dg_slice head, body;
    unsigned status;
    bool closed; /* by the server */
} raw_client;

void raw_client_tcp(raw_client *c, struct event_base *base, unsigned port);
void raw_client_unix(raw_client *c, struct event_base *base, const char *path);
void raw_client_close(raw_client *c);

/* Sends, then runs the base until one whole answer is there (a HEAD's has no body), or the server
 * closed, or 5 s passed (a failure). Returns the status, 0 without an answer. */
unsigned raw_client_ask(raw_client *c, dg_slice bytes, bool is_head);
/* The same with a request made of these; type and body may be NULL. */
unsigned raw_client_request(raw_client *c, const char *method, const char *target, const char *type,
                            const char *body);
/* The value of a field of the answer, empty if absent. */
dg_slice raw_client_field(const raw_client *c, const char *name);
bool raw_client_body_has(const raw_client *c, const char *text);

#endif
