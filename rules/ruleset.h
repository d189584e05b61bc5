/* Rule sets: packs, loaded, checked and compiled; and the pure question "what is this request?".
 *
 * A rule set is an immutable snapshot that any thread may read. Nothing here knows a connection: requests
 * come as slices and a way to look up a field. */
#ifndef DG_RULES_RULESET_H
#define DG_RULES_RULESET_H

#include "base/buf.h"
#include "base/diag.h"
#include "transforms/program.h"

#define DG_NEVER INT64_MIN /* a date that is not set */
enum { DG_PARAMS_MAX = 16 };

typedef struct dg_ruleset dg_ruleset;

typedef struct dg_version {
    const char *name; /* "v1" */
    const dg_slice *aliases; /* other words for it in requests: "1" */
    size_t alias_count;
    size_t index;     /* 0 = oldest */
    int64_t deprecated, sunset; /* seconds since 1970, or DG_NEVER */
    dg_slice docs;              /* URL of documentation on the deprecation, or empty */
    struct dg_endpoint *const *endpoints; /* what exists in this version, most specific first */
    size_t endpoint_count;
} dg_version;

typedef struct dg_endpoint {
    dg_slice method;     /* "GET", or "*" for any */
    dg_slice path;       /* template below base and version: "/orders/{id}", a wildcard at its end */
    const struct dg_version *version;
    size_t slot; /* dense index over the whole rule set, for counters */
} dg_endpoint;

typedef enum dg_selector { /* what told the version of a request */
    DG_BY_NONE,
    DG_BY_PATH,
    DG_BY_HEADER,
    DG_BY_MEDIA_TYPE,
    DG_BY_QUERY,
    DG_BY_HOST,
    DG_BY_PIN,
    DG_BY_DEFAULT
} dg_selector;
/* The word in packs: "path"; "none" for NONE. */
const char *dg_selector_word(dg_selector selector);

typedef struct dg_api {
    const char *name; /* "orders" */
    dg_slice base;    /* "/api", without a slash at its end; may be empty */
    const dg_version *versions; /* oldest first */
    size_t version_count;
    const dg_version *backend; /* the version that the upstream speaks */
    dg_slice version_field;    /* the first request field that selects: "API-Version"; empty if none does */
    dg_slice vary;             /* all request fields that select, as a Vary list; empty if none does */
    bool by_path;              /* paths carry the version: base/v1/... */
    bool pass_unlisted;        /* the pack says: endpoints that no change names pass untouched */
    size_t index;              /* in the rule set */
    uint64_t digest;           /* of all that the pack says; other rules, another digest */
} dg_api;

/* What to load. */
typedef struct dg_pack_source {
    const char *dir;
    const char *backend_version; /* NULL = the newest */
    const char *pins;            /* the file of the clients' pins; NULL = as the pack says */
    dg_origin origin;            /* where the configuration names it */
} dg_pack_source;

/* All errors of all packs go to `diags`. DG_INVALID, DG_NOMEM, DG_IO. */
DG_MUST_USE dg_status dg_ruleset_load(const dg_pack_source *sources, size_t count, dg_diags *diags,
                                      dg_ruleset **ret_ruleset);
void dg_ruleset_free(dg_ruleset *ruleset); /* NULL is fine */
size_t dg_ruleset_api_count(const dg_ruleset *ruleset);
const dg_api *dg_ruleset_api(const dg_ruleset *ruleset, size_t index);
size_t dg_ruleset_endpoint_count(const dg_ruleset *ruleset); /* slots are 0 .. count - 1 */
const dg_endpoint *dg_ruleset_endpoint(const dg_ruleset *ruleset, size_t slot);
/* The api of an endpoint. */
const dg_api *dg_ruleset_endpoint_api(const dg_ruleset *ruleset, size_t slot);

