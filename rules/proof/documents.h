/* Documents that a pack's ops have something to say about, made up. */
#ifndef DG_RULES_PROOF_DOCUMENTS_H
#define DG_RULES_PROOF_DOCUMENTS_H

#include "rules/proof/variants.h"
#include "transforms/program.h"

/* A value that the list may be applied to: it is made from the last op to the first, so that each
 * finds what it names. Beside that it has members that no op names, leaves some out, and says
 * things in odd ways. Out of memory the arena has failed. */
dg_tree *dg_document_make(dg_arena *arena, dg_runner *runner, dg_dice *dice,
                          const dg_ops *const *lists, size_t count);
#endif
