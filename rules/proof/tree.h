/* JSON text as a tree, for what compares and makes documents. Nothing that traffic meets.
 *
 * Scalars and the names of members keep the text that they were written in. A tree lives in its
 * arena, and so does the text; one thread. */
#ifndef DG_RULES_PROOF_TREE_H
#define DG_RULES_PROOF_TREE_H

#include "base/arena.h"
#include "base/buf.h"

typedef enum dg_tree_kind {
    DG_TREE_NULL,
    DG_TREE_BOOLEAN,
    DG_TREE_NUMBER,
    DG_TREE_STRING,
    DG_TREE_ARRAY,
    DG_TREE_OBJECT
} dg_tree_kind;

typedef struct dg_tree dg_tree;
struct dg_tree {
    dg_tree_kind kind;
    dg_slice text;   /* of a scalar, as JSON writes it */
    dg_slice string; /* of a string, decoded */
    dg_slice key;    /* of a member, as JSON writes it, with its quotes */
    dg_slice name;   /* of a member, decoded */
    dg_tree *first, *next;
    size_t count; /* of children */
};

/* Copies what it keeps of the text. DG_SYNTAX, DG_LIMIT (deeper than DG_JSON_DEPTH_MAX), DG_NOMEM.
 */
DG_MUST_USE dg_status dg_tree_read(dg_arena *arena, dg_slice json, dg_tree **ret_tree);
/* Appends it without white space. */
void dg_tree_print(const dg_tree *tree, dg_buf *out);

/* NULL when the arena is out of memory, here and below. */
dg_tree *dg_tree_copy(dg_arena *arena, const dg_tree *tree);
/* An array or object without anything in it. */
dg_tree *dg_tree_empty(dg_arena *arena, dg_tree_kind kind);
/* Whatever the text is: as dg_tree_read, of text that is known to be JSON. */
dg_tree *dg_tree_of(dg_arena *arena, const char *json);

/* The first member of that decoded name, or NULL; of anything but an object, NULL. */
dg_tree *dg_tree_member(const dg_tree *object, dg_slice name);
/* Gives an object a member, at the end, or another value to the one of that name. Does nothing with
 * other values. */
void dg_tree_set(dg_arena *arena, dg_tree *object, dg_slice name, const dg_tree *value);
/* Puts an element, or a member with its key, at the end. */
void dg_tree_append(dg_tree *container, dg_tree *child);
void dg_tree_remove(dg_tree *container, const dg_tree *child);
/* Takes over what the value is, and keeps its own name and place. Nothing for NULL. */
void dg_tree_assign(dg_tree *tree, const dg_tree *value);

#endif
