#include "proxy/message/replay.h"

#include <stdlib.h>

#include "proxy/http/fields.h"
#include "proxy/http/target.h"
#include "proxy/message/content.h"
#include "proxy/message/json.h"

enum { TARGET_BYTES_MAX = 16384 };

typedef struct replay {
    const dg_ruleset *rules;
    dg_runner *runner;
    dg_translator t;
    dg_buf text, content, translated; /* decoded pieces; the content, as it came and as it leaves */
    dg_field fields[DG_FIELDS_MAX];
    size_t field_count;
    bool as_text; /* the content came as body_text */
    char path[TARGET_BYTES_MAX];
    dg_slice method, host, query, type;
    dg_match match;
    dg_buf request; /* the document of the client's */
    dg_run_error *error;
} replay;

static dg_status fail(replay *r, dg_status status, const char *message)
{
    *r->error =
        (dg_run_error){.status = status, .message = message ? message : dg_status_text(status)};
    return status;
}

/* Decoded text of a scalar member, kept in r->text, which must not move: it is large enough from
 * the beginning. */
static dg_slice text_of(replay *r, dg_slice value)
{
    size_t start = r->text.len;
    if (value.len == 0 || !dg_json_add_text(value, &r->text))
        return (dg_slice){NULL, 0};
    return dg_slice_from(dg_buf_slice(&r->text), start);
}

/* ---- reading */

static bool add_field(replay *r, dg_slice name, dg_slice value)
{
    if (r->field_count == DG_FIELDS_MAX || !dg_is_token(name) || !dg_is_field_value(value))
        return false;
    r->fields[r->field_count++] =
        (dg_field){.name = name, .value = value, .id = dg_field_id_of(name)};
    if (dg_slice_ieq(name, DG_SLICE("content-type")))
        r->type = value;
    return true;
}

static dg_status read_fields(replay *r, dg_slice object)
{
    dg_json_walk walk = dg_json_walk_of(object);
    dg_slice name, value, element;
    r->field_count = 0;
    r->type = (dg_slice){NULL, 0};
    while (dg_json_next_member(&walk, &name, &value)) {
        dg_json_walk lines = dg_json_walk_of(value);
        bool many = dg_json_type_of(value) == DG_JSON_ARRAY, good = true;
        if (!many)
            good = add_field(r, name, text_of(r, value));
        while (many && good && dg_json_next_element(&lines, &element))
            good = add_field(r, name, text_of(r, element));
        if (!good)
            return fail(r, DG_INVALID,
                        "a header is an object of strings, with names and values that fields have");
    }
    return DG_OK;
}

static dg_slice field_of(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    const replay *r = context;
    dg_slice found = {NULL, 0};
    *ret_count = 0;
    for (size_t i = 0; i < r->field_count; i++)
        if (dg_slice_ieq(r->fields[i].name, name) && (*ret_count)++ == index)
            found = r->fields[i].value;
    return found;
}

static const char *refusal(dg_match_result result)
{
    switch (result) {
    case DG_MATCH_OK:
        return NULL;
    case DG_MATCH_NO_API:
        return "the pack does not claim this path";
    case DG_MATCH_UNKNOWN_VERSION:
        return "the request names a version that does not exist";
    case DG_MATCH_NO_VERSION:
        return "the request names no version";
    case DG_MATCH_CONTRADICTION:
        return "the request names two versions";
    case DG_MATCH_REMOVED:
        return "the backend's version does not have the endpoint any more";
    case DG_MATCH_ADDED:
        return "the backend's version does not have the endpoint yet";
    case DG_MATCH_METHOD:
        return "the endpoint does not have this method";
    case DG_MATCH_UNKNOWN_ENDPOINT:
        break;
    }
    return "the client's version has no such endpoint";
}

/* Reads the client's request, and finds what it is. */
static dg_status read_request(replay *r, const char *version, dg_slice request)
{
    dg_slice path;
    dg_slice target = text_of(r, dg_json_member(request, DG_SLICE("target")));
    r->method = text_of(r, dg_json_member(request, DG_SLICE("method")));
    if (!dg_is_token(r->method) || target.len == 0 || target.len > TARGET_BYTES_MAX)
        return fail(r, DG_INVALID, "a request has a 'method' and a 'target'");
    dg_status status = read_fields(r, dg_json_member(request, DG_SLICE("headers")));
    if (status != DG_OK)
        return status;
    size_t mark = dg_slice_find(target, '?'), count;
    r->query = dg_slice_from(target, mark + 1);
    if (dg_path_normalise(dg_slice_until(target, mark), r->path, sizeof r->path, &path) != DG_OK)
        return fail(r, DG_INVALID, "the path has dot segments, or bytes that no path may have");
    dg_slice name;
    unsigned port;
    r->host = field_of(r, DG_SLICE("host"), 0, &count);
    if (count && dg_authority_parse(r->host, &name, &port) != DG_OK)
        return fail(r, DG_INVALID, "the host is none");
    const dg_request_view view = {r->method, path, r->query, r->host, field_of, r, NULL};
    const char *problem = refusal(dg_ruleset_match(r->rules, &view, &r->match));
    if (problem)
        return fail(r, DG_NOT_FOUND, problem);
    if (version && r->match.version && strcmp(r->match.version->name, version) != 0)
        return fail(r, DG_NOT_FOUND, "the request is of another version");
    return DG_OK;
}

