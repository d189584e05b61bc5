/* Messages of which more than the content is translated: their documents, and what comes of them.
 */
#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"

enum { SPACING_BYTES_MAX = 4 * DG_FIELDS_MAX };

/* ---- heads that are looked at twice */

void dg_head_keep(const dg_head *head, bool answer, dg_buf *out)
{
    if (answer) {
        dg_buf_printf(out, "HTTP/1.%u %u ", head->minor, head->status);
        dg_buf_add(out, head->reason);
    } else {
        dg_buf_add(out, head->method);
        dg_buf_add_char(out, ' ');
        dg_buf_add(out, head->target);
        dg_buf_printf(out, " HTTP/1.%u", head->minor);
    }
    dg_buf_add_str(out, "\r\n");
    for (size_t i = 0; i < head->field_count; i++) {
        dg_buf_add(out, head->fields[i].name);
        dg_buf_add_str(out, ": ");
        dg_buf_add(out, head->fields[i].value);
        dg_buf_add_str(out, "\r\n");
    }
    dg_buf_add_str(out, "\r\n");
}

dg_status dg_head_again(dg_exchange *x, const dg_buf *lines, bool answer, dg_head *ret_head)
{
    dg_head_limits limits = {.head_bytes_max =
                                 x->epoch->snapshot->config.limits.head_bytes + SPACING_BYTES_MAX};
    dg_http_error error;
    size_t scan = 0, consumed;
    if (lines->status != DG_OK)
        return lines->status;
    if (!answer)
        return dg_request_parse(dg_buf_slice(lines), &scan, &limits, ret_head, &consumed, &error);
    return dg_response_parse(dg_buf_slice(lines), &scan, &limits,
                             dg_method_of(dg_exchange_upstream_method(x)), false, ret_head,
                             &consumed, &error);
}

/* ---- requests */

typedef struct around {
    const dg_exchange *x;
    const dg_head *head;
} around;

static bool request_out(const void *context, const dg_field *field)
{
    const around *a = context;
    return dg_request_field_is_out(a->x, a->head, field);
}

/* Not even a pack may speak for dragoman, whose names it cannot know. */
static bool request_reserved(const void *context, dg_slice name)
{
    const around *a = context;
    return dg_name_is_own(a->x, name) || dg_slice_ieq(name, a->x->match.api->version_field);
}

static bool answer_reserved(const void *context, dg_slice name)
{
    const around *a = context;
    return dg_request_id_is(a->x, &(dg_field){.name = name}) || dg_slice_ieq(name, a->x->match.api->version_field);
}

static bool answer_out(const void *context, const dg_field *field)
{
    const around *a = context;
    return dg_field_is_dropped(a->head, field) ||
           (a->x->match.api->version_field.len &&
            dg_slice_ieq(field->name, a->x->match.api->version_field));
}

static dg_message request_message(const dg_exchange *x, const around *a)
{
    return (dg_message){.match = &x->match,
                        .query = x->query,
                        .method = x->method_name,
                        .https = x->down->tls,
                        .host = x->host,
                        .header = {a->head->fields, a->head->field_count, request_out, a, request_reserved}};
}

static dg_problem problem_of(dg_status status, const dg_run_error *error)
{
    bool body = strncmp(error->pointer, "/body", 5) == 0;
    switch (status) {
    case DG_NOMEM:
        return DG_PROBLEM_INTERNAL;
    case DG_NOT_FOUND:
        return DG_PROBLEM_UNKNOWN_ENDPOINT;
    case DG_LIMIT:
        return body ? DG_PROBLEM_BODY_TOO_LARGE : DG_PROBLEM_BAD_REQUEST;
    default:
        return body ? DG_PROBLEM_BAD_BODY : DG_PROBLEM_BAD_REQUEST;
    }
}

/* content: the error's offset is one into the content that came. */
static void refuse_as(dg_exchange *x, dg_problem problem, dg_status status,
                      const dg_run_error *error, bool content)
{
    dg_buf members;
    dg_buf_init(&members, 0);
    if (content)
        dg_buf_printf(&members, ",\"offset\":%zu", error->offset);
    dg_buf_add_str(&members, ",\"pointer\":");
    dg_buf_add_json(&members, dg_slice_str(error->pointer));
    dg_fail(x, problem, error->message ? error->message : dg_status_text(status),
            &(dg_problem_extra){.members = dg_buf_slice(&members)});
    dg_buf_free(&members);
}

