/* dragoman's own answers: application/problem+json (RFC 9457) with a stable type, and Proxy-Status
 * (RFC 9209) where the backend's side failed. One table. */
#ifndef DG_EXCHANGE_PROBLEM_H
#define DG_EXCHANGE_PROBLEM_H

#include "base/buf.h"

typedef struct dg_exchange dg_exchange;
typedef struct dg_downstream dg_downstream;

/*   id                    status type                    title                                   RFC 9209 error, or NULL */
#define DG_PROBLEM_TABLE(X)                                                                                               \
    X(BAD_REQUEST,          400, "bad-request",           "The request is malformed",                NULL)                \
    X(BAD_BODY,             400, "bad-body",              "The body cannot be translated",           NULL)                \
    X(BAD_DIGEST,           400, "digest-mismatch",       "The content is not what its digest says", NULL)                \
    X(NO_TRANSFORM,         400, "no-transform",          "The request forbids its transformation",  NULL)                \
    X(NO_VERSION,           400, "version-required",      "The request names no version",            NULL)                \
    X(CONTRADICTION,        400, "version-contradiction", "The request names two versions",          NULL)                \
    X(UNKNOWN_VERSION,      404, "unknown-version",       "There is no such version",                NULL)                \
    X(UNKNOWN_ENDPOINT,     404, "unknown-endpoint",      "There is no such endpoint in this version", NULL)              \
    X(UNKNOWN_API,          404, "unknown-api",           "No API is served at this path",           NULL)                \
    X(ENDPOINT_REMOVED,     410, "endpoint-removed",      "The endpoint is gone",                    NULL)                \
    X(METHOD_NOT_ALLOWED,   405, "method-not-allowed",    "The endpoint does not have this method",  NULL)                \
    X(REQUEST_TIMEOUT,      408, "request-timeout",       "The request did not come in time",        NULL)                \
    X(BODY_TOO_LARGE,       413, "body-too-large",        "The body is too large to be translated",  NULL)                \
    X(UNSUPPORTED_CODING,   415, "unsupported-content",   "The body's type or coding cannot be translated", NULL)                \
    X(INTERNAL,             500, "internal",              "dragoman ran out of a resource",          "proxy_internal_error") \
    X(NOT_IMPLEMENTED,      501, "not-implemented",       "The request asks for something not served here", NULL)         \
    X(UPSTREAM_REFUSED,     502, "upstream-refused",      "The backend cannot be reached",           "connection_refused") \
    X(UPSTREAM_TLS,         502, "upstream-tls",          "The backend's TLS handshake failed",      "tls_protocol_error") \
    X(UPSTREAM_CLOSED,      502, "upstream-closed",       "The backend closed the connection",       "connection_terminated") \
    X(UPSTREAM_MALFORMED,   502, "upstream-malformed",    "The backend's answer is malformed",       "http_protocol_error") \
    X(UPSTREAM_BODY,        502, "upstream-body",         "The backend's answer cannot be translated", "http_response_transfer_coding") \
    X(UPSTREAM_TOO_LARGE,   502, "upstream-too-large",    "The backend's answer is too large to be translated", "http_response_body_size") \
    X(LOOP,                 502, "loop",                  "The request came through here before",    "proxy_loop_detected") \
    X(UNAVAILABLE,          503, "unavailable",           "No connection to the backend can be opened now", "connection_limit_reached") \
    X(CONNECT_TIMEOUT,      504, "connect-timeout",       "The backend did not accept the connection in time", "connection_timeout") \
    X(ANSWER_TIMEOUT,       504, "answer-timeout",        "The backend did not answer in time",      "http_response_timeout")

typedef enum dg_problem {
#define DG_PROBLEM_ENUM(id, status, type, title, proxy_status) DG_PROBLEM_##id,
    DG_PROBLEM_TABLE(DG_PROBLEM_ENUM)
#undef DG_PROBLEM_ENUM
} dg_problem;

/* What a problem says beside its table row; any part may be empty. */
typedef struct dg_problem_extra {
    dg_slice members; /* JSON members, `,"versions":["v1"]` */
    dg_slice fields;  /* field lines, each ended by CRLF */
    unsigned status;  /* in place of the table's, when not 0 */
} dg_problem_extra;

/* Answers the exchange with a problem. detail and extra may be NULL. If bytes of an answer went out already,
 * the connection is cut instead. May free x. */
void dg_fail(dg_exchange *x, dg_problem problem, const char *detail, const dg_problem_extra *extra);

/* Answers a connection that has no exchange (its head was refused) and closes it. status overrides the
 * table's when not 0. */
void dg_downstream_refuse(dg_downstream *down, unsigned status, dg_problem problem, const char *detail);

#endif
