/* Trailer fields (RFC 9110 6.5): which of them pass, and the end of a chunked body that carries them. */
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/fields.h"

/* What a message means is decided by its head: fields of framing, routing, authentication, content, conditions and
 * the like mean nothing behind it, and are dropped (RFC 9110 6.5.1). Of those that the table knows, only digests
 * and entity tags may come late. */
static bool is_forbidden(dg_slice name)
{
    static const char *const names[] = {"Age", "Allow", "Authentication-Info", "Cookie", "Early-Data", "Expires",
                                        "Origin", "Pragma", "Referer", "User-Agent", "Warning", "WWW-Authenticate",
                                        "X-HTTP-Method-Override", "X-Original-URL", "X-Real-IP", "X-Rewrite-URL"};
    static const char *const families[] = {"Accept-", "Access-Control-", "Content-", "If-", "Proxy-", "Sec-",
                                           "X-Forwarded-"};
    switch (dg_field_id_of(name)) {
    case DG_FIELD_ETAG:
    case DG_FIELD_CONTENT_DIGEST:
    case DG_FIELD_REPR_DIGEST:
    case DG_FIELD_DIGEST:
    case DG_FIELD_CONTENT_MD5:
        return false;
    case DG_FIELD_OTHER:
        break;
    default:
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (dg_slice_ieq(name, dg_slice_str(names[i])))
            return true;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (dg_slice_ieq(dg_slice_until(name, strlen(families[i])), dg_slice_str(families[i])))
            return true;
    return false;
}

static bool may_pass(const dg_exchange *x, dg_slice name)
{
    const dg_api *api = x->match.api;
    return !is_forbidden(name) && !dg_name_is_own(x, name) &&
           !(api && api->version_field.len && dg_slice_ieq(name, api->version_field));
}

/* Whether the client takes trailers (RFC 9110 10.1.4). */
static bool takes_trailers(const dg_head *head)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_TE);
    dg_slice member;
    while (dg_list_next(&list, &member))
        if (dg_slice_ieq(member, DG_SLICE("trailers")))
            return true;
    return false;
}

void dg_trailers_ask(dg_exchange *x, const dg_head *head, dg_buf *out)
{
    if (!dg_head_find(head, DG_FIELD_TE) || !takes_trailers(head) || x->minor == 0 || x->offer_bytes ||
        dg_match_answers_change(&x->match))
        return;
    x->takes_trailers = true;
    dg_buf_add(out, DG_SLICE("Connection: TE\r\nTE: trailers\r\n"));
}

void dg_trailers_announce(const dg_exchange *x, const dg_head *head, dg_buf *out)
{
    if (!dg_head_find(head, DG_FIELD_TRAILER))
        return;
    dg_list list = dg_list_of_field(head, DG_FIELD_TRAILER);
    dg_slice name, before = DG_SLICE("Trailer: "), behind = {NULL, 0};
    while (dg_list_next(&list, &name)) {
        if (!dg_is_token(name) || !may_pass(x, name))
            continue;
        dg_buf_add(out, before);
        dg_buf_add(out, name);
        before = DG_SLICE(", ");
        behind = DG_SLICE("\r\n");
    }
    dg_buf_add(out, behind);
}

void dg_trailers_keep(const dg_body *body, dg_buf *kept)
{
    if (body->framing == DG_FRAMING_CHUNKED && body->chunked.trailer.len)
        dg_buf_add(kept, body->chunked.trailer);
}

dg_slice dg_trailers_end(dg_exchange *x, const dg_buf *kept)
{
    if (!kept->len)
        return DG_SLICE(DG_CHUNKED_END);
    dg_buf *out = &x->edge->scratch;
    dg_slice rest = dg_buf_slice(kept);
    dg_buf_clear(out);
    dg_buf_add(out, DG_SLICE("0\r\n"));
    while (rest.len) { /* lines that the decoder found to be well-formed */
        size_t end = dg_slice_find(rest, '\n') + 1;
        dg_slice line = dg_slice_until(rest, end);
        if (may_pass(x, dg_slice_until(line, dg_slice_find(line, ':'))))
            dg_buf_add(out, line);
        rest = dg_slice_from(rest, end);
    }
    dg_buf_add(out, DG_SLICE("\r\n"));
    /* Without memory for them they are as dropped as anywhere else. */
    return kept->status == DG_OK && out->status == DG_OK ? dg_buf_slice(out) : DG_SLICE(DG_CHUNKED_END);
}
