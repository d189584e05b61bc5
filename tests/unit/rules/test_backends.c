/* Which backend a request goes to, and what it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pack_text.h"

#define API "base: /b\nversions: [v1, v2, v3]\nselected_by: [path]\n"
#define FIRST                                                       \
    "endpoints:\n"                                                  \
    "  GET /orders: {response: {each: {rename: {total: amount}}}}\n" \
    "  GET /orders/{id}: {response: {rename: {total: amount}}}\n"    \
    "  GET /reports/{id}: {response: {rename: {sum: total}}}\n"
#define SECOND                                                  \
    "endpoints:\n"                                              \
    "  GET /orders: {becomes: GET /sales}\n"                    \
    "  GET /orders/{id}: {becomes: 'GET /sales/{id}'}\n"        \
    "  GET /orders/open: removed\n"                             \
    "  GET /sales/count: added\n"                               \
    "  GET /reports/{id}: {response: {wrap: data}}\n"

#define AT(text, line) {text, {"c.yaml", line, 1}}

static const dg_named v1[] = {AT("v1", 2)}, v3[] = {AT("v3", 2)}, reports[] = {AT("GET /reports/**", 3)};
static const dg_backend_source old_and_reports[] = {
    {.version = AT("v1", 1), .versions = v1, .version_count = 1, .origin = {"c.yaml", 10, 3}},
    {.version = AT("v3", 1), .endpoints = reports, .endpoint_count = 1, .origin = {"c.yaml", 11, 3}}};

static dg_slice no_field(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    (void)context, (void)name, (void)index;
    *ret_count = 0;
    return (dg_slice){NULL, 0};
}

static dg_match_result match(const dg_ruleset *set, const char *method, const char *path, dg_match *m)
{
    const dg_request_view view = {.method = dg_slice_str(method), .path = dg_slice_str(path), .field = no_field};
    return dg_ruleset_match(set, &view, m);
}

typedef struct row {
    const char *method, *path;
    dg_match_result result;
    const char *backend; /* the version */
    size_t index;
    const char *target;
} row;

static void check_rows(const dg_ruleset *set, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        dg_match m;
        dg_match_result result = match(set, r->method, r->path, &m);
        if (result != r->result || strcmp(m.backend->name, r->backend) != 0 || m.backend_index != r->index)
            fail_msg("%s %s: result %d, backend %zu in %s", r->method, r->path, (int)result, m.backend_index,
                     m.backend->name);
        dg_buf out;
        dg_buf_init(&out, 0);
        if (result == DG_MATCH_OK)
            dg_match_upstream_target(&m, (dg_slice){NULL, 0}, &out);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, r->target ? r->target : "");
        dg_buf_free(&out);
    }
}

static void versions_and_endpoints_have_backends_of_their_own(void **state)
{
    (void)state;
    static const row rows[] = {
        {"GET", "/b/v1/orders/7", DG_MATCH_OK, "v1", 1, "/b/v1/orders/7"},
        {"GET", "/b/v1/reports/7", DG_MATCH_OK, "v1", 1, "/b/v1/reports/7"}, /* the first that fits */
        {"GET", "/b/v1/orders/open", DG_MATCH_OK, "v1", 1, "/b/v1/orders/open"},
        {"GET", "/b/v1/nothing", DG_MATCH_UNKNOWN_ENDPOINT, "v1", 1, NULL},
        {"GET", "/b/v2/orders/7", DG_MATCH_OK, "v2", 0, "/b/v2/orders/7"},
        {"GET", "/b/v3/sales/7", DG_MATCH_OK, "v2", 0, "/b/v2/orders/7"},
        {"GET", "/b/v2/reports/7", DG_MATCH_OK, "v3", 2, "/b/v3/reports/7"},
        {"HEAD", "/b/v2/reports/7", DG_MATCH_OK, "v3", 2, "/b/v3/reports/7"},
        {"OPTIONS", "/b/v2/reports/7", DG_MATCH_OK, "v3", 2, "/b/v3/reports/7"},
        {"GET", "/b/v3/reports/7", DG_MATCH_OK, "v3", 2, "/b/v3/reports/7"},
        {"POST", "/b/v3/reports/7", DG_MATCH_METHOD, "v2", 0, NULL},
        /* What the backend of the exchange does not have, or would take for something else. */
        {"GET", "/b/v3/sales/count", DG_MATCH_ADDED, "v2", 0, NULL},
        {"GET", "/b/v3/sales/open", DG_MATCH_UNKNOWN_ENDPOINT, "v2", 0, NULL},
    };
    const pack_text text = {.api = API, .changes = {FIRST, SECOND}, .backend = "v2", .backends = old_and_reports,
                            .backend_count = 2};
    dg_ruleset *set = pack_text_must_load(&text);
    check_rows(set, rows, sizeof rows / sizeof *rows);
    dg_match m;
    assert_int_equal(match(set, "GET", "/b/v1/orders/7", &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 200)); /* it speaks the client's version */
    assert_int_equal(match(set, "GET", "/b/v2/reports/7", &m), DG_MATCH_OK);
    assert_non_null(dg_match_answer(&m, 200));
    assert_int_equal(match(set, "GET", "/b/v3/reports/7", &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 200));
    assert_int_equal(match(set, "GET", "/b/v3/sales/7", &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 200)); /* the step changes the name alone */
    dg_ruleset_free(set);
}

