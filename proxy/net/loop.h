/* A worker's event loop: libevent's base without locks, the deadlines, the pool of read blocks. Everything
 * in this room belongs to one loop and is used on its thread only; the room is the only libevent user on the
 * way of a request. */
#ifndef DG_NET_LOOP_H
#define DG_NET_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/buf.h"
#include "proxy/net/timers.h"

enum {
    DG_BLOCK_BYTES = 16384, /* what one read takes at most, and the largest head */
    DG_BLOCK_PADDING = 64,  /* readable bytes behind a block: the engine may look there */
    DG_BLOCKS_KEPT = 256,
    DG_LATE_MS = 250 /* a tick that is so late found the process stopped or its loop held up */
};

typedef struct dg_block {
    struct dg_block *next;
    char bytes[DG_BLOCK_BYTES + DG_BLOCK_PADDING];
} dg_block;

typedef struct dg_loop {
    struct event_base *base;
    dg_wheel wheel;
    struct event tick; /* runs only while a deadline is set */
    bool ticking, late;   /* late: the last tick was, and nothing was declared overdue by it */
    uint64_t ticking_ms;  /* since when the tick is awaited */
    uint64_t now_us, now_ms; /* monotonic, taken when an event arrives: one look at the clock an event */
    dg_block *blocks;
    size_t blocks_kept;
} dg_loop;

DG_MUST_USE dg_status dg_loop_init(dg_loop *loop);
void dg_loop_free(dg_loop *loop);

/* NULL when out of memory. */
dg_block *dg_block_take(dg_loop *loop);
void dg_block_give(dg_loop *loop, dg_block *block);

void dg_loop_look_at_clock(dg_loop *loop);
void dg_loop_deadline(dg_loop *loop, dg_timer *timer, uint64_t after_ms);

#endif
