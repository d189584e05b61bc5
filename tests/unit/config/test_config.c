#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/config/config.h"

#define FILE_NAME "dragoman.yaml"
#define PACK      DG_TEST_DATA "/../rules/packs/orders"
#define OTHER_PACK DG_TEST_DATA "/data/packs/chain"
#define WHOLE     "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:9000\n"

static char folder[] = "/tmp/dragoman-config-XXXXXX";

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unlink(FILE_NAME);
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static dg_snapshot *load_with(const char *text, dg_config_options options)
{
    dg_diags diags;
    dg_snapshot *snapshot = NULL;
    if (text) {
        FILE *file = fopen(FILE_NAME, "w");
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
        options.file = FILE_NAME;
    }
    dg_diags_init(&diags);
    dg_status status = dg_snapshot_load(&options, NULL, NULL, &diags, &snapshot);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    assert_int_equal(status, DG_OK);
    return snapshot;
}

static dg_snapshot *load(const char *text)
{
    return load_with(text, (dg_config_options){.file = NULL});
}

static unsigned port_of(const dg_address *address)
{
    return ntohs(((const struct sockaddr_in *)(const void *)&address->storage)->sin_port);
}

static void a_short_file_has_the_defaults(void **state)
{
    (void)state;
    dg_snapshot *snapshot = load(WHOLE);
    const dg_config *config = &snapshot->config;
    assert_int_equal(config->timeouts.head_ms, 10000);
    assert_int_equal(config->timeouts.body_ms, 60000);
    assert_int_equal(config->timeouts.connect_ms, 5000);
    assert_int_equal(config->timeouts.answer_ms, 60000);
    assert_int_equal(config->timeouts.send_ms, 60000);
    assert_int_equal(config->timeouts.idle_ms, 75000);
    assert_int_equal(config->timeouts.drain_ms, 30000);
    assert_int_equal(config->limits.head_bytes, 16384);
    assert_int_equal(config->limits.body_bytes, 8 << 20);
    assert_true(config->limits.connections >= 8);
    assert_int_equal(config->workers, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(config->listen_count, 1);
    assert_null(config->listens[0].tls);
    assert_false(config->listens[0].control);
    assert_int_equal(config->upstream_count, 1);
    assert_null(config->upstreams[0].tls);
    assert_int_equal(config->upstreams[0].idle_max, 512);
    assert_int_equal(config->upstreams[0].connect_ms, 5000);
    assert_null(snapshot->control);
    dg_snapshot_unref(snapshot);
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {{"1ms", 1},     {"250ms", 250},  {"3s", 3000},      {"7", 7000},
                {"2m", 120000}, {"1h", 3600000}, {"24h", 86400000}, {"'5s'", 5000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 WHOLE
                 "timeouts: {head: %s, body: %s, connect: %s, answer: %s, send: %s, idle: %s, "
                 "drain: %s}\n",
                 rows[i].text, rows[i].text, rows[i].text, rows[i].text, rows[i].text, rows[i].text,
                 rows[i].text);
        dg_snapshot *snapshot = load(text);
        const dg_timeouts *t = &snapshot->config.timeouts;
        const uint64_t all[] = {t->head_ms, t->body_ms, t->connect_ms, t->answer_ms,
                                t->send_ms, t->idle_ms, t->drain_ms};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            assert_int_equal(all[k], rows[i].ms);
        assert_int_equal(snapshot->config.upstreams[0].connect_ms, rows[i].ms);
        dg_snapshot_unref(snapshot);
    }
}

static void sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {{"1024", 1024}, {"1KB", 1024}, {"16kb", 16384}, {"2MB", 2 << 20}, {"1GB", 1 << 30}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, WHOLE "limits: {body: %s, head: 2KB, connections: 5}\n",
                 rows[i].text);
        dg_snapshot *snapshot = load(text);
        assert_int_equal(snapshot->config.limits.body_bytes, rows[i].bytes);
        assert_int_equal(snapshot->config.limits.head_bytes, 2048);
        assert_int_equal(snapshot->config.limits.connections, 5);
        dg_snapshot_unref(snapshot);
    }
}

