/* What commands are given: bodies on stdin, and words of the command line. */
#ifndef DG_PROXY_COMMAND_INPUT_H
#define DG_PROXY_COMMAND_INPUT_H

#include <stdio.h>

#include "base/buf.h"

enum { DG_BODY_BYTES_MAX = 256 << 20, DG_PACKS_MAX = 64 };

/* All of it, with DG_JSON_PADDING readable bytes behind it. DG_IO, DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_read_all(FILE *from, dg_buf *out);
/* A status of three digits, or 0. */
unsigned dg_parse_status(const char *text);
/* Decimal digits up to `max`. False when they are something else. */
bool dg_parse_number(const char *text, uint64_t max, uint64_t *ret_number);

#endif
