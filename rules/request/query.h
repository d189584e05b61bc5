/* Query strings: parameters as they came. Pure; slices point into the input. Private to rules/. */
#ifndef DG_RULES_QUERY_H
#define DG_RULES_QUERY_H

#include "base/slice.h"

typedef struct dg_query_param {
    dg_slice text;        /* all of it */
    dg_slice name, value; /* raw; an absent value is empty */
} dg_query_param;

/* Takes the next parameter off `left`; false at the end. */
bool dg_query_next(dg_slice *left, dg_query_param *ret_param);
/* Whether `raw` is `plain` once its % escapes are decoded; `plain` has none, and no spaces. */
bool dg_query_is(dg_slice raw, dg_slice plain);

#endif
