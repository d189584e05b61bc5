/* Who still uses what: counters per API, version, endpoint template, method and status.
 *
 * One dg_usage a process; it survives reloads. One shard a worker thread: only that thread counts in it, the
 * control thread reads all shards at any time with relaxed atomics. Nothing on a request's way is shared,
 * locked or allocated in steady state. Bounded: when a shard is full, further combinations are counted
 * under endpoint "other". */
#ifndef DG_PROXY_USAGE_H
#define DG_PROXY_USAGE_H

#include "base/buf.h"

typedef struct dg_usage dg_usage;
typedef struct dg_usage_shard dg_usage_shard;

DG_MUST_USE dg_status dg_usage_new(dg_usage **ret_usage);
void dg_usage_free(dg_usage *usage); /* frees the shards too */

/* Control thread. A stable id for these names, the same at every call with equal names. Copied. */
DG_MUST_USE dg_status dg_usage_slot(dg_usage *usage, dg_slice api, dg_slice version, dg_slice endpoint,
                                    uint32_t *ret_slot);
/* Control thread. A new shard, owned by the usage. */
DG_MUST_USE dg_status dg_usage_shard_new(dg_usage *usage, dg_usage_shard **ret_shard);

/* Things a worker counts beside requests. name: metric without the dragoman_ prefix. */
#define DG_GAUGE_TABLE(X)                                                                                    \
    X(DOWNSTREAM_CONNECTIONS, "downstream_connections", "gauge", "Open connections from clients.")           \
    X(UPSTREAM_CONNECTIONS, "upstream_connections", "gauge", "Open connections to backends.")                \
    X(CONNECTIONS_ACCEPTED, "connections_accepted_total", "counter", "Connections accepted.")                \
    X(REQUESTS_REJECTED, "requests_rejected_total", "counter", "Malformed requests answered by dragoman.")   \
    X(UPSTREAM_FAILURES, "upstream_failures_total", "counter", "Exchanges that failed on the backend side.") \
    X(TRANSLATION_FAILURES, "translation_failures_total", "counter", "Bodies that could not be translated.") \
    X(EXCHANGES_CUT, "exchanges_cut_total", "counter", "Exchanges whose answer did not reach its client whole.") \
    X(RETRIES, "upstream_retries_total", "counter", "Requests sent again on a new connection.")

typedef enum dg_gauge {
#define DG_GAUGE_ENUM(id, name, type, help) DG_GAUGE_##id,
    DG_GAUGE_TABLE(DG_GAUGE_ENUM)
#undef DG_GAUGE_ENUM
    DG_GAUGE_COUNT
} dg_gauge;

/* Worker thread that owns the shard. method: as sent; unknown ones count as "other". */
void dg_usage_count(dg_usage_shard *shard, uint32_t slot, dg_slice method, unsigned status,
                    uint64_t duration_us);
void dg_usage_gauge(dg_usage_shard *shard, dg_gauge gauge, int64_t delta);

/* Control thread. The Prometheus text format 0.0.4: dragoman_requests_total{api,version,endpoint,method,
 * status}, dragoman_request_duration_seconds (a histogram by api and version), the table above,
 * dragoman_build_info, and the process's start time. */
void dg_usage_metrics(dg_usage *usage, dg_buf *out);
/* The same counts as JSON for programs: {"since": "...", "apis": [{"api", "versions": [{"version",
 * "requests", "last_seen", "endpoints": [{"endpoint", "method", "requests", "statuses": {"200": n}}]}]}]}. */
void dg_usage_json(dg_usage *usage, dg_buf *out);

#endif
