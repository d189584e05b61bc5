/* Trees, differences, documents made up and made smaller, and laws that bite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "rules/proof/documents.h"
#include "rules/proof/laws.h"
#include "rules/proof/steps.h"

static dg_tree *tree_of(dg_arena *arena, const char *json)
{
    dg_tree *tree = dg_tree_of(arena, json);
    assert_non_null(tree);
    return tree;
}

static void assert_prints(const dg_tree *tree, const char *json)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_tree_print(tree, &out);
    dg_buf_add_char(&out, '\0');
    assert_int_equal(out.status, DG_OK);
    assert_string_equal(out.ptr, json);
    dg_buf_free(&out);
}

static void trees_keep_what_was_written(void **state)
{
    (void)state;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_tree *tree =
        tree_of(&arena, " { \"\\u0061\" : [ 1.50 , -0e1, true,null ] , \"b\" : \"\\/\" } ");
    assert_prints(tree, "{\"\\u0061\":[1.50,-0e1,true,null],\"b\":\"\\/\"}");
    assert_int_equal(dg_tree_member(tree, DG_SLICE("a"))->count, 4);
    dg_tree *copy = dg_tree_copy(&arena, tree);
    dg_tree_remove(tree, dg_tree_member(tree, DG_SLICE("a")));
    dg_tree_set(&arena, tree, DG_SLICE("b"), tree_of(&arena, "{}"));
    dg_tree_set(&arena, tree, DG_SLICE("c\""), tree_of(&arena, "[]"));
    assert_prints(tree, "{\"b\":{},\"c\\\"\":[]}");
    assert_int_equal(copy->count, 2);
    static const char *const bad[] = {"",     " ",   "{",   "[1",  "{\"a\"}", "{\"a\":}",
                                      "[1,]", "\"a", "tru", "1 2", "{a:1}",   "]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (dg_tree_of(&arena, bad[i]))
            fail_msg("taken for JSON: %s", bad[i]);
    char deep[601];
    memset(deep, '[', 600);
    deep[600] = '\0';
    assert_int_equal(dg_tree_read(&arena, dg_slice_str(deep), &tree), DG_LIMIT);
    dg_arena_free(&arena);
}

/* The differences as lines of "path expected got". */
static void assert_differs(const char *expected, const char *got, const dg_loose *loose,
                           const char *lines)
{
    dg_arena arena;
    dg_buf out;
    dg_arena_init(&arena, 0);
    dg_buf_init(&out, 0);
    for (const dg_difference *d =
             dg_compare(&arena, tree_of(&arena, expected), tree_of(&arena, got), "", loose);
         d; d = d->next)
        dg_buf_printf(&out, "%s %.*s %.*s\n", d->path, DG_SLICE_FMT(d->expected),
                      DG_SLICE_FMT(d->got));
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, lines);
    dg_buf_free(&out);
    dg_arena_free(&arena);
}

static void differences_are_told_by_path(void **state)
{
    (void)state;
    static const dg_slice lists[] = {{"a", 1}, {"b[].c", 5}}, skipped[] = {{"x[].y", 5}};
    const dg_loose none = {.exact = false}, exact = {.exact = true};
    const dg_loose some = {
        .unordered = lists, .unordered_count = 2, .skipped = skipped, .skipped_count = 1};
    const dg_loose all = {.all_unordered = true};
    assert_differs("{\"a\":1,\"b\":\"\\u0061\"}", "{\"b\":\"a\",\"a\":1}", &none, "");
    assert_differs("{\"b\":\"\\u0061\"}", "{\"b\":\"a\"}", &exact, "b \"\\u0061\" \"a\"\n");
    assert_differs("{\"a\":1,\"c\":[1,2]}", "{\"a\":1.0,\"d\":null,\"c\":[1]}", &none,
                   "a 1 1.0\nc[1] 2 \nd  null\n");
    assert_differs("1", "\"1\"", &none, ". 1 \"1\"\n");
    assert_differs("{\"a.b\":{\"c\":1}}", "{\"a.b\":{}}", &none, "a\\.b.c 1 \n");
    assert_differs("{\"a\":[1,2,2]}", "{\"a\":[2,1,2]}", &some, "");
    assert_differs("{\"a\":[1,2,2]}", "{\"a\":[2,1,1]}", &some, "a[2] 2 \na[2]  1\n");
    assert_differs("{\"b\":[{\"c\":[1,2]}]}", "{\"b\":[{\"c\":[2,1]}]}", &some, "");
    assert_differs("{\"d\":[1,2]}", "{\"d\":[2,1]}", &some, "d[0] 1 2\nd[1] 2 1\n");
    assert_differs("{\"d\":[[1,2],3]}", "{\"d\":[3,[2,1]]}", &all, "");
    assert_differs("{\"x\":[{\"y\":1},{\"z\":1}]}", "{\"x\":[{\"y\":2},{\"z\":1,\"y\":3}]}", &some,
                   "");
}

