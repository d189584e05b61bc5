/* A fast hash of short byte strings, seeded per process so that a peer cannot aim at collisions. */
#ifndef DG_BASE_HASH_H
#define DG_BASE_HASH_H

#include "base/slice.h"

/* The process's seed, drawn from the kernel once. Any thread. */
uint64_t dg_hash_seed(void);
uint64_t dg_hash(dg_slice s, uint64_t seed);

#endif
