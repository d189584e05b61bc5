#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/net/timers.h"

/* A timer as a plain model sees it. */
typedef struct model {
    dg_timer timer; /* first */
    uint64_t set_tick;
    unsigned fired, again; /* again: set anew so often by its own firing */
    uint64_t after_ms;
    struct model *victim; /* cleared by its firing */
} model;

static dg_wheel wheel;
static uint64_t now_ms;
static size_t pending; /* as the model counts */

static void set(model *m, uint64_t due_ms)
{
    pending += dg_timer_is_set(&m->timer) ? 0 : 1;
    m->set_tick = wheel.tick;
    dg_timer_set(&wheel, &m->timer, due_ms);
}

static void clear(model *m)
{
    pending -= dg_timer_is_set(&m->timer) ? 1 : 0;
    dg_timer_clear(&wheel, &m->timer);
}

static void fire(dg_timer *timer)
{
    model *m = (model *)(void *)timer;
    assert_false(dg_timer_is_set(timer));
    assert_true(timer->due_ms <= now_ms); /* never early */
    m->fired++;
    pending--;
    if (m->victim)
        clear(m->victim);
    if (m->again) {
        m->again--;
        set(m, now_ms + m->after_ms);
    }
}

/* The tick at which it has fired at the latest: the one that begins after it was due. */
static uint64_t last_tick(const model *m)
{
    uint64_t due = m->timer.due_ms / DG_TICK_MS + 1;
    return due > m->set_tick ? due : m->set_tick + 1;
}

static void advance(uint64_t to_ms)
{
    now_ms = to_ms;
    dg_wheel_advance(&wheel, now_ms);
    assert_int_equal(wheel.pending, pending);
}

static int begin(void **state)
{
    (void)state;
    now_ms = 1000000;
    pending = 0;
    dg_wheel_init(&wheel, now_ms, fire);
    return 0;
}

static void fires_once_and_at_most_a_tick_late(void **state)
{
    (void)state;
    for (uint64_t after = 0; after < 200; after++) {
        model m = {.fired = 0};
        uint64_t due = now_ms + after;
        set(&m, due);
        while (!m.fired)
            advance(now_ms + 1);
        assert_in_range(now_ms, due, due + DG_TICK_MS);
        advance(now_ms + 5000);
        assert_int_equal(m.fired, 1);
    }
}

static void waits_for_more_than_a_round(void **state)
{
    (void)state;
    uint64_t round = (uint64_t)DG_TICK_MS * DG_WHEEL_SLOTS, start = now_ms;
    model m = {.fired = 0};
    set(&m, start + 3 * round + 7);
    while (now_ms < start + 3 * round) {
        advance(now_ms + DG_TICK_MS);
        assert_int_equal(m.fired, 0);
    }
    advance(now_ms + 7 + DG_TICK_MS);
    assert_int_equal(m.fired, 1);
}

static void a_long_sleep_fires_what_is_due_and_nothing_else(void **state)
{
    (void)state;
    uint64_t round = (uint64_t)DG_TICK_MS * DG_WHEEL_SLOTS, start = now_ms;
    model timers[500];
    for (size_t i = 0; i < 500; i++) {
        timers[i] = (model){.fired = 0};
        set(&timers[i], start + i * round / 50); /* up to ten rounds ahead */
    }
    advance(start + 5 * round);
    for (size_t i = 0; i < 500; i++)
        if (i != 250) /* due at this very moment: either way is right */
            assert_int_equal(timers[i].fired, i < 250);
    advance(start + 20 * round);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(timers[i].fired, 1);
}

static void the_last_setting_counts(void **state)
{
    (void)state;
    model m = {.fired = 0};
    set(&m, now_ms + 50);
    set(&m, now_ms + 5000);
    advance(now_ms + 1000);
    assert_int_equal(m.fired, 0);
    advance(now_ms + 5000);
    assert_int_equal(m.fired, 1);
    set(&m, now_ms + 50);
    clear(&m);
    clear(&m);
    advance(now_ms + 1000);
    assert_int_equal(m.fired, 1);
}

static void may_be_set_again_while_firing(void **state)
{
    (void)state;
    model at_once = {.again = 3, .after_ms = 0}, later = {.again = 1, .after_ms = 500};
    set(&at_once, now_ms);
    set(&later, now_ms);
    for (unsigned i = 1; i <= 4; i++) {
        advance(now_ms + DG_TICK_MS);
        assert_int_equal(at_once.fired, i);
        assert_int_equal(later.fired, 1);
    }
    advance(now_ms + DG_TICK_MS);
    assert_int_equal(at_once.fired, 4);
    advance(now_ms + 500);
    assert_int_equal(later.fired, 2);
}

/* In a slot the newest comes first: each of the two ways round one of them is still in the list. */
static void may_clear_others_of_the_same_slot_while_firing(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        model a = {.fired = 0}, b = {.fired = 0}, c = {.fired = 0};
        set(&a, now_ms);
        set(&b, now_ms);
        set(&c, now_ms);
        b.victim = way ? &a : &c;
        advance(now_ms + 1000);
        assert_int_equal(b.fired, 1);
        assert_int_equal(a.fired + c.fired, way ? 1 : 2);
        assert_int_equal(a.fired, way ? 0 : 1);
    }
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Thousands of timers, set, set again and cleared at random, while time goes in steps of every
 * size. */
static void agrees_with_a_plain_model(void **state)
{
    (void)state;
    enum { TIMERS = 3000, STEPS = 3000 };
    static const uint64_t spans[] = {40, 1000, 40000, 200000};
    model *timers = calloc(TIMERS, sizeof *timers);
    assert_non_null(timers);
    uint64_t seed = 88172645463325252ULL;
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < 30; i++) {
            model *m = &timers[random_next(&seed) % TIMERS];
            uint64_t span = spans[random_next(&seed) % 4];
            m->victim = random_next(&seed) % 8 ? NULL : &timers[random_next(&seed) % TIMERS];
            if (m->victim == m)
                m->victim = NULL;
            if (random_next(&seed) % 5 == 0)
                clear(m);
            else
                set(m, now_ms + random_next(&seed) % span);
        }
        advance(now_ms + random_next(&seed) % (step % 100 ? 100 : 60000));
        for (int i = 0; i < TIMERS; i++)
            if (dg_timer_is_set(&timers[i].timer))
                assert_true(last_tick(&timers[i]) > now_ms / DG_TICK_MS);
    }
    for (int i = 0; i < TIMERS; i++)
        clear(&timers[i]);
    assert_int_equal(wheel.pending, 0);
    free(timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fires_once_and_at_most_a_tick_late, begin),
        cmocka_unit_test_setup(waits_for_more_than_a_round, begin),
        cmocka_unit_test_setup(a_long_sleep_fires_what_is_due_and_nothing_else, begin),
        cmocka_unit_test_setup(the_last_setting_counts, begin),
        cmocka_unit_test_setup(may_be_set_again_while_firing, begin),
        cmocka_unit_test_setup(may_clear_others_of_the_same_slot_while_firing, begin),
        cmocka_unit_test_setup(agrees_with_a_plain_model, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
