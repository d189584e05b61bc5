#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/request/route.h"
#include "rules/ruleset.h"

static dg_ruleset *load(const char *dir, const char *backend)
{
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_pack_source source = {.dir = dir, .backend_version = backend};
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    dg_diags_print(&diags, stderr);
    assert_int_equal(status, DG_OK);
    dg_diags_free(&diags);
    return set;
}

static dg_slice no_field(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    (void)name;
    (void)index;
    *ret_count = context ? (strcmp(context, "TWICE") == 0 ? 2 : 1) : 0;
    return dg_slice_str(context);
}

static dg_match_result match(const dg_ruleset *set, const char *method, const char *path,
                             const char *query, const char *version, dg_match *m)
{
    const dg_request_view view = {.method = dg_slice_str(method),
                                  .path = dg_slice_str(path),
                                  .query = dg_slice_str(query),
                                  .field = no_field,
                                  .context = version};
    return dg_ruleset_match(set, &view, m);
}

typedef struct row {
    const char *method, *path, *query, *field;
    dg_match_result result;
    const char *method_up, *target_up, *successor; /* successor NULL = none */
} row;

static void check_rows(const dg_ruleset *set, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        dg_match m;
        assert_int_equal(match(set, r->method, r->path, r->query, r->field, &m), r->result);
        if (r->result != DG_MATCH_OK)
            continue;
        dg_buf out;
        dg_buf_init(&out, 0);
        dg_match_upstream_target(&m, dg_slice_str(r->query), &out);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, r->target_up);
        assert_true(dg_slice_eq(m.upstream_method, dg_slice_str(r->method_up)));
        dg_buf_clear(&out);
        bool has = dg_match_successor_target(&m, dg_slice_str(r->query), &out);
        assert_int_equal(has, r->successor != NULL);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, r->successor ? r->successor : "");
        dg_buf_free(&out);
    }
}

static void requests_of_orders(void **state)
{
    static const row rows[] = {
        {"GET", "/api/v1/orders", "page=2", NULL, DG_MATCH_OK, "GET", "/api/v2/orders?page=2",
         "/api/v2/orders?page=2"},
        {"HEAD", "/api/v1/orders/a%2Fb", "", NULL, DG_MATCH_OK, "HEAD", "/api/v2/orders/a%2Fb",
         "/api/v2/orders/a%2Fb"},
        {"GET", "/api/v1/order-count", "", NULL, DG_MATCH_OK, "GET", "/api/v2/orders/count",
         "/api/v2/orders/count"},
        {"GET", "/api/v2/orders/count", "", NULL, DG_MATCH_OK, "GET", "/api/v2/orders/count", NULL},
        {"GET", "/api/orders", "", "v1", DG_MATCH_OK, "GET", "/api/v2/orders", "/api/v2/orders"},
        {"GET", "/api/orders", "a=b&version=v1&c", NULL, DG_MATCH_OK, "GET",
         "/api/v2/orders?a=b&version=v2&c", "/api/v2/orders?a=b&version=v2&c"},
        {"GET", "/api/orders", "%76ersion=%761", NULL, DG_MATCH_OK, "GET",
         "/api/v2/orders?%76ersion=v2", "/api/v2/orders?%76ersion=v2"},
        /* An id of v1 that is a word of v2. */
        {"GET", "/api/v1/orders/count", "", NULL, DG_MATCH_UNKNOWN_ENDPOINT, NULL, NULL, NULL},
        {"GET", "/api/v1/orders", "", "v2", DG_MATCH_CONTRADICTION, NULL, NULL, NULL},
        {"GET", "/api/v1/orders", "version=v2", NULL, DG_MATCH_CONTRADICTION, NULL, NULL, NULL},
        {"GET", "/api/orders", "version=v1&version=v1", NULL, DG_MATCH_CONTRADICTION, NULL, NULL,
         NULL},
        {"GET", "/api/orders", "", "TWICE", DG_MATCH_CONTRADICTION, NULL, NULL, NULL},
        {"GET", "/api/v9/orders", "", NULL, DG_MATCH_UNKNOWN_VERSION, NULL, NULL, NULL},
        {"GET", "/api/v9/orders", "", "v1", DG_MATCH_UNKNOWN_VERSION, NULL, NULL, NULL},
        {"GET", "/api/orders", "", "", DG_MATCH_UNKNOWN_VERSION, NULL, NULL, NULL},
        {"GET", "/api/orders", "", NULL, DG_MATCH_NO_VERSION, NULL, NULL, NULL},
        /* What a browser asks before it calls another site goes to the backend, at its path. */
        {"OPTIONS", "/api/v1/order-count", "", NULL, DG_MATCH_OK, "OPTIONS", "/api/v2/orders/count",
         "/api/v2/orders/count"},
        {"OPTIONS", "/api/orders", "", NULL, DG_MATCH_OK, "OPTIONS", "/api/v2/orders", NULL},
        {"OPTIONS", "/api/order-count", "", NULL, DG_MATCH_OK, "OPTIONS", "/api/v2/orders/count",
         "/api/v2/orders/count"},
        {"OPTIONS", "/api/nothing", "", NULL, DG_MATCH_NO_VERSION, NULL, NULL, NULL},
        {"OPTIONS", "/api/v1/nothing", "", NULL, DG_MATCH_UNKNOWN_ENDPOINT, NULL, NULL, NULL},
        {"DELETE", "/api/v1/orders", "", NULL, DG_MATCH_METHOD, NULL, NULL, NULL},
        {"GET", "/api/v1/orders/1/x", "", NULL, DG_MATCH_UNKNOWN_ENDPOINT, NULL, NULL, NULL},
        {"GET", "/api/v1/orders/", "", NULL, DG_MATCH_UNKNOWN_ENDPOINT, NULL, NULL, NULL},
        {"GET", "/apix/v1/orders", "", NULL, DG_MATCH_NO_API, NULL, NULL, NULL},
        {"GET", "/", "", NULL, DG_MATCH_NO_API, NULL, NULL, NULL},
    };
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/../rules/packs/orders", NULL);
    check_rows(set, rows, sizeof rows / sizeof *rows);
    dg_match m;
    assert_int_equal(match(set, "GET", "/api/v1/orders/7", "", NULL, &m), DG_MATCH_OK);
    assert_null(m.request);
    assert_non_null(dg_match_answer(&m, 200));
    assert_non_null(dg_match_answer(&m, 404));
    assert_true(dg_slice_eq(m.params[0], DG_SLICE("7")));
    assert_int_equal(m.selected_by, DG_BY_PATH);
    assert_int_equal(match(set, "GET", "/api/v2/orders/7", "", "v2", &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 200));
    assert_null(dg_match_answer(&m, 500));
    dg_ruleset_free(set);
}

