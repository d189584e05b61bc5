/* Request targets and hosts (RFC 9112 3.2, RFC 3986). Pure functions; any thread; slices point into
 * the input. */
#ifndef DG_PROXY_HTTP_TARGET_H
#define DG_PROXY_HTTP_TARGET_H

#include "proxy/http/head.h"

typedef enum dg_target_form {
    DG_TARGET_ORIGIN,   /* /path?query */
    DG_TARGET_ABSOLUTE, /* http://host/path?query */
    DG_TARGET_ASTERISK, /* *, OPTIONS only */
    DG_TARGET_AUTHORITY /* host:port, CONNECT only */
} dg_target_form;

typedef struct dg_target {
    dg_target_form form;
    bool https;         /* absolute: the scheme is https */
    dg_slice authority; /* absolute and authority: host[:port]; else empty */
    dg_slice path;      /* as it came; begins with "/"; "*" of the asterisk form and of an absolute target of OPTIONS
                           without path and query (RFC 9112 3.2.4), "/" of any other absolute one without a path */
    dg_slice query;     /* without the "?" */
    bool has_query;     /* "/a?" has an empty one */
} dg_target;

/* Takes a target apart. Strict: visible ASCII, and of that only what RFC 3986 allows in a path or
 * query (and "[" "]" in a query, which clients send so), with complete percent triplets; no
 * fragment, no userinfo. DG_SYNTAX otherwise, and when the form does not belong to the method. */
DG_MUST_USE dg_status dg_target_parse(dg_slice target, dg_method method, dg_target *ret_target);

/* Whether the target and Host of a parsed head agree (RFC 9112 3.2.2; hosts compared without case,
 * a default port counted as none), and the scheme is the connection's: ret_error says 400 or 421.
 * DG_OK for origin form. */
DG_MUST_USE dg_status dg_target_check(const dg_target *target, const dg_head *head, bool tls,
                                      dg_http_error *ret_error);

/* The host of a request: of the absolute target, else of Host; empty for HTTP/1.0 without one. With
 * port. */
dg_slice dg_target_host(const dg_target *target, const dg_head *head);

/* host[:port]: a name of letters, digits and "-._~" (of reg-name neither sub-delims nor percent
 * triplets), an IPv4 address or [IPv6]; port 1-65535. port is 0 when there is none. An empty host
 * is DG_SYNTAX. */
DG_MUST_USE dg_status dg_authority_parse(dg_slice authority, dg_slice *ret_host,
                                         unsigned *ret_port);

/* The one spelling of a path that routes are matched with, into out[cap]: percent-encoded
 * unreserved bytes are decoded, other triplets get upper-case digits (so %2f stays %2F, never a
 * separator), repeated slashes become one. cap of path.len always suffices; out may not overlap
 * path. *ret is inside out.
 *
 * DG_INVALID (answer 400): a "." or ".." segment, plain or encoded, with or without a ";parameter"
 * after it; percent-encoded bytes that are no UTF-8 (overlong forms, surrogates, loose bytes), or
 * control bytes (%00). DG_SYNTAX: path does not begin with "/", an incomplete triplet, bytes that
 * no path may have. DG_LIMIT: cap is too small. */
DG_MUST_USE dg_status dg_path_normalise(dg_slice path, char *out, size_t cap, dg_slice *ret);

#endif
