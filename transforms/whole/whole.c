#include "transforms/whole/whole.h"

#include <stdlib.h>

#include "transforms/scalar/decimal.h"
#include "transforms/name.h"
#include "transforms/whole/whole_ops.h"

struct dg_whole {
    dg_tape tape;
};

dg_status dg_whole_new(dg_whole **ret_whole)
{
    dg_whole *whole = malloc(sizeof *whole);
    if (!whole)
        return DG_NOMEM;
    dg_tape_init(&whole->tape);
    *ret_whole = whole;
    return DG_OK;
}

void dg_whole_free(dg_whole *whole)
{
    if (!whole)
        return;
    dg_tape_free(&whole->tape);
    free(whole);
}

void dg_whole_match_with(dg_whole *whole, struct dg_matcher *matcher)
{
    whole->tape.matcher = matcher;
}

/* For ops on objects: false if there is nothing to do, for good or bad. */
static bool takes_object(dg_tape *tape, const dg_tape_node *node)
{
    if (node->kind == DG_TAPE_ARRAY)
        dg_tape_refuse(tape, "expected an object, not an array");
    return node->kind == DG_TAPE_OBJECT;
}

/* ---- places */

/* The member of the object, made if it is missing. */
static bool enter(dg_tape *tape, dg_tape_node **at, dg_slice name)
{
    dg_tape_node *member;
    if ((*at)->kind != DG_TAPE_OBJECT)
        return dg_tape_refuse(tape, "what is on the way to the target is no object");
    if (!dg_tape_find(tape, *at, name, &member))
        return false;
    if (!member) {
        member = dg_tape_container(tape, DG_TAPE_OBJECT);
        if (!member || !dg_tape_add_named(tape, *at, name, member))
            return false;
    }
    *at = member;
    return true;
}

static bool put(dg_tape *tape, const dg_op *op, dg_path target, dg_tape_node *root,
                dg_tape_node *value)
{
    dg_tape_node *at = root, *there;
    size_t last = target.count - 1;
    for (size_t i = 0; i < last; i++)
        if (!enter(tape, &at, target.steps[i]))
            return false;
    if (at->kind != DG_TAPE_OBJECT)
        return dg_tape_refuse(tape, "what is on the way to the target is no object");
    if (!dg_tape_find(tape, at, target.steps[last], &there))
        return false;
    if (there && op->collision == DG_COLLISION_REJECT)
        return dg_tape_refuse(tape, "the target is there already");
    if (there && op->collision == DG_COLLISION_NEWER)
        return true;
    if (there)
        dg_tape_remove(there);
    return dg_tape_add_named(tape, at, target.steps[last], value);
}

static bool move(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *node;
    if (!takes_object(tape, *root))
        return tape->status == DG_OK;
    if (op->path.count == 0 || op->target.count == 0)
        return dg_tape_refuse(tape, "a move needs a member to move and a place for it");
    if (!dg_tape_at(tape, *root, op->path, &node))
        return false;
    if (!node)
        return true;
    dg_tape_node *parent = node->parent;
    dg_tape_remove(node);
    while (parent != *root && !parent->first) {
        dg_tape_node *empty = parent;
        parent = parent->parent;
        dg_tape_remove(empty);
    }
    return put(tape, op, op->target, *root, node);
}

/* A copy into each element of the target's lists. */
typedef struct spread {
    dg_tape *tape;
    const dg_op *op;
    dg_path target; /* below an element */
    dg_tape_node *value;
} spread;

static bool spread_one(void *context, dg_tape_node *element)
{
    const spread *s = context;
    dg_tape_node *twin = dg_tape_copy(s->tape, s->value);
    return twin && put(s->tape, s->op, s->target, element, twin);
}

/* Whatever is `value` stays as it was before the first element got it. */
static bool put_everywhere(dg_tape *tape, const dg_op *op, dg_tape_node *root, dg_tape_node *value)
{
    size_t lists = op->target.count;
    while (lists && op->target.steps[lists - 1].ptr)
        lists--;
    if (!lists)
        return put(tape, op, op->target, root, value);
    spread s = {tape, op, {op->target.steps + lists, op->target.count - lists}, value};
    if (s.target.count == 0)
        return dg_tape_refuse(tape, "a copy needs a place");
    return dg_tape_visit(tape, root, (dg_path){op->target.steps, lists}, true, spread_one, &s);
}

