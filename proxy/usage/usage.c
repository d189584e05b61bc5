#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "proxy/usage/usage_table.h"

static const uint64_t bucket_us[] = {
#define BUCKET_US(label, us) us,
    DG_USAGE_BUCKET_TABLE(BUCKET_US)
#undef BUCKET_US
};

_Static_assert(sizeof bucket_us / sizeof *bucket_us == DG_USAGE_BUCKETS, "the table's length");

static const dg_slice method_names[] = {
#define METHOD_NAME(name) {#name, sizeof #name - 1},
    DG_USAGE_METHOD_TABLE(METHOD_NAME)
#undef METHOD_NAME
};

dg_status dg_usage_new(dg_usage **ret_usage)
{
    dg_usage *usage = calloc(1, sizeof *usage);
    if (!usage)
        return DG_NOMEM;
    if (pthread_mutex_init(&usage->mutex, NULL)) {
        free(usage);
        return DG_NOMEM;
    }
    usage->since = dg_wall_s();
    *ret_usage = usage;
    return DG_OK;
}

static void shard_free(dg_usage_shard *shard)
{
    for (size_t i = 0; i < DG_USAGE_GROUPS_MAX; i++)
        free(atomic_load_explicit(&shard->groups[i], memory_order_relaxed));
    free(shard);
}

void dg_usage_free(dg_usage *usage)
{
    if (!usage)
        return;
    for (size_t i = 0; i < usage->shard_count; i++)
        shard_free(usage->shards[i]);
    uint32_t slots = atomic_load_explicit(&usage->slot_count, memory_order_relaxed);
    for (uint32_t i = 0; i < slots; i++)
        free(usage->slots[i].text);
    pthread_mutex_destroy(&usage->mutex);
    free(usage);
}

static uint32_t *head_of(dg_usage *usage, dg_slice api, dg_slice version, dg_slice endpoint)
{
    uint64_t hash = dg_hash(endpoint, dg_hash(version, dg_hash(api, dg_hash_seed())));
    return &usage->heads[hash % (sizeof usage->heads / sizeof *usage->heads)];
}

/* The id + 1 of the slot with these names, or 0. */
static uint32_t slot_find(dg_usage *usage, dg_slice api, dg_slice version, dg_slice endpoint)
{
    uint32_t at = *head_of(usage, api, version, endpoint);
    for (; at; at = usage->slots[at - 1].next) {
        const dg_usage_slot_names *slot = &usage->slots[at - 1];
        if (dg_slice_eq(slot->endpoint, endpoint) && dg_slice_eq(slot->version, version) &&
            dg_slice_eq(slot->api, api))
            return at;
    }
    return 0;
}

static dg_slice copy_to(char **at, dg_slice s)
{
    char *start = *at;
    if (s.len)
        memcpy(start, s.ptr, s.len);
    *at += s.len;
    return dg_slice_of(start, s.len);
}

static dg_status slot_add(dg_usage *usage, uint32_t group, dg_slice api, dg_slice version,
                          dg_slice endpoint, uint32_t *ret_slot)
{
    uint32_t id = atomic_load_explicit(&usage->slot_count, memory_order_relaxed);
    if (id == DG_USAGE_SLOTS_MAX)
        return DG_LIMIT;
    char *names = malloc(api.len + version.len + endpoint.len + 1);
    if (!names)
        return DG_NOMEM;
    uint32_t *head = head_of(usage, api, version, endpoint);
    dg_usage_slot_names *slot = &usage->slots[id];
    slot->text = names;
    slot->api = copy_to(&names, api);
    slot->version = copy_to(&names, version);
    slot->endpoint = copy_to(&names, endpoint);
    slot->group = group;
    slot->next = *head;
    *head = id + 1;
    atomic_store_explicit(&usage->slot_count, id + 1, memory_order_release);
    *ret_slot = id;
    return DG_OK;
}

/* Gives a shard its counters of a group, unless an earlier attempt already did. */
static dg_status group_fill(dg_usage_shard *shard, size_t group)
{
    if (atomic_load_explicit(&shard->groups[group], memory_order_relaxed))
        return DG_OK;
    dg_usage_group *counts = calloc(1, sizeof *counts);
    if (!counts)
        return DG_NOMEM;
    atomic_store_explicit(&shard->groups[group], counts, memory_order_release);
    return DG_OK;
}

/* Memory first, in every shard: workers find a group's counters there from its first slot on. */
static dg_status group_add(dg_usage *usage, dg_slice api, dg_slice version, uint32_t *ret_group)
{
    size_t group = usage->group_count;
    uint32_t other;
    if (group == DG_USAGE_GROUPS_MAX)
        return DG_LIMIT;
    for (size_t i = 0; i < usage->shard_count; i++)
        if (group_fill(usage->shards[i], group) != DG_OK)
            return DG_NOMEM;
    dg_status status = slot_add(usage, (uint32_t)group, api, version, DG_SLICE("other"), &other);
    if (status != DG_OK)
        return status;
    usage->group_other[group] = other;
    usage->group_count++;
    *ret_group = (uint32_t)group;
    return DG_OK;
}

