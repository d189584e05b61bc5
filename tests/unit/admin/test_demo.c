#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/demo/backend.h"
#include "proxy/demo/order.h"
#include "tests/unit/admin/raw_client.h"

#define JSON "application/json"
#define MINIMAL                                                                                    \
    "{\"customer\":{\"customer_id\":\"cus_1\",\"full_name\":\"Al\"},\"amount\":0.1,\"currency\":"  \
    "\"EUR\"}"

typedef struct scene {
    struct event_base *base;
    dg_demo_backend *backend;
    raw_client client;
} scene;

static int open_scene(void **state)
{
    static scene s;
    s = (scene){.base = event_base_new()};
    assert_int_equal(dg_demo_backend_new(s.base, "127.0.0.1:0", &s.backend), DG_OK);
    raw_client_tcp(&s.client, s.base, dg_demo_backend_port(s.backend));
    *state = &s;
    return 0;
}

static int close_scene(void **state)
{
    scene *s = *state;
    raw_client_close(&s->client);
    dg_demo_backend_free(s->backend);
    event_base_free(s->base);
    return 0;
}

/* Asks, and expects this status and a JSON body, as a new reference. */
static json_t *ask(scene *s, const char *method, const char *target, const char *body,
                   unsigned status)
{
    unsigned got = raw_client_request(&s->client, method, target, body ? JSON : NULL, body);
    if (got != status)
        fail_msg("%s %s: %u, not %u: %.*s", method, target, got, status,
                 DG_SLICE_FMT(s->client.body));
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Content-Type"), DG_SLICE(JSON)));
    json_t *root = json_loadb(s->client.body.ptr, s->client.body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        fail_msg("no JSON: %.*s", DG_SLICE_FMT(s->client.body));
    return root;
}

/* The answer names the code and the field (NULL = none). */
static void expect_error(scene *s, const char *method, const char *target, const char *body,
                         unsigned status, const char *code, const char *field)
{
    json_t *root = ask(s, method, target, body, status), *error = json_object_get(root, "error");
    const char *got_field = json_string_value(json_object_get(error, "field"));
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    if ((field == NULL) != (got_field == NULL) || (field && strcmp(field, got_field)))
        fail_msg("field %s, not %s", got_field ? got_field : "(none)", field ? field : "(none)");
    json_decref(root);
}

static void expect_text(const scene *s, const char *text)
{
    if (!raw_client_body_has(&s->client, text))
        fail_msg("no %s in %.*s", text, DG_SLICE_FMT(s->client.body));
}

static void expect_list(scene *s, const char *query, size_t count, int page, int limit)
{
    char target[128];
    int got_page, got_limit, total;
    snprintf(target, sizeof target, "/api/v2/orders%s", query);
    json_t *root = ask(s, "GET", target, NULL, 200), *data;
    assert_int_equal(json_unpack(root, "{s:o,s:{s:i,s:i,s:i!}!}", "data", &data, "meta", "page",
                                 &got_page, "limit", &got_limit, "total_count", &total),
                     0);
    assert_int_equal(json_array_size(data), count);
    assert_int_equal(got_page, page);
    assert_int_equal(got_limit, limit);
    assert_int_equal(total, 42);
    json_decref(root);
}

static void lists_come_in_pages(void **state)
{
    scene *s = *state;
    expect_list(s, "", 20, 1, 20);
    expect_list(s, "?page=3", 2, 3, 20);
    expect_list(s, "?page=4", 0, 4, 20);
    expect_list(s, "?limit=100&x=y", 42, 1, 100);
    expect_list(s, "?limit=5&page=2", 5, 2, 5);
    expect_text(s, "\"id\":\"ord_1006\"");
    static const char *const bad[] = {"page=0", "page=-1", "page=x",
                                      "page=",  "page",    "page=99999999999"};
    for (size_t i = 0; i < 6; i++) {
        char target[64];
        snprintf(target, sizeof target, "/api/v2/orders?%s", bad[i]);
        expect_error(s, "GET", target, NULL, 422, "invalid_parameter", "page");
    }
    expect_error(s, "GET", "/api/v2/orders?limit=101", NULL, 422, "invalid_parameter", "limit");
    json_decref(ask(s, "GET", "/api/v2/orders/count", NULL, 200));
    assert_true(dg_slice_eq(s->client.body, DG_SLICE("{\"count\":42}")));
}

static void the_first_order_is_the_documented_one(void **state)
{
    scene *s = *state;
    json_decref(ask(s, "GET", "/api/v2/orders/ord_1001", NULL, 200));
    assert_true(dg_slice_eq(
        s->client.body,
        DG_SLICE("{\"data\":{\"id\":\"ord_1001\",\"customer\":{\"customer_id\":\"cus_7\",\"full_"
                 "name\":\"Ada Obi\"},"
                 "\"status\":\"active\",\"amount\":234.40,\"currency\":\"EUR\",\"line_items\":["
                 "{\"sku\":\"MUG-BLUE\",\"quantity\":2,\"unit_price\":19.90},"
                 "{\"sku\":\"CHAIR-ASH\",\"quantity\":1,\"unit_price\":194.60}],"
                 "\"created_at\":\"2026-01-05T10:00:00Z\","
                 "\"metadata\":{\"source\":\"web\",\"cart_id\":9007199254740993},\"internal_"
                 "notes\":\"\"}}")));
}

static void seeds_hold_awkward_values(void **state)
{
    scene *s = *state;
    json_decref(ask(s, "GET", "/api/v2/orders?limit=100", NULL, 200));
    static const char *const texts[] = {
        "9223372036854775807", "-9223372036854775808", "李小明",   "🌿",
        "\\\"Pepe\\\"",        "\"unit_price\":0.10",  "giftWrap", "\\u0009",
        "123456.78",           "\"amount\":0.10,"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_text(s, texts[i]);
}

static void every_seed_passes_the_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < DG_DEMO_SEEDS; i++) {
        char created_at[32];
        dg_demo_fault fault = {.code = NULL};
        json_t *seed = dg_demo_seed(i, created_at);
        assert_non_null(seed);
        if (!dg_demo_order_check(seed, false, &fault))
            fail_msg("seed %zu: %s", i, fault.message);
        assert_int_equal(strlen(created_at), 20);
        json_decref(seed);
    }
}

