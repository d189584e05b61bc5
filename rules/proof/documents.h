/* Documents that a pack's ops have something to say about, made up; and smaller ones. */
#ifndef DG_RULES_PROOF_DOCUMENTS_H
#define DG_RULES_PROOF_DOCUMENTS_H

#include "rules/proof/tree.h"
#include "transforms/program.h"

/* A source of numbers, the same for the same seed. */
typedef struct dg_dice {
    uint64_t state; /* not 0 */
} dg_dice;
uint32_t dg_dice_below(dg_dice *dice, uint32_t below);

/* A value that the list may be applied to: it is made from the last op to the first, so that each finds what it
 * names. Beside that it has members that no op names, leaves some out, and says things in odd ways. Out of memory the
 * arena has failed. */
dg_tree *dg_document_make(dg_arena *arena, dg_runner *runner, dg_dice *dice, const dg_ops *const *lists, size_t count);
/* Changes a value here and there: members go, values become others, elements come twice, strangers come in. */
void dg_document_change(dg_arena *arena, dg_dice *dice, dg_tree *tree);

/* Makes the value smaller and smaller while `fails` says that it still fails; true when it became smaller. */
typedef bool dg_document_fails(void *context, const dg_tree *tree);
bool dg_document_shrink(dg_arena *arena, dg_tree *tree, dg_document_fails *fails, void *context);

#endif
