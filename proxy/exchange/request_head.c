/* The head that goes to the backend: what is dropped, what is rewritten, what is added. */
#include "proxy/exchange/entity_tag.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/fields.h"
#include "proxy/message/content.h"

static void add_request_line(dg_exchange *x, const dg_translator *parts, dg_buf *out)
{
    dg_buf_add(out, dg_exchange_upstream_method(x));
    dg_buf_add_char(out, ' ');
    if (parts)
        dg_buf_add(out, dg_buf_slice(&parts->target));
    else if (x->match.api)
        dg_match_upstream_target(&x->match, x->query, out);
    else
        dg_buf_add(out, x->target);
    dg_buf_add(out, DG_SLICE(" HTTP/1.1\r\nHost: "));
    if (!x->match.api || !dg_match_host_for_backend(&x->match, out)) /* it may name the version */
        dg_buf_add(out, x->host.len ? x->host : dg_slice_str(x->upstream->authority));
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* Whether the answer may be translated: then it must come whole and without a content coding. */
static bool answer_translates(const dg_exchange *x)
{
    return dg_match_answers_change(&x->match);
}

static bool changes_format(const dg_exchange *x)
{
    return x->match.request->from != x->match.request->to;
}

static bool is_dropped(const dg_exchange *x, const dg_head *head, const dg_field *field)
{
    switch (field->id) {
    case DG_FIELD_OTHER:
        return (head->first[DG_FIELD_CONNECTION] && dg_field_is_dropped(head, field)) ||
               dg_name_is_own(x, field->name);
    case DG_FIELD_HOST:
    case DG_FIELD_CONTENT_LENGTH:
    case DG_FIELD_EXPECT:
    case DG_FIELD_X_FORWARDED_FOR: /* added again */
    case DG_FIELD_FORWARDED:
        return true;
    /* What a client claims about the way so far is passed on only from a trusted one. */
    case DG_FIELD_X_FORWARDED_PROTO:
    case DG_FIELD_X_FORWARDED_HOST:
        return !x->down->trusted;
    case DG_FIELD_ACCEPT_ENCODING: /* added again, narrowed */
    case DG_FIELD_RANGE:
    case DG_FIELD_IF_RANGE:
        return answer_translates(x);
    case DG_FIELD_TRACEPARENT:
        return !x->traced;
    case DG_FIELD_TRACESTATE:
        return !x->passes_tracestate;
    case DG_FIELD_CONTENT_ENCODING:
        return x->translates_request;
    case DG_FIELD_CONTENT_TYPE:
        return x->translates_request && (x->bare || changes_format(x));
    default:
        return (x->translates_request && dg_describes_content(field->id)) ||
               dg_field_is_dropped(head, field);
    }
}

static void add_tags(const dg_exchange *x, dg_buf *out, const dg_field *field)
{
    size_t start = out->len;
    dg_buf_add(out, field->name);
    dg_buf_add(out, DG_SLICE(": "));
    if (dg_entity_tags_for_backend(&x->match, field->value, field->id == DG_FIELD_IF_MATCH, out))
        dg_buf_add(out, DG_SLICE("\r\n"));
    else
        out->len = start;
}

/* A field that names the version names the backend's from here on. */
static bool add_version(const dg_exchange *x, dg_buf *out, const dg_field *field)
{
    size_t start = out->len;
    dg_buf_add(out, field->name);
    dg_buf_add(out, DG_SLICE(": "));
    bool names = dg_match_field_for_backend(&x->match, field->name, field->value, out);
    if (names)
        dg_buf_add(out, DG_SLICE("\r\n"));
    else
        out->len = start;
    return names;
}

static void add_max_forwards(dg_buf *out, const dg_field *field)
{
    uint64_t hops = 0;
    for (size_t i = 0; i < field->value.len && hops < 1000; i++) {
        if (field->value.ptr[i] < '0' || field->value.ptr[i] > '9')
            return;
        hops = hops * 10 + (uint64_t)(field->value.ptr[i] - '0');
    }
    dg_buf_add(out, DG_SLICE("Max-Forwards: "));
    dg_buf_add_u64(out, hops ? hops - 1 : 0);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

static void add_fields(dg_exchange *x, const dg_head *head, const dg_header_plan *plan, dg_buf *out)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const dg_field *field = &head->fields[i];
        if (is_dropped(x, head, field) || dg_request_id_is(x, field) || (plan && plan->lines[i].fate == DG_LINE_GOES))
            continue;
        if (plan && plan->lines[i].fate == DG_LINE_CHANGES)
            dg_add_field_line(out, field->name, dg_header_value(plan, i));
        else if (answer_translates(x) && (field->id == DG_FIELD_IF_NONE_MATCH || field->id == DG_FIELD_IF_MATCH))
            add_tags(x, out, field);
        else if (field->id == DG_FIELD_MAX_FORWARDS && x->method == DG_METHOD_OPTIONS)
            add_max_forwards(out, field);
        else if (!x->match.api || !x->match.api->vary.len || !add_version(x, out, field))
            dg_add_field_line(out, field->name, field->value);
    }
    if (plan)
        dg_buf_add(out, dg_buf_slice(&plan->added));
}

