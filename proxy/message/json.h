/* Walking JSON text that is known to be valid, without a tree: what a program has put out. Pure
 * functions; slices point into the text. */
#ifndef DG_MESSAGE_JSON_H
#define DG_MESSAGE_JSON_H

#include "base/buf.h"

typedef enum dg_json_type {
    DG_JSON_NULL,
    DG_JSON_BOOLEAN,
    DG_JSON_NUMBER,
    DG_JSON_STRING,
    DG_JSON_ARRAY,
    DG_JSON_OBJECT
} dg_json_type;

/* Whether a text, valid or not, is one value and nothing behind it, so that it stays one when it is
 * put into another text. */
bool dg_json_is_one(dg_slice text);

/* Of a value without white space around it. */
dg_json_type dg_json_type_of(dg_slice value);

/* Walks the members of an object, or the elements of an array; any other value has none. */
typedef struct dg_json_walk {
    const char *at, *end; /* private */
} dg_json_walk;
dg_json_walk dg_json_walk_of(dg_slice value);
/* False at the end. The name is what stands between its quotes, still escaped. */
bool dg_json_next_member(dg_json_walk *walk, dg_slice *ret_name, dg_slice *ret_value);
bool dg_json_next_element(dg_json_walk *walk, dg_slice *ret_value);

/* The value of a member whose name is `name`, a plain word; empty when there is none. */
dg_slice dg_json_member(dg_slice object, dg_slice name);

/* Appends a scalar as text: a string decoded, a number or a boolean as it is written. False, and
 * nothing appended, for other values, and for strings that are no UTF-8 (a lone surrogate). */
bool dg_json_add_text(dg_slice value, dg_buf *out);
/* The same for what stands between the quotes of a member's name. */
bool dg_json_add_name(dg_slice name, dg_buf *out);

bool dg_is_utf8(dg_slice text);

#endif
