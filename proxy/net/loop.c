#include "proxy/net/loop.h"

#include <stdlib.h>

#include "base/clock.h"
#include "proxy/net/conn.h"

void dg_loop_look_at_clock(dg_loop *loop)
{
    loop->now_us = dg_monotonic_us();
    loop->now_ms = loop->now_us / 1000;
}

static void schedule_tick(dg_loop *loop)
{
    static const struct timeval interval = {0, DG_TICK_MS * 1000};
    loop->ticking = event_add(&loop->tick, &interval) == 0;
    loop->ticking_ms = loop->now_ms;
}

/* When the process was stopped, what arrived meanwhile waits in the sockets: it is read before anybody is told
 * that it did not come in time. So a late tick gives way to the next one; that one never does. */
static bool gives_way(dg_loop *loop)
{
    loop->late = !loop->late && loop->now_ms > loop->ticking_ms + DG_TICK_MS + DG_LATE_MS;
    return loop->late;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    dg_loop *loop = arg;
    dg_loop_look_at_clock(loop);
    loop->ticking = false;
    if (!gives_way(loop))
        dg_wheel_advance(&loop->wheel, loop->now_ms);
    if (loop->wheel.pending && !loop->ticking)
        schedule_tick(loop);
}

dg_status dg_loop_init(dg_loop *loop)
{
    *loop = (dg_loop){.base = NULL};
    dg_loop_look_at_clock(loop);
    struct event_config *config = event_config_new();
    if (!config)
        return DG_NOMEM;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!loop->base)
        return DG_NOMEM;
    dg_wheel_init(&loop->wheel, loop->now_ms, dg_conn_timer_fired);
    evtimer_assign(&loop->tick, loop->base, on_tick, loop);
    return DG_OK;
}

void dg_loop_free(dg_loop *loop)
{
    if (loop->base) {
        event_del(&loop->tick);
        event_base_free(loop->base);
    }
    dg_block *next;
    for (dg_block *b = loop->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    *loop = (dg_loop){.base = NULL};
}

dg_block *dg_block_take(dg_loop *loop)
{
    dg_block *block = loop->blocks;
    if (!block) {
        block = malloc(sizeof *block);
        if (block) /* the padding is read, its content is not used */
            memset(block->bytes + DG_BLOCK_BYTES, 0, DG_BLOCK_PADDING);
        return block;
    }
    loop->blocks = block->next;
    loop->blocks_kept--;
    return block;
}

void dg_block_give(dg_loop *loop, dg_block *block)
{
    if (!block)
        return;
    if (loop->blocks_kept >= DG_BLOCKS_KEPT) {
        free(block);
        return;
    }
    block->next = loop->blocks;
    loop->blocks = block;
    loop->blocks_kept++;
}

void dg_loop_deadline(dg_loop *loop, dg_timer *timer, uint64_t after_ms)
{
    dg_timer_set(&loop->wheel, timer, loop->now_ms + after_ms);
    if (!loop->ticking)
        schedule_tick(loop);
}
