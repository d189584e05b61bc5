/* Parts of messages, statuses, formats, and endpoints of one version: what a pack may say, what is
 * refused, and the translation that comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pack_text.h"

#define TWO   "versions: [v1, v2]\n"
#define THREE "versions: [v1, v2, v3]\n"

static dg_slice no_field(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    (void)context;
    (void)name;
    (void)index;
    *ret_count = 0;
    return (dg_slice){NULL, 0};
}

static dg_match_result match(const dg_ruleset *set, const char *method, const char *path,
                             dg_match *m)
{
    const dg_request_view view = {
        .method = dg_slice_str(method), .path = dg_slice_str(path), .field = no_field};
    return dg_ruleset_match(set, &view, m);
}

/* What the program makes of a text. */
static char *run(const dg_program *program, const char *text)
{
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add_str(&in, text);
    assert_int_equal(dg_buf_reserve(&in, DG_JSON_PADDING), DG_OK);
    dg_runner *runner;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    dg_run_error error = {.message = NULL};
    if (dg_run(runner, program, dg_buf_slice(&in), &out, &error) != DG_OK)
        fail_msg("%s: %s", text, error.message);
    dg_runner_free(runner);
    dg_buf_add_char(&out, '\0');
    dg_buf_free(&in);
    return out.ptr;
}

static void check_run(const dg_program *program, const char *text, const char *expected)
{
    assert_non_null(program);
    char *out = run(program, text);
    assert_string_equal(out, expected);
    free(out);
}

/* ---- mistakes */

