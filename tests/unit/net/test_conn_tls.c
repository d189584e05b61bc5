/* Connections with TLS: both ends on one loop. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/tls.h"
#include "proxy/net/conn.h"
#include "tests/unit/net/net_fixture.h"

static char folder[] = "/tmp/dragoman-conn-XXXXXX";
static dg_tls_server *server_context;
static dg_tls_client *client_context;

typedef struct fixture {
    dg_loop loop;
    dg_conn client, server;
    unsigned events;
} fixture;

static fixture *current;

static void on_event(dg_conn *conn)
{
    (void)conn;
    current->events++;
}

static const dg_conn_handler handler = {on_event, on_event};

static const char *file(const char *name)
{
    static char paths[4][80];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_contexts(void **state)
{
    (void)state;
    static const char *const names[] = {"api.test", NULL};
    dg_diags diags;
    signal(SIGPIPE, SIG_IGN); /* as serve does: OpenSSL writes with write() */
    dg_diags_init(&diags);
    if (!mkdtemp(folder) || dg_certs_make_dev(folder, names, &diags) != DG_OK)
        return -1;
    dg_tls_cert_files files = {.cert_file = file("server.crt"), .key_file = file("server.key")};
    dg_tls_server_files server_files = {.certs = &files, .count = 1};
    dg_tls_client_files client_files = {.verify = true, .ca_file = file("ca.crt")};
    dg_status status = dg_tls_server_new(&server_files, &diags, &server_context);
    if (status == DG_OK)
        status = dg_tls_client_new(&client_files, &diags, &client_context);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    return status == DG_OK ? 0 : -1;
}

static int free_contexts(void **state)
{
    (void)state;
    static const char *const names[] = {"ca.crt", "ca.key", "server.crt", "server.key"};
    dg_tls_server_free(server_context);
    dg_tls_client_free(client_context);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(file(names[i]));
    return rmdir(folder);
}

static void open_both(fixture *f, const char *host)
{
    int pair[2];
    current = f;
    *f = (fixture){.events = 0};
    assert_int_equal(dg_loop_init(&f->loop), DG_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(dg_conn_open(&f->client, &f->loop, pair[0],
                                  dg_tls_client_session(client_context, host), DG_CONN_HANDSHAKE,
                                  &handler),
                     DG_OK);
    assert_int_equal(dg_conn_open(&f->server, &f->loop, pair[1],
                                  dg_tls_server_session(server_context), DG_CONN_HANDSHAKE,
                                  &handler),
                     DG_OK);
}

static void close_both(fixture *f)
{
    dg_conn_close(&f->client);
    dg_conn_close(&f->server);
    dg_loop_free(&f->loop);
}

static void wait_event(fixture *f)
{
    f->events = 0;
    assert_true(net_turn_until(&f->loop, &f->events, 2000));
}

/* Both until both are through, or one failed: what the client says then. */
static dg_status shake_hands(fixture *f)
{
    for (;;) {
        dg_status client = dg_conn_progress(&f->client), server = dg_conn_progress(&f->server);
        if (client != DG_AGAIN && (server != DG_AGAIN || client != DG_OK))
            return client;
        wait_event(f);
    }
}

/* Reads what comes until there is an end or an error. */
static dg_status read_on(fixture *f, dg_conn *conn)
{
    for (;;) {
        dg_status status = dg_conn_fill(conn);
        if (status == DG_OK)
            dg_conn_consume(conn, dg_conn_input(conn).len);
        else if (status == DG_AGAIN)
            wait_event(f);
        else
            return status;
    }
}

static void speaks_both_ways(void **state)
{
    (void)state;
    fixture f;
    char ping[] = "ping", pong[] = "pong!";
    open_both(&f, "api.test");
    assert_int_equal(shake_hands(&f), DG_OK);
    assert_int_equal(f.client.phase, DG_CONN_OPEN);
    assert_int_equal(dg_conn_write(&f.client, &(struct iovec){ping, 4}, 1), DG_OK);
    dg_status status;
    while ((status = dg_conn_fill(&f.server)) == DG_AGAIN)
        wait_event(&f);
    assert_int_equal(status, DG_OK);
    assert_memory_equal(dg_conn_input(&f.server).ptr, "ping", 4);
    assert_int_equal(dg_conn_write(&f.server, &(struct iovec){pong, 5}, 1), DG_OK);
    while ((status = dg_conn_fill(&f.client)) == DG_AGAIN)
        wait_event(&f);
    assert_int_equal(dg_conn_input(&f.client).len, 5);
    assert_memory_equal(dg_conn_input(&f.client).ptr, "pong!", 5);
    close_both(&f);
}

static void large_writes_queue_and_arrive(void **state)
{
    (void)state;
    enum { BYTES = 700000 };
    fixture f;
    char *sent = malloc(BYTES), *got = malloc(BYTES);
    size_t at = 0;
    assert_true(sent && got);
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (char)(i * 13 + i / 255);
    open_both(&f, "api.test");
    assert_int_equal(shake_hands(&f), DG_OK);
    struct iovec iov[] = {{sent, 1000}, {sent + 1000, BYTES - 1000}};
    assert_int_equal(dg_conn_write(&f.client, iov, 2), DG_OK);
    assert_in_range(dg_conn_queued(&f.client), 1, BYTES);
    while (at < BYTES) {
        dg_status status = dg_conn_fill(&f.server);
        dg_slice in = dg_conn_input(&f.server);
        if (status == DG_OK) {
            memcpy(got + at, in.ptr, in.len);
            at += in.len;
            dg_conn_consume(&f.server, in.len);
        } else {
            assert_int_equal(status, DG_AGAIN);
            wait_event(&f);
        }
        assert_int_not_equal(dg_conn_flush(&f.client), DG_IO);
    }
    assert_memory_equal(got, sent, BYTES);
    assert_int_equal(dg_conn_queued(&f.client), 0);
    close_both(&f);
    free(sent);
    free(got);
}

static void an_end_is_told_from_a_cut(void **state)
{
    (void)state;
    fixture f;
    open_both(&f, "api.test");
    assert_int_equal(shake_hands(&f), DG_OK);
    dg_conn_close(&f.server); /* with a close_notify */
    assert_int_equal(read_on(&f, &f.client), DG_CLOSED);
    close_both(&f);
    open_both(&f, "api.test");
    assert_int_equal(shake_hands(&f), DG_OK);
    dg_conn_reset(&f.server); /* without: what came may not be all (RFC 9112 9.8) */
    assert_int_equal(read_on(&f, &f.client), DG_IO);
    assert_true(f.client.broken);
    close_both(&f);
}

static void another_name_is_refused(void **state)
{
    (void)state;
    fixture f;
    open_both(&f, "other.test");
    assert_int_equal(shake_hands(&f), DG_IO);
    assert_true(f.client.broken);
    assert_int_equal(f.client.phase, DG_CONN_HANDSHAKE);
    close_both(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_both_ways),
        cmocka_unit_test(large_writes_queue_and_arrive),
        cmocka_unit_test(an_end_is_told_from_a_cut),
        cmocka_unit_test(another_name_is_refused),
    };
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
