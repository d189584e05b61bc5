/* The index: where , : { } [ ] stand outside strings, found ahead of the scan, a window at a time.
 *
 * It is a hint and no more: with it the end of a value is known before its bytes have been looked
 * at, so that the processor works on many values at once instead of waiting for the end of each.
 * Whoever uses an offset verifies the bytes up to it, so that a wrong or missing one costs time and
 * nothing else. Internal to the room. */
#ifndef DG_TRANSFORMS_INDEX_H
#define DG_TRANSFORMS_INDEX_H

#include "transforms/isa.h"

#include "transforms/simd.h"

enum { DG_INDEX_WINDOW = 4096, DG_INDEX_BLOCK = 64, DG_INDEX_ENDS = 4, DG_INDEX_BATCH = 12 };

/* An offset that no text has: ends a window. */
#define DG_INDEX_END UINT32_MAX
/* Longer texts are not indexed, so that what lies before an offset, and DG_INDEX_END, are far. */
#define DG_INDEX_TEXT_MAX ((size_t)1 << 31)

typedef struct dg_index {
    const char *text;
    size_t len;       /* of what is to be indexed */
    size_t done;      /* of it */
    uint64_t inside;  /* all ones: the next block begins within a string */
    uint64_t escaped; /* 1: its first byte is escaped */
    /* The window's offsets, ascending. A block writes DG_INDEX_BATCH at a time. */
    uint32_t at[DG_INDEX_WINDOW + DG_INDEX_BATCH + DG_INDEX_ENDS];
} dg_index;

/* text must be padded as program.h says. */
static inline void dg_index_start(dg_index *index, const char *text, size_t len)
{
    index->text = text;
    index->len = len < DG_INDEX_TEXT_MAX ? len : 0;
    index->done = 0;
    index->inside = index->escaped = 0;
    for (unsigned i = 0; i < DG_INDEX_ENDS; i++)
        index->at[i] = DG_INDEX_END;
}

/* The window of a text that has no index. */
extern const uint32_t dg_index_nothing[DG_INDEX_ENDS];

/* Replaces the offsets by those of the next window. */
void dg_index_more(dg_index *index);

#endif
