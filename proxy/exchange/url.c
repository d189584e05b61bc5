/* URLs in answers. One that names the backend's version would send the client there. */
#include "proxy/exchange/exchange.h"
#include "proxy/http/chars.h"

static bool begins(dg_slice url, dg_slice with)
{
    return dg_slice_ieq(dg_slice_until(url, with.len), with);
}

/* "http://authority" or "//authority" at the front of a URL; empty for a reference without an authority. */
static dg_slice origin_of(dg_slice url, dg_slice *ret_authority)
{
    size_t scheme = begins(url, DG_SLICE("http://"))    ? 7
                    : begins(url, DG_SLICE("https://")) ? 8
                    : begins(url, DG_SLICE("//"))       ? 2
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

/* ---- cookies */

/* What is left of a path behind the API's base and a version; false when it does not begin with these. */
static bool below_version(const dg_api *api, const dg_version *version, dg_slice path, dg_slice *ret_rest)
{
    dg_slice name = dg_slice_str(version->name), rest = dg_slice_from(path, api->base.len);
    if (!api->by_path || !dg_slice_starts(path, api->base) || !rest.len || rest.ptr[0] != '/' ||
        !dg_slice_starts(dg_slice_from(rest, 1), name))
        return false;
    rest = dg_slice_from(rest, 1 + name.len);
    if (rest.len && rest.ptr[0] != '/')
        return false;
    *ret_rest = rest;
    return true;
}

/* A cookie's path is a prefix of many: it need not be a resource of its own. */
static void add_cookie_path(dg_exchange *x, dg_slice path, dg_buf *out)
{
    const dg_match *match = &x->match;
    dg_slice rest;
    if (!path.len || path.ptr[0] != '/' || dg_match_client_target(match, path, out))
        return;
    if (!below_version(match->api, match->backend, path, &rest)) {
        dg_buf_add(out, path);
        return;
    }
    size_t start = out->len;
    dg_buf_add(out, match->api->base);
    if (match->selected_by == DG_BY_PATH) {
        dg_buf_add_char(out, '/');
        dg_buf_add_str(out, match->version->name);
    }
    dg_buf_add(out, rest);
    if (out->len == start)
        dg_buf_add_char(out, '/');
}

/* RFC 6265 5.2: attributes stand behind semicolons, which nothing quotes. */
void dg_cookie_for_client(dg_exchange *x, dg_slice cookie, dg_buf *out)
{
    size_t end = dg_slice_find(cookie, ';');
    dg_buf_add(out, dg_slice_until(cookie, end));
    for (dg_slice rest = dg_slice_from(cookie, end); rest.len;) {
        dg_slice attribute = dg_slice_until(rest, 1 + dg_slice_find(dg_slice_from(rest, 1), ';'));
        rest = dg_slice_from(rest, attribute.len);
        size_t equals = dg_slice_find(attribute, '=');
        dg_slice name = dg_trim_ows(dg_slice_from(dg_slice_until(attribute, equals), 1));
        dg_slice path = dg_trim_ows(dg_slice_from(attribute, equals + 1));
        if (!dg_slice_ieq(name, DG_SLICE("Path")) || !path.len || path.ptr[0] != '/') {
            dg_buf_add(out, attribute);
            continue;
        }
        dg_buf_add(out, dg_slice_until(attribute, (size_t)(path.ptr - attribute.ptr)));
        add_cookie_path(x, path, out);
        dg_buf_add(out, dg_slice_from(attribute, (size_t)(path.ptr - attribute.ptr) + path.len));
    }
}