static void three_versions_up_and_down(void **state)
{
    static const row to_v3[] = {
        {"GET", "/t/v1/todo/7/ada", "", NULL, DG_MATCH_OK, "GET", "/t/v3/owners/ada/tasks/7",
         "/t/v2/tasks/7/of/ada"},
        {"GET", "/t/v2/tasks/7/of/ada", "", NULL, DG_MATCH_OK, "GET", "/t/v3/owners/ada/tasks/7",
         "/t/v3/owners/ada/tasks/7"},
        {"GET", "/t/v1/files/a/b", "", NULL, DG_MATCH_OK, "GET", "/t/v3/blobs/a/b",
         "/t/v2/files/a/b"},
        {"GET", "/t/v1/files", "", NULL, DG_MATCH_OK, "GET", "/t/v3/blobs", "/t/v2/files"},
        {"GET", "/t/v1/files/", "", NULL, DG_MATCH_OK, "GET", "/t/v3/blobs/", "/t/v2/files/"},
        {"GET", "/t/health", "", NULL, DG_MATCH_OK, "GET", "/t/v3/health", NULL},
        {"GET", "/t/v1/health", "", NULL, DG_MATCH_OK, "GET", "/t/v3/health", "/t/v2/health"},
        {"GET", "/t/v3/todo/7/ada", "", NULL, DG_MATCH_UNKNOWN_ENDPOINT, NULL, NULL, NULL},
    };
    static const row to_v1[] = {
        {"GET", "/t/v3/owners/ada/tasks/7", "", NULL, DG_MATCH_OK, "GET", "/t/v1/todo/7/ada", NULL},
        {"GET", "/t/v2/files/x", "q", NULL, DG_MATCH_OK, "GET", "/t/v1/files/x?q",
         "/t/v3/blobs/x?q"},
    };
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/chain", NULL);
    check_rows(set, to_v3, sizeof to_v3 / sizeof *to_v3);
    dg_ruleset_free(set);
    set = load(DG_TEST_DATA "/data/packs/chain", "v1");
    check_rows(set, to_v1, sizeof to_v1 / sizeof *to_v1);
    dg_match m;
    assert_int_equal(match(set, "GET", "/t/v3/blobs/x", "", NULL, &m), DG_MATCH_OK);
    assert_null(dg_match_answer(&m, 200));
    assert_non_null(dg_match_answer(&m, 404));
    assert_int_equal(dg_ruleset_endpoint_count(set), 12);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(dg_ruleset_endpoint(set, i)->slot, i);
        assert_ptr_equal(dg_ruleset_endpoint_api(set, i), dg_ruleset_api(set, 0));
    }
    dg_ruleset_free(set);
}

