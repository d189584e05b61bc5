#include "proxy/net/timers.h"

void dg_wheel_init(dg_wheel *wheel, uint64_t now_ms, dg_timer_fire fire)
{
    *wheel = (dg_wheel){.tick = now_ms / DG_TICK_MS, .fire = fire};
}

void dg_timer_clear(dg_wheel *wheel, dg_timer *timer)
{
    if (!timer->link)
        return;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
    timer->next = NULL;
    wheel->pending--;
}

static void insert(dg_wheel *wheel, dg_timer *timer, uint64_t tick)
{
    dg_timer **slot = &wheel->slots[tick % DG_WHEEL_SLOTS];
    timer->next = *slot;
    timer->link = slot;
    if (*slot)
        (*slot)->link = &timer->next;
    *slot = timer;
    wheel->pending++;
}

void dg_timer_set(dg_wheel *wheel, dg_timer *timer, uint64_t due_ms)
{
    dg_timer_clear(wheel, timer);
    timer->due_ms = due_ms;
    /* The tick in which it is surely due, and at least the next one. */
    uint64_t tick = due_ms / DG_TICK_MS + 1;
    insert(wheel, timer, tick > wheel->tick ? tick : wheel->tick + 1);
}

/* Takes a slot's list off the wheel, then deals with it from the front: whatever firing does to other
 * timers, including those of this list, only ever unlinks or inserts. */
static void turn(dg_wheel *wheel, uint64_t tick, uint64_t now_ms)
{
    dg_timer *list = wheel->slots[tick % DG_WHEEL_SLOTS];
    wheel->slots[tick % DG_WHEEL_SLOTS] = NULL;
    if (list)
        list->link = &list;
    while (list) {
        dg_timer *timer = list;
        dg_timer_clear(wheel, timer);
        if (timer->due_ms <= now_ms)
            wheel->fire(timer);
        else
            insert(wheel, timer, tick); /* another round */
    }
}

void dg_wheel_advance(dg_wheel *wheel, uint64_t now_ms)
{
    uint64_t now = now_ms / DG_TICK_MS;
    /* After a long sleep (a stopped process) every slot is looked at once, not once a tick. */
    if (now > wheel->tick + DG_WHEEL_SLOTS)
        wheel->tick = now - DG_WHEEL_SLOTS;
    while (wheel->tick < now)
        turn(wheel, ++wheel->tick, now_ms);
}
