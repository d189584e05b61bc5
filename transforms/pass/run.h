/* One run of a program: its state, shared by run.c (values) and object.c (members). Internal to the
 * room.
 *
 * The output always has room for what is left of the input and DG_OUTPUT_SLACK more, so that
 * copying needs no checks; whoever writes more than it reads asks dg_room first. Places in the
 * output are remembered as offsets from `base`, which moves when it grows.
 *
 * A value may turn out to be void (an IF_EMPTY item let it go): its function returns where the
 * value ends, with the output as it was before, and `void_at` set. */
#ifndef DG_TRANSFORMS_RUN_H
#define DG_TRANSFORMS_RUN_H

#include "transforms/text/isa.h"

#include "transforms/pass/lexicon.h"

enum { DG_OUTPUT_SLACK = 64 };

/* Set in the serial of an object that is entered by a stream: its names outlive the bytes that they
 * came in. */
#define DG_OBJECT_LASTS ((uint64_t)1 << 63)

/* An output name that has no bit (learn.c: names too long or too many). */
typedef struct dg_seen {
    uint64_t object; /* which object of this run; 0 = free slot */
    uint64_t hash;
    dg_slice name; /* as it comes, raw; or decoded, for a constant */
    bool decoded;
} dg_seen;

typedef struct dg_run_state {
    dg_scan scan;
    dg_lexicon *lex;
    char *base, *at, *limit; /* the output of this run */
    intptr_t lead_max;       /* how far `at` may be ahead of the input without asking for room */
    dg_buf *out, *spill;     /* out: where it is written; spill: where to when `out` gets tight */
    size_t bytes_max;        /* of this run's output; 0 = no limit */
    unsigned depth;
    int32_t void_at; /* -1, or the index of the sequence's item that let the value go */
    const dg_op *op; /* the op that refused */
    dg_guess *first; /* of the next object, perhaps; NULL: nobody knows */
    uint64_t objects; /* that have a number */
    dg_seen *seen;
    size_t seen_count, seen_mask;
    dg_arena *names; /* where names that last are kept; of a stream */
} dg_run_state;

/* How an object ended. */
typedef struct dg_ending {
    bool gone;    /* IF_EMPTY let it go; the output is to be taken back */
    int32_t note; /* by which item, as the notes of dg_node.local */
} dg_ending;

bool dg_room_more(dg_run_state *r, size_t need);
static inline bool dg_room(dg_run_state *r, const char *p, size_t extra)
{
    size_t left = p < r->scan.end ? (size_t)(r->scan.end - p) : 0;
    size_t need = extra + left + DG_OUTPUT_SLACK;
    return DG_LIKELY((size_t)(r->limit - r->at) >= need) || dg_room_more(r, need);
}

static inline void dg_put(dg_run_state *r, const char *from, size_t len)
{
    if (DG_LIKELY(len == 0))
        return;
    memcpy(r->at, from, len);
    r->at += len;
}

static inline void dg_measure_lead(dg_run_state *r)
{
    r->lead_max = (intptr_t)((uintptr_t)r->limit - DG_OUTPUT_SLACK - (uintptr_t)r->scan.end);
}

/* dg_room for nothing extra, after a little more was written than read. */
static inline bool dg_room_after(dg_run_state *r, const char *p)
{
    return DG_LIKELY((intptr_t)((uintptr_t)r->at - (uintptr_t)p) <= r->lead_max) ||
           dg_room(r, p, 0);
}

/* Copies from the input, whose end is padded. */
static inline void dg_put_input(dg_run_state *r, const char *from, size_t len)
{
    dg_block_copy(r->at, from);
    if (DG_UNLIKELY(len > DG_BLOCK))
        memcpy(r->at, from, len);
    r->at += len;
}

/* Begins a run on `in`, whose result is appended to `out`. */
void dg_run_start(dg_run_state *r, dg_lexicon *lex, dg_slice in, dg_buf *out, dg_buf *spill);
/* Makes what was written a part of `out`; false: it has no room. */
bool dg_run_collect(dg_run_state *r, dg_buf *out);

