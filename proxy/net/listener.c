#include "proxy/net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct dg_listener {
    dg_loop *loop;
    int fd;
    struct event readable, resume;
    const dg_listener_handler *handler;
    void *context;
};

static int open_socket(const dg_address *address, bool share)
{
    int family = address->storage.ss_family, on = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->size) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

dg_status dg_listen_socket(const dg_address *address, bool first, int *ret_fd)
{
    if (first) {
        int probe = open_socket(address, false);
        if (probe < 0)
            return DG_IO;
        close(probe);
    }
    int fd = open_socket(address, true);
    if (fd < 0)
        return DG_IO;
    if (listen(fd, 4096) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return DG_IO;
    }
    *ret_fd = fd;
    return DG_OK;
}

/* ---- unix sockets */

static const char *path_of(const dg_address *address)
{
    return ((const struct sockaddr_un *)(const void *)&address->storage)->sun_path;
}

bool dg_unix_is_stale(const dg_address *address)
{
    struct stat file;
    if (lstat(path_of(address), &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)&address->storage, address->size) != 0 &&
                   errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static dg_status bind_unix(const dg_address *address, unsigned mode, int fd)
{
    const struct sockaddr *to = (const struct sockaddr *)&address->storage;
    if (bind(fd, to, address->size) != 0) {
        if (errno != EADDRINUSE)
            return DG_IO;
        if (!dg_unix_is_stale(address) || unlink(path_of(address)) != 0 || bind(fd, to, address->size) != 0) {
            errno = EADDRINUSE;
            return DG_IO;
        }
    }
    /* Until it listens nobody gets in, whatever the umask was. */
    if (chmod(path_of(address), (mode_t)mode) == 0 && listen(fd, 4096) == 0)
        return DG_OK;
    int error = errno;
    unlink(path_of(address));
    errno = error;
    return DG_IO;
}

dg_status dg_listen_unix(const dg_address *address, unsigned mode, int *ret_fd)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return DG_IO;
    if (bind_unix(address, mode, fd) != DG_OK) {
        int error = errno;
        close(fd);
        errno = error;
        return DG_IO;
    }
    *ret_fd = fd;
    return DG_OK;
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static const struct timeval pause_time = {0, DG_ACCEPT_PAUSE_MS * 1000};

static void pause_accepting(dg_listener *listener, int error)
{
    if (event_add(&listener->resume, &pause_time) == 0) /* without it nobody would go on */
        event_del(&listener->readable);
    listener->handler->paused(listener->context, error);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    dg_listener *listener = arg;
    dg_loop_look_at_clock(listener->loop);
    for (int i = 0; i < DG_ACCEPT_BATCH; i++) {
        if (!listener->handler->room(listener->context)) {
            pause_accepting(listener, 0);
            return;
        }
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int accepted =
            accept4(listener->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            listener->handler->accepted(listener->context, accepted, (struct sockaddr *)&peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (is_exhaustion(errno)) {
            pause_accepting(listener, errno);
            return;
        } /* else that one connection died in the queue (ECONNABORTED): the next one */
    }
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    dg_listener *listener = arg;
    if (event_add(&listener->readable, NULL) != 0)
        event_add(&listener->resume, &pause_time);
}

dg_status dg_listener_new(dg_loop *loop, int fd, const dg_listener_handler *handler, void *context,
                          dg_listener **ret_listener)
{
    dg_listener *listener = malloc(sizeof *listener);
    if (!listener) {
        close(fd);
        return DG_NOMEM;
    }
    *listener = (dg_listener){.loop = loop, .fd = fd, .handler = handler, .context = context};
    event_assign(&listener->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, listener);
    evtimer_assign(&listener->resume, loop->base, on_resume, listener);
    if (event_add(&listener->readable, NULL) != 0) {
        dg_listener_free(listener);
        return DG_NOMEM;
    }
    *ret_listener = listener;
    return DG_OK;
}

void dg_listener_free(dg_listener *listener)
{
    if (!listener)
        return;
    event_del(&listener->readable);
    event_del(&listener->resume);
    close(listener->fd);
    free(listener);
}
