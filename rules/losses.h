/* What packs cannot carry from one version to the next, for a person to sign. */
#ifndef DG_RULES_LOSSES_H
#define DG_RULES_LOSSES_H

#include "rules/ruleset.h"

/* Called for each loss of the change between two neighbours; nothing is kept. `where` names some of
 * the endpoints whose messages meet it, "GET /orders, POST /orders and 3 more"; it is empty for a
 * lens that nothing uses, and for changes with too many endpoints to ask. */
typedef void dg_loss_visit(void *context, const dg_api *api, const dg_version *older,
                           const dg_version *newer, const dg_loss *loss, const char *where);

/* Every loss of every change, from the oldest on. DG_NOMEM. */
DG_MUST_USE dg_status dg_ruleset_losses(const dg_ruleset *ruleset, dg_loss_visit *visit,
                                        void *context);

#endif