static void backend_targets_for_clients(void **state)
{
    static const char *const rows[][2] = {
        {"/t/v3/owners/ada/tasks/7?x=1&v=v3#top", "/t/v1/todo/7/ada?x=1&v=v1#top"},
        {"/t/v3/blobs/a/b", "/t/v1/files/a/b"},
        {"/t/v3/unknown", NULL},
        {"/t/v2/files/a", NULL},
        {"/other", NULL},
        {"relative", NULL},
        {"//evil.example/t/v3/health", NULL},
    };
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/chain", NULL);
    dg_match m;
    assert_int_equal(match(set, "GET", "/t/v1/health", "", NULL, &m), DG_MATCH_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        assert_int_equal(dg_match_client_target(&m, dg_slice_str(rows[i][0]), &out),
                         rows[i][1] != NULL);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, rows[i][1] ? rows[i][1] : "");
        dg_buf_free(&out);
    }
    dg_ruleset_free(set);
}

/* Nothing that passes reaches an endpoint of another version, and no error stays untranslated. */
static void unlisted_ones_pass_to_nothing_listed(void **state)
{
    static const struct {
        const char *method, *path;
        dg_match_result result;
        bool error; /* its errors are translated */
    } rows[] = {
        {"GET", "/api/v1/files/7", DG_MATCH_OK, true},
        {"GET", "/api/v1/orders/7", DG_MATCH_OK, true},
        {"POST", "/api/v1/other", DG_MATCH_OK, false},
        {"GET", "/api/v1/purchases/7", DG_MATCH_UNKNOWN_ENDPOINT, false},
        {"GET", "/api/v1/purchases/7/", DG_MATCH_UNKNOWN_ENDPOINT, false},
        {"GET", "/api/v1/orders/7/", DG_MATCH_UNKNOWN_ENDPOINT, false},
        {"GET", "/api/v1/orders/7//", DG_MATCH_UNKNOWN_ENDPOINT, false},
        {"GET", "/api/v2/orders/7", DG_MATCH_OK, false},
        {"GET", "/api/v2/purchases/7/", DG_MATCH_OK, false},
        {"POST", "/api/v1/notes/", DG_MATCH_UNKNOWN_ENDPOINT, false},
        {"POST", "/api/v1/notes", DG_MATCH_OK, false},
        {"POST", "/api/v1/other/", DG_MATCH_OK, false},
    };
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/unlisted", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_match m;
        assert_int_equal(match(set, rows[i].method, rows[i].path, "", NULL, &m), rows[i].result);
        if (rows[i].result == DG_MATCH_OK)
            assert_int_equal(dg_match_answer(&m, 404) != NULL, rows[i].error);
    }
    dg_ruleset_free(set);
}

static void specific_routes_win(void **state)
{
    static const char *const names[] = {"GET /a/b", "GET /a/{x}",   "* /a/b", "POST /a/*",
                                        "GET /**",  "GET /a/{x}/c", "GET /"};
    static const struct {
        const char *method, *path;
        int route; /* index of names; -1 none, -2 the path only */
    } rows[] = {{"GET", "/a/b", 0},   {"PUT", "/a/b", 2},  {"GET", "/a/c", 1},
                {"POST", "/a/c", 3},  {"POST", "/a/b", 2}, {"GET", "/a/b/c", 5},
                {"GET", "/a/b/d", 4}, {"GET", "/a/", 4},   {"GET", "/", 6},
                {"HEAD", "/a/c", 1},  {"PUT", "/a/c", -2}, {"get", "/a/c", -2},
                {"", "/a/b", 0}};
    (void)state;
    enum { COUNT = sizeof names / sizeof *names };
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_table table = {NULL};
    char routes[COUNT]; /* a route is only a pointer here */
    for (size_t i = 0; i < COUNT; i++) {
        dg_template t;
        dg_route *taken;
        assert_true(dg_template_parse(&arena, dg_slice_str(names[i]), (dg_origin){0}, &diags, &t));
        assert_true(dg_table_add(&arena, &table, &t, (dg_route *)(void *)&routes[i], &taken));
        assert_null(taken);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_table_match m;
        bool found =
            dg_table_find(&table, dg_slice_str(rows[i].method), dg_slice_str(rows[i].path), &m);
        assert_int_equal(found, rows[i].route >= 0);
        if (found)
            assert_ptr_equal(m.route, &routes[rows[i].route]);
        assert_int_equal(m.path_known, rows[i].route != -1);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_orders),
        cmocka_unit_test(three_versions_up_and_down),
        cmocka_unit_test(backend_targets_for_clients),
        cmocka_unit_test(unlisted_ones_pass_to_nothing_listed),
        cmocka_unit_test(specific_routes_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
