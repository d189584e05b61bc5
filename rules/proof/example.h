/* Examples: what a person says a pack has to do, in the files of its examples/ folder.
 *
 * An example is an exchange told twice, as a client of the older version and as one of the newer
 * sees it; or one body told twice. The grammar is in docs/packs.md. */
#ifndef DG_RULES_PROOF_EXAMPLE_H
#define DG_RULES_PROOF_EXAMPLE_H

#include "rules/doc/doc.h"
#include "rules/proof/compare.h"
#include "rules/ruleset.h"

enum { DG_EXAMPLES_MAX = 4096 /* of a pack */ };

/* Clients of which version an example speaks for, before a backend of the other. */
typedef enum dg_clients {
    DG_CLIENTS_AS_LOST, /* both, where the pack loses nothing on the way; else the older ones */
    DG_CLIENTS_OLDER,
    DG_CLIENTS_NEWER,
    DG_CLIENTS_BOTH
} dg_clients;

/* One version's side. JSON texts; empty: the example does not say it. */
typedef struct dg_telling {
    dg_slice request,
        response;   /* {"method", "target", "headers", "body"}, {"status", "headers", "body"} */
    dg_slice body;  /* when the example is about one */
    bool not_asked; /* newer: null: the pack answers by itself */
} dg_telling;

typedef struct dg_example {
    dg_slice name;
    dg_origin origin;
    const dg_version *versions[2]; /* the older, the newer; of the API that they were read for */
    dg_telling told[2];
    dg_slice endpoint; /* about a body: as the older version calls it; else empty */
    unsigned
        status; /* about a body: of the answer as the newer version gives it; 0 = a request's */
    dg_clients clients;
    dg_loose loose;
    const dg_slice
        *headers; /* the fields that are compared; NULL: those that the expected message has */
    size_t header_count;
    dg_slice out; /* why the pack cannot do it; empty: it can */
} dg_example;

/* Reads the examples of the pack in `dir`, in the order of files and of what is in them. They live
 * in the arena. No folder, no examples. DG_INVALID with diagnostics, DG_NOMEM. */
DG_MUST_USE dg_status dg_examples_load(dg_arena *arena, const char *dir, const dg_api *api,
                                       dg_diags *diags, const dg_example **ret_examples,
                                       size_t *ret_count);

#endif