static void only_so_many_differences_are_kept(void **state)
{
    (void)state;
    const dg_loose none = {.exact = false};
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_differences list = {.arena = &arena, .loose = &none};
    dg_tree *a = dg_tree_empty(&arena, DG_TREE_ARRAY), *b = dg_tree_empty(&arena, DG_TREE_ARRAY);
    for (int i = 0; i < 50; i++)
        dg_tree_append(a, tree_of(&arena, "1"));
    dg_compare_into(&list, a, b, "");
    size_t kept = 0;
    for (const dg_difference *d = list.first; d; d = d->next)
        kept++;
    assert_int_equal(kept, DG_DIFFERENCES_MAX);
    assert_int_equal(list.count, 50);
    dg_arena_free(&arena);
}

static bool has_a_three(void *context, const dg_tree *tree)
{
    bool found = dg_slice_eq(tree->text, DG_SLICE("3"));
    for (const dg_tree *child = tree->first; child; child = child->next)
        found |= has_a_three(context, child);
    return found;
}

static void what_fails_is_made_small(void **state)
{
    (void)state;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_tree *tree = tree_of(&arena, "{\"a\":[1,2,{\"b\":[3,4],\"c\":{}}],\"d\":\"3\"}");
    assert_true(dg_document_shrink(&arena, tree, has_a_three, NULL));
    assert_prints(tree, "{\"a\":[{\"b\":[3]}]}");
    assert_false(dg_document_shrink(&arena, tree, has_a_three, NULL));
    dg_arena_free(&arena);
}

static void make_one(dg_arena *arena, dg_runner *runner, uint64_t seed, dg_buf *out)
{
    const dg_op ops[] = {
        {.kind = DG_OP_RENAME, .name = DG_SLICE("total"), .to = DG_SLICE("amount")},
        {.kind = DG_OP_WRAP, .name = DG_SLICE("data")}};
    const dg_ops list = {ops, 2}, *lists = &list;
    dg_dice dice = {seed};
    dg_buf_clear(out);
    dg_tree *tree = dg_document_make(arena, runner, &dice, &lists, 1);
    assert_non_null(tree);
    dg_tree_print(tree, out);
    assert_int_equal(dg_buf_reserve(out, DG_JSON_PADDING), DG_OK);
}

static void documents_have_what_ops_name(void **state)
{
    (void)state;
    dg_arena arena;
    dg_runner *runner;
    dg_buf a, b;
    size_t named = 0, different = 0;
    dg_arena_init(&arena, 0);
    dg_buf_init(&a, 0);
    dg_buf_init(&b, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        make_one(&arena, runner, seed, &a);
        make_one(&arena, runner, seed, &b);
        assert_true(dg_slice_eq(dg_buf_slice(&a), dg_buf_slice(&b)));
        dg_tree *tree = NULL;
        assert_int_equal(dg_tree_read(&arena, dg_buf_slice(&a), &tree), DG_OK);
        named += dg_tree_member(tree, DG_SLICE("total")) != NULL;
        make_one(&arena, runner, seed + 1000, &b);
        different += !dg_slice_eq(dg_buf_slice(&a), dg_buf_slice(&b));
    }
    assert_int_equal(named, 50);
    assert_true(different > 25);
    dg_runner_free(runner);
    dg_buf_free(&a);
    dg_buf_free(&b);
    dg_arena_free(&arena);
}

