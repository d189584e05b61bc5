/* Field values: lists, media types, codings, directives (RFC 9110 5.6, 8.3, 8.4). Pure functions;
 * any thread; nothing is allocated, slices point into the input. */
#ifndef DG_PROXY_HTTP_FIELDS_H
#define DG_PROXY_HTTP_FIELDS_H

#include "proxy/http/head.h"

/* Walks a comma-separated list (RFC 9110 5.6.1), in one value or over all fields of an id in their
 * order. Commas in quoted strings and in <...> (the targets of Link, RFC 8288) do not count. Empty
 * members are skipped. */
typedef struct dg_list {
    dg_slice rest;        /* private */
    const dg_head *head;  /* private; NULL for one value */
    const dg_field *next; /* private */
} dg_list;

dg_list dg_list_of_value(dg_slice value);
dg_list dg_list_of_field(const dg_head *head, dg_field_id id);
/* The next member without white space around it; false at the end. */
bool dg_list_next(dg_list *list, dg_slice *ret_member);

/* Walks "name", "name=token" and "name=\"quoted\"" parts that `separator` (';', or ',' for
 * Cache-Control) parts. value of a quoted string is without its quotes and with its escapes still
 * in it. */
typedef struct dg_param {
    dg_slice name, value;
    bool has_value;
} dg_param;
bool dg_param_next(dg_slice *rest, char separator, dg_param *ret_param);

/* Whether Connection names this field (RFC 9110 7.6.1), so that it must not be forwarded. Any case.
 */
bool dg_connection_names(const dg_head *head, dg_slice name);

/* Whether this field of this head is not to be forwarded: hop-by-hop by the table or named by
 * Connection. Host, Content-Length, Content-Type, Cache-Control and other end-to-end fields that a
 * message needs are not lost when Connection names them wrongly: dg_head's parser refuses no such
 * message, this function says true only for what may be removed safely (never Host or the fields of
 * the representation). */
bool dg_field_is_dropped(const dg_head *head, const dg_field *field);

typedef struct dg_media_type {
    dg_slice type, subtype; /* tokens */
    dg_slice params;        /* what follows, from the first ';' on; walk it with dg_param_next */
} dg_media_type;
DG_MUST_USE dg_status dg_media_type_parse(dg_slice value,
                                          dg_media_type *ret_type); /* DG_OK, DG_SYNTAX */

typedef enum dg_json_kind {
    DG_JSON_NO,     /* another media type, or none */
    DG_JSON_YES,    /* application/json, text/json, or +json, in UTF-8 */
    DG_JSON_CHARSET /* JSON by its type but in a charset that is not UTF-8 or US-ASCII */
} dg_json_kind;
/* Of a Content-Type value. A malformed value is JSON when its type says so, since a lenient reader
 * would take it for that. */
dg_json_kind dg_media_type_json(dg_slice value);
/* Of a head: by its Content-Type; more than one Content-Type field is DG_JSON_CHARSET when any is
 * JSON. */
dg_json_kind dg_head_json(const dg_head *head);
/* Whether a head says clearly what its content is: in one Content-Type field, with one media type. Recipients differ in
 * what they make of anything else (RFC 9110 5.3, 8.3). */
bool dg_head_has_one_type(const dg_head *head);

/* Whether Cache-Control has that directive, with or without an argument ("no-transform"). Any case.
 */
bool dg_head_cache_control(const dg_head *head, dg_slice directive);

/* The weight, 0 to 1000, that Accept-Encoding gives a coding ("gzip", "identity"; RFC 9110 12.5.3),
 * with "*" and the rules for absent fields: without the field only "identity" has a weight (1000).
 * A malformed weight counts as 0. */
unsigned dg_head_accepts_coding(const dg_head *head, dg_slice coding);

/* Whether a member of Via was received by this pseudonym or host (RFC 9110 7.6.3). Any case. */
bool dg_head_via_has(const dg_head *head, dg_slice pseudonym);

#endif
