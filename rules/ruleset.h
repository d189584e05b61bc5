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

/* How the content of a message is written. */
typedef enum dg_format {
    DG_FORMAT_JSON,
    DG_FORMAT_FORM, /* application/x-www-form-urlencoded <-> an object of strings */
    DG_FORMAT_TEXT, /* text/plain <-> a string */
    DG_FORMAT_NONE  /* there is no content */
} dg_format;

/* The members of a message's document. A message is a JSON document, too:
 *   a request: {"method": "GET", "origin": "https://api.example.com", "path": {"id": "7"}, "query": {"tag": ["a", "b"]}, "headers": {...}, "body": ...}
 *   an answer: {"status": 200, "headers": {...}, "body": ..., "request": {...}}, where "request" is what the
 * client sent, without its body. docs/packs.md says how each is written. */
enum {
    DG_IN_METHOD = 1,
    DG_IN_PATH = 2,
    DG_IN_QUERY = 4,
    DG_IN_HEADERS = 8,
    DG_IN_STATUS = 16,
    DG_IN_BODY = 32,
    DG_IN_REQUEST = 64,
    DG_IN_ORIGIN = 128
};

/* What becomes of a message between two versions. Immutable; lives as long as the rule set. */
typedef struct dg_translation {
    const dg_program *body;    /* on the content alone; NULL = it stays as it is, or is in the document */
    const dg_program *message; /* on the document; NULL = no other part changes */
    unsigned parts;            /* DG_IN_...: what the document has to hold */
    dg_format from, to;        /* how the content is written as it comes, and as it leaves */
    unsigned status;           /* of an answer: what it becomes; 0 = it stays */
} dg_translation;

/* An answer that a pack holds, for what the backend's version does not have. */
typedef struct dg_static_answer {
    unsigned status;
    dg_slice headers; /* a JSON object of strings, compact */
    dg_format format;
    dg_slice body;  /* JSON text, compact; a string with DG_FORMAT_TEXT; empty = no content */
    size_t version; /* the index of the version that it is written in */
} dg_static_answer;

/* How dragoman's own errors look to the clients of a version: ops on the problem document (RFC 9457). */
typedef struct dg_error_shape {
    const dg_program *program; /* NULL: it stays */
    dg_format format;          /* JSON or TEXT */
} dg_error_shape;

typedef struct dg_version {
    const char *name; /* "v1" */
    const dg_slice *aliases; /* other words for it in requests: "1" */
    size_t alias_count;
    size_t index;     /* 0 = oldest */
    int64_t deprecated, sunset; /* seconds since 1970, or DG_NEVER */
    dg_slice docs;              /* URL of documentation on the deprecation, or empty */
    const dg_error_shape *errors; /* NULL: as they are */
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
    const dg_version *backend; /* that the default backend speaks; dg_match says which one an exchange meets */
    dg_slice version_field;    /* the first request field that selects: "API-Version"; empty if none does */
    dg_slice vary;             /* all request fields that select, as a Vary list; empty if none does */
    bool by_path;              /* paths carry the version: base/v1/... */
    bool pass_unlisted;        /* the pack says: endpoints that no change names pass untouched */
    const dg_error_shape *errors; /* for a client whose version is not known; NULL: as they are */
    size_t index;              /* in the rule set */
    uint64_t digest;           /* of all that the pack says; other rules, another digest */
} dg_api;

/* A text, and where it stands. */
typedef struct dg_named {
    const char *text;
    dg_origin origin;
} dg_named;

/* A backend beside the default one. */
typedef struct dg_backend_source {
    dg_named version;          /* that it speaks */
    const dg_named *versions;  /* of the clients that it serves; none = all */
    size_t version_count;
    const dg_named *endpoints; /* that it serves, as the newest version calls them, wildcards too; none = all */
    size_t endpoint_count;
    dg_origin origin;
} dg_backend_source;

/* What to load. */
typedef struct dg_pack_source {
    const char *dir;
    const char *backend_version; /* NULL = the newest */
    const dg_backend_source *backends; /* the first that fits serves a request; the default one serves the rest */
    size_t backend_count;
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
    /* What the client's certificate says, which was verified: its "cn", "sha256", "uri", "dns" or "email", in
     * visible ASCII, several parted by ", "; empty if nothing. NULL when there are no such clients. */
    dg_slice (*certificate)(const void *context, dg_slice part);
} dg_request_view;

