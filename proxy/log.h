/* The log: lines on standard error, "2026-01-05T10:00:00Z warning: ...". Any thread; a line is one write. */
#ifndef DG_PROXY_LOG_H
#define DG_PROXY_LOG_H

#include "base/status.h"

typedef enum dg_log_level { DG_LOG_INFO, DG_LOG_WARNING, DG_LOG_ERROR } dg_log_level;

/* Control bytes in what is formatted come out as '?', so that no peer can forge a line. */
void dg_log(dg_log_level level, const char *fmt, ...) DG_PRINTF(2, 3);

/* The same, but of this class (a static string) at most ten lines a second and thread; the next line of it
 * says how many were left out. For what a peer can make happen. */
void dg_log_peer(const char *class, const char *fmt, ...) DG_PRINTF(2, 3);

#endif
