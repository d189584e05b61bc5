/* The laws of packs (docs/packs.md), tried on documents that are made up for them.
 *
 * Where a pack loses nothing, up and then down, and down and then up, give back what went in: every
 * value as it was written, members in any order. Where it does, it loses once: there and back again
 * changes nothing more. A way over several versions gives the bytes that its steps give. Ops with a
 * way back of their own are left to the examples, unless asked for. */
#ifndef DG_RULES_PROOF_LAWS_H
#define DG_RULES_PROOF_LAWS_H

#include "rules/proof/proof.h"

enum { DG_BREACHES_MAX = 20, DG_ROUNDS_MAX = 1000000 };

typedef struct dg_laws_options {
    uint64_t seed; /* the same seed, the same documents */
    unsigned
        rounds; /* documents for each kind of message of an endpoint and each direction; 0 = none */
    bool own; /* also ops with a way back of their own: there and back again changes nothing more */
} dg_laws_options;

/* A document that breaks a law, as small as it could be made. */
typedef struct dg_breach {
    struct dg_breach *next;
    const char *law;                 /* "v1 to v2 and back" */
    const char *endpoint;            /* "POST /orders", as the older version calls it */
    const char *message;             /* "request", "answer 2xx", "answer 404" */
    dg_origin op;                    /* that did it, as far as that can be told; or no file */
    const char *word;                /* of it */
    dg_slice before, between, after; /* JSON; `after` is empty when it was refused */
    const char *refusal;
    const dg_difference *differences; /* of `before`, as it should be, and `after` */
} dg_breach;

typedef struct dg_laws_result {
    const dg_breach *first;
    size_t breaches;  /* no more than DG_BREACHES_MAX are kept */
    size_t endpoints; /* of all versions, each once */
    size_t documents; /* that went there and back */
    size_t refused;   /* that an op did not take, as it may */
} dg_laws_result;

/* Documents are also made of those of the examples. The result lives in the arena. DG_NOMEM, DG_IO.
 */
DG_MUST_USE dg_status dg_laws_check(dg_proof *proof, dg_arena *arena,
                                    const dg_laws_options *options, const dg_example *examples,
                                    size_t example_count, dg_laws_result *ret_result);

#endif