/* What the message has for content; a type is taken for granted where none is said. */
static dg_status read_content(replay *r, dg_slice message, bool *ret_has)
{
    dg_slice body = dg_json_member(message, DG_SLICE("body"));
    dg_slice text = dg_json_member(message, DG_SLICE("body_text"));
    dg_buf_clear(&r->content);
    *ret_has = body.len || dg_json_type_of(text) == DG_JSON_STRING;
    r->as_text = !body.len;
    if (body.len)
        dg_buf_add(&r->content, body);
    else if (*ret_has && !dg_json_add_text(text, &r->content))
        return fail(r, DG_INVALID, "body_text is no UTF-8");
    if (*ret_has && r->type.len == 0)
        r->type = dg_content_type(body.len ? DG_FORMAT_JSON : DG_FORMAT_TEXT);
    return dg_buf_reserve(&r->content, DG_JSON_PADDING) == DG_OK ? DG_OK : fail(r, DG_NOMEM, NULL);
}

/* ---- translating */

static bool selects(const void *context, const dg_field *field)
{
    const replay *r = context;
    return r->match.api->version_field.len &&
           dg_slice_ieq(field->name, r->match.api->version_field);
}

static dg_message message_of(replay *r, bool has_content)
{
    return (dg_message){.match = &r->match,
                        .query = r->query,
                        .method = r->method,
                        .host = r->host,
                        .header = {r->fields, r->field_count, selects, r, NULL},
                        .has_content = has_content,
                        .content = dg_buf_slice(&r->content)};
}

/* Content alone. */
static dg_status translate_content(replay *r, const dg_translation *t)
{
    const char *message = NULL;
    dg_buf json;
    dg_buf_init(&json, 0);
    dg_status status = dg_content_read(t->from, dg_buf_slice(&r->content), &json, &message);
    dg_buf_clear(&r->t.outcome);
    if (status != DG_OK)
        fail(r, status, message);
    else if (t->body)
        status = dg_run(r->runner, t->body, dg_buf_slice(&json), &r->t.outcome, r->error);
    if (status == DG_OK) {
        dg_slice came = t->from == DG_FORMAT_FORM ? dg_buf_slice(&r->content) : (dg_slice){NULL, 0};
        status = dg_content_write(t->to, dg_buf_slice(t->body ? &r->t.outcome : &json), came,
                                  &r->translated, &message);
        if (status != DG_OK)
            fail(r, status, message);
    }
    dg_buf_free(&json);
    return status;
}

/* *ret_changed: `translated` is the content now; *has_content: there is some. */
static dg_status translate(replay *r, const dg_translation *t, dg_message *m, bool *has_content,
                           bool *ret_changed)
{
    bool works = t && *has_content && (t->body || (t->parts & DG_IN_BODY) || t->from != t->to) &&
                 dg_content_is(t->from, r->type);
    dg_status status = DG_OK;
    *ret_changed = false;
    m->has_content = works && (t->parts & DG_IN_BODY);
    if (t && t->message)
        status = dg_message_translate(&r->t, r->runner, t, m, r->error);
    if (status != DG_OK || !t)
        return status;
    if (t->message && (m->has_content || r->t.has_content)) {
        dg_buf_add(&r->translated, dg_buf_slice(&r->t.content));
        *ret_changed = true;
        *has_content = r->t.has_content;
    } else if (works) {
        status = translate_content(r, t);
        *ret_changed = true;
        *has_content = t->to != DG_FORMAT_NONE;
    }
    if (status == DG_OK && *ret_changed && (t->from != t->to || r->type.len == 0 || !*has_content))
        r->type = *has_content ? dg_content_type(t->to) : (dg_slice){NULL, 0};
    return status;
}

/* ---- writing */

