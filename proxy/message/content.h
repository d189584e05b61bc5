/* Content in its format, as JSON, and back. Pure functions. */
#ifndef DG_MESSAGE_CONTENT_H
#define DG_MESSAGE_CONTENT_H

#include "base/buf.h"
#include "rules/ruleset.h"

/* Appends the JSON text of content, with DG_JSON_PADDING readable bytes behind it: text is a
 * string, a form an object of strings (query.h). JSON is taken over unread. DG_SYNTAX, with a
 * static sentence: it is not in the format. DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_content_read(dg_format format, dg_slice content, dg_buf *out,
                                      const char **ret_message);

/* Appends content for JSON text. `content`: what came, if that was a form, too: what did not change
 * in it keeps its bytes. DG_INVALID, with a static sentence: the value has no such form. DG_LIMIT,
 * DG_NOMEM. */
DG_MUST_USE dg_status dg_content_write(dg_format format, dg_slice json, dg_slice content,
                                       dg_buf *out, const char **ret_message);

/* Whether a Content-Type is of the format. */
bool dg_content_is(dg_format format, dg_slice content_type);
/* The Content-Type to send; empty for NONE. */
dg_slice dg_content_type(dg_format format);

#endif