static void backends_are_read_from_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *authority, *tls_host;
        unsigned port;
        bool tls;
    } rows[] = {{"http://127.0.0.1:9000", "127.0.0.1:9000", "127.0.0.1", 9000, false},
                {"http://127.0.0.1", "127.0.0.1", "127.0.0.1", 80, false},
                {"http://127.0.0.1/", "127.0.0.1", "127.0.0.1", 80, false},
                {"https://127.0.0.1", "127.0.0.1", "127.0.0.1", 443, true},
                {"https://127.0.0.1:8443", "127.0.0.1:8443", "127.0.0.1", 8443, true},
                {"http://[::1]:9000", "[::1]:9000", "::1", 9000, false},
                {"https://[::1]", "[::1]", "::1", 443, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *listens[] = {"127.0.0.1:0"};
        dg_snapshot *snapshot = load_with(
            NULL,
            (dg_config_options){.listens = listens, .listen_count = 1, .upstream = rows[i].url});
        const dg_upstream *up = &snapshot->config.upstreams[0];
        assert_string_equal(up->url, rows[i].url);
        assert_string_equal(up->authority, rows[i].authority);
        assert_string_equal(up->tls_host, rows[i].tls_host);
        assert_int_equal(port_of(&up->addresses[0]), rows[i].port);
        assert_int_equal(up->tls != NULL, rows[i].tls);
        dg_snapshot_unref(snapshot);
    }
}

static void a_backend_has_options(void **state)
{
    (void)state;
    dg_snapshot *snapshot = load("listen: 127.0.0.1:0\n"
                                 "upstream: {url: 'https://127.0.0.1', verify: false, keep: 7, "
                                 "tls_host: api.example}\n");
    const dg_upstream *up = &snapshot->config.upstreams[0];
    assert_int_equal(up->idle_max, 7);
    assert_string_equal(up->tls_host, "api.example");
    assert_non_null(up->tls);
    dg_snapshot_unref(snapshot);
    snapshot = load("listen: 127.0.0.1:0\nupstream: 'unix:/run/api.sock'\n");
    up = &snapshot->config.upstreams[0];
    assert_int_equal(up->addresses[0].storage.ss_family, AF_UNIX);
    assert_string_equal(up->authority, "localhost");
    dg_snapshot_unref(snapshot);
}

static void packs_have_backends_of_their_own(void **state)
{
    (void)state;
    dg_snapshot *snapshot = load(WHOLE "packs:\n"
                                       "  - dir: " PACK "\n"
                                       "    upstream: http://127.0.0.1:9001\n"
                                       "    backend_version: v2\n");
    const dg_config *config = &snapshot->config;
    assert_int_equal(config->upstream_count, 2);
    assert_int_equal(config->pack_count, 1);
    assert_int_equal(config->pack_upstreams[0][0], 1);
    assert_string_equal(config->upstreams[1].url, "http://127.0.0.1:9001");
    assert_string_equal(dg_ruleset_api(snapshot->ruleset, 0)->backend->name, "v2");
    dg_snapshot_unref(snapshot);
}

static void a_pack_has_several_backends(void **state)
{
    (void)state;
    dg_snapshot *snapshot = load(WHOLE "packs:\n"
                                       "  - dir: " PACK "\n"
                                       "    backend_version: v2\n"
                                       "    backends:\n"
                                       "      - {versions: v1, upstream: 'http://127.0.0.1:9001', backend_version: v1}\n"
                                       "      - endpoints: ['GET /orders/**']\n"
                                       "        upstream: {url: 'http://127.0.0.1:9002', keep: 3}\n"
                                       "        backend_version: v2\n"
                                       "  - {dir: " OTHER_PACK ", upstream: 'http://127.0.0.1:9003'}\n");
    const dg_config *config = &snapshot->config;
    static const char *const urls[] = {"http://127.0.0.1:9001", "http://127.0.0.1:9002"};
    assert_int_equal(config->upstream_count, 4);
    assert_int_equal(config->packs[0].backend_count, 2);
    assert_int_equal(config->pack_upstreams[0][0], 0); /* the default one */
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(config->upstreams[config->pack_upstreams[0][i + 1]].url, urls[i]);
    assert_int_equal(config->upstreams[config->pack_upstreams[0][2]].idle_max, 3);
    assert_int_equal(config->packs[1].backend_count, 0);
    assert_string_equal(config->upstreams[config->pack_upstreams[1][0]].url, "http://127.0.0.1:9003");
    dg_snapshot_unref(snapshot);
}

