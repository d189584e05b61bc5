#include "tests/unit/net/net_fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void pause_briefly(void)
{
    struct timespec brief = {0, 500000};
    nanosleep(&brief, NULL);
}

bool net_turn_until(dg_loop *loop, const unsigned *flag, unsigned ms)
{
    uint64_t end = dg_monotonic_ms() + ms;
    while (!*flag && dg_monotonic_ms() < end) {
        event_base_loop(loop->base, EVLOOP_NONBLOCK);
        if (!*flag)
            pause_briefly();
    }
    return *flag != 0;
}

void net_turn_for(dg_loop *loop, unsigned ms)
{
    static const unsigned never = 0;
    net_turn_until(loop, &never, ms);
}

static int bound(dg_address *ret_address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    ret_address->size = sizeof ret_address->storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ret_address->storage, &ret_address->size),
                     0);
    return fd;
}

int net_listen(dg_address *ret_address)
{
    int fd = bound(ret_address);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

void net_refusing(dg_address *ret_address, int *ret_fd)
{
    *ret_fd = bound(ret_address);
}

void net_send(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

void net_read(int fd, void *to, size_t len)
{
    assert_int_equal(recv(fd, to, len, MSG_WAITALL), (ssize_t)len);
}
