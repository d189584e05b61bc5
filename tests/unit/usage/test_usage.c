#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/usage/usage.h"
#include "tests/unit/usage/exposition.h"

#define GET DG_SLICE("GET")

static dg_usage *new_usage(dg_usage_shard **shards, size_t count)
{
    dg_usage *usage = NULL;
    assert_int_equal(dg_usage_new(&usage), DG_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(dg_usage_shard_new(usage, &shards[i]), DG_OK);
    return usage;
}

static uint32_t slot(dg_usage *usage, const char *api, const char *version, const char *endpoint)
{
    uint32_t id = UINT32_MAX;
    assert_int_equal(
        dg_usage_slot(usage, dg_slice_str(api), dg_slice_str(version), dg_slice_str(endpoint), &id),
        DG_OK);
    return id;
}

/* The metrics text, proved well-formed. */
static dg_buf metrics(dg_usage *usage)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_usage_metrics(usage, &out);
    assert_int_equal(out.status, DG_OK);
    const char *wrong = exposition_fault(dg_buf_slice(&out));
    if (wrong)
        fail_msg("%s", wrong);
    return out;
}

static void expect_line(const dg_buf *text, const char *want)
{
    if (!memmem(text->ptr, text->len, want, strlen(want)))
        fail_msg("no %s in\n%.*s", want, DG_SLICE_FMT(dg_buf_slice(text)));
}

static void the_checker_bites(void **state)
{
    (void)state;
    assert_null(exposition_fault(DG_SLICE("# TYPE a counter\na{b=\"c\\n\\\"\"} 1\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\na{b=\"c\"} 1")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\na{b=\"\\x\"} 1\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\na{b=\"c\" 1\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\na 1\na 2\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\nb 1\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a counter\na x\n")));
    assert_non_null(exposition_fault(DG_SLICE("# TYPE a histogram\na_bucket{le=\"1\"} "
                                              "2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n")));
    assert_non_null(exposition_fault(
        DG_SLICE("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n")));
}

static void equal_names_share_a_slot(void **state)
{
    (void)state;
    dg_usage *usage = new_usage(NULL, 0);
    uint32_t a = slot(usage, "orders", "v1", "/orders");
    uint32_t b = slot(usage, "orders", "v1", "/orders/{id}");
    uint32_t c = slot(usage, "orders", "v2", "/orders");
    assert_int_not_equal(a, b);
    assert_int_not_equal(a, c);
    assert_int_equal(slot(usage, "orders", "v1", "/orders"), a);
    assert_int_equal(slot(usage, "orders", "v1", "other"), slot(usage, "orders", "v1", "other"));
    assert_int_not_equal(slot(usage, "order", "sv1", "/orders"), a);
    dg_usage_free(usage);
    dg_usage_free(NULL);
}

static void shards_add_up(void **state)
{
    (void)state;
    dg_usage_shard *shards[2];
    dg_usage *usage = new_usage(shards, 2);
    uint32_t list = slot(usage, "orders", "v1", "/orders");
    uint32_t one = slot(usage, "orders", "v2", "/orders/{id}");
    dg_usage_count(shards[0], list, GET, 200, 400);
    dg_usage_count(shards[1], list, GET, 200, 501);
    dg_usage_count(shards[1], list, GET, 404, 11000000);
    dg_usage_count(shards[1], list, DG_SLICE("get"), 200, 0);
    dg_usage_count(shards[0], list, DG_SLICE("BREW"), 7, 0);
    dg_usage_count(shards[0], one, DG_SLICE("DELETE"), 204, 1000);
    dg_usage_gauge(shards[0], DG_GAUGE_DOWNSTREAM_CONNECTIONS, 5);
    dg_usage_gauge(shards[1], DG_GAUGE_DOWNSTREAM_CONNECTIONS, -2);
    dg_usage_gauge(shards[1], DG_GAUGE_RETRIES, 1);
    dg_buf text = metrics(usage);
    const char *labels =
        "dragoman_requests_total{api=\"orders\",version=\"v1\",endpoint=\"/orders\",";
    char want[256];
    snprintf(want, sizeof want, "%smethod=\"GET\",status=\"200\"} 2\n", labels);
    expect_line(&text, want);
    snprintf(want, sizeof want, "%smethod=\"GET\",status=\"404\"} 1\n", labels);
    expect_line(&text, want);
    snprintf(want, sizeof want, "%smethod=\"other\",status=\"200\"} 1\n", labels);
    expect_line(&text, want);
    snprintf(want, sizeof want, "%smethod=\"other\",status=\"other\"} 1\n", labels);
    expect_line(&text, want);
    const char *bucket =
        "dragoman_request_duration_seconds_bucket{api=\"orders\",version=\"v1\",le=";
    const char *const buckets[] = {"\"0.0005\"} 3\n", "\"0.001\"} 4\n", "\"10\"} 4\n",
                                   "\"+Inf\"} 5\n"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(want, sizeof want, "%s%s", bucket, buckets[i]);
        expect_line(&text, want);
    }
    expect_line(&text,
                "dragoman_request_duration_seconds_sum{api=\"orders\",version=\"v1\"} 11.000901\n");
    expect_line(&text,
                "dragoman_request_duration_seconds_count{api=\"orders\",version=\"v2\"} 1\n");
    expect_line(&text, "dragoman_downstream_connections 3\n");
    expect_line(&text, "dragoman_upstream_retries_total 1\n");
    expect_line(&text, "dragoman_build_info{version=\"");
    expect_line(&text, "process_start_time_seconds ");
    assert_true(exposition_sum(dg_buf_slice(&text), "dragoman_requests_total", "") == 6);
    dg_buf_free(&text);
    dg_usage_free(usage);
}

