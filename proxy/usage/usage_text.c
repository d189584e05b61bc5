#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "proxy/usage/usage_table.h"

static const char *const bucket_labels[DG_USAGE_BUCKETS] = {
#define BUCKET_LABEL(label, us) label,
    DG_USAGE_BUCKET_TABLE(BUCKET_LABEL)
#undef BUCKET_LABEL
};

static const char *const method_labels[] = {
#define METHOD_LABEL(name) #name,
    DG_USAGE_METHOD_TABLE(METHOD_LABEL)
#undef METHOD_LABEL
        "other",
};

/* A label value escapes a backslash, a quote and a line feed, and nothing else. */
static void add_label(dg_buf *out, const char *name, dg_slice value)
{
    dg_buf_add_str(out, name);
    dg_buf_add_str(out, "=\"");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"')
            dg_buf_add_char(out, '\\');
        if (c == '\n')
            dg_buf_add_str(out, "\\n");
        else
            dg_buf_add_char(out, c);
    }
    dg_buf_add_char(out, '"');
}

static void add_group_labels(dg_buf *out, const dg_usage_slot_names *slot)
{
    add_label(out, "api", slot->api);
    dg_buf_add_char(out, ',');
    add_label(out, "version", slot->version);
}

static void add_status(dg_buf *out, unsigned status)
{
    if (status == DG_USAGE_STATUS_OTHER)
        dg_buf_add_str(out, "\"other\"");
    else
        dg_buf_printf(out, "\"%u\"", status);
}

static void add_head(dg_buf *out, const char *name, const char *type, const char *help)
{
    dg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_requests(const dg_usage *usage, const dg_usage_snapshot *snapshot, dg_buf *out)
{
    add_head(out, "dragoman_requests_total", "counter",
             "Requests by API, client's version, endpoint, method and status.");
    for (size_t i = 0; i < snapshot->item_count; i++) {
        const dg_usage_item *item = &snapshot->items[i];
        const dg_usage_slot_names *slot = &usage->slots[dg_usage_key_slot(item->key)];
        dg_buf_add_str(out, "dragoman_requests_total{");
        add_group_labels(out, slot);
        dg_buf_add_char(out, ',');
        add_label(out, "endpoint", slot->endpoint);
        dg_buf_printf(out, ",method=\"%s\",status=", method_labels[dg_usage_key_method(item->key)]);
        add_status(out, dg_usage_key_status(item->key));
        dg_buf_printf(out, "} %" PRIu64 "\n", item->count);
    }
}

static void add_durations(const dg_usage *usage, const dg_usage_snapshot *snapshot, dg_buf *out)
{
    static const char name[] = "dragoman_request_duration_seconds";
    add_head(out, name, "histogram", "Time from the end of a request's head to the end of its answer.");
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const dg_usage_total *total = &snapshot->totals[i];
        const dg_usage_slot_names *slot = &usage->slots[total->other];
        uint64_t count = 0;
        for (size_t b = 0; b < DG_USAGE_BUCKETS; b++) {
            count += total->buckets[b];
            dg_buf_printf(out, "%s_bucket{", name);
            add_group_labels(out, slot);
            dg_buf_printf(out, ",le=\"%s\"} %" PRIu64 "\n", bucket_labels[b], count);
        }
        dg_buf_printf(out, "%s_sum{", name);
        add_group_labels(out, slot);
        dg_buf_printf(out, "} %" PRIu64 ".%06" PRIu64 "\n", total->duration_us / 1000000,
                      total->duration_us % 1000000);
        dg_buf_printf(out, "%s_count{", name);
        add_group_labels(out, slot);
        dg_buf_printf(out, "} %" PRIu64 "\n", count);
    }
}