typedef enum dg_match_result {
    DG_MATCH_OK,
    DG_MATCH_NO_API,           /* no pack claims this path */
    DG_MATCH_UNKNOWN_VERSION,  /* the request names a version that does not exist */
    DG_MATCH_NO_VERSION,       /* it names none, and there is no default */
    DG_MATCH_CONTRADICTION,    /* two selectors disagree, or a selecting field comes twice */
    DG_MATCH_UNKNOWN_ENDPOINT, /* not in that version, and pass_unlisted is off */
    DG_MATCH_REMOVED,          /* in that version, but the backend's has it no more: 410 */
    DG_MATCH_ADDED,            /* in that version, but the backend's does not have it yet: 404 */
    DG_MATCH_METHOD            /* the path exists in that version, this method does not: 405 */
} dg_match_result;

typedef struct dg_match {
    const dg_api *api;             /* NULL with NO_API */
    const dg_version *version;     /* the client's; NULL if unknown */
    const dg_version *backend;     /* the version that the backend of this exchange speaks; NULL with NO_API */
    size_t backend_index;          /* 0 = the default one, else its place in dg_pack_source.backends, from 1 */
    dg_selector selected_by;
    const dg_endpoint *endpoint;   /* in the client's version; NULL for an unlisted one that passes */
    const dg_translation *request; /* client -> backend; NULL = it passes untouched but for its target */
    const struct dg_answers *answers; /* private; see dg_match_answer */
    const dg_static_answer *answer; /* to be given without asking the backend; or NULL */
    bool errors_only;               /* private */
    dg_slice upstream_method;      /* the method in the backend's version */
    dg_slice rest;                 /* path below base and version */
    dg_slice params[DG_PARAMS_MAX]; /* values of {names} and of the wildcards, in template order, raw */
    size_t param_count;
    const void *route; /* private */
} dg_match;

/* Linear in the path, no allocation. */
dg_match_result dg_ruleset_match(const dg_ruleset *ruleset, const dg_request_view *request,
                                 dg_match *ret_match);

/* What becomes of an answer with that status, of the backend (or of match->answer, whose version may be
 * another); NULL = it passes untouched. */
const dg_translation *dg_match_answer(const dg_match *match, unsigned status);
/* Whether an answer to it may have its content changed. */
bool dg_match_answers_change(const dg_match *match);
/* Whether the document of some answer holds the request. */
bool dg_match_answers_ask(const dg_match *match);

/* Appends the request target (path and query) in the backend's version. */
void dg_match_upstream_target(const dg_match *match, dg_slice query, dg_buf *out);

/* The parameters with a name, {id}, in the path of the client's version, or of the backend's. False beyond the last.
 * *ret_raw, of the client's, is the value as it came. */
bool dg_match_param(const dg_match *match, size_t index, dg_slice *ret_name, dg_slice *ret_raw);
bool dg_match_upstream_param(const dg_match *match, size_t index, dg_slice *ret_name);
/* Whether the query parameter of that name, as it came, selects the version. */
bool dg_match_query_selects(const dg_match *match, dg_slice raw_name);
/* As dg_match_upstream_target, with other values for the named parameters of the backend's path, in their order, percent-encoded.
 * False, and nothing appended, when the path then is that of another endpoint. */
bool dg_match_upstream_target_with(const dg_match *match, const dg_slice *params, dg_slice query, dg_buf *out);

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

/* What becomes of a message of one endpoint, by names; as below. status: of the answer, or its class, 1 to 5;
 * 0 = a request. */
DG_MUST_USE dg_status dg_ruleset_find_translation(const dg_ruleset *ruleset, const char *from, const char *to,
                                                  const char *method_path, unsigned status, dg_diags *diags,
                                                  const dg_translation **ret_translation);

/* The program of one endpoint, by names, for the translate command. `method_path` is "POST /orders" in the
 * terms of version `from`. `error` picks the error part of a response. DG_NOT_FOUND with a diagnostic that
 * names the near ones; DG_INVALID with one when more than the body changes, so that a body alone does not do.
 * *ret_program NULL = nothing changes. */
DG_MUST_USE dg_status dg_ruleset_find_program(const dg_ruleset *ruleset, const char *from, const char *to,
                                              const char *method_path, bool response, bool error,
                                              dg_diags *diags, const dg_program **ret_program);

#endif
