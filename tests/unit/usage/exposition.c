#include "tests/unit/usage/exposition.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERIES_MAX = 20000, LINE_MAX_BYTES = 4096 };

typedef struct line {
    dg_slice name, labels; /* labels without the brackets */
    double value;
} line;

static char fault[LINE_MAX_BYTES + 128];

static const char *fail(const char *what, dg_slice where)
{
    snprintf(fault, sizeof fault, "%s: %.*s", what,
             DG_SLICE_FMT(dg_slice_until(where, LINE_MAX_BYTES)));
    return fault;
}

static size_t name_len(dg_slice s)
{
    size_t n = 0;
    while (n < s.len && (dg_ascii_lower(s.ptr[n]) >= 'a' && dg_ascii_lower(s.ptr[n]) <= 'z'))
        n++;
    if (n == 0 && !(s.len && s.ptr[0] == '_'))
        return 0;
    while (n < s.len && ((dg_ascii_lower(s.ptr[n]) >= 'a' && dg_ascii_lower(s.ptr[n]) <= 'z') ||
                         (s.ptr[n] >= '0' && s.ptr[n] <= '9') || s.ptr[n] == '_'))
        n++;
    return n;
}

/* Length of `name="value",...` up to the closing bracket; false if malformed. */
static bool labels_len(dg_slice s, size_t *ret_len)
{
    size_t at = 0;
    while (true) {
        size_t n = name_len(dg_slice_from(s, at));
        if (n == 0 || at + n + 2 > s.len || s.ptr[at + n] != '=' || s.ptr[at + n + 1] != '"')
            return false;
        for (at += n + 2; at < s.len && s.ptr[at] != '"'; at++)
            if (s.ptr[at] == '\\' && (++at >= s.len || !strchr("\\\"n", s.ptr[at])))
                return false;
        if (++at >= s.len)
            return false;
        if (s.ptr[at] == '}') {
            *ret_len = at;
            return true;
        }
        if (s.ptr[at++] != ',')
            return false;
    }
}

static bool parse_line(dg_slice s, line *ret)
{
    *ret = (line){.name = dg_slice_until(s, name_len(s))};
    if (ret->name.len == 0)
        return false;
    s = dg_slice_from(s, ret->name.len);
    if (s.len && s.ptr[0] == '{') {
        size_t n;
        s = dg_slice_from(s, 1);
        if (!labels_len(s, &n))
            return false;
        ret->labels = dg_slice_until(s, n);
        s = dg_slice_from(s, n + 1);
    }
    char number[64], *end;
    if (s.len < 2 || s.ptr[0] != ' ' || s.len >= sizeof number)
        return false;
    memcpy(number, s.ptr + 1, s.len - 1);
    number[s.len - 1] = '\0';
    ret->value = strtod(number, &end);
    return end != number && !*end;
}

/* Is the series of the metric that the last head announced? */
static bool belongs(dg_slice name, dg_slice metric, bool histogram)
{
    if (!histogram)
        return dg_slice_eq(name, metric);
    dg_slice rest = dg_slice_from(name, metric.len);
    return dg_slice_starts(name, metric) &&
           (dg_slice_eq(rest, DG_SLICE("_bucket")) || dg_slice_eq(rest, DG_SLICE("_sum")) ||
            dg_slice_eq(rest, DG_SLICE("_count")));
}

static int compare_series(const void *a, const void *b)
{
    const line *x = a, *y = b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, n);
    if (order || x->name.len != y->name.len)
        return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
    n = x->labels.len < y->labels.len ? x->labels.len : y->labels.len;
    order = n ? memcmp(x->labels.ptr, y->labels.ptr, n) : 0;
    return order ? order : (x->labels.len > y->labels.len) - (x->labels.len < y->labels.len);
}

static const char *check_histogram(const line *at, double *below)
{
    bool bucket = at->name.len > 7 &&
                  dg_slice_eq(dg_slice_from(at->name, at->name.len - 7), DG_SLICE("_bucket"));
    bool count = at->name.len > 6 &&
                 dg_slice_eq(dg_slice_from(at->name, at->name.len - 6), DG_SLICE("_count"));
    if (bucket && at->value < *below)
        return fail("a bucket is below the one before", at->labels);
    if (count && at->value != *below)
        return fail("the count is not that of the last bucket", at->labels);
    *below = bucket ? at->value : count ? 0 : *below;
    return NULL;
}

static const char *check_lines(dg_slice text, line *series, size_t *count)
{
    dg_slice metric = {NULL, 0};
    bool histogram = false;
    double below = 0;
    while (text.len) {
        size_t n = dg_slice_find(text, '\n');
        if (n == text.len)
            return fail("the last line does not end", text);
        dg_slice s = dg_slice_until(text, n);
        text = dg_slice_from(text, n + 1);
        if (dg_slice_starts(s, DG_SLICE("# HELP ")))
            continue;
        if (dg_slice_starts(s, DG_SLICE("# TYPE "))) {
            dg_slice rest = dg_slice_from(s, 7);
            metric = dg_slice_until(rest, dg_slice_find(rest, ' '));
            histogram = dg_slice_eq(dg_slice_from(rest, metric.len), DG_SLICE(" histogram"));
            continue;
        }
        if (*count == SERIES_MAX || !parse_line(s, &series[*count]))
            return fail("malformed", s);
        if (!belongs(series[*count].name, metric, histogram))
            return fail("not under its head", s);
        const char *wrong = histogram ? check_histogram(&series[*count], &below) : NULL;
        if (wrong)
            return wrong;
        ++*count;
    }
    return NULL;
}

const char *exposition_fault(dg_slice text)
{
    size_t count = 0;
    line *series = calloc(SERIES_MAX, sizeof *series);
    if (!series)
        return "out of memory";
    const char *wrong = check_lines(text, series, &count);
    if (!wrong) {
        qsort(series, count, sizeof *series, compare_series);
        for (size_t i = 1; i < count && !wrong; i++)
            if (compare_series(&series[i - 1], &series[i]) == 0)
                wrong = fail("a series comes twice", series[i].labels);
    }
    free(series);
    return wrong;
}

double exposition_sum(dg_slice text, const char *name, const char *part)
{
    double sum = 0;
    while (text.len) {
        size_t n = dg_slice_find(text, '\n');
        dg_slice s = dg_slice_until(text, n);
        line at;
        text = dg_slice_from(text, n + 1);
        if (s.len && s.ptr[0] != '#' && parse_line(s, &at) &&
            dg_slice_eq(at.name, dg_slice_str(name)) &&
            (!*part || (at.labels.len && memmem(at.labels.ptr, at.labels.len, part, strlen(part)))))
            sum += at.value;
    }
    return sum;
}
