#include "proxy/net/name.h"

enum { SOON_MS = 1000 }; /* between lookups, when connections fail */

void dg_name_init(dg_name *name, const char *text, const dg_address *addresses, size_t count, uint64_t every_ms)
{
    name->text = text;
    name->every_ms = every_ms;
    name->due_ms = 0;
    atomic_init(&name->failed, false);
    atomic_init(&name->version, 0);
    pthread_mutex_init(&name->lock, NULL);
    memcpy(name->addresses, addresses, count * sizeof *addresses);
    name->count = count;
}

void dg_name_destroy(dg_name *name)
{
    pthread_mutex_destroy(&name->lock);
}

/* Whether both have the same addresses: their order changes with every answer of some servers. */
static bool same(const dg_address *a, size_t a_count, const dg_address *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        bool found = false;
        for (size_t k = 0; k < b_count && !found; k++)
            found = a[i].size == b[k].size && memcmp(&a[i].storage, &b[k].storage, a[i].size) == 0;
        if (!found)
            return false;
    }
    return a_count == b_count;
}

static bool is_due(dg_name *name, uint64_t now_ms)
{
    if (!name->due_ms) { /* just looked up, for the configuration */
        name->due_ms = now_ms + name->every_ms;
        return false;
    }
    uint64_t last_ms = name->due_ms - name->every_ms;
    return now_ms >= name->due_ms || (atomic_load(&name->failed) && now_ms >= last_ms + SOON_MS);
}

dg_status dg_name_look_up(dg_name *name, uint64_t now_ms, bool *ret_changed)
{
    dg_address found[DG_ADDRESSES_MAX] = {{.size = 0}};
    size_t count;
    const char *error;
    *ret_changed = false;
    if (!is_due(name, now_ms))
        return DG_OK;
    name->due_ms = now_ms + name->every_ms;
    atomic_store(&name->failed, false);
    dg_status status = dg_address_resolve(name->text, false, found, &count, &error);
    if (status != DG_OK || count == 0)
        return status == DG_OK ? DG_NOT_FOUND : status;
    pthread_mutex_lock(&name->lock);
    if (!same(found, count, name->addresses, name->count)) {
        memcpy(name->addresses, found, sizeof found);
        name->count = count;
        atomic_fetch_add(&name->version, 1);
        *ret_changed = true;
    }
    pthread_mutex_unlock(&name->lock);
    return DG_OK;
}

bool dg_name_take(dg_name *name, unsigned *version, dg_address addresses[DG_ADDRESSES_MAX], size_t *count)
{
    if (atomic_load_explicit(&name->version, memory_order_relaxed) == *version)
        return false;
    pthread_mutex_lock(&name->lock);
    memcpy(addresses, name->addresses, name->count * sizeof *addresses);
    *count = name->count;
    *version = atomic_load(&name->version);
    pthread_mutex_unlock(&name->lock);
    return true;
}