static void reports_do_not_depend_on_the_order_of_things(void **state)
{
    (void)state;
    static const char *const names[] = {"/b", "/a", "/a/{id}", "other"};
    dg_buf texts[2];
    for (size_t turn = 0; turn < 2; turn++) {
        dg_usage_shard *shards[2];
        dg_usage *usage = new_usage(shards, 2);
        for (size_t i = 0; i < 4; i++) {
            const char *name = names[turn ? 3 - i : i];
            dg_usage_count(shards[turn], slot(usage, "z", "v1", name), GET, 200, 10);
            dg_usage_count(shards[!turn], slot(usage, "a", "v2", name), GET, 500, 10);
        }
        dg_buf all = metrics(usage);
        dg_buf_init(&texts[turn], 0);
        char *end = memmem(all.ptr, all.len, "# HELP process_start", 20);
        assert_non_null(end);
        dg_buf_add(&texts[turn], dg_slice_of(all.ptr, (size_t)(end - all.ptr)));
        dg_buf_free(&all);
        dg_usage_free(usage);
    }
    assert_true(dg_slice_eq(dg_buf_slice(&texts[0]), dg_buf_slice(&texts[1])));
    dg_buf_free(&texts[0]);
    dg_buf_free(&texts[1]);
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    dg_usage_shard *shard;
    dg_usage *usage = new_usage(&shard, 1);
    dg_usage_count(shard, slot(usage, "a\"b\\c\nd", "v1", "}"), GET, 200, 1);
    dg_buf text = metrics(usage);
    expect_line(&text, "{api=\"a\\\"b\\\\c\\nd\",version=\"v1\",endpoint=\"}\",method=\"GET\"");
    dg_buf_free(&text);
    dg_usage_free(usage);
}

static json_t *usage_json(dg_usage *usage)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_usage_json(usage, &out);
    assert_int_equal(out.status, DG_OK);
    json_t *root = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    dg_buf_free(&out);
    return root;
}

