/* From the backend to the client: the answer's head, its body translated whole or streamed. */
#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"
#include "proxy/log.h"

enum {
    INTERIMS_MAX = 16,
    FILLS_MAX = 64 /* blocks of an answer before it is the others' turn */
};

static void malformed(dg_exchange *x, const char *why)
{
    dg_log_peer("backend", "%s: malformed answer: %s (%.*s %.*s)", x->upstream->url, why,
                DG_SLICE_FMT(x->method_name), DG_SLICE_FMT(x->path));
    dg_fail(x, DG_PROBLEM_UPSTREAM_MALFORMED, why, NULL);
}

/* The last byte came from the backend and is written or queued for the client. */
static void finish(dg_exchange *x)
{
    dg_exchange_release_up(x, x->up_keep && x->request_sent);
    dg_answer_done(x);
}

/* ---- towards the client */

static dg_status write_answer(dg_exchange *x, dg_slice body)
{
    struct iovec iov[] = {{x->answer_head.ptr, x->answer_head.len},
                          {(void *)(uintptr_t)body.ptr, body.len}};
    x->answer_started = true;
    x->body_bytes += body.len;
    return dg_conn_write(&x->down->conn, iov, body.len ? 2 : 1);
}

/* Writes a piece of a streamed body, with the head before the first and the end behind the last. */
static dg_status write_piece(dg_exchange *x, dg_slice piece, bool last)
{
    char head[DG_CHUNK_HEAD_BYTES_MAX];
    struct iovec iov[5];
    int n = 0;
    if (!x->answer_started)
        iov[n++] = (struct iovec){x->answer_head.ptr, x->answer_head.len};
    x->answer_started = true;
    x->body_bytes += piece.len;
    if (x->answer_chunked && piece.len)
        iov[n++] = (struct iovec){head, dg_chunk_head(head, piece.len)};
    if (piece.len)
        iov[n++] = (struct iovec){(void *)(uintptr_t)piece.ptr, piece.len};
    if (x->answer_chunked && piece.len)
        iov[n++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    if (x->answer_chunked && last) {
        dg_slice end = dg_trailers_end(x, &x->answer_trailers);
        iov[n++] = (struct iovec){(void *)(uintptr_t)end.ptr, end.len};
    }
    return n ? dg_conn_write(&x->down->conn, iov, n) : DG_OK;
}

/* ---- translated bodies */

static void refuse_translation(dg_exchange *x, dg_status status, const dg_run_error *error)
{
    if (status == DG_LIMIT)
        dg_fail(x, DG_PROBLEM_UPSTREAM_TOO_LARGE, error->message, NULL);
    else if (status == DG_NOMEM)
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
    else
        dg_fail(x, DG_PROBLEM_UPSTREAM_BODY, error->message, NULL);
}

/* The head waited for the content. */
static dg_status build_whole(dg_exchange *x, dg_slice content, dg_run_error *error)
{
    dg_head *head = &x->edge->head;
    dg_slice plain;
    dg_status status = dg_decode(x, x->answer_coding, content, &plain, error);
    if (status == DG_OK)
        status = dg_head_again(x, &x->answer_lines, true, head);
    if (status == DG_OK)
        status = dg_answer_build(x, x->translation, head, true, plain, error);
    if (status != DG_OK)
        return status;
    x->answer_bare = x->answer_bare || !x->edge->translator.has_content;
    status = dg_answer_head_begin(x, head, true, &x->edge->translator);
    return status == DG_OK ? dg_encode(x, x->client_coding, &x->answer_out, error) : status;
}

/* What becomes of the content, in answer_out. */
static dg_status make_content(dg_exchange *x, dg_slice content, dg_run_error *error)
{
    const char *field = NULL;
    dg_status status = x->answer_ready ? DG_OK : dg_digests_check(x, content, &field);
    if (status == DG_INVALID)
        error->message = "its content is not what its digest says";
    if (status != DG_OK)
        return status;
    if (x->answer_lines.len)
        status = build_whole(x, content, error);
    else if (!x->answer_ready && !x->answer_bare)
        status = dg_translate(x, x->translation, x->answer_coding, x->client_coding, content, &x->answer_out, error);
    if (x->answer_bare)
        dg_buf_clear(&x->answer_out);
    return status;
}

/* `content` is the whole of it, padded. Translates and answers. Frees x. */
static void answer_translated(dg_exchange *x, dg_slice content)
{
    dg_run_error error = {.message = NULL};
    dg_status status = make_content(x, content, &error);
    if (status == DG_OK && !x->answer_bare)
        status = dg_digests_renew(x, dg_buf_slice(&x->answer_out), &x->answer_head);
    if (status != DG_OK) {
        refuse_translation(x, status, &error);
        return;
    }
    bool bodiless = x->status == 204 || x->status == 304;
    if (x->method != DG_METHOD_HEAD && !bodiless) {
        dg_buf_add(&x->answer_head, DG_SLICE("Content-Length: "));
        dg_buf_add_u64(&x->answer_head, x->answer_out.len);
        dg_buf_add(&x->answer_head, DG_SLICE("\r\n"));
    }
    if (x->method == DG_METHOD_HEAD)
        dg_buf_clear(&x->answer_out);
    dg_answer_head_end(x);
    if (x->answer_head.status != DG_OK)
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
    else if (write_answer(x, dg_buf_slice(&x->answer_out)) != DG_OK)
        dg_exchange_abort(x);
    else
        finish(x);
}

/* The common case: the whole body came with the head. False when it did not. */
static bool translate_in_place(dg_exchange *x)
{
    dg_slice in = dg_conn_input(&x->up->conn);
    if (x->answer.framing != DG_FRAMING_LENGTH || x->answer_bytes.len || in.len < x->answer.left)
        return false;
    size_t bytes = (size_t)x->answer.left;
    x->answer.left = 0;
    x->answer.done = true;
    dg_conn_consume(&x->up->conn, bytes);
    answer_translated(x, dg_slice_of(in.ptr, bytes));
    return true;
}

static void collect(dg_exchange *x, dg_slice piece)
{
    dg_buf_add(&x->answer_bytes, piece);
    if (x->answer_bytes.len > x->epoch->snapshot->config.limits.body_bytes)
        x->answer_bytes.status = DG_LIMIT;
}

static void collected(dg_exchange *x)
{
    dg_status status = dg_buf_reserve(&x->answer_bytes, DG_JSON_PADDING);
    if (status != DG_OK)
        refuse_translation(x, status, &(dg_run_error){.message = NULL});
    else
        answer_translated(x, dg_buf_slice(&x->answer_bytes));
}

/* ---- bodies that are translated as they come */

/* Ends the head, and from here on what comes goes through the flow. False when it failed; x may be gone. */
static bool begin_flow(dg_exchange *x)
{
    const dg_limits *limits = &x->epoch->snapshot->config.limits;
    dg_status status = dg_flow_new(x->epoch->runner, x->translation->body, x->answer_kind, x->answer_coding,
                                   x->client_coding, limits->body_bytes, &x->answer_flow);
    if (x->minor > 0) {
        x->answer_chunked = true;
        dg_buf_add(&x->answer_head, DG_SLICE("Transfer-Encoding: chunked\r\n"));
    } else {
        x->close_after = true; /* HTTP/1.0: the end of the connection is the end of the body */
    }
    dg_answer_head_end(x);
    x->answer_out.bytes_max = 0; /* it leaves share by share */
    if (status == DG_OK && x->answer_head.status == DG_OK)
        return true;
    dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
    return false;
}

/* As read_answer_body. What nobody has seen anything of yet can still be refused; behind that the client's
 * connection is cut (dg_fail). */
static dg_status flow_piece(dg_exchange *x, dg_slice piece)
{
    dg_run_error error = {.message = NULL};
    dg_buf_clear(&x->answer_out);
    dg_status status = dg_flow_feed(x->answer_flow, piece, x->answer.done, &x->answer_out, &error);
    if (status != DG_OK && status != DG_AGAIN) {
        dg_log_translation(x, &error);
        if (x->answer_out.len && write_piece(x, dg_buf_slice(&x->answer_out), false) != DG_OK)
            dg_exchange_abort(x);
        else
            refuse_translation(x, status, &error);
        return DG_CLOSED;
    }
    x->answer_more = status == DG_AGAIN;
    bool last = x->answer.done && !x->answer_more;
    if ((x->answer_out.len || last) && write_piece(x, dg_buf_slice(&x->answer_out), last) != DG_OK) {
        dg_exchange_abort(x);
        return DG_CLOSED;
    }
    if (last) {
        finish(x);
        return DG_CLOSED;
    }
    return dg_conn_queued(&x->down->conn) ? DG_LIMIT : DG_OK;
}

/* The same for what was collected so far. */
static dg_status flow_collected(dg_exchange *x)
{
    if (!begin_flow(x))
        return DG_CLOSED;
    dg_status status = flow_piece(x, dg_buf_slice(&x->answer_bytes));
    if (status != DG_CLOSED)
        dg_buf_free(&x->answer_bytes);
    return status;
}

/* Whether what is collected is better sent on its way; paused: nothing more comes for now. */
static bool should_flow(const dg_exchange *x, bool paused)
{
    if (!x->translation || x->answer_flow || x->answer_kind == DG_FLOW_NONE || x->answer.done)
        return false;
    bool large = x->answer.framing != DG_FRAMING_LENGTH || x->answer.left + x->answer_bytes.len > DG_FLOW_BYTES;
    return x->answer_bytes.len >= DG_FLOW_BYTES ||
           (paused && large && x->answer_bytes.len >= DG_FLOW_PAUSED_BYTES);
}

/* ---- the head */

static bool is_bodiless(unsigned status)
{
    return status == 204 || status == 304;
}

/* Whether the answer's content is to be translated, and can be. False when it was refused. */
static bool choose_translation(dg_exchange *x, const dg_translation *t, const dg_head *head, bool *ret_translated)
{
    bool content = dg_translates_content(t);
    dg_json_kind kind = content ? dg_json_kind_as(t->from, head) : DG_JSON_NO;
    if (kind == DG_JSON_NO && dg_is_of_body(t) && (x->answer_kind = dg_flow_of_head(head)) != DG_FLOW_NONE)
        kind = DG_JSON_YES;
    *ret_translated = kind != DG_JSON_NO;
    if (is_bodiless(head->status)) /* about a representation that would be translated */
        *ret_translated = content;
    if (is_bodiless(x->status) && !is_bodiless(head->status) && !x->answer.done) {
        x->answer_bare = x->answer_ready = *ret_translated = true; /* what comes is not for this client */
        x->translation = t;
        return true;
    }
    bool unknown = kind == DG_JSON_NO && content && !x->answer.done && !dg_head_has_one_type(head);
    if (kind == DG_JSON_NO && !unknown)
        return true; /* not in the format: it passes untouched */
    const char *why = NULL;
    if (unknown)
        why = "it has content, but not one Content-Type that says whether to translate it";
    else if (kind == DG_JSON_CHARSET)
        why = "its JSON is not in UTF-8";
    else if ((x->answer_coding = dg_content_coding(head)) == DG_CODING_UNKNOWN)
        why = "it has a content coding that was not asked for";
    else if (dg_forbids_transformation(x, head)) /* RFC 9110 7.7 */
        why = "it forbids its transformation (Cache-Control: no-transform)";
    else if (head->status == 206)
        why = "it is a part of a representation that was asked for whole";
    if (why) {
        dg_fail(x, DG_PROBLEM_UPSTREAM_BODY, why, NULL);
        return false;
    }
    if (x->answer.done)
        return true;
    DG_ASSERT(t);
    x->translation = t;
    x->answer_changed = true;
    x->answer_bare = t->to == DG_FORMAT_NONE;
    x->client_coding = dg_coding_for_client(x);
    dg_status status = dg_digests_remember(x, head); /* a malformed one says nothing (RFC 8941 4.2) */
    if (status == DG_NOMEM) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return false;
    }
    /* A digest of one text is checked before anything of it leaves. */
    const size_t body_max = x->epoch->snapshot->config.limits.body_bytes;
    if (x->answer_kind == DG_FLOW_NONE && dg_is_of_body(t) && dg_flow_can(t->body, body_max) && !x->digests)
        x->answer_kind = DG_FLOW_JSON;
    if (x->answer_kind != DG_FLOW_NONE || x->answer.left <= body_max)
        return true;
    dg_fail(x, DG_PROBLEM_UPSTREAM_TOO_LARGE, NULL, NULL);
    return false;
}

