#include "proxy/http/tables.h"

static const dg_slice method_names[DG_METHOD_COUNT] = {{"", 0},
#define METHOD_NAME(name, idempotent, safe) {#name, sizeof(#name) - 1},
                                                       DG_METHOD_TABLE(METHOD_NAME)
#undef METHOD_NAME
};

static const struct {
    bool idempotent, safe;
} method_traits[DG_METHOD_COUNT] = {{false, false},
#define METHOD_TRAITS(name, idempotent, safe) {idempotent, safe},
                                    DG_METHOD_TABLE(METHOD_TRAITS)
#undef METHOD_TRAITS
};

static const dg_slice field_names[DG_FIELD_ID_COUNT] = {{"", 0},
#define FIELD_NAME(name, text, hop) {text, sizeof(text) - 1},
                                                        DG_FIELD_TABLE(FIELD_NAME)
#undef FIELD_NAME
};

static const bool field_hops[DG_FIELD_ID_COUNT] = {false,
#define FIELD_HOP(name, text, hop) hop,
                                                   DG_FIELD_TABLE(FIELD_HOP)
#undef FIELD_HOP
};

dg_method dg_method_of(dg_slice name)
{
    for (unsigned id = DG_METHOD_OTHER + 1; id < DG_METHOD_COUNT; id++)
        if (dg_slice_eq(name, method_names[id]))
            return (dg_method)id;
    return DG_METHOD_OTHER;
}

static inline dg_field_id is(dg_slice name, dg_field_id id)
{
    return dg_slice_ieq(name, field_names[id]) ? id : DG_FIELD_OTHER;
}

/* The candidates of each length, told apart by one byte where they differ, so that a lookup costs
 * at most one comparison of names. A row that is missing here is found by the unit test of the
 * table. */
dg_field_id dg_field_id_of(dg_slice name)
{
    if (name.len < 2 || name.len > 19)
        return DG_FIELD_OTHER;
    const char a = dg_ascii_lower(name.ptr[0]);
    const char z = dg_ascii_lower(name.ptr[name.len - 1]);
    switch (name.len) {
    case 2:
        return is(name, DG_FIELD_TE);
    case 3:
        return is(name, DG_FIELD_VIA);
    case 4:
        return is(name, a == 'h'   ? DG_FIELD_HOST
                        : a == 'd' ? DG_FIELD_DATE
                        : a == 'e' ? DG_FIELD_ETAG
                        : a == 'v' ? DG_FIELD_VARY
                                   : DG_FIELD_LINK);
    case 5:
        return is(name, DG_FIELD_RANGE);
    case 6:
        return is(name, a == 'a'               ? DG_FIELD_ACCEPT
                        : a == 'd'             ? DG_FIELD_DIGEST
                        : a == 'e'             ? DG_FIELD_EXPECT
                        : a == 's' && z == 'r' ? DG_FIELD_SERVER
                                               : DG_FIELD_SUNSET);
    case 7:
        return is(name, a == 't' ? DG_FIELD_TRAILER : DG_FIELD_UPGRADE);
    case 8:
        return is(name, a == 'l'   ? DG_FIELD_LOCATION
                        : z == 'h' ? DG_FIELD_IF_MATCH
                                   : DG_FIELD_IF_RANGE);
    case 9:
        return is(name, DG_FIELD_FORWARDED);
    case 10:
        return is(name, a == 'c'   ? DG_FIELD_CONNECTION
                        : a == 's' ? DG_FIELD_SET_COOKIE
                        : a == 't' ? DG_FIELD_TRACESTATE
                                   : DG_FIELD_KEEP_ALIVE);
    case 11:
        return is(name, a == 'a'   ? DG_FIELD_API_VERSION
                        : a == 'c' ? DG_FIELD_CONTENT_MD5
                        : a == 'd' ? DG_FIELD_DEPRECATION
                        : a == 't' ? DG_FIELD_TRACEPARENT
                        : z == 't' ? DG_FIELD_REPR_DIGEST
                                   : DG_FIELD_RETRY_AFTER);
    case 12:
        return is(name, a == 'c'   ? DG_FIELD_CONTENT_TYPE
                        : a == 'm' ? DG_FIELD_MAX_FORWARDS
                                   : DG_FIELD_X_REQUEST_ID);
    case 13:
        return is(name, a == 'a' && z == 'n' ? DG_FIELD_AUTHORIZATION
                        : a == 'a'           ? DG_FIELD_ACCEPT_RANGES
                        : a == 'i'           ? DG_FIELD_IF_NONE_MATCH
                        : a == 'l'           ? DG_FIELD_LAST_MODIFIED
                        : z == 'l'           ? DG_FIELD_CACHE_CONTROL
                                             : DG_FIELD_CONTENT_RANGE);
    case 14:
        return is(name, z == 'h' ? DG_FIELD_CONTENT_LENGTH : DG_FIELD_CONTENT_DIGEST);
    case 15:
        return is(name, a == 'a' ? DG_FIELD_ACCEPT_ENCODING : DG_FIELD_X_FORWARDED_FOR);
    case 16:
        return is(name, a == 'c' && z == 'g' ? DG_FIELD_CONTENT_ENCODING
                        : a == 'c'           ? DG_FIELD_CONTENT_LOCATION
                        : a == 'd'           ? DG_FIELD_DRAGOMAN_EXPLAIN
                        : a == 'p'           ? DG_FIELD_PROXY_CONNECTION
                                             : DG_FIELD_X_FORWARDED_HOST);
    case 17:
        return is(name, a == 't'   ? DG_FIELD_TRANSFER_ENCODING
                        : a == 'i' ? DG_FIELD_IF_MODIFIED_SINCE
                                   : DG_FIELD_X_FORWARDED_PROTO);
    case 18:
        return is(name, DG_FIELD_PROXY_AUTHENTICATE);
    case 19:
        return is(name, a == 'i' ? DG_FIELD_IF_UNMODIFIED_SINCE : DG_FIELD_PROXY_AUTHORIZATION);
    default:
        return DG_FIELD_OTHER;
    }
}

