/* The backend of the demonstration: an orders service that speaks v2 and nothing else.
 *
 *   GET   /api/v2/orders?page=1&limit=20   {"data": [Order...], "meta": {"page", "limit",
 * "total_count"}} POST  /api/v2/orders                   201, Location, {"data": Order} GET
 * /api/v2/orders/count             {"count": 42} GET   /api/v2/orders/{id}              {"data":
 * Order} PATCH /api/v2/orders/{id}              {"data": Order} Errors are {"error": {"code",
 * "message"}}, with "field" when one is to blame. Orders live in memory, 42 at the start and at
 * most 1,000. For demonstrations and tests, on loopback. One thread: the event base's. */
#ifndef DG_PROXY_DEMO_BACKEND_H
#define DG_PROXY_DEMO_BACKEND_H

#include <event2/event.h>

#include "base/status.h"

typedef struct dg_demo_backend dg_demo_backend;

/* Address and errors are those of dg_control_server_new. */
DG_MUST_USE dg_status dg_demo_backend_new(struct event_base *base, const char *address,
                                          dg_demo_backend **ret_backend);
unsigned dg_demo_backend_port(const dg_demo_backend *backend);
void dg_demo_backend_free(dg_demo_backend *backend); /* NULL is fine */

#endif
