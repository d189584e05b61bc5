#include "proxy/server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proxy/log.h"

/* A listening socket of a worker, and the listener of the newest configuration that it serves. */
typedef struct dg_acceptor {
    struct dg_acceptor *next;
    dg_worker *worker;
    dg_address address;
    const dg_listen *listen;
    dg_listener *listener;
} dg_acceptor;

static bool has_room(void *context)
{
    const dg_acceptor *acceptor = context;
    return dg_edge_has_room(&acceptor->worker->edge);
}

static void accepted(void *context, int fd, const struct sockaddr *peer)
{
    const dg_acceptor *acceptor = context;
    dg_edge_accept(&acceptor->worker->edge, fd, peer, acceptor->listen);
}

static void paused(void *context, int error)
{
    (void)context;
    dg_log_peer("accept", "accepting pauses: %s",
                error ? strerror(error) : "the limit of connections is reached");
}

static const dg_listener_handler handler = {has_room, accepted, paused};

static bool same_address(const dg_address *a, const dg_address *b)
{
    return a->size == b->size && memcmp(&a->storage, &b->storage, a->size) == 0;
}

/* The listener that names an address, or NULL. */
static const dg_listen *find_listen(const dg_config *config, const dg_address *address)
{
    for (size_t i = 0; i < config->listen_count; i++)
        for (size_t k = 0; k < config->listens[i].address_count; k++)
            if (same_address(&config->listens[i].addresses[k], address))
                return &config->listens[i];
    return NULL;
}

static void acceptor_free(dg_acceptor *acceptor)
{
    dg_listener_free(acceptor->listener);
    free(acceptor);
}

static void open_acceptor(dg_worker *worker, const dg_socket *socket)
{
    dg_acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (!acceptor) {
        close(socket->fd);
        return;
    }
    acceptor->worker = worker;
    acceptor->address = socket->address;
    if (dg_listener_new(&worker->edge.loop, socket->fd, &handler, acceptor, &acceptor->listener) !=
        DG_OK) {
        free(acceptor);
        return;
    }
    acceptor->next = worker->acceptors;
    worker->acceptors = acceptor;
}

/* Closes the acceptors that may not stay. */
static void close_acceptors(dg_worker *worker, bool (*stays)(const dg_acceptor *acceptor))
{
    for (dg_acceptor **at = &worker->acceptors; *at;) {
        dg_acceptor *acceptor = *at;
        if (stays(acceptor)) {
            at = &acceptor->next;
            continue;
        }
        *at = acceptor->next;
        acceptor_free(acceptor);
    }
}

static bool is_listed(const dg_acceptor *acceptor)
{
    return acceptor->listen != NULL;
}

/* While it drains, /readyz is still asked, and says so. */
static bool is_control(const dg_acceptor *acceptor)
{
    return acceptor->listen && acceptor->listen->control;
}

static bool is_nothing(const dg_acceptor *acceptor)
{
    (void)acceptor;
    return false;
}

/* Points every acceptor at its listener in the new configuration, and closes those that have none. */
static void settle_acceptors(dg_worker *worker, const dg_config *config)
{
    for (dg_acceptor *acceptor = worker->acceptors; acceptor; acceptor = acceptor->next)
        acceptor->listen = find_listen(config, &acceptor->address);
    close_acceptors(worker, is_listed);
}

static void take_snapshot(dg_worker *worker, dg_worker_mail *mail)
{
    dg_status status = dg_edge_switch(&worker->edge, mail->snapshot);
    if (status != DG_OK)
        dg_log(DG_LOG_ERROR, "a worker keeps the old configuration: out of memory");
    for (size_t i = 0; i < mail->socket_count; i++)
        open_acceptor(worker, &mail->sockets[i]);
    settle_acceptors(worker, &worker->edge.epoch->snapshot->config);
    dg_snapshot_unref(mail->snapshot);
    free(mail->sockets);
}

