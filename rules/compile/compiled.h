/* A rule set from the inside: what ruleset.c builds and match.c reads. Private to rules/. */
#ifndef DG_RULES_COMPILED_H
#define DG_RULES_COMPILED_H

#include <pthread.h>

#include "rules/reader/pack.h"

/* What becomes of the answer with one status. */
typedef struct dg_exact {
    unsigned status;
    const dg_translation *translation;
} dg_exact;

enum { DG_CLASSES = 5 };

/* What becomes of the answers of an endpoint, for clients of one version. NULL: untouched. */
typedef struct dg_answers {
    const dg_translation *classes[DG_CLASSES];
    const dg_exact *exact; /* ascending */
    size_t exact_count;
    bool change; /* the content of one of them may change */
    bool ask;    /* the document of one of them holds the request */
} dg_answers;

/* A backend of an API. */
typedef struct dg_backend {
    const dg_version *version; /* that it speaks */
    size_t index;              /* as dg_match.backend_index */
} dg_backend;

/* One endpoint in one version. */
struct dg_route {
    dg_endpoint endpoint;
    dg_template name; /* in this version; its parameters are numbered alike in all versions */
    const struct dg_line *line;
    bool absent; /* it does not exist in this version; `name` is that of the nearest in which it does */
    bool merged; /* in this version another endpoint has its name, too, and gets the requests */
    const dg_binding *end; /* absent: what says so */
    const dg_backend *backend; /* that serves it to clients of this version */
    const dg_route *upstream; /* where requests go: in the backend's version, or in the nearest to it that has it */
    const dg_translation *request; /* NULL = untouched */
    const dg_answers *answers;
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
    dg_backend *backends;        /* the default one, and those of the list */
    const dg_backend **unlisted; /* by the index of the version: that of endpoints which no pack names */
} dg_compiled_api;

/* Programs are shared: many endpoints have the same lists. */
typedef struct dg_program_entry {
    struct dg_program_entry *next;
    const dg_ops **steps;
    size_t step_count;
    dg_program *program;
    bool identity;
} dg_program_entry;

/* And so are translations, and the answers' tables. */
typedef struct dg_translation_entry {
    struct dg_translation_entry *next;
    dg_translation translation;
} dg_translation_entry;

typedef struct dg_answers_entry {
    struct dg_answers_entry *next;
    dg_answers answers;
} dg_answers_entry;

enum { DG_PROGRAM_BUCKETS = 256 };

typedef struct dg_program_cache {
    dg_arena *arena;
    dg_program_entry *programs[DG_PROGRAM_BUCKETS];
    dg_translation_entry *translations[DG_PROGRAM_BUCKETS];
    dg_answers_entry *answers[DG_PROGRAM_BUCKETS];
} dg_program_cache;

struct dg_ruleset {
    dg_arena arena;
    dg_compiled_api *apis;
    size_t api_count;
    const dg_route **slots;
    size_t slot_count;
    dg_program_cache programs;
    /* What dg_ruleset_find_translation compiles later lives apart, under a lock. */
    struct dg_later {
        pthread_mutex_t lock;
        dg_arena arena;
        dg_program_cache programs;
    } * later;
};

/* ---- lines.c */
/* Traces one endpoint through all versions, from its name in version `index`; nothing if it is
 * known. Errors go to the pack's diagnostics. */
void dg_line_seed(dg_compiled_api *api, const dg_template *name, size_t index, dg_origin origin);
/* All endpoints of the API, numbered from 0 within it, and the tables of all versions. */
void dg_lines_build(dg_compiled_api *api);

/* ---- backends.c */
/* Chooses the backend of each endpoint in each version. DG_INVALID with diagnostics, DG_NOMEM. */
DG_MUST_USE dg_status dg_backends_build(dg_compiled_api *api, const dg_pack_source *source);

/* ---- ruleset.c */
/* The endpoint of that name, or the one that serves that path ("GET /orders/7"), in a version; or NULL. */
const dg_line *dg_line_named(const dg_compiled_api *api, dg_slice method_path, size_t version);
/* As dg_chain_translation, compiled once for all who ask. Any thread. */
DG_MUST_USE dg_status dg_chain_find(const dg_ruleset *ruleset, const dg_compiled_api *api, const dg_line *line,
                                    unsigned status, size_t from, size_t to, dg_diags *diags,
                                    const dg_translation **ret_translation);

/* ---- chain.c */
/* The translation of a line's messages from one version to another; status 0 = requests, 1 to 5 = the answers of
 * that class that no version singles out, else those with that status. *ret_translation NULL = untouched. Errors go to
 * `diags`. DG_INVALID, DG_NOMEM. */
DG_MUST_USE dg_status dg_chain_translation(const dg_compiled_api *api, dg_program_cache *cache,
                                           const dg_line *line, unsigned status, size_t from, size_t to,
                                           dg_diags *diags, const dg_translation **ret_translation);
/* What the changes between two versions say about such messages, one after the other; those that say nothing are left
 * out. DG_NOMEM. */
DG_MUST_USE dg_status dg_chain_sides(const dg_compiled_api *api, const dg_line *line, unsigned status, size_t from,
                                     size_t to, const dg_side *ret_sides[DG_VERSIONS_MAX], size_t *ret_count);
/* Fills in the translations of all routes of an API. DG_NOMEM; other errors are in the pack's diagnostics. */
DG_MUST_USE dg_status dg_chains_build(dg_compiled_api *api, dg_program_cache *cache);
void dg_program_cache_free(dg_program_cache *cache);

#endif
