/* Deadlines: a hashed timing wheel. Setting and clearing are O(1) and cost no system call; a deadline fires
 * at most one tick late and never early. One thread. */
#ifndef DG_NET_TIMERS_H
#define DG_NET_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DG_TICK_MS = 32, DG_WHEEL_SLOTS = 1024 };

typedef struct dg_timer {
    struct dg_timer *next, **link; /* link NULL = not set */
    uint64_t due_ms;               /* on the monotonic clock */
} dg_timer;

/* The owner of a timer is told once; the timer is no longer set then, and may be set again. */
typedef void (*dg_timer_fire)(dg_timer *timer);

typedef struct dg_wheel {
    dg_timer *slots[DG_WHEEL_SLOTS];
    uint64_t tick;  /* the last one that was looked at */
    size_t pending; /* timers set */
    dg_timer_fire fire;
} dg_wheel;

void dg_wheel_init(dg_wheel *wheel, uint64_t now_ms, dg_timer_fire fire);
/* Fires all that is due at now_ms. Timers may be set and cleared by what they call. */
void dg_wheel_advance(dg_wheel *wheel, uint64_t now_ms);

void dg_timer_set(dg_wheel *wheel, dg_timer *timer, uint64_t due_ms);
void dg_timer_clear(dg_wheel *wheel, dg_timer *timer); /* not set is fine */
static inline bool dg_timer_is_set(const dg_timer *timer) { return timer->link != NULL; }

#endif
