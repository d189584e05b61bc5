/* Which header fields a pack may name, and how. */
#ifndef DG_RULES_FIELD_H
#define DG_RULES_FIELD_H

#include "base/slice.h"

/* What is wrong with a field's name in a pack: a predicate, "is ...". NULL when nothing is. What
 * belongs to a connection or to a message's framing (RFC 9110 7.6, RFC 9112 6), describes bytes
 * that dragoman changes, or is dragoman's own, is in no document. */
const char *dg_field_problem(dg_slice name);

/* Whether the document of a message holds it: a name in any case. */
bool dg_field_is_documented(dg_slice name);

/* No control character but a tab (RFC 9110 5.5). */
bool dg_field_text_ok(dg_slice value);

#endif
