/* Values that an op needs whole, in the midst of what runs in the pass; scalars, members, and lists
 * both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

static const dg_slice a_b[] = {S("a"), S("b")}, x[] = {S("x")};

#define OPS(...)                                                                                   \
    static const dg_op items[] = {__VA_ARGS__};                                                    \
    static const dg_ops list = LIST(items);                                                        \
    (void)state
/* a.b comes to x. */
#define MOVE_AB                                                                                    \
    {                                                                                              \
        .kind = DG_OP_MOVE, .path = {a_b, 2}, .target = {x, 1}, .origin = { "pack.yaml", 9, 5 }    \
    }
/* Only a and b stay. */
#define KEEP_AB                                                                                    \
    {                                                                                              \
        .kind = DG_OP_KEEP, .names = a_b, .name_count = 2                                          \
    }
#define MEMBERS(list_)                                                                             \
    {                                                                                              \
        .kind = DG_OP_MEMBERS, .body = (list_)                                                     \
    }
#define SWITCH(cases_)                                                                             \
    {                                                                                              \
        .kind = DG_OP_SWITCH, .cases = (cases_), .case_count = sizeof(cases_) / sizeof *(cases_)   \
    }

static void what_is_around_a_stage_stays_in_the_pass(void **state)
{
    OPS(RENAME("q", "a"), MOVE_AB, ADD("v", "1"));
    gives(&list, "{ \"q\" : {\"b\": [1 , 2]},\n \"z\":1.50}",
          "{ \"z\":1.50,\"x\":[1 , 2],\"v\":1}");
    gives(&list, "{\"z\":1}", "{\"z\":1,\"v\":1}");
    gives(&list, "7", "7");
    gives(&list, " null\n", " null\n");
    refuses(&list, "[]", DG_INVALID, 0, "");
    refuses(&list, " {\"a\":{}, \"v\":2}", DG_INVALID, 1, "");
}

static void elements_are_staged_one_by_one(void **state)
{
    static const dg_op moves[] = {MOVE_AB};
    static const dg_ops move = LIST(moves);
    OPS(UNWRAP("data"), EACH(&move), WRAP("orders"));
    gives(&list, "{\"data\":[ {\"a\":{\"b\":1}} , {\"a\":{\"b\":2},\"c\":3} ]}",
          "{\"orders\":[ {\"x\":1} , {\"c\":3,\"x\":2} ]}");
    refuses(&list, "{\"data\":[{},{\"a\":{\"b\":2},\"x\":3}]}", DG_INVALID, 12, "/data/1");
    refuses(&list, "{\"data\":[{},{\"a\":[1,}]}", DG_SYNTAX, 20, "/data/1/a");
}

/* A refusal within what a stage made is one of the value that is staged. */
static void refusals_name_the_value_and_the_op(void **state)
{
    static const dg_value_pair pairs[] = {{S("1"), S("2")}};
    static const dg_op values[] = {VALUES(pairs, DG_UNKNOWN_REJECT)};
    static const dg_ops look_up = LIST(values);
    static const dg_op inner[] = {MOVE_AB, IN("x", &look_up)};
    static const dg_ops within = LIST(inner);
    OPS(IN("k", &within), KEEP_AB);
    gives(&list, "{\"k\":{\"a\":{\"b\":1}},\"a\":0}", "{\"a\":0}");
    refuses(&list, "{ \"k\": {\"a\":{\"b\":7}}}", DG_INVALID, 7, "/k");
    dg_program *program = compile(&list);
    dg_run_error error;
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(run_program(program, DG_SLICE("{\"k\":{\"a\":{\"b\":7}}}"), &out, &error),
                     DG_INVALID);
    assert_int_equal(error.origin.line, 7);
    assert_int_equal(
        run_program(program, DG_SLICE("{\"k\":{\"a\":{\"b\":1},\"x\":2}}"), &out, &error),
        DG_INVALID);
    assert_int_equal(error.origin.line, 9);
    dg_buf_free(&out);
    dg_program_free(program);
}

static void a_switch_is_followed_by_the_rest(void **state)
{
    static const dg_test is_object = {.kind = DG_TEST_KIND, .value = S("object")},
                         has_x = {.kind = DG_TEST_EXISTS, .path = {x, 1}};
    static const dg_op renames[] = {RENAME("x", "y")}, adds[] = {ADD("none", "true")};
    static const dg_ops rename = LIST(renames), add = LIST(adds);
    static const dg_switch_case cases[] = {{&has_x, NULL, &rename}, {&is_object, NULL, &add}};
    OPS(MOVE_AB, SWITCH(cases), WRAP("w"), SNAKE);
    gives(&list, "{\"a\":{\"b\":1},\"cD\":2}", "{\"w\":{\"c_d\":2,\"y\":1}}");
    gives(&list, "{\"cD\":2}", "{\"w\":{\"c_d\":2,\"none\":true}}");
}