dg_slice dg_method_name(dg_method method)
{
    return method < DG_METHOD_COUNT ? method_names[method] : (dg_slice){NULL, 0};
}

dg_slice dg_field_name(dg_field_id id)
{
    return id < DG_FIELD_ID_COUNT ? field_names[id] : (dg_slice){NULL, 0};
}

bool dg_method_idempotent(dg_method method)
{
    return method < DG_METHOD_COUNT && method_traits[method].idempotent;
}

bool dg_method_safe(dg_method method)
{
    return method < DG_METHOD_COUNT && method_traits[method].safe;
}

bool dg_field_hop_by_hop(dg_field_id id)
{
    return id < DG_FIELD_ID_COUNT && field_hops[id];
}

/* The registry of status codes (RFC 9110 15.1), by number. */
#define STATUS_TABLE(X)                                                                            \
    X(100, "Continue")                                                                             \
    X(101, "Switching Protocols")                                                                  \
    X(102, "Processing")                                                                           \
    X(103, "Early Hints")                                                                          \
    X(200, "OK")                                                                                   \
    X(201, "Created")                                                                              \
    X(202, "Accepted")                                                                             \
    X(203, "Non-Authoritative Information")                                                        \
    X(204, "No Content")                                                                           \
    X(205, "Reset Content")                                                                        \
    X(206, "Partial Content")                                                                      \
    X(207, "Multi-Status")                                                                         \
    X(208, "Already Reported")                                                                     \
    X(226, "IM Used")                                                                              \
    X(300, "Multiple Choices")                                                                     \
    X(301, "Moved Permanently")                                                                    \
    X(302, "Found")                                                                                \
    X(303, "See Other")                                                                            \
    X(304, "Not Modified")                                                                         \
    X(305, "Use Proxy")                                                                            \
    X(307, "Temporary Redirect")                                                                   \
    X(308, "Permanent Redirect")                                                                   \
    X(400, "Bad Request")                                                                          \
    X(401, "Unauthorized")                                                                         \
    X(402, "Payment Required")                                                                     \
    X(403, "Forbidden")                                                                            \
    X(404, "Not Found")                                                                            \
    X(405, "Method Not Allowed")                                                                   \
    X(406, "Not Acceptable")                                                                       \
    X(407, "Proxy Authentication Required")                                                        \
    X(408, "Request Timeout")                                                                      \
    X(409, "Conflict")                                                                             \
    X(410, "Gone")                                                                                 \
    X(411, "Length Required")                                                                      \
    X(412, "Precondition Failed")                                                                  \
    X(413, "Content Too Large")                                                                    \
    X(414, "URI Too Long")                                                                         \
    X(415, "Unsupported Media Type")                                                               \
    X(416, "Range Not Satisfiable")                                                                \
    X(417, "Expectation Failed")                                                                   \
    X(421, "Misdirected Request")                                                                  \
    X(422, "Unprocessable Content")                                                                \
    X(423, "Locked")                                                                               \
    X(424, "Failed Dependency")                                                                    \
    X(425, "Too Early")                                                                            \
    X(426, "Upgrade Required")                                                                     \
    X(428, "Precondition Required")                                                                \
    X(429, "Too Many Requests")                                                                    \
    X(431, "Request Header Fields Too Large")                                                      \
    X(451, "Unavailable For Legal Reasons")                                                        \
    X(500, "Internal Server Error")                                                                \
    X(501, "Not Implemented")                                                                      \
    X(502, "Bad Gateway")                                                                          \
    X(503, "Service Unavailable")                                                                  \
    X(504, "Gateway Timeout")                                                                      \
    X(505, "HTTP Version Not Supported")                                                           \
    X(506, "Variant Also Negotiates")                                                              \
    X(507, "Insufficient Storage")                                                                 \
    X(508, "Loop Detected")                                                                        \
    X(511, "Network Authentication Required")

dg_slice dg_reason_phrase(unsigned status)
{
    switch (status) {
#define STATUS_CASE(code, phrase)                                                                  \
    case code:                                                                                     \
        return DG_SLICE(phrase);
        STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
    default:
        break;
    }
    static const dg_slice classes[] = {{"Informational", 13},
                                       {"Success", 7},
                                       {"Redirection", 11},
                                       {"Client Error", 12},
                                       {"Server Error", 12}};
    return status >= 100 && status <= 599 ? classes[status / 100 - 1] : (dg_slice){NULL, 0};
}
