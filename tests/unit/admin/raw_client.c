#include "tests/unit/admin/raw_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void start(raw_client *c, struct event_base *base, int family, const void *address,
                  socklen_t len)
{
    *c = (raw_client){.base = base, .fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    dg_buf_init(&c->in, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, address, len), 0);
}

void raw_client_tcp(raw_client *c, struct event_base *base, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    start(c, base, AF_INET, &address, sizeof address);
}

void raw_client_unix(raw_client *c, struct event_base *base, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    start(c, base, AF_UNIX, &address, sizeof address);
}

void raw_client_close(raw_client *c)
{
    close(c->fd);
    dg_buf_free(&c->in);
    event_base_loop(c->base, EVLOOP_NONBLOCK);
}

dg_slice raw_client_field(const raw_client *c, const char *name)
{
    dg_slice rest = c->head;
    while (rest.len) {
        dg_slice line = dg_slice_until(rest, dg_slice_find(rest, '\r'));
        size_t colon = dg_slice_find(line, ':');
        if (dg_slice_ieq(dg_slice_until(line, colon), dg_slice_str(name)))
            return dg_slice_from(line, colon + 2);
        rest = dg_slice_from(rest, line.len + 2);
    }
    return (dg_slice){NULL, 0};
}

bool raw_client_body_has(const raw_client *c, const char *text)
{
    return c->body.len && memmem(c->body.ptr, c->body.len, text, strlen(text));
}

/* Is a whole answer there, and nothing after it? */
static bool parse(raw_client *c, bool is_head)
{
    char *end = c->in.len ? memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    c->head = dg_slice_of(c->in.ptr, (size_t)(end - c->in.ptr) + 2);
    assert_true(dg_slice_starts(c->head, DG_SLICE("HTTP/1.1 ")));
    c->status = (unsigned)strtoul(c->head.ptr + 9, NULL, 10);
    dg_slice length = raw_client_field(c, "Content-Length");
    size_t bytes = is_head || !length.len ? 0 : strtoul(length.ptr, NULL, 10);
    c->body = dg_slice_from(dg_buf_slice(&c->in), c->head.len + 2);
    assert_true(c->body.len <= bytes);
    return c->body.len == bytes;
}

static void send_all(raw_client *c, dg_slice bytes)
{
    while (bytes.len) {
        ssize_t n = send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return; /* closed early: what came back tells */
        bytes = dg_slice_from(bytes, n > 0 ? (size_t)n : 0);
        event_base_loop(c->base, EVLOOP_NONBLOCK);
    }
}

unsigned raw_client_ask(raw_client *c, dg_slice bytes, bool is_head)
{
    uint64_t deadline = dg_monotonic_ms() + 5000;
    dg_buf_clear(&c->in);
    c->head = c->body = (dg_slice){NULL, 0};
    c->status = 0;
    send_all(c, bytes);
    while (!parse(c, is_head) && !c->closed) {
        assert_true(dg_monotonic_ms() < deadline);
        event_base_loop(c->base, EVLOOP_NONBLOCK);
        struct pollfd readable = {.fd = c->fd, .events = POLLIN};
        if (poll(&readable, 1, 1) == 0)
            continue;
        assert_int_equal(dg_buf_reserve(&c->in, 65536), DG_OK);
        ssize_t n = recv(c->fd, c->in.ptr + c->in.len, 65536, MSG_DONTWAIT);
        c->closed = n == 0 || (n < 0 && errno != EAGAIN);
        c->in.len += n > 0 ? (size_t)n : 0;
    }
    event_base_loop(c->base,
                    EVLOOP_NONBLOCK); /* the server frees the request once the answer has left */
    return c->status;
}

unsigned raw_client_request(raw_client *c, const char *method, const char *target, const char *type,
                            const char *body)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_buf_printf(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, target);
    if (type)
        dg_buf_printf(&out, "Content-Type: %s\r\n", type);
    if (body)
        dg_buf_printf(&out, "Content-Length: %zu\r\n", strlen(body));
    dg_buf_printf(&out, "\r\n%s", body ? body : "");
    assert_int_equal(out.status, DG_OK);
    unsigned status = raw_client_ask(c, dg_buf_slice(&out), strcmp(method, "HEAD") == 0);
    dg_buf_free(&out);
    return status;
}
