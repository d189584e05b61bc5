/* Member names: decoding, encoding and conversion. Pure functions on bytes; the results are
 * appended to a dg_buf, whose sticky status says whether memory sufficed.
 *
 * A decoded name is UTF-8, with one extension: a lone surrogate escape (\ud800) becomes its
 * three-byte form, so that names that differ stay different and the escape can be written again. */
#ifndef DG_TRANSFORMS_NAME_H
#define DG_TRANSFORMS_NAME_H

#include "base/buf.h"
#include "transforms/op.h"

/* Decodes the content of a valid JSON string (without its quotes). */
void dg_name_decode(dg_slice raw, dg_buf *out);
/* Whether a decoded name or string is all UTF-8: no lone surrogate is in it. */
bool dg_name_is_utf8(dg_slice name);
/* Appends `name` as a JSON string with its quotes. */
void dg_name_encode(dg_slice name, dg_buf *out);
/* Appends `name` in the other spelling (op.h). */
void dg_name_convert(dg_slice name, dg_naming from, dg_naming to, dg_buf *out);

#endif
