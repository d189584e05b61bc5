/* The spine of a streamed text: the containers that it has entered, from the root to where it is.
 *
 * What is complete among the bytes at hand is given to the ordinary pass (run.h), in as large groups
 * as there are. What is not waits for more bytes; a container or long scalar that gets too large
 * for that is entered, if its node allows, and becomes part of the spine. `at` is how far the text
 * is settled: what is before it will not be looked at again. Internal to the room. */
#ifndef DG_TRANSFORMS_SPINE_H
#define DG_TRANSFORMS_SPINE_H

#include "transforms/text/isa.h"

#include "transforms/pass/object.h"

enum { DG_SPINE_STEP = 128 /* bytes of a step of a pointer that are kept: its end */ };

typedef enum dg_spine_place {
    DG_SPINE_BEFORE, /* the root */
    DG_SPINE_WITHIN, /* the innermost container */
    DG_SPINE_STRING, /* a string that is entered, behind its quote or further */
    DG_SPINE_NUMBER,
    DG_SPINE_BEHIND /* the root */
} dg_spine_place;

/* A container that is entered. */
typedef struct dg_level {
    bool object;
    bool copies; /* nothing is done to what is in it */
    bool drops;  /* and nothing of it leaves */
    bool opened; /* no value of it has ended */
    size_t ended;
    dg_node *element; /* of an array that does not copy */
    dg_slice suffix;
    /* Of the member that was entered in it: */
    const dg_key *key; /* what is to be told when it ends, or NULL */
    uint64_t name_at;  /* where its name is in the whole text */
    /* The name that came last, of an object: where its quote is, while that is at hand, and then
     * its step. */
    const char *name;
    char step[DG_SPINE_STEP];
    size_t step_len;
    dg_frame frame; /* of an object that does not copy */
} dg_level;

/* How far the value at `at` has been looked over for its end. */
typedef struct dg_extent {
    size_t done;
    unsigned depth, commas; /* commas: that come before it */
    bool string, escaped;
    bool ends; /* it does */
} dg_extent;

typedef struct dg_spine {
    dg_run_state run; /* scan.end: behind a byte that ends every scalar, or the end of the text */
    dg_node *root;
    dg_level *levels;
    unsigned depth, cap;
    unsigned arrays; /* among the levels */
    dg_spine_place place;
    const char *at, *end; /* what is at hand and has been found to be UTF-8 */
    const char *usable;   /* the end for the pass; NULL: not known */
    uint64_t offset;      /* of the text, at `at` when a call began */
    const char *start;    /* of that call */
    bool last;            /* the text ends at `end` */
    dg_extent extent;
    bool tried;         /* entering, early */
    size_t wait;        /* how many bytes a value is to have before it is entered */
    size_t try_at;      /* and this one */
    bool scalar_drops;  /* nothing of the scalar that is entered leaves */
    unsigned digits;    /* where in the grammar of a number */
    bool fault_passed;  /* a fault in what is settled: */
    uint64_t fault_offset;
} dg_spine;

/* Goes on from `at` as far as it can; the output must have room. False: a failure, noted in run.scan
 * and run.op, at a place relative to `start`, or at fault_offset. */
bool dg_spine_run(dg_spine *s);
#ifdef DG_HAS_AVX2
bool dg_spine_run_avx2(dg_spine *s);
#endif

#endif
