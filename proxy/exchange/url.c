/* URLs in answers. One that names the backend's version would send the client there. */
#include "proxy/exchange/exchange.h"

/* "http://authority" at the front of a URL; empty for a reference without a scheme. */
static dg_slice origin_of(dg_slice url, dg_slice *ret_authority)
{
    size_t scheme = dg_slice_starts(url, DG_SLICE("http://"))    ? 7
                    : dg_slice_starts(url, DG_SLICE("https://")) ? 8
                                                                 : 0;
    *ret_authority = dg_slice_until(dg_slice_from(url, scheme), 0);
    if (!scheme)
        return dg_slice_until(url, 0);
    dg_slice rest = dg_slice_from(url, scheme);
    *ret_authority = dg_slice_until(rest, dg_slice_find(rest, '/'));
    return dg_slice_until(url, scheme + ret_authority->len);
}

void dg_url_for_client(dg_exchange *x, dg_slice url, dg_buf *out)
{
    dg_slice authority, origin = origin_of(url, &authority), target = dg_slice_from(url, origin.len);
    bool clients = dg_slice_ieq(authority, x->host);
    bool backends = dg_slice_ieq(authority, dg_slice_str(x->upstream->authority));
    size_t start = out->len;
    if (origin.len && backends && !clients && x->host.len) { /* a name that only we can reach */
        dg_buf_add(out, x->down->tls ? DG_SLICE("https://") : DG_SLICE("http://"));
        dg_buf_add(out, x->host);
    } else {
        dg_buf_add(out, origin);
    }
    if ((origin.len && !clients && !backends) || !target.len || target.ptr[0] != '/' ||
        !dg_match_client_target(&x->match, target, out)) {
        out->len = start;
        dg_buf_add(out, url);
    }
}
