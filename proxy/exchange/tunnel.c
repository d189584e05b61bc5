/* Upgrades (RFC 9110 7.8): what is offered to the backend, and the tunnel that its 101 opens.
 *
 * In a tunnel bytes go both ways as they are. Each side is read only when the other took
 * everything, and the end of one side is passed to the other, which may still speak. Silence of
 * both, for timeouts.tunnel, ends it. */
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/fields.h"
#include "proxy/log.h"

enum {
    FILLS_MAX = 32, /* blocks of one side before it is the others' turn */
    OFFER_BYTES_MAX = 1024
};

/* ---- the offer */

/* "name" or "name/version" (RFC 9110 7.8): one that the configuration names. */
static bool may_be_offered(const dg_config *config, dg_slice protocol)
{
    size_t slash = dg_slice_find(protocol, '/');
    dg_slice name = dg_slice_until(protocol, slash);
    if (slash < protocol.len && !dg_is_token(dg_slice_from(protocol, slash + 1)))
        return false;
    for (size_t i = 0; i < config->upgrade_count; i++)
        if (dg_slice_ieq(name, config->upgrades[i]))
            return true;
    return false;
}

/* Whether this exchange may become a tunnel: nothing of it is translated, and nothing of the
 * request is left to come. Anywhere else the client's wish is ignored, as RFC 9110 7.8 allows. */
static bool may_upgrade(const dg_exchange *x, const dg_head *head)
{
    return head->upgrade && x->epoch->snapshot->config.upgrade_count && x->request.done &&
           !x->down->control && !x->match.request && !x->match.answers;
}

void dg_tunnel_offer(dg_exchange *x, const dg_head *head, dg_buf *out)
{
    if (!may_upgrade(x, head))
        return;
    dg_list list = dg_list_of_field(head, DG_FIELD_UPGRADE);
    dg_slice protocol;
    size_t start = out->len, offer = 0;
    while (dg_list_next(&list, &protocol)) {
        if (!may_be_offered(&x->epoch->snapshot->config, protocol))
            continue;
        dg_buf_add(out, offer ? DG_SLICE(", ") : DG_SLICE("Connection: upgrade\r\nUpgrade: "));
        if (!offer)
            offer = out->len;
        dg_buf_add(out, protocol);
    }
    if (!offer || out->status != DG_OK)
        return;
    if (out->len - offer > OFFER_BYTES_MAX) {
        out->len = start;
        return;
    }
    x->offer_start = (uint32_t)offer;
    x->offer_bytes = (uint32_t)(out->len - offer);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* ---- the 101 */

static bool was_offered(const dg_exchange *x, dg_slice protocol)
{
    dg_list list =
        dg_list_of_value(dg_slice_of(x->request_head.ptr + x->offer_start, x->offer_bytes));
    dg_slice offered;
    while (dg_list_next(&list, &offered))
        if (dg_slice_ieq(offered, protocol))
            return true;
    return false;
}

/* What is wrong with a 101; NULL = nothing. */
static const char *fault_of(const dg_exchange *x, const dg_head *head)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_UPGRADE);
    dg_slice protocol;
    bool any = false;
    if (!head->upgrade)
        return "its 101 has no Upgrade field that Connection names";
    if (head->content_length)
        return "its 101 announces a body";
    for (; dg_list_next(&list, &protocol); any = true)
        if (!was_offered(x, protocol))
            return "its 101 names a protocol that was not asked for";
    return any ? NULL : "its 101 names no protocol";
}

static dg_status write_head(dg_exchange *x, const dg_head *head)
{
    dg_buf *out = &x->answer_head;
    dg_list list = dg_list_of_field(head, DG_FIELD_UPGRADE);
    dg_slice protocol;
    dg_status status = dg_answer_head_begin(x, head, false, NULL);
    if (status != DG_OK)
        return status;
    const char *before = "Connection: upgrade\r\nUpgrade: ";
    for (; dg_list_next(&list, &protocol); before = ", ") {
        dg_buf_add_str(out, before);
        dg_buf_add(out, protocol);
    }
    dg_buf_add(out, DG_SLICE("\r\n\r\n"));
    if (out->status != DG_OK)
        return out->status;
    x->answer_started = true;
    return dg_conn_write(&x->down->conn, &(struct iovec){out->ptr, out->len}, 1);
}