/* Framing towards the client for a body that passes (RFC 9112 6). */
static void frame(dg_exchange *x, const dg_head *head, bool translated)
{
    dg_buf *out = &x->answer_head;
    if (is_bodiless(head->status) && !is_bodiless(x->status) && x->method != DG_METHOD_HEAD) {
        dg_buf_add(out, DG_SLICE("Content-Length: 0\r\n")); /* it had none, for it could have none */
    } else if (is_bodiless(x->status) && x->status != head->status) {
        ; /* there is nothing, and so no length (RFC 9110 8.6) */
    } else if (x->answer.framing == DG_FRAMING_LENGTH ||
        (x->answer.framing == DG_FRAMING_NONE && head->has_length && !translated &&
         (x->method == DG_METHOD_HEAD || head->status == 304))) {
        dg_buf_add(out, DG_SLICE("Content-Length: "));
        dg_buf_add_u64(out, head->content_length);
        dg_buf_add(out, DG_SLICE("\r\n"));
    } else if (x->answer.framing != DG_FRAMING_NONE && x->minor > 0) {
        x->answer_chunked = true;
        if (x->takes_trailers && x->answer.framing == DG_FRAMING_CHUNKED)
            dg_trailers_announce(x, head, out);
        dg_buf_add(out, DG_SLICE("Transfer-Encoding: chunked\r\n"));
    } else if (x->answer.framing != DG_FRAMING_NONE) {
        x->close_after = true; /* HTTP/1.0: the end of the connection is the end of the body */
    }
    dg_answer_head_end(x);
}

