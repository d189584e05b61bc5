/* What commands say to people and to programs: colours, and JSON. */
#ifndef DG_PROXY_COMMAND_TERMINAL_H
#define DG_PROXY_COMMAND_TERMINAL_H

#include <stdio.h>

#include "base/buf.h"
#include "base/diag.h"
#include "transforms/program.h"

typedef enum dg_colour { DG_PLAIN, DG_GREEN, DG_RED, DG_YELLOW, DG_BOLD, DG_FAINT } dg_colour;

/* What turns the colour on, or off with DG_PLAIN: nothing unless `to` is a terminal that has some,
 * and nobody said NO_COLOR. Static. */
const char *dg_colour_on(FILE *to, dg_colour colour);
/* The text in the colour. */
void dg_say(FILE *to, dg_colour colour, const char *fmt, ...) DG_PRINTF(3, 4);

/* "file:line:column: " when there is a file. */
void dg_say_origin(FILE *to, dg_origin origin);
/* Why a run refused, as one line. */
void dg_say_run_error(FILE *to, const dg_run_error *error);

/* Appends `"key":`, with a comma before it but for the first of an object or array. */
void dg_json_key(dg_buf *out, const char *key);
/* A comma but for the first. */
void dg_json_next(dg_buf *out);
void dg_json_text(dg_buf *out, const char *key, const char *value);
void dg_json_number(dg_buf *out, const char *key, size_t value);
/* "file", "line" and "column", if there is a file. */
void dg_json_origin(dg_buf *out, dg_origin origin);
/* An array of what is wrong. */
void dg_json_diags(dg_buf *out, const dg_diags *diags);
/* Puts it out with a line end, and frees it. False when it could not be. */
bool dg_json_print(dg_buf *out);

#endif
