/* Which places of a value an op list mentions: what it may look at, and what it may change. Read
 * off the list, without a value: it may name more than a message has, never less. */
#ifndef DG_RULES_PLACES_H
#define DG_RULES_PLACES_H

#include "transforms/op.h"

enum { DG_PLACE_STEPS_MAX = 3 };

/* A place, and all that is below it. */
typedef struct dg_place {
    dg_slice steps[DG_PLACE_STEPS_MAX]; /* member names; NULL pointer: any member or element */
    size_t count;                       /* deeper ones are cut */
    const dg_op *op;
    bool writes; /* it may change what is there, or take it away */
    bool makes;  /* it may put something there */
} dg_place;

typedef void dg_place_visit(void *context, const dg_place *place);

/* Calls `visit` for each place that the list mentions, in its order; some come more than once. */
void dg_ops_places(const dg_ops *ops, dg_place_visit *visit, void *context);

#endif