/* An unlisted endpoint goes by the version alone, and never to one that its backend lists. */
static void unlisted_endpoints_go_by_the_version(void **state)
{
    (void)state;
    static const row by_default[] = {
        {"GET", "/b/v1/other", DG_MATCH_OK, "v1", 1, "/b/v1/other"},
        {"GET", "/b/v1/orders/", DG_MATCH_OK, "v1", 1, "/b/v1/orders/"},
        {"GET", "/b/v2/other", DG_MATCH_OK, "v2", 0, "/b/v2/other"},
        {"GET", "/b/v2/reports", DG_MATCH_OK, "v2", 0, "/b/v2/reports"},
        {"GET", "/b/v3/other", DG_MATCH_OK, "v2", 0, "/b/v2/other"},
        {"GET", "/b/v3/orders/7", DG_MATCH_UNKNOWN_ENDPOINT, "v2", 0, NULL},
        {"GET", "/b/v3/sales/", DG_MATCH_UNKNOWN_ENDPOINT, "v2", 0, NULL},
    };
    static const row of_v3[] = {
        {"GET", "/b/v3/orders/7", DG_MATCH_OK, "v3", 1, "/b/v3/orders/7"},
        {"GET", "/b/v3/sales/", DG_MATCH_OK, "v3", 1, "/b/v3/sales/"},
        {"GET", "/b/v3/sales/count", DG_MATCH_OK, "v3", 1, "/b/v3/sales/count"},
        {"GET", "/b/v2/sales/7", DG_MATCH_OK, "v2", 0, "/b/v2/sales/7"},
        {"GET", "/b/v1/sales/7", DG_MATCH_OK, "v2", 0, "/b/v2/sales/7"},
    };
    pack_text text = {.api = API "unlisted: pass\n", .changes = {FIRST, SECOND}, .backend = "v2",
                      .backends = old_and_reports, .backend_count = 2};
    dg_ruleset *set = pack_text_must_load(&text);
    check_rows(set, by_default, sizeof by_default / sizeof *by_default);
    dg_ruleset_free(set);
    const dg_backend_source newest = {.version = AT("v3", 1), .versions = v3, .version_count = 1};
    text.backends = &newest;
    text.backend_count = 1;
    set = pack_text_must_load(&text);
    check_rows(set, of_v3, sizeof of_v3 / sizeof *of_v3);
    dg_ruleset_free(set);
}

static void check_client_target(const dg_match *m, const char *backends, const char *expected)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_match_client_target(m, dg_slice_str(backends), &out), expected != NULL);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected ? expected : "");
    dg_buf_free(&out);
}

