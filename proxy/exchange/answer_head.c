/* The head that goes to the client. */
#include "proxy/exchange/entity_tag.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/fields.h"
#include "proxy/lifecycle/lifecycle.h"
#include "proxy/message/content.h"

static void add_status_line(dg_buf *out, unsigned status, dg_slice reason)
{
    dg_buf_add(out, DG_SLICE("HTTP/1.1 "));
    dg_buf_add_u64(out, status);
    dg_buf_add_char(out, ' ');
    dg_buf_add(out, reason.len ? reason : dg_reason_phrase(status));
    dg_buf_add(out, DG_SLICE("\r\n"));
}

static void add_url(dg_exchange *x, dg_buf *out, const dg_field *field)
{
    dg_buf_add(out, field->name);
    dg_buf_add(out, DG_SLICE(": "));
    dg_url_for_client(x, field->value, out);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* "<uri>; parameters" (RFC 8288 3), each member of the list. */
static void add_links(dg_exchange *x, dg_buf *out, const dg_field *field)
{
    dg_list list = dg_list_of_value(field->value);
    dg_slice member;
    bool any = false;
    dg_buf_add(out, field->name);
    dg_buf_add(out, DG_SLICE(": "));
    while (dg_list_next(&list, &member)) {
        size_t end = dg_slice_find(member, '>');
        dg_buf_add(out, any ? DG_SLICE(", ") : DG_SLICE(""));
        any = true;
        if (member.ptr[0] != '<' || end == member.len) {
            dg_buf_add(out, member);
            continue;
        }
        dg_buf_add_char(out, '<');
        dg_url_for_client(x, dg_slice_of(member.ptr + 1, end - 1), out);
        dg_buf_add(out, dg_slice_from(member, end));
    }
    dg_buf_add(out, DG_SLICE("\r\n"));
}

static void add_cookie(dg_exchange *x, dg_buf *out, const dg_field *field)
{
    dg_buf_add(out, field->name);
    dg_buf_add(out, DG_SLICE(": "));
    dg_cookie_for_client(x, field->value, out);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

/* Whether URLs may name another version than the client's. */
static bool maps_urls(const dg_exchange *x)
{
    return x->match.version && x->match.version != x->match.backend;
}

/* What is true of the backend's bytes and not of those that the client gets. */
static bool describes_backends_bytes(dg_field_id id)
{
    return dg_describes_content(id) || id == DG_FIELD_ACCEPT_RANGES;
}

/* The client does not take the backend's coding, so that the answer goes on in another. */
static bool is_recoded(const dg_exchange *x)
{
    return x->translation && !x->answer_bare && x->client_coding != x->answer_coding;
}

/* One that is no entity tag is left out: it names nothing. And so is that of another coding (RFC 9110 8.8.3). */
static void add_entity_tag(dg_exchange *x, dg_buf *out, const dg_field *field)
{
    size_t start = out->len;
    dg_buf_add(out, DG_SLICE("ETag: "));
    if (!is_recoded(x) && dg_entity_tag_for_client(&x->match, field->value, out))
        dg_buf_add(out, DG_SLICE("\r\n"));
    else
        out->len = start;
}

/* A media type may name the version. */
static void add_content_type(const dg_exchange *x, dg_buf *out, const dg_field *field)
{
    dg_buf_add(out, DG_SLICE("Content-Type: "));
    if (!dg_match_field_for_client(&x->match, field->name, field->value, out))
        dg_buf_add(out, field->value);
    dg_buf_add(out, DG_SLICE("\r\n"));
}

static bool names_version(const dg_exchange *x, const dg_field *field)
{
    return x->match.version &&
           (field->id == DG_FIELD_API_VERSION ||
            (x->match.api->version_field.len && dg_slice_ieq(field->name, x->match.api->version_field)));
}

static bool changes_type(const dg_exchange *x, const dg_head *head)
{
    if (!x->translation)
        return false;
    return x->answer_bare || x->translation->from != x->translation->to ||
           (x->answer_ready && dg_json_kind_as(x->translation->to, head) != DG_JSON_YES);
}

/* A 426 says what to upgrade to (RFC 9110 15.5.22), and names that field in Connection (7.8). */
static void add_upgrade(const dg_exchange *x, const dg_head *head, dg_buf *out)
{
    const dg_field *field = x->status == 426 ? dg_head_find(head, DG_FIELD_UPGRADE) : NULL;
    if (field)
        dg_add_field_line(out, DG_SLICE("Connection"), DG_SLICE("upgrade"));
    for (; field; field = dg_head_next(head, field))
        dg_add_field_line(out, DG_SLICE("Upgrade"), field->value);
}

static void add_fields(dg_exchange *x, const dg_head *head, bool translated, const dg_header_plan *plan,
                       dg_buf *out)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const dg_field *field = &head->fields[i];
        if (field->id == DG_FIELD_CONTENT_LENGTH || names_version(x, field) || dg_request_id_is(x, field) ||
            (translated && describes_backends_bytes(field->id)) || dg_field_is_dropped(head, field) ||
            (field->id == DG_FIELD_CONTENT_ENCODING && (is_recoded(x) || x->answer_bare || x->answer_ready)) ||
            (field->id == DG_FIELD_CONTENT_TYPE && changes_type(x, head)) ||
            (plan && plan->lines[i].fate == DG_LINE_GOES))
            continue;
        if (plan && plan->lines[i].fate == DG_LINE_CHANGES)
            dg_add_field_line(out, field->name, dg_header_value(plan, i));
        else if (translated && field->id == DG_FIELD_ETAG)
            add_entity_tag(x, out, field);
        else if (maps_urls(x) &&
                 (field->id == DG_FIELD_LOCATION || field->id == DG_FIELD_CONTENT_LOCATION))
            add_url(x, out, field);
        else if (maps_urls(x) && field->id == DG_FIELD_LINK)
            add_links(x, out, field);
        else if (maps_urls(x) && field->id == DG_FIELD_SET_COOKIE)
            add_cookie(x, out, field);
        else if (field->id == DG_FIELD_CONTENT_TYPE && x->match.version)
            add_content_type(x, out, field);
        else
            dg_add_field_line(out, field->name, field->value);
    }
    if (plan)
        dg_buf_add(out, dg_buf_slice(&plan->added));
    if (x->translation && !x->answer_bare &&
        (changes_type(x, head) || !dg_head_find(head, DG_FIELD_CONTENT_TYPE)))
        dg_add_field_line(out, DG_SLICE("Content-Type"), dg_content_type(x->translation->to));
}

