/* W3C Trace Context: whether traceparent and tracestate are what the recommendation says. Pure functions; any thread. */
#ifndef DG_PROXY_HTTP_TRACE_H
#define DG_PROXY_HTTP_TRACE_H

#include "proxy/http/head.h"

enum { DG_TRACE_ID_BYTES = 32, DG_TRACESTATE_MEMBERS_MAX = 32 };

/* The trace-id of a head's one valid traceparent (3.2); an empty slice when there is none, or it is malformed, or there
 * are several. */
dg_slice dg_trace_id(const dg_head *head);

/* Whether all tracestate fields together are a valid list (3.3): at most 32 members, no key twice. True without any. */
bool dg_tracestate_is_valid(const dg_head *head);

#endif
