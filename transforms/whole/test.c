/* Tests on values (op.h), for SWITCH and FILTER. */
#include "transforms/scalar/decimal.h"
#include "transforms/name.h"
#include "transforms/pattern.h"
#include "transforms/whole/whole_ops.h"

static dg_slice text_of(const dg_tape_node *node)
{
    return dg_slice_of(node->text, node->len);
}

static bool same_strings(dg_tape *tape, const dg_tape_node *a, const dg_tape_node *b)
{
    dg_slice x, y;
    if (dg_slice_eq(text_of(a), text_of(b)))
        return true;
    if (!dg_tape_text(tape, a, &x) || (x.ptr == tape->name.ptr && !dg_tape_dup(tape, x, &x)) ||
        !dg_tape_text(tape, b, &y))
        return false;
    return dg_slice_eq(x, y);
}

static bool equal(dg_tape *tape, dg_tape_node *a, dg_tape_node *b);

/* The members of b in the order of a's: false unless both have the same names, each once. */
static bool pair_members(dg_tape *tape, dg_tape_node *a, dg_tape_node *b, dg_tape_node **pairs)
{
    size_t i = 0;
    for (dg_tape_node *m = b->first; m; m = m->next) {
        dg_tape_node *other;
        dg_slice name;
        m->mark = 0;
        if (!dg_tape_name(tape, m, &name) || !dg_tape_meet(tape, name, m, &other) || other)
            return false;
    }
    for (dg_tape_node *m = a->first; m; m = m->next) {
        dg_slice name;
        if (!dg_tape_name(tape, m, &name) || !(pairs[i] = dg_tape_met(tape, name)) ||
            pairs[i]->mark)
            return false;
        pairs[i++]->mark = 1;
    }
    return true;
}

static size_t length(const dg_tape_node *node)
{
    size_t count = 0;
    for (const dg_tape_node *n = node->first; n; n = n->next)
        count++;
    return count;
}

static bool same_children(dg_tape *tape, dg_tape_node *a, dg_tape_node *b)
{
    if (!dg_tape_read(tape, a) || !dg_tape_read(tape, b))
        return false;
    size_t count = length(a), i = 0;
    if (count != length(b))
        return false;
    dg_tape_node **pairs = NULL, *peer = b->first;
    if (a->kind == DG_TAPE_OBJECT) {
        pairs = dg_tape_alloc(tape, (count + 1) * sizeof(dg_tape_node *));
        if (!pairs || !dg_tape_begin(tape, count) || !pair_members(tape, a, b, pairs))
            return false;
    }
    for (dg_tape_node *n = a->first; n; n = n->next) {
        if (!equal(tape, n, pairs ? pairs[i++] : peer))
            return false;
        peer = pairs ? NULL : peer->next;
    }
    return true;
}

/* An object with two members of one name equals nothing. Recursion ends where the values do. */
static bool equal(dg_tape *tape, dg_tape_node *a, dg_tape_node *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == DG_TAPE_STRING)
        return same_strings(tape, a, b);
    if (a->kind < DG_TAPE_ARRAY)
        return dg_slice_eq(text_of(a), text_of(b));
    return same_children(tape, a, b);
}

static bool is_kind(const dg_tape_node *node, dg_slice value)
{
    static const char *const words[] = {"null", "boolean", "number", "string", "array", "object"};
    if (value.len > 2 && *value.ptr == '"')
        value = dg_slice_of(value.ptr + 1, value.len - 2);
    return dg_slice_eq(value, dg_slice_str(words[node->kind]));
}

static bool is_empty(dg_tape *tape, dg_tape_node *node)
{
    if (node->kind == DG_TAPE_NULL)
        return true;
    if (node->kind == DG_TAPE_STRING)
        return node->len == 2;
    return node->kind >= DG_TAPE_ARRAY && dg_tape_read(tape, node) && !node->first;
}

static bool matches(dg_tape *tape, const dg_test *test, dg_tape_node *node)
{
    dg_slice text;
    bool found = false;
    if (node->kind != DG_TAPE_STRING || !dg_tape_text(tape, node, &text))
        return false;
    /* A lone surrogate is in no text that a pattern could mean. */
    if (!dg_name_is_utf8(text))
        return false;
    dg_status status = dg_pattern_match(test->pattern, tape->matcher, text, &found);
    if (status != DG_OK)
        return dg_tape_fail(tape, status,
                            status == DG_NOMEM ? "out of memory" : "a pattern took too long");
    return found;
}

static bool is_less(const dg_tape_node *node, dg_slice value)
{
    dg_decimal a, b;
    if (node->kind != DG_TAPE_NUMBER)
        return false;
    dg_decimal_read(text_of(node), &a);
    dg_decimal_read(value, &b);
    return dg_decimal_compare(&a, &b) < 0;
}

typedef struct question {
    dg_tape *tape;
    const dg_test *test;
    bool any, holds;
} question;

/* Goes on until one holds. */
static bool ask(void *context, dg_tape_node *node)
{
    question *q = context;
    const dg_test *test = q->test;
    dg_tape_node *value;
    q->any = true;
    switch (test->kind) {
    case DG_TEST_EXISTS:
        q->holds = true;
        break;
    case DG_TEST_IS:
        value = dg_tape_constant_of(q->tape, test->value);
        q->holds = value && equal(q->tape, node, value);
        break;
    case DG_TEST_KIND:
        q->holds = is_kind(node, test->value);
        break;
    case DG_TEST_EMPTY:
        q->holds = is_empty(q->tape, node);
        break;
    case DG_TEST_MATCHES:
        q->holds = matches(q->tape, test, node);
        break;
    default:
        q->holds = is_less(node, test->value);
        break;
    }
    return !q->holds && q->tape->status == DG_OK;
}

/* ALL and ANY: the first part that settles it does. */
static bool combine(dg_tape *tape, const dg_test *test, dg_tape_node *node, bool *ret_holds)
{
    bool all = test->kind == DG_TEST_ALL, holds = all;
    for (size_t i = 0; i < test->part_count && holds == all; i++)
        if (!dg_test_holds(tape, &test->parts[i], node, &holds))
            return false;
    *ret_holds = holds;
    return true;
}

bool dg_test_holds(dg_tape *tape, const dg_test *test, dg_tape_node *node, bool *ret_holds)
{
    question q = {.tape = tape, .test = test};
    bool part;
    switch (test->kind) {
    case DG_TEST_ALWAYS:
        *ret_holds = true;
        return true;
    case DG_TEST_ALL:
    case DG_TEST_ANY:
        return combine(tape, test, node, ret_holds);
    case DG_TEST_NOT:
        if (!dg_test_holds(tape, test->parts, node, &part))
            return false;
        *ret_holds = !part;
        return true;
    default:
        if (!dg_tape_visit(tape, node, test->path, false, ask, &q))
            return false;
        *ret_holds = q.holds || (!q.any && test->kind == DG_TEST_EMPTY);
        return true;
    }
}
