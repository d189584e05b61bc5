/* Templates (op.h, TEMPLATE): texts with places, "{a.b}", for values. */
#ifndef DG_TRANSFORMS_TEMPLATE_H
#define DG_TRANSFORMS_TEMPLATE_H

#include "base/slice.h"

/* What is wrong with the content of a template's string, decoded; a static sentence. NULL: nothing.
 */
const char *dg_template_fault(dg_slice string);

#endif
