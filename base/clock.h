/* Two clocks. Deadlines run on the monotonic one and never on the wall clock; dates (Sunset, Date, logs)
 * come from the wall clock and never from the monotonic one. */
#ifndef DG_BASE_CLOCK_H
#define DG_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary start. Any thread. */
uint64_t dg_monotonic_ms(void);
/* Microseconds since the same start, for latencies. */
uint64_t dg_monotonic_us(void);
/* Seconds since 1970-01-01T00:00:00Z, without leap seconds. */
int64_t dg_wall_s(void);

#endif