/* The lines that are left, as an object again. */
static dg_status add_header(replay *r, const dg_translation *t, dg_buf *out)
{
    dg_field lines[DG_FIELDS_MAX];
    dg_header left = {.fields = lines, .count = 0};
    bool planned = t && t->message;
    for (size_t i = 0; i < r->field_count; i++) {
        if (planned && r->t.header.lines[i].fate == DG_LINE_GOES)
            continue;
        lines[left.count] = r->fields[i];
        if (planned && r->t.header.lines[i].fate == DG_LINE_CHANGES)
            lines[left.count].value = dg_header_value(&r->t.header, i);
        left.count++;
    }
    dg_slice added = planned ? dg_buf_slice(&r->t.header.added) : (dg_slice){NULL, 0};
    while (added.len && left.count < DG_FIELDS_MAX) {
        dg_slice line = dg_slice_until(added, dg_slice_find(added, '\r'));
        size_t colon = dg_slice_find(line, ':');
        lines[left.count++] = (dg_field){.name = dg_slice_until(line, colon),
                                         .value = dg_slice_from(line, colon + 2)};
        added = dg_slice_from(added, line.len + 2);
    }
    size_t start = out->len;
    dg_status status = dg_header_document(&left, out);
    if (status == DG_OK && r->type.len) { /* which no document holds */
        out->len--;
        dg_buf_add_str(out, out->len > start + 1 ? ",\"content-type\":" : "\"content-type\":");
        dg_buf_add_json(out, r->type);
        dg_buf_add_char(out, '}');
    }
    return status;
}

static void add_content(replay *r, bool changed, dg_buf *out)
{
    dg_slice content = dg_buf_slice(changed ? &r->translated : &r->content);
    bool json =
        dg_content_is(DG_FORMAT_JSON, r->type) && (changed || !r->as_text); /* it may be broken */
    dg_buf_add_str(out, json ? ",\"body\":" : ",\"body_text\":");
    if (json)
        dg_buf_add(out, content);
    else
        dg_buf_add_json(out, content);
}

static dg_status write(replay *r, const dg_translation *t, bool has_content, bool changed,
                       dg_buf *out)
{
    dg_buf_add_str(out, ",\"headers\":");
    dg_status status = add_header(r, t, out);
    if (status == DG_OK && has_content)
        add_content(r, changed, out);
    dg_buf_add_char(out, '}');
    bool whole =
        out->status == DG_OK && r->content.status == DG_OK && r->translated.status == DG_OK;
    return status == DG_OK && whole ? DG_OK : fail(r, DG_NOMEM, NULL);
}

static dg_status request_of(replay *r, const char *version, dg_slice json, dg_buf *out)
{
    bool has = false, changed;
    dg_status status = read_request(r, version, json);
    if (status == DG_OK)
        status = read_content(r, json, &has);
    if (status != DG_OK)
        return status;
    if (r->match.answer) {
        dg_buf_add_str(out, "null");
        return out->status;
    }
    const dg_translation *t = r->match.request;
    dg_message m = message_of(r, has);
    status = translate(r, t, &m, &has, &changed);
    if (status != DG_OK)
        return status;
    if (!t || !t->message) {
        dg_buf_clear(&r->t.target);
        dg_match_upstream_target(&r->match, r->query, &r->t.target);
        if (r->t.target.status != DG_OK)
            return fail(r, DG_NOMEM, NULL);
    }
    dg_buf_add_str(out, "{\"method\":");
    dg_buf_add_json(out, r->match.upstream_method);
    dg_buf_add_str(out, ",\"target\":");
    dg_buf_add_json(out, dg_buf_slice(&r->t.target));
    return write(r, t, has, changed, out);
}

/* The pack's own answer as if the backend had given it. */
static dg_status given_answer(replay *r, dg_buf *out)
{
    const dg_static_answer *answer = r->match.answer;
    dg_buf_printf(out, "{\"status\":%u,\"headers\":", answer->status);
    dg_buf_add(out, answer->headers);
    if (answer->body.len) {
        dg_buf_add_str(out, answer->format == DG_FORMAT_TEXT ? ",\"body_text\":" : ",\"body\":");
        dg_buf_add(out, answer->body);
    }
    dg_buf_add_char(out, '}');
    return out->status == DG_OK ? DG_OK : fail(r, DG_NOMEM, NULL);
}

static dg_status read_status(replay *r, dg_slice response, unsigned *ret_status)
{
    dg_slice text = dg_json_member(response, DG_SLICE("status"));
    unsigned status = 0;
    for (size_t i = 0; i < text.len && i < 4; i++)
        status = status * 10 + (unsigned)(text.ptr[i] - '0');
    if (text.len != 3 || status < 100 || status > 599)
        return fail(r, DG_INVALID, "a response has a 'status'");
    *ret_status = status;
    return DG_OK;
}

