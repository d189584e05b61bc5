#include "transforms/op.h"

static const struct {
    const char *word;
    dg_op_class class;
} ops[] = {
#define DG_OP_ROW(kind, word, class) [DG_OP_##kind] = {word, DG_OP_IS_##class},
    DG_OP_TABLE(DG_OP_ROW)
#undef DG_OP_ROW
};

enum { OP_COUNT = sizeof ops / sizeof *ops };

const char *dg_op_word(dg_op_kind kind)
{
    return (size_t)kind < OP_COUNT ? ops[kind].word : "?";
}

dg_op_class dg_op_class_of(dg_op_kind kind)
{
    return (size_t)kind < OP_COUNT ? ops[kind].class : DG_OP_IS_WHOLE;
}
