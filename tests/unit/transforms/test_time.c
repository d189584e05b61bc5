/* Times in all formats, their borders, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/date.h"
#include "transforms/scalar/scalar.h"
#include "transforms/scalar/time.h"

#define UNIX                                                                                       \
    {                                                                                              \
        .kind = DG_TIME_UNIX                                                                       \
    }
#define UNIX_MS                                                                                    \
    {                                                                                              \
        .kind = DG_TIME_UNIX_MS                                                                    \
    }
#define RFC3339                                                                                    \
    {                                                                                              \
        .kind = DG_TIME_RFC3339                                                                    \
    }
#define HTTP                                                                                       \
    {                                                                                              \
        .kind = DG_TIME_HTTP                                                                       \
    }
#define DATE                                                                                       \
    {                                                                                              \
        .kind = DG_TIME_DATE                                                                       \
    }
#define PATTERN(text)                                                                              \
    {                                                                                              \
        .kind = DG_TIME_PATTERN, .pattern = { text, sizeof text - 1 }                              \
    }

typedef struct time_row {
    dg_time_format from, to;
    const char *in, *out; /* NULL: refused */
    bool lossy;
} time_row;

static void try_row(const time_row *row)
{
    dg_op op = {
        .kind = DG_OP_TIME, .time_from = row->from, .time_to = row->to, .lossy = row->lossy};
    dg_buf out;
    const char *message = NULL;
    dg_buf_init(&out, 0);
    dg_status status = dg_scalar_apply(&op, NULL, dg_slice_str(row->in), &out, &message);
    bool same = row->out && dg_slice_eq(dg_buf_slice(&out), dg_slice_str(row->out));
    if (status != (row->out ? DG_OK : DG_INVALID) || (row->out && !same))
        print_message("%s: %s %.*s (%s)\n", row->in, dg_status_text(status),
                      DG_SLICE_FMT(dg_buf_slice(&out)), message ? message : "");
    assert_int_equal(status, row->out ? DG_OK : DG_INVALID);
    assert_true(row->out ? same : message != NULL && out.len == 0);
    dg_buf_free(&out);
}

