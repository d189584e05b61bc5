/* Which API, version and endpoint is this? And what does not go on is answered here. */
#include <stdio.h>

#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"
#include "proxy/http/target.h"

/* What the rules ask of a request. */
typedef struct asked {
    const dg_head *head;
    const dg_tls_identity *identity; /* NULL = the client showed no certificate */
} asked;

static dg_slice field_of(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    const dg_head *head = ((const asked *)context)->head;
    const dg_field *field = dg_head_find_name(head, name);
    dg_slice value = {NULL, 0};
    for (*ret_count = 0; field; field = dg_head_next(head, field))
        if ((*ret_count)++ == index)
            value = field->value;
    return value;
}

static dg_slice certificate_of(const void *context, dg_slice part)
{
    const dg_tls_identity *identity = ((const asked *)context)->identity;
    for (unsigned i = 0; identity && i < DG_TLS_IDENTITY_COUNT; i++)
        if (dg_slice_eq(part, dg_slice_str(dg_tls_identity_key((dg_tls_identity_part)i))))
            return identity->parts[i];
    return (dg_slice){NULL, 0};
}

/* ---- what the refusals list */

static void add_versions(dg_buf *out, const dg_api *api)
{
    dg_buf_add_str(out, ",\"versions\":[");
    for (size_t i = 0; i < api->version_count; i++) {
        dg_buf_add_str(out, i ? "," : "");
        dg_buf_add_json(out, dg_slice_str(api->versions[i].name));
    }
    dg_buf_add_char(out, ']');
}

static void add_endpoints(dg_buf *out, const dg_version *version)
{
    dg_buf_add_str(out, ",\"endpoints\":[");
    for (size_t i = 0; i < version->endpoint_count; i++) {
        dg_buf text;
        dg_buf_init(&text, 0);
        dg_buf_add(&text, version->endpoints[i]->method);
        dg_buf_add_char(&text, ' ');
        dg_buf_add(&text, version->endpoints[i]->path);
        dg_buf_add_str(out, i ? "," : "");
        dg_buf_add_json(out, dg_buf_slice(&text));
        dg_buf_free(&text);
    }
    dg_buf_add_char(out, ']');
}

static void add_apis(dg_buf *out, const dg_ruleset *rules)
{
    dg_buf_add_str(out, ",\"apis\":[");
    for (size_t i = 0; i < dg_ruleset_api_count(rules); i++) {
        dg_buf_add_str(out, i ? "," : "");
        dg_buf_add_json(out, dg_ruleset_api(rules, i)->base);
    }
    dg_buf_add_char(out, ']');
}

/* RFC 9110 15.5.6: a 405 names the methods that the resource has. */
static void add_allow(dg_buf *out, const dg_ruleset *rules, const dg_request_view *view)
{
    dg_buf_add_str(out, "Allow: ");
    bool any = false;
    for (dg_method method = DG_METHOD_GET; method < DG_METHOD_TRACE; method++) {
        dg_request_view other = *view;
        dg_match match;
        other.method = dg_method_name(method);
        if (dg_ruleset_match(rules, &other, &match) != DG_MATCH_OK)
            continue;
        dg_buf_add_str(out, any ? ", " : "");
        dg_buf_add(out, other.method);
        any = true;
    }
    dg_buf_add_str(out, "\r\n");
}