static void mistakes_are_reported(void **state)
{
    static const struct {
        const char *changes[3];
        const char *report;
    } rows[] = {
        {{"endpoints:\n  GET /a: {request: {query: {rename: {a: b}}, status: {200: 204}}}\n"},
         "1.yaml:4:47: error: 'status' is not known here; known are "},
        {{"endpoints:\n  GET /a: {response: {query: {rename: {a: b}}}}\n"},
         "'query' is not known here; known are "},
        {{"endpoints:\n  GET /a: {response: {headers: {rename: {X-A: x-b}}}}\n"},
         "1.yaml:4:42: error: 'X-A' is written in lower case in a pack, as all header fields "
         "are\n"},
        {{"endpoints:\n  GET /a: {response: {headers: {add: {content-length: \"1\"}}}}\n"},
         "'content-length' is a header field that dragoman itself sees to\n"},
        {{"endpoints:\n  GET /a: {request: {message: {in: {at: headers, do: {drop: {Via: "
          "x}}}}}}\n"},
         "'Via' is written in lower case"},
        {{"endpoints:\n  GET /a: {request: {message: {drop: {status: 1}}}}\n"},
         "drop: a request has method, origin, path, query, headers and body\n"},
        {{"endpoints:\n  GET /a: {request: {message: {drop: {method: 1}}}}\n"},
         "drop: the method changes by 'becomes'\n"},
        {{"endpoints:\n  GET /a: {request: {message: {drop: {origin: 1}}}}\n"},
         "drop: where a request was sent to can be read only\n"},
        {{"endpoints:\n  GET /a: {response: {message: {drop: {status: 1}}}}\n"},
         "drop: the status changes by a 'status' table\n"},
        {{"endpoints:\n  GET /a: {response: {message: {rename: {request.query: q}}}}\n"},
         "rename: the request of an answer can be read only"},
        {{"endpoints:\n  GET /a: {response: {message: {drop: {headers: 1}}}}\n"},
         "drop: a part stays; change what is in it\n"},
        {{"endpoints:\n  GET /a: {response: {message: {wrap: data}}}\n"},
         "wrap: name the part of the message that this is about"},
        {{"endpoints:\n  GET /a: {response: {format: {older: xml}}}\n"},
         "expected json, form, text or none\n"},
        {{"endpoints:\n  GET /a: {response: {format: {}}}\n"}, "format needs 'older' or 'newer'\n"},
        {{"endpoints:\n  GET /a: {response: {status: {200: 204, 201: 204}}}\n"},
         "two statuses become 204, so the way back is not known\n"},
        {{"endpoints:\n  GET /a: {response: {status: {200: 900}}}\n"},
         "expected two statuses from 200 to 599"},
        {{"endpoints:\n  GET /a: {responses: {ok: {wrap: data}}}\n"},
         "expected a status or a class of them: 404, 4xx\n"},
        {{"endpoints:\n  GET /a/{id}: {becomes: GET /b}\n"},
         "the parameter {id} has no place in '/b': move it in the request, as in `message: {move: "
         "{path.id: "
         "query.id}}`\n"},
        {{"endpoints:\n  GET /b: {becomes: 'GET /a/{id}'}\n"},
         "nothing gives '/a/{id}' its parameter {id}: move something there in the request"},
        {{"endpoints:\n  GET /a/{id}: {becomes: 'GET /a/{key}', request: {path: {rename: {id: "
          "kay}}}}\n"},
         "the parameter {kay} has no place in '/a/{key}', which has {key}: if they are the same, "
         "say `request: {path: "
         "{rename: {kay: key}}}`\n"},
        {{"endpoints:\n  GET /a/*: {becomes: GET /a}\n"},
         "the wildcards of '/a' must be those of '/a/*'\n"},
        {{"endpoints:\n  GET /a: {removed: {body: {}}}\n"},
         "an answer needs a 'status' from 200 to 599\n"},
        {{"endpoints:\n  GET /a: {removed: {status: 204, body: {}}}\n"},
         "such an answer has no body\n"},
        {{"endpoints:\n  GET /a: {removed: {status: 410, headers: {Retry: x}}}\n"},
         "'Retry' is written in lower case"},
        {{"endpoints:\n  GET /a: {removed: {status: 410}, response: {wrap: x}}\n"},
         "an endpoint of one version only has no messages to translate\n"},
        {{"endpoints:\n  GET /a: {removed: {status: 410}, becomes: GET /b}\n"},
         "an endpoint becomes another, is removed, or is added: one of these\n"},
        {{"endpoints:\n  GET /a: {added: soon}\n"}, "expected nothing, or an answer"},
        {{"endpoints:\n  GET /a: gone\n"}, "; or removed, or added, found a string\n"},
        {{"endpoints:\n  GET /a: {response: {format: {older: text, newer: json}}}\n",
          "endpoints:\n  GET /a: {response: {format: {older: form, newer: json}}}\n"},
         "1.yaml:4:12: error: the content has another format here than changes/2.yaml:4 says for "
         "the same version\n"},
        {{"endpoints:\n  GET /a/{id}: {}\n", "endpoints:\n  GET /a/{key}: {request: {path: "
                                             "{values: {at: key, table: {\"1\": \"2\"}}}}}\n"},
         "2.yaml:4:3: error: the ops below work on the parameters of '/a/{key}', which is "
         "'/a/{id}' elsewhere"},
        {{"endpoints:\n  GET /a: {request: {query: {rename: {x: y}}}}\n",
          "endpoints:\n  GET /a: {response: {message: {copy: {request.query.y: headers.x-y}}}}\n"},
         "2.yaml:4:40: error: this reads the request as the client sent it, but "},
    };
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pack_text text = {.api = rows[i].changes[1] ? THREE : TWO,
                                .changes = {rows[i].changes[0], rows[i].changes[1]}};
        char *report;
        dg_ruleset *set = pack_text_load(&text, &report);
        if (set) {
            print_error("expected\n%s\nbut it loads\n", rows[i].report);
            dg_ruleset_free(set);
            wrong++;
            continue;
        }
        if (!strstr(report, rows[i].report)) {
            print_error("expected\n%s\nfound\n%s", rows[i].report, report);
            wrong++;
        }
        free(report);
    }
    assert_int_equal(wrong, 0);
}

static void the_request_can_be_read_where_no_other_step_changes_it(void **state)
{
    const pack_text text = {
        .api = THREE,
        .changes = {"endpoints:\n  GET /a: {request: {query: {rename: {x: y}}}}\n",
                    "endpoints:\n"
                    "  GET /a: {response: {message: {copy: {request.query.z: headers.x-z}}}}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/a", &m), DG_MATCH_OK);
    assert_true(dg_match_answers_ask(&m));
    dg_ruleset_free(set);
}

/* ---- parts */

static void parts_have_a_program_beside_the_body(void **state)
{
    const pack_text text = {.api = TWO,
                            .changes = {"endpoints:\n"
                                        "  GET /posts:\n"
                                        "    request: {query: [{rename: {_limit: _per_page}}], "
                                        "headers: [{add: {x-new: \"1\"}}]}\n"
                                        "    response: {body: [{wrap: data}]}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/posts", &m), DG_MATCH_OK);
    assert_non_null(m.request);
    assert_null(m.request->body);
    assert_int_equal(m.request->parts, DG_IN_QUERY | DG_IN_HEADERS);
    check_run(m.request->message,
              "{\"query\":{\"_page\":\"1\",\"_limit\":\"2\"},\"headers\":{\"x-a\":\"1\"}}",
              "{\"query\":{\"_page\":\"1\",\"_per_page\":\"2\"},\"headers\":{\"x-a\":\"1\",\"x-"
              "new\":\"1\"}}");
    const dg_translation *answer = dg_match_answer(&m, 200);
    assert_non_null(answer);
    assert_null(answer->message);
    assert_int_equal(answer->parts, 0);
    check_run(answer->body, "{\"data\":[1]}", "[1]");
    assert_null(dg_match_answer(&m, 404));
    assert_true(dg_match_answers_change(&m));
    assert_false(dg_match_answers_ask(&m));
    dg_ruleset_free(set);
}

