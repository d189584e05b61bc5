/* A connection: an edge-triggered socket, plain or TLS, with a read block while it is active, a queue of
 * bytes that could not be written yet, and one deadline.
 *
 * One event is registered once for reading, writing and the peer's close, and never changed: after that a
 * request costs no epoll_ctl. The flags remember what the edges said. An idle connection holds no buffer.
 * One thread: the loop's. The process must ignore SIGPIPE: OpenSSL writes without MSG_NOSIGNAL. */
#ifndef DG_NET_CONN_H
#define DG_NET_CONN_H

#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/ssl.h>

#include "proxy/net/loop.h"

typedef struct dg_conn dg_conn;

/* What the owner of a connection does. Either may free the connection; nothing touches it afterwards. */
typedef struct dg_conn_handler {
    void (*ready)(dg_conn *conn);   /* something changed: progress, readable, writable */
    void (*expired)(dg_conn *conn); /* the deadline passed */
} dg_conn_handler;

typedef enum dg_conn_phase { DG_CONN_CONNECTING, DG_CONN_HANDSHAKE, DG_CONN_OPEN } dg_conn_phase;

struct dg_conn {
    dg_loop *loop;
    const dg_conn_handler *handler;
    struct event event;
    dg_timer timer;
    SSL *ssl;     /* NULL = plain */
    dg_block *in; /* NULL while there is nothing to read */
    uint32_t in_start, in_end;
    dg_buf out; /* queued; empty in the common case */
    size_t out_start;
    int fd;
    uint8_t phase;      /* dg_conn_phase */
    bool can_read : 1;  /* an edge came, and nothing said that the socket is drained */
    bool peer_done : 1; /* the peer sent FIN: read on until 0 */
    bool eof : 1;       /* 0 was read */
    bool broken : 1;    /* an error was met */
};

/* Takes over fd (closed on failure too) and ssl. */
DG_MUST_USE dg_status dg_conn_open(dg_conn *conn, dg_loop *loop, int fd, SSL *ssl, dg_conn_phase phase,
                                   const dg_conn_handler *handler);
/* Closes and releases; the memory of the struct is the owner's. Twice is fine. */
void dg_conn_close(dg_conn *conn);
/* Nothing will be written any more; reading goes on. */
void dg_conn_half_close(dg_conn *conn);
/* As close, but with a reset: for a cut that must not look like an end. */
void dg_conn_reset(dg_conn *conn);

/* Drives connect alone: DG_OK when there is a peer, and nothing was sent to it yet. DG_AGAIN, DG_IO. */
DG_MUST_USE dg_status dg_conn_progress_connect(dg_conn *conn);
/* Drives connect and the TLS handshake. DG_OK when open, DG_AGAIN, DG_IO. */
DG_MUST_USE dg_status dg_conn_progress(dg_conn *conn);

/* After a handshake that failed before it answered: what follows is in plain text. */
void dg_conn_drop_tls(dg_conn *conn);

/* The bytes read and not consumed; valid until the next fill, consume or close. */
static inline dg_slice dg_conn_input(const dg_conn *conn)
{
    return conn->in ? (dg_slice){conn->in->bytes + conn->in_start, conn->in_end - conn->in_start}
                    : (dg_slice){NULL, 0};
}
/* Reads once more into the block. DG_OK: bytes came. DG_AGAIN: none now. DG_CLOSED: the peer's end.
 * DG_LIMIT: the block is full. DG_IO, DG_NOMEM. */
DG_MUST_USE dg_status dg_conn_fill(dg_conn *conn);
void dg_conn_consume(dg_conn *conn, size_t bytes);
/* Gives the block back if it holds nothing. */
void dg_conn_rest(dg_conn *conn);

/* Whether the peer has closed its end, whole or half, or is lost; what it sent before may still wait to be read. */
bool dg_conn_peer_is_gone(const dg_conn *conn);

/* Leaves the rest for the loop's next turn, behind the others: the edges come anew. False when it cannot. */
bool dg_conn_yield(dg_conn *conn);

/* Writes, and queues a copy of what the socket does not take now. DG_OK even when queued; DG_IO, DG_NOMEM. */
DG_MUST_USE dg_status dg_conn_write(dg_conn *conn, const struct iovec *iov, int count);
/* DG_OK: nothing is queued any more. DG_AGAIN. DG_IO. */
DG_MUST_USE dg_status dg_conn_flush(dg_conn *conn);
static inline size_t dg_conn_queued(const dg_conn *conn) { return conn->out.len - conn->out_start; }

void dg_conn_deadline(dg_conn *conn, uint64_t after_ms); /* replaces the one before */
/* Moves the deadline, if one is set, but never further away than at_most_ms from now. */
void dg_conn_extend_deadline(dg_conn *conn, uint64_t by_ms, uint64_t at_most_ms);
void dg_conn_no_deadline(dg_conn *conn);

/* For the loop. */
void dg_conn_timer_fired(dg_timer *timer);

#endif
