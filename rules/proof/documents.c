#include "rules/proof/documents.h"

#include "rules/proof/steps.h"
#include "transforms/name.h"
#include "transforms/scalar/time.h"

enum { DEPTH_MAX = 12, ELEMENTS_MAX = 3, MADE_MAX = 5000 /* ops, for one document */ };

typedef struct maker {
    dg_arena *arena;
    dg_runner *runner;
    dg_dice *dice;
    unsigned *left; /* of MADE_MAX */
} maker;

static uint32_t roll(const maker *m, uint32_t below)
{
    return dg_dice_below(m->dice, below);
}

static dg_tree *odd_value(const maker *m)
{
    return dg_odd_value(m->arena, m->dice);
}

static void add_stranger(const maker *m, dg_tree *object)
{
    dg_add_stranger(m->arena, m->dice, object);
}

static dg_tree *fresh(const maker *m)
{
    dg_tree *object = dg_tree_empty(m->arena, DG_TREE_OBJECT);
    if (object && roll(m, 2))
        add_stranger(m, object);
    return object;
}

static dg_tree *value_of(const maker *m, dg_slice json)
{
    dg_tree *tree = NULL;
    return dg_tree_read(m->arena, json, &tree) == DG_OK ? tree : NULL;
}

static void make_list(const maker *m, const dg_ops *list, dg_tree *tree, unsigned depth);

/* What is at a path, made if it is not there; NULL where the value has another shape. */
static dg_tree *reach(const maker *m, dg_tree *tree, const dg_path *path)
{
    for (size_t i = 0; tree && i < path->count; i++) {
        bool each = path->steps[i].ptr == NULL;
        if (tree->count == 0 && tree->kind != (each ? DG_TREE_ARRAY : DG_TREE_OBJECT))
            dg_tree_assign(tree, dg_tree_empty(m->arena, each ? DG_TREE_ARRAY : DG_TREE_OBJECT));
        if (tree->kind != (each ? DG_TREE_ARRAY : DG_TREE_OBJECT))
            return NULL;
        dg_tree *below = each ? tree->first : dg_tree_member(tree, path->steps[i]);
        if (!below && each) {
            below = fresh(m);
            if (below)
                dg_tree_append(tree, below);
        } else if (!below) {
            dg_tree_set(m->arena, tree, path->steps[i], dg_tree_empty(m->arena, DG_TREE_OBJECT));
            below = dg_tree_member(tree, path->steps[i]);
        }
        tree = below;
    }
    return tree;
}

static void put(const maker *m, dg_tree *tree, const char *json)
{
    dg_tree *value = dg_tree_of(m->arena, json);
    if (value)
        dg_tree_assign(tree, value);
}

/* Makes a condition hold, as far as that is easy. */
static void satisfy(const maker *m, const dg_test *test, dg_tree *tree)
{
    static const char *const of_kind[][2] = {{"object", "{}"},    {"array", "[]"},
                                             {"string", "\"a\""}, {"number", "1.0"},
                                             {"boolean", "true"}, {"null", "null"}};
    dg_tree *at = NULL;
    switch (test->kind) {
    case DG_TEST_ALL:
        for (size_t i = 0; i < test->part_count; i++)
            satisfy(m, &test->parts[i], tree);
        return;
    case DG_TEST_ANY:
        if (test->part_count)
            satisfy(m, &test->parts[roll(m, (uint32_t)test->part_count)], tree);
        return;
    case DG_TEST_EXISTS:
        at = reach(m, tree, &test->path);
        if (at && at->kind == DG_TREE_OBJECT && at->count == 0)
            dg_tree_assign(at, odd_value(m));
        return;
    case DG_TEST_IS:
        at = reach(m, tree, &test->path);
        if (at && value_of(m, test->value))
            dg_tree_assign(at, value_of(m, test->value));
        return;
    case DG_TEST_KIND:
        at = reach(m, tree, &test->path);
        for (size_t i = 0; at && i < 6; i++)
            if (dg_slice_eq(test->value, dg_slice_str(of_kind[i][0])) ||
                (test->value.len > 2 &&
                 dg_slice_eq(dg_slice_of(test->value.ptr + 1, test->value.len - 2),
                             dg_slice_str(of_kind[i][0]))))
                put(m, at, of_kind[i][1]);
        return;
    default:
        return;
    }
}

static dg_tree *number_value(const maker *m)
{
    static const char *const numbers[] = {"7", "0", "12345678901234567890", "1.50", "-3"};
    return dg_tree_of(m->arena, numbers[roll(m, 5)]);
}

static const char *cast_sample(const maker *m, dg_cast cast)
{
    static const char *const samples[][2] = {
        [DG_CAST_NUMBER] = {"7", "12345678901234567890"},
        [DG_CAST_STRING] = {"\"7\"", "\"12345678901234567890\""},
        [DG_CAST_BOOLEAN] = {"true", "false"},
        [DG_CAST_DECIMAL] = {"\"255\"", "\"0\""},
        [DG_CAST_HEX] = {"\"ff\"", "\"0\""},
        [DG_CAST_BASE64] = {"\"YWI=\"", "\"\""}};
    return samples[cast][roll(m, 2)];
}