static void message_ops_take_the_body_in(void **state)
{
    const pack_text text = {
        .api = THREE,
        .changes = {"endpoints:\n"
                    "  GET /a: {response: {message: {rename: {body.total: amount}}}}\n",
                    "endpoints:\n"
                    "  GET /a: {response: [{rename: {amount: sum}}]}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/a", &m), DG_MATCH_OK);
    const dg_translation *answer = dg_match_answer(&m, 200);
    assert_null(answer->body);
    assert_int_equal(answer->parts, DG_IN_BODY);
    check_run(answer->message, "{\"body\":{\"sum\":1}}", "{\"body\":{\"total\":1}}");
    assert_int_equal(match(set, "GET", "/v2/a", &m), DG_MATCH_OK);
    answer = dg_match_answer(&m, 200);
    assert_null(answer->message);
    check_run(answer->body, "{\"sum\":1}", "{\"amount\":1}");
    dg_ruleset_free(set);
}

/* ---- statuses */

static void sides_go_by_the_newer_status(void **state)
{
    const pack_text text = {
        .api = THREE,
        .changes = {"endpoints:\n"
                    "  GET /a:\n"
                    "    response: [{wrap: all}]\n"
                    "    responses: {201: [{wrap: one}], 3xx: [{wrap: three}]}\n"
                    "    error: {body: [{wrap: error}], status: {404: 410}}\n",
                    "endpoints:\n"
                    "  GET /a: {responses: {202: {status: {201: 202}}}}\n"}};
    static const struct {
        const char *version;
        unsigned status, becomes;
        const char *member; /* what is unwrapped; NULL = nothing */
    } rows[] = {
        {"/v1/a", 200, 0, "all"},   {"/v1/a", 202, 201, "one"}, {"/v1/a", 201, 0, "one"},
        {"/v1/a", 301, 0, "three"}, {"/v1/a", 500, 0, "error"}, {"/v1/a", 410, 404, "error"},
        {"/v2/a", 202, 201, NULL},  {"/v2/a", 200, 0, NULL},    {"/v2/a", 410, 0, NULL}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_match m;
        assert_int_equal(match(set, "GET", rows[i].version, &m), DG_MATCH_OK);
        const dg_translation *answer = dg_match_answer(&m, rows[i].status);
        assert_int_equal(answer ? answer->status : 0, rows[i].becomes);
        if (!rows[i].member) {
            assert_true(!answer || !answer->body);
            continue;
        }
        char in[64];
        snprintf(in, sizeof in, "{\"%s\":1}", rows[i].member);
        check_run(answer->body, in, "1");
    }
    dg_ruleset_free(set);
}

static void statuses_go_up_as_well(void **state)
{
    const pack_text text = {
        .api = TWO,
        .changes = {"endpoints:\n"
                    "  GET /a: {responses: {204: {status: {200: 204}, format: {newer: none}}}}\n"},
        .backend = "v1"};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v2/a", &m), DG_MATCH_OK);
    const dg_translation *answer = dg_match_answer(&m, 200);
    assert_int_equal(answer->status, 204);
    assert_int_equal(answer->from, DG_FORMAT_JSON);
    assert_int_equal(answer->to, DG_FORMAT_NONE);
    assert_null(dg_match_answer(&m, 201));
    dg_ruleset_free(set);
}

static void formats_are_those_of_the_ends(void **state)
{
    const pack_text text = {
        .api = "versions: [v1, v2, v3, v4]\n",
        .changes = {"endpoints:\n  GET /a: {}\n",
                    "endpoints:\n  '* /**': {error: {format: {older: text, newer: json}}}\n",
                    "endpoints:\n  GET /a: {error: [{wrap: e}]}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/a", &m), DG_MATCH_OK);
    const dg_translation *answer = dg_match_answer(&m, 404);
    assert_int_equal(answer->from, DG_FORMAT_JSON);
    assert_int_equal(answer->to, DG_FORMAT_TEXT);
    assert_int_equal(match(set, "GET", "/v3/a", &m), DG_MATCH_OK);
    assert_int_equal(dg_match_answer(&m, 404)->to, DG_FORMAT_JSON);
    dg_ruleset_free(set);
}

