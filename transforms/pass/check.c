#include "transforms/pass/check.h"

#include "transforms/scalar/cast.h"
#include "transforms/loss.h"
#include "transforms/scalar/time.h"

enum { TEST_DEPTH_MAX = 32 };

/* Whether `text` is one JSON value; a scalar without white space around it, if `scalar`. */
static bool is_json(dg_check *c, dg_slice text, bool scalar)
{
    static const char padding[DG_JSON_PADDING];
    dg_buf copy;
    dg_buf_init(&copy, 0);
    dg_buf_add(&copy, text);
    dg_buf_add(&copy, dg_slice_of(padding, sizeof padding));
    bool ok = false;
    if (copy.status == DG_OK) {
        dg_scan s = {.end = copy.ptr + text.len};
        const char *p = scalar ? copy.ptr : dg_scan_space(&s, copy.ptr);
        bool begins = text.len && !(scalar && (*p == '{' || *p == '['));
        p = begins ? dg_scan_value(&s, p, 0) : NULL;
        if (p && !scalar)
            p = dg_scan_space(&s, p);
        ok = p == s.end && !dg_utf8_fault(copy.ptr, s.end);
    } else {
        c->failed = true;
    }
    dg_buf_free(&copy);
    return ok;
}

static bool is_utf8(dg_slice name)
{
    return name.len == 0 || !dg_utf8_fault(name.ptr, name.ptr + name.len);
}

static void check_value(dg_check *c, const dg_op *op)
{
    bool scalar = dg_op_class_of(op->kind) == DG_OP_IS_SCALAR;
    bool replaces = (dg_op_is_scalar(op) || op->kind == DG_OP_PARSE) && dg_op_settles(op) &&
                    op->unknown == DG_UNKNOWN_DEFAULT;
    bool holds = op->kind == DG_OP_ADD || op->kind == DG_OP_DEFAULT || op->kind == DG_OP_TEMPLATE;
    if ((holds || replaces) && !is_json(c, op->value, scalar))
        DG_COMPLAIN(c, op, "%s: the value is no JSON%s: %.*s", dg_op_said(op),
                    scalar ? " scalar" : "", DG_SLICE_FMT(op->value));
    for (size_t i = 0; op->kind == DG_OP_VALUES && i < op->pair_count; i++) {
        if (!is_json(c, op->pairs[i].from, true) || !is_json(c, op->pairs[i].to, true))
            DG_COMPLAIN(c, op, "%s: a row that is not two JSON scalars: %.*s: %.*s",
                        dg_op_said(op), DG_SLICE_FMT(op->pairs[i].from), DG_SLICE_FMT(op->pairs[i].to));
    }
}

static void check_path(dg_check *c, const dg_op *op, dg_path path, bool each)
{
    for (size_t i = 0; i < path.count; i++) {
        if (!path.steps[i].ptr && !each)
            DG_COMPLAIN(c, op, "%s: a path to one place cannot go to each element",
                        dg_op_said(op));
        else if (path.steps[i].ptr && !is_utf8(path.steps[i]))
            DG_COMPLAIN(c, op, "%s: a name in the path is no UTF-8", dg_op_said(op));
    }
}

