/* What messages say of their content, where that is translated: that it must not be, its digests, its codings. */
#include <stdlib.h>

#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"

bool dg_forbids_transformation(const dg_exchange *x, const dg_head *head)
{
    const dg_config *config = &x->epoch->snapshot->config;
    return dg_head_cache_control(head, DG_SLICE("no-transform")) &&
           !config->pack_ignores_no_transform[x->match.api->index];
}

/* ---- digests */

static dg_status read_lines(const dg_head *head, dg_field_id id, dg_digests *digests)
{
    dg_status status = DG_OK;
    for (const dg_field *f = dg_head_find(head, id); f && status == DG_OK; f = dg_head_next(head, f))
        status = dg_digests_read(digests, f->name, f->value);
    return status;
}

dg_status dg_digests_remember(dg_exchange *x, const dg_head *head)
{
    static const dg_field_id ids[] = {DG_FIELD_CONTENT_DIGEST, DG_FIELD_REPR_DIGEST, DG_FIELD_CONTENT_MD5};
    enum { IDS = sizeof ids / sizeof *ids };
    free(x->digests);
    x->digests = NULL;
    bool any = false;
    for (size_t i = 0; i < IDS; i++)
        any |= dg_head_find(head, ids[i]) != NULL;
    if (!any)
        return DG_OK;
    dg_digests *digests = calloc(1, sizeof *digests);
    dg_status status = digests ? DG_OK : DG_NOMEM;
    for (size_t i = 0; i < IDS && status == DG_OK; i++)
        status = read_lines(head, ids[i], digests);
    if (status == DG_OK && dg_digests_any(digests))
        x->digests = digests;
    else
        free(digests);
    return status;
}

dg_status dg_digests_check(const dg_exchange *x, dg_slice content, const char **ret_field)
{
    return x->digests ? dg_digests_verify(x->digests, content, ret_field) : DG_OK;
}

dg_status dg_digests_renew(dg_exchange *x, dg_slice content, dg_buf *out)
{
    dg_status status = x->digests ? dg_digests_write(x->digests, content, out) : DG_OK;
    free(x->digests);
    x->digests = NULL;
    return status;
}

/* ---- codings */

uint8_t dg_accepted_codings(const dg_head *head)
{
    uint8_t accepted = 0;
    if (!dg_head_find(head, DG_FIELD_ACCEPT_ENCODING))
        return UINT8_MAX;
    for (unsigned coding = 0; coding < DG_CODING_UNKNOWN; coding++)
        if (dg_head_accepts_coding(head, dg_coding_name((dg_coding)coding)))
            accepted |= (uint8_t)(1u << coding);
    return accepted;
}

dg_coding dg_coding_for_client(const dg_exchange *x)
{
    if (x->accepts >> x->answer_coding & 1)
        return x->answer_coding;
    for (unsigned coding = 0; coding < DG_CODING_UNKNOWN; coding++)
        if (x->accepts >> coding & 1)
            return (dg_coding)coding;
    return DG_CODING_IDENTITY; /* it takes nothing at all: then what everybody reads (RFC 9110 12.5.3) */
}
