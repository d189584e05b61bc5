/* The inside of the usage room: slots, groups, shards, and the snapshot that reports are written
 * from.
 *
 * A slot is an (api, version, endpoint); a group an (api, version); a key is a slot with a method
 * and a status. Slots and groups are appended by the control thread under the mutex and never move
 * or change, so a worker that was given an id may read what it names without a lock. */
#ifndef DG_PROXY_USAGE_TABLE_H
#define DG_PROXY_USAGE_TABLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "proxy/usage/usage.h"

enum {
    DG_USAGE_SLOTS_MAX = 8192,
    DG_USAGE_GROUPS_MAX = 256,
    DG_USAGE_SHARDS_MAX = 256,
    DG_USAGE_NAME_MAX = 1024,    /* bytes of one name */
    DG_USAGE_ENTRIES = 4096,     /* of a shard, 64 KB; a power of two */
    DG_USAGE_ENTRIES_MAX = 3072, /* for combinations as they come */
    DG_USAGE_OTHERS_MAX = 3584,  /* the room above is for those under endpoint "other" */
    DG_USAGE_STATUS_OTHER = 1000 /* no HTTP status */
};

/*   label      upper bound in microseconds */
#define DG_USAGE_BUCKET_TABLE(X)                                                                   \
    X("0.0005", 500)                                                                               \
    X("0.001", 1000)                                                                               \
    X("0.0025", 2500)                                                                              \
    X("0.005", 5000)                                                                               \
    X("0.01", 10000)                                                                               \
    X("0.025", 25000)                                                                              \
    X("0.05", 50000)                                                                               \
    X("0.1", 100000)                                                                               \
    X("0.25", 250000)                                                                              \
    X("0.5", 500000)                                                                               \
    X("1", 1000000)                                                                                \
    X("2.5", 2500000)                                                                              \
    X("5", 5000000)                                                                                \
    X("10", 10000000)                                                                              \
    X("+Inf", UINT64_MAX)
enum { DG_USAGE_BUCKETS = 15 };

/* Methods of RFC 9110 and 5789; their order is that of the reports. */
#define DG_USAGE_METHOD_TABLE(X)                                                                   \
    X(CONNECT)                                                                                     \
    X(DELETE)                                                                                      \
    X(GET)                                                                                         \
    X(HEAD)                                                                                        \
    X(OPTIONS)                                                                                     \
    X(PATCH)                                                                                       \
    X(POST)                                                                                        \
    X(PUT)                                                                                         \
    X(TRACE)
typedef enum dg_usage_method {
#define DG_USAGE_METHOD_ENUM(name) DG_USAGE_METHOD_##name,
    DG_USAGE_METHOD_TABLE(DG_USAGE_METHOD_ENUM)
#undef DG_USAGE_METHOD_ENUM
        DG_USAGE_METHOD_OTHER
} dg_usage_method;

typedef struct dg_usage_slot_names {
    char *text; /* what the slices point into */
    dg_slice api, version, endpoint;
    uint32_t group;
    uint32_t next; /* of the same bucket: id + 1, 0 = none */
} dg_usage_slot_names;

/* What a shard counts of a group beside its keys. */
typedef struct dg_usage_group {
    _Atomic uint64_t buckets[DG_USAGE_BUCKETS]; /* each request in one */
    _Atomic uint64_t duration_us;
    _Atomic uint64_t spilled;  /* requests that not even endpoint "other" had room for */
    _Atomic int64_t last_seen; /* seconds since 1970, 0 = never */
} dg_usage_group;

typedef struct dg_usage_entry {
    _Atomic uint64_t key; /* 0 = free; stored with release after the first count */
    _Atomic uint64_t count;
} dg_usage_entry;

struct dg_usage_shard {
    const dg_usage *usage;
    size_t used; /* entries; the owner's alone */
    _Atomic int64_t gauges[DG_GAUGE_COUNT];
    _Atomic(dg_usage_group *) groups[DG_USAGE_GROUPS_MAX];
    dg_usage_entry entries[DG_USAGE_ENTRIES];
};

struct dg_usage {
    pthread_mutex_t mutex; /* over slots, groups and shards as lists; never taken by a worker */
    int64_t since;         /* seconds since 1970 */
    size_t group_count, shard_count;
    _Atomic uint32_t slot_count;
    uint32_t heads[1024];                      /* id + 1 by hash of the names */
    uint32_t group_other[DG_USAGE_GROUPS_MAX]; /* the slot (api, version, "other") */
    dg_usage_shard *shards[DG_USAGE_SHARDS_MAX];
    dg_usage_slot_names slots[DG_USAGE_SLOTS_MAX];
};

static inline uint64_t dg_usage_key(uint32_t slot, unsigned method, unsigned status)
{
    return ((uint64_t)slot + 1) << 16 | (uint64_t)method << 10 | status;
}
static inline uint32_t dg_usage_key_slot(uint64_t key)
{
    return (uint32_t)(key >> 16) - 1;
}
static inline unsigned dg_usage_key_method(uint64_t key)
{
    return (unsigned)(key >> 10) & 15;
}
static inline unsigned dg_usage_key_status(uint64_t key)
{
    return (unsigned)key & 1023;
}

typedef struct dg_usage_item {
    uint64_t key, count;
} dg_usage_item;

typedef struct dg_usage_total {
    uint32_t other; /* a slot of the group, for its names */
    uint64_t buckets[DG_USAGE_BUCKETS], duration_us;
    int64_t last_seen;
} dg_usage_total;

/* All shards added up: items by api, version, endpoint, method, status; totals by api and version.
 */
typedef struct dg_usage_snapshot {
    dg_usage_item *items;
    size_t item_count;
    dg_usage_total *totals;
    size_t total_count;
    int64_t gauges[DG_GAUGE_COUNT];
} dg_usage_snapshot;

/* With the mutex held. DG_NOMEM. */
DG_MUST_USE dg_status dg_usage_snapshot_take(dg_usage *usage, dg_usage_snapshot *ret_snapshot);
void dg_usage_snapshot_free(dg_usage_snapshot *snapshot);

#endif
