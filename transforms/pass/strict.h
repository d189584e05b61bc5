/* What program options ask for beyond what the pass looks at: names that come twice in any object,
 * escapes of lone surrogates, depth. Internal to the room. */
#ifndef DG_TRANSFORMS_STRICT_H
#define DG_TRANSFORMS_STRICT_H

#include "base/buf.h"
#include "transforms/program.h"

/* A name of an object that is open or was. */
typedef struct dg_strict_name {
    uint64_t object; /* which one of the text; 0 = free slot */
    uint64_t hash;
    dg_slice raw;
} dg_strict_name;

/* Working memory, kept from one text to the next. One thread. */
typedef struct dg_strict {
    dg_strict_name *names;
    size_t count, mask;
    uint64_t seed;
    dg_buf one, other; /* decoded names */
} dg_strict;

void dg_strict_init(dg_strict *strict);
void dg_strict_free(dg_strict *strict);

/* Whether the options ask for anything. */
bool dg_strict_checks(const dg_program_options *options);

/* Looks at `in`, which must be a valid JSON text. DG_INVALID, DG_LIMIT: *ret_at is where,
 * *ret_message why, a static sentence; DG_NOMEM. */
DG_MUST_USE dg_status dg_strict_check(dg_strict *strict, const dg_program_options *options,
                                      dg_slice in, size_t *ret_at, const char **ret_message);

#endif