/* What does not go on, and what names the version. */
bool dg_request_field_is_out(const dg_exchange *x, const dg_head *head, const dg_field *field)
{
    dg_buf *scratch = &x->edge->scratch;
    dg_buf_clear(scratch);
    return is_dropped(x, head, field) || dg_request_id_is(x, field) ||
           (x->match.api->version_field.len && dg_slice_ieq(field->name, x->match.api->version_field)) ||
           dg_match_field_for_backend(&x->match, field->name, field->value, scratch);
}

/* Of the codings that the client accepts, those that can be taken off and put on again here. */
static void add_accept_encoding(const dg_head *head, dg_buf *out)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_ACCEPT_ENCODING);
    dg_slice member;
    bool any = false;
    if (!head->first[DG_FIELD_ACCEPT_ENCODING])
        return; /* the client takes what comes (RFC 9110 12.5.3), and so it gets the same as without us */
    dg_buf_add(out, DG_SLICE("Accept-Encoding: "));
    while (dg_list_next(&list, &member)) {
        size_t end = dg_slice_find(member, ';');
        while (end && (member.ptr[end - 1] == ' ' || member.ptr[end - 1] == '\t'))
            end--;
        if (dg_coding_of(dg_slice_until(member, end)) == DG_CODING_UNKNOWN)
            continue;
        dg_buf_add(out, any ? DG_SLICE(", ") : DG_SLICE(""));
        dg_buf_add(out, member);
        any = true;
    }
    dg_buf_add(out, any ? DG_SLICE("\r\n") : DG_SLICE("identity\r\n"));
}