/* Some second of the year 2026, in that format. */
static dg_tree *time_sample(const maker *m, const dg_time_format *format)
{
    dg_instant instant = {.seconds = 1767225600};
    dg_tree *tree;
    dg_buf text, json;
    dg_buf_init(&text, 0);
    dg_buf_init(&json, 0);
    dg_time_write(format, &instant, &text);
    if (dg_time_is_number(format->kind))
        dg_buf_add(&json, dg_buf_slice(&text));
    else
        dg_name_encode(dg_buf_slice(&text), &json);
    tree = value_of(m, dg_buf_slice(&json));
    dg_buf_free(&text);
    dg_buf_free(&json);
    return tree;
}

/* The value as it was before the op, by the op's own way back; as it is where that does not work.
 */
static void undo(const maker *m, const dg_op *op, dg_tree *tree)
{
    const dg_ops one = {op, 1};
    dg_ops back;
    dg_diags diags;
    dg_run_error error;
    dg_buf in, out;
    dg_tree *made = NULL;
    dg_diags_init(&diags);
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_tree_print(tree, &in);
    if (dg_buf_reserve(&in, DG_JSON_PADDING) == DG_OK &&
        dg_ops_inverse(m->arena, &one, &diags, &back) == DG_OK &&
        dg_ops_run(m->runner, &back, dg_buf_slice(&in), &out, &error) == DG_OK &&
        dg_tree_read(m->arena, dg_buf_slice(&out), &made) == DG_OK)
        dg_tree_assign(tree, made);
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_diags_free(&diags);
}

static void make_elements(const maker *m, const dg_op *op, dg_tree *tree, unsigned depth)
{
    if (tree->kind == DG_TREE_OBJECT && tree->count == 0)
        dg_tree_assign(tree, dg_tree_empty(m->arena, DG_TREE_ARRAY));
    if (tree->kind != DG_TREE_ARRAY)
        return;
    for (uint32_t i = tree->count ? ELEMENTS_MAX : roll(m, ELEMENTS_MAX + 1); i < ELEMENTS_MAX;
         i++) {
        dg_tree *element = dg_tree_empty(m->arena, DG_TREE_OBJECT);
        if (element)
            dg_tree_append(tree, element);
    }
    for (dg_tree *element = tree->first; element; element = element->next)
        make_list(m, op->body, element, depth + 1);
}

/* What a VALUES finds: a value of its table, as a newer value already there would come back, or
 * anyone. */
static void make_row(const maker *m, const dg_op *op, dg_tree *tree)
{
    dg_tree *row =
        op->pair_count ? value_of(m, op->pairs[roll(m, (uint32_t)op->pair_count)].from) : NULL;
    if (row && tree->count == 0)
        dg_tree_assign(tree, row);
}

static void make_member(const maker *m, const dg_op *op, dg_tree *tree)
{
    dg_slice name = op->name;
    if (tree->kind != DG_TREE_OBJECT || dg_tree_member(tree, name))
        return;
    switch (op->kind) {
    case DG_OP_RENAME:
    case DG_OP_UNWRAP:
        dg_tree_set(m->arena, tree, name, odd_value(m));
        return;
    case DG_OP_DROP:
        dg_tree_set(m->arena, tree, name,
                    op->value.len && roll(m, 2) ? value_of(m, op->value) : odd_value(m));
        return;
    default:
        return;
    }
}

static void make_names(const maker *m, const dg_op *op, dg_tree *tree)
{
    static const char *const camel[] = {"aName", "id", "unitPrice2", "x1Y"};
    static const char *const snake[] = {"a_name", "id", "unit_price2", "x1_y"};
    for (uint32_t i = roll(m, 3); tree->kind == DG_TREE_OBJECT && i < 4; i++) {
        dg_slice name = dg_slice_str((op->case_from == DG_CAMEL ? camel : snake)[i]);
        if (!dg_tree_member(tree, name))
            dg_tree_set(m->arena, tree, name, odd_value(m));
    }
}

static void make_scalar(const maker *m, const dg_op *op, dg_tree *tree)
{
    if (tree->count)
        return;
    const dg_tree *sample = op->kind == DG_OP_CAST
                                ? dg_tree_of(m->arena, cast_sample(m, op->cast_from))
                            : op->kind == DG_OP_TIME ? time_sample(m, &op->time_from)
                                                     : dg_tree_of(m->arena, "\"text\"");
    if (sample)
        dg_tree_assign(tree, sample);
}

