/* Conditions, and the ops that depend on one. */
#include "rules/reader/op_reader.h"
#include "transforms/pattern.h"

static bool read_test(const dg_reading *c, const dg_node *node, const dg_steps *base,
                      dg_test *ret_test);

static bool read_parts(const dg_reading *c, const dg_node *list, const dg_steps *base,
                       dg_test_kind kind, dg_test *ret_test)
{
    if (!dg_node_want_list(list, "a list of conditions", c->reader->diags) ||
        !dg_op_not_empty(c, list))
        return false;
    dg_test *items = dg_arena_zalloc(c->reader->arena, list->count * sizeof *items);
    if (!items)
        return false;
    bool good = true;
    size_t count = 0;
    for (const dg_node *n = list->first; n; n = n->next)
        good &= read_test(c, n, base, &items[count++]);
    *ret_test = (dg_test){.kind = kind, .origin = list->key_origin, .parts = items};
    ret_test->part_count = count;
    return good;
}

static bool negate(const dg_reading *c, dg_test *test)
{
    dg_test *inner = dg_arena_alloc(c->reader->arena, sizeof *inner);
    if (!inner)
        return false;
    *inner = *test;
    *test = (dg_test){.kind = DG_TEST_NOT, .origin = inner->origin, .parts = inner};
    test->part_count = 1;
    return true;
}

/* in: [a, b] */
static bool read_one_of(const dg_reading *c, const dg_node *list, dg_path path, dg_test *ret_test)
{
    if (!dg_node_want_list(list, "a list of values", c->reader->diags) || !dg_op_not_empty(c, list))
        return false;
    dg_test *items = dg_arena_zalloc(c->reader->arena, list->count * sizeof *items);
    if (!items)
        return false;
    bool good = true;
    size_t count = 0;
    for (const dg_node *n = list->first; n; n = n->next, count++) {
        items[count] = (dg_test){.kind = DG_TEST_IS, .origin = n->origin, .path = path};
        good &= dg_json_of(c, n, &items[count].value);
    }
    *ret_test = (dg_test){.kind = DG_TEST_ANY, .origin = list->key_origin, .parts = items};
    ret_test->part_count = count;
    return good;
}

static bool read_yes_no(const dg_reading *c, const dg_node *n, dg_test_kind kind, dg_test *test)
{
    bool yes = true;
    test->kind = kind;
    return dg_node_want_bool(n, "true or false", c->reader->diags, &yes) &&
           (yes || negate(c, test));
}

static bool read_type(const dg_reading *c, const dg_node *n, dg_test *test)
{
    static const char *const types[] = {"object",  "array", "string", "number",
                                        "boolean", "null",  NULL};
    size_t which;
    if (!dg_node_want_word(n, types, c->reader->diags, &which))
        return false;
    test->kind = DG_TEST_KIND;
    test->value = dg_slice_str(types[which]);
    return true;
}

static bool read_less(const dg_reading *c, const dg_node *n, dg_test *test)
{
    if (n->kind != DG_NODE_SCALAR || dg_node_is_string(n) ||
        strcmp(dg_node_describe(n), "a number") != 0)
        return dg_op_fail(c, n->origin, "expected a number");
    test->kind = DG_TEST_LESS;
    return dg_json_of(c, n, &test->value);
}

static bool read_matches(const dg_reading *c, const dg_node *n, dg_test *test)
{
    dg_slice text;
    test->kind = DG_TEST_MATCHES;
    return dg_node_want_string(n, "a regular expression", c->reader->diags, &text) &&
           dg_pattern_new(c->reader->arena, text, n->origin, c->reader->diags, &test->pattern) ==
               DG_OK;
}

static bool read_not(const dg_reading *c, const dg_node *n, const dg_steps *base, dg_test *test)
{
    return read_test(c, n, base, test) && negate(c, test);
}

/* One key of a condition but `at`. */
static bool read_part(const dg_reading *c, const dg_node *n, const dg_steps *base,
                      dg_test *ret_test)
{
    dg_path path = dg_path_of(c, base, 0);
    *ret_test = (dg_test){.kind = DG_TEST_IS, .origin = n->key_origin, .path = path};
    if (dg_slice_eq(n->key, DG_SLICE("is")))
        return dg_json_of(c, n, &ret_test->value);
    if (dg_slice_eq(n->key, DG_SLICE("in")))
        return read_one_of(c, n, path, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("exists")))
        return read_yes_no(c, n, DG_TEST_EXISTS, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("empty")))
        return read_yes_no(c, n, DG_TEST_EMPTY, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("type")))
        return read_type(c, n, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("less")))
        return read_less(c, n, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("matches")))
        return read_matches(c, n, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("all")))
        return read_parts(c, n, base, DG_TEST_ALL, ret_test);
    if (dg_slice_eq(n->key, DG_SLICE("any")))
        return read_parts(c, n, base, DG_TEST_ANY, ret_test);
    return read_not(c, n, base, ret_test);
}