static void steps_are_the_list(void **state)
{
    (void)state;
    const dg_op inner[] = {{.kind = DG_OP_RENAME, .name = DG_SLICE("a"), .to = DG_SLICE("b")},
                           {.kind = DG_OP_ADD, .name = DG_SLICE("c"), .value = DG_SLICE("1")}};
    const dg_ops below = {inner, 2};
    const dg_op each[] = {{.kind = DG_OP_EACH, .body = &below}};
    const dg_ops elements = {each, 1};
    const dg_op outer[] = {{.kind = DG_OP_IN, .name = DG_SLICE("items"), .body = &elements},
                           {.kind = DG_OP_WRAP, .name = DG_SLICE("data")}};
    const dg_ops list = {outer, 2};
    dg_arena arena;
    dg_runner *runner;
    dg_step *steps;
    size_t count = 0;
    dg_run_error error;
    dg_buf whole, value, next;
    dg_arena_init(&arena, 0);
    steps = dg_arena_alloc(&arena, DG_STEPS_MAX * sizeof *steps);
    assert_non_null(steps);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    assert_int_equal(dg_steps_add(&arena, &list, steps, &count), DG_OK);
    assert_int_equal(count, 3);
    assert_string_equal(steps[0].path, "items[]");
    assert_string_equal(steps[2].path, ".");
    dg_buf_init(&whole, 0);
    dg_buf_init(&value, 0);
    dg_buf_init(&next, 0);
    dg_buf_add_str(&value, "{\"items\":[{\"a\":1.0},{}]}");
    assert_int_equal(dg_buf_reserve(&value, DG_JSON_PADDING), DG_OK);
    assert_int_equal(dg_ops_run(runner, &list, dg_buf_slice(&value), &whole, &error), DG_OK);
    for (size_t i = 0; i < count; i++) {
        dg_buf_clear(&next);
        assert_int_equal(dg_ops_run(runner, &steps[i].ops, dg_buf_slice(&value), &next, &error),
                         DG_OK);
        dg_buf swap = value;
        value = next;
        next = swap;
    }
    assert_true(dg_slice_eq(dg_buf_slice(&whole), dg_buf_slice(&value)));
    dg_buf_free(&whole);
    dg_buf_free(&value);
    dg_buf_free(&next);
    dg_runner_free(runner);
    dg_arena_free(&arena);
}

static dg_status no_replay(const dg_ruleset *rules, dg_runner *runner, const char *version,
                           dg_slice json, dg_buf *out, dg_run_error *ret_error)
{
    (void)rules, (void)runner, (void)version, (void)json, (void)out;
    ret_error->message = "not here";
    return DG_INVALID;
}

/* What the laws say of a pack in the tree. */
static dg_laws_result laws_of(const char *name, bool own, dg_arena *arena)
{
    static const dg_replayer replayer = {no_replay, no_replay};
    const dg_laws_options options = {.seed = 1, .rounds = 100, .own = own};
    const dg_example *examples = NULL;
    dg_laws_result result;
    dg_proof *proof;
    dg_diags diags;
    size_t count = 0;
    const char *dir = dg_arena_printf(arena, "%s/%s", DG_TEST_DATA, name);
    dg_diags_init(&diags);
    assert_int_equal(dg_proof_open(dir, &replayer, &diags, &proof), DG_OK);
    assert_int_equal(dg_examples_load(arena, dir, dg_proof_api(proof), &diags, &examples, &count),
                     DG_OK);
    assert_int_equal(dg_laws_check(proof, arena, &options, examples, count, &result), DG_OK);
    dg_proof_close(proof);
    dg_diags_free(&diags);
    return result;
}

static void laws_hold_and_bite(void **state)
{
    (void)state;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_laws_result chain = laws_of("data/packs/chain", false, &arena);
    assert_int_equal(chain.breaches, 0);
    assert_true(chain.documents > 300);
    dg_laws_result good = laws_of("data/packs/people", false, &arena),
                   bad = laws_of("data/packs/people", true, &arena);
    assert_int_equal(good.breaches, 0);
    assert_true(good.documents > 100);
    assert_int_equal(bad.breaches, 2);
    assert_string_equal(bad.first->law, "v1 to v2 and back, twice");
    assert_string_equal(bad.first->endpoint, "POST /people");
    assert_string_equal(bad.first->message, "request");
    assert_non_null(bad.first->differences);
    dg_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees_keep_what_was_written),
                                       cmocka_unit_test(differences_are_told_by_path),
                                       cmocka_unit_test(only_so_many_differences_are_kept),
                                       cmocka_unit_test(what_fails_is_made_small),
                                       cmocka_unit_test(documents_have_what_ops_name),
                                       cmocka_unit_test(steps_are_the_list),
                                       cmocka_unit_test(laws_hold_and_bite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
