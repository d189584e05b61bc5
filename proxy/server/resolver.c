#include "proxy/server/resolver.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "proxy/log.h"

enum { TURN_S = 1, END_WAIT_S = 1 };

struct dg_resolver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    dg_snapshot *snapshot; /* under the lock, with all below */
    bool ending;
};

static bool has_names(const dg_snapshot *snapshot)
{
    for (size_t i = 0; snapshot && i < snapshot->config.upstream_count; i++)
        if (snapshot->config.upstreams[i].name)
            return true;
    return false;
}

static void look_up(const dg_config *config)
{
    for (size_t i = 0; i < config->upstream_count; i++) {
        dg_name *name = config->upstreams[i].name;
        bool changed = false;
        if (!name)
            continue;
        if (dg_name_look_up(name, dg_monotonic_us() / 1000, &changed) != DG_OK)
            dg_log_peer("resolve", "%s does not resolve now: its old addresses stay", config->upstreams[i].url);
        else if (changed)
            dg_log(DG_LOG_INFO, "%s has other addresses now", config->upstreams[i].url);
    }
}

/* Waits for the next turn, or for a snapshot with names. A reference to what is to be looked at; NULL at the end. The lock is
 * held. */
static dg_snapshot *next_turn(dg_resolver *resolver)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TURN_S;
    bool waited = false;
    while (!resolver->ending && (!waited || !has_names(resolver->snapshot)))
        if (!has_names(resolver->snapshot)) {
            pthread_cond_wait(&resolver->wake, &resolver->lock);
            waited = has_names(resolver->snapshot);
        } else {
            waited = pthread_cond_timedwait(&resolver->wake, &resolver->lock, &until) != 0;
        }
    return resolver->ending ? NULL : dg_snapshot_ref(resolver->snapshot);
}

static void destroy(dg_resolver *resolver)
{
    dg_snapshot_unref(resolver->snapshot);
    pthread_cond_destroy(&resolver->wake);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void *work(void *arg)
{
    dg_resolver *resolver = arg;
    dg_snapshot *snapshot;
    pthread_mutex_lock(&resolver->lock);
    while ((snapshot = next_turn(resolver))) {
        pthread_mutex_unlock(&resolver->lock);
        look_up(&snapshot->config);
        dg_snapshot_unref(snapshot);
        pthread_mutex_lock(&resolver->lock);
    }
    pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

dg_status dg_resolver_new(dg_resolver **ret_resolver)
{
    dg_resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return DG_NOMEM;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&resolver->lock, NULL);
    if (pthread_create(&resolver->thread, NULL, work, resolver) != 0) {
        destroy(resolver);
        return DG_NOMEM;
    }
    *ret_resolver = resolver;
    return DG_OK;
}

void dg_resolver_watch(dg_resolver *resolver, dg_snapshot *snapshot)
{
    dg_snapshot_ref(snapshot);
    pthread_mutex_lock(&resolver->lock);
    dg_snapshot *old = resolver->snapshot;
    resolver->snapshot = snapshot;
    pthread_cond_signal(&resolver->wake);
    pthread_mutex_unlock(&resolver->lock);
    dg_snapshot_unref(old);
}

void dg_resolver_free(dg_resolver *resolver)
{
    struct timespec until;
    if (!resolver)
        return;
    pthread_t thread = resolver->thread;
    pthread_mutex_lock(&resolver->lock);
    resolver->ending = true;
    pthread_cond_signal(&resolver->wake);
    pthread_mutex_unlock(&resolver->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_WAIT_S;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0) {
        destroy(resolver);
        return;
    }
    pthread_detach(thread); /* the process ends, and it with it */
}
