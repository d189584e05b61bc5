/* A rule set from the inside: what ruleset.c builds and match.c reads. Private to rules/. */
#ifndef DG_RULES_COMPILED_H
#define DG_RULES_COMPILED_H

#include <pthread.h>

#include "rules/pack.h"

/* One endpoint in one version. */
struct dg_route {
    dg_endpoint endpoint;
    dg_template name; /* in this version; its parameters are numbered alike in all versions */
    const struct dg_line *line;
    const dg_program
        *programs[DG_PARTS]; /* between this version and the backend's; NULL = untouched */
};

/* One endpoint through all versions. */
typedef struct dg_line {
    dg_route *routes; /* by the index of the version */
    dg_origin origin;
} dg_line;

typedef struct dg_compiled_api {
    dg_api api;
    dg_pack pack;
    dg_line *lines;
    size_t line_count;
    dg_table *tables; /* by the index of the version */
} dg_compiled_api;

/* Programs are shared: many endpoints have the same lists. */
typedef struct dg_program_entry {
    struct dg_program_entry *next;
    const dg_ops **steps;
    size_t step_count;
    dg_program *program;
    bool identity;
} dg_program_entry;

enum { DG_PROGRAM_BUCKETS = 256 };

typedef struct dg_program_cache {
    dg_arena *arena;
    dg_program_entry *buckets[DG_PROGRAM_BUCKETS];
} dg_program_cache;

struct dg_ruleset {
    dg_arena arena;
    dg_compiled_api *apis;
    size_t api_count;
    const dg_route **slots;
    size_t slot_count;
    dg_program_cache programs;
    /* What dg_ruleset_find_program compiles later lives apart, under a lock. */
    struct dg_later {
        pthread_mutex_t lock;
        dg_arena arena;
        dg_program_cache programs;
    } * later;
};

/* Traces one endpoint through all versions, from its name in version `index`; nothing if it is
 * known. Errors go to the pack's diagnostics. */
void dg_line_seed(dg_compiled_api *api, const dg_template *name, size_t index, dg_origin origin);
/* All endpoints of the API, numbered from 0 within it, and the tables of all versions. */
void dg_lines_build(dg_compiled_api *api);

#endif
