/* Sequences of JSON texts, each translated on its own and delivered as soon as it is whole: lines (NDJSON), and
 * server-sent events (WHATWG HTML 9.2).
 *
 * Lines: each that is not blank is one JSON text. The line ends stay as they came.
 *
 * Events: the `data` lines of an event, joined by line feeds, are one text. If it begins with a brace, or with a
 * bracket and what may follow it in JSON, it has to be JSON and is translated, and written back as data lines; any
 * other data (a word, a number, [DONE]) passes.
 * All other lines, comments, line ends and a byte order mark stay as they came, byte for byte.
 *
 * A sequence belongs to the runner's thread and must be freed before the runner and the program are. */
#ifndef DG_TRANSFORMS_SEQUENCE_H
#define DG_TRANSFORMS_SEQUENCE_H

#include "transforms/program.h"

typedef enum dg_sequence_kind { DG_SEQUENCE_LINES, DG_SEQUENCE_EVENTS } dg_sequence_kind;

typedef struct dg_sequence dg_sequence;

/* item_bytes_max: of a line, or an event; 0 = 1 MiB. DG_NOMEM. */
DG_MUST_USE dg_status dg_sequence_new(dg_runner *runner, const dg_program *program, dg_sequence_kind kind,
                                      size_t item_bytes_max, dg_sequence **ret_sequence);
void dg_sequence_free(dg_sequence *sequence); /* NULL is fine */

/* Takes the next bytes, cut anywhere, and appends the items that are whole to `out`; `last` says that no more will
 * come, and ends the last item. DG_LIMIT: an item is too long; else as dg_run. Offsets count from the beginning of
 * the sequence, for events to the event's first data line; pointers from the item. After a failure, what `out` got
 * is whole items, and any further call fails in the same way. */
DG_MUST_USE dg_status dg_sequence_feed(dg_sequence *sequence, dg_slice bytes, bool last, dg_buf *out,
                                       dg_run_error *ret_error);

#endif
