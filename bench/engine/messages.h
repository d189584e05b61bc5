/* Messages of orders: distinct, as real as made-up ones get, and the same in every run. */
#ifndef DG_BENCH_MESSAGES_H
#define DG_BENCH_MESSAGES_H

#include "base/buf.h"

enum { BENCH_MESSAGES_MAX = 256 };

/* OMITTED: a quarter of the members is left out. SHUFFLED: they come in any order. UNKNOWN: some
 * have names that never came before. */
typedef enum bench_shape {
    BENCH_IN_ORDER,
    BENCH_OMITTED,
    BENCH_SHUFFLED,
    BENCH_UNKNOWN
} bench_shape;

typedef struct bench_kind {
    size_t orders;  /* in a list; 0: one line item alone */
    uint32_t items; /* fewer than that many in an order */
    bench_shape shape;
    bool indented;
} bench_kind;

typedef struct bench_messages {
    dg_buf bytes; /* each is followed by the padding that the engine asks for */
    size_t at[BENCH_MESSAGES_MAX], len[BENCH_MESSAGES_MAX], count, total;
} bench_messages;

/* As many as stay in a cache together. Ends the process if memory runs out. */
void bench_messages_make(bench_messages *messages, const bench_kind *kind);

#endif