static void report_if_empty(dg_worker *worker)
{
    uint64_t one = 1;
    if (!worker->edge.draining || !dg_edge_is_empty(&worker->edge) || atomic_load(&worker->empty))
        return;
    atomic_store(&worker->empty, true);
    if (write(worker->done_fd, &one, sizeof one) < 0)
        dg_log(DG_LOG_ERROR, "a worker cannot say that it has drained");
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    dg_worker *worker = arg;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        dg_log(DG_LOG_ERROR, "a worker cannot read its mail");
    pthread_mutex_lock(&worker->lock);
    dg_worker_mail mail = worker->mail;
    worker->mail = (dg_worker_mail){.snapshot = NULL};
    pthread_mutex_unlock(&worker->lock);
    if (mail.snapshot)
        take_snapshot(worker, &mail);
    if (mail.drain && !worker->edge.draining) {
        close_acceptors(worker, is_control);
        dg_edge_drain(&worker->edge);
    }
    if (mail.stop)
        event_base_loopbreak(worker->edge.loop.base);
}

static void *work(void *arg)
{
    dg_worker *worker = arg;
    struct event_base *base = worker->edge.loop.base;
    /* One turn at a time, so that an edge that went empty is seen at once. */
    while (event_base_loop(base, EVLOOP_ONCE) == 0 && !event_base_got_break(base))
        report_if_empty(worker);
    return NULL;
}

static void worker_free(dg_worker *worker)
{
    close_acceptors(worker, is_nothing);
    event_del(&worker->wake);
    dg_edge_free(&worker->edge);
    if (worker->mail.snapshot) {
        for (size_t i = 0; i < worker->mail.socket_count; i++)
            close(worker->mail.sockets[i].fd);
        free(worker->mail.sockets);
        dg_snapshot_unref(worker->mail.snapshot);
    }
    close(worker->wake_fd);
    pthread_mutex_destroy(&worker->lock);
}

dg_status dg_worker_start(dg_worker *worker, const dg_worker_mail *first, dg_usage_shard *usage,
                          dg_accesslog_ring *log, const char *via, int done_fd)
{
    *worker = (dg_worker){.done_fd = done_fd, .mail = *first};
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->wake_fd < 0)
        return DG_IO;
    dg_status status = dg_edge_init(&worker->edge, first->snapshot, usage, log, via);
    if (status != DG_OK) {
        close(worker->wake_fd);
        return status;
    }
    pthread_mutex_init(&worker->lock, NULL);
    event_assign(&worker->wake, worker->edge.loop.base, worker->wake_fd, EV_READ | EV_PERSIST, on_wake,
                 worker);
    uint64_t one = 1;
    if (event_add(&worker->wake, NULL) != 0 || write(worker->wake_fd, &one, sizeof one) < 0 ||
        pthread_create(&worker->thread, NULL, work, worker) != 0) {
        worker->mail = (dg_worker_mail){.snapshot = NULL};
        worker_free(worker);
        return DG_NOMEM;
    }
    worker->running = true;
    return DG_OK;
}

/* The box has room for DG_SOCKETS_MAX, as every mail; beyond that a worker that looks at nothing is left out. */
static void add_sockets(dg_worker_mail *box, const dg_worker_mail *mail)
{
    for (size_t i = 0; i < mail->socket_count; i++) {
        if (box->socket_count < DG_SOCKETS_MAX)
            box->sockets[box->socket_count++] = mail->sockets[i];
        else
            close(mail->sockets[i].fd);
    }
    free(mail->sockets);
}

void dg_worker_tell(dg_worker *worker, const dg_worker_mail *mail)
{
    uint64_t one = 1;
    pthread_mutex_lock(&worker->lock);
    dg_worker_mail *box = &worker->mail;
    if (mail->snapshot) {
        if (box->snapshot) { /* not looked at yet: its sockets are among those that this one counts on */
            dg_snapshot_unref(box->snapshot);
            add_sockets(box, mail);
        } else {
            box->sockets = mail->sockets;
            box->socket_count = mail->socket_count;
        }
        box->snapshot = mail->snapshot;
    }
    box->drain |= mail->drain;
    box->stop |= mail->stop;
    pthread_mutex_unlock(&worker->lock);
    if (write(worker->wake_fd, &one, sizeof one) < 0)
        dg_log(DG_LOG_ERROR, "a worker cannot be woken");
}

void dg_worker_join(dg_worker *worker)
{
    if (!worker->running)
        return;
    dg_worker_tell(worker, &(dg_worker_mail){.stop = true});
    pthread_join(worker->thread, NULL);
    worker->running = false;
    worker_free(worker);
}
