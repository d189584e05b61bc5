/* Regular expressions (PCRE2), bounded: as a pack writes them, matched against decoded UTF-8. */
#ifndef DG_TRANSFORMS_PATTERN_H
#define DG_TRANSFORMS_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"

enum {
    DG_PATTERN_BYTES_MAX = 1024,
    DG_PATTERN_STEPS_MAX = 100000, /* PCRE2's match limit, for each match */
    DG_PATTERN_GROUPS_MAX = 9
};

/* Immutable; any thread may use it. */
typedef struct dg_pattern dg_pattern;

/* Compiles it into the arena, which must outlive it; nothing is to be freed. DG_INVALID with a diagnostic that
 * names the place in the pattern; DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_new(dg_arena *arena, dg_slice text, dg_origin origin, dg_diags *diags,
                                     const dg_pattern **ret_pattern);
dg_slice dg_pattern_text(const dg_pattern *pattern);

/* Does it match somewhere in `subject`, valid UTF-8? DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_match(const dg_pattern *pattern, dg_slice subject, bool *ret_matches);
/* Appends `subject` with each match replaced by `with` ($0 to $9, $$). DG_LIMIT, DG_NOMEM. */
DG_MUST_USE dg_status dg_pattern_replace(const dg_pattern *pattern, dg_slice subject, dg_slice with,
                                         dg_buf *out);

#endif