/* What was wrapped around a value is moved with it. */
static void a_made_object_is_staged_too(void **state)
{
    OPS(WRAP("b"), WRAP("a"), ADD("n", "1"), MOVE_AB);
    gives(&list, "[1, 2]", "{\"n\":1,\"x\":[1, 2]}");
}

static void stages_come_and_go_with_voids(void **state)
{
    static const dg_op inner[] = {MOVE_AB, DROP_EMPTY("x")};
    static const dg_ops within = LIST(inner);
    OPS(IN("o", &within), DROP_EMPTY("o"), DEFAULT("z", "0"));
    gives(&list, "{\"o\":{\"a\":{\"b\":{}}}}", "{\"z\":0}");
    gives(&list, "{\"k\":1,\"o\":{\"a\":{\"b\":{}}},\"l\":1}", "{\"k\":1,\"l\":1,\"z\":0}");
    gives(&list, "{\"o\":{\"a\":{\"b\":1}}}", "{\"o\":{\"x\":1},\"z\":0}");
}

static void constants_are_staged_once(void **state)
{
    static const dg_op inner[] = {MOVE_AB};
    static const dg_ops within = LIST(inner);
    OPS(DEFAULT("o", "{\"a\":{\"b\":[1]}}"), IN("o", &within));
    gives(&list, "{}", "{\"o\":{\"x\":[1]}}");
    gives(&list, "{\"o\":{\"a\":{\"b\":2}}}", "{\"o\":{\"x\":2}}");
}

static void collisions_by_policy(void **state)
{
    OPS({.kind = DG_OP_RENAME, .name = S("old"), .to = S("new"), .collision = DG_COLLISION_NEWER});
    static const dg_op others[] = {
        {.kind = DG_OP_RENAME, .name = S("old"), .to = S("new"), .collision = DG_COLLISION_OLDER}};
    static const dg_ops older = LIST(others);
    gives(&list, "{\"old\":1,\"k\":0,\"new\":2}", "{\"k\":0,\"new\":2}");
    gives(&older, "{\"old\":1,\"k\":0,\"new\":2}", "{\"new\":1,\"k\":0}");
    gives(&list, "{\"\\u006fld\":1}", "{\"new\":1}");
}

