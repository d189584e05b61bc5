#include "proxy/message/message.h"

#include "proxy/message/content.h"
#include "proxy/message/json.h"
#include "proxy/message/query.h"

enum {
    KEPT_BYTES_MAX = 1 << 20,  /* of a buffer, from one message to the next */
    TARGET_BYTES_MAX = 1 << 16 /* more than any backend takes */
};

static dg_buf *const *buffers(dg_translator *t, dg_buf *all[7])
{
    all[0] = &t->document;
    all[1] = &t->outcome;
    all[2] = &t->text;
    all[3] = &t->target;
    all[4] = &t->content;
    all[5] = &t->header.text;
    all[6] = &t->header.added;
    return all;
}

void dg_translator_init(dg_translator *t)
{
    dg_buf *all[7];
    for (size_t i = 0; i < 7; i++)
        dg_buf_init(buffers(t, all)[i], 0);
    t->target.bytes_max = TARGET_BYTES_MAX;
    t->has_content = false;
}

void dg_translator_free(dg_translator *t)
{
    dg_buf *all[7];
    for (size_t i = 0; i < 7; i++)
        dg_buf_free(buffers(t, all)[i]);
}

static void clear(dg_translator *t)
{
    dg_buf *all[7];
    for (size_t i = 0; i < 7; i++) {
        dg_buf *buf = buffers(t, all)[i];
        if (buf->cap > KEPT_BYTES_MAX) {
            size_t max = buf->bytes_max;
            dg_buf_free(buf);
            dg_buf_init(buf, max);
        }
        dg_buf_clear(buf);
    }
    t->has_content = false;
}

/* ---- to a document */

static bool selects(const void *context, dg_slice raw_name)
{
    return dg_match_query_selects(context, raw_name);
}

static dg_status add_path(const dg_match *match, dg_translator *t, dg_buf *out)
{
    dg_slice name, raw;
    dg_buf_add_char(out, '{');
    for (size_t i = 0; dg_match_param(match, i, &name, &raw); i++) {
        dg_buf_clear(&t->text);
        if (!dg_percent_decode(raw, false, &t->text))
            return t->text.status != DG_OK ? t->text.status : DG_SYNTAX;
        if (t->text.status != DG_OK)
            return t->text.status;
        dg_buf_add_str(out, i ? "," : "");
        dg_buf_add_json(out, name);
        dg_buf_add_char(out, ':');
        dg_buf_add_json(out, dg_buf_slice(&t->text));
    }
    dg_buf_add_char(out, '}');
    return DG_OK;
}

static void begin_member(const char *name, bool *any, dg_buf *out)
{
    dg_buf_add_str(out, *any ? ",\"" : "\"");
    dg_buf_add_str(out, name);
    dg_buf_add_str(out, "\":");
    *any = true;
}

static dg_status fail(dg_run_error *error, dg_status status, const char *message,
                      const char *pointer)
{
    *error =
        (dg_run_error){.status = status, .message = message ? message : dg_status_text(status)};
    size_t len = strlen(pointer);
    DG_ASSERT(len < sizeof error->pointer);
    memcpy(error->pointer, pointer, len);
    return status;
}

static dg_status add_query(const dg_message *m, dg_buf *out, dg_run_error *error)
{
    const dg_query_rest rest = {selects, m->match};
    dg_status status = dg_query_document(m->query, &rest, out);
    return status == DG_OK ? DG_OK
                           : fail(error, status,
                                  status == DG_SYNTAX  ? "the query is not percent-encoded UTF-8"
                                  : status == DG_LIMIT ? "the query has too many parameters"
                                                       : NULL,
                                  "/query");
}