static void formats_become_each_other(void **state)
{
    (void)state;
    static const time_row rows[] = {
        {UNIX, RFC3339, "1767225600", "\"2026-01-01T00:00:00Z\"", false},
        {UNIX, RFC3339, "0", "\"1970-01-01T00:00:00Z\"", false},
        {UNIX, RFC3339, "-1", "\"1969-12-31T23:59:59Z\"", false},
        {UNIX, RFC3339, "-62167219200", "\"0000-01-01T00:00:00Z\"", false},
        {UNIX, RFC3339, "-62167219201", NULL, false},
        {UNIX, RFC3339, "253402300799", "\"9999-12-31T23:59:59Z\"", false},
        {UNIX, RFC3339, "253402300800", NULL, false},
        {UNIX, RFC3339, "951782400", "\"2000-02-29T00:00:00Z\"", false},
        {UNIX, RFC3339, "1.0", NULL, false},
        {UNIX, RFC3339, "1e9", NULL, false},
        {UNIX, RFC3339, "-0", NULL, false},
        {UNIX, RFC3339, "99999999999999999999", NULL, false},
        {UNIX, RFC3339, "\"1\"", NULL, false},
        {UNIX, RFC3339, "null", "null", false},
        {UNIX, RFC3339, "true", NULL, false},
        {UNIX, HTTP, "784111777", "\"Sun, 06 Nov 1994 08:49:37 GMT\"", false},
        {UNIX, HTTP, "-62135596800", "\"Mon, 01 Jan 0001 00:00:00 GMT\"", false},
        {HTTP, UNIX, "\"Sun, 06 Nov 1994 08:49:37 GMT\"", "784111777", false},
        {HTTP, UNIX, "\"Mon, 06 Nov 1994 08:49:37 GMT\"", NULL, false},
        {HTTP, UNIX, "\"Sunday, 06-Nov-94 08:49:37 GMT\"", NULL, false},
        {HTTP, UNIX, "\"Sun Nov  6 08:49:37 1994\"", NULL, false},
        {UNIX_MS, RFC3339, "1767225600000", "\"2026-01-01T00:00:00Z\"", false},
        {UNIX_MS, RFC3339, "1767225600120", "\"2026-01-01T00:00:00.120Z\"", false},
        {UNIX_MS, RFC3339, "-1", "\"1969-12-31T23:59:59.999Z\"", false},
        {UNIX_MS, UNIX, "-1", NULL, false},
        {UNIX_MS, UNIX, "-1", "-1", true},
        {UNIX_MS, UNIX, "5000", "5", false},
        {UNIX, UNIX_MS, "-5", "-5000", false},
        {RFC3339, UNIX_MS, "\"1969-12-31T23:59:59.999Z\"", "-1", false},
        {RFC3339, UNIX_MS, "\"2026-01-01T00:00:00.5Z\"", "1767225600500", false},
        {RFC3339, UNIX_MS, "\"2026-01-01T00:00:00.1230Z\"", "1767225600123", false},
        {RFC3339, UNIX_MS, "\"2026-01-01T00:00:00.1234Z\"", NULL, false},
        {RFC3339, UNIX_MS, "\"2026-01-01T00:00:00.1239Z\"", "1767225600123", true},
        {RFC3339, UNIX, "\"2026-01-01T02:00:00+02:00\"", "1767225600", false},
        {RFC3339, UNIX, "\"2025-12-31T18:30:00-05:30\"", "1767225600", false},
        {RFC3339, UNIX, "\"2026-01-01t00:00:00z\"", "1767225600", false},
        {RFC3339, UNIX, "\"2026-01-01 00:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00.Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00.000Z\"", "1767225600", false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00.001Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00.001Z\"", "1767225600", true},
        {RFC3339, UNIX, "\"2026-02-29T00:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-13-01T00:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-00-01T00:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-00T00:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T24:00:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:60:00Z\"", NULL, false},
        {RFC3339, UNIX, "\"2016-12-31T23:59:60Z\"", NULL, false},
        {RFC3339, UNIX, "\"2016-12-31T23:59:60.5Z\"", "1483228799", true},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00+24:00\"", NULL, false},
        {RFC3339, UNIX, "\"2026-01-01T00:00:00Zx\"", NULL, false},
        {RFC3339, UNIX, "\"\"", NULL, false},
        {RFC3339, UNIX, "\"2026\\u002d01-01T00:00:00Z\"", "1767225600", false},
        {RFC3339, UNIX, "\"0000-01-01T00:00:00+00:01\"", NULL, false},
        {RFC3339, DATE, "\"2026-01-01T00:00:00Z\"", "\"2026-01-01\"", false},
        {RFC3339, DATE, "\"2026-01-01T00:00:01Z\"", NULL, false},
        {RFC3339, DATE, "\"2026-01-01T23:59:59.9Z\"", "\"2026-01-01\"", true},
        {DATE, RFC3339, "\"2024-02-29\"", "\"2024-02-29T00:00:00Z\"", false},
        {DATE, RFC3339, "\"2024-2-29\"", NULL, false},
        {DATE, PATTERN("%d.%m.%Y"), "\"2024-02-29\"", "\"29.02.2024\"", false},
        {PATTERN("%d/%m/%Y"), DATE, "\"01/12/2025\"", "\"2025-12-01\"", false},
        {PATTERN("%e %b %Y, %H:%M"), RFC3339, "\" 7 Jul 2025, 09:05\"", "\"2025-07-07T09:05:00Z\"",
         false},
        {RFC3339, PATTERN("%e %b %Y, %H:%M"), "\"2025-07-07T09:05:00Z\"", "\" 7 Jul 2025, 09:05\"",
         false},
        {RFC3339, PATTERN("%e %b %Y, %H:%M"), "\"2025-07-07T09:05:01Z\"", NULL, false},
        {PATTERN("%e %b %Y"), DATE, "\"07 Jul 2025\"", NULL, false},
        {PATTERN("%e %b %Y"), DATE, "\"17 Jul 2025\"", "\"2025-07-17\"", false},
        {PATTERN("%Y%m%dT%H%M%S.%f%z"), UNIX_MS, "\"20260101T020000.25+02:00\"", "1767225600250",
         false},
        {UNIX, PATTERN("%Y%m%dT%H%M%S.%f%z 100%%"), "1767225600",
         "\"20260101T000000.0+00:00 100%\"", false},
        {PATTERN("%a %d %b %Y"), UNIX, "\"Thu 01 Jan 2026\"", "1767225600", false},
        {PATTERN("%a %d %b %Y"), UNIX, "\"Fri 01 Jan 2026\"", NULL, false},
        {PATTERN("%a %d %b %Y"), UNIX, "\"Thu 01 jan 2026\"", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        try_row(&rows[i]);
}

/* To another format and back, for instants of all ages. */
static void what_fits_comes_back(void **state)
{
    (void)state;
    static const dg_time_format formats[] = {UNIX_MS, RFC3339, HTTP, PATTERN("%Y-%b-%e %H%M%S")};
    for (int64_t when = -62167219200; when <= 253402300799; when += 7919 * 86413) {
        dg_buf text, back;
        const char *message;
        dg_buf_init(&text, 0);
        dg_buf_init(&back, 0);
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
            dg_op up = {.kind = DG_OP_TIME, .time_from = UNIX, .time_to = formats[i]};
            dg_op down = {.kind = DG_OP_TIME, .time_from = formats[i], .time_to = UNIX};
            char number[24];
            int len = snprintf(number, sizeof number, "%lld", (long long)when);
            dg_buf_clear(&text);
            dg_buf_clear(&back);
            assert_int_equal(
                dg_scalar_apply(&up, NULL, dg_slice_of(number, (size_t)len), &text, &message), DG_OK);
            assert_int_equal(dg_scalar_apply(&down, NULL, dg_buf_slice(&text), &back, &message), DG_OK);
            assert_true(dg_slice_eq(dg_buf_slice(&back), dg_slice_of(number, (size_t)len)));
        }
        dg_buf_free(&text);
        dg_buf_free(&back);
    }
}