static bool varies_by_coding(const dg_head *head)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_VARY);
    dg_slice name;
    while (dg_list_next(&list, &name))
        if (dg_slice_ieq(name, DG_SLICE("Accept-Encoding")) || dg_slice_eq(name, DG_SLICE("*")))
            return true;
    return false;
}

/* A coding is the client's choice, here or at the backend (RFC 9110 12.5.5). */
static void add_coding(const dg_exchange *x, const dg_head *head, dg_buf *out)
{
    if (!x->translation || x->answer_bare || (x->answer_coding == DG_CODING_IDENTITY && !is_recoded(x)))
        return;
    if (is_recoded(x) && x->client_coding != DG_CODING_IDENTITY)
        dg_add_field_line(out, DG_SLICE("Content-Encoding"), dg_coding_name(x->client_coding));
    if (!varies_by_coding(head))
        dg_add_field_line(out, DG_SLICE("Vary"), DG_SLICE("Accept-Encoding"));
}

/* What a version's answers say of its end. */
static dg_slice lifecycle_text(dg_exchange *x)
{
    const dg_version *version = x->match.version;
    size_t slot = (version->index + 5 * x->match.api->index) % DG_LIFECYCLE_SLOTS;
    dg_buf *text = &x->epoch->lifecycle[slot].text;
    if (x->epoch->lifecycle[slot].version != version) {
        dg_buf_clear(text);
        dg_lifecycle_fields(version, false, false, text);
        x->epoch->lifecycle[slot].version = text->status == DG_OK ? version : NULL;
    }
    return dg_buf_slice(text);
}

/* Which version was chosen and why, for who asks: an item with parameters (RFC 9651 3.3). The names of versions and
 * the templates of endpoints are visible ASCII without quotes. */