static void the_json_says_the_same(void **state)
{
    (void)state;
    dg_usage_shard *shards[2];
    dg_usage *usage = new_usage(shards, 2);
    json_t *empty = usage_json(usage);
    assert_int_equal(json_array_size(json_object_get(empty, "apis")), 0);
    assert_int_equal(json_string_length(json_object_get(empty, "since")), 20);
    json_decref(empty);
    uint32_t list = slot(usage, "orders", "v1", "/orders");
    (void)slot(usage, "orders", "v2", "/orders");
    (void)slot(usage, "users", "v1", "/users");
    dg_usage_count(shards[0], list, GET, 200, 1);
    dg_usage_count(shards[1], list, GET, 200, 1);
    dg_usage_count(shards[1], list, GET, 404, 1);
    dg_usage_count(shards[1], list, DG_SLICE("POST"), 201, 1);
    json_t *root = usage_json(usage);
    const char *api, *v1, *v2, *endpoint, *method, *seen;
    json_int_t requests, gets, ok, missing;
    json_t *never;
    assert_int_equal(json_unpack(root,
                                 "{s:[{s:s,s:[{s:s,s:I,s:s,s:[{s:s,s:s,s:I,s:{s:I,s:I!}!},{}]!},{s:"
                                 "s,s:o,s:[!],s:i}]!},{}!]}",
                                 "apis", "api", &api, "versions", "version", &v1, "requests",
                                 &requests, "last_seen", &seen, "endpoints", "endpoint", &endpoint,
                                 "method", &method, "requests", &gets, "statuses", "200", &ok,
                                 "404", &missing, "version", &v2, "last_seen", &never, "endpoints",
                                 "requests", &(int){0}),
                     0);
    assert_string_equal(api, "orders");
    assert_string_equal(v1, "v1");
    assert_string_equal(v2, "v2");
    assert_string_equal(endpoint, "/orders");
    assert_string_equal(method, "GET");
    assert_int_equal(strlen(seen), 20);
    assert_int_equal(requests, 4);
    assert_int_equal(gets, 3);
    assert_int_equal(ok, 2);
    assert_int_equal(missing, 1);
    assert_true(json_is_null(never));
    json_decref(root);
    dg_usage_free(usage);
}

static void a_full_shard_counts_under_other(void **state)
{
    (void)state;
    dg_usage_shard *shard;
    dg_usage *usage = new_usage(&shard, 1);
    uint32_t first = slot(usage, "orders", "v1", "/first");
    dg_usage_count(shard, first, GET, 200, 1);
    uint64_t counted = 1;
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "/e%d", i);
        uint32_t id = slot(usage, "orders", "v1", name);
        for (unsigned status = 100; status < 1000; status++, counted++)
            dg_usage_count(shard, id, GET, status, 1);
    }
    dg_usage_count(shard, first, GET, 200,
                   1); /* what is in the table goes on being counted there */
    counted++;
    dg_buf text = metrics(usage);
    dg_slice all = dg_buf_slice(&text);
    assert_true(exposition_sum(all, "dragoman_requests_total", "") == (double)counted);
    assert_true(exposition_sum(all, "dragoman_requests_total", "endpoint=\"/first\"") == 2);
    assert_true(exposition_sum(all, "dragoman_requests_total", "endpoint=\"other\"") ==
                (double)(counted - 3073));
    assert_true(
        exposition_sum(all, "dragoman_requests_total", "method=\"other\",status=\"other\"") > 0);
    dg_buf_free(&text);
    json_decref(usage_json(usage));
    dg_usage_free(usage);
}

static void slots_run_out_into_other(void **state)
{
    (void)state;
    dg_usage *usage = new_usage(NULL, 0);
    uint32_t other = slot(usage, "a", "v1", "other"), id = 0;
    char name[32];
    for (int i = 0; i < 9000; i++) {
        snprintf(name, sizeof name, "/%d", i);
        id = slot(usage, "a", "v1", name);
    }
    assert_int_equal(id, other);
    assert_int_equal(slot(usage, "a", "v1", name), other);
    assert_int_not_equal(slot(usage, "a", "v1", "/0"), other);
    assert_int_equal(dg_usage_slot(usage, DG_SLICE("b"), DG_SLICE("v1"), DG_SLICE("/x"), &id),
                     DG_LIMIT);
    static char long_name[2000];
    assert_int_equal(
        dg_usage_slot(usage, DG_SLICE("a"), DG_SLICE("v1"), dg_slice_of(long_name, 2000), &id),
        DG_LIMIT);
    dg_usage_free(usage);
}

static void groups_and_shards_are_bounded(void **state)
{
    (void)state;
    dg_usage *usage = new_usage(NULL, 0);
    uint32_t id;
    char name[32];
    dg_status status = DG_OK;
    int groups = 0, shards = 0;
    for (; status == DG_OK; groups++) {
        snprintf(name, sizeof name, "v%d", groups);
        status = dg_usage_slot(usage, DG_SLICE("a"), dg_slice_str(name), DG_SLICE("/"), &id);
    }
    assert_int_equal(status, DG_LIMIT);
    assert_int_equal(groups - 1, 256);
    dg_usage_shard *shard;
    dg_usage *few = new_usage(NULL, 0);
    for (status = DG_OK; status == DG_OK; shards++)
        status = dg_usage_shard_new(few, &shard);
    assert_int_equal(status, DG_LIMIT);
    assert_int_equal(shards - 1, 256);
    dg_usage_free(few);
    dg_usage_free(usage);
}

