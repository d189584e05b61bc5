/* Path templates and the table that finds the one that serves a path.
 *
 * A template is "METHOD /path": the method a token or * for any; segments are literals, {names}, a
 * * for any one segment, and at the end ** for whatever is left. Parameters and wildcards match raw
 * (still encoded) bytes of a whole segment, and never an empty one, but ** also matches nothing.
 *
 * Tables are built by one thread and immutable afterwards. Matching allocates nothing, visits each
 * node of the table at most once, and prefers at every segment the literal to {name} to * to **. */
#ifndef DG_RULES_ROUTE_H
#define DG_RULES_ROUTE_H

#include "rules/ruleset.h"

enum { DG_SEGMENTS_MAX = 48, DG_TEMPLATE_BYTES_MAX = 1024 };

typedef enum dg_segment_kind {
    DG_SEGMENT_LITERAL,
    DG_SEGMENT_NAME,
    DG_SEGMENT_STAR,
    DG_SEGMENT_REST
} dg_segment_kind;

typedef struct dg_segment {
    dg_segment_kind kind;
    dg_slice text; /* the literal, or the name */
    unsigned
        param; /* not a literal: which parameter of the endpoint, the same in all its versions */
} dg_segment;

typedef struct dg_template {
    dg_slice method, path;
    const dg_segment *segments;
    size_t count;
    size_t param_count;
} dg_template;

/* Parses "GET /orders/{id}" and numbers its parameters from the left. False with a diagnostic, or
 * when out of memory (the arena has failed then). */
bool dg_template_parse(dg_arena *arena, dg_slice text, dg_origin origin, dg_diags *diags,
                       dg_template *ret_template);
/* The same path but for the names of parameters. */
bool dg_template_same_path(const dg_template *a, const dg_template *b);
/* The same method and path. */
bool dg_template_same(const dg_template *a, const dg_template *b);
/* Whether a rule written for `pattern` is meant for `endpoint` too: * covers each method and each
 * segment,
 * ** each rest; a {name} only a {name}. */
bool dg_template_covers(const dg_template *pattern, const dg_template *endpoint);
/* Most specific first, for qsort-like use: < 0 when a goes before b. */
int dg_template_compare(const dg_template *a, const dg_template *b);

typedef struct dg_route dg_route; /* what a table finds; ruleset.c knows what is in it */
typedef struct dg_table_node dg_table_node;
typedef struct dg_table {
    dg_table_node *root;
} dg_table;

/* Adds a route. *ret_taken is the route that has this method and path already (nothing is added
 * then), or NULL. False when out of memory. */
bool dg_table_add(dg_arena *arena, dg_table *table, const dg_template *endpoint, dg_route *route,
                  dg_route **ret_taken);

typedef struct dg_table_match {
    dg_route *route;
    dg_slice params[DG_PARAMS_MAX]; /* in template order */
    size_t param_count;
    bool path_known; /* some template has this path, perhaps with other methods */
} dg_table_match;

/* Finds the route for a path that begins with a slash ("" counts as "/"). HEAD is served by GET
 * when nothing names HEAD. An empty method finds a route of any method, GET before others. False
 * when there is none; path_known is set then too. */
bool dg_table_find(const dg_table *table, dg_slice method, dg_slice path,
                   dg_table_match *ret_match);

#endif