static void refuse(dg_exchange *x, dg_match_result result, const dg_request_view *view)
{
    const dg_ruleset *rules = x->epoch->snapshot->ruleset;
    dg_buf members, fields;
    dg_buf_init(&members, 0);
    dg_buf_init(&fields, 0);
    dg_problem problem = DG_PROBLEM_UNKNOWN_API;
    const char *detail = "no pack claims this path, and the configuration does not let it pass";
    if (result == DG_MATCH_UNKNOWN_VERSION) {
        problem = DG_PROBLEM_UNKNOWN_VERSION;
        detail = "the request names a version that this API does not have";
        add_versions(&members, x->match.api);
    } else if (result == DG_MATCH_NO_VERSION) {
        problem = DG_PROBLEM_NO_VERSION;
        detail = "this API has versions, and no default one";
        add_versions(&members, x->match.api);
    } else if (result == DG_MATCH_CONTRADICTION) {
        problem = DG_PROBLEM_CONTRADICTION;
        detail = "the places in which a request may name its version disagree";
        add_versions(&members, x->match.api);
    } else if (result == DG_MATCH_UNKNOWN_ENDPOINT) {
        problem = DG_PROBLEM_UNKNOWN_ENDPOINT;
        detail = "the pack of this API does not name it: no change does, nor its `endpoints`";
        add_endpoints(&members, x->match.version);
    } else if (result == DG_MATCH_REMOVED) {
        problem = DG_PROBLEM_ENDPOINT_REMOVED;
        detail = "the version that is served now does not have it any more";
    } else if (result == DG_MATCH_ADDED) {
        detail = "the version that is served now does not have it yet";
        problem = DG_PROBLEM_UNKNOWN_ENDPOINT;
    } else if (result == DG_MATCH_METHOD) {
        problem = DG_PROBLEM_METHOD_NOT_ALLOWED;
        detail = NULL;
        add_allow(&fields, rules, view);
    } else {
        add_apis(&members, rules);
    }
    if (x->match.api && !x->match.version && x->match.api->vary.len) {
        dg_buf_add_str(&fields, "Vary: "); /* the fields decided, be it by their absence */
        dg_buf_add(&fields, x->match.api->vary);
        dg_buf_add_str(&fields, "\r\n");
    }
    dg_problem_extra extra = {.members = dg_buf_slice(&members), .fields = dg_buf_slice(&fields)};
    dg_fail(x, problem, detail, &extra);
    dg_buf_free(&members);
    dg_buf_free(&fields);
}

/* ---- the way on */

static dg_slice value_of(const dg_head *head, dg_slice name)
{
    const dg_field *field = dg_head_find_name(head, name);
    return field ? field->value : (dg_slice){NULL, 0};
}

