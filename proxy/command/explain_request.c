#include "proxy/command/command.h"
#include "proxy/command/explain.h"
#include "proxy/command/terminal.h"
#include "proxy/http/fields.h"
#include "proxy/http/target.h"
#include "proxy/message/replay.h"

enum { TARGET_BYTES_MAX = 16384 };

typedef struct asked {
    dg_slice method, target;
    dg_slice names[DG_HEADERS_MAX], values[DG_HEADERS_MAX];
    size_t count;
    char path[TARGET_BYTES_MAX];
    dg_request_view view;
} asked;

static dg_slice field_of(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    const asked *a = context;
    dg_slice found = {NULL, 0};
    *ret_count = 0;
    for (size_t i = 0; i < a->count; i++)
        if (dg_slice_ieq(a->names[i], name) && (*ret_count)++ == index)
            found = a->values[i];
    return found;
}

static dg_slice trimmed(dg_slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = dg_slice_from(s, 1);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* NULL, or what is wrong with it. */
static const char *read_asked(const char *request, char *const *headers, size_t count, asked *ret)
{
    dg_slice text = dg_slice_str(request), path;
    size_t space = dg_slice_find(text, ' '), hosts;
    ret->method = dg_slice_until(text, space);
    ret->target = trimmed(dg_slice_from(text, space + 1));
    size_t mark = dg_slice_find(ret->target, '?');
    if (!dg_is_token(ret->method) || ret->target.len == 0)
        return "--ask wants a method and a target: 'GET /api/v1/orders/7'";
    if (dg_path_normalise(dg_slice_until(ret->target, mark), ret->path, sizeof ret->path, &path) !=
        DG_OK)
        return "the target's path is none that dragoman takes: it begins with a slash, has no dot "
               "segments, and its "
               "percent triplets are UTF-8";
    for (size_t i = 0; i < count; i++) {
        dg_slice line = dg_slice_str(headers[i]);
        size_t colon = dg_slice_find(line, ':');
        ret->names[i] = dg_slice_until(line, colon);
        ret->values[i] = trimmed(dg_slice_from(line, colon + 1));
        if (colon == line.len || !dg_is_token(ret->names[i]) || !dg_is_field_value(ret->values[i]))
            return "--header wants 'Name: value'";
    }
    ret->count = count;
    ret->view = (dg_request_view){.method = ret->method,
                                  .path = path,
                                  .query = dg_slice_from(ret->target, mark + 1),
                                  .host = field_of(ret, DG_SLICE("host"), 0, &hosts),
                                  .field = field_of,
                                  .context = ret};
    return NULL;
}

static const char *verdict(dg_match_result result)
{
    switch (result) {
    case DG_MATCH_OK:
        return NULL;
    case DG_MATCH_NO_API:
        return "the pack does not claim this path: it passes untouched where no other pack does";
    case DG_MATCH_UNKNOWN_VERSION:
        return "it names a version that does not exist: 404";
    case DG_MATCH_NO_VERSION:
        return "it names no version, and there is no default: 400";
    case DG_MATCH_CONTRADICTION:
        return "it names two versions: 400";
    case DG_MATCH_REMOVED:
        return "the backend's version does not have the endpoint any more: 410";
    case DG_MATCH_ADDED:
        return "the backend's version does not have the endpoint yet: 404";
    case DG_MATCH_METHOD:
        return "the endpoint does not have this method: 405";
    case DG_MATCH_UNKNOWN_ENDPOINT:
        break;
    }
    return "the version has no such endpoint: 404";
}

/* The request as dg_replay_request wants it; two fields of one name become a list. */
static void add_request(const asked *a, dg_buf *out)
{
    dg_buf_add_str(out, "{\"method\":");
    dg_buf_add_json(out, a->method);
    dg_buf_add_str(out, ",\"target\":");
    dg_buf_add_json(out, a->target);
    dg_buf_add_str(out, ",\"headers\":{");
    for (size_t i = 0; i < a->count; i++) {
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += dg_slice_ieq(a->names[k], a->names[i]);
        if (before)
            continue;
        dg_json_next(out);
        dg_buf_add_json(out, a->names[i]);
        dg_buf_add_str(out, ":[");
        for (size_t k = i; k < a->count; k++)
            if (dg_slice_ieq(a->names[k], a->names[i])) {
                dg_json_next(out);
                dg_buf_add_json(out, a->values[k]);
            }
        dg_buf_add_char(out, ']');
    }
    dg_buf_add_str(out, "}}");
}

static dg_status translate(const dg_ruleset *set, const asked *a, dg_buf *out, dg_run_error *error)
{
    dg_runner *runner = NULL;
    dg_buf in;
    dg_buf_init(&in, 0);
    add_request(a, &in);
    dg_status status = dg_buf_reserve(&in, DG_JSON_PADDING);
    if (status == DG_OK)
        status = dg_runner_new(&runner);
    if (status == DG_OK)
        status = dg_replay_request(set, runner, NULL, dg_buf_slice(&in), out, error);
    else
        *error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    dg_runner_free(runner);
    dg_buf_free(&in);
    return status;
}

static void say(const dg_match *m, const char *problem, const dg_buf *backend,
                const dg_run_error *error)
{
    if (m->api)
        printf("api       %s\n", m->api->name);
    if (m->version)
        printf("version   %s, by %s\n", m->version->name, dg_selector_word(m->selected_by));
    if (m->endpoint)
        printf("endpoint  %.*s %.*s\n", DG_SLICE_FMT(m->endpoint->method),
               DG_SLICE_FMT(m->endpoint->path));
    if (problem)
        printf("refused   %s\n", problem);
    else if (error->status != DG_OK)
        printf("refused   %s\n", error->message);
    else if (m->answer)
        printf("answer    %u, from the pack: the backend is not asked\n", m->answer->status);
    else
        printf("backend   %s gets %.*s\n", m->api->backend->name,
               DG_SLICE_FMT(dg_buf_slice(backend)));
}

static bool say_json(const dg_match *m, const char *problem, const dg_buf *backend,
                     const dg_run_error *error)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_buf_add_char(&out, '{');
    if (m->api)
        dg_json_text(&out, "api", m->api->name);
    if (m->version) {
        dg_json_text(&out, "version", m->version->name);
        dg_json_text(&out, "selected_by", dg_selector_word(m->selected_by));
    }
    if (m->endpoint) {
        dg_json_key(&out, "endpoint");
        dg_buf_printf(&out, "\"%.*s ", DG_SLICE_FMT(m->endpoint->method)); /* a token */
        size_t quote = out.len;
        dg_buf_add_json(&out, m->endpoint->path);
        if (out.status == DG_OK) { /* the two strings are one */
            memmove(out.ptr + quote, out.ptr + quote + 1, out.len - quote - 1);
            out.len--;
        }
    }
    if (problem || error->status != DG_OK) {
        dg_json_text(&out, "refused", problem ? problem : error->message);
    } else {
        dg_json_text(&out, "backend", m->api->backend->name);
        dg_json_key(&out, "request");
        dg_buf_add(&out, dg_buf_slice(backend));
    }
    dg_buf_add_char(&out, '}');
    return dg_json_print(&out);
}

