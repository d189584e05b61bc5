/* The lines of a head, one at a time, private to this room.
 *
 * A line is judged only when it is whole (it has its LF), so that the verdict on a head does not
 * depend on how its bytes arrived; but a start line is refused as soon as it can be none. */
#ifndef DG_PROXY_HTTP_LINES_H
#define DG_PROXY_HTTP_LINES_H

#include "proxy/http/head.h"

typedef struct dg_reader {
    dg_slice bytes; /* from the start of the head, at most limits->head_bytes_max */
    const dg_head_limits *limits;
    bool request;
    dg_http_error *error;
    dg_head *scratch; /* where a start line is read into when only its verdict is wanted */
} dg_reader;

/* Writes the error, with 502 for responses, and returns status. */
dg_status dg_http_refuse(dg_reader *r, dg_status status, unsigned code, const char *reason);

/* The request line or status line at *at (0), with the empty line that may be before a request
 * line. Moves *at behind it on DG_OK. */
dg_status dg_start_line(dg_reader *r, size_t *at, dg_head *head);

/* The field line at *at; *name is empty for the empty line that ends the head. Moves *at on DG_OK.
 */
dg_status dg_field_line(dg_reader *r, size_t *at, dg_slice *name, dg_slice *value);

#endif
