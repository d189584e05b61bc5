/* Names under which dragoman itself speaks to a backend: what a client says under them goes no further. */
#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"

/* '_' counts as '-', as for backends that turn fields into variables. */
static bool stands_for(dg_slice name, dg_slice own)
{
    size_t i = 0;
    while (own.len == name.len && i < name.len &&
           (dg_ascii_lower(own.ptr[i]) == dg_ascii_lower(name.ptr[i]) ||
            (strchr("-_", own.ptr[i]) && strchr("-_", name.ptr[i]))))
        i++;
    return own.len && i == own.len;
}

static bool is_client_field(const dg_config *config, dg_slice name)
{
    for (unsigned part = 0; part < DG_TLS_IDENTITY_COUNT; part++)
        if (stands_for(name, config->client_fields[part]))
            return true;
    return false;
}

/* One that is written otherwise, and would be read as one that counts for the framing, the way or the version. */
static bool is_disguised(const dg_exchange *x, dg_slice name)
{
    static const dg_slice names[] = {{"Content-Length", 14},    {"Transfer-Encoding", 17}, {"X-Forwarded-For", 15},
                                     {"X-Forwarded-Proto", 17}, {"X-Forwarded-Host", 16},  {"API-Version", 11}};
    if (!memchr(name.ptr, '_', name.len))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (stands_for(name, names[i]))
            return true;
    dg_list selecting = dg_list_of_value(x->match.api ? x->match.api->vary : (dg_slice){NULL, 0});
    dg_slice own;
    while (dg_list_next(&selecting, &own))
        if (stands_for(name, own))
            return !dg_slice_ieq(name, own);
    return false;
}

bool dg_name_is_own(const dg_exchange *x, dg_slice name)
{
    const dg_config *config = &x->epoch->snapshot->config;
    return (config->has_client_fields && is_client_field(config, name)) ||
           (x->request_id_bytes && stands_for(name, config->request_id.field)) || is_disguised(x, name);
}
