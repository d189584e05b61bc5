/* Casts of scalars from one kind to another (op.h, CAST). Pure functions. */
#ifndef DG_TRANSFORMS_CAST_H
#define DG_TRANSFORMS_CAST_H

#include "base/buf.h"
#include "transforms/op.h"

enum { DG_CAST_DIGITS_MAX = 64 }; /* between DECIMAL and HEX */

/* Whether there is such a cast. The one back is there too. */
bool dg_cast_is_known(dg_cast from, dg_cast to);
/* Is it a string in JSON? */
bool dg_cast_is_string(dg_cast kind);

/* Appends the JSON text of the value as the other kind. `text` is JSON, or the decoded content of a
 * string. What would not come back as it was ("007", "FF") is taken only with `lossy`. DG_INVALID:
 * it is not of the kind. DG_NOMEM, DG_LIMIT: `out` is full. What was appended then is rubbish. */
DG_MUST_USE dg_status dg_cast_text(dg_cast from, dg_cast to, dg_slice text, bool lossy,
                                   dg_buf *out);

#endif
