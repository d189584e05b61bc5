/* Streams: a program on a text that comes in pieces and need not fit into memory. Its result leaves as the text
 * comes, as far as it cannot change any more.
 *
 * However the text is cut, the result is that of dg_run on the whole of it, byte for byte, and so is the verdict.
 * (What is wrong first is reported: of several errors, dg_run may name another, for it looks for bytes that are no
 * UTF-8 before anything else.) What holds no more than it must: a member that an op may yet let go, a value that a
 * WHOLE op asks for, or any that is not large, waits until its end is there; containers and strings that nothing
 * looks at as a whole pass through in pieces, however long they are.
 *
 * A stream that fails may have delivered a part of its result before. That part is no JSON text: whoever passes it
 * on must make sure that nobody takes it for one.
 *
 * A stream belongs to the runner's thread and must be freed before the runner and the program are. A runner may
 * have any number of streams and runs going. */
#ifndef DG_TRANSFORMS_STREAM_H
#define DG_TRANSFORMS_STREAM_H

#include "transforms/program.h"

typedef struct dg_stream dg_stream;

typedef struct dg_stream_limits {
    size_t held_bytes_max; /* of the text that may have to wait between two pieces; 0 = 1 MiB */
    size_t enter_bytes;    /* a value that has so many, and no end, is entered; 0 = 64 KiB */
} dg_stream_limits;

/* DG_NOMEM, or why the program cannot run at all (dg_run would say so, too). */
DG_MUST_USE dg_status dg_stream_new(dg_runner *runner, const dg_program *program, const dg_stream_limits *limits,
                                    dg_stream **ret_stream);
void dg_stream_free(dg_stream *stream); /* NULL is fine */

/* Takes the next piece of the text and appends what is ready to `out`; `last` says that the text ends with it.
 * DG_LIMIT when a value that has to wait is longer than the limit; else as dg_run, with offsets into the whole
 * text. After a failure `out` is as long as before, and any further call fails in the same way. After the last
 * piece there must be no other. */
DG_MUST_USE dg_status dg_stream_feed(dg_stream *stream, dg_slice chunk, bool last, dg_buf *out,
                                     dg_run_error *ret_error);

#endif
