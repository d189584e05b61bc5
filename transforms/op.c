#include "transforms/op.h"

const char *dg_op_word(dg_op_kind kind)
{
    static const char *const words[] = {
#define DG_OP_WORD(kind, word) [DG_OP_##kind] = word,
        DG_OP_TABLE(DG_OP_WORD)
#undef DG_OP_WORD
    };
    return (size_t)kind < sizeof words / sizeof *words ? words[kind] : "?";
}
