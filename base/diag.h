/* Diagnostics: what is wrong in a file that a person wrote, all of it at once.
 *
 * Readers of configuration and packs add to a list and go on; the command prints the list, sorted, as
 * `file:line:column: error: sentence` and, where there is one, the likely fix on the same line. One thread. */
#ifndef DG_BASE_DIAG_H
#define DG_BASE_DIAG_H

#include <stdio.h>

#include "base/arena.h"

typedef enum dg_severity { DG_ERROR, DG_WARNING, DG_NOTE } dg_severity;

/* A place in a file; line and column count from 1, 0 = the file as a whole. */
typedef struct dg_origin {
    const char *file; /* lives as long as the document it came from; NULL = no file */
    uint32_t line, column;
} dg_origin;

typedef struct dg_diag {
    struct dg_diag *next;
    dg_severity severity;
    dg_origin origin;
    const char *message;
} dg_diag;

typedef struct dg_diags {
    dg_arena arena;
    dg_diag *first, **last;
    size_t errors, warnings;
    size_t dropped; /* beyond the limit of 200 */
} dg_diags;

void dg_diags_init(dg_diags *diags);
void dg_diags_free(dg_diags *diags);
/* Copies the file name and formats the message. Out of memory still counts the error. */
void dg_diags_add(dg_diags *diags, dg_severity severity, dg_origin origin, const char *fmt, ...)
    DG_PRINTF(4, 5);
/* In the order of file, line, column. */
void dg_diags_print(dg_diags *diags, FILE *to);

/* No more are kept: what only makes a message better is not worth its time. */
bool dg_diags_full(const dg_diags *diags);

/* The candidate that `word` was likely meant to be, or NULL: at most one letter off in words of up to four, two
 * in words of up to eight, else three; never for a single letter. `candidates` ends with NULL. */
const char *dg_did_you_mean(dg_slice word, const char *const *candidates);

#endif