static dg_slice keep(char **at, dg_slice s)
{
    dg_slice kept = {*at, s.len};
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

/* Copies what outlives the head into the exchange, in one buffer. The path comes normalised as well: routes
 * cannot be dodged by spelling it another way. */
static dg_status keep_text(dg_exchange *x, const dg_head *head, const dg_target *target,
                           const char **ret_error)
{
    dg_slice host = dg_target_host(target, head), path = target->path, agent = {NULL, 0}, referer = {NULL, 0};
    if (x->epoch->snapshot->config.access_log.file) {
        agent = value_of(head, DG_SLICE("User-Agent"));
        referer = value_of(head, DG_SLICE("Referer"));
    }
    size_t total = head->method.len + host.len + path.len + 1 + target->query.len + path.len + agent.len +
                   referer.len;
    if (dg_buf_reserve(&x->text, total) != DG_OK)
        return DG_NOMEM;
    char *at = x->text.ptr;
    x->method_name = keep(&at, head->method);
    x->host = keep(&at, host);
    x->user_agent = keep(&at, agent);
    x->referer = keep(&at, referer);
    x->target = keep(&at, path);
    if (target->has_query) {
        *at++ = '?';
        x->query = keep(&at, target->query);
        x->target.len += 1 + x->query.len;
    }
    if (dg_slice_eq(path, DG_SLICE("*"))) {
        x->path = x->target;
        return DG_OK;
    }
    dg_status status = dg_path_normalise(path, at, path.len, &x->path);
    if (status != DG_OK)
        *ret_error = "the path has dot segments, or bytes that no path may have";
    return status;
}

/* Max-Forwards of OPTIONS and TRACE ends here at 0 (RFC 9110 7.6.2). */
static bool ends_here(const dg_exchange *x, const dg_head *head)
{
    dg_slice hops = dg_head_value(head, DG_FIELD_MAX_FORWARDS);
    return x->method == DG_METHOD_OPTIONS && hops.len && dg_slice_eq(hops, DG_SLICE("0"));
}

/* answer_head is an answer without content but for its end. */
static void answer_at_once(dg_exchange *x)
{
    x->close_after |= x->minor == 0;
    dg_request_id_add(x->epoch, dg_request_id(x), &x->answer_head);
    dg_buf_add_str(&x->answer_head, x->close_after ? "Connection: close\r\n\r\n" : "\r\n");
    x->answer_started = true;
    struct iovec iov = {x->answer_head.ptr, x->answer_head.len};
    if (x->answer_head.status != DG_OK || dg_conn_write(&x->down->conn, &iov, 1) != DG_OK)
        dg_exchange_abort(x);
    else
        dg_answer_done(x);
}

static void answer_options(dg_exchange *x)
{
    dg_buf_add_str(&x->answer_head, "HTTP/1.1 204 No Content\r\nDate: ");
    dg_buf_add(&x->answer_head, dg_edge_date(x->edge));
    dg_buf_add_str(&x->answer_head, "\r\n");
    x->status = 204;
    answer_at_once(x);
}

/* RFC 9110 15.4.9, with 7.4: the same resource by https. Its host is the client's word for us. */
static void redirect(dg_exchange *x)
{
    dg_slice host;
    unsigned port;
    if (!x->host.len || dg_authority_parse(x->host, &host, &port) != DG_OK) {
        dg_fail(x, DG_PROBLEM_BAD_REQUEST, "this address only redirects to https, and the request names no host", NULL);
        return;
    }
    dg_buf_add_str(&x->answer_head, "HTTP/1.1 308 Permanent Redirect\r\nDate: ");
    dg_buf_add(&x->answer_head, dg_edge_date(x->edge));
    dg_buf_add_str(&x->answer_head, "\r\nLocation: https://");
    dg_buf_add(&x->answer_head, host);
    if (x->down->redirect_port != 443)
        dg_buf_printf(&x->answer_head, ":%u", x->down->redirect_port);
    if (!dg_slice_eq(x->target, DG_SLICE("*")))
        dg_buf_add(&x->answer_head, x->target);
    x->status = 308;
    x->close_after |= !x->request.done;
    dg_buf_add_str(&x->answer_head, "\r\nContent-Length: 0\r\n");
    answer_at_once(x);
}

/* The backend of an exchange; false when no pack claims the path and it may not pass. A reload may have taken
 * the admin API from under a connection that was kept. */
static bool choose_upstream(dg_exchange *x, dg_match_result result)
{
    const dg_snapshot *snapshot = x->epoch->snapshot;
    const dg_config *config = &snapshot->config;
    if (x->down->control) {
        x->upstream = snapshot->control;
    } else if (result == DG_MATCH_OK) {
        x->upstream = &config->upstreams[config->pack_upstreams[x->match.api->index][x->match.backend_index]];
    } else if (result == DG_MATCH_NO_API && config->pass_unmatched) {
        x->upstream = &config->upstreams[0];
    } else {
        return false;
    }
    return x->upstream != NULL;
}

/* Whether the request goes on in one piece. A translated one must; so must every one to the control API. */
static bool must_be_whole(const dg_exchange *x)
{
    return x->request.framing != DG_FRAMING_NONE && !x->request.done &&
           (x->translates_request || x->upstream->whole_requests);
}

/* Whether a request lets its content be translated, and says nothing of it that cannot be kept. */
static bool check_transformation(dg_exchange *x, const dg_head *head)
{
    if (dg_forbids_transformation(x, head)) {
        dg_fail(x, DG_PROBLEM_NO_TRANSFORM,
                "it says Cache-Control: no-transform, and the backend does not speak this version", NULL);
        return false;
    }
    if (dg_head_find(head, DG_FIELD_CONTENT_RANGE)) { /* RFC 9110 14.5 */
        dg_fail(x, DG_PROBLEM_BAD_BODY, "a part of a representation cannot be translated", NULL);
        return false;
    }
    dg_status status = dg_digests_remember(x, head);
    if (status == DG_OK)
        return true;
    dg_fail(x, status == DG_NOMEM ? DG_PROBLEM_INTERNAL : DG_PROBLEM_BAD_DIGEST,
            status == DG_NOMEM ? "out of memory" : "a field with a digest is malformed", NULL);
    return false;
}

/* Whether a request's body can be translated as it is declared. */
static bool check_content(dg_exchange *x, const dg_head *head)
{
    const dg_translation *t = x->match.request;
    if (!dg_translates_content(t) || x->request.done)
        return true;
    dg_json_kind kind = dg_json_kind_as(t->from, head);
    if (kind == DG_JSON_NO && !dg_head_has_one_type(head)) { /* who knows what it is, and so its version? */
        dg_fail(x, DG_PROBLEM_UNSUPPORTED_CODING,
                "a body for this endpoint needs a Content-Type, one and well-formed: it says what to translate", NULL);
        return false;
    }
    if (kind == DG_JSON_CHARSET) {
        dg_fail(x, DG_PROBLEM_UNSUPPORTED_CODING, "JSON is UTF-8 (RFC 8259 8.1)", NULL);
        return false;
    }
    if (kind == DG_JSON_NO && dg_is_of_body(t) && dg_flow_of_head(head) == DG_FLOW_LINES)
        x->request_kind = DG_FLOW_LINES;
    else if (kind == DG_JSON_NO) /* not JSON: it passes untouched */
        return true;
    x->translates_request = true;
    x->bare = t->to == DG_FORMAT_NONE;
    x->request_coding = dg_content_coding(head);
    if (x->request_coding == DG_CODING_UNKNOWN) { /* RFC 9110 15.5.16 */
        dg_problem_extra extra = {.fields = DG_SLICE("Accept-Encoding: gzip, deflate, br, zstd\r\n")};
        dg_fail(x, DG_PROBLEM_UNSUPPORTED_CODING, "the request's content coding is not known here", &extra);
        return false;
    }
    return check_transformation(x, head);
}

/* Whether the request's content may be translated as it comes: lines are, from the first on; one text is, when it
 * turns out to be large. What has a digest is checked whole. False when it failed. */
static bool choose_flow(dg_exchange *x)
{
    const size_t body_max = x->epoch->snapshot->config.limits.body_bytes;
    bool lines = x->request_kind == DG_FLOW_LINES;
    bool flows = !x->digests && !x->upstream->whole_requests && (lines || dg_flow_can(x->match.request->body, body_max));
    x->request_kind = !flows ? DG_FLOW_NONE : lines ? DG_FLOW_LINES : DG_FLOW_JSON;
    if (lines && !flows) {
        dg_fail(x, DG_PROBLEM_BAD_BODY, "lines with a digest, or for a backend that takes requests whole", NULL);
        return false;
    }
    if (!lines)
        return true;
    if (dg_flow_new(x->epoch->runner, x->match.request->body, x->request_kind, x->request_coding, DG_CODING_IDENTITY,
                    body_max, &x->request_flow) != DG_OK) {
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
        return false;
    }
    x->whole = false;
    return true;
}

/* Whether the head is translated together with the content. */
static bool waits_for_content(const dg_exchange *x)
{
    const dg_translation *t = x->match.request;
    return x->translates_request && t->message && (t->parts & DG_IN_BODY);
}

static void go_on(dg_exchange *x, const dg_head *head)
{
    if (dg_head_via_has(head, dg_slice_str(x->edge->via))) {
        dg_fail(x, DG_PROBLEM_LOOP, NULL, NULL);
        return;
    }
    if (x->match.answer) {
        dg_answer_static(x);
        return;
    }
    if (!check_content(x, head) || !dg_request_remember(x, head))
        return;
    x->whole = must_be_whole(x);
    if (x->whole && x->translates_request && dg_is_of_body(x->match.request) && !choose_flow(x))
        return;
    if (x->whole && x->request_kind == DG_FLOW_NONE && x->request.left > x->epoch->snapshot->config.limits.body_bytes) {
        dg_fail(x, DG_PROBLEM_BODY_TOO_LARGE, NULL, NULL); /* before a 100 asks for it */
        return;
    }
    if (waits_for_content(x))
        dg_head_keep(head, false, &x->request_lines);
    else if (!dg_request_build(x, head, false, (dg_slice){NULL, 0}))
        return;
    if (!x->whole || x->request.done)
        dg_forward(x);
}

void dg_select(dg_exchange *x, const dg_head *head)
{
    dg_target target;
    dg_http_error error = {.reason = "the request target is malformed"};
    const char *reason = NULL;
    dg_request_id_choose(x, head);
    dg_trace_look(x, head);
    if (dg_target_parse(head->target, head->method_id, &target) != DG_OK ||
        dg_target_check(&target, head, x->down->tls, &error) != DG_OK ||
        keep_text(x, head, &target, &reason) != DG_OK) {
        x->close_after = true;
        dg_usage_gauge(x->edge->usage, DG_GAUGE_REQUESTS_REJECTED, 1);
        dg_fail(x, DG_PROBLEM_BAD_REQUEST, reason ? reason : error.reason,
                &(dg_problem_extra){.status = reason ? 0 : error.status});
        return;
    }
    if (x->down->redirect_port) {
        redirect(x);
        return;
    }
    if (ends_here(x, head)) {
        answer_options(x);
        return;
    }
    x->explains = dg_head_find(head, DG_FIELD_DRAGOMAN_EXPLAIN) != NULL;
    const asked context = {head, x->down->identity};
    dg_request_view view = {x->method_name, x->path, x->query, x->host, field_of, &context, certificate_of};
    dg_match_result result = x->down->control ? DG_MATCH_NO_API
                                              : dg_ruleset_match(x->epoch->snapshot->ruleset, &view,
                                                                 &x->match);
    if (!choose_upstream(x, result)) {
        refuse(x, result, &view);
        return;
    }
    if (result != DG_MATCH_OK)
        x->match = (dg_match){.api = NULL};
    go_on(x, head);
}
