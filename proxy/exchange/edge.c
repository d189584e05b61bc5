#include "proxy/exchange/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "proxy/exchange/exchange.h"

enum { WALL_CLOCK_MS = 100 };

static void count_upstream(void *context, int delta)
{
    dg_usage_gauge(context, DG_GAUGE_UPSTREAM_CONNECTIONS, delta);
}

static void count_nothing(void *context, int delta)
{
    (void)context, (void)delta;
}

static dg_epoch *epoch_new(dg_edge *edge, dg_snapshot *snapshot)
{
    dg_epoch *epoch = calloc(1, sizeof *epoch);
    if (!epoch)
        return NULL;
    size_t n = snapshot->config.upstream_count;
    epoch->pools = calloc(n ? n : 1, sizeof *epoch->pools);
    if (!epoch->pools || dg_runner_new(&epoch->runner) != DG_OK) {
        free(epoch->pools);
        free(epoch);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        dg_pool_init(&epoch->pools[i], &edge->loop, &snapshot->config.upstreams[i],
                     &snapshot->config.upstreams[i] == snapshot->control ? count_nothing : count_upstream,
                     edge->usage);
    epoch->snapshot = dg_snapshot_ref(snapshot);
    return epoch;
}

static void epoch_free(dg_epoch *epoch)
{
    for (size_t i = 0; i < epoch->snapshot->config.upstream_count; i++)
        dg_pool_free(&epoch->pools[i]);
    for (size_t i = 0; i < DG_LIFECYCLE_SLOTS; i++)
        dg_buf_free(&epoch->lifecycle[i].text);
    dg_runner_free(epoch->runner);
    dg_snapshot_unref(epoch->snapshot);
    free(epoch->pools);
    free(epoch);
}

void dg_epoch_release(dg_edge *edge, dg_epoch *epoch)
{
    if (--epoch->exchanges == 0 && epoch != edge->epoch)
        epoch_free(epoch);
}

/* Unlike those of other workers and runs; nobody's secret. */
static void id_seeds(dg_edge *edge)
{
    if (getrandom(edge->id_seed, sizeof edge->id_seed, GRND_NONBLOCK) == sizeof edge->id_seed)
        return;
    edge->id_seed[0] = dg_hash_seed() ^ (uint64_t)getpid();
    edge->id_seed[1] = edge->loop.now_us ^ (uint64_t)(uintptr_t)edge;
}

dg_status dg_edge_init(dg_edge *edge, dg_snapshot *snapshot, dg_usage_shard *usage,
                       dg_accesslog_ring *log, const char *via)
{
    *edge = (dg_edge){.usage = usage, .log = log};
    snprintf(edge->via, sizeof edge->via, "%s", via);
    dg_status status = dg_loop_init(&edge->loop);
    if (status != DG_OK)
        return status;
    id_seeds(edge);
    status = dg_coder_new(&edge->coder);
    if (status == DG_OK)
        status = dg_edge_switch(edge, snapshot);
    if (status != DG_OK) {
        dg_coder_free(edge->coder);
        dg_loop_free(&edge->loop);
    }
    return status;
}

dg_status dg_edge_switch(dg_edge *edge, dg_snapshot *snapshot)
{
    dg_epoch *epoch = epoch_new(edge, snapshot);
    if (!epoch)
        return DG_NOMEM;
    dg_epoch *old = edge->epoch;
    edge->epoch = epoch;
    if (old && old->exchanges == 0)
        epoch_free(old);
    return DG_OK;
}

void dg_edge_drain(dg_edge *edge)
{
    edge->draining = true;
    dg_downstream *next;
    for (dg_downstream *down = edge->clients; down; down = next) {
        next = down->next;
        if (!down->exchange && down->state == DG_CLIENT_HEAD && !dg_conn_input(&down->conn).len)
            dg_downstream_free(down);
    }
}

bool dg_edge_is_empty(const dg_edge *edge)
{
    return edge->client_count == edge->control_count;
}

bool dg_edge_has_room(const dg_edge *edge)
{
    return edge->client_count < edge->epoch->snapshot->config.limits.connections;
}

static void exchange_destroy(dg_exchange *x)
{
    dg_buf_free(&x->text);
    dg_buf_free(&x->request_head);
    dg_buf_free(&x->request_bytes);
    dg_buf_free(&x->request_out);
    dg_buf_free(&x->request_lines);
    dg_buf_free(&x->request_document);
    dg_buf_free(&x->answer_lines);
    dg_buf_free(&x->answer_head);
    dg_buf_free(&x->answer_bytes);
    dg_buf_free(&x->answer_out);
    dg_buf_free(&x->request_trailers);
    dg_buf_free(&x->answer_trailers);
    dg_buf_free(&x->plain);
    free(x->digests);
    free(x);
}

void dg_edge_free(dg_edge *edge)
{
    dg_loop_look_at_clock(&edge->loop); /* for the log lines of what is cut */
    while (edge->clients) {
        if (edge->clients->exchange)
            dg_exchange_abort(edge->clients->exchange);
        else
            dg_downstream_free(edge->clients);
    }
    if (edge->epoch)
        epoch_free(edge->epoch);
    dg_exchange *next;
    for (dg_exchange *x = edge->spare; x; x = next) {
        next = x->next;
        exchange_destroy(x);
    }
    dg_coder_free(edge->coder);
    dg_buf_free(&edge->scratch);
    dg_translator_free(&edge->translator);
    dg_loop_free(&edge->loop);
    *edge = (dg_edge){.epoch = NULL};
}

int64_t dg_edge_now(dg_edge *edge)
{
    if (edge->loop.now_ms < edge->wall_until_ms)
        return edge->wall_s;
    int64_t now = dg_wall_s();
    edge->wall_until_ms = edge->loop.now_ms + WALL_CLOCK_MS;
    if (now != edge->wall_s) {
        edge->wall_s = now;
        dg_date_imf(now, edge->date);
    }
    return now;
}

dg_slice dg_edge_date(dg_edge *edge)
{
    (void)dg_edge_now(edge);
    return dg_slice_of(edge->date, sizeof edge->date);
}

/* ---- the exchanges' struct */

enum { SPARE_MAX = 512, BUFFER_KEPT_BYTES = 16384 };

dg_exchange *dg_exchange_new(dg_downstream *down)
{
    dg_edge *edge = down->edge;
    dg_exchange *x = edge->spare;
    if (x) {
        edge->spare = x->next;
        edge->spare_count--;
    } else if (!(x = calloc(1, sizeof *x))) {
        return NULL;
    }
    const dg_limits *limits = &edge->epoch->snapshot->config.limits;
    dg_exchange fresh = {.edge = edge, .epoch = edge->epoch, .down = down,
                         .text = x->text, .request_head = x->request_head,
                         .request_bytes = x->request_bytes, .request_out = x->request_out,
                         .request_lines = x->request_lines, .request_document = x->request_document,
                         .answer_lines = x->answer_lines,
                         .answer_head = x->answer_head, .answer_bytes = x->answer_bytes,
                         .answer_out = x->answer_out, .request_trailers = x->request_trailers,
                         .answer_trailers = x->answer_trailers, .plain = x->plain, .started_us = edge->loop.now_us};
    *x = fresh;
    /* The engine may read a little behind its input. */
    x->request_bytes.bytes_max = x->answer_bytes.bytes_max = x->plain.bytes_max =
        limits->body_bytes + DG_JSON_PADDING;
    x->request_out.bytes_max = x->answer_out.bytes_max = limits->body_bytes;
    edge->epoch->exchanges++;
    down->exchange = x;
    return x;
}

/* Empties a buffer; memory that a large message needed goes back. */
static void recycle(dg_buf *buf)
{
    if (buf->cap > BUFFER_KEPT_BYTES)
        dg_buf_free(buf);
    dg_buf_clear(buf);
}

static void put_spare(dg_edge *edge, dg_exchange *x)
{
    recycle(&x->text);
    recycle(&x->request_head);
    recycle(&x->request_bytes);
    recycle(&x->request_out);
    recycle(&x->request_lines);
    recycle(&x->request_document);
    recycle(&x->answer_lines);
    recycle(&x->answer_head);
    recycle(&x->answer_bytes);
    recycle(&x->answer_out);
    recycle(&x->request_trailers);
    recycle(&x->answer_trailers);
    recycle(&x->plain);
    free(x->digests);
    x->digests = NULL;
    if (edge->spare_count >= SPARE_MAX) {
        exchange_destroy(x);
        return;
    }
    x->next = edge->spare;
    edge->spare = x;
    edge->spare_count++;
}

void dg_exchange_release_up(dg_exchange *x, bool keep)
{
    if (!x->up)
        return;
    if (keep)
        dg_pool_keep(x->up);
    else
        dg_pool_drop(x->up);
    x->up = NULL;
}

void dg_exchange_free(dg_exchange *x)
{
    dg_edge *edge = x->edge;
    dg_count(x);
    dg_exchange_release_up(x, false);
    dg_flow_free(x->request_flow); /* before their runner */
    dg_flow_free(x->answer_flow);
    x->down->exchange = NULL;
    dg_epoch_release(edge, x->epoch);
    x->gone = true;
    if (!x->held)
        put_spare(edge, x);
}

void dg_exchange_let_go(dg_exchange *x)
{
    if (--x->held == 0 && x->gone)
        put_spare(x->edge, x);
}