static void add_explanation(const dg_match *match, dg_buf *out)
{
    dg_buf_add_str(out, "Dragoman-Version: \"");
    dg_buf_add_str(out, match->version->name);
    dg_buf_add_str(out, "\"; by=");
    dg_buf_add_str(out, dg_selector_word(match->selected_by));
    dg_buf_add_str(out, "; backend=\"");
    dg_buf_add_str(out, match->backend->name);
    if (match->endpoint) {
        dg_buf_add_str(out, "\"; endpoint=\"");
        dg_buf_add(out, match->endpoint->method);
        dg_buf_add_char(out, ' ');
        dg_buf_add(out, match->endpoint->path);
    }
    dg_buf_add_str(out, "\"\r\n");
}

void dg_answer_version(dg_exchange *x, bool has_deprecation, bool has_sunset, dg_buf *out)
{
    const dg_match *match = &x->match;
    if (!match->version)
        return;
    dg_slice field = match->api->version_field.len ? match->api->version_field : DG_SLICE("API-Version");
    dg_add_field_line(out, field, dg_slice_str(match->version->name));
    if (match->api->vary.len && match->selected_by != DG_BY_PATH)
        dg_add_field_line(out, DG_SLICE("Vary"), match->api->vary);
    if (x->explains)
        add_explanation(match, out);
    if (dg_lifecycle_stage(match->version, dg_edge_now(x->edge)) == DG_STAGE_ACTIVE)
        return;
    dg_buf *successor = &x->edge->scratch;
    dg_buf_clear(successor);
    if (dg_match_successor_target(match, x->query, successor))
        dg_lifecycle_successor(dg_buf_slice(successor), out);
    if (has_deprecation || has_sunset)
        dg_lifecycle_fields(match->version, has_deprecation, has_sunset, out);
    else
        dg_buf_add(out, lifecycle_text(x));
}

static void add_connection(const dg_exchange *x, dg_buf *out)
{
    if (x->close_after)
        dg_buf_add(out, DG_SLICE("Connection: close\r\n"));
    else if (x->minor == 0)
        dg_buf_add(out, DG_SLICE("Connection: keep-alive\r\n"));
}

dg_status dg_answer_head_begin(dg_exchange *x, const dg_head *head, bool translated, const dg_translator *parts)
{
    dg_buf *out = &x->answer_head;
    add_status_line(out, x->status, x->status == head->status ? head->reason : (dg_slice){NULL, 0});
    add_fields(x, head, translated, parts ? &parts->header : NULL, out);
    add_upgrade(x, head, out);
    add_coding(x, head, out);
    if (!dg_head_find(head, DG_FIELD_DATE)) /* RFC 9110 6.6.1 */
        dg_add_field_line(out, DG_SLICE("Date"), dg_edge_date(x->edge));
    dg_request_id_add(x->epoch, dg_request_id(x), out);
    dg_answer_version(x, dg_head_find(head, DG_FIELD_DEPRECATION) != NULL,
                      dg_head_find(head, DG_FIELD_SUNSET) != NULL, out);
    return out->status;
}

void dg_answer_head_end(dg_exchange *x)
{
    add_connection(x, &x->answer_head);
    dg_buf_add(&x->answer_head, DG_SLICE("\r\n"));
}

/* No framing (RFC 9110 8.6), and no word of the backend's version: its hints are for the client's. */
dg_status dg_interim_head(dg_exchange *x, const dg_head *head, dg_buf *out)
{
    add_status_line(out, head->status, head->reason);
    for (size_t i = 0; i < head->field_count; i++) {
        const dg_field *field = &head->fields[i];
        if (field->id == DG_FIELD_CONTENT_LENGTH || names_version(x, field) || dg_request_id_is(x, field) ||
            dg_field_is_dropped(head, field))
            continue;
        if (maps_urls(x) && field->id == DG_FIELD_LINK)
            add_links(x, out, field);
        else
            dg_add_field_line(out, field->name, field->value);
    }
    dg_buf_add(out, DG_SLICE("\r\n"));
    return out->status;
}
