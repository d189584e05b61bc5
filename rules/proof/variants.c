#include "rules/proof/variants.h"

enum { SHRINK_TRIES = 2000 };

uint32_t dg_dice_below(dg_dice *dice, uint32_t below)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return below ? (uint32_t)((dice->state * 0x2545F4914F6CDD1Du) >> 33) % below : 0;
}

dg_tree *dg_odd_value(dg_arena *arena, dg_dice *dice)
{
    static const char *const odd[] = {"null",
                                      "true",
                                      "0",
                                      "-0.0",
                                      "1.50",
                                      "1e400",
                                      "12345678901234567890",
                                      "\"\"",
                                      "\"text\"",
                                      "\"\\u0061\\/\\ud83d\\ude00\"",
                                      "[]",
                                      "{}",
                                      "[1,[2.0],{\"zq0\":null}]",
                                      "{\"zq1\":{\"zq2\":[]},\"zq3\":\"\\n\"}"};
    return dg_tree_of(arena, odd[dg_dice_below(dice, sizeof odd / sizeof *odd)]);
}

void dg_add_stranger(dg_arena *arena, dg_dice *dice, dg_tree *object)
{
    char name[] = {'z', 'q', (char)('4' + dg_dice_below(dice, 6)), '\0'};
    if (object->kind == DG_TREE_OBJECT && !dg_tree_member(object, dg_slice_str(name)))
        dg_tree_set(arena, object, dg_slice_str(name), dg_odd_value(arena, dice));
}

static size_t size_of(const dg_tree *tree)
{
    size_t size = 1;
    for (const dg_tree *child = tree->first; child; child = child->next)
        size += size_of(child);
    return size;
}

/* The value of that number, in the order of the text, and what it is in. */
static dg_tree *nth(dg_tree *tree, size_t *left, dg_tree *parent, dg_tree **ret_parent)
{
    if ((*left)-- == 0) {
        *ret_parent = parent;
        return tree;
    }
    for (dg_tree *child = tree->first; child; child = child->next) {
        dg_tree *found = nth(child, left, tree, ret_parent);
        if (found)
            return found;
    }
    return NULL;
}

void dg_document_change(dg_arena *arena, dg_dice *dice, dg_tree *tree)
{
    for (uint32_t changes = 1 + dg_dice_below(dice, 3); changes > 0; changes--) {
        dg_tree *parent = NULL;
        size_t left = dg_dice_below(dice, (uint32_t)size_of(tree));
        dg_tree *at = nth(tree, &left, NULL, &parent);
        switch (at ? dg_dice_below(dice, 4) : 9) {
        case 0:
            if (parent)
                dg_tree_remove(parent, at);
            break;
        case 1:
            if (parent && parent->kind == DG_TREE_ARRAY) {
                dg_tree *copy = dg_tree_copy(arena, at);
                if (copy)
                    dg_tree_append(parent, copy);
            }
            break;
        case 2:
            dg_add_stranger(arena, dice, at);
            break;
        case 3:
            if (at->count == 0 && at->name.len >= 2 && at->name.ptr[0] == 'z' &&
                at->name.ptr[1] == 'q')
                dg_tree_assign(at, dg_odd_value(arena, dice));
            break;
        default:
            break;
        }
    }
}

/* ---- shrinking */

/* One value less, or a simpler one in its place, if that still fails. */
static bool shrink_once(dg_arena *arena, dg_tree *tree, dg_document_fails *fails, void *context,
                        unsigned *tries)
{
    size_t size = size_of(tree);
    for (size_t i = 1; i < size && *tries < SHRINK_TRIES; i++) {
        dg_tree *copy = dg_tree_copy(arena, tree), *parent = NULL;
        size_t left = i;
        dg_tree *at = copy ? nth(copy, &left, NULL, &parent) : NULL;
        if (!at || !parent)
            return false;
        dg_tree_remove(parent, at);
        (*tries)++;
        if (fails(context, copy)) {
            dg_tree_assign(tree, copy);
            return true;
        }
    }
    return false;
}

bool dg_document_shrink(dg_arena *arena, dg_tree *tree, dg_document_fails *fails, void *context)
{
    unsigned tries = 0;
    bool smaller = false;
    while (tries < SHRINK_TRIES && !arena->failed &&
           shrink_once(arena, tree, fails, context, &tries))
        smaller = true;
    return smaller;
}