/* The way so far, when it is believed, and our client. */
static void add_forwarded_for(const dg_exchange *x, const dg_head *head, dg_buf *out)
{
    const dg_field *field = x->down->trusted ? dg_head_find(head, DG_FIELD_X_FORWARDED_FOR) : NULL;
    dg_slice before = DG_SLICE("X-Forwarded-For: ");
    if (x->down->nameless && !field)
        return;
    for (; field; field = dg_head_next(head, field), before = DG_SLICE(", ")) {
        dg_buf_add(out, before);
        dg_buf_add(out, field->value);
    }
    if (!x->down->nameless) {
        dg_buf_add(out, before);
        dg_buf_add_str(out, x->down->host);
    }
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* RFC 7239 4: continued where a trusted proxy began it, behind what it says. */
static void add_forwarded(const dg_exchange *x, const dg_head *head, dg_buf *out)
{
    const dg_field *field = x->down->trusted ? dg_head_find(head, DG_FIELD_FORWARDED) : NULL;
    const char *host = x->down->host;
    if (!field)
        return;
    dg_buf_add_str(out, "Forwarded: ");
    for (; field; field = dg_head_next(head, field)) {
        dg_buf_add(out, field->value);
        dg_buf_add_str(out, ", ");
    }
    if (x->down->nameless)
        dg_buf_add_str(out, "for=unknown"); /* section 6.2 */
    else if (strchr(host, ':')) /* section 6.1 */
        dg_buf_printf(out, "for=\"[%s]\"", host);
    else
        dg_buf_printf(out, "for=%s", host);
    dg_buf_add_str(out, x->down->tls ? ";proto=https\r\n" : ";proto=http\r\n");
}

/* Who the client is, by its certificate; a part that it does not have is left out. */
static void add_client_fields(const dg_exchange *x, dg_buf *out)
{
    const dg_config *config = &x->epoch->snapshot->config;
    const dg_tls_identity *identity = x->down->identity;
    for (unsigned part = 0; identity && part < DG_TLS_IDENTITY_COUNT; part++)
        if (config->client_fields[part].len && identity->parts[part].len)
            dg_add_field_line(out, config->client_fields[part], identity->parts[part]);
}

static void add_own_fields(dg_exchange *x, const dg_head *head, dg_buf *out)
{
    dg_request_id_add(x->epoch, dg_request_id(x), out);
    add_forwarded_for(x, head, out);
    add_forwarded(x, head, out);
    if (x->epoch->snapshot->config.has_client_fields)
        add_client_fields(x, out);
    if (!x->down->trusted || !dg_head_find(head, DG_FIELD_X_FORWARDED_PROTO))
        dg_buf_add(out, x->down->tls ? DG_SLICE("X-Forwarded-Proto: https\r\n")
                                     : DG_SLICE("X-Forwarded-Proto: http\r\n"));
    if (x->match.selected_by == DG_BY_HOST &&
        !(x->down->trusted && dg_head_find(head, DG_FIELD_X_FORWARDED_HOST)))
        dg_add_field_line(out, DG_SLICE("X-Forwarded-Host"), x->host);
    dg_buf_add(out, x->minor ? DG_SLICE("Via: 1.1 ") : DG_SLICE("Via: 1.0 "));
    dg_buf_add_str(out, x->edge->via);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* Content in another format, or that was made here. */
static void add_content_type(dg_exchange *x, const dg_head *head, dg_buf *out)
{
    if (x->translates_request && !x->bare &&
        (changes_format(x) || !dg_head_find(head, DG_FIELD_CONTENT_TYPE)))
        dg_add_field_line(out, DG_SLICE("Content-Type"), dg_content_type(x->match.request->to));
}

dg_status dg_request_head_begin(dg_exchange *x, const dg_head *head, const dg_translator *parts)
{
    dg_buf *out = &x->request_head;
    add_request_line(x, parts, out);
    add_fields(x, head, parts ? &parts->header : NULL, out);
    add_content_type(x, head, out);
    if (answer_translates(x)) {
        x->accepts = dg_accepted_codings(head);
        add_accept_encoding(head, out);
    }
    add_own_fields(x, head, out);
    dg_tunnel_offer(x, head, out);
    dg_trailers_ask(x, head, out);
    if (x->whole || x->request.framing == DG_FRAMING_NONE)
        return out->status; /* the length is known later, or there is no body */
    if (x->request_flow) {
        dg_request_head_chunked(x);
    } else if (x->request.framing == DG_FRAMING_CHUNKED) {
        dg_trailers_announce(x, head, out);
        dg_request_head_chunked(x);
    } else {
        dg_request_head_length(x, head->content_length);
    }
    return out->status;
}

void dg_request_head_length(dg_exchange *x, uint64_t length)
{
    dg_buf_add(&x->request_head, DG_SLICE("Content-Length: "));
    dg_buf_add_u64(&x->request_head, length);
    dg_buf_add(&x->request_head, DG_SLICE("\r\n"));
}

void dg_request_head_chunked(dg_exchange *x)
{
    dg_buf_add(&x->request_head, DG_SLICE("Transfer-Encoding: chunked\r\n"));
}

void dg_request_head_end(dg_exchange *x)
{
    dg_buf_add(&x->request_head, DG_SLICE("\r\n"));
}