/* What a template takes: "{a.b}" in its strings. */
static void make_taken(const maker *m, dg_slice json, dg_tree *tree)
{
    for (size_t i = 0; i + 1 < json.len; i++) {
        dg_slice rest = dg_slice_from(json, i + 1), steps[DEPTH_MAX];
        size_t end = dg_slice_find(rest, '}');
        if (json.ptr[i] != '{' || !rest.len || rest.ptr[0] == '"' || rest.ptr[0] == '{' ||
            end == 0 || end == rest.len)
            continue;
        dg_slice path = dg_slice_until(rest, end);
        dg_path at = {steps, 0};
        while (path.len && at.count < DEPTH_MAX) {
            steps[at.count] = dg_slice_until(path, dg_slice_find(path, '.'));
            path = dg_slice_from(path, steps[at.count++].len + 1);
        }
        dg_tree *taken =
            dg_slice_find(dg_slice_until(rest, end), '[') == end ? reach(m, tree, &at) : NULL;
        if (taken && taken->count == 0)
            put(m, taken, "\"text\"");
        i += end;
    }
}

static void make_whole(const maker *m, const dg_op *op, dg_tree *tree)
{
    dg_tree *at = NULL;
    switch (op->kind) {
    case DG_OP_MOVE:
    case DG_OP_COPY:
        at =
            reach(m, tree, &op->target); /* what later ops made of its place must not stay behind */
        if (at && at->count == 0)
            dg_tree_assign(at, odd_value(m));
        undo(m, op, tree);
        at = reach(m, tree, &op->path);
        if (at && at->count == 0)
            dg_tree_assign(at, odd_value(m));
        return;
    case DG_OP_SUM:
        undo(m, op, tree);
        at = reach(m, tree, &op->path);
        if (at && at->count == 0)
            dg_tree_assign(at, number_value(m));
        return;
    case DG_OP_TEMPLATE:
        make_taken(m, op->value, tree);
        return;
    case DG_OP_SPLIT:
        put(m, tree, roll(m, 2) ? "\"a\"" : "\"\"");
        return;
    case DG_OP_JOIN:
        put(m, tree, roll(m, 2) ? "[\"a\",\"b\"]" : "[]");
        return;
    case DG_OP_PARSE:
        put(m, tree, roll(m, 2) ? "\"{\\\"a\\\":[1.0]}\"" : "\"3\"");
        return;
    case DG_OP_FIRST:
    case DG_OP_FILTER:
    case DG_OP_SORT:
    case DG_OP_MAP:
        if (tree->count == 0)
            put(m, tree, "[]");
        return;
    default:
        undo(m, op, tree);
    }
}

static void make_op(const maker *m, const dg_op *op, dg_tree *tree, unsigned depth)
{
    dg_tree *below;
    switch (op->kind) {
    case DG_OP_IN:
        if (tree->kind != DG_TREE_OBJECT)
            return;
        if (!dg_tree_member(tree, op->name))
            dg_tree_set(m->arena, tree, op->name, fresh(m));
        below = dg_tree_member(tree, op->name);
        if (below)
            make_list(m, op->body, below, depth + 1);
        return;
    case DG_OP_EACH:
        make_elements(m, op, tree, depth);
        return;
    case DG_OP_MEMBERS:
        for (below = tree->first; below; below = below->next)
            make_list(m, op->body, below, depth + 1);
        return;
    case DG_OP_LENS:
    case DG_OP_BOTH:
        make_list(m, op->body, tree, depth + 1);
        return;
    case DG_OP_VALUES:
        make_row(m, op, tree);
        return;
    case DG_OP_CAST:
    case DG_OP_TIME:
    case DG_OP_REPLACE:
        make_scalar(m, op, tree);
        return;
    case DG_OP_SWITCH:
        if (op->case_count) {
            const dg_switch_case *one = &op->cases[roll(m, (uint32_t)op->case_count)];
            make_list(m, one->body, tree, depth + 1);
            if (one->test)
                satisfy(m, one->test, tree);
        }
        return;
    default:
        if (dg_op_class_of(op->kind) == DG_OP_IS_WHOLE) {
            make_whole(m, op, tree);
            return;
        }
        undo(m, op, tree);
        if (op->kind == DG_OP_CASE)
            make_names(m, op, tree);
        make_member(m, op, tree);
    }
}

static void make_list(const maker *m, const dg_ops *list, dg_tree *tree, unsigned depth)
{
    if (depth > DEPTH_MAX || !list)
        return;
    for (size_t i = list->count; i-- > 0 && *m->left > 0 && !m->arena->failed; --*m->left)
        make_op(m, &list->items[i], tree, depth);
    if (roll(m, 3) == 0)
        add_stranger(m, tree);
}

dg_tree *dg_document_make(dg_arena *arena, dg_runner *runner, dg_dice *dice,
                          const dg_ops *const *lists, size_t count)
{
    unsigned left = MADE_MAX;
    const maker m = {arena, runner, dice, &left};
    dg_tree *tree = fresh(&m);
    for (size_t i = count; tree && i-- > 0;)
        make_list(&m, lists[i], tree, 0);
    return tree;
}
