#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/admin/admin.h"
#include "proxy/http/tables.h"
#include "tests/unit/admin/raw_client.h"

typedef struct scene {
    struct event_base *base;
    dg_admin *admin;
    raw_client client;
    bool is_ready;
} scene;

static bool ready(void *context)
{
    return ((scene *)context)->is_ready;
}

static void metrics(void *context, dg_buf *out)
{
    (void)context;
    dg_buf_add_str(out, "up 1\n");
}

static void usage(void *context, dg_buf *out)
{
    (void)context;
    dg_buf_add_str(out, "{\"apis\":[]}\n");
}

static int open_scene(void **state)
{
    static scene s;
    s = (scene){.base = event_base_new(), .is_ready = true};
    dg_admin_hooks hooks = {&s, ready, metrics, usage};
    assert_int_equal(dg_admin_new(s.base, "127.0.0.1:0", &hooks, &s.admin), DG_OK);
    raw_client_tcp(&s.client, s.base, dg_admin_port(s.admin));
    *state = &s;
    return 0;
}

static int close_scene(void **state)
{
    scene *s = *state;
    raw_client_close(&s->client);
    dg_admin_free(s->admin);
    event_base_free(s->base);
    return 0;
}

static void expect(scene *s, const char *target, unsigned status, const char *type,
                   const char *body)
{
    assert_int_equal(raw_client_request(&s->client, "GET", target, NULL, NULL), status);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Content-Type"), dg_slice_str(type)));
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Cache-Control"), DG_SLICE("no-store")));
    assert_true(dg_slice_eq(s->client.body, dg_slice_str(body)));
}

static void routes_answer(void **state)
{
    scene *s = *state;
    expect(s, "/healthz", 200, "text/plain; charset=utf-8", "ok\n");
    expect(s, "/readyz", 200, "text/plain; charset=utf-8", "ready\n");
    s->is_ready = false;
    expect(s, "/readyz?verbose", 503, "text/plain; charset=utf-8", "not ready\n");
    expect(s, "/healthz", 200, "text/plain; charset=utf-8", "ok\n");
    expect(s, "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "up 1\n");
    expect(s, "/usage", 200, "application/json", "{\"apis\":[]}\n");
    assert_int_equal(raw_client_request(&s->client, "HEAD", "/metrics", NULL, NULL), 200);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Content-Length"), DG_SLICE("5")));
}

static void the_index_lists_what_answers(void **state)
{
    scene *s = *state;
    assert_int_equal(raw_client_request(&s->client, "GET", "/", NULL, NULL), 200);
    json_t *root = json_loadb(s->client.body.ptr, s->client.body.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *links = json_object_get(root, "links"), *link;
    size_t i;
    assert_int_equal(json_array_size(links), 5);
    json_array_foreach(links, i, link) assert_int_equal(
        raw_client_request(&s->client, "GET", json_string_value(json_object_get(link, "href")),
                           NULL, NULL),
        200);
    json_decref(root);
}

/* A problem document that says its own status. */
static void expect_problem(scene *s, const char *method, const char *target, json_int_t status)
{
    assert_int_equal(raw_client_request(&s->client, method, target, NULL, NULL), status);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Content-Type"),
                            DG_SLICE("application/problem+json")));
    json_t *root = json_loadb(s->client.body.ptr, s->client.body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(json_object_get(root, "status")), status);
    assert_string_equal(json_string_value(json_object_get(root, "type")), "about:blank");
    assert_true(dg_slice_eq(dg_slice_str(json_string_value(json_object_get(root, "title"))),
                            dg_reason_phrase((unsigned)status)));
    assert_true(json_string_length(json_object_get(root, "detail")) > 0);
    json_decref(root);
}

static void all_else_is_a_problem(void **state)
{
    scene *s = *state;
    expect_problem(s, "GET", "/nothing", 404);
    expect_problem(s, "GET", "/metrics/", 404);
    expect_problem(s, "GET", "//metrics", 404);
    expect_problem(s, "POST", "/nothing", 404);
    expect_problem(s, "POST", "/metrics", 405);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Allow"), DG_SLICE("GET, HEAD")));
    expect_problem(s, "DELETE", "/", 405);
}

static void a_bad_address_makes_nothing(void **state)
{
    scene *s = *state;
    dg_admin *admin = NULL;
    dg_admin_hooks hooks = {s, ready, metrics, usage};
    assert_int_equal(dg_admin_new(s->base, "nowhere", &hooks, &admin), DG_SYNTAX);
    assert_null(admin);
    dg_admin_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(routes_answer),
        TEST(the_index_lists_what_answers),
        TEST(all_else_is_a_problem),
        TEST(a_bad_address_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