static dg_status translate_answer(replay *r, dg_slice response, dg_buf *out)
{
    bool has = false, changed;
    unsigned code = 0;
    dg_status status = read_status(r, response, &code);
    if (status == DG_OK)
        status = read_fields(r, dg_json_member(response, DG_SLICE("headers")));
    if (status == DG_OK)
        status = read_content(r, response, &has);
    if (status != DG_OK)
        return status;
    const dg_translation *t = dg_match_answer(&r->match, code);
    dg_message m = message_of(r, has);
    m.status = code;
    m.request = dg_buf_slice(&r->request);
    status = translate(r, t, &m, &has, &changed);
    if (status != DG_OK)
        return status;
    code = t && t->status ? t->status : code;
    if (code == 204 || code == 304) {
        has = false;
        r->type = (dg_slice){NULL, 0};
    }
    dg_buf_printf(out, "{\"status\":%u", code);
    return write(r, t, has, changed, out);
}

static dg_status answer_of(replay *r, const char *version, dg_slice json, dg_buf *out)
{
    dg_slice request = dg_json_member(json, DG_SLICE("request"));
    dg_slice response = dg_json_member(json, DG_SLICE("response"));
    dg_buf given;
    dg_status status = read_request(r, version, request);
    if (status != DG_OK)
        return status;
    dg_message m = message_of(r, false);
    status = dg_message_document(
        &m, DG_IN_METHOD | DG_IN_ORIGIN | DG_IN_PATH | DG_IN_QUERY | DG_IN_HEADERS, DG_FORMAT_JSON,
        &r->t, &r->request, r->error);
    if (status != DG_OK)
        return status;
    dg_buf_init(&given, 0);
    if (r->match.answer) {
        status = given_answer(r, &given);
        response = dg_buf_slice(&given);
    }
    if (status == DG_OK)
        status = translate_answer(r, response, out);
    dg_buf_free(&given);
    return status;
}

/* ---- both */

/* The walks need JSON that is valid. */
static dg_status check_json(dg_runner *runner, dg_slice json, dg_run_error *error)
{
    dg_program *program = NULL;
    dg_diags diags;
    dg_buf out;
    dg_diags_init(&diags);
    dg_buf_init(&out, 0);
    dg_status status = dg_program_compile(NULL, 0, &diags, &program);
    if (status == DG_OK)
        status = dg_run(runner, program, json, &out, error);
    else
        *error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    if (program)
        dg_runner_forget(runner, program);
    dg_program_free(program);
    dg_buf_free(&out);
    dg_diags_free(&diags);
    return status;
}

static dg_status replay_one(const dg_ruleset *rules, dg_runner *runner, const char *version,
                            dg_slice json, bool answer, dg_buf *out, dg_run_error *error)
{
    size_t start = out->len;
    dg_status status = check_json(runner, json, error);
    if (status != DG_OK)
        return status;
    replay *r = calloc(1, sizeof *r);
    if (!r) {
        *error = (dg_run_error){.status = DG_NOMEM, .message = dg_status_text(DG_NOMEM)};
        return DG_NOMEM;
    }
    r->rules = rules;
    r->runner = runner;
    r->error = error;
    dg_translator_init(&r->t);
    while (json.len && strchr(" \t\r\n", json.ptr[0]))
        json = dg_slice_from(json, 1);
    if (dg_buf_reserve(&r->text, json.len + 1) != DG_OK) /* what is decoded is never longer */
        status = fail(r, DG_NOMEM, NULL);
    else
        status = answer ? answer_of(r, version, json, out) : request_of(r, version, json, out);
    dg_buf_free(&r->text);
    dg_buf_free(&r->content);
    dg_buf_free(&r->translated);
    dg_buf_free(&r->request);
    dg_translator_free(&r->t);
    free(r);
    if (status != DG_OK)
        out->len = start;
    return status;
}

dg_status dg_replay_request(const dg_ruleset *rules, dg_runner *runner, const char *version,
                            dg_slice json, dg_buf *out, dg_run_error *ret_error)
{
    return replay_one(rules, runner, version, json, false, out, ret_error);
}

dg_status dg_replay_answer(const dg_ruleset *rules, dg_runner *runner, const char *version,
                           dg_slice json, dg_buf *out, dg_run_error *ret_error)
{
    return replay_one(rules, runner, version, json, true, out, ret_error);
}