static void an_order_is_made_and_read_again(void **state)
{
    scene *s = *state;
    json_decref(
        ask(s, "POST", "/api/v2/orders",
            "{\"customer\":{\"customer_id\":\"cus_9\",\"full_name\":\"Bj\\u00f6rk \\\"B\\\"\"},"
            "\"amount\":1234567.8,\"currency\":\"ISK\",\"status\":\"shipped\","
            "\"line_items\":[{\"sku\":\"A\",\"quantity\":3,\"unit_price\":5}],"
            "\"metadata\":{\"camelKey\":9007199254740993,\"b\":null,\"c\":true},\"internal_notes\":"
            "\"a\\nb\"}",
            201));
    assert_true(
        dg_slice_eq(raw_client_field(&s->client, "Location"), DG_SLICE("/api/v2/orders/ord_1043")));
    for (int i = 0; i < 2; i++) {
        expect_text(
            s, "{\"data\":{\"id\":\"ord_1043\",\"customer\":{\"customer_id\":\"cus_9\","
               "\"full_name\":\"Björk \\\"B\\\"\"},\"status\":\"shipped\",\"amount\":1234567.80,"
               "\"currency\":\"ISK\",\"line_items\":[{\"sku\":\"A\",\"quantity\":3,\"unit_price\":"
               "5.00}],");
        expect_text(s, "\"metadata\":{\"camelKey\":9007199254740993,\"b\":null,\"c\":true},"
                       "\"internal_notes\":\"a\\u000ab\"}}");
        json_decref(ask(s, "GET", "/api/v2/orders/ord_1043", NULL, 200));
    }
    json_decref(ask(s, "POST", "/api/v2/orders", MINIMAL, 201));
    expect_text(s, "\"status\":\"active\",\"amount\":0.10,\"currency\":\"EUR\",\"line_items\":[],");
    json_decref(ask(s, "GET", "/api/v2/orders/count", NULL, 200));
    expect_text(s, "44");
}