static void what_no_pack_claims_passes_only_without_packs_or_on_demand(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool passes;
    } rows[] = {{WHOLE, true},
                {WHOLE "packs: " PACK "\n", false},
                {WHOLE "packs: " PACK "\nunmatched: reject\n", false},
                {WHOLE "packs: " PACK "\nunmatched: pass\n", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_snapshot *snapshot = load(rows[i].text);
        assert_int_equal(snapshot->config.pass_unmatched, rows[i].passes);
        dg_snapshot_unref(snapshot);
    }
}

static void the_command_line_wins(void **state)
{
    (void)state;
    const char *listens[] = {"127.0.0.1:1", "127.0.0.1:2"}, *packs[] = {PACK};
    dg_snapshot *snapshot =
        load_with(WHOLE "admin: 127.0.0.1:9901\nworkers: 3\ntimeouts: {head: 1s, idle: 3s}\n",
                  (dg_config_options){.listens = listens,
                                      .listen_count = 2,
                                      .packs = packs,
                                      .pack_count = 1,
                                      .upstream = "http://127.0.0.1:7",
                                      .admin = "127.0.0.1:3",
                                      .timeout = "2s",
                                      .workers = 2});
    const dg_config *config = &snapshot->config;
    assert_int_equal(config->listen_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(port_of(&config->listens[i].addresses[0]), i + 1);
        assert_int_equal(config->listens[i].control, i == 2);
    }
    assert_int_equal(config->upstream_count, 1);
    assert_int_equal(port_of(&config->upstreams[0].addresses[0]), 7);
    assert_int_equal(config->workers, 2);
    assert_int_equal(config->timeouts.head_ms, 2000);
    assert_int_equal(config->timeouts.answer_ms, 2000);
    assert_int_equal(config->timeouts.idle_ms, 3000);
    assert_int_equal(config->timeouts.drain_ms, 30000);
    assert_int_equal(config->pack_count, 1);
    dg_snapshot_unref(snapshot);
}

static void json_is_fine_too(void **state)
{
    (void)state;
    dg_snapshot *snapshot =
        load("{\"listen\": [\"127.0.0.1:1\", {\"address\": \"127.0.0.1:2\"}],\n"
             " \"upstream\": {\"url\": \"http://127.0.0.1:3\"}, \"workers\": 1}\n");
    assert_int_equal(snapshot->config.listen_count, 2);
    assert_int_equal(snapshot->config.workers, 1);
    dg_snapshot_unref(snapshot);
}

static void references_are_counted(void **state)
{
    (void)state;
    dg_snapshot *snapshot = load(WHOLE);
    assert_ptr_equal(dg_snapshot_ref(snapshot), snapshot);
    dg_snapshot_unref(snapshot);
    assert_string_equal(snapshot->config.listens[0].text, "127.0.0.1:8080");
    dg_snapshot_unref(snapshot);
    dg_snapshot_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_file_has_the_defaults),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(backends_are_read_from_urls),
        cmocka_unit_test(a_backend_has_options),
        cmocka_unit_test(packs_have_backends_of_their_own),
        cmocka_unit_test(a_pack_has_several_backends),
        cmocka_unit_test(what_no_pack_claims_passes_only_without_packs_or_on_demand),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(json_is_fine_too),
        cmocka_unit_test(references_are_counted),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
