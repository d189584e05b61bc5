#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proxy/net/conn.h"
#include "tests/unit/net/net_fixture.h"

typedef struct fixture {
    dg_conn conn; /* first */
    dg_loop loop;
    int peer;
    unsigned ready, expired;
} fixture;

static void on_ready(dg_conn *conn)
{
    ((fixture *)(void *)conn)->ready++;
}

static void on_expired(dg_conn *conn)
{
    ((fixture *)(void *)conn)->expired++;
}

static const dg_conn_handler handler = {on_ready, on_expired};

static void open_conn(fixture *f, int fd, int peer)
{
    f->peer = peer;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(dg_conn_open(&f->conn, &f->loop, fd, NULL, DG_CONN_OPEN, &handler), DG_OK);
}

static int begin(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    int pair[2];
    assert_non_null(f);
    assert_int_equal(dg_loop_init(&f->loop), DG_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    open_conn(f, pair[0], pair[1]);
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    dg_conn_close(&f->conn);
    dg_conn_close(&f->conn); /* twice is fine */
    if (f->peer >= 0)
        close(f->peer);
    dg_loop_free(&f->loop);
    free(f);
    return 0;
}

static void wait_ready(fixture *f)
{
    f->ready = 0;
    assert_true(net_turn_until(&f->loop, &f->ready, 2000));
}

static void assert_input(const fixture *f, const char *text)
{
    dg_slice in = dg_conn_input(&f->conn);
    assert_int_equal(in.len, strlen(text));
    assert_memory_equal(in.ptr, text, in.len);
}

static void reads_keeps_and_consumes(void **state)
{
    fixture *f = *state;
    net_turn_for(&f->loop, 20); /* the edge that says writable */
    assert_int_equal(dg_conn_fill(&f->conn), DG_AGAIN);
    assert_null(f->conn.in);
    net_send(f->peer, "hello", 5);
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_OK);
    assert_input(f, "hello");
    assert_int_equal(dg_conn_fill(&f->conn), DG_AGAIN);
    assert_input(f, "hello");
    dg_conn_consume(&f->conn, 2);
    assert_input(f, "llo");
    dg_conn_rest(&f->conn);
    assert_input(f, "llo"); /* what holds bytes is not given back */
    net_send(f->peer, " you", 4);
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_OK);
    assert_input(f, "llo you");
    dg_conn_consume(&f->conn, 7);
    dg_conn_rest(&f->conn);
    assert_null(f->conn.in);
    assert_int_equal(f->loop.blocks_kept, 1);
}

static void a_full_block_takes_no_more_until_some_is_consumed(void **state)
{
    fixture *f = *state;
    enum { BYTES = DG_BLOCK_BYTES + 5000 };
    char *bytes = malloc(BYTES);
    size_t sent = 0;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    while (sent < BYTES) {
        net_send(f->peer, bytes + sent, 1000 < BYTES - sent ? 1000 : BYTES - sent);
        sent += 1000 < BYTES - sent ? 1000 : BYTES - sent;
    }
    wait_ready(f);
    dg_status status;
    while ((status = dg_conn_fill(&f->conn)) == DG_OK)
        ;
    assert_int_equal(status, DG_LIMIT);
    assert_int_equal(dg_conn_input(&f->conn).len, DG_BLOCK_BYTES);
    assert_memory_equal(dg_conn_input(&f->conn).ptr, bytes, DG_BLOCK_BYTES);
    dg_conn_consume(&f->conn, 6000);
    while ((status = dg_conn_fill(&f->conn)) == DG_OK)
        ;
    assert_int_equal(status, DG_AGAIN);
    assert_int_equal(dg_conn_input(&f->conn).len, BYTES - 6000);
    assert_memory_equal(dg_conn_input(&f->conn).ptr, bytes + 6000, BYTES - 6000);
    free(bytes);
}

static void writes_at_once_where_it_can(void **state)
{
    fixture *f = *state;
    char one[] = "one ", two[] = "two";
    struct iovec iov[] = {{one, 4}, {one, 0}, {two, 3}};
    char got[7];
    assert_int_equal(dg_conn_write(&f->conn, iov, 3), DG_OK);
    assert_int_equal(dg_conn_queued(&f->conn), 0);
    assert_null(f->conn.out.ptr);
    net_read(f->peer, got, 7);
    assert_memory_equal(got, "one two", 7);
}

