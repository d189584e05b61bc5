#include "rules/reader/places.h"

enum { MENTIONS_MAX = 50000 }; /* beyond it the list counts as touching everything */

typedef struct walk {
    dg_place_visit *visit;
    void *context;
    unsigned *left;
} walk;

enum { READS = 0, WRITES = 1, MAKES = 2 };

static void mention(const walk *w, dg_place place, const dg_op *op, unsigned how)
{
    place.op = op;
    place.writes = (how & WRITES) != 0;
    place.makes = (how & MAKES) != 0;
    w->visit(w->context, &place);
}

static dg_place below(dg_place place, dg_slice name)
{
    if (place.count < DG_PLACE_STEPS_MAX)
        place.steps[place.count++] = name;
    return place;
}

static dg_place along(dg_place place, const dg_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        place = below(place, path->steps[i]);
    return place;
}

static void tested(const walk *w, dg_place at, const dg_op *op, const dg_test *test)
{
    if (!test)
        return;
    for (size_t i = 0; i < test->part_count; i++)
        tested(w, at, op, &test->parts[i]);
    if (test->kind != DG_TEST_ALL && test->kind != DG_TEST_ANY && test->kind != DG_TEST_NOT &&
        test->kind != DG_TEST_ALWAYS)
        mention(w, along(at, &test->path), op, READS);
}

/* "{a.b}" in the strings of a template; `text` is JSON. What is escaped in a name, and so is no
 * plain word, counts as a mention of everything. */
static void placeholder(const walk *w, dg_place at, const dg_op *op, dg_slice path)
{
    while (path.len) {
        size_t end = 0;
        while (end < path.len && path.ptr[end] != '.' && path.ptr[end] != '[')
            if (path.ptr[end++] == '\\') {
                mention(w, at, op, READS);
                return;
            }
        at = below(at, end ? dg_slice_until(path, end) : (dg_slice){NULL, 0});
        if (end < path.len && path.ptr[end] == '[')
            end++;
        path = dg_slice_from(path, end + 1);
    }
    mention(w, at, op, READS);
}

static void template_read(const walk *w, dg_place at, const dg_op *op)
{
    bool string = false;
    for (size_t i = 0; i < op->value.len; i++) {
        char c = op->value.ptr[i];
        if (c == '"')
            string = !string;
        else if (string && (c == '\\' || (c == '{' && i + 1 < op->value.len && op->value.ptr[i + 1] == '{')))
            i++;
        else if (string && c == '{') {
            dg_slice rest = dg_slice_from(op->value, i + 1);
            size_t end = dg_slice_find(rest, '}');
            placeholder(w, at, op, dg_slice_until(rest, end));
            i += end + 1;
        }
    }
}

static void visit_list(const walk *w, dg_place at, const dg_ops *ops);

static void descend(const walk *w, dg_place at, dg_slice name, const dg_op *op)
{
    if (at.count == DG_PLACE_STEPS_MAX)
        mention(w, at, op, READS | WRITES);
    else
        visit_list(w, below(at, name), op->body);
}

static void visit_op(const walk *w, dg_place at, const dg_op *op)
{
    const dg_slice any = {NULL, 0};
    switch (op->kind) {
    case DG_OP_IN:
        descend(w, at, op->name, op);
        return;
    case DG_OP_EACH:
    case DG_OP_MEMBERS:
        descend(w, at, any, op);
        return;
    case DG_OP_REFUSE:
        return;
    case DG_OP_LENS:
        visit_list(w, at, op->body);
        return;
    case DG_OP_BOTH:
        visit_list(w, at, op->body);
        visit_list(w, at, op->other);
        return;
    case DG_OP_RENAME:
        mention(w, below(at, op->name), op, WRITES);
        mention(w, below(at, op->to), op, MAKES);
        return;
    case DG_OP_DROP:
        mention(w, below(at, op->name), op, WRITES);
        return;
    case DG_OP_ADD:
    case DG_OP_DEFAULT:
        mention(w, below(at, op->name), op, MAKES);
        return;
    case DG_OP_MOVE:
    case DG_OP_COPY:
    case DG_OP_SUM:
    case DG_OP_COUNT:
        mention(w, along(at, &op->path), op, op->kind == DG_OP_MOVE ? WRITES : READS);
        mention(w, along(at, &op->target), op, MAKES);
        return;
    case DG_OP_SIGNS:
    case DG_OP_UNSIGN:
        mention(w, below(at, op->name), op, WRITES | MAKES);
        mention(w, below(at, op->to), op, WRITES | MAKES);
        return;
    case DG_OP_TEMPLATE:
        template_read(w, at, op);
        mention(w, at, op, WRITES | MAKES);
        return;
    case DG_OP_SWITCH:
        for (size_t i = 0; i < op->case_count; i++) {
            tested(w, at, op, op->cases[i].test);
            tested(w, at, op, op->cases[i].newer);
            if (op->cases[i].body)
                visit_list(w, at, op->cases[i].body);
        }
        return;
    default:
        mention(w, at, op, WRITES | MAKES);
    }
}

static void visit_list(const walk *w, dg_place at, const dg_ops *ops)
{
    for (size_t i = 0; ops && i < ops->count && *w->left; i++) {
        --*w->left;
        visit_op(w, at, &ops->items[i]);
    }
}

void dg_ops_places(const dg_ops *ops, dg_place_visit *visit, void *context)
{
    unsigned left = MENTIONS_MAX;
    const walk w = {visit, context, &left};
    visit_list(&w, (dg_place){.count = 0}, ops);
    if (left == 0)
        mention(&w, (dg_place){.count = 0}, &ops->items[0], WRITES | MAKES);
}
