#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/listener.h"
#include "tests/unit/net/net_fixture.h"

enum { CLIENTS = 3 };

typedef struct fixture {
    dg_loop loop;
    dg_listener *listener;
    dg_address address;
    unsigned accepted, pauses, room;
    int last_error;
} fixture;

static bool has_room(void *context)
{
    const fixture *f = context;
    return f->accepted < f->room;
}

static void on_accepted(void *context, int fd, const struct sockaddr *peer)
{
    fixture *f = context;
    int flags = fcntl(fd, F_GETFL);
    if (peer->sa_family == AF_INET && (flags & O_NONBLOCK))
        f->accepted++;
    close(fd);
}

static void on_paused(void *context, int error)
{
    fixture *f = context;
    f->pauses++;
    f->last_error = error;
}

static const dg_listener_handler handler = {has_room, on_accepted, on_paused};

static bool open_listener(fixture *f)
{
    int fd;
    *f = (fixture){.room = 100, .last_error = -1};
    size_t count;
    const char *error;
    if (dg_loop_init(&f->loop) != DG_OK ||
        dg_address_resolve("127.0.0.1:0", true, &f->address, &count, &error) != DG_OK ||
        dg_listen_socket(&f->address, true, &fd) != DG_OK)
        return false;
    f->address.size = sizeof f->address.storage;
    getsockname(fd, (struct sockaddr *)&f->address.storage, &f->address.size);
    return dg_listener_new(&f->loop, fd, &handler, f, &f->listener) == DG_OK;
}

static void close_listener(fixture *f)
{
    dg_listener_free(f->listener);
    dg_loop_free(&f->loop);
}

static bool connect_clients(const fixture *f, int clients[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(clients[i], (const struct sockaddr *)&f->address.storage, f->address.size) != 0)
            return false;
    }
    return true;
}

static void close_clients(const int clients[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
}

static void accepts_all_that_wait(void **state)
{
    (void)state;
    fixture f;
    int clients[CLIENTS];
    assert_true(open_listener(&f));
    assert_true(connect_clients(&f, clients));
    net_turn_for(&f.loop, 50);
    assert_int_equal(f.accepted, CLIENTS);
    assert_int_equal(f.pauses, 0);
    close_clients(clients);
    close_listener(&f);
}

static void pauses_for_lack_of_room_and_goes_on(void **state)
{
    (void)state;
    fixture f;
    int clients[CLIENTS];
    assert_true(open_listener(&f));
    f.room = 1;
    assert_true(connect_clients(&f, clients));
    net_turn_for(&f.loop, DG_ACCEPT_PAUSE_MS / 2);
    assert_int_equal(f.accepted, 1);
    assert_int_equal(f.pauses, 1);
    assert_int_equal(f.last_error, 0);
    f.room = 100;
    net_turn_for(&f.loop, DG_ACCEPT_PAUSE_MS + 100);
    assert_int_equal(f.accepted, CLIENTS);
    assert_int_equal(f.pauses, 1);
    close_clients(clients);
    close_listener(&f);
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void stop_loop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    event_base_loopbreak(arg);
}

/* As a worker does: blocked in the loop, not polling. */
static void dispatch_for(dg_loop *loop, int ms)
{
    struct event timer;
    evtimer_assign(&timer, loop->base, stop_loop, loop->base);
    struct timeval after = {ms / 1000, ms % 1000 * 1000};
    evtimer_add(&timer, &after);
    event_base_dispatch(loop->base);
    event_del(&timer);
}

/* In a child, for it runs out of descriptors. The number of the step that went wrong, or 0. */
static int run_out_of_descriptors(void)
{
    fixture f;
    int clients[CLIENTS];
    struct rlimit all, none;
    if (!open_listener(&f) || !connect_clients(&f, clients) || getrlimit(RLIMIT_NOFILE, &all) != 0)
        return 1;
    int next = dup(0);
    close(next);
    none = all;
    none.rlim_cur = (rlim_t)next;
    if (next < 0 || setrlimit(RLIMIT_NOFILE, &none) != 0)
        return 2;
    double before = cpu_s();
    dispatch_for(&f.loop, 900);
    if (f.accepted != 0 || f.last_error != EMFILE)
        return 3;
    if (f.pauses < 2 || f.pauses > 900 / DG_ACCEPT_PAUSE_MS + 1)
        return 4;
    if (cpu_s() - before > 0.2) /* a spin would have used all of the 0.9 s */
        return 5;
    setrlimit(RLIMIT_NOFILE, &all);
    dispatch_for(&f.loop, 2 * DG_ACCEPT_PAUSE_MS);
    return f.accepted == CLIENTS ? 0 : 6;
}

static void does_not_spin_without_descriptors(void **state)
{
    (void)state;
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(run_out_of_descriptors());
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_address_is_shared_among_own_sockets_only(void **state)
{
    (void)state;
    fixture f;
    int fd = -1;
    assert_true(open_listener(&f));
    assert_int_equal(dg_listen_socket(&f.address, true, &fd), DG_IO);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(fd, -1);
    assert_int_equal(dg_listen_socket(&f.address, false, &fd), DG_OK);
    close(fd);
    close_listener(&f);
}

static void freeing_closes_and_null_is_fine(void **state)
{
    (void)state;
    fixture f;
    assert_true(open_listener(&f));
    close_listener(&f);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&f.address.storage, f.address.size), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    dg_listener_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_all_that_wait),
        cmocka_unit_test(pauses_for_lack_of_room_and_goes_on),
        cmocka_unit_test(does_not_spin_without_descriptors),
        cmocka_unit_test(an_address_is_shared_among_own_sockets_only),
        cmocka_unit_test(freeing_closes_and_null_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