/* Server-sent events go on as long as somebody listens (WHATWG HTML 9.2). */
static bool is_event_stream(const dg_head *head)
{
    dg_media_type type;
    return dg_media_type_parse(dg_head_value(head, DG_FIELD_CONTENT_TYPE), &type) == DG_OK &&
           dg_slice_ieq(type.type, DG_SLICE("text")) && dg_slice_ieq(type.subtype, DG_SLICE("event-stream"));
}

/* The parts that do not wait for the content. False when the answer was refused. */
static bool build_parts(dg_exchange *x, const dg_translation *t, const dg_head *head)
{
    dg_run_error error = {.message = NULL};
    dg_status status = dg_answer_build(x, t, head, false, (dg_slice){NULL, 0}, &error);
    if (status != DG_OK) {
        refuse_translation(x, status, &error);
        return false;
    }
    if (!x->edge->translator.has_content || is_bodiless(x->status))
        return true;
    if (!x->answer.done && (head->status == 206 || dg_forbids_transformation(x, head))) {
        dg_fail(x, DG_PROBLEM_UPSTREAM_BODY, "its content would be replaced, and is a part, or must stay", NULL);
        return false;
    }
    x->answer_ready = true; /* made here, in the place of what came */
    x->translation = t;
    return true;
}

/* False when x may be gone. */
static bool begin_answer(dg_exchange *x, const dg_head *head)
{
    bool translated;
    const dg_translation *t = dg_match_answer(&x->match, head->status);
    const dg_translator *parts = NULL;
    x->status = t && t->status ? t->status : head->status;
    x->up_keep = head->keep_alive;
    x->close_after |= x->edge->draining || !x->request.done;
    dg_body_start(&x->answer, head->framing, head->content_length);
    if (!choose_translation(x, t, head, &translated))
        return false;
    x->answer_parsed = true;
    if (t && t->message && x->translation && !x->answer_ready && (t->parts & DG_IN_BODY)) {
        dg_head_keep(head, true, &x->answer_lines);
        return true;
    }
    if (t && t->message) {
        if (!build_parts(x, t, head))
            return false;
        parts = &x->edge->translator;
        translated |= x->answer_ready;
    }
    if (x->answer_ready || x->answer_bare)
        x->answer_kind = DG_FLOW_NONE;
    x->endless = x->translation ? x->answer_kind > DG_FLOW_JSON : is_event_stream(head);
    if (dg_answer_head_begin(x, head, translated, parts) != DG_OK) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return false;
    }
    if (x->translation)
        return x->answer_kind <= DG_FLOW_JSON || begin_flow(x);
    frame(x, head, translated);
    return true;
}

