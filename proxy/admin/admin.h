/* The control API: what an operator and Prometheus ask a running dragoman.
 *
 *   GET /          what is here
 *   GET /healthz   200 while the process lives
 *   GET /readyz    200 while it takes traffic, else 503
 *   GET /metrics   the Prometheus text format
 *   GET /usage     the same counts as JSON
 * HEAD is GET without the body. All else is 404 or 405, as application/problem+json (RFC 9457). It
 * knows no other room: what it tells comes from hooks, called on the thread of the event base. */
#ifndef DG_PROXY_ADMIN_H
#define DG_PROXY_ADMIN_H

#include "proxy/admin/control_server.h"

typedef struct dg_admin dg_admin;

typedef struct dg_admin_hooks {
    void *context;
    bool (*ready)(void *context);
    void (*metrics)(void *context, dg_buf *out);
    void (*usage)(void *context, dg_buf *out);
} dg_admin_hooks;

/* hooks is copied. Address and errors are those of dg_control_server_new. */
DG_MUST_USE dg_status dg_admin_new(struct event_base *base, const char *address,
                                   const dg_admin_hooks *hooks, dg_admin **ret_admin);
unsigned dg_admin_port(const dg_admin *admin);
void dg_admin_free(dg_admin *admin); /* NULL is fine */

#endif
