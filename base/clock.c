#include "base/clock.h"

#include <time.h>

static uint64_t monotonic_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t dg_monotonic_ms(void)
{
    return monotonic_ns() / 1000000u;
}

uint64_t dg_monotonic_us(void)
{
    return monotonic_ns() / 1000u;
}

int64_t dg_wall_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}