/* 1xx: 100 was for us, the others are the client's when it can take them (RFC 9110 15.2). */
static bool pass_interim(dg_exchange *x, const dg_head *head)
{
    if (++x->interims > INTERIMS_MAX) {
        malformed(x, "too many interim answers");
        return false;
    }
    if (head->status == 100 || x->minor == 0)
        return true;
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_status status = dg_interim_head(x, head, &out);
    if (status == DG_OK)
        status = dg_conn_write(&x->down->conn, &(struct iovec){out.ptr, out.len}, 1);
    dg_buf_free(&out);
    if (status != DG_OK)
        dg_exchange_abort(x);
    return status == DG_OK;
}

/* DG_AGAIN: read more. DG_OK: go on. DG_CLOSED: x may be gone. */
static dg_status read_answer_head(dg_exchange *x)
{
    dg_slice in = dg_conn_input(&x->up->conn);
    if (in.len == 0)
        return DG_AGAIN;
    if (!x->any_received)
        x->first_byte_us = x->edge->loop.now_us;
    x->any_received = true;
    dg_edge *edge = x->edge;
    dg_head_limits limits = {.head_bytes_max = x->epoch->snapshot->config.limits.head_bytes};
    dg_http_error error = {.reason = NULL};
    size_t consumed = 0;
    dg_method method = dg_method_of(dg_exchange_upstream_method(x));
    dg_status status = dg_response_parse(in, &x->answer_scan, &limits, method, x->offer_bytes > 0, &edge->head,
                                         &consumed, &error);
    if (status == DG_AGAIN && in.len < DG_BLOCK_BYTES)
        return DG_AGAIN;
    if (status != DG_OK) {
        malformed(x, status == DG_AGAIN ? "its head is too large" : error.reason);
        return DG_CLOSED;
    }
    x->answer_scan = 0;
    dg_conn_consume(&x->up->conn, consumed);
    if (edge->head.status == 101) {
        dg_tunnel_begin(x, &edge->head);
        return DG_CLOSED;
    }
    bool alive = edge->head.status < 200 ? pass_interim(x, &edge->head) : begin_answer(x, &edge->head);
    return alive ? DG_OK : DG_CLOSED;
}