/* The `at` of a condition within another starts where that one looks. */
static bool steps_below(const dg_reading *c, const dg_node *node, const dg_steps *base,
                        dg_steps *ret_steps)
{
    dg_steps at;
    if (!dg_at_read(c, node, &at))
        return false;
    if (base->count + at.count >= DG_OP_PATH_MAX)
        return dg_op_fail(c, node->origin, "the path has too many steps");
    *ret_steps = *base;
    memcpy(ret_steps->at + base->count, at.at, at.count * sizeof *at.at);
    ret_steps->count += at.count;
    return true;
}

static bool read_test(const dg_reading *c, const dg_node *node, const dg_steps *base,
                      dg_test *ret_test)
{
    static const char *const keys[] = {"at",   "is",      "in",  "exists", "empty", "type",
                                       "less", "matches", "all", "any",    "not",   NULL};
    dg_diags *diags = c->reader->diags;
    if (!dg_node_want_map(node, "a condition: {at: status, is: active}", diags))
        return false;
    dg_steps steps;
    const dg_node *where = dg_node_get(node, "at");
    bool known = dg_node_check_keys(node, keys, diags);
    if (!steps_below(c, node, base, &steps) || !known)
        return false;
    if (node->count == (where ? 1 : 0))
        return dg_op_fail(c, node->origin, "the condition asks nothing: is, exists, type ...");
    dg_test *items = dg_arena_zalloc(c->reader->arena, node->count * sizeof *items);
    if (!items)
        return false;
    bool good = true;
    size_t count = 0;
    for (const dg_node *n = node->first; n; n = n->next)
        if (n != where)
            good &= read_part(c, n, &steps, &items[count++]);
    *ret_test = items[0];
    if (count > 1) {
        *ret_test = (dg_test){.kind = DG_TEST_ALL, .origin = node->origin, .parts = items};
        ret_test->part_count = count;
    }
    return good;
}

const dg_test *dg_test_boxed(const dg_reading *c, const dg_node *node)
{
    const dg_steps itself = {.count = 0};
    dg_test *test = dg_arena_zalloc(c->reader->arena, sizeof *test);
    return test && read_test(c, node, &itself, test) ? test : NULL;
}

static const dg_test *always(const dg_reading *c, dg_origin origin)
{
    dg_test *test = dg_arena_zalloc(c->reader->arena, sizeof *test);
    if (test)
        *test = (dg_test){.kind = DG_TEST_ALWAYS, .origin = origin};
    return test;
}

static bool read_case(const dg_reading *c, const dg_node *when, const dg_node *body,
                      const dg_node *newer, dg_switch_case *ret_case)
{
    dg_ops *ops = dg_arena_zalloc(c->reader->arena, sizeof *ops);
    if (!ops)
        return false;
    bool good = dg_ops_read(c->reader, body, ops);
    *ret_case = (dg_switch_case){.body = ops};
    ret_case->test = when ? dg_test_boxed(c, when) : always(c, body->key_origin);
    if (newer)
        ret_case->newer = dg_test_boxed(c, newer);
    return good && ret_case->test && (!newer || ret_case->newer);
}

bool dg_read_switch(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"when", "do", "newer", NULL};
    if (!dg_node_want_list(node, "a list of cases: [{when: CONDITION, do: OPS}, {do: OPS}]",
                           c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    dg_switch_case *cases = dg_arena_zalloc(c->reader->arena, node->count * sizeof *cases);
    bool good = cases != NULL;
    size_t count = 0;
    for (const dg_node *n = good ? node->first : NULL; n; n = n->next) {
        if (!dg_node_want_map(n, "a case: {when: CONDITION, do: OPS}", c->reader->diags)) {
            good = false;
            continue;
        }
        good &= dg_node_check_keys(n, keys, c->reader->diags);
        const dg_node *when = dg_node_get(n, "when"), *body = dg_node_get(n, "do");
        if (!body)
            good = dg_op_fail(c, n->origin, "a case needs 'do'; [] when there is nothing to do");
        else
            good &= read_case(c, when, body, dg_node_get(n, "newer"), &cases[count++]);
        if (!when && n->next)
            good = dg_op_fail(c, n->origin, "a case without 'when' is always met: it comes last");
    }
    c->op.cases = cases;
    c->op.case_count = count;
    return good && dg_op_push(c, c->out, c->op);
}

/* {if: CONDITION, do: OPS, else: OPS, newer: CONDITION} */
bool dg_read_if(dg_reading *c, const dg_node *node)
{
    const dg_node *body = dg_node_get(c->item, "do"), *other = dg_node_get(c->item, "else");
    dg_switch_case *cases = dg_arena_zalloc(c->reader->arena, 2 * sizeof *cases);
    if (!cases)
        return false;
    if (!body)
        return dg_op_fail(c, node->origin, "'if' needs 'do' beside it");
    bool good = read_case(c, node, body, dg_node_get(c->item, "newer"), &cases[0]);
    if (other)
        good &= read_case(c, NULL, other, NULL, &cases[1]);
    c->op.cases = cases;
    c->op.case_count = other ? 2 : 1;
    return good && dg_op_push(c, c->out, c->op);
}
