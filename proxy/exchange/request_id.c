/* What ties an exchange to lines elsewhere: its request id, and the trace that it is part of. */
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/trace.h"

static const dg_request_id_config *config_of(const dg_epoch *epoch)
{
    return &epoch->snapshot->config.request_id;
}

/* Visible ASCII, so that it can stand in any log. */
static bool is_sane(dg_slice id)
{
    if (id.len == 0 || id.len > DG_REQUEST_ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] <= ' ' || id.ptr[i] > '~')
            return false;
    return true;
}

/* A bijection of the counter (the finaliser of SplitMix64): no two are alike. */
static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9u;
    n = (n ^ n >> 27) * 0x94D049BB133111EBu;
    return n ^ n >> 31;
}

dg_slice dg_request_id_make(dg_edge *edge, char out[DG_REQUEST_ID_BYTES_MAX])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t halves[2] = {edge->id_seed[0], mix(edge->id_seed[1] += 0x9E3779B97F4A7C15u)};
    if (!config_of(edge->epoch)->field.len)
        return (dg_slice){NULL, 0};
    halves[0] = mix(halves[0] ^ halves[1]);
    for (size_t i = 0; i < 32; i++)
        out[i] = hex[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    return dg_slice_of(out, 32);
}

void dg_request_id_choose(dg_exchange *x, const dg_head *head)
{
    const dg_request_id_config *config = config_of(x->epoch);
    if (x->down->control || !config->field.len)
        return;
    bool believed = config->trust_all || x->down->trusted;
    const dg_field *field = believed ? dg_head_find_name(head, config->field) : NULL;
    dg_slice id;
    if (field && !dg_head_next(head, field) && is_sane(field->value)) {
        memcpy(x->request_id, field->value.ptr, field->value.len);
        id = field->value;
    } else {
        id = dg_request_id_make(x->edge, x->request_id);
    }
    x->request_id_bytes = (uint8_t)id.len;
}

void dg_request_id_add(const dg_epoch *epoch, dg_slice id, dg_buf *out)
{
    if (id.len)
        dg_add_field_line(out, config_of(epoch)->field, id);
}

bool dg_request_id_is(const dg_exchange *x, const dg_field *field)
{
    return x->request_id_bytes && dg_slice_ieq(field->name, config_of(x->epoch)->field);
}

/* A malformed traceparent ends its trace, and then tracestate means nothing (W3C Trace Context 3.2, 3.3, 4.3); a
 * malformed tracestate alone is dropped alone. None is begun here. */
void dg_trace_look(dg_exchange *x, const dg_head *head)
{
    if (!dg_head_find(head, DG_FIELD_TRACEPARENT) && !dg_head_find(head, DG_FIELD_TRACESTATE))
        return;
    dg_slice id = dg_trace_id(head);
    x->traced = id.len > 0;
    if (x->traced)
        memcpy(x->trace_id, id.ptr, DG_TRACE_ID_BYTES);
    x->passes_tracestate = x->traced && dg_tracestate_is_valid(head);
}