static bool is_kind(dg_slice word)
{
    static const char *const kinds[] = {"object", "array", "string", "number", "boolean", "null"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (dg_slice_eq(word, dg_slice_str(kinds[i])))
            return true;
    return false;
}

static void check_test(dg_check *c, const dg_op *op, const dg_test *test)
{
    if (!test || c->depth == TEST_DEPTH_MAX) {
        DG_COMPLAIN(c, op, test ? "%s: tests nested too deep" : "%s: no test",
                    dg_op_said(op));
        return;
    }
    check_path(c, op, test->path, true);
    bool compares = test->kind == DG_TEST_IS || test->kind == DG_TEST_LESS;
    if (compares && !is_json(c, test->value, test->kind == DG_TEST_LESS))
        DG_COMPLAIN(c, op, "%s: what is compared with is no JSON: %.*s", dg_op_said(op),
                    DG_SLICE_FMT(test->value));
    if (test->kind == DG_TEST_KIND && !is_kind(test->value))
        DG_COMPLAIN(c, op, "%s: no kind of value: %.*s", dg_op_said(op),
                    DG_SLICE_FMT(test->value));
    if (test->kind == DG_TEST_MATCHES && !test->pattern)
        DG_COMPLAIN(c, op, "%s: no pattern", dg_op_said(op));
    if (test->kind == DG_TEST_NOT && test->part_count != 1)
        DG_COMPLAIN(c, op, "%s: not: one test", dg_op_said(op));
    c->depth++;
    for (size_t i = 0; i < test->part_count; i++)
        check_test(c, op, &test->parts[i]);
    c->depth--;
}

static void check_format(dg_check *c, const dg_op *op, const dg_time_format *format)
{
    const char *message;
    if (format->kind == DG_TIME_PATTERN && !dg_time_pattern_check(format->pattern, &message))
        DG_COMPLAIN(c, op, "time: %.*s: %s", DG_SLICE_FMT(format->pattern), message);
}

/* Places and texts that may not be empty. */
static void check_empty(dg_check *c, const dg_op *op)
{
    bool lands = op->kind == DG_OP_MOVE || op->kind == DG_OP_COPY || op->kind == DG_OP_SUM ||
                 op->kind == DG_OP_COUNT;
    if (lands && op->target.count == 0)
        DG_COMPLAIN(c, op, "%s: what comes to the value itself has no place there: name a member",
                    dg_op_said(op));
    if (op->kind == DG_OP_MOVE && op->path.count == 0)
        DG_COMPLAIN(c, op, "%s: the value itself cannot leave its own place: name a member",
                    dg_op_said(op));
    if ((op->kind == DG_OP_SPLIT || op->kind == DG_OP_JOIN) && op->value.len == 0)
        DG_COMPLAIN(c, op, "%s: the text between the parts is empty", dg_op_said(op));
}

/* Operands of ops that read their value whole, or scalars. */
static void check_operands(dg_check *c, const dg_op *op)
{
    bool many = op->kind != DG_OP_MOVE && op->kind != DG_OP_COPY && op->kind != DG_OP_SORT;
    check_path(c, op, op->path, many);
    check_path(c, op, op->target, op->kind == DG_OP_COPY);
    check_empty(c, op);
    if (op->kind == DG_OP_REFUSE && (!op->with.len || op->with.ptr[op->with.len] || !is_utf8(op->with)))
        DG_COMPLAIN(c, op, "refuse: no reason");
    if (op->kind == DG_OP_REPLACE && !op->pattern)
        DG_COMPLAIN(c, op, "replace: no pattern");
    if (op->kind == DG_OP_CAST && !dg_cast_is_known(op->cast_from, op->cast_to))
        DG_COMPLAIN(c, op, "cast: there is no way from the one kind to the other");
    if (op->kind == DG_OP_TIME) {
        check_format(c, op, &op->time_from);
        check_format(c, op, &op->time_to);
    }
    if (op->kind == DG_OP_FILTER)
        check_test(c, op, op->test);
    for (size_t i = 0; op->kind == DG_OP_SWITCH && i < op->case_count; i++) {
        check_test(c, op, op->cases[i].test);
        if (!op->cases[i].body)
            DG_COMPLAIN(c, op, "switch: nothing to apply");
    }
    for (size_t i = 0; op->kind == DG_OP_KEEP && i < op->name_count; i++)
        if (!is_utf8(op->names[i]))
            DG_COMPLAIN(c, op, "keep: a name is no UTF-8");
}

static bool has_body(const dg_op *op)
{
    return op->kind == DG_OP_IN || op->kind == DG_OP_EACH || op->kind == DG_OP_MEMBERS ||
           dg_op_is_list(op);
}

void dg_op_lists(const dg_op *op, dg_list_visit *visit, void *context)
{
    if (has_body(op) && op->body)
        visit(context, op->body);
    for (size_t i = 0; op->kind == DG_OP_SWITCH && i < op->case_count; i++)
        if (op->cases[i].body)
            visit(context, op->cases[i].body);
}

static void visit_list(void *context, const dg_ops *list)
{
    dg_check_list(context, list);
}

static void check_op(dg_check *c, const dg_op *op)
{
    check_value(c, op);
    check_operands(c, op);
    if (!is_utf8(op->name) || !is_utf8(op->to))
        DG_COMPLAIN(c, op, "%s: the name is no UTF-8", dg_op_said(op));
    if (has_body(op) && !op->body)
        DG_COMPLAIN(c, op, "%s: nothing to apply", dg_op_said(op));
    dg_op_lists(op, visit_list, c);
}

void dg_check_list(dg_check *c, const dg_ops *list)
{
    for (size_t i = 0; i < c->seen_count; i++)
        if (c->seen[i] == list)
            return;
    if (c->seen_count == DG_LISTS_MAX) {
        c->wrong = true;
        dg_diags_add(c->diags, DG_ERROR, (dg_origin){0}, "more than %d op lists in one program",
                     (int)DG_LISTS_MAX);
        return;
    }
    c->seen[c->seen_count++] = list;
    for (size_t i = 0; i < list->count; i++)
        check_op(c, &list->items[i]);
}
