/* Media ranges, as Accept and Content-Type have them (RFC 9110 8.3.1, 12.5.1): just enough to find a version in
 * them. Pure; slices point into the input. Private to rules/. */
#ifndef DG_RULES_MEDIA_H
#define DG_RULES_MEDIA_H

#include "base/slice.h"

/* The next member of a list, without white space around it; false at the end. Commas between quotes do not count. */
bool dg_media_next_range(dg_slice *list, dg_slice *ret_range);
/* What comes before the next semicolon that is not between quotes, without white space around it: the type first,
 * then each parameter. */
dg_slice dg_media_next_part(dg_slice *range);
/* Without the quotes around it, if there are any. */
dg_slice dg_media_unquoted(dg_slice value);
/* The weight of a range, 0 to 1000; 1000 without a `q`, 0 for a malformed one. */
unsigned dg_media_weight(dg_slice range);

#endif
