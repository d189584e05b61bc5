/* The WHOLE ops (op.h), one function each, by what they are about: objects (whole.c), lists
 * (whole_list.c), texts (whole_text.c), templates (template.c). Each works on the value *root, and
 * may put another in its place; false: the tape says why. Internal to the room. */
#ifndef DG_TRANSFORMS_WHOLE_OPS_H
#define DG_TRANSFORMS_WHOLE_OPS_H

#include "transforms/whole/tape.h"

typedef bool dg_whole_op(dg_tape *tape, const dg_op *op, dg_tape_node **root);

dg_whole_op dg_whole_map, dg_whole_items, dg_whole_filter, dg_whole_first, dg_whole_list,
    dg_whole_sort;
dg_whole_op dg_whole_split, dg_whole_join, dg_whole_signs, dg_whole_unsign, dg_whole_parse,
    dg_whole_print;
dg_whole_op dg_whole_template;

/* Does the test hold for the value? Two members of one name on its way are refused; a shape that
 * the test does not expect is like an absence. */
bool dg_test_holds(dg_tape *tape, const dg_test *test, dg_tape_node *node, bool *ret_holds);

#endif
