/* Rewriting a file that a person wrote: all of it, or nothing. */
#ifndef DG_PROXY_COMMAND_REWRITE_H
#define DG_PROXY_COMMAND_REWRITE_H

#include "base/buf.h"
#include "base/diag.h"

/* What becomes of the text of the file. */
typedef dg_status dg_rewriter(const char *path, dg_slice text, dg_diags *diags, dg_buf *out);

/* Reads a regular file of at most 1 MiB and has it rewritten; with `check`, nothing is written. A
 * new file takes the place of the old one, with its permissions: no reader ever sees half of it. A
 * link keeps leading where it led. *ret_changed: whether the text is another one. DG_INVALID and
 * DG_IO with diagnostics, DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_rewrite(const char *path, dg_rewriter *rewrite, bool check,
                                 dg_diags *diags, bool *ret_changed);

#endif