static bool copy(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *node, *twin;
    if (!takes_object(tape, *root))
        return tape->status == DG_OK;
    if (op->target.count == 0)
        return dg_tape_refuse(tape, "a copy needs a place");
    if (!dg_tape_at(tape, *root, op->path, &node))
        return false;
    return !node || ((twin = dg_tape_copy(tape, node)) && put_everywhere(tape, op, *root, twin));
}

static bool among(const dg_op *op, dg_slice name)
{
    for (size_t i = 0; i < op->name_count; i++)
        if (dg_slice_eq(op->names[i], name))
            return true;
    return false;
}

/* More names than are compared one by one. */
enum { NAMES_FEW = 8 };

static bool keep(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *before = NULL, *next, *other, *object = *root;
    bool many = op->name_count > NAMES_FEW;
    if (!takes_object(tape, object))
        return tape->status == DG_OK;
    if (!dg_tape_distinct(tape, object))
        return false;
    if (many && !dg_tape_begin(tape, op->name_count))
        return false;
    for (size_t i = 0; many && i < op->name_count; i++)
        if (!dg_tape_meet(tape, op->names[i], object, &other))
            return false;
    for (dg_tape_node *m = object->first; m; m = next) {
        dg_slice name;
        next = m->next;
        if (!dg_tape_name(tape, m, &name))
            return false;
        if (many ? dg_tape_met(tape, name) != NULL : among(op, name))
            before = m;
        else
            dg_tape_detach(before, m);
    }
    return true;
}

/* ---- facts */

typedef struct facts {
    dg_tape *tape;
    dg_decimal_sum sum;
    uint64_t count;
    bool adds; /* second round: add; the first one measures */
    bool lossy;
    bool lengths; /* an array counts as its length, null as nothing */
} facts;

static bool sum_one(void *context, dg_tape_node *node)
{
    facts *f = context;
    dg_decimal number;
    if (node->kind != DG_TAPE_NUMBER)
        return f->lossy || dg_tape_refuse(f->tape, "a sum of something that is no number");
    dg_decimal_read(dg_slice_of(node->text, node->len), &number);
    if (f->adds)
        dg_decimal_add(&f->sum, &number);
    else
        dg_decimal_measure(&f->sum, &number);
    return true;
}

static bool sum(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    facts f = {.tape = tape, .lossy = op->lossy};
    dg_slice text;
    if (!takes_object(tape, *root))
        return tape->status == DG_OK;
    if (op->target.count == 0)
        return dg_tape_refuse(tape, "a sum needs a place");
    dg_decimal_begin(&f.sum);
    if (!dg_tape_visit(tape, *root, op->path, true, sum_one, &f))
        return false;
    size_t columns = dg_decimal_columns(&f.sum);
    if (columns == 0)
        return dg_tape_refuse(tape, "a sum of too many digits");
    f.sum.columns = dg_tape_alloc(tape, columns * sizeof *f.sum.columns);
    if (!f.sum.columns)
        return false;
    memset(f.sum.columns, 0, columns * sizeof *f.sum.columns);
    f.adds = true;
    if (!dg_tape_visit(tape, *root, op->path, true, sum_one, &f))
        return false;
    size_t from = tape->text.len;
    dg_decimal_print(&f.sum, &tape->text);
    dg_tape_node *node = dg_tape_made(tape, from, &text) ? dg_tape_value(tape, text) : NULL;
    return node && put(tape, op, op->target, *root, node);
}

static bool count_one(void *context, dg_tape_node *node)
{
    facts *f = context;
    if (!f->lengths || (node->kind != DG_TAPE_ARRAY && node->kind != DG_TAPE_NULL)) {
        f->count++;
    } else if (node->kind == DG_TAPE_ARRAY) {
        if (!dg_tape_read(f->tape, node))
            return false;
        for (const dg_tape_node *n = node->first; n; n = n->next)
            f->count++;
    }
    return true;
}

