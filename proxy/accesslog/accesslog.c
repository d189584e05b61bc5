#include "proxy/accesslog/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BATCH_MS = 50,       /* how long lines may wait for others, so that a write takes many */
    RETRY_MS = 1000,     /* after a write that failed */
    CACHE_LINE_BYTES = 64
};

/* Positions count bytes for ever and are taken modulo the ring. */
struct dg_accesslog_ring {
    _Alignas(CACHE_LINE_BYTES) _Atomic uint64_t filled; /* the worker's */
    _Atomic uint64_t dropped;                           /* likewise */
    _Alignas(CACHE_LINE_BYTES) _Atomic uint64_t emptied; /* the writer's */
    dg_accesslog *log;
    char bytes[DG_ACCESSLOG_RING_BYTES];
};

struct dg_accesslog {
    pthread_t thread;
    int wake_fd;          /* eventfd */
    atomic_bool sleeping; /* the writer waits for wake_fd without a timeout */
    atomic_bool ending;
    _Atomic int next_fd; /* a newly opened file for the writer to change to, or -1 */
    int fd;              /* the writer's */
    size_t current;      /* the ring that a short write stopped in: its line is finished first */
    size_t ring_count;
    dg_accesslog_ring **rings;
};

static int open_file(const char *path)
{
    if (!path)
        return open("/dev/full", O_WRONLY | O_CLOEXEC); /* takes nothing, as a full disk */
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

static void wake(dg_accesslog *log)
{
    uint64_t one = 1;
    ssize_t n = write(log->wake_fd, &one, sizeof one); /* a full counter wakes as well */
    (void)n;
}

/* ---- a worker */

bool dg_accesslog_write(dg_accesslog_ring *ring, dg_slice line)
{
    uint64_t filled = atomic_load_explicit(&ring->filled, memory_order_relaxed);
    uint64_t emptied = atomic_load_explicit(&ring->emptied, memory_order_acquire);
    if (line.len > DG_ACCESSLOG_LINE_BYTES_MAX ||
        line.len > DG_ACCESSLOG_RING_BYTES - (size_t)(filled - emptied)) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return false;
    }
    size_t at = (size_t)(filled % DG_ACCESSLOG_RING_BYTES), room = DG_ACCESSLOG_RING_BYTES - at;
    size_t first = line.len < room ? line.len : room;
    memcpy(ring->bytes + at, line.ptr, first);
    memcpy(ring->bytes, line.ptr + first, line.len - first);
    /* Sequentially consistent, as is the writer's look at it after it said that it sleeps: one of the two sees
     * the other. */
    atomic_store(&ring->filled, filled + line.len);
    if (atomic_load(&ring->log->sleeping) && atomic_exchange(&ring->log->sleeping, false))
        wake(ring->log);
    return true;
}

/* ---- the writer */

static bool has_lines(dg_accesslog *log)
{
    for (size_t i = 0; i < log->ring_count; i++)
        if (atomic_load(&log->rings[i]->filled) !=
            atomic_load_explicit(&log->rings[i]->emptied, memory_order_relaxed))
            return true;
    return false;
}