static void queues_what_the_socket_does_not_take(void **state)
{
    fixture *f = *state;
    enum { BYTES = 400000, PIECES = 4 };
    int small = 4096;
    unsigned char *sent = malloc(BYTES * PIECES), *got = malloc(BYTES * PIECES);
    assert_int_equal(setsockopt(f->conn.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    for (size_t i = 0; i < BYTES * PIECES; i++)
        sent[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t i = 0; i < PIECES; i++) {
        unsigned char *from = sent + i * BYTES;
        struct iovec iov[] = {{from, 1234}, {from + 1234, BYTES - 1234}};
        assert_int_equal(dg_conn_write(&f->conn, iov, 2), DG_OK);
    }
    assert_in_range(dg_conn_queued(&f->conn), BYTES, BYTES * PIECES);
    assert_int_equal(dg_conn_flush(&f->conn), DG_AGAIN);
    size_t at = 0;
    while (at < BYTES * PIECES) {
        ssize_t n = recv(f->peer, got + at, BYTES * PIECES - at, MSG_DONTWAIT);
        if (n > 0)
            at += (size_t)n;
        else
            wait_ready(f); /* the edge that says writable again */
        if (dg_conn_queued(&f->conn))
            assert_int_not_equal(dg_conn_flush(&f->conn), DG_IO);
    }
    assert_memory_equal(got, sent, BYTES * PIECES);
    assert_int_equal(dg_conn_queued(&f->conn), 0);
    assert_int_equal(dg_conn_flush(&f->conn), DG_OK);
    assert_null(f->conn.out.ptr); /* an idle connection holds no buffer */
    free(sent);
    free(got);
}

static void sees_an_end_that_came_with_the_bytes(void **state)
{
    fixture *f = *state;
    net_send(f->peer, "last", 4);
    close(f->peer);
    f->peer = -1;
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_OK);
    assert_input(f, "last");
    assert_int_equal(dg_conn_fill(&f->conn), DG_CLOSED); /* no further edge would come for it */
    assert_input(f, "last");
    assert_int_equal(dg_conn_fill(&f->conn), DG_CLOSED);
    assert_true(f->conn.eof);
}

static void sees_an_end_that_comes_later(void **state)
{
    fixture *f = *state;
    net_send(f->peer, "last", 4);
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_OK);
    assert_int_equal(dg_conn_fill(&f->conn), DG_AGAIN);
    shutdown(f->peer, SHUT_WR);
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_CLOSED);
    char got[2];
    char ok[] = "ok";
    struct iovec iov = {ok, 2};
    assert_int_equal(dg_conn_write(&f->conn, &iov, 1), DG_OK); /* the other half is still open */
    net_read(f->peer, got, 2);
}

static void a_broken_peer_is_an_error_that_stays(void **state)
{
    fixture *f = *state;
    char x[] = "x";
    struct iovec iov = {x, 1};
    close(f->peer);
    f->peer = -1;
    assert_int_equal(dg_conn_write(&f->conn, &iov, 1), DG_IO);
    assert_true(f->conn.broken);
    assert_int_equal(dg_conn_write(&f->conn, &iov, 1), DG_IO);
    assert_int_equal(dg_conn_fill(&f->conn), DG_IO);
}

static void connect_pair(fixture *f)
{
    dg_address address;
    int listening = net_listen(&address), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address.storage, address.size), 0);
    dg_conn_close(&f->conn);
    close(f->peer);
    open_conn(f, accept(listening, NULL, NULL), fd);
    close(listening);
}

static void a_reset_is_no_end(void **state)
{
    fixture *f = *state;
    char byte;
    connect_pair(f);
    dg_conn_reset(&f->conn);
    dg_conn_reset(&f->conn); /* twice is fine */
    assert_int_equal(recv(f->peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void a_reset_by_the_peer_is_seen(void **state)
{
    fixture *f = *state;
    struct linger at_once = {.l_onoff = 1};
    connect_pair(f);
    setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(f->peer);
    f->peer = -1;
    wait_ready(f);
    assert_int_equal(dg_conn_fill(&f->conn), DG_IO);
    assert_true(f->conn.broken);
}

static void a_deadline_comes_once_and_in_time(void **state)
{
    fixture *f = *state;
    uint64_t start = dg_monotonic_ms();
    f->loop.now_ms = start; /* as an event that arrives does */
    dg_conn_deadline(&f->conn, 5000);
    dg_conn_deadline(&f->conn, 60); /* replaces it */
    assert_true(net_turn_until(&f->loop, &f->expired, 2000));
    assert_true(dg_monotonic_ms() - start >= 60);
    assert_false(f->loop.ticking); /* nothing wakes a loop without deadlines */
    dg_conn_deadline(&f->conn, 60);
    dg_conn_no_deadline(&f->conn);
    net_turn_for(&f->loop, 150);
    assert_int_equal(f->expired, 1);
}

static void closing_forgets_the_deadline(void **state)
{
    fixture *f = *state;
    dg_conn_deadline(&f->conn, 10);
    dg_conn_close(&f->conn);
    net_turn_for(&f->loop, 100);
    assert_int_equal(f->expired, 0);
    assert_int_equal(f->loop.wheel.pending, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(reads_keeps_and_consumes),
        TEST(a_full_block_takes_no_more_until_some_is_consumed),
        TEST(writes_at_once_where_it_can),
        TEST(queues_what_the_socket_does_not_take),
        TEST(sees_an_end_that_came_with_the_bytes),
        TEST(sees_an_end_that_comes_later),
        TEST(a_broken_peer_is_an_error_that_stays),
        TEST(a_reset_is_no_end),
        TEST(a_reset_by_the_peer_is_seen),
        TEST(a_deadline_comes_once_and_in_time),
        TEST(closing_forgets_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
