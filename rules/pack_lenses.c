/* Bounds of lenses, which may name each other and, below a member, themselves. */
#include "rules/pack.h"

static dg_lens *lens_of(const dg_ops_reader *r, const dg_op *op)
{
    for (size_t i = 0; i < r->lens_count; i++)
        if (&r->lenses[i].ops == op->body)
            return &r->lenses[i];
    return NULL;
}

/* Follows lenses that are applied to the very value that they are named for. */
static bool check_descent(const dg_ops_reader *r, dg_lens *lens)
{
    if (lens->state != DG_LENS_NEW)
        return true;
    lens->state = DG_LENS_ENTERED;
    bool good = true;
    for (size_t i = 0; i < lens->ops.count; i++) {
        const dg_op *op = &lens->ops.items[i];
        dg_lens *next = op->kind == DG_OP_LENS ? lens_of(r, op) : NULL;
        if (next && next->state == DG_LENS_ENTERED) {
            dg_diags_add(
                r->diags, DG_ERROR, op->origin,
                "lens '%s' reaches itself at the same value; a lens may name itself below 'in' or "
                "'each' only",
                next->name.ptr);
            good = false;
        } else if (next) {
            good &= check_descent(r, next);
        }
    }
    lens->state = DG_LENS_DONE;
    return good;
}

/* How many ops a list is with its lenses written out, each lens measured once. */
static size_t expanded(const dg_ops_reader *r, const dg_ops *ops)
{
    size_t total = 0;
    for (size_t i = 0; i < ops->count && total <= DG_OPS_EXPANDED_MAX; i++) {
        const dg_op *op = &ops->items[i];
        dg_lens *lens = op->kind == DG_OP_LENS ? lens_of(r, op) : NULL;
        if (lens && !lens->expanded) {
            lens->expanded = 1; /* what a lens counts for within itself */
            lens->expanded = 1 + expanded(r, &lens->ops);
        }
        total += 1 + (lens ? lens->expanded : op->body ? expanded(r, op->body) : 0);
    }
    return total;
}

bool dg_lenses_check(const dg_ops_reader *reader)
{
    bool good = true;
    for (size_t i = 0; i < reader->lens_count; i++)
        good &= check_descent(reader, &reader->lenses[i]);
    return good;
}

bool dg_ops_check_size(const dg_ops_reader *reader, const dg_ops *ops, dg_origin origin)
{
    if (expanded(reader, ops) <= DG_OPS_EXPANDED_MAX)
        return true;
    dg_diags_add(reader->diags, DG_ERROR, origin,
                 "with its lenses written out this is too long a list of ops");
    return false;
}
