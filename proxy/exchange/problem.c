#include "proxy/exchange/problem.h"

#include "proxy/exchange/exchange.h"
#include "proxy/message/content.h"

static const struct row {
    unsigned status;
    const char *type, *title, *proxy_status;
} rows[] = {
#define DG_PROBLEM_ROW(id, status, type, title, proxy_status) {status, type, title, proxy_status},
    DG_PROBLEM_TABLE(DG_PROBLEM_ROW)
#undef DG_PROBLEM_ROW
};

static void add_body(dg_buf *out, const struct row *row, unsigned status, const char *detail,
                     dg_slice request_id, const dg_problem_extra *extra)
{
    dg_buf_printf(out, "{\"type\":\"urn:dragoman:problem:%s\",\"title\":\"%s\",\"status\":%u", row->type,
                  row->title, status);
    if (detail) {
        dg_buf_add_str(out, ",\"detail\":");
        dg_buf_add_json(out, dg_slice_str(detail));
    }
    if (request_id.len) {
        dg_buf_add_str(out, ",\"request_id\":");
        dg_buf_add_json(out, request_id);
    }
    if (extra)
        dg_buf_add(out, extra->members);
    dg_buf_add_str(out, "}\n");
}

/* The shape that the client's version knows. Where it does not fit, the problem stays what it is: an error must not
 * fail. */
static dg_slice shape(dg_exchange *x, dg_buf *body)
{
    const dg_match *match = &x->match;
    const dg_error_shape *shape = match->version ? match->version->errors : match->api ? match->api->errors : NULL;
    dg_slice as_it_is = DG_SLICE("application/problem+json");
    dg_translator *scratch = &x->edge->translator;
    const char *message = NULL;
    dg_run_error error = {.message = NULL};
    if (!shape || dg_buf_reserve(body, DG_JSON_PADDING) != DG_OK)
        return as_it_is;
    dg_buf_clear(&scratch->outcome);
    dg_buf_clear(&scratch->content);
    dg_status status = DG_OK;
    if (shape->program)
        status = dg_run(x->epoch->runner, shape->program, dg_buf_slice(body), &scratch->outcome, &error);
    if (status == DG_OK)
        status = dg_content_write(shape->format, dg_buf_slice(shape->program ? &scratch->outcome : body),
                                  (dg_slice){NULL, 0}, &scratch->content, &message);
    if (status != DG_OK) {
        error.message = message ? message : error.message;
        dg_log_translation(x, &error);
        return as_it_is;
    }
    dg_buf_clear(body);
    dg_buf_add(body, dg_buf_slice(&scratch->content));
    return dg_content_type(shape->format);
}

static void add_head(dg_buf *out, dg_slice date, const struct row *row, unsigned status, bool close,
                     dg_slice content_type, size_t body_bytes)
{
    dg_buf_printf(out, "HTTP/1.1 %u ", status);
    dg_buf_add(out, dg_reason_phrase(status));
    dg_buf_add_str(out, "\r\nDate: ");
    dg_buf_add(out, date);
    dg_buf_add_str(out, "\r\nContent-Type: ");
    dg_buf_add(out, content_type);
    dg_buf_printf(out, "\r\nContent-Length: %zu\r\n", body_bytes);
    if (row->proxy_status)
        dg_buf_printf(out, "Proxy-Status: dragoman; error=%s\r\n", row->proxy_status);
    if (status == 503)
        dg_buf_add_str(out, "Retry-After: 1\r\n");
    if (close)
        dg_buf_add_str(out, "Connection: close\r\n");
}

static dg_status write_both(dg_downstream *down, dg_buf *head, const dg_buf *body)
{
    struct iovec iov[] = {{head->ptr, head->len}, {body ? body->ptr : NULL, body ? body->len : 0}};
    return head->status != DG_OK || (body && body->status != DG_OK)
               ? DG_NOMEM
               : dg_conn_write(&down->conn, iov, body ? 2 : 1);
}

/* Whose fault a problem is. */
static const char *side_of(const struct row *row)
{
    return row->status == 500 ? "dragoman" : row->proxy_status ? "upstream" : "downstream";
}

void dg_fail(dg_exchange *x, dg_problem problem, const char *detail, const dg_problem_extra *extra)
{
    const struct row *row = &rows[problem];
    dg_exchange_release_up(x, false);
    x->problem = row->type;
    x->side = side_of(row);
    if (row->proxy_status)
        dg_usage_gauge(x->edge->usage, DG_GAUGE_UPSTREAM_FAILURES, 1);
    if (x->answer_started) {
        dg_exchange_abort(x);
        return;
    }
    x->status = extra && extra->status ? extra->status : row->status;
    x->close_after |= !x->request.done || x->minor == 0; /* HTTP/1.0 awaits the end, if it is not told otherwise */
    dg_buf_clear(&x->answer_head);
    dg_buf_clear(&x->answer_out);
    add_body(&x->answer_out, row, x->status, detail, dg_request_id(x), extra);
    dg_slice type = shape(x, &x->answer_out);
    add_head(&x->answer_head, dg_edge_date(x->edge), row, x->status, x->close_after, type, x->answer_out.len);
    dg_request_id_add(x->epoch, dg_request_id(x), &x->answer_head);
    /* An old client learns of its version's end from errors too. */
    dg_answer_version(x, false, false, &x->answer_head);
    if (extra)
        dg_buf_add(&x->answer_head, extra->fields);
    dg_buf_add_str(&x->answer_head, "\r\n");
    x->answer_started = true;
    x->body_bytes = x->method == DG_METHOD_HEAD ? 0 : x->answer_out.len;
    bool head_only = x->method == DG_METHOD_HEAD;
    if (write_both(x->down, &x->answer_head, head_only ? NULL : &x->answer_out) != DG_OK)
        dg_exchange_abort(x);
    else
        dg_answer_done(x);
}

void dg_downstream_refuse(dg_downstream *down, unsigned status, dg_problem problem, const char *detail)
{
    const struct row *row = &rows[problem];
    dg_buf head, body;
    dg_buf_init(&head, 0);
    dg_buf_init(&body, 0);
    status = status ? status : row->status;
    char text[DG_REQUEST_ID_BYTES_MAX];
    dg_slice id = down->control ? (dg_slice){NULL, 0} : dg_request_id_make(down->edge, text);
    add_body(&body, row, status, detail, id, NULL);
    add_head(&head, dg_edge_date(down->edge), row, status, true, DG_SLICE("application/problem+json"), body.len);
    dg_request_id_add(down->edge->epoch, id, &head);
    dg_buf_add_str(&head, "\r\n");
    dg_status sent = write_both(down, &head, &body);
    dg_buf_free(&head);
    dg_buf_free(&body);
    dg_log_refusal(down, status, row->type, id);
    if (sent != DG_OK) {
        dg_downstream_free(down);
        return;
    }
    down->closing = true;
    dg_downstream_answered(down);
}