/* A request as the rules see it. Slices must live as long as the match. */
typedef struct dg_request_view {
    dg_slice method;
    dg_slice path;  /* normalised, begins with a slash, without the query */
    dg_slice query; /* without the '?'; empty if none */
    dg_slice host;  /* with its port, if it has one */
    /* The value of the field's line `index` (from 0), empty if absent; in *ret_count how many lines carry it. */
    dg_slice (*field)(const void *context, dg_slice name, size_t index, size_t *ret_count);
    const void *context;
} dg_request_view;

typedef enum dg_match_result {
    DG_MATCH_OK,
    DG_MATCH_NO_API,           /* no pack claims this path */
    DG_MATCH_UNKNOWN_VERSION,  /* the request names a version that does not exist */
    DG_MATCH_NO_VERSION,       /* it names none, and there is no default */
    DG_MATCH_CONTRADICTION,    /* two selectors disagree, or a selecting field comes twice */
    DG_MATCH_UNKNOWN_ENDPOINT, /* not in that version, and pass_unlisted is off */
    DG_MATCH_METHOD            /* the path exists in that version, this method does not: 405 */
} dg_match_result;

typedef struct dg_match {
    const dg_api *api;             /* NULL with NO_API */
    const dg_version *version;     /* the client's; NULL if unknown */
    dg_selector selected_by;
    const dg_endpoint *endpoint;   /* in the client's version; NULL for an unlisted one that passes */
    const dg_program *request;     /* client -> backend; NULL = the body passes untouched */
    const dg_program *response;    /* backend -> client, for 1xx-3xx; NULL = untouched */
    const dg_program *error;       /* backend -> client, for 4xx and 5xx; NULL = untouched */
    dg_slice upstream_method;      /* the method in the backend's version */
    dg_slice rest;                 /* path below base and version */
    dg_slice params[DG_PARAMS_MAX]; /* values of {names} and of the wildcards, in template order, raw */
    size_t param_count;
    const void *route; /* private */
} dg_match;

/* Linear in the path, no allocation. */
dg_match_result dg_ruleset_match(const dg_ruleset *ruleset, const dg_request_view *request,
                                 dg_match *ret_match);

/* Appends the request target (path and query) in the backend's version. */
void dg_match_upstream_target(const dg_match *match, dg_slice query, dg_buf *out);

/* Appends the target of the same resource in the next newer version of the API: with that version in its path
 * where the API has versions in paths, for a link should say all; else the same path.
 * False, and nothing appended, when the version is the newest or has no such endpoint. */
bool dg_match_successor_target(const dg_match *match, dg_slice query, dg_buf *out);

/* Appends a target of the backend's version (a path with an optional query and fragment, from a Location
 * field, say) as the client's version addresses it. False, and nothing appended, when it is not of this API
 * in the backend's version. */
bool dg_match_client_target(const dg_match *match, dg_slice backend_target, dg_buf *out);

/* Where a field of a message names the version (a selecting field, or a media type in Accept or Content-Type):
 * appends its value as it names the backend's version, or the client's, instead. False, and nothing appended,
 * where it does not. */
bool dg_match_field_for_backend(const dg_match *match, dg_slice name, dg_slice value, dg_buf *out);
bool dg_match_field_for_client(const dg_match *match, dg_slice name, dg_slice value, dg_buf *out);
/* The host that stands for the backend's version, when it was the host that selected. */
bool dg_match_host_for_backend(const dg_match *match, dg_buf *out);

/* The program of one endpoint, by names, for the translate command. `method_path` is "POST /orders" in the
 * terms of version `from`. `error` picks the error part of a response. DG_NOT_FOUND with a diagnostic that
 * names the near ones. *ret_program NULL = nothing changes. */
DG_MUST_USE dg_status dg_ruleset_find_program(const dg_ruleset *ruleset, const char *from, const char *to,
                                              const char *method_path, bool response, bool error,
                                              dg_diags *diags, const dg_program **ret_program);

#endif
