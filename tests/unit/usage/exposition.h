/* A checker of the Prometheus text format 0.0.4, strict where the format is: every series has a
 * head, no series comes twice, histograms are cumulative and end in a bucket +Inf that equals their
 * count. */
#ifndef DG_TEST_EXPOSITION_H
#define DG_TEST_EXPOSITION_H

#include "base/slice.h"

/* NULL when the text is right, else what is wrong; valid until the next call. */
const char *exposition_fault(dg_slice text);
/* The sum of all series of this name whose labels contain `part` ("" = all). */
double exposition_sum(dg_slice text, const char *name, const char *part);

#endif
