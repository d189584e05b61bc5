/* Whole messages of examples, as JSON: which endpoint they are of, and whether two are the same. */
#ifndef DG_RULES_PROOF_MESSAGE_H
#define DG_RULES_PROOF_MESSAGE_H

#include "rules/compile/compiled.h"
#include "rules/proof/example.h"

/* The endpoint of a request of that version, or NULL. */
const dg_line *dg_message_line(const dg_compiled_api *api, dg_slice request,
                               const dg_version *version);
/* The status of a response; 200 when there is none. */
unsigned dg_message_status(dg_slice response);
/* The method, the target (its parameters in any order, but for those of one name), the status, the
 * content, its media type without parameters, and the header fields that the example names, or that
 * `expected` has. A field that is null is not to be there. The field that names the version does
 * not count, nor do fields that no pack can name. */
void dg_message_compare(dg_differences *list, const dg_example *example, const dg_api *api,
                        const dg_tree *expected, const dg_tree *got);

#endif