static dg_status add_parts(const dg_message *m, unsigned parts, dg_format format, dg_translator *t,
                           dg_buf *out, dg_run_error *error)
{
    bool any = false;
    dg_status status = DG_OK;
    const char *message = NULL;
    if (parts & DG_IN_METHOD) {
        begin_member("method", &any, out);
        dg_buf_add_json(out, m->method);
    }
    if ((parts & DG_IN_ORIGIN) && m->host.len) {
        begin_member("origin", &any, out);
        dg_buf_add_str(out, m->https ? "\"https://" : "\"http://");
        dg_buf_add(out, m->host); /* it has nothing to escape */
        dg_buf_add_char(out, '"');
    }
    if (parts & DG_IN_STATUS) {
        begin_member("status", &any, out);
        dg_buf_add_u64(out, m->status);
    }
    if (parts & DG_IN_PATH) {
        begin_member("path", &any, out);
        if ((status = add_path(m->match, t, out)) != DG_OK)
            return fail(error, status, "a parameter of the path is not percent-encoded UTF-8",
                        "/path");
    }
    if (parts & DG_IN_QUERY) {
        begin_member("query", &any, out);
        if ((status = add_query(m, out, error)) != DG_OK)
            return status;
    }
    if (parts & DG_IN_HEADERS) {
        begin_member("headers", &any, out);
        if ((status = dg_header_document(&m->header, out)) != DG_OK)
            return fail(error, status, NULL, "/headers");
    }
    if ((parts & DG_IN_BODY) && m->has_content) {
        begin_member("body", &any, out);
        if ((status = dg_content_read(format, m->content, out, &message)) != DG_OK)
            return fail(error, status, message, "/body");
    }
    if (parts & DG_IN_REQUEST) {
        begin_member("request", &any, out);
        dg_buf_add(out, m->request.len ? m->request : DG_SLICE("{}"));
    }
    return DG_OK;
}

dg_status dg_message_document(const dg_message *message, unsigned parts, dg_format format,
                              dg_translator *t, dg_buf *out, dg_run_error *ret_error)
{
    dg_buf_add_char(out, '{');
    dg_status status = add_parts(message, parts, format, t, out, ret_error);
    if (status != DG_OK)
        return status;
    dg_buf_add_char(out, '}');
    status = dg_buf_reserve(out, DG_JSON_PADDING);
    return status == DG_OK ? DG_OK : fail(ret_error, status, NULL, "");
}

/* ---- and back */

/* A segment that is empty, or names a folder, would not stay where it is (RFC 3986 5.2.4), be it with parameters; and a
 * NUL ends a path for some. No client's path may have these, either. */
static bool is_segment(dg_slice text)
{
    size_t dots = 0;
    while (dots < text.len && text.ptr[dots] == '.')
        dots++;
    bool folder = (dots == 1 || dots == 2) && (dots == text.len || text.ptr[dots] == ';');
    return text.len && !folder && !memchr(text.ptr, 0, text.len);
}

/* The value of a parameter of the client's path by that name, if that is still the value. */
static dg_slice raw_param(const dg_match *match, dg_slice wanted, dg_slice value, dg_buf *scratch)
{
    dg_slice name, raw;
    dg_buf_clear(scratch);
    for (size_t i = 0; scratch->status == DG_OK && dg_match_param(match, i, &name, &raw); i++) {
        dg_buf_clear(scratch);
        if (dg_slice_eq(name, wanted) && dg_percent_decode(raw, false, scratch) &&
            dg_slice_eq(dg_buf_slice(scratch), value))
            return raw;
    }
    return (dg_slice){NULL, 0};
}

/* The parameters of the backend's path, encoded, in t->text; `ends` are where each ends. */
static dg_status make_params(dg_translator *t, const dg_match *match, dg_slice path,
                             size_t ends[DG_PARAMS_MAX], size_t *ret_count)
{
    dg_slice name;
    dg_buf value, scratch;
    dg_buf_init(&value, 0);
    dg_buf_init(&scratch, 0);
    dg_status status = DG_OK;
    size_t i = 0;
    dg_buf_clear(&t->text);
    for (; status == DG_OK && i < DG_PARAMS_MAX && dg_match_upstream_param(match, i, &name); i++) {
        dg_slice member = dg_json_member(path, name);
        dg_buf_clear(&value);
        if (!member.len || !dg_json_add_text(member, &value) || !is_segment(dg_buf_slice(&value)))
            status = value.status != DG_OK ? value.status : DG_INVALID;
        dg_slice raw = raw_param(match, name, dg_buf_slice(&value), &scratch);
        if (raw.len)
            dg_buf_add(&t->text, raw);
        else
            dg_percent_encode(dg_buf_slice(&value), false, &t->text);
        ends[i] = t->text.len;
        if (status == DG_OK)
            status = value.status != DG_OK     ? value.status
                     : scratch.status != DG_OK ? scratch.status
                                               : t->text.status;
    }
    *ret_count = i;
    dg_buf_free(&value);
    dg_buf_free(&scratch);
    return status;
}

