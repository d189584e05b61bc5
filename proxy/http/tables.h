/* The words of HTTP that dragoman treats specially: methods, fields, status codes. One row each;
 * adding a row is adding a word. Immutable data, any thread. */
#ifndef DG_PROXY_HTTP_TABLES_H
#define DG_PROXY_HTTP_TABLES_H

#include "base/slice.h"
#include "base/status.h"

/* Methods (RFC 9110 9, RFC 5789), with whether repeating one is the same as sending it once (9.2.2)
 * and whether it only reads (9.2.1). name      idempotent  safe */
#define DG_METHOD_TABLE(X)                                                                         \
    X(GET, true, true)                                                                             \
    X(HEAD, true, true)                                                                            \
    X(POST, false, false)                                                                          \
    X(PUT, true, false)                                                                            \
    X(PATCH, false, false)                                                                         \
    X(DELETE, true, false)                                                                         \
    X(OPTIONS, true, true)                                                                         \
    X(TRACE, true, true)                                                                           \
    X(CONNECT, false, false)

typedef enum dg_method {
    DG_METHOD_OTHER, /* any other token; neither safe nor idempotent */
#define DG_METHOD_ENUM(name, idempotent, safe) DG_METHOD_##name,
    DG_METHOD_TABLE(DG_METHOD_ENUM)
#undef DG_METHOD_ENUM
        DG_METHOD_COUNT
} dg_method;

/* Fields. `hop` marks those that belong to one connection and are never forwarded (RFC
 * 9110 7.6.1, 11.7). name                 text                   hop */
#define DG_FIELD_TABLE(X)                                                                          \
    X(CONNECTION, "Connection", true)                                                              \
    X(KEEP_ALIVE, "Keep-Alive", true)                                                              \
    X(PROXY_CONNECTION, "Proxy-Connection", true)                                                  \
    X(TE, "TE", true)                                                                              \
    X(TRAILER, "Trailer", true)                                                                    \
    X(TRANSFER_ENCODING, "Transfer-Encoding", true)                                                \
    X(UPGRADE, "Upgrade", true)                                                                    \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", true)                                              \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", true)                                            \
    X(HOST, "Host", false)                                                                         \
    X(CONTENT_LENGTH, "Content-Length", false)                                                     \
    X(EXPECT, "Expect", false)                                                                     \
    X(MAX_FORWARDS, "Max-Forwards", false)                                                         \
    X(VIA, "Via", false)                                                                           \
    X(FORWARDED, "Forwarded", false)                                                               \
    X(X_FORWARDED_FOR, "X-Forwarded-For", false)                                                   \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto", false)                                               \
    X(X_FORWARDED_HOST, "X-Forwarded-Host", false)                                                 \
    X(ACCEPT, "Accept", false)                                                                     \
    X(AUTHORIZATION, "Authorization", false)                                                       \
    X(CONTENT_TYPE, "Content-Type", false)                                                         \
    X(CONTENT_ENCODING, "Content-Encoding", false)                                                 \
    X(ACCEPT_ENCODING, "Accept-Encoding", false)                                                   \
    X(CACHE_CONTROL, "Cache-Control", false)                                                       \
    X(ETAG, "ETag", false)                                                                         \
    X(LAST_MODIFIED, "Last-Modified", false)                                                       \
    X(IF_MATCH, "If-Match", false)                                                                 \
    X(IF_NONE_MATCH, "If-None-Match", false)                                                       \
    X(IF_MODIFIED_SINCE, "If-Modified-Since", false)                                               \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since", false)                                           \
    X(IF_RANGE, "If-Range", false)                                                                 \
    X(RANGE, "Range", false)                                                                       \
    X(ACCEPT_RANGES, "Accept-Ranges", false)                                                       \
    X(CONTENT_RANGE, "Content-Range", false)                                                       \
    X(CONTENT_DIGEST, "Content-Digest", false)                                                     \
    X(REPR_DIGEST, "Repr-Digest", false)                                                           \
    X(DIGEST, "Digest", false)                                                                     \
    X(CONTENT_MD5, "Content-MD5", false)                                                           \
    X(VARY, "Vary", false)                                                                         \
    X(DATE, "Date", false)                                                                         \
    X(SERVER, "Server", false)                                                                     \
    X(LOCATION, "Location", false)                                                                 \
    X(CONTENT_LOCATION, "Content-Location", false)                                                 \
    X(LINK, "Link", false)                                                                         \
    X(DEPRECATION, "Deprecation", false)                                                           \
    X(SUNSET, "Sunset", false)                                                                     \
    X(API_VERSION, "API-Version", false)                                                           \
    X(SET_COOKIE, "Set-Cookie", false)                                                             \
    X(RETRY_AFTER, "Retry-After", false)                                                           \
    X(X_REQUEST_ID, "X-Request-Id", false)                                                         \
    X(TRACEPARENT, "traceparent", false)                                                           \
    X(TRACESTATE, "tracestate", false)                                                       \
    X(DRAGOMAN_EXPLAIN, "Dragoman-Explain", false)

typedef enum dg_field_id {
    DG_FIELD_OTHER, /* any other name */
#define DG_FIELD_ENUM(name, text, hop) DG_FIELD_##name,
    DG_FIELD_TABLE(DG_FIELD_ENUM)
#undef DG_FIELD_ENUM
        DG_FIELD_ID_COUNT
} dg_field_id;

/* Case matters for methods (RFC 9110 9.1), not for field names (5.1). OTHER when unknown. */
dg_method dg_method_of(dg_slice name);
dg_field_id dg_field_id_of(dg_slice name);

/* The name as written in the table; empty for OTHER. */
dg_slice dg_method_name(dg_method method);
dg_slice dg_field_name(dg_field_id id);

bool dg_method_idempotent(dg_method method);
bool dg_method_safe(dg_method method);
bool dg_field_hop_by_hop(dg_field_id id);

/* The registered reason phrase of a status code (RFC 9110 15 and the registry); of an unknown code
 * the name of its class; of a number outside 100..599 an empty slice. */
dg_slice dg_reason_phrase(unsigned status);

#endif