/* ---- endpoints */

static void endpoints_begin_and_end(void **state)
{
    const pack_text text = {
        .api = THREE,
        .changes = {"endpoints:\n"
                    "  - GET /old: {removed: {status: 410, body: {gone: true}}}\n"
                    "  - GET /ping: {response: [{wrap: data}]}\n"
                    "  - GET /new: added\n",
                    "endpoints:\n"
                    "  - GET /new: {response: [{wrap: data}]}\n"
                    "  - GET /ping: removed\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/old", &m), DG_MATCH_OK);
    assert_non_null(m.answer);
    assert_int_equal(m.answer->status, 410);
    assert_true(dg_slice_eq(m.answer->body, DG_SLICE("{\"gone\":true}")));
    assert_int_equal(match(set, "GET", "/v2/old", &m), DG_MATCH_UNKNOWN_ENDPOINT);
    assert_int_equal(match(set, "GET", "/v1/ping", &m), DG_MATCH_REMOVED);
    assert_int_equal(match(set, "GET", "/v2/ping", &m), DG_MATCH_REMOVED);
    assert_int_equal(match(set, "GET", "/v1/new", &m), DG_MATCH_UNKNOWN_ENDPOINT);
    assert_int_equal(match(set, "GET", "/v2/new", &m), DG_MATCH_OK);
    assert_null(m.answer);
    assert_int_equal(dg_ruleset_api(set, 0)->versions[0].endpoint_count, 2);
    assert_int_equal(dg_ruleset_api(set, 0)->versions[1].endpoint_count, 2);
    assert_int_equal(dg_ruleset_api(set, 0)->versions[2].endpoint_count, 1);
    dg_ruleset_free(set);
    pack_text down = text;
    down.backend = "v1";
    set = pack_text_must_load(&down);
    assert_int_equal(match(set, "GET", "/v3/new", &m), DG_MATCH_ADDED);
    dg_ruleset_free(set);
}

static void a_static_answer_is_translated_to_older_clients(void **state)
{
    const pack_text text = {
        .api = THREE,
        .changes = {"endpoints:\n  GET /a: {error: [{wrap: error}]}\n",
                    "endpoints:\n  GET /a: {removed: {status: 404, body: {error: {m: x}}}}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/a", &m), DG_MATCH_OK);
    assert_non_null(m.answer);
    assert_null(m.request);
    check_run(dg_match_answer(&m, 404)->body, "{\"error\":{\"m\":\"x\"}}", "{\"m\":\"x\"}");
    assert_int_equal(match(set, "GET", "/v2/a", &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 404));
    dg_ruleset_free(set);
}

static void several_endpoints_become_one(void **state)
{
    const char *change = "endpoints:\n"
                         "  GET /posts/{id}/comments:\n"
                         "    becomes: GET /comments\n"
                         "    request: {path: {drop: {id: \"0\"}}}\n"
                         "  GET /comments: {response: [{wrap: data}]}\n"
                         "  GET /old-comments: {becomes: GET /comments}\n";
    const pack_text up = {.api = TWO, .changes = {change}},
                    down = {.api = TWO, .changes = {change}, .backend = "v1"};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&up);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/posts/7/comments", &m), DG_MATCH_OK);
    assert_int_equal(m.request->parts, DG_IN_PATH);
    dg_slice name, raw;
    assert_true(dg_match_param(&m, 0, &name, &raw));
    assert_true(dg_slice_eq(name, DG_SLICE("id")) && dg_slice_eq(raw, DG_SLICE("7")));
    assert_false(dg_match_param(&m, 1, &name, &raw));
    assert_false(dg_match_upstream_param(&m, 0, &name));
    dg_buf target;
    dg_buf_init(&target, 0);
    assert_true(dg_match_upstream_target_with(&m, NULL, DG_SLICE("a=1"), &target));
    assert_true(dg_slice_eq(dg_buf_slice(&target), DG_SLICE("/v2/comments?a=1")));
    assert_int_equal(match(set, "GET", "/v1/old-comments", &m), DG_MATCH_OK);
    assert_int_equal(match(set, "GET", "/v1/comments", &m), DG_MATCH_OK);
    assert_non_null(dg_match_answer(&m, 200));
    dg_ruleset_free(set);
    set = pack_text_must_load(&down);
    assert_int_equal(match(set, "GET", "/v2/comments", &m), DG_MATCH_OK);
    dg_buf_clear(&target);
    dg_match_upstream_target(&m, (dg_slice){NULL, 0}, &target);
    assert_true(dg_slice_eq(dg_buf_slice(&target), DG_SLICE("/v1/comments")));
    dg_buf_free(&target);
    dg_ruleset_free(set);
}