static dg_status make_target(dg_translator *t, const dg_translation *translation,
                             const dg_message *m, dg_run_error *error)
{
    dg_slice outcome = dg_buf_slice(&t->outcome), query = m->query;
    if (translation->parts & DG_IN_QUERY) {
        const dg_query_rest rest = {selects, m->match};
        const char *message = NULL;
        dg_buf_clear(&t->document);
        dg_status status = dg_query_rebuild(
            m->query, &rest, dg_json_member(outcome, DG_SLICE("query")), &t->document, &message);
        if (status != DG_OK)
            return fail(error, status, message, "/query");
        query = dg_buf_slice(&t->document);
    }
    if (!(translation->parts & DG_IN_PATH)) {
        dg_match_upstream_target(m->match, query, &t->target);
        return t->target.status == DG_OK ? DG_OK : fail(error, t->target.status, NULL, "");
    }
    size_t ends[DG_PARAMS_MAX], count;
    dg_slice params[DG_PARAMS_MAX];
    dg_status status =
        make_params(t, m->match, dg_json_member(outcome, DG_SLICE("path")), ends, &count);
    if (status != DG_OK)
        return fail(error, status,
                    "a parameter of the path is missing, or is none that a path can have", "/path");
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        params[i] = dg_slice_until(dg_slice_from(dg_buf_slice(&t->text), start), ends[i] - start);
    bool good = dg_match_upstream_target_with(m->match, params, query, &t->target);
    if (t->target.status != DG_OK)
        return fail(error, t->target.status, NULL, "");
    return good ? DG_OK
                : fail(error, DG_NOT_FOUND, "the path is that of another endpoint", "/path");
}

static dg_status take_apart(dg_translator *t, const dg_translation *translation,
                            const dg_message *m, dg_run_error *error)
{
    dg_slice outcome = dg_buf_slice(&t->outcome);
    const char *message = NULL;
    dg_status status = DG_OK;
    if (dg_json_type_of(outcome) != DG_JSON_OBJECT)
        return fail(error, DG_INVALID, "a message is an object", "");
    if (m->status == 0)
        status = make_target(t, translation, m, error);
    if (status != DG_OK)
        return status;
    if (translation->parts & DG_IN_HEADERS) {
        status = dg_header_rebuild(&m->header, dg_json_member(outcome, DG_SLICE("headers")),
                                   &t->header, &message);
        if (status != DG_OK)
            return fail(error, status, message, "/headers");
    } else {
        for (size_t i = 0; i < m->header.count; i++)
            t->header.lines[i].fate = DG_LINE_STAYS;
    }
    dg_slice body = dg_json_member(outcome, DG_SLICE("body"));
    if (!(translation->parts & DG_IN_BODY) || body.len == 0 || translation->to == DG_FORMAT_NONE)
        return DG_OK;
    bool form = m->has_content && translation->from == DG_FORMAT_FORM;
    status = dg_content_write(translation->to, body, form ? m->content : (dg_slice){NULL, 0},
                              &t->content, &message);
    if (status == DG_OK)
        status = dg_buf_reserve(&t->content, DG_JSON_PADDING);
    t->has_content = status == DG_OK;
    return status == DG_OK ? DG_OK : fail(error, status, message, "/body");
}

dg_status dg_message_translate(dg_translator *t, dg_runner *runner,
                               const dg_translation *translation, const dg_message *message,
                               dg_run_error *ret_error)
{
    clear(t);
    dg_status status = dg_message_document(message, translation->parts, translation->from, t,
                                           &t->document, ret_error);
    if (status != DG_OK)
        return status;
    status =
        dg_run(runner, translation->message, dg_buf_slice(&t->document), &t->outcome, ret_error);
    return status == DG_OK ? take_apart(t, translation, message, ret_error) : status;
}
