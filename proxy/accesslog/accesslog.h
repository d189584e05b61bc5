/* The access log's way to its file: written off the workers' path, never blocking them, never a torn line.
 *
 * Each worker has a ring of bytes that it alone fills with whole lines; one writer thread empties the rings
 * into the file. A line that finds its ring full is dropped and counted. When the file cannot be written (a full
 * disk) the rings keep what they hold and the writer tries again, so the file goes on by itself. */
#ifndef DG_PROXY_ACCESSLOG_H
#define DG_PROXY_ACCESSLOG_H

#include "base/slice.h"
#include "base/status.h"

enum {
    DG_ACCESSLOG_RING_BYTES = 1 << 18, /* for each worker; a power of two */
    DG_ACCESSLOG_LINE_BYTES_MAX = 16384
};

typedef struct dg_accesslog dg_accesslog;
typedef struct dg_accesslog_ring dg_accesslog_ring;

/* Opens (appending, mode 0640) the file at `path`, "-" being standard output, and starts the writer thread. NULL:
 * no file yet; lines wait in the rings for one. DG_IO with errno, DG_NOMEM. */
DG_MUST_USE dg_status dg_accesslog_new(const char *path, size_t rings, dg_accesslog **ret_log);
/* Writes what the rings hold, as far as the file takes it, and ends the thread. No worker may write any more.
 * NULL is fine. */
void dg_accesslog_free(dg_accesslog *log);

dg_accesslog_ring *dg_accesslog_ring_at(dg_accesslog *log, size_t index);

/* The worker that owns the ring. `line` ends with its only newline. False when it was dropped: the ring is full,
 * or the line too long. */
bool dg_accesslog_write(dg_accesslog_ring *ring, dg_slice line);

/* Any thread: opens the file at `path` from now on (the same path after a rotation, or another one). What was
 * written to a ring before goes to the old file or the new one, whole. If it cannot be opened, the old file
 * stays in use: DG_IO with errno. */
DG_MUST_USE dg_status dg_accesslog_reopen(dg_accesslog *log, const char *path);

/* Lines that workers dropped so far. Any thread. */
uint64_t dg_accesslog_dropped(const dg_accesslog *log);

#endif
