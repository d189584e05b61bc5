/* Times from one format to another (op.h, TIME): exact, in UTC, without a locale. Pure functions.
 */
#ifndef DG_TRANSFORMS_TIME_H
#define DG_TRANSFORMS_TIME_H

#include "base/buf.h"
#include "transforms/op.h"

enum { DG_TIME_BYTES_MAX = 128 }; /* of a time as text */

/* Whether a pattern can be read and written: *ret_message says what is wrong with it, a static
 * sentence. */
bool dg_time_pattern_check(dg_slice pattern, const char **ret_message);

/* An instant: seconds since 1970, and what is beyond them as decimal digits. */
typedef struct dg_instant {
    int64_t seconds;
    dg_slice fraction; /* in the text that was read, or in `ms` */
    char ms[3];
} dg_instant;

/* Reads a time; the text is the number, or the decoded string. DG_INVALID: it is none in that
 * format. A leap second, 23:59:60, is one only with `lossy`, and is :59 then. Not to be copied: it
 * points into itself. */
DG_MUST_USE dg_status dg_time_read(const dg_time_format *format, dg_slice text, bool lossy,
                                   dg_instant *ret_instant);
/* Whether the format has a place for all of it. */
bool dg_time_fits(const dg_time_format *format, const dg_instant *instant);
/* Appends it as a number, or as the content of a string that is yet to be encoded, without what
 * does not fit. */
void dg_time_write(const dg_time_format *format, const dg_instant *instant, dg_buf *out);
/* Is it a number in JSON, not a string? */
bool dg_time_is_number(dg_time_kind kind);

#endif