static void a_full_buffer_says_so(void **state)
{
    (void)state;
    dg_usage *usage = new_usage(NULL, 0);
    dg_buf out;
    dg_buf_init(&out, 100);
    dg_usage_metrics(usage, &out);
    assert_int_equal(out.status, DG_LIMIT);
    dg_buf_free(&out);
    dg_usage_free(usage);
}

enum { WORKERS = 3, ROUNDS = 40000, NAMES = 16 };

typedef struct worker {
    dg_usage_shard *shard;
    _Atomic uint32_t slots[NAMES];
    _Atomic uint32_t known; /* of the slots */
    _Atomic bool done;
    pthread_t thread;
} worker;

static void *count_much(void *arg)
{
    worker *w = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t known = atomic_load_explicit(&w->known, memory_order_acquire);
        uint32_t id = atomic_load_explicit(&w->slots[i % known], memory_order_relaxed);
        dg_usage_gauge(w->shard, DG_GAUGE_DOWNSTREAM_CONNECTIONS, 1);
        dg_usage_count(w->shard, id, i % 3 ? GET : DG_SLICE("PUT"), 200 + i % 40, i);
        dg_usage_gauge(w->shard, DG_GAUGE_DOWNSTREAM_CONNECTIONS, -1);
    }
    atomic_store(&w->done, true);
    return NULL;
}

/* Slots, a shard and reports come while others count; every request is counted once. */
static void workers_count_while_the_control_thread_reads(void **state)
{
    (void)state;
    static worker workers[WORKERS];
    dg_usage *usage = new_usage(NULL, 0);
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(dg_usage_shard_new(usage, &workers[i].shard), DG_OK);
        atomic_store(&workers[i].slots[0], slot(usage, "orders", "v1", "/0"));
        atomic_store(&workers[i].known, 1);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, count_much, &workers[i]), 0);
    }
    double seen = 0;
    for (uint32_t n = 1, done = 0; !done;) {
        if (n < NAMES) {
            char name[32];
            snprintf(name, sizeof name, "/%u", n);
            uint32_t id = slot(usage, "orders", n % 2 ? "v2" : "v1", name);
            for (int i = 0; i < WORKERS; i++) {
                atomic_store_explicit(&workers[i].slots[n], id, memory_order_relaxed);
                atomic_store_explicit(&workers[i].known, n + 1, memory_order_release);
            }
            n++;
        }
        done = n == NAMES;
        for (int i = 0; i < WORKERS; i++)
            done &= atomic_load(&workers[i].done);
        dg_buf text = metrics(usage);
        double now = exposition_sum(dg_buf_slice(&text), "dragoman_requests_total", "");
        assert_true(now >= seen);
        seen = now;
        dg_buf_free(&text);
        json_decref(usage_json(usage));
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    dg_buf text = metrics(usage);
    dg_slice all = dg_buf_slice(&text);
    assert_true(exposition_sum(all, "dragoman_requests_total", "") == WORKERS * ROUNDS);
    assert_true(exposition_sum(all, "dragoman_request_duration_seconds_count", "") ==
                WORKERS * ROUNDS);
    assert_true(exposition_sum(all, "dragoman_downstream_connections", "") == 0);
    dg_buf_free(&text);
    dg_usage_free(usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_bites),
        cmocka_unit_test(equal_names_share_a_slot),
        cmocka_unit_test(shards_add_up),
        cmocka_unit_test(reports_do_not_depend_on_the_order_of_things),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(the_json_says_the_same),
        cmocka_unit_test(a_full_shard_counts_under_other),
        cmocka_unit_test(slots_run_out_into_other),
        cmocka_unit_test(groups_and_shards_are_bounded),
        cmocka_unit_test(a_full_buffer_says_so),
        cmocka_unit_test(workers_count_while_the_control_thread_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
