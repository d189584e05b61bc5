/* JSON Pointers (RFC 6901) of places in a text that is valid up to there. Internal to the room. */
#ifndef DG_TRANSFORMS_POINTER_H
#define DG_TRANSFORMS_POINTER_H

#include "base/buf.h"

/* The containers that a text begins in, and how far the innermost one has come: for a text whose
 * beginning is gone. */
typedef struct dg_pointer_above {
    dg_slice path; /* the pointer of the innermost one */
    bool within;   /* there is one */
    bool object;
    bool opened;   /* nothing has come in it */
    size_t index;  /* of an array: of what came last, or comes first */
    dg_slice step; /* of an object: what came last, as a step of a pointer, without its slash */
} dg_pointer_above;

/* Writes the pointer of the innermost value around `offset`. Cut at the front if it is longer than
 * `size`, a NUL included. */
void dg_pointer_write(const dg_pointer_above *above, dg_slice text, size_t offset, char *pointer,
                      size_t size);

/* Appends the step of a name, whose string content is `raw`. */
void dg_pointer_add_name(dg_buf *out, dg_slice raw);
/* The end of a pointer, no longer than `max`, not beginning within a character. */
dg_slice dg_pointer_end(dg_slice pointer, size_t max);

#endif