static void parameters_move_in_the_path(void **state)
{
    const pack_text text = {
        .api = TWO,
        .changes = {"endpoints:\n"
                    "  GET /a/{id}/x: {becomes: 'GET /b/{key}', request: {path: {rename: {id: "
                    "key}}}}\n"
                    "  GET /b/special: {}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/v1/a/7/x", &m), DG_MATCH_OK);
    check_run(m.request->message, "{\"path\":{\"id\":\"7\"}}", "{\"path\":{\"key\":\"7\"}}");
    dg_slice name, params[] = {DG_SLICE("7")};
    assert_true(dg_match_upstream_param(&m, 0, &name));
    assert_true(dg_slice_eq(name, DG_SLICE("key")));
    dg_buf target;
    dg_buf_init(&target, 0);
    assert_true(dg_match_upstream_target_with(&m, params, (dg_slice){NULL, 0}, &target));
    assert_true(dg_slice_eq(dg_buf_slice(&target), DG_SLICE("/v2/b/7")));
    params[0] = DG_SLICE("special"); /* it would reach another endpoint */
    dg_buf_clear(&target);
    assert_false(dg_match_upstream_target_with(&m, params, (dg_slice){NULL, 0}, &target));
    assert_int_equal(target.len, 0);
    dg_buf_free(&target);
    dg_ruleset_free(set);
}

/* ---- own errors */

static void errors_have_a_shape_of_the_version(void **state)
{
    const pack_text text = {
        .api = "errors: [{wrap: problem}]\n"
               "versions: [{name: v1, errors: {format: text, body: {unwrap: title}}}, v2]\n",
        .changes = {"endpoints: {GET /a: {}}\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    const dg_api *api = dg_ruleset_api(set, 0);
    assert_int_equal(api->versions[0].errors->format, DG_FORMAT_TEXT);
    check_run(api->versions[0].errors->program, "{\"title\":\"x\"}", "\"x\"");
    assert_int_equal(api->versions[1].errors->format, DG_FORMAT_JSON);
    check_run(api->errors->program, "{\"title\":\"x\"}", "{\"problem\":{\"title\":\"x\"}}");
    assert_ptr_equal(api->versions[1].errors, api->errors);
    dg_ruleset_free(set);
}

static void translations_are_found_by_name(void **state)
{
    const pack_text text = {
        .api = TWO,
        .changes = {"endpoints:\n"
                    "  GET /a: {request: {query: [{rename: {a: b}}]}, response: [{wrap: x}]}\n"
                    "  GET /b: removed\n"}};
    (void)state;
    dg_ruleset *set = pack_text_must_load(&text);
    dg_diags diags;
    dg_diags_init(&diags);
    const dg_translation *translation;
    const dg_program *program;
    assert_int_equal(
        dg_ruleset_find_translation(set, "v2", "v1", "GET /a", 0, &diags, &translation), DG_OK);
    check_run(translation->message, "{\"query\":{\"b\":1}}", "{\"query\":{\"a\":1}}");
    assert_int_equal(
        dg_ruleset_find_program(set, "v2", "v1", "GET /a", false, false, &diags, &program),
        DG_INVALID);
    assert_int_equal(
        dg_ruleset_find_program(set, "v1", "v2", "GET /a", true, false, &diags, &program), DG_OK);
    check_run(program, "1", "{\"x\":1}");
    assert_int_equal(
        dg_ruleset_find_translation(set, "v1", "v2", "GET /b", 0, &diags, &translation),
        DG_NOT_FOUND);
    dg_diags_free(&diags);
    dg_ruleset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_reported),
        cmocka_unit_test(the_request_can_be_read_where_no_other_step_changes_it),
        cmocka_unit_test(parts_have_a_program_beside_the_body),
        cmocka_unit_test(message_ops_take_the_body_in),
        cmocka_unit_test(sides_go_by_the_newer_status),
        cmocka_unit_test(statuses_go_up_as_well),
        cmocka_unit_test(formats_are_those_of_the_ends),
        cmocka_unit_test(endpoints_begin_and_end),
        cmocka_unit_test(a_static_answer_is_translated_to_older_clients),
        cmocka_unit_test(several_endpoints_become_one),
        cmocka_unit_test(parameters_move_in_the_path),
        cmocka_unit_test(errors_have_a_shape_of_the_version),
        cmocka_unit_test(translations_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