/* Day after day through a whole cycle of the calendar. */
static void days_follow_each_other(void **state)
{
    (void)state;
    unsigned days = 0;
    for (int64_t day = dg_date_days(-1, 12, 31); day < dg_date_days(401, 1, 1); day++, days++) {
        int year;
        unsigned month, of_month;
        dg_date_civil(day, &year, &month, &of_month);
        assert_int_equal(dg_date_days(year, month, of_month), day);
        assert_in_range(month, 1, 12);
        assert_true(year < 0 || of_month <= dg_date_days_in((unsigned)year, month));
    }
    assert_int_equal(days, 146097 + 366 + 1);
}

static void patterns_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"%Y-%m-%d", "%d.%b.%Y %H:%M:%S.%f%z", "%a%e%m%Y",
                                       "%Y%m%d%H%M%S%%"};
    static const char *const bad[] = {
        "",
        "%Y-%m",
        "%Y-%m-%d %M",
        "%Y-%m-%d %H:%S",
        "%Y%m%d%H%M%f",
        "%Y%m%d%d",
        "%Y%m%d%e",
        "%Y%m%b%d",
        "%Y%m%d%",
        "%Y%m%d%q",
        "%Y-%m-%d\n",
        "%S%f%H%M%Y%m%d",
        "%S.%f0%H%M%Y%m%d",
        "%Y-%m-%d 0123456789012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *message = NULL;
        assert_true(dg_time_pattern_check(dg_slice_str(good[i]), &message));
        assert_null(message);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *message = NULL;
        assert_false(dg_time_pattern_check(dg_slice_str(bad[i]), &message));
        assert_non_null(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_become_each_other),
        cmocka_unit_test(what_fits_comes_back),
        cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(patterns_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