static bool count(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    size_t steps = op->path.count, from = tape->text.len;
    facts f = {.tape = tape, .lengths = steps == 0 || op->path.steps[steps - 1].ptr};
    dg_slice text;
    if (!takes_object(tape, *root))
        return tape->status == DG_OK;
    if (op->target.count == 0)
        return dg_tape_refuse(tape, "a count needs a place");
    if (!dg_tape_visit(tape, *root, op->path, true, count_one, &f))
        return false;
    dg_buf_add_u64(&tape->text, f.count);
    dg_tape_node *node = dg_tape_made(tape, from, &text) ? dg_tape_value(tape, text) : NULL;
    return node && put(tape, op, op->target, *root, node);
}

/* ---- names */

static bool rename_member(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *member, *there;
    if (!takes_object(tape, *root))
        return tape->status == DG_OK;
    if (!dg_tape_find(tape, *root, op->name, &member) || !dg_tape_find(tape, *root, op->to, &there))
        return false;
    if (!member || member == there)
        return true;
    if (there && op->collision == DG_COLLISION_REJECT)
        return dg_tape_refuse(tape, "two members come out under one name");
    if (there)
        dg_tape_remove(op->collision == DG_COLLISION_NEWER ? member : there);
    return (there && op->collision == DG_COLLISION_NEWER) || dg_tape_rename(tape, member, op->to);
}

/* What CASE says about a member, in its mark. */
enum { HAD = 0, GOT = 1, EXCEPTED = 2, GONE = 4, MET = 8 };

/* The name that the member comes out under, in tape->name or the text. */
static bool converted(dg_tape *tape, const dg_op *op, dg_tape_node *m, dg_slice *ret_name)
{
    dg_slice name;
    if (!dg_tape_name(tape, m, &name))
        return false;
    m->mark = among(op, name) ? EXCEPTED : HAD;
    *ret_name = name;
    if (m->mark == EXCEPTED)
        return true;
    size_t from = tape->text.len;
    dg_name_convert(name, op->case_from, op->case_to, &tape->text);
    dg_slice to = dg_slice_from(dg_buf_slice(&tape->text), from);
    if (tape->text.status == DG_OK && dg_slice_eq(to, name)) {
        tape->text.len = from;
        return true;
    }
    m->mark = GOT;
    return dg_tape_made(tape, from, ret_name);
}

/* Of two members under one name, one goes; of three, or of two that got it both or had it both,
 * none is the right one. */
static bool settle(dg_tape *tape, const dg_op *op, dg_tape_node *a, dg_tape_node *b)
{
    bool a_got = a->mark & GOT, b_got = b->mark & GOT;
    if (op->collision == DG_COLLISION_REJECT || a_got == b_got || (a->mark & MET))
        return dg_tape_refuse(tape, "two members come out under one name");
    dg_tape_node *goes = (op->collision == DG_COLLISION_OLDER) == a_got ? b : a;
    goes->mark |= GONE;
    a->mark |= MET;
    return true;
}

static bool convert_object(dg_tape *tape, const dg_op *op, dg_tape_node *object)
{
    dg_tape_node *before = NULL, *next, *other;
    size_t members = 0;
    for (dg_tape_node *m = object->first; m; m = m->next)
        members++;
    if (!dg_tape_begin(tape, members))
        return false;
    for (dg_tape_node *m = object->first; m; m = m->next) {
        dg_slice name;
        if (!converted(tape, op, m, &name) || !dg_tape_meet(tape, name, m, &other) ||
            (other && !settle(tape, op, other, m)))
            return false;
    }
    for (dg_tape_node *m = object->first; m; m = next) {
        dg_slice name;
        uint8_t mark = m->mark;
        next = m->next;
        if (mark & GONE) {
            dg_tape_detach(before, m);
            continue;
        }
        before = m;
        if ((mark & GOT) && (!converted(tape, op, m, &name) || !dg_tape_rename(tape, m, name)))
            return false;
        m->mark = mark;
    }
    return true;
}