static int explain(const char *pack, const char *backend, const asked *a, bool json)
{
    const dg_pack_source source = {.dir = pack, .backend_version = backend};
    dg_ruleset *set = NULL;
    dg_diags diags;
    dg_diags_init(&diags);
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    dg_diags_print(&diags, stderr);
    if (status != DG_OK && diags.errors == 0)
        fprintf(stderr, "dragoman explain: %s\n", dg_status_text(status));
    bool good = status == DG_OK;
    if (good) {
        dg_match match;
        dg_run_error error = {.status = DG_OK};
        dg_buf out;
        dg_buf_init(&out, 0);
        const char *problem = verdict(dg_ruleset_match(set, &a->view, &match));
        if (!problem && !match.answer)
            error.status = translate(set, a, &out, &error);
        else if (!problem)
            dg_buf_add_str(&out, "null");
        if (json)
            good = say_json(&match, problem, &out, &error);
        else
            say(&match, problem, &out, &error);
        good &= !problem && error.status == DG_OK;
        dg_buf_free(&out);
    }
    dg_ruleset_free(set);
    dg_diags_free(&diags);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}

int dg_explain_request(const char *pack, const char *backend, const char *request,
                       char *const *headers, size_t header_count, bool json)
{
    asked a;
    const char *problem = read_asked(request, headers, header_count, &a);
    if (problem) {
        fprintf(stderr, "dragoman explain: %s\n", problem);
        return DG_EXIT_USAGE;
    }
    return explain(pack, backend, &a, json);
}
