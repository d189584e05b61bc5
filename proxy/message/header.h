/* Header fields as an object of strings, and back.
 *
 *   X-A: 1 / Set-Cookie: a=1 / Set-Cookie: b=2   is   {"x-a":"1","set-cookie":["a=1","b=2"]}
 *
 * Names are in lower case; a name on more than one line has an array of its values. Fields of the
 * connection, of the framing, of the content's bytes, and dragoman's own are not in the document
 * (rules/reader/field.h). A value that is no UTF-8 is read as ISO 8859-1. On the way back a line whose
 * value did not change stays as it came. Pure functions. */
#ifndef DG_MESSAGE_HEADER_H
#define DG_MESSAGE_HEADER_H

#include "base/buf.h"
#include "proxy/http/head.h"

/* The lines of a message as they came. `is_out`: those that are not in the document beside the ones
 * that never are. `is_reserved`: names under which nothing may be added, beside these. Both may be
 * NULL. */
typedef struct dg_header {
    const dg_field *fields;
    size_t count; /* at most DG_FIELDS_MAX */
    bool (*is_out)(const void *context, const dg_field *field);
    const void *context;
    bool (*is_reserved)(const void *context, dg_slice name);
} dg_header;

/* Appends the object. DG_NOMEM. */
DG_MUST_USE dg_status dg_header_document(const dg_header *header, dg_buf *out);

typedef enum dg_line_fate { DG_LINE_STAYS, DG_LINE_GOES, DG_LINE_CHANGES } dg_line_fate;

/* What becomes of the lines of a header, by their index, and the lines that come after them. */
typedef struct dg_header_plan {
    struct dg_line_plan {
        dg_line_fate fate;
        size_t start, len; /* CHANGES: the value, in `text` */
    } lines[DG_FIELDS_MAX];
    dg_buf text;  /* private; see dg_header_value */
    dg_buf added; /* whole field lines */
} dg_header_plan;

static inline dg_slice dg_header_value(const dg_header_plan *plan, size_t line)
{
    return dg_slice_until(dg_slice_from(dg_buf_slice(&plan->text), plan->lines[line].start),
                          plan->lines[line].len);
}

/* Fills in the plan, whose buffers are cleared first. Values are strings, numbers, booleans and
 * arrays of such; null is as if it were not there. DG_INVALID, with a static sentence: a name or a
 * value that no field has, or that is not the pack's to set. DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_header_rebuild(const dg_header *header, dg_slice object,
                                        dg_header_plan *plan, const char **ret_message);

#endif