/* Writes what the ring holds. False when the file does not take all of it now. */
static bool empty_ring(dg_accesslog *log, dg_accesslog_ring *ring)
{
    uint64_t filled = atomic_load_explicit(&ring->filled, memory_order_acquire);
    uint64_t emptied = atomic_load_explicit(&ring->emptied, memory_order_relaxed);
    while (emptied != filled) {
        size_t at = (size_t)(emptied % DG_ACCESSLOG_RING_BYTES), left = (size_t)(filled - emptied);
        size_t first = left < DG_ACCESSLOG_RING_BYTES - at ? left : DG_ACCESSLOG_RING_BYTES - at;
        struct iovec iov[] = {{ring->bytes + at, first}, {ring->bytes, left - first}};
        ssize_t n = writev(log->fd, iov, left > first ? 2 : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        emptied += (uint64_t)n;
        atomic_store_explicit(&ring->emptied, emptied, memory_order_release);
    }
    return true;
}

/* All rings, the one with the unfinished line first. */
static bool empty_rings(dg_accesslog *log)
{
    for (size_t n = 0; n < log->ring_count; n++) {
        if (!empty_ring(log, log->rings[log->current]))
            return false;
        log->current = (log->current + 1) % log->ring_count;
    }
    return true;
}

/* Whether the file ends with a whole line: then it may be changed for another one, and none is torn. */
static bool is_between_lines(const dg_accesslog *log)
{
    const dg_accesslog_ring *ring = log->rings[log->current];
    uint64_t emptied = atomic_load_explicit(&ring->emptied, memory_order_relaxed);
    return emptied == 0 || ring->bytes[(emptied - 1) % DG_ACCESSLOG_RING_BYTES] == '\n';
}

static void change_file(dg_accesslog *log)
{
    int fd = atomic_exchange(&log->next_fd, -1);
    if (fd < 0)
        return;
    close(log->fd);
    log->fd = fd;
}

static void wait_for_lines(dg_accesslog *log, bool written)
{
    struct pollfd poll_fd = {.fd = log->wake_fd, .events = POLLIN};
    uint64_t count;
    int timeout = written ? BATCH_MS : RETRY_MS;
    if (written) {
        atomic_store(&log->sleeping, true);
        if (!has_lines(log) && !atomic_load(&log->ending) && atomic_load(&log->next_fd) < 0)
            timeout = -1;
        else
            atomic_store(&log->sleeping, false);
    }
    if (poll(&poll_fd, 1, timeout) > 0 && read(log->wake_fd, &count, sizeof count) < 0)
        return; /* somebody else's wake-up: the loop looks at everything anyway */
    atomic_store(&log->sleeping, false);
    if (timeout < 0 && !atomic_load(&log->ending)) /* woken by the first line: others follow */
        poll(NULL, 0, BATCH_MS);
}

static void *write_lines(void *arg)
{
    dg_accesslog *log = arg;
    for (;;) {
        bool ending = atomic_load(&log->ending); /* before the rings are looked at for the last time */
        if (is_between_lines(log))
            change_file(log);
        bool written = empty_rings(log);
        if (ending)
            return NULL;
        wait_for_lines(log, written);
    }
}

/* ---- beginning and end */

static void destroy(dg_accesslog *log)
{
    int next = atomic_load(&log->next_fd);
    for (size_t i = 0; log->rings && i < log->ring_count; i++)
        free(log->rings[i]);
    free(log->rings);
    if (log->fd >= 0)
        close(log->fd);
    if (next >= 0)
        close(next);
    if (log->wake_fd >= 0)
        close(log->wake_fd);
    free(log);
}

static bool make_rings(dg_accesslog *log, size_t rings)
{
    log->rings = calloc(rings, sizeof *log->rings);
    for (; log->rings && log->ring_count < rings; log->ring_count++) {
        dg_accesslog_ring *ring = aligned_alloc(CACHE_LINE_BYTES, sizeof *ring);
        if (!ring)
            return false;
        atomic_init(&ring->filled, 0);
        atomic_init(&ring->dropped, 0);
        atomic_init(&ring->emptied, 0);
        ring->log = log;
        log->rings[log->ring_count] = ring;
    }
    return log->rings != NULL;
}

dg_status dg_accesslog_new(const char *path, size_t rings, dg_accesslog **ret_log)
{
    dg_accesslog *log = calloc(1, sizeof *log);
    if (!log)
        return DG_NOMEM;
    atomic_init(&log->next_fd, -1);
    log->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    log->fd = open_file(path);
    int error = errno;
    dg_status status = log->fd < 0 || log->wake_fd < 0 ? DG_IO : DG_OK;
    if (status == DG_OK &&
        (!make_rings(log, rings) || pthread_create(&log->thread, NULL, write_lines, log) != 0))
        status = DG_NOMEM;
    if (status != DG_OK) {
        destroy(log);
        errno = error;
        return status;
    }
    *ret_log = log;
    return DG_OK;
}

void dg_accesslog_free(dg_accesslog *log)
{
    if (!log)
        return;
    atomic_store(&log->ending, true);
    wake(log);
    pthread_join(log->thread, NULL);
    destroy(log);
}

dg_accesslog_ring *dg_accesslog_ring_at(dg_accesslog *log, size_t index)
{
    DG_ASSERT(index < log->ring_count);
    return log->rings[index];
}

dg_status dg_accesslog_reopen(dg_accesslog *log, const char *path)
{
    int fd = open_file(path);
    if (fd < 0)
        return DG_IO;
    int unused = atomic_exchange(&log->next_fd, fd);
    if (unused >= 0)
        close(unused);
    wake(log);
    return DG_OK;
}

uint64_t dg_accesslog_dropped(const dg_accesslog *log)
{
    uint64_t total = 0;
    for (size_t i = 0; i < log->ring_count; i++)
        total += atomic_load_explicit(&log->rings[i]->dropped, memory_order_relaxed);
    return total;
}