static void null_may_be_dropped(void **state)
{
    static const dg_value_pair pairs[] = {{S("\"none\""), S("null")}};
    static const dg_op values[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
    static const dg_ops look_up = LIST(values);
    OPS(IN("n", &look_up), {.kind = DG_OP_DROP, .name = S("n"), .when_null = true},
        DEFAULT("e", "1"));
    gives(&list, "{\"n\":null}", "{\"e\":1}");
    gives(&list, "{\"a\":1,\"n\": \"none\",\"b\":2}", "{\"a\":1,\"b\":2,\"e\":1}");
    gives(&list, "{\"n\":{}}", "{\"n\":{},\"e\":1}");
    gives(&list, "{\"\\u006e\":null,\"m\":null}", "{\"m\":null,\"e\":1}");
    refuses(&list, "[null]", DG_INVALID, 0, "");
}

static void members_are_all_there_are(void **state)
{
    static const dg_op inner[] = {RENAME("id", "key"), DEFAULT("on", "true")};
    static const dg_ops within = LIST(inner);
    OPS(MEMBERS(&within), ADD("last", "{}"));
    gives(&list, "{\"p\":{\"id\":1},\"\\u0071\":{\"on\":0},\"s\":\"\"}",
          "{\"p\":{\"key\":1,\"on\":true},\"\\u0071\":{\"on\":0},\"s\":\"\",\"last\":{}}");
    static const dg_op each_too[] = {MEMBERS(&within)};
    static const dg_ops arrays = LIST(each_too);
    gives(&arrays, "[{\"id\":1},2]", "[{\"key\":1,\"on\":true},2]");
    gives(&arrays, "3", "3");
    refuses(&arrays, "{\"p\":[]}", DG_INVALID, 5, "/p");
}

static void everywhere_is_a_lens_in_itself(void **state)
{
    static dg_ops everywhere;
    static const dg_value_pair pairs[] = {{S("1"), S("\"one\"")}};
    static const dg_op values[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
    static const dg_ops look_up = LIST(values);
    static const dg_op inner[] = {LENS(&everywhere)};
    static const dg_ops again = LIST(inner);
    static const dg_value_pair none[] = {{S("0"), S("0")}};
    static const dg_op items[] = {IN("id", &look_up), MEMBERS(&again)};
    static const dg_op roots[] = {MEMBERS(&again), VALUES(none, DG_UNKNOWN_PASS)};
    static const dg_ops root = LIST(roots);
    (void)state;
    everywhere = (dg_ops)LIST(items);
    gives(&everywhere, "{\"id\":1,\"a\":{\"id\":1,\"b\":{\"id\":2,\"c\":{\"id\":1}}}}",
          "{\"id\":\"one\",\"a\":{\"id\":\"one\",\"b\":{\"id\":2,\"c\":{\"id\":\"one\"}}}}");
    gives(&root, "[{\"id\":1}]", "[{\"id\":\"one\"}]");
}

static void both_is_its_body(void **state)
{
    static const dg_op body[] = {RENAME("a", "b"), WRAP("w")}, others[] = {DROP("z")};
    static const dg_ops up = LIST(body), down = LIST(others);
    OPS({.kind = DG_OP_BOTH, .body = &up, .other = &down}, ADD("v", "1"));
    gives(&list, "{\"a\":1}", "{\"w\":{\"b\":1},\"v\":1}");
}

static void scalars_are_cast_in_the_pass(void **state)
{
    static const dg_op casts[] = {{.kind = DG_OP_CAST,
                                   .cast_from = DG_CAST_NUMBER,
                                   .cast_to = DG_CAST_STRING,
                                   .origin = {"pack.yaml", 7, 3}}};
    static const dg_ops cast = LIST(casts);
    static const dg_value_pair pairs[] = {{S("\"1.50\""), S("null")}};
    static const dg_op values[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
    static const dg_ops look_up = LIST(values);
    OPS(IN("id", &cast), IN("id", &look_up), DEFAULT("e", "1"));
    gives(&list, "{\"id\": 12345678901234567890}", "{\"id\": \"12345678901234567890\",\"e\":1}");
    gives(&list, "{\"\\u0069d\":1.50}", "{\"\\u0069d\":null,\"e\":1}");
    refuses(&list, "{\"id\":{}}", DG_INVALID, 6, "/id");
    refuses(&list, "{\"id\":[1]}", DG_INVALID, 6, "/id");
    refuses(&list, "{\"id\":true}", DG_INVALID, 6, "/id");
}

/* Stage in stage in stage: bounded, and told apart from a broken text. */
static void nesting_is_bounded(void **state)
{
    static dg_ops deep;
    static const dg_op items[] = {KEEP_AB, IN("a", &deep)};
    (void)state;
    deep = (dg_ops)LIST(items);
    gives(&deep, "{\"a\":{\"z\":1,\"a\":{\"z\":1,\"b\":2}}}", "{\"a\":{\"a\":{\"b\":2}}}");
    dg_buf in, out;
    dg_run_error error;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    for (int i = 0; i < DG_JSON_DEPTH_MAX; i++)
        dg_buf_add_str(&in, "{\"a\":");
    dg_buf_add_str(&in, "1");
    for (int i = 0; i < DG_JSON_DEPTH_MAX; i++)
        dg_buf_add_str(&in, "}");
    dg_program *program = compile(&deep);
    assert_int_equal(run_program(program, dg_buf_slice(&in), &out, &error), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&in), dg_buf_slice(&out)));
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_program_free(program);
}

/* The outcome may be short though what is between the stages is long, and the other way round. */
static void output_is_bounded(void **state)
{
    OPS(DEFAULT("x", "\"a text of some length, thirty or so\""), KEEP_AB);
    dg_program *program = compile(&list);
    dg_runner *runner;
    dg_buf out;
    char in[64 + DG_JSON_PADDING] = "{\"a\":1,\"c\":2}";
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (size_t max = 1; max < 20; max++) {
        dg_run_error error;
        dg_buf_init(&out, max);
        dg_status status = dg_run(runner, program, dg_slice_of(in, strlen(in)), &out, &error);
        assert_int_equal(status, max < 7 ? DG_LIMIT : DG_OK);
        assert_int_equal(out.len, max < 7 ? 0 : 7);
        dg_buf_free(&out);
    }
    dg_runner_free(runner);
    dg_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_around_a_stage_stays_in_the_pass),
        cmocka_unit_test(elements_are_staged_one_by_one),
        cmocka_unit_test(refusals_name_the_value_and_the_op),
        cmocka_unit_test(a_switch_is_followed_by_the_rest),
        cmocka_unit_test(a_made_object_is_staged_too),
        cmocka_unit_test(stages_come_and_go_with_voids),
        cmocka_unit_test(constants_are_staged_once),
        cmocka_unit_test(collisions_by_policy),
        cmocka_unit_test(null_may_be_dropped),
        cmocka_unit_test(members_are_all_there_are),
        cmocka_unit_test(everywhere_is_a_lens_in_itself),
        cmocka_unit_test(both_is_its_body),
        cmocka_unit_test(scalars_are_cast_in_the_pass),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(output_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