/* The node after this one in the order of the text, under `top`; not into it if `skip`. */
static dg_tape_node *after(dg_tape_node *node, const dg_tape_node *top, bool skip)
{
    if (!skip && node->first)
        return node->first;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

static bool convert(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *node = *root;
    node->mark = HAD;
    while (node) {
        bool skip = node != *root && (node->mark & EXCEPTED);
        if (!skip && !dg_tape_read(tape, node))
            return false;
        if (!skip && node->kind == DG_TAPE_OBJECT && !convert_object(tape, op, node))
            return false;
        for (dg_tape_node *n = node->kind == DG_TAPE_ARRAY ? node->first : NULL; n; n = n->next)
            n->mark = HAD;
        node = after(node, *root, skip);
    }
    return true;
}

static bool refuse(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    (void)root;
    return dg_tape_refuse(tape, op->with.ptr);
}

/* ---- all of them */

static dg_whole_op *op_of(dg_op_kind kind)
{
    static dg_whole_op *const ops[] = {
        [DG_OP_CASE] = convert,
        [DG_OP_RENAME] = rename_member,
        [DG_OP_MOVE] = move,
        [DG_OP_COPY] = copy,
        [DG_OP_KEEP] = keep,
        [DG_OP_TEMPLATE] = dg_whole_template,
        [DG_OP_MAP] = dg_whole_map,
        [DG_OP_ITEMS] = dg_whole_items,
        [DG_OP_FILTER] = dg_whole_filter,
        [DG_OP_FIRST] = dg_whole_first,
        [DG_OP_LIST] = dg_whole_list,
        [DG_OP_SPLIT] = dg_whole_split,
        [DG_OP_JOIN] = dg_whole_join,
        [DG_OP_SUM] = sum,
        [DG_OP_COUNT] = count,
        [DG_OP_SORT] = dg_whole_sort,
        [DG_OP_SIGNS] = dg_whole_signs,
        [DG_OP_UNSIGN] = dg_whole_unsign,
        [DG_OP_PARSE] = dg_whole_parse,
        [DG_OP_PRINT] = dg_whole_print,
        [DG_OP_REFUSE] = refuse,
    };
    return (size_t)kind < sizeof ops / sizeof *ops ? ops[kind] : NULL;
}

static bool apply(dg_tape *tape, const dg_op *const *ops, size_t count_, dg_slice in, dg_buf *out,
                  const dg_op **ret_op)
{
    dg_tape_node *root = dg_tape_value(tape, in);
    for (size_t i = 0; i < count_ && root; i++) {
        dg_whole_op *op = op_of(ops[i]->kind);
        *ret_op = ops[i];
        DG_ASSERT(op);
        if (!op(tape, ops[i], &root))
            return false;
    }
    return root && dg_tape_print(tape, root, out);
}

dg_status dg_whole_apply(dg_whole *whole, const dg_op *const *ops, size_t count_, dg_slice in,
                         dg_buf *out, dg_whole_error *ret_error)
{
    dg_tape *tape = &whole->tape;
    size_t before = out->len;
    /* A text on the way is as long as the outcome may be: templates of templates grow fast. */
    bool bounded = out->bytes_max && out->bytes_max < DG_TAPE_TEXT_MAX;
    tape->text.bytes_max = bounded ? out->bytes_max : DG_TAPE_TEXT_MAX;
    const dg_op *op = NULL;
    dg_status status = DG_OK;
    if (!apply(tape, ops, count_, in, out, &op)) {
        status = tape->status;
        *ret_error = (dg_whole_error){tape->message, op};
        out->len = before;
        out->status = DG_OK;
    }
    dg_tape_clear(tape);
    return status;
}

dg_status dg_whole_switch(dg_whole *whole, const dg_op *op, dg_slice in, size_t *ret_case,
                          dg_whole_error *ret_error)
{
    dg_tape *tape = &whole->tape;
    dg_tape_node *root = dg_tape_value(tape, in);
    bool holds = false;
    size_t i = 0;
    while (root && i < op->case_count) {
        if (!dg_test_holds(tape, op->cases[i].test, root, &holds) || holds)
            break;
        i++;
    }
    dg_status status = tape->status;
    if (status == DG_OK)
        *ret_case = i;
    else
        *ret_error = (dg_whole_error){tape->message, op};
    dg_tape_clear(tape);
    return status;
}