/* ---- the body */

/* Takes what is there. DG_AGAIN: read more. DG_LIMIT: the client is full. DG_OK: go on. DG_CLOSED: x may be
 * gone. */
static dg_status read_answer_body(dg_exchange *x)
{
    if (x->answer_more)
        return flow_piece(x, (dg_slice){NULL, 0});
    if (x->translation && !x->answer_flow && translate_in_place(x))
        return DG_CLOSED;
    dg_slice in = dg_conn_input(&x->up->conn), piece;
    size_t consumed;
    bool was_done = x->answer.done;
    if (in.len == 0 && !was_done) {
        bool passes = !x->translation || x->answer_kind > DG_FLOW_JSON;
        if (passes && !x->answer_started && write_piece(x, in, false) != DG_OK) {
            dg_exchange_abort(x);
            return DG_CLOSED;
        }
        return DG_AGAIN;
    }
    dg_buf *joined = x->translation ? NULL : &x->answer_bytes; /* not needed for content that passes */
    dg_status status = dg_body_next_joined(&x->answer, in, joined, x->takes_trailers ? &x->answer_trailers : NULL,
                                           &consumed, &piece);
    if (status == DG_NOMEM) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return DG_CLOSED;
    }
    if (status != DG_OK) {
        malformed(x, x->answer.chunked.error ? x->answer.chunked.error : "its body is malformed");
        return DG_CLOSED;
    }
    dg_conn_consume(&x->up->conn, consumed);
    if (x->endless && piece.len)
        dg_conn_deadline(&x->up->conn, x->epoch->snapshot->config.timeouts.answer_ms);
    else if (!x->answer.done)
        dg_conn_extend_deadline(&x->up->conn, dg_body_time_bought(&x->answer, piece.len),
                                x->epoch->snapshot->config.timeouts.answer_ms);
    if (x->answer_flow)
        return flow_piece(x, piece);
    if (x->translation)
        collect(x, piece);
    else if (write_piece(x, piece, x->answer.done) != DG_OK) {
        dg_exchange_abort(x);
        return DG_CLOSED;
    }
    if (x->translation && x->answer_bytes.status != DG_OK) {
        refuse_translation(x, x->answer_bytes.status, &(dg_run_error){.message = NULL});
        return DG_CLOSED;
    }
    if (should_flow(x, false))
        return flow_collected(x);
    if (!x->answer.done)
        return dg_conn_queued(&x->down->conn) ? DG_LIMIT : DG_OK;
    if (x->translation)
        collected(x);
    else
        finish(x);
    return DG_CLOSED;
}

