#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>

enum { DIAGS_MAX = 200, WORD_MAX = 64 };

void dg_diags_init(dg_diags *diags)
{
    *diags = (dg_diags){.first = NULL};
    dg_arena_init(&diags->arena, 0);
    diags->last = &diags->first;
}

void dg_diags_free(dg_diags *diags)
{
    dg_arena_free(&diags->arena);
    dg_diags_init(diags);
}

void dg_diags_add(dg_diags *diags, dg_severity severity, dg_origin origin, const char *fmt, ...)
{
    diags->errors += severity == DG_ERROR;
    diags->warnings += severity == DG_WARNING;
    if (diags->errors + diags->warnings > DIAGS_MAX) {
        diags->dropped++;
        return;
    }
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    dg_diag *diag = dg_arena_zalloc(&diags->arena, sizeof *diag);
    const char *file = origin.file ? dg_arena_strdup(&diags->arena, origin.file) : NULL;
    const char *message = dg_arena_strdup(&diags->arena, text);
    if (!diag || !message)
        return;
    *diag = (dg_diag){.severity = severity, .origin = origin, .message = message};
    diag->origin.file = file;
    *diags->last = diag;
    diags->last = &diag->next;
}

bool dg_diags_full(const dg_diags *diags)
{
    return diags->errors + diags->warnings >= DIAGS_MAX;
}

static int compare(const void *a, const void *b)
{
    const dg_diag *x = *(dg_diag *const *)a, *y = *(dg_diag *const *)b;
    int files = strcmp(x->origin.file ? x->origin.file : "", y->origin.file ? y->origin.file : "");
    if (files)
        return files;
    if (x->origin.line != y->origin.line)
        return x->origin.line < y->origin.line ? -1 : 1;
    if (x->origin.column != y->origin.column)
        return x->origin.column < y->origin.column ? -1 : 1;
    return 0;
}

static void print_one(const dg_diag *diag, FILE *to)
{
    static const char *const word[] = {"error", "warning", "note"};
    if (diag->origin.file && diag->origin.line)
        fprintf(to, "%s:%u:%u: ", diag->origin.file, diag->origin.line, diag->origin.column);
    else if (diag->origin.file)
        fprintf(to, "%s: ", diag->origin.file);
    fprintf(to, "%s: %s\n", word[diag->severity], diag->message);
}

void dg_diags_print(dg_diags *diags, FILE *to)
{
    size_t n = 0;
    for (dg_diag *d = diags->first; d; d = d->next)
        n++;
    dg_diag **sorted = n ? calloc(n, sizeof(dg_diag *)) : NULL;
    if (sorted) {
        size_t i = 0;
        for (dg_diag *d = diags->first; d; d = d->next)
            sorted[i++] = d;
        qsort(sorted, n, sizeof *sorted, compare);
        for (i = 0; i < n; i++)
            print_one(sorted[i], to);
        free(sorted);
    } else {
        for (dg_diag *d = diags->first; d; d = d->next)
            print_one(d, to);
    }
    if (diags->dropped)
        fprintf(to, "... and %zu more\n", diags->dropped);
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static size_t edit_distance(dg_slice a, dg_slice b)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t change = dg_ascii_lower(a.ptr[i - 1]) != dg_ascii_lower(b.ptr[j - 1]);
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[b.len];
}

const char *dg_did_you_mean(dg_slice word, const char *const *candidates)
{
    const char *best = NULL;
    size_t best_distance = word.len <= 1 ? 0 : word.len <= 4 ? 2 : word.len <= 8 ? 3 : 4;
    for (; best_distance && word.len <= WORD_MAX && *candidates; candidates++) {
        dg_slice candidate = dg_slice_str(*candidates);
        size_t apart = candidate.len > word.len ? candidate.len - word.len : word.len - candidate.len;
        if (candidate.len > WORD_MAX || apart >= best_distance)
            continue;
        size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}
