/* What is thrown into documents that are made up, and documents like another: changed, or smaller.
 */
#ifndef DG_RULES_PROOF_VARIANTS_H
#define DG_RULES_PROOF_VARIANTS_H

#include "rules/proof/tree.h"

/* A source of numbers, the same for the same seed. */
typedef struct dg_dice {
    uint64_t state; /* not 0 */
} dg_dice;
uint32_t dg_dice_below(dg_dice *dice, uint32_t below);

/* A value that no rule may touch, written in a way that is easily spoilt. NULL out of memory. */
dg_tree *dg_odd_value(dg_arena *arena, dg_dice *dice);
/* A member that no op names: its name reads the same in all spellings. Nothing but objects get one.
 */
void dg_add_stranger(dg_arena *arena, dg_dice *dice, dg_tree *object);

/* Changes a value here and there: members go, strangers come in and become others, elements come
 * twice. */
void dg_document_change(dg_arena *arena, dg_dice *dice, dg_tree *tree);

/* Makes the value smaller and smaller while `fails` says that it still fails; true when it became
 * smaller. */
typedef bool dg_document_fails(void *context, const dg_tree *tree);
bool dg_document_shrink(dg_arena *arena, dg_tree *tree, dg_document_fails *fails, void *context);

#endif
