/* The other half of dragoman explain: what a request is. */
#ifndef DG_PROXY_COMMAND_EXPLAIN_H
#define DG_PROXY_COMMAND_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

enum { DG_HEADERS_MAX = 64 };

/* `request` is "GET /api/v1/orders/7", headers are "Name: value". `backend` is a version, or NULL
 * for the newest. Says which version the request is of and why, which endpoint it asks for, and
 * what the backend would get. An exit code. */
int dg_explain_request(const char *pack, const char *backend, const char *request,
                       char *const *headers, size_t header_count, bool json);

#endif
