/* Dates as text, without the C locale and without time zones. Pure functions. */
#ifndef DG_BASE_DATE_H
#define DG_BASE_DATE_H

#include "base/slice.h"
#include "base/status.h"

enum { DG_IMF_FIXDATE_BYTES = 29 };

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), without a NUL. `when` is seconds since
 * 1970; years 1970 to 9999, others are clamped to that range. */
void dg_date_imf(int64_t when, char ret_text[DG_IMF_FIXDATE_BYTES]);

enum { DG_RFC3339_BYTES = 20 };

/* "1994-11-06T08:49:37Z" (RFC 3339), without a NUL; the same range of years. */
void dg_date_rfc3339(int64_t when, char ret_text[DG_RFC3339_BYTES]);

/* "2026-01-01", "2026-01-01T10:00:00Z" or with an offset "+02:00" (RFC 3339, fractions ignored) to seconds
 * since 1970. A date alone is its first second, or its last with end_of_day. DG_SYNTAX for all else. */
DG_MUST_USE dg_status dg_date_parse(dg_slice text, bool end_of_day, int64_t *ret_when);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, months and days from 1; and back. */
int64_t dg_date_days(int64_t year, unsigned month, unsigned day);
void dg_date_civil(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day);
/* How many days the month has, 1 to 12. */
unsigned dg_date_days_in(unsigned year, unsigned month);

#endif
