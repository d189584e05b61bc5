/* Query strings and forms (application/x-www-form-urlencoded) as objects of strings, and back.
 *
 *   page=2&tag=a&tag=b%20c  is  {"page":"2","tag":["a","b c"]}
 *
 * Names and values are percent-decoded, a plus sign is a space; a name that comes more than once
 * has an array of its values. On the way back, a parameter whose value did not change keeps its
 * bytes and its place, others are encoded. Brackets in names (items[0][id]) are part of the name.
 * Pure functions. */
#ifndef DG_MESSAGE_QUERY_H
#define DG_MESSAGE_QUERY_H

#include "base/buf.h"

enum { DG_QUERY_PARAMS_MAX = 512 };

/* Which parameters are not in the document: those for which it is true. NULL = none. */
typedef struct dg_query_rest {
    bool (*is_out)(const void *context, dg_slice raw_name);
    const void *context;
} dg_query_rest;

/* Appends the object. DG_SYNTAX: a broken percent triplet, or bytes that are no UTF-8. DG_LIMIT:
 * too many parameters. DG_NOMEM. */
DG_MUST_USE dg_status dg_query_document(dg_slice query, const dg_query_rest *rest, dg_buf *out);

/* Appends the query that the object stands for, where `query` is what came. Values are strings,
 * numbers, booleans and arrays of such; null is as if it were not there. DG_INVALID, with a static
 * sentence: the document is no such object. DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_query_rebuild(dg_slice query, const dg_query_rest *rest, dg_slice object,
                                       dg_buf *out, const char **ret_message);

/* Percent-decodes; `plus`: a plus sign is a space. False, and nothing appended, when a triplet is
 * broken, or when it comes to no UTF-8. */
bool dg_percent_decode(dg_slice raw, bool plus, dg_buf *out);
/* Percent-encodes what RFC 3986 does not allow in a path segment or, `query`, in a parameter. */
void dg_percent_encode(dg_slice text, bool query, dg_buf *out);

#endif