static void add_gauges(const dg_usage_snapshot *snapshot, dg_buf *out)
{
#define ADD_GAUGE(id, name, type, help)                                                            \
    add_head(out, "dragoman_" name, type, help);                                                   \
    dg_buf_printf(out, "dragoman_%s %" PRId64 "\n", name, snapshot->gauges[DG_GAUGE_##id]);
    DG_GAUGE_TABLE(ADD_GAUGE)
#undef ADD_GAUGE
}

void dg_usage_metrics(dg_usage *usage, dg_buf *out)
{
    dg_usage_snapshot snapshot;
    pthread_mutex_lock(&usage->mutex);
    dg_status status = dg_usage_snapshot_take(usage, &snapshot);
    if (status == DG_OK) {
        add_requests(usage, &snapshot, out);
        add_durations(usage, &snapshot, out);
        add_gauges(&snapshot, out);
        dg_usage_snapshot_free(&snapshot);
        add_head(out, "dragoman_build_info", "gauge", "The running version, as a label.");
        dg_buf_add_str(out, "dragoman_build_info{version=\"" DG_VERSION "\"} 1\n");
        add_head(out, "process_start_time_seconds", "gauge",
                 "Start time of the process since unix epoch in seconds.");
        dg_buf_printf(out, "process_start_time_seconds %" PRId64 "\n", usage->since);
    } else if (out->status == DG_OK) {
        out->status = status;
    }
    pthread_mutex_unlock(&usage->mutex);
}

/* RFC 3339, in UTC. */
static void add_time(dg_buf *out, int64_t when)
{
    char text[DG_RFC3339_BYTES];
    dg_date_rfc3339(when, text);
    dg_buf_add_json(out, dg_slice_of(text, sizeof text));
}

/* The items of one endpoint and method, from items[0] on; returns how many there are. */
static size_t add_endpoint(const dg_usage *usage, const dg_usage_item *items, size_t count,
                           dg_buf *out)
{
    size_t n = 0;
    uint64_t requests = 0;
    for (; n < count && items[n].key >> 10 == items[0].key >> 10; n++)
        requests += items[n].count;
    dg_buf_add_str(out, "{\"endpoint\":");
    dg_buf_add_json(out, usage->slots[dg_usage_key_slot(items[0].key)].endpoint);
    dg_buf_printf(out, ",\"method\":\"%s\",\"requests\":%" PRIu64 ",\"statuses\":{",
                  method_labels[dg_usage_key_method(items[0].key)], requests);
    for (size_t i = 0; i < n; i++) {
        if (i)
            dg_buf_add_char(out, ',');
        add_status(out, dg_usage_key_status(items[i].key));
        dg_buf_printf(out, ":%" PRIu64, items[i].count);
    }
    dg_buf_add_str(out, "}}");
    return n;
}

/* The items of one version, from items[0] on; returns how many there are. */
static size_t add_version(const dg_usage *usage, const dg_usage_total *total,
                          const dg_usage_item *items, size_t count, dg_buf *out)
{
    const dg_usage_slot_names *names = &usage->slots[total->other];
    size_t n = 0;
    uint64_t requests = 0;
    for (; n < count && usage->slots[dg_usage_key_slot(items[n].key)].group == names->group; n++)
        requests += items[n].count;
    dg_buf_add_str(out, "{\"version\":");
    dg_buf_add_json(out, names->version);
    dg_buf_printf(out, ",\"requests\":%" PRIu64 ",\"last_seen\":", requests);
    if (total->last_seen)
        add_time(out, total->last_seen);
    else
        dg_buf_add_str(out, "null");
    dg_buf_add_str(out, ",\"endpoints\":[");
    for (size_t at = 0; at < n;) {
        if (at)
            dg_buf_add_char(out, ',');
        at += add_endpoint(usage, items + at, n - at, out);
    }
    dg_buf_add_str(out, "]}");
    return n;
}

static void add_apis(const dg_usage *usage, const dg_usage_snapshot *snapshot, dg_buf *out)
{
    size_t at = 0;
    dg_slice api = {NULL, 0};
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const dg_usage_total *total = &snapshot->totals[i];
        dg_slice name = usage->slots[total->other].api;
        if (i == 0 || !dg_slice_eq(name, api)) {
            dg_buf_add_str(out, i ? "]},{\"api\":" : "{\"api\":");
            dg_buf_add_json(out, name);
            dg_buf_add_str(out, ",\"versions\":[");
            api = name;
        } else {
            dg_buf_add_char(out, ',');
        }
        at += add_version(usage, total, snapshot->items + at, snapshot->item_count - at, out);
    }
    if (snapshot->total_count)
        dg_buf_add_str(out, "]}");
}

void dg_usage_json(dg_usage *usage, dg_buf *out)
{
    dg_usage_snapshot snapshot;
    pthread_mutex_lock(&usage->mutex);
    dg_status status = dg_usage_snapshot_take(usage, &snapshot);
    if (status == DG_OK) {
        dg_buf_add_str(out, "{\"since\":");
        add_time(out, usage->since);
        dg_buf_add_str(out, ",\"apis\":[");
        add_apis(usage, &snapshot, out);
        dg_buf_add_str(out, "]}\n");
        dg_usage_snapshot_free(&snapshot);
    } else if (out->status == DG_OK) {
        out->status = status;
    }
    pthread_mutex_unlock(&usage->mutex);
}
