/* How differences between JSON values are told. */
#ifndef DG_PROXY_COMMAND_DIFFERENCE_H
#define DG_PROXY_COMMAND_DIFFERENCE_H

#include "proxy/command/terminal.h"
#include "rules/proof/compare.h"

/* JSON text, cut when it is long; "nothing" for none. To stdout, as all of these. */
void dg_say_value(dg_slice json);
/* A line each: "    path: expected 5, got 6". */
void dg_say_differences(const dg_difference *first);
/* A line each: "    path: 5 -> 6". */
void dg_say_changes(const dg_difference *first);

/* A member with a JSON value, unless there is nothing. */
void dg_json_value(dg_buf *out, const char *key, dg_slice json);
/* A member "differences" with {"path", "expected", "got"}, or other words for the latter. */
void dg_json_differences(dg_buf *out, const char *expected, const char *got,
                         const dg_difference *first);

#endif