static void an_order_is_changed_in_place(void **state)
{
    scene *s = *state;
    json_decref(ask(s, "PATCH", "/api/v2/orders/ord_1001",
                    "{\"status\":\"inactive\",\"amount\":19.99}", 200));
    expect_text(
        s,
        "\"full_name\":\"Ada Obi\"},\"status\":\"inactive\",\"amount\":19.99,\"currency\":\"EUR\"");
    json_decref(ask(s, "PATCH", "/api/v2/orders/ord_1001", "{}", 200));
    expect_text(s, "\"status\":\"inactive\",\"amount\":19.99,");
    expect_error(s, "PATCH", "/api/v2/orders/ord_1001", "{\"status\":\"active\",\"amount\":-1}",
                 422, "invalid_field", "amount");
    json_decref(ask(s, "GET", "/api/v2/orders/ord_1001", NULL, 200));
    expect_text(s, "\"status\":\"inactive\",\"amount\":19.99,"); /* all or nothing */
    expect_error(s, "PATCH", "/api/v2/orders/ord_999999", "{}", 404, "not_found", NULL);
}

static void a_body_in_the_shape_of_v1_is_refused(void **state)
{
    scene *s = *state;
    expect_error(
        s, "POST", "/api/v2/orders",
        "{\"customer\":{\"id\":\"cus_1\",\"fullName\":\"Al\"},\"total\":1,\"currency\":\"EUR\"}",
        422, "unknown_field", "customer.id");
    expect_error(s, "PATCH", "/api/v2/orders/ord_1001", "{\"total\":1}", 422, "unknown_field",
                 "total");
    expect_error(s, "PATCH", "/api/v2/orders/ord_1001", "{\"lineItems\":[]}", 422, "unknown_field",
                 "lineItems");
    expect_error(s, "PATCH", "/api/v2/orders/ord_1001",
                 "{\"line_items\":[{\"sku\":\"a\",\"quantity\":1,\"unitPrice\":1}]}", 422,
                 "unknown_field", "line_items[0].unitPrice");
    expect_error(s, "PATCH", "/api/v2/orders/ord_1001", "{\"status\":1}", 422, "invalid_field",
                 "status");
    expect_error(s, "GET", "/api/v1/orders", NULL, 404, "not_found", NULL);
}