static void pause_reading(dg_exchange *x)
{
    const dg_timeouts *timeouts = &x->epoch->snapshot->config.timeouts;
    x->paused = true; /* the client has the turn, and its own deadline */
    dg_conn_no_deadline(&x->up->conn);
    dg_conn_deadline(&x->down->conn, timeouts->send_ms);
}

static void end_flow(dg_exchange *x)
{
    dg_status status;
    do
        status = flow_piece(x, (dg_slice){NULL, 0});
    while (status == DG_OK);
    if (status == DG_LIMIT)
        pause_reading(x);
}

/* The backend's end, where more was awaited. */
static void ended(dg_exchange *x, dg_status status)
{
    if (status == DG_CLOSED && x->answer_parsed && x->answer.framing == DG_FRAMING_UNTIL_CLOSE) {
        x->answer.done = true;
        x->up_keep = false;
        if (x->answer_flow)
            end_flow(x);
        else if (x->translation)
            collected(x);
        else if (write_piece(x, (dg_slice){NULL, 0}, true) != DG_OK)
            dg_exchange_abort(x);
        else
            finish(x);
    } else if (status == DG_NOMEM) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
    } else {
        dg_forward_failed(x, "the connection ended before the answer did");
    }
}

void dg_answer_read(dg_exchange *x)
{
    for (unsigned fills = 0; !x->paused;) {
        dg_status status = x->answer_parsed ? read_answer_body(x) : read_answer_head(x);
        if (status == DG_CLOSED)
            return;
        if (status == DG_LIMIT) {
            pause_reading(x);
            return;
        }
        if (status == DG_AGAIN && fills++ == FILLS_MAX && dg_conn_yield(&x->up->conn))
            return;
        if (status == DG_AGAIN)
            status = dg_conn_fill(&x->up->conn);
        if (status == DG_AGAIN && x->answer_parsed && should_flow(x, true) && flow_collected(x) == DG_LIMIT)
            pause_reading(x);
        if (status == DG_AGAIN)
            return;
        if (status != DG_OK) {
            ended(x, status);
            return;
        }
    }
}

void dg_answer_given(dg_exchange *x, const dg_head *head)
{
    if (!begin_answer(x, head))
        return;
    x->answer.done = true;
    dg_slice content = x->method == DG_METHOD_HEAD ? (dg_slice){NULL, 0} : dg_buf_slice(&x->answer_bytes);
    if (x->translation)
        collected(x);
    else if (write_piece(x, content, true) != DG_OK)
        dg_exchange_abort(x);
    else
        finish(x);
}

void dg_answer_resume(dg_exchange *x)
{
    if (!x->paused)
        return;
    x->paused = false;
    dg_conn_no_deadline(&x->down->conn);
    dg_conn_deadline(&x->up->conn, x->epoch->snapshot->config.timeouts.answer_ms);
    dg_answer_read(x);
}