void dg_request_refuse(dg_exchange *x, dg_status status, const dg_run_error *error)
{
    refuse_as(x,
              status == DG_LIMIT   ? DG_PROBLEM_BODY_TOO_LARGE
              : status == DG_NOMEM ? DG_PROBLEM_INTERNAL
                                   : DG_PROBLEM_BAD_BODY,
              status, error, true);
}

bool dg_request_remember(dg_exchange *x, const dg_head *head)
{
    const around a = {x, head};
    dg_message m = request_message(x, &a);
    dg_run_error error = {.message = NULL};
    if (!dg_match_answers_ask(&x->match))
        return true;
    dg_status status = dg_message_document(
        &m, DG_IN_METHOD | DG_IN_ORIGIN | DG_IN_PATH | DG_IN_QUERY | DG_IN_HEADERS, DG_FORMAT_JSON,
        &x->edge->translator, &x->request_document, &error);
    if (status != DG_OK)
        refuse_as(x, problem_of(status, &error), status, &error, false);
    return status == DG_OK;
}

/* What is made is bounded as what came is. */
static void bound_content(const dg_exchange *x)
{
    x->edge->translator.content.bytes_max = x->epoch->snapshot->config.limits.body_bytes + DG_JSON_PADDING;
}

/* Takes over the content that came of the document. */
static bool take_content(dg_exchange *x, bool had_content)
{
    dg_translator *t = &x->edge->translator;
    bool passes = !had_content && x->request.framing != DG_FRAMING_NONE && !x->request.done;
    if (!t->has_content && !had_content)
        return true;
    if (passes) {
        dg_fail(x, DG_PROBLEM_UNSUPPORTED_CODING,
                "a body of that type has no place in the backend's version", NULL);
        return false;
    }
    dg_buf swap = x->request_out;
    x->request_out = t->content;
    t->content = swap;
    x->translates_request = x->request_ready = x->whole = true;
    x->bare = !t->has_content;
    return true;
}

bool dg_request_build(dg_exchange *x, const dg_head *head, bool has_content, dg_slice content)
{
    const dg_translation *t = x->match.request;
    const dg_translator *parts = NULL;
    if (t && t->message) {
        const around a = {x, head};
        dg_message m = request_message(x, &a);
        dg_run_error error = {.message = NULL};
        m.has_content = has_content;
        m.content = content;
        bound_content(x);
        dg_status status =
            dg_message_translate(&x->edge->translator, x->epoch->runner, t, &m, &error);
        if (status != DG_OK) {
            dg_log_translation(x, &error);
            refuse_as(x, problem_of(status, &error), status, &error, false);
            return false;
        }
        if (!take_content(x, has_content))
            return false;
        parts = &x->edge->translator;
    }
    dg_status status = dg_request_head_begin(x, head, parts);
    if (status != DG_OK)
        dg_fail(x, DG_PROBLEM_INTERNAL, "out of memory", NULL);
    return status == DG_OK;
}

/* ---- answers */

dg_status dg_answer_build(dg_exchange *x, const dg_translation *t, const dg_head *head,
                          bool has_content, dg_slice content, dg_run_error *ret_error)
{
    const around a = {x, head};
    const dg_message m = {.match = &x->match,
                          .header = {head->fields, head->field_count, answer_out, &a, answer_reserved},
                          .status = head->status,
                          .request = dg_buf_slice(&x->request_document),
                          .has_content = has_content,
                          .content = content};
    dg_translator *translator = &x->edge->translator;
    bound_content(x);
    dg_status status = dg_message_translate(translator, x->epoch->runner, t, &m, ret_error);
    if (status != DG_OK) {
        dg_log_translation(x, ret_error);
        return status;
    }
    x->answer_changed = true;
    dg_buf swap = x->answer_out;
    x->answer_out = translator->content;
    translator->content = swap;
    return DG_OK;
}
