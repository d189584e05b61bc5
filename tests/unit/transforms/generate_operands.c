/* Operands of the ops on scalars and on whole values. */
#include "generate.h"

#include "transforms/pattern.h"

#define PICK(g, list) list[generate_number(g, sizeof list / sizeof *list)]

static dg_slice pick_name(generator *g)
{
    static const char *const names[] = {"a", "b", "c", "d", "fooBar", "foo_bar", "z"};
    return dg_slice_str(PICK(g, names));
}

static dg_path path(generator *g, size_t least, bool each)
{
    size_t count = least + generate_number(g, 3);
    dg_slice *steps = dg_arena_zalloc(g->arena, (count + 1) * sizeof *steps);
    for (size_t i = 0; i < count; i++)
        if (!each || generate_number(g, 3))
            steps[i] = pick_name(g);
    return (dg_path){steps, count};
}

static const dg_pattern *pattern(generator *g)
{
    static const char *const texts[] = {"x", "^(.)(.*)$", "[a-z]+", "\\\\"};
    const dg_pattern *made = NULL;
    dg_diags diags;
    dg_diags_init(&diags);
    if (dg_pattern_new(g->arena, dg_slice_str(PICK(g, texts)), (dg_origin){0}, &diags, &made) !=
        DG_OK)
        made = NULL;
    dg_diags_free(&diags);
    return made;
}

static void fill_test(generator *g, dg_test *test, unsigned depth)
{
    static const char *const values[] = {"1", "\"x\"", "null", "{\"a\":1}", "[]", "true"};
    static const char *const kinds[] = {"object", "array", "string", "number", "boolean", "null"};
    do
        test->kind = (dg_test_kind)generate_number(g, DG_TEST_NOT + 1);
    while (depth == 0 && test->kind >= DG_TEST_ALL);
    test->path = path(g, 0, true);
    test->value = dg_slice_str(PICK(g, values));
    if (test->kind == DG_TEST_LESS)
        test->value = DG_SLICE("2");
    if (test->kind == DG_TEST_KIND)
        test->value = dg_slice_str(PICK(g, kinds));
    if (test->kind == DG_TEST_MATCHES)
        test->pattern = pattern(g);
    if (test->kind < DG_TEST_ALL)
        return;
    test->part_count = test->kind == DG_TEST_NOT ? 1 : generate_number(g, 3);
    dg_test *parts = dg_arena_zalloc(g->arena, 3 * sizeof *parts);
    for (size_t i = 0; i < test->part_count; i++)
        fill_test(g, &parts[i], depth - 1);
    test->parts = parts;
}

static const dg_test *new_test(generator *g)
{
    dg_test *test = dg_arena_zalloc(g->arena, sizeof *test);
    fill_test(g, test, 2);
    return test;
}

static void fill_switch(generator *g, dg_op *op, unsigned depth)
{
    op->case_count = 1 + generate_number(g, 2);
    dg_switch_case *cases = dg_arena_zalloc(g->arena, op->case_count * sizeof *cases);
    for (size_t i = 0; i < op->case_count; i++)
        cases[i] = (dg_switch_case){new_test(g), NULL, generate_list(g, depth ? depth - 1 : 0)};
    op->cases = cases;
}

static void fill_keep(generator *g, dg_op *op)
{
    op->name_count = 2 + generate_number(g, 3);
    dg_slice *names = dg_arena_zalloc(g->arena, op->name_count * sizeof *names);
    for (size_t i = 0; i < op->name_count; i++)
        names[i] = pick_name(g);
    op->names = names;
}

static void fill_cast(generator *g, dg_op *op)
{
    static const dg_cast pairs[][2] = {
        {DG_CAST_NUMBER, DG_CAST_STRING},  {DG_CAST_STRING, DG_CAST_NUMBER},
        {DG_CAST_BOOLEAN, DG_CAST_STRING}, {DG_CAST_BOOLEAN, DG_CAST_NUMBER},
        {DG_CAST_DECIMAL, DG_CAST_HEX},    {DG_CAST_STRING, DG_CAST_BASE64}};
    const dg_cast *pair = PICK(g, pairs);
    op->cast_from = pair[0];
    op->cast_to = pair[1];
}

static void fill_time(generator *g, dg_op *op)
{
    static const dg_time_format formats[] = {{DG_TIME_UNIX, {NULL, 0}},
                                             {DG_TIME_UNIX_MS, {NULL, 0}},
                                             {DG_TIME_RFC3339, {NULL, 0}},
                                             {DG_TIME_PATTERN, {"%d/%m/%Y %H:%M:%S", 17}}};
    op->time_from = PICK(g, formats);
    op->time_to = PICK(g, formats);
}

void generate_operands(generator *g, dg_op *op, unsigned depth)
{
    static const char *const templates[] = {"{\"a\":\"{a}\",\"d\":[1,\"{b.c}\"]}", "\"{}\"",
                                            "{\"c\":\"{c[].a}\",\"b\":\"<{a}>\"}", "null"};
    static const char *const separators[] = {",", " ", "x"};
    static const dg_unknown unknowns[] = {DG_UNKNOWN_PASS, DG_UNKNOWN_PASS, DG_UNKNOWN_REJECT,
                                          DG_UNKNOWN_DEFAULT};
    bool one = op->kind == DG_OP_MOVE || op->kind == DG_OP_COPY;
    op->name = pick_name(g);
    op->to = pick_name(g);
    op->path = path(g, one, !one);
    op->target = path(g, 1, false);
    op->unknown = PICK(g, unknowns);
    op->collision = g->gentle ? DG_COLLISION_OLDER : (dg_collision)generate_number(g, 3);
    op->descending = generate_number(g, 2);
    op->quoted = generate_number(g, 2);
    op->lossy = generate_number(g, 2);
    op->value = op->kind == DG_OP_TEMPLATE ? dg_slice_str(PICK(g, templates))
                : op->kind == DG_OP_SPLIT || op->kind == DG_OP_JOIN
                    ? dg_slice_str(PICK(g, separators))
                    : DG_SLICE("\"x\"");
    op->with = DG_SLICE("$2-$1$$");
    if (op->kind == DG_OP_SWITCH)
        fill_switch(g, op, depth);
    else if (op->kind == DG_OP_KEEP)
        fill_keep(g, op);
    else if (op->kind == DG_OP_FILTER)
        op->test = new_test(g);
    else if (op->kind == DG_OP_REPLACE)
        op->pattern = pattern(g);
    else if (op->kind == DG_OP_CAST)
        fill_cast(g, op);
    else if (op->kind == DG_OP_TIME)
        fill_time(g, op);
    if ((op->kind == DG_OP_MAP || op->kind == DG_OP_ITEMS) && generate_number(g, 2))
        op->to = (dg_slice){NULL, 0};
}