/* Bytes went through, or the tunnel opened: the silence begins anew. */
static void set_silence(dg_exchange *x)
{
    dg_conn_deadline(&x->down->conn, x->epoch->snapshot->config.timeouts.tunnel_ms);
}

void dg_tunnel_begin(dg_exchange *x, const dg_head *head)
{
    const char *fault = fault_of(x, head);
    if (fault) {
        dg_log_peer("backend", "%s: malformed answer: %s (%.*s %.*s)", x->upstream->url, fault,
                    DG_SLICE_FMT(x->method_name), DG_SLICE_FMT(x->path));
        dg_fail(x, DG_PROBLEM_UPSTREAM_MALFORMED, fault, NULL);
        return;
    }
    x->status = head->status;
    x->tunnel = true;
    x->close_after = true;
    dg_status status = write_head(x, head);
    if (status == DG_NOMEM && !x->answer_started) {
        x->tunnel = false;
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return;
    }
    if (status != DG_OK) {
        dg_exchange_abort(x);
        return;
    }
    x->down->state = DG_CLIENT_TUNNEL;
    dg_conn_no_deadline(&x->up->conn);
    set_silence(x);
    dg_tunnel_run(x);
}

/* ---- its bytes */

/* Moves what one side has to the other. DG_OK: all that can be moved now was. DG_IO, DG_NOMEM: a
 * side is broken. */
static dg_status move(dg_exchange *x, dg_conn *from, dg_conn *to, uint64_t *count, bool *ended)
{
    for (unsigned fills = 0; !*ended; fills++) {
        dg_status status = dg_conn_flush(to);
        if (status != DG_OK)
            return status == DG_AGAIN ? DG_OK : status;
        dg_slice in = dg_conn_input(from);
        if (in.len) {
            status = dg_conn_write(to, &(struct iovec){(void *)(uintptr_t)in.ptr, in.len}, 1);
            if (status != DG_OK)
                return status;
            *count += in.len;
            dg_conn_consume(from, in.len);
            set_silence(x);
            continue;
        }
        if (fills >= FILLS_MAX) {
            dg_conn_rest(from);
            return dg_conn_yield(from) ? DG_OK : DG_IO;
        }
        status = dg_conn_fill(from);
        if (status == DG_AGAIN)
            return DG_OK;
        if (status == DG_CLOSED) {
            *ended = true;
            dg_conn_half_close(to);
        } else if (status != DG_OK) {
            return status;
        }
    }
    return DG_OK;
}

void dg_tunnel_run(dg_exchange *x)
{
    dg_conn *client = &x->down->conn, *backend = &x->up->conn;
    bool client_ended = x->client_ended, backend_ended = x->backend_ended;
    dg_status up = move(x, client, backend, &x->request_bytes_in, &client_ended);
    dg_status down = up == DG_OK ? move(x, backend, client, &x->body_bytes, &backend_ended) : DG_OK;
    x->client_ended = client_ended;
    x->backend_ended = backend_ended;
    if (up != DG_OK || down != DG_OK) {
        if (backend->broken && !client->broken) {
            x->problem = "upstream-closed";
            x->side = "upstream";
        }
        dg_exchange_abort(x);
    } else if (client_ended && backend_ended && !dg_conn_queued(client)) {
        dg_tunnel_end(x);
    }
}

void dg_tunnel_end(dg_exchange *x)
{
    dg_downstream *down = x->down;
    dg_exchange_free(x);
    dg_downstream_free(down);
}

void dg_tunnel_expired(dg_exchange *x)
{
    x->problem = "tunnel-timeout";
    x->side = dg_conn_queued(&x->up->conn) ? "upstream" : "downstream";
    dg_tunnel_end(x);
}
