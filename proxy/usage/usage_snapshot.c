#include <stdlib.h>

#include "proxy/usage/usage_table.h"

static int compare_text(dg_slice a, dg_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_groups(const dg_usage_slot_names *a, const dg_usage_slot_names *b)
{
    int order = compare_text(a->api, b->api);
    return order ? order : compare_text(a->version, b->version);
}

static int compare_items(const void *a, const void *b, void *context)
{
    const dg_usage *usage = context;
    uint64_t x = ((const dg_usage_item *)a)->key, y = ((const dg_usage_item *)b)->key;
    if (x >> 16 != y >> 16) { /* other slots have other names */
        const dg_usage_slot_names *p = &usage->slots[dg_usage_key_slot(x)];
        const dg_usage_slot_names *q = &usage->slots[dg_usage_key_slot(y)];
        int order = compare_groups(p, q);
        return order ? order : compare_text(p->endpoint, q->endpoint);
    }
    return (x > y) - (x < y); /* method, then status: the key's own order */
}

static int compare_totals(const void *a, const void *b, void *context)
{
    const dg_usage *usage = context;
    return compare_groups(&usage->slots[((const dg_usage_total *)a)->other],
                          &usage->slots[((const dg_usage_total *)b)->other]);
}

static void add_group(const dg_usage_group *group, dg_usage_total *total, uint64_t *spilled)
{
    for (size_t i = 0; i < DG_USAGE_BUCKETS; i++)
        total->buckets[i] += atomic_load_explicit(&group->buckets[i], memory_order_relaxed);
    total->duration_us += atomic_load_explicit(&group->duration_us, memory_order_relaxed);
    int64_t seen = atomic_load_explicit(&group->last_seen, memory_order_relaxed);
    if (seen > total->last_seen)
        total->last_seen = seen;
    *spilled += atomic_load_explicit(&group->spilled, memory_order_relaxed);
}

static void add_groups(const dg_usage *usage, dg_usage_snapshot *snapshot)
{
    for (size_t g = 0; g < usage->group_count; g++) {
        dg_usage_total *total = &snapshot->totals[g];
        uint64_t spilled = 0;
        total->other = usage->group_other[g];
        for (size_t s = 0; s < usage->shard_count; s++)
            add_group(atomic_load_explicit(&usage->shards[s]->groups[g], memory_order_acquire),
                      total, &spilled);
        if (spilled) {
            uint64_t key = dg_usage_key(total->other, DG_USAGE_METHOD_OTHER, DG_USAGE_STATUS_OTHER);
            snapshot->items[snapshot->item_count++] = (dg_usage_item){key, spilled};
        }
    }
}

static void add_shard(const dg_usage_shard *shard, dg_usage_snapshot *snapshot)
{
    for (size_t i = 0; i < DG_USAGE_ENTRIES; i++) {
        const dg_usage_entry *entry = &shard->entries[i];
        uint64_t key = atomic_load_explicit(&entry->key, memory_order_acquire);
        if (key)
            snapshot->items[snapshot->item_count++] =
                (dg_usage_item){key, atomic_load_explicit(&entry->count, memory_order_relaxed)};
    }
    for (size_t i = 0; i < DG_GAUGE_COUNT; i++)
        snapshot->gauges[i] += atomic_load_explicit(&shard->gauges[i], memory_order_relaxed);
}

/* Equal keys of several shards become one. */
static void merge_items(dg_usage_snapshot *snapshot)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->item_count; i++) {
        if (kept && snapshot->items[kept - 1].key == snapshot->items[i].key)
            snapshot->items[kept - 1].count += snapshot->items[i].count;
        else
            snapshot->items[kept++] = snapshot->items[i];
    }
    snapshot->item_count = kept;
}

dg_status dg_usage_snapshot_take(dg_usage *usage, dg_usage_snapshot *ret_snapshot)
{
    dg_usage_snapshot snapshot = {.total_count = usage->group_count};
    size_t items_max = usage->shard_count * DG_USAGE_OTHERS_MAX + usage->group_count;
    snapshot.items = calloc(items_max + 1, sizeof *snapshot.items);
    snapshot.totals = calloc(usage->group_count + 1, sizeof *snapshot.totals);
    if (!snapshot.items || !snapshot.totals) {
        dg_usage_snapshot_free(&snapshot);
        return DG_NOMEM;
    }
    for (size_t i = 0; i < usage->shard_count; i++)
        add_shard(usage->shards[i], &snapshot);
    add_groups(usage, &snapshot);
    qsort_r(snapshot.items, snapshot.item_count, sizeof *snapshot.items, compare_items, usage);
    qsort_r(snapshot.totals, snapshot.total_count, sizeof *snapshot.totals, compare_totals, usage);
    merge_items(&snapshot);
    *ret_snapshot = snapshot;
    return DG_OK;
}

void dg_usage_snapshot_free(dg_usage_snapshot *snapshot)
{
    free(snapshot->items);
    free(snapshot->totals);
    *snapshot = (dg_usage_snapshot){.items = NULL};
}
