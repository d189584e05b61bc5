/* Orders as the demo backend keeps them: what a valid one is, and its JSON text.
 *
 * An order is a jansson object of the fields in its text. Amounts are reals there, proved at the
 * door to be whole cents, so that the text can print them exactly. */
#ifndef DG_PROXY_DEMO_ORDER_H
#define DG_PROXY_DEMO_ORDER_H

#include <jansson.h>

#include "base/buf.h"

enum {
    DG_DEMO_ORDERS_MAX = 1000,
    DG_DEMO_SEEDS = 42,
    DG_DEMO_LINE_ITEMS_MAX = 50,
    DG_DEMO_METADATA_MAX = 50,
    DG_DEMO_TEXT_MAX = 2000 /* bytes of one string */
};

/* Why a body was refused. */
typedef struct dg_demo_fault {
    const char *code;
    char field[128]; /* "line_items[2].sku" */
    char message[256];
} dg_demo_fault;

/* May a client send this object: a whole order to make one, or with `partial` a part to change one?
 * False, and *ret_fault, if it may not. */
bool dg_demo_order_check(json_t *body, bool partial, dg_demo_fault *ret_fault);

/* An order of its own from a checked body, as a new reference. NULL when out of memory. */
json_t *dg_demo_order_make(json_t *body, const char *id, const char *created_at);
/* A changed copy, as a new reference. NULL when out of memory. */
json_t *dg_demo_order_change(json_t *order, json_t *body);

void dg_demo_order_write(json_t *order, dg_buf *out);

/* The body of seed order 0 .. DG_DEMO_SEEDS - 1, which passes the check, as a new reference, and
 * when it was made. NULL when out of memory. */
json_t *dg_demo_seed(size_t index, char ret_created_at[32]);

#endif