static dg_status slot_get(dg_usage *usage, dg_slice api, dg_slice version, dg_slice endpoint,
                          uint32_t *ret_slot)
{
    uint32_t group, found = slot_find(usage, api, version, endpoint);
    if (found) {
        *ret_slot = found - 1;
        return DG_OK;
    }
    uint32_t other = slot_find(usage, api, version, DG_SLICE("other"));
    if (other) {
        group = usage->slots[other - 1].group;
    } else {
        dg_status status = group_add(usage, api, version, &group);
        if (status != DG_OK)
            return status;
        other = usage->group_other[group] + 1;
    }
    if (dg_slice_eq(endpoint, DG_SLICE("other"))) {
        *ret_slot = other - 1;
        return DG_OK;
    }
    dg_status status = slot_add(usage, group, api, version, endpoint, ret_slot);
    if (status == DG_LIMIT) {
        *ret_slot = other - 1;
        return DG_OK;
    }
    return status;
}

dg_status dg_usage_slot(dg_usage *usage, dg_slice api, dg_slice version, dg_slice endpoint,
                        uint32_t *ret_slot)
{
    if (api.len > DG_USAGE_NAME_MAX || version.len > DG_USAGE_NAME_MAX ||
        endpoint.len > DG_USAGE_NAME_MAX)
        return DG_LIMIT;
    pthread_mutex_lock(&usage->mutex);
    dg_status status = slot_get(usage, api, version, endpoint, ret_slot);
    pthread_mutex_unlock(&usage->mutex);
    return status;
}

static dg_status shard_add(dg_usage *usage, dg_usage_shard *shard)
{
    if (usage->shard_count == DG_USAGE_SHARDS_MAX)
        return DG_LIMIT;
    for (size_t i = 0; i < usage->group_count; i++)
        if (group_fill(shard, i) != DG_OK)
            return DG_NOMEM;
    usage->shards[usage->shard_count++] = shard;
    return DG_OK;
}

dg_status dg_usage_shard_new(dg_usage *usage, dg_usage_shard **ret_shard)
{
    dg_usage_shard *shard = calloc(1, sizeof *shard);
    if (!shard)
        return DG_NOMEM;
    shard->usage = usage;
    pthread_mutex_lock(&usage->mutex);
    dg_status status = shard_add(usage, shard);
    pthread_mutex_unlock(&usage->mutex);
    if (status != DG_OK) {
        shard_free(shard);
        return status;
    }
    *ret_shard = shard;
    return DG_OK;
}

/* The owner is the only writer, so a plain load and store will do: no locked instruction. */
static void bump(_Atomic uint64_t *counter, uint64_t by)
{
    uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, n + by, memory_order_relaxed);
}

/* False when the key is not in the table and `used_max` entries are taken. */
static bool count_key(dg_usage_shard *shard, uint64_t key, size_t used_max)
{
    uint64_t at = (key * 0x9E3779B97F4A7C15u) >> 52;
    _Static_assert(DG_USAGE_ENTRIES == 1 << 12, "the shift above takes 12 bits");
    for (;; at = (at + 1) % DG_USAGE_ENTRIES) {
        dg_usage_entry *entry = &shard->entries[at];
        uint64_t there = atomic_load_explicit(&entry->key, memory_order_relaxed);
        if (there == key) {
            bump(&entry->count, 1);
            return true;
        }
        if (there)
            continue; /* ends: OTHERS_MAX leaves free entries */
        if (shard->used >= used_max)
            return false;
        shard->used++;
        bump(&entry->count, 1);
        atomic_store_explicit(&entry->key, key, memory_order_release);
        return true;
    }
}

static unsigned method_of(dg_slice method)
{
    for (unsigned i = 0; i < DG_USAGE_METHOD_OTHER; i++)
        if (dg_slice_eq(method, method_names[i]))
            return i;
    return DG_USAGE_METHOD_OTHER;
}

void dg_usage_count(dg_usage_shard *shard, uint32_t slot, dg_slice method, unsigned status,
                    uint64_t duration_us)
{
    const dg_usage *usage = shard->usage;
    DG_ASSERT(slot < atomic_load_explicit(&usage->slot_count, memory_order_acquire));
    uint32_t id = usage->slots[slot].group;
    dg_usage_group *group = atomic_load_explicit(&shard->groups[id], memory_order_acquire);
    DG_ASSERT(group);
    size_t bucket = 0;
    while (duration_us > bucket_us[bucket])
        bucket++;
    bump(&group->buckets[bucket], 1);
    bump(&group->duration_us, duration_us);
    atomic_store_explicit(&group->last_seen, dg_wall_s(), memory_order_relaxed);
    unsigned known = status >= 100 && status <= 999 ? status : DG_USAGE_STATUS_OTHER;
    unsigned code = method_of(method);
    if (!count_key(shard, dg_usage_key(slot, code, known), DG_USAGE_ENTRIES_MAX) &&
        !count_key(shard, dg_usage_key(usage->group_other[id], code, known), DG_USAGE_OTHERS_MAX))
        bump(&group->spilled, 1);
}

void dg_usage_gauge(dg_usage_shard *shard, dg_gauge gauge, int64_t delta)
{
    DG_ASSERT((size_t)gauge < DG_GAUGE_COUNT);
    int64_t n = atomic_load_explicit(&shard->gauges[gauge], memory_order_relaxed);
    atomic_store_explicit(&shard->gauges[gauge], n + delta, memory_order_relaxed);
}
