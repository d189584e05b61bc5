#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/pool.h"
#include "tests/unit/net/net_fixture.h"

typedef struct fixture {
    dg_loop loop;
    dg_upstream upstream;
    dg_pool pool;
    int listening, counted;
    unsigned events, expired;
} fixture;

static fixture *current;

static void on_ready(dg_conn *conn)
{
    (void)conn;
    current->events++;
}

static void on_expired(dg_conn *conn)
{
    (void)conn;
    current->expired++;
}

static const dg_conn_handler handler = {on_ready, on_expired};

static void count(void *context, int delta)
{
    ((fixture *)context)->counted += delta;
}

static int begin(void **state)
{
    fixture *f = current = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(dg_loop_init(&f->loop), DG_OK);
    f->listening = net_listen(&f->upstream.addresses[0]);
    f->upstream.address_count = 1;
    f->upstream.idle_max = 4;
    f->upstream.idle_ms = f->upstream.connect_ms = 5000;
    dg_pool_init(&f->pool, &f->loop, &f->upstream, count, f);
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    dg_pool_free(&f->pool);
    assert_int_equal(f->counted, 0);
    dg_loop_free(&f->loop);
    close(f->listening);
    free(f);
    return 0;
}

/* Drives a new connection to its end. */
static dg_status finish(fixture *f, dg_upconn *up)
{
    dg_status status;
    while ((status = dg_upconn_progress(up)) == DG_AGAIN) {
        f->events = 0;
        assert_true(net_turn_until(&f->loop, &f->events, 2000));
    }
    return status;
}

/* An open connection, and the backend's end of it. */
static dg_upconn *take_open(fixture *f, bool fresh, int *ret_peer)
{
    dg_upconn *up = dg_pool_take(&f->pool, fresh, &handler, f);
    assert_non_null(up);
    assert_int_equal(finish(f, up), DG_OK);
    *ret_peer = accept(f->listening, NULL, NULL);
    assert_true(*ret_peer >= 0);
    return up;
}

static void a_kept_connection_is_used_again(void **state)
{
    fixture *f = *state;
    int peer;
    char got[4];
    dg_upconn *up = take_open(f, false, &peer);
    assert_false(up->reused);
    assert_ptr_equal(up->user, f);
    dg_pool_keep(up);
    net_turn_for(&f->loop, 50); /* idle: its own edges do not end it */
    assert_int_equal(f->pool.idle_count, 1);
    assert_ptr_equal(dg_pool_take(&f->pool, false, &handler, f), up);
    assert_true(up->reused && up->connected);
    assert_int_equal(f->pool.idle_count, 0);
    assert_int_equal(f->counted, 1);
    assert_int_equal(dg_upconn_progress(up), DG_OK);
    char ping[] = "ping";
    struct iovec iov = {ping, 4};
    assert_int_equal(dg_conn_write(&up->conn, &iov, 1), DG_OK);
    net_read(peer, got, 4);
    dg_pool_drop(up);
    close(peer);
}

static void the_newest_comes_first(void **state)
{
    fixture *f = *state;
    int peers[2];
    dg_upconn *a = take_open(f, false, &peers[0]), *b = take_open(f, false, &peers[1]);
    dg_pool_keep(a);
    dg_pool_keep(b);
    assert_ptr_equal(dg_pool_take(&f->pool, false, &handler, f), b);
    assert_ptr_equal(dg_pool_take(&f->pool, false, &handler, f), a);
    dg_pool_drop(a);
    dg_pool_drop(b);
    close(peers[0]);
    close(peers[1]);
}

static void fresh_never_takes_a_kept_one(void **state)
{
    fixture *f = *state;
    int peers[2];
    dg_upconn *a = take_open(f, false, &peers[0]);
    dg_pool_keep(a);
    dg_upconn *b = take_open(f, true, &peers[1]);
    assert_ptr_not_equal(a, b);
    assert_false(b->reused);
    assert_int_equal(f->pool.idle_count, 1);
    dg_pool_drop(b);
    close(peers[0]);
    close(peers[1]);
}

