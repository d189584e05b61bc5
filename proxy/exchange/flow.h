/* Content that is translated as it comes: its coding taken off, through a stream or a sequence (transforms/), and
 * put on again; in bounded shares. One message, one thread. */
#ifndef DG_EXCHANGE_FLOW_H
#define DG_EXCHANGE_FLOW_H

#include "proxy/coding/coding.h"
#include "proxy/http/head.h"
#include "transforms/program.h"

typedef enum dg_flow_kind {
    DG_FLOW_NONE,  /* whole or not at all */
    DG_FLOW_JSON,  /* one text */
    DG_FLOW_LINES, /* application/x-ndjson, application/jsonl: a text a line */
    DG_FLOW_EVENTS /* text/event-stream: a text an event */
} dg_flow_kind;

/* When content that could flow does: once so much of it is there; less is better whole, for it has a length then,
 * and an error is an answer and not a cut connection. */
enum {
    DG_FLOW_BYTES = 65536,
    DG_FLOW_PAUSED_BYTES = 4096 /* if its length is unknown and nothing more comes for now */
};

/* LINES, EVENTS, or NONE for all other media types. */
dg_flow_kind dg_flow_of_head(const dg_head *head);
/* Whether one text may flow: the program allows it, and so much may be collected that it comes to that. */
bool dg_flow_can(const dg_program *program, size_t body_bytes_max);

typedef struct dg_flow dg_flow;
/* held_bytes_max: of what has to wait in it (dg_stream_limits, dg_sequence_new). DG_NOMEM. */
DG_MUST_USE dg_status dg_flow_new(dg_runner *runner, const dg_program *program, dg_flow_kind kind, dg_coding from,
                                  dg_coding to, size_t held_bytes_max, dg_flow **ret_flow);
void dg_flow_free(dg_flow *flow); /* NULL is fine */
/* Takes a piece (all of it, always) and appends what comes of it. DG_AGAIN: more would come; call again, with an
 * empty piece. Else as dg_stream_feed and dg_sequence_feed; `out` then has the items before the one that failed. */
DG_MUST_USE dg_status dg_flow_feed(dg_flow *flow, dg_slice piece, bool last, dg_buf *out,
                                   dg_run_error *ret_error);

#endif
