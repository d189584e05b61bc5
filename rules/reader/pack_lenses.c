/* Bounds of lenses, which may name each other and, below a member, themselves. */
#include "rules/reader/pack.h"

/* The lens of this change that a LENS op names; NULL for the list of `everywhere`. */
static dg_lens *lens_of(const dg_ops_reader *r, const dg_op *op)
{
    uintptr_t first = (uintptr_t)r->lenses, body = (uintptr_t)op->body;
    if (op->kind != DG_OP_LENS || body < first || body >= first + r->lens_count * sizeof *r->lenses)
        return NULL;
    return &r->lenses[(body - first) / sizeof *r->lenses];
}

static bool check_list(const dg_ops_reader *r, const dg_ops *ops);

/* Follows lenses that are applied to the very value that they are named for. */
static bool check_descent(const dg_ops_reader *r, dg_lens *lens)
{
    if (lens->state != DG_LENS_NEW)
        return true;
    lens->state = DG_LENS_ENTERED;
    bool good = check_list(r, &lens->ops);
    lens->state = DG_LENS_DONE;
    return good;
}

static bool check_list(const dg_ops_reader *r, const dg_ops *ops)
{
    bool good = true;
    for (size_t i = 0; ops && i < ops->count; i++) {
        const dg_op *op = &ops->items[i];
        dg_lens *next = lens_of(r, op);
        if (next && next->state == DG_LENS_ENTERED) {
            dg_diags_add(
                r->diags, DG_ERROR, op->origin,
                "lens '%s' reaches itself at the same value; a lens may name itself below 'in', "
                "'each' or 'members' only",
                next->name.ptr);
            good = false;
        } else if (next) {
            good &= check_descent(r, next);
        } else if (op->kind == DG_OP_BOTH) {
            good &= check_list(r, op->body);
            good &= check_list(r, op->other);
        }
        for (size_t k = 0; k < op->case_count; k++)
            good &= check_list(r, op->cases[k].body);
    }
    return good;
}

/* How many ops and rows of tables a list is with its lenses written out, each lens measured once.
 * `around` is the list of an `everywhere` that it stands in, which names itself. */
static size_t expanded(const dg_ops_reader *r, const dg_ops *ops, const dg_ops *around)
{
    size_t total = 0;
    for (size_t i = 0; ops && i < ops->count && total <= DG_OPS_EXPANDED_MAX; i++) {
        const dg_op *op = &ops->items[i];
        dg_lens *lens = lens_of(r, op);
        if (lens && !lens->expanded) {
            lens->expanded = 1; /* what a lens counts for within itself */
            lens->expanded = 1 + expanded(r, &lens->ops, NULL);
        }
        total += 1 + op->pair_count + op->name_count + (lens ? lens->expanded : 0);
        if (!lens && op->body != around)
            total += expanded(r, op->body, op->kind == DG_OP_LENS ? op->body : around);
        total += expanded(r, op->other, around);
        for (size_t k = 0; k < op->case_count && total <= DG_OPS_EXPANDED_MAX; k++)
            total += 1 + expanded(r, op->cases[k].body, around);
    }
    return total;
}

static bool count_ops(const dg_ops_reader *r, const dg_ops *ops, dg_origin origin)
{
    size_t total = expanded(r, ops, NULL);
    if (total > DG_OPS_EXPANDED_MAX) {
        dg_diags_add(r->diags, DG_ERROR, origin,
                     "with its lenses written out this is a list of more than %d ops",
                     (int)DG_OPS_EXPANDED_MAX);
        return false;
    }
    if (!r->op_total)
        return true;
    bool over = *r->op_total > DG_PACK_OPS_MAX;
    *r->op_total += total;
    if (!over && *r->op_total > DG_PACK_OPS_MAX)
        dg_diags_add(r->diags, DG_ERROR, origin,
                     "with this list the pack has more than %d ops, lenses written out",
                     (int)DG_PACK_OPS_MAX);
    return *r->op_total <= DG_PACK_OPS_MAX;
}

bool dg_lenses_check(const dg_ops_reader *reader)
{
    bool good = true;
    for (size_t i = 0; i < reader->lens_count; i++)
        good &= check_descent(reader, &reader->lenses[i]);
    for (size_t i = 0; good && i < reader->lens_count; i++)
        good = count_ops(reader, &reader->lenses[i].ops, reader->lenses[i].node->key_origin);
    return good;
}

bool dg_ops_check_size(const dg_ops_reader *reader, const dg_ops *ops, dg_origin origin)
{
    return count_ops(reader, ops, origin);
}
