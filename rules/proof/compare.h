/* Where two JSON values differ. Numbers are compared as text, strings decoded, members in any
 * order. */
#ifndef DG_RULES_PROOF_COMPARE_H
#define DG_RULES_PROOF_COMPARE_H

#include "rules/proof/tree.h"

enum { DG_DIFFERENCES_MAX = 20 };

/* What does not count. Places are paths as packs write them, "items[].id"; "" is the value itself.
 */
typedef struct dg_loose {
    const dg_slice *unordered; /* arrays whose order carries nothing */
    size_t unordered_count;
    bool all_unordered;
    const dg_slice *skipped; /* what is there is not compared */
    size_t skipped_count;
    bool exact; /* strings and names are compared as they are written, too */
} dg_loose;

typedef struct dg_difference {
    struct dg_difference *next;
    const char *path;       /* "items[2].id"; "." for the value itself */
    dg_slice expected, got; /* JSON text, compact; empty: nothing is there */
} dg_difference;

/* The first differences, in the order of `expected`; NULL when there are none. They live in the
 * arena. `at` is the place of the values themselves ("body"), or "". Check the arena for lack of
 * memory. */
const dg_difference *dg_compare(dg_arena *arena, const dg_tree *expected, const dg_tree *got,
                                const char *at, const dg_loose *loose);
/* The same place by place, into one list: begin with {NULL}. */
typedef struct dg_differences {
    dg_arena *arena;
    const dg_loose *loose;
    dg_difference *first, *last;
    size_t count;
} dg_differences;
void dg_compare_into(dg_differences *list, const dg_tree *expected, const dg_tree *got,
                     const char *at);
/* Texts in the place of values. */
void dg_differ(dg_differences *list, const char *path, dg_slice expected, dg_slice got);

#endif