/* NULL, with the reason noted. */
const char *dg_refuse(dg_run_state *r, const char *at, const dg_op *op, const char *message);
/* NULL, for a failure of the lexicon. */
const char *dg_lexicon_failed(dg_run_state *r, const char *at);

/* The whole text: white space, a value, white space. */
bool dg_run_text(dg_run_state *r, dg_slice in, dg_node *root);
#ifdef DG_HAS_AVX2
bool dg_run_text_avx2(dg_run_state *r, dg_slice in, dg_node *root);
#endif
const char *dg_run_value(dg_run_state *r, const char *p, dg_node *node);
/* Only asks whether the value would be void: nothing is written, and a refusal counts as no. */
const char *dg_probe(dg_run_state *r, const char *p, dg_node *node);
/* An array of a node that has elements; what goes around it is the caller's. p is at the bracket. */
const char *dg_run_array(dg_run_state *r, const char *p, dg_node *node);
const char *dg_copy_composite(dg_run_state *r, const char *p);
/* A value that needs to be whole for some op; stage.c. */
const char *dg_run_staged(dg_run_state *r, const char *p, dg_node *node);
/* Ends a value, whose output is taken back already, that an item let go; `note` as in dg_node.local. */
const char *dg_end_gone(dg_run_state *r, dg_node *node, const char *from, const char *p, int32_t note);
/* p is at the brace. */
const char *dg_run_object(dg_run_state *r, const char *p, dg_node *node, dg_ending *ret_ending);

/* Numbers are short: one is copied blindly before its end is known. */
static inline const char *dg_copy_number(dg_run_state *r, const char *p)
{
    const char *end = r->scan.end, *q = p + (*p == '-');
    if (DG_LIKELY(q < end && (unsigned char)(*q - '1') < 9)) {
        while (q < end && (unsigned char)(*q - '0') < 10)
            q++;
        if (q < end && *q == '.' && (unsigned char)(q[1] - '0') < 10)
            for (q++; q < end && (unsigned char)(*q - '0') < 10;)
                q++;
    } else {
        q = end;
    }
    /* Anything but plain digits inside the text is left to the grammar. */
    if (DG_UNLIKELY(q >= end || *q == '.' || (*q | 0x20) == 'e') &&
        !(q = dg_scan_number(&r->scan, p)))
        return NULL;
    size_t len = (size_t)(q - p);
    memcpy(r->at, p, 32);
    if (DG_UNLIKELY(len > 32))
        memcpy(r->at, p, len);
    r->at += len;
    return q;
}

/* Validates and copies a scalar; p may be at the end. */
static inline const char *dg_copy_scalar(dg_run_state *r, const char *p)
{
    if (DG_UNLIKELY(p >= r->scan.end))
        return dg_scan_fail(&r->scan, p, DG_SYNTAX, "the text ends too early");
    char c = *p;
    if (c == '"') {
        r->at[0] = '"';
        const char *q = dg_scan_string(&r->scan, p + 1, r->at + 1);
        if (DG_LIKELY(q != NULL))
            r->at += q - p;
        return q;
    }
    if (c == '-' || (unsigned char)(c - '0') < 10)
        return dg_copy_number(r, p);
    const char *q = dg_scan_literal(&r->scan, p);
    if (q) {
        memcpy(r->at, p, 5);
        r->at += q - p;
    }
    return q;
}

static inline bool dg_opens(char c)
{
    return (c | 0x20) == '{';
}

/* Validates and copies a value. */
static inline const char *dg_copy_value(dg_run_state *r, const char *p)
{
    return p < r->scan.end && dg_opens(*p) ? dg_copy_composite(r, p) : dg_copy_scalar(r, p);
}

/* Carries out a node on the value at p. */
static inline const char *dg_run_child(dg_run_state *r, const char *p, dg_node *node)
{
    if (DG_LIKELY(node->passes_scalars && !dg_opens(*p)))
        return dg_copy_scalar(r, p);
    if (*p == '[' && node->direct_array && p < r->scan.end)
        return dg_run_array(r, p, node);
    return dg_run_value(r, p, node);
}

#endif