static void each_fault_names_its_field(void **state)
{
    static const struct {
        const char *body, *code, *field;
    } cases[] = {
        {"{\"id\":\"ord_1\"}", "unknown_field", "id"},
        {"{\"created_at\":\"2026-01-05T10:00:00Z\"}", "unknown_field", "created_at"},
        {"{\"status\":\"gone\"}", "invalid_field", "status"},
        {"{\"amount\":\"1.00\"}", "invalid_field", "amount"},
        {"{\"amount\":0.001}", "invalid_field", "amount"},
        {"{\"amount\":1e10}", "invalid_field", "amount"},
        {"{\"currency\":\"eur\"}", "invalid_field", "currency"},
        {"{\"currency\":\"EURO\"}", "invalid_field", "currency"},
        {"{\"customer\":\"cus_1\"}", "invalid_field", "customer"},
        {"{\"customer\":{\"customer_id\":\"cus_1\"}}", "missing_field", "customer.full_name"},
        {"{\"customer\":{\"customer_id\":\"\",\"full_name\":\"x\"}}", "invalid_field",
         "customer.customer_id"},
        {"{\"line_items\":{}}", "invalid_field", "line_items"},
        {"{\"line_items\":[1]}", "invalid_field", "line_items[0]"},
        {"{\"line_items\":[{\"sku\":\"a\",\"quantity\":0,\"unit_price\":1}]}", "invalid_field",
         "line_items[0].quantity"},
        {"{\"line_items\":[{\"sku\":\"a\",\"quantity\":1.0,\"unit_price\":1}]}", "invalid_field",
         "line_items[0].quantity"},
        {"{\"metadata\":[]}", "invalid_field", "metadata"},
        {"{\"metadata\":{\"a\":{}}}", "invalid_field", "metadata.a"},
        {"{\"metadata\":{\"a\":1.5}}", "invalid_field", "metadata.a"},
        {"{\"internal_notes\":null}", "invalid_field", "internal_notes"},
        {"[]", "invalid_field", NULL},
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(s, "PATCH", "/api/v2/orders/ord_1001", cases[i].body, 422, cases[i].code,
                     cases[i].field);
    expect_error(s, "POST", "/api/v2/orders", "{}", 422, "missing_field", "customer");
    expect_error(s, "POST", "/api/v2/orders",
                 "{\"customer\":{\"customer_id\":\"c\",\"full_name\":\"x\"},\"amount\":1}", 422,
                 "missing_field", "currency");
}

static void broken_json_and_other_types_are_refused(void **state)
{
    scene *s = *state;
    static const char *const broken[] = {"",
                                         "{",
                                         "{\"amount\":1,}",
                                         "{\"amount\":1,\"amount\":2}",
                                         "nul",
                                         "{\"amount\":1e999}",
                                         "{} {}",
                                         "{\"internal_notes\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        expect_error(s, "PATCH", "/api/v2/orders/ord_1001", broken[i], 400, "invalid_json", NULL);
    static const char *const types[] = {NULL, "text/plain", "application/jsonx",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            raw_client_request(&s->client, "POST", "/api/v2/orders", types[i], MINIMAL), 415);
    expect_text(s, "unsupported_media_type");
    assert_int_equal(raw_client_request(&s->client, "POST", "/api/v2/orders",
                                        "Application/JSON ; charset=utf-8", MINIMAL),
                     201);
}

static void unknown_paths_and_methods_are_refused(void **state)
{
    scene *s = *state;
    static const char *const nowhere[] = {"/",
                                          "/api/v2",
                                          "/api/v2/orders/",
                                          "/api/v2/orders/ord_1000",
                                          "/api/v2/orders/ord_1043",
                                          "/api/v2/orders/ord_01001",
                                          "/api/v2/orders/ord_1001x",
                                          "/api/v2/orders/1001",
                                          "/api/v2/orders/ord_1001/items",
                                          "/api/v2/orders/ord_"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        expect_error(s, "GET", nowhere[i], NULL, 404, "not_found", NULL);
    expect_error(s, "DELETE", "/api/v2/orders/ord_1001", NULL, 405, "method_not_allowed", NULL);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Allow"), DG_SLICE("GET, HEAD, PATCH")));
    expect_error(s, "PUT", "/api/v2/orders", MINIMAL, 405, "method_not_allowed", NULL);
    expect_error(s, "POST", "/api/v2/orders/count", MINIMAL, 405, "method_not_allowed", NULL);
    assert_int_equal(raw_client_request(&s->client, "HEAD", "/api/v2/orders/count", NULL, NULL),
                     200);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Content-Length"), DG_SLICE("12")));
}

static void the_store_is_bounded(void **state)
{
    scene *s = *state;
    for (int i = 42; i < DG_DEMO_ORDERS_MAX; i++)
        json_decref(ask(s, "POST", "/api/v2/orders", MINIMAL, 201));
    expect_error(s, "POST", "/api/v2/orders", MINIMAL, 507, "store_full", NULL);
    json_decref(ask(s, "GET", "/api/v2/orders/ord_2000", NULL, 200));
    json_decref(ask(s, "GET", "/api/v2/orders/count", NULL, 200));
    expect_text(s, "1000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(lists_come_in_pages),
        TEST(the_first_order_is_the_documented_one),
        TEST(seeds_hold_awkward_values),
        TEST(every_seed_passes_the_check),
        TEST(an_order_is_made_and_read_again),
        TEST(an_order_is_changed_in_place),
        TEST(a_body_in_the_shape_of_v1_is_refused),
        TEST(each_fault_names_its_field),
        TEST(broken_json_and_other_types_are_refused),
        TEST(unknown_paths_and_methods_are_refused),
        TEST(the_store_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