static void unasked_bytes_end_an_idle_connection(void **state)
{
    fixture *f = *state;
    int peer;
    dg_pool_keep(take_open(f, false, &peer));
    net_send(peer, "HTTP/1.1 200 OK\r\n\r\n", 19);
    net_turn_for(&f->loop, 50);
    assert_int_equal(f->pool.idle_count, 0);
    assert_int_equal(f->counted, 0);
    close(peer);
}

static void an_end_ends_an_idle_connection(void **state)
{
    fixture *f = *state;
    int peer;
    dg_pool_keep(take_open(f, false, &peer));
    close(peer);
    net_turn_for(&f->loop, 50);
    assert_int_equal(f->pool.idle_count, 0);
    assert_int_equal(f->counted, 0);
}

static void unread_bytes_are_not_kept(void **state)
{
    fixture *f = *state;
    int peer;
    dg_upconn *up = take_open(f, false, &peer);
    net_turn_for(&f->loop, 20);
    f->events = 0;
    net_send(peer, "rest", 4);
    assert_true(net_turn_until(&f->loop, &f->events, 2000));
    dg_pool_keep(up);
    assert_int_equal(f->pool.idle_count, 0);
    assert_int_equal(f->counted, 0);
    close(peer);
}

static void no_more_than_idle_max_are_kept(void **state)
{
    fixture *f = *state;
    int peers[3];
    dg_upconn *ups[3];
    f->upstream.idle_max = 2;
    for (int i = 0; i < 3; i++)
        ups[i] = take_open(f, false, &peers[i]);
    for (int i = 0; i < 3; i++)
        dg_pool_keep(ups[i]);
    assert_int_equal(f->pool.idle_count, 2);
    assert_int_equal(f->counted, 2);
    for (int i = 0; i < 3; i++)
        close(peers[i]);
}

static void idle_ones_go_after_their_time(void **state)
{
    fixture *f = *state;
    int peer;
    f->upstream.idle_ms = 60;
    dg_pool_keep(take_open(f, false, &peer));
    assert_int_equal(f->pool.idle_count, 1);
    net_turn_for(&f->loop, 250);
    assert_int_equal(f->pool.idle_count, 0);
    assert_int_equal(f->expired, 0); /* nobody was using it */
    close(peer);
}

static void the_next_address_is_tried_and_remembered(void **state)
{
    fixture *f = *state;
    int held, peers[2];
    f->upstream.addresses[1] = f->upstream.addresses[0];
    net_refusing(&f->upstream.addresses[0], &held);
    f->upstream.address_count = 2;
    dg_pool_init(&f->pool, &f->loop, &f->upstream, count, f);
    dg_upconn *a = take_open(f, false, &peers[0]);
    assert_int_equal(a->address, 1);
    assert_int_equal(f->pool.next_address, 1);
    dg_upconn *b = take_open(f, true, &peers[1]);
    assert_int_equal(b->tries, 0); /* the one that worked comes first */
    assert_int_equal(f->counted, 2);
    dg_pool_drop(a);
    dg_pool_drop(b);
    close(peers[0]);
    close(peers[1]);
    close(held);
}

static void refusal_everywhere_is_an_error(void **state)
{
    fixture *f = *state;
    int held[2];
    net_refusing(&f->upstream.addresses[0], &held[0]);
    net_refusing(&f->upstream.addresses[1], &held[1]);
    f->upstream.address_count = 2;
    dg_pool_init(&f->pool, &f->loop, &f->upstream, count, f);
    dg_upconn *up = dg_pool_take(&f->pool, false, &handler, f);
    if (up) {
        assert_int_equal(finish(f, up), DG_IO);
        assert_false(up->connected);
        dg_pool_drop(up);
    }
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(f->counted, 0);
    close(held[0]);
    close(held[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_kept_connection_is_used_again),
        TEST(the_newest_comes_first),
        TEST(fresh_never_takes_a_kept_one),
        TEST(unasked_bytes_end_an_idle_connection),
        TEST(an_end_ends_an_idle_connection),
        TEST(unread_bytes_are_not_kept),
        TEST(no_more_than_idle_max_are_kept),
        TEST(idle_ones_go_after_their_time),
        TEST(the_next_address_is_tried_and_remembered),
        TEST(refusal_everywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