static void urls_come_back_from_the_version_of_the_backend(void **state)
{
    (void)state;
    const pack_text text = {.api = API, .changes = {FIRST, SECOND}, .backend = "v2", .backends = old_and_reports,
                            .backend_count = 2};
    dg_ruleset *set = pack_text_must_load(&text);
    dg_match m;
    assert_int_equal(match(set, "GET", "/b/v2/reports/7", &m), DG_MATCH_OK);
    check_client_target(&m, "/b/v3/reports/9?a=1#f", "/b/v2/reports/9?a=1#f");
    check_client_target(&m, "/b/v3/sales/7", "/b/v2/orders/7"); /* of another backend, in the words of this one */
    check_client_target(&m, "/b/v2/reports/9", NULL);           /* not a word of this one */
    assert_int_equal(match(set, "GET", "/b/v3/sales/7", &m), DG_MATCH_OK);
    check_client_target(&m, "/b/v2/orders/9", "/b/v3/sales/9");
    check_client_target(&m, "/b/v3/sales/9", NULL);
    dg_ruleset_free(set);
}

/* What an answer reads of the request is the same for all clients only where no other step is between. */
static void steps_that_no_exchange_takes_are_in_nobodys_way(void **state)
{
    (void)state;
    const pack_text one = {.api = "base: /b\nversions: [v1, v2, v3]\n",
                           .changes = {"endpoints:\n  GET /p: {request: {query: {rename: {a: b}}}}\n",
                                       "endpoints:\n  GET /p:\n    response:\n      message:\n"
                                       "        - up: {drop: headers.x-b, lossy: accept}\n"
                                       "          down: [{copy: {request.query.b: headers.x-b}}]\n"}};
    char *report;
    assert_null(pack_text_load(&one, &report));
    assert_non_null(strstr(report, "as the client sent it"));
    free(report);
    pack_text apart = one;
    apart.backends = old_and_reports; /* the old one alone */
    apart.backend_count = 1;
    dg_ruleset_free(pack_text_must_load(&apart));
}

static void check_report(const dg_backend_source *backends, size_t count, const char *expected)
{
    const pack_text text = {.api = API, .changes = {FIRST, SECOND}, .backends = backends, .backend_count = count};
    char *report;
    dg_ruleset *set = pack_text_load(&text, &report);
    assert_null(set);
    assert_string_equal(report, expected);
    free(report);
}

static void mistakes_are_named_where_they_are(void **state)
{
    (void)state;
    static const dg_named unknown[] = {AT("v4", 2)}, nothing[] = {AT("GET /report/**", 3)}, bad[] = {AT("/reports", 4)};
    const dg_backend_source one = {.version = AT("v9", 1), .versions = unknown, .version_count = 1};
    check_report(&one, 1,
                 "c.yaml:1:1: error: there is no version 'v9'; did you mean 'v1'?\n"
                 "c.yaml:2:1: error: there is no version 'v4'; did you mean 'v1'?\n");
    const dg_backend_source two = {.version = AT("v1", 1), .endpoints = bad, .endpoint_count = 1};
    check_report(&two, 1,
                 "c.yaml:4:1: error: '/reports' is no endpoint: expected a method and a path, as in "
                 "'GET /orders/{id}' or '* /orders/**'\n");
    const dg_backend_source three = {.version = AT("v1", 1), .endpoints = nothing, .endpoint_count = 1};
    check_report(&three, 1,
                 "c.yaml:3:1: error: 'GET /report/**' covers no endpoint of API 't', as 'v3' calls them\n");
    const dg_backend_source both[] = {old_and_reports[0], {.version = AT("v1", 1), .versions = v1, .version_count = 1,
                                                  .origin = {"c.yaml", 12, 3}}};
    check_report(both, 2,
                 "c.yaml:12:3: error: no request goes to this backend: those before it take all that it names\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_and_endpoints_have_backends_of_their_own),
        cmocka_unit_test(unlisted_endpoints_go_by_the_version),
        cmocka_unit_test(urls_come_back_from_the_version_of_the_backend),
        cmocka_unit_test(steps_that_no_exchange_takes_are_in_nobodys_way),
        cmocka_unit_test(mistakes_are_named_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
