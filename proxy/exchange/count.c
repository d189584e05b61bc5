#include "proxy/exchange/exchange.h"

/* Which counter: the endpoint's; else that of the version, or of versions that do not exist; else of all that
 * no API claims. */
static uint32_t slot_of(const dg_exchange *x)
{
    const dg_snapshot *snapshot = x->epoch->snapshot;
    const dg_match *match = &x->match;
    if (match->endpoint)
        return snapshot->endpoint_slots[match->endpoint->slot];
    if (match->api)
        return snapshot->version_slots[match->api->index][match->version ? match->version->index
                                                                         : match->api->version_count];
    return snapshot->unmatched_slot;
}

void dg_count(dg_exchange *x)
{
    if (x->down->control) /* the admin port */
        return;
    if (x->epoch->snapshot->config.access_log.file)
        dg_log_exchange(x);
    if (x->status == 0) /* cut before there was an answer */
        return;
    uint64_t ended_us = x->tunnel ? x->first_byte_us : x->edge->loop.now_us; /* a tunnel's hours are no latency */
    dg_usage_count(x->edge->usage, slot_of(x), x->method_name, x->status, ended_us - x->started_us);
}
