/* The lifecycle of a version, as pure functions of its dates and the clock, and the fields that say so.
 * RFC 9745 (Deprecation), RFC 8594 (Sunset), RFC 8288 and RFC 5829 (Link). */
#ifndef DG_PROXY_LIFECYCLE_H
#define DG_PROXY_LIFECYCLE_H

#include "base/buf.h"
#include "rules/ruleset.h"

typedef enum dg_stage { DG_STAGE_ACTIVE, DG_STAGE_ANNOUNCED, DG_STAGE_DEPRECATED, DG_STAGE_SUNSET } dg_stage;

/* ANNOUNCED: a deprecation or sunset date is set and lies ahead. */
dg_stage dg_lifecycle_stage(const dg_version *version, int64_t now);
const char *dg_stage_name(dg_stage stage);

/* Appends field lines, each ended by CRLF, in this order and only where they apply; always the same for a version:
 *   Deprecation: @1767225600
 *   Sunset: Wed, 30 Jun 2027 23:59:59 GMT
 *   Link: <docs>; rel="deprecation"; type="text/html"  and  rel="sunset" when there is a sunset date
 * has_deprecation, has_sunset: the backend's answer carries that field already; it is not doubled. */
void dg_lifecycle_fields(const dg_version *version, bool has_deprecation, bool has_sunset, dg_buf *out);
/* Appends `Link: <successor>; rel="successor-version"` (RFC 5829), and CRLF. */
void dg_lifecycle_successor(dg_slice successor, dg_buf *out);

#endif
