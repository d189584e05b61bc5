/* Each WHOLE op by examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transforms/pattern.h"
#include "transforms/program.h"
#include "try_whole.h"

static void what_moves_takes_its_empty_objects_with_it(void **state)
{
    (void)state;
    const dg_op *out = OP(MOVE, .path = PATH(S("a"), S("b")), .target = PATH(S("c")));
    const dg_op *in = OP(MOVE, .path = PATH(S("c")), .target = PATH(S("a"), S("b")));
    const dg_op *newer =
        OP(MOVE, .path = PATH(S("a")), .target = PATH(S("b")), .collision = DG_COLLISION_NEWER);
    const dg_op *older =
        OP(MOVE, .path = PATH(S("a")), .target = PATH(S("b")), .collision = DG_COLLISION_OLDER);
    const dg_op *down = OP(MOVE, .path = PATH(S("a")), .target = PATH(S("a"), S("x"), S("y")));
    const whole_row rows[] = {
        {out, "{\"a\":{\"b\":[ 1.0 ]},\"d\" : 1}", "{\"d\" : 1,\"c\":[ 1.0 ]}"},
        {out, "{ \"a\": {\"b\": 1, \"x\": 2} }", "{ \"a\": {\"x\": 2},\"c\":1 }"},
        {out, "{\"a\":{\"x\":1,\"b\":2,\"y\":3}}", "{\"a\":{\"x\":1,\"y\":3},\"c\":2}"},
        {out, "{\"a\":{}}", "{\"a\":{}}"},
        {out, "{\"a\":null, \"c\":1}", "{\"a\":null, \"c\":1}"},
        {out, "{\"a\":{\"\\u0062\":\"\\u0062\"}}", "{\"c\":\"\\u0062\"}"},
        {out, "{\"a\":{\"b\":1},\"c\":2}", NULL},
        {out, "{\"a\":{\"b\":1,\"\\u0062\":2}}", NULL},
        {out, "{\"a\":[{\"b\":1}]}", NULL},
        {out, "[1]", NULL},
        {out, "null", "null"},
        {out, "7", "7"},
        {in, "{\"c\":1}", "{\"a\":{\"b\":1}}"},
        {in, "{\"c\":1, \"a\": { } }", "{\"a\": {\"b\":1 } }"},
        {in, "{\"c\":1,\"a\":{\"x\":{}}}", "{\"a\":{\"x\":{},\"b\":1}}"},
        {in, "{\"c\":1,\"a\":{\"b\":{}}}", NULL},
        {in, "{\"c\":1,\"a\":2}", NULL},
        {in, "{\"c\":1,\"a\":[]}", NULL},
        {newer, "{\"a\":1,\"b\":2}", "{\"b\":2}"},
        {older, "{\"b\":2,\"x\":3,\"a\":1}", "{\"x\":3,\"b\":1}"},
        {newer, "{\"a\":1}", "{\"b\":1}"},
        {down, "{\"a\":{\"x\":1},\"b\":2}", "{\"b\":2,\"a\":{\"x\":{\"y\":{\"x\":1}}}}"},
        {OP(MOVE, .path = PATH(S("a")), .target = {NULL, 0}), "{\"a\":1}", NULL},
        {OP(MOVE, .path = {NULL, 0}, .target = PATH(S("a"))), "{\"a\":1}", NULL},
    };
    whole_rows(ALL_OF(rows));
}

static void what_is_refused_is_told_why(void **state)
{
    (void)state;
    const dg_op *refuse = OP(REFUSE, .with = DG_SLICE("because"));
    const whole_row rows[] = {{refuse, "{}", NULL}, {refuse, "null", NULL}};
    whole_rows(ALL_OF(rows));
}

static void what_is_copied_comes_once_more(void **state)
{
    (void)state;
    const dg_op *copy = OP(COPY, .path = PATH(S("a"), S("b")), .target = PATH(S("c"), S("d")));
    const dg_op *older =
        OP(COPY, .path = PATH(S("a")), .target = PATH(S("b")), .collision = DG_COLLISION_OLDER);
    const dg_op *newer =
        OP(COPY, .path = PATH(S("a")), .target = PATH(S("b")), .collision = DG_COLLISION_NEWER);
    const dg_op *each = OP(COPY, .path = PATH(S("a")), .target = PATH(S("l"), EACH, S("c")));
    const whole_row rows[] = {
        {copy, "{\"a\": {\"b\": [ {} ]}}", "{\"a\": {\"b\": [ {} ]},\"c\":{\"d\":[ {} ]}}"},
        {copy, "{\"a\":1}", "{\"a\":1}"},
        {copy, "{\"a\":{\"b\":1},\"c\":{\"d\":2}}", NULL},
        {older, "{\"b\":2,\"a\":1}", "{\"a\":1,\"b\":1}"},
        {newer, "{\"b\":2,\"a\":1}", "{\"b\":2,\"a\":1}"},
        {OP(COPY, .path = {NULL, 0}, .target = PATH(S("b"))), "{ \"a\":1}",
         "{ \"a\":1,\"b\":{ \"a\":1}}"},
        {OP(COPY, .path = PATH(S("b")), .target = {NULL, 0}), "{\"b\":1}", NULL},
        {each, "{\"a\": 5,\"l\":[{\"b\":1},{}]}", "{\"a\": 5,\"l\":[{\"b\":1,\"c\":5},{\"c\":5}]}"},
        {each, "{\"a\":5,\"l\":[]}", "{\"a\":5,\"l\":[]}"},
        {each, "{\"a\":5}", "{\"a\":5}"},
        {each, "{\"l\":[{}]}", "{\"l\":[{}]}"},
        {each, "{\"a\":5,\"l\":[{},{\"c\":6}]}", NULL},
        {each, "{\"a\":5,\"l\":[7]}", NULL},
        {each, "{\"a\":5,\"l\":{}}", NULL},
        /* what is copied is what was there before */
        {OP(COPY, .path = PATH(S("l")), .target = PATH(S("l"), EACH, S("l"))), "{\"l\":[{},{}]}",
         "{\"l\":[{\"l\":[{},{}]},{\"l\":[{},{}]}]}"},
        {OP(COPY, .path = PATH(S("a")), .target = PATH(S("l"), EACH)), "{\"a\":5,\"l\":[7]}", NULL},
    };
    whole_rows(ALL_OF(rows));
}

/* The copy is not the original: what is done to one is not done to the other. */
static void a_copy_is_its_own(void **state)
{
    (void)state;
    const dg_op *ops[] = {OP(COPY, .path = PATH(S("a")), .target = PATH(S("b"))),
                          OP(MOVE, .path = PATH(S("b"), S("x")), .target = PATH(S("b"), S("y"))),
                          OP(COPY, .path = PATH(S("b")), .target = PATH(S("c"))),
                          OP(MOVE, .path = PATH(S("a"), S("x")), .target = PATH(S("x")))};
    whole_gives(
        ALL_OF(ops), "{\"a\":{\"x\":[1, 2],\"z\":0}}",
        "{\"a\":{\"z\":0},\"b\":{\"z\":0,\"y\":[1, 2]},\"c\":{\"z\":0,\"y\":[1, 2]},\"x\":[1, 2]}");
}

static void only_what_is_named_is_kept(void **state)
{
    (void)state;
    const dg_op *few = OP(KEEP, NAMES(S("a"), S("c"), S("")));
    const dg_op *many =
        OP(KEEP, NAMES(S("1"), S("2"), S("3"), S("4"), S("5"), S("6"), S("7"), S("a\n"), S("a\n")));
    const whole_row rows[] = {
        {few, "{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "{ \"a\" : 1 , \"c\" : 3 }"},
        {few, "{ \"b\" : 2,\n  \"\\u0061\" : 1,\n  \"\": {}}", "{ \"\\u0061\" : 1,\n  \"\": {}}"},
        {few, "{ \"b\":1 }", "{ }"},
        {few, "{ }", "{ }"},
        {few, "{\"b\":1,\"b\":2}", NULL},
        {few, "[]", NULL},
        {few, "\"a\"", "\"a\""},
        {many, "{\"0\":0,\"7\":7,\"a\\n\":1,\"a\":2}", "{\"7\":7,\"a\\n\":1}"},
    };
    whole_rows(ALL_OF(rows));
}

static void names_with_a_policy(void **state)
{
    (void)state;
    const dg_op *newer = OP(RENAME, .name = S("a"), .to = S("b"), .collision = DG_COLLISION_NEWER);
    const dg_op *older = OP(RENAME, .name = S("a"), .to = S("b"), .collision = DG_COLLISION_OLDER);
    const dg_op *reject = OP(RENAME, .name = S("a"), .to = S("b"));
    const dg_op *snake_newer =
        OP(CASE, .case_to = DG_SNAKE, .collision = DG_COLLISION_NEWER, NAMES(S("metaData")));
    const dg_op *snake_older =
        OP(CASE, .case_to = DG_SNAKE, .collision = DG_COLLISION_OLDER, NAMES(S("metaData")));
    const dg_op *camel = OP(CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL);
    const whole_row rows[] = {
        {newer, "{\"a\" : 1, \"b\" : 2}", "{\"b\" : 2}"},
        {older, "{\"a\" : 1, \"b\" : 2}", "{\"b\" : 1}"},
        {older, "{\"b\" : 2, \"a\" : 1}", "{\"b\" : 1}"},
        {older, "{\"x\":0 , \"a\" : 1}", "{\"x\":0 , \"b\" : 1}"},
        {reject, "{\"a\":1,\"b\":2}", NULL},
        {reject, "{\"\\u0061\":1}", "{\"b\":1}"},
        {newer, "{\"a\":1,\"a\":2}", NULL},
        {newer, "[]", NULL},
        {snake_newer, "{\"aB\":1, \"a_b\":{\"cD\": []}}", "{\"a_b\":{\"c_d\": []}}"},
        {snake_older, "{\"aB\":1, \"a_b\":{\"cD\": []}}", "{\"a_b\":1}"},
        {snake_older, "[{\"a_b\":1 , \"aB\" :{\"cD\": []}}]", "[{\"a_b\" :{\"c_d\": []}}]"},
        {snake_newer, "{\"metaData\":{\"aB\":1},\"bC\":{\"aB\":1}}",
         "{\"metaData\":{\"aB\":1},\"b_c\":{\"a_b\":1}}"},
        {snake_newer, "{\"aBC\":1,\"aB_c\":2}", NULL},
        {snake_newer, "{\"aBC\":1,\"a_b_c\":0,\"aB_c\":2}", NULL},
        {snake_newer, "{\"a_b\":1,\"a_b\":2}", NULL},
        {camel, "{\"a_b\":1,\"aB\":2}", NULL},
        {camel, "[1,[{\"a_b\" : \"a_b\"}]]", "[1,[{\"aB\" : \"a_b\"}]]"},
        {camel, "\"a_b\"", "\"a_b\""},
    };
    whole_rows(ALL_OF(rows));
}

static void lists_become_maps_and_back(void **state)
{
    (void)state;
    const dg_op *map = OP(MAP, .name = S("id")), *pairs = OP(MAP, .name = S("k"), .to = S("v"));
    const dg_op *lossy = OP(MAP, .name = S("k"), .to = S("v"), .lossy = true);
    const dg_op *items = OP(ITEMS, .name = S("id")),
                *unpair = OP(ITEMS, .name = S("k"), .to = S("v"));
    const whole_row rows[] = {
        {map, "[{\"id\":\"a\",\"x\": 1},{\"x\":2, \"id\":\"\\u0062\" }]",
         "{\"a\":{\"x\": 1},\"\\u0062\":{\"x\":2 }}"},
        {map, "[]", "{}"},
        {map, "null", "null"},
        {map, "{}", NULL},
        {map, "\"a\"", NULL},
        {map, "[1]", NULL},
        {map, "[{\"id\":1}]", NULL},
        {map, "[{\"x\":1}]", NULL},
        {map, "[{\"id\":\"b\"},{\"id\":\"\\u0062\"}]", NULL},
        {pairs, "[{\"k\":\"a\",\"v\":1.0},{\"v\":[ ],\"k\":\"b\"}]", "{\"a\":1.0,\"b\":[ ]}"},
        {pairs, "[{\"k\":\"a\"}]", NULL},
        {pairs, "[{\"k\":\"a\",\"v\":1,\"w\":2}]", NULL},
        {lossy, "[{\"k\":\"a\",\"w\":2,\"v\":1,\"x\":3}]", "{\"a\":1}"},
        {items, "{\"a\":{\"x\": 1},\"b\":{ }}", "[{\"id\":\"a\",\"x\": 1},{\"id\":\"b\" }]"},
        {items, "{}", "[]"},
        {items, "{\"a\":1}", NULL},
        {items, "{\"a\":{\"id\":1}}", NULL},
        {items, "{\"a\":{},\"a\":{}}", NULL},
        {items, "[]", NULL},
        {items, "null", "null"},
        {unpair, "{\"a\" : 1.0, \"b\":[ ]}", "[{\"k\":\"a\",\"v\":1.0},{\"k\":\"b\",\"v\":[ ]}]"},
    };
    whole_rows(ALL_OF(rows));
    const dg_op *there_and_back[] = {map, items};
    whole_gives(ALL_OF(there_and_back), "[{\"id\":\"a\",\"x\":[1, 2]},{\"id\":\"\\u0000\"}]",
                "[{\"id\":\"a\",\"x\":[1, 2]},{\"id\":\"\\u0000\"}]");
}

static void lists_are_filtered_and_cut(void **state)
{
    (void)state;
    const dg_test active = {.kind = DG_TEST_IS, .path = PATH(S("on")), .value = S("true")};
    const dg_op *filter = OP(FILTER, .test = &active);
    const whole_row rows[] = {
        {filter, "[ {\"on\":true} , {\"on\":false} , {\"on\":true} , 1 ]",
         "[ {\"on\":true} , {\"on\":true} ]"},
        {filter, "[ 1, {\"on\":true} ]", "[ {\"on\":true} ]"},
        {filter, "[[], {}]", "[]"},
        {filter, "null", "null"},
        {filter, "{}", NULL},
        {filter, "[{\"on\":1,\"on\":2}]", NULL},
        {OP(FIRST, .lossy = true), "[ {\"a\": 1}, 2]", "{\"a\": 1}"},
        {OP(FIRST, .lossy = true), "[]", "null"},
        {OP(FIRST, .lossy = true), "null", "null"},
        {OP(FIRST, .lossy = true), "{}", NULL},
        {OP(LIST, .lossy = true), "{ \"a\": 1}", "[{ \"a\": 1}]"},
        {OP(LIST, .lossy = true), "null", "[]"},
    };
    whole_rows(ALL_OF(rows));
}

static void lists_are_ordered(void **state)
{
    (void)state;
    const dg_op *up = OP(SORT, .path = {NULL, 0}),
                *down = OP(SORT, .path = {NULL, 0}, .descending = true);
    const dg_op *by = OP(SORT, .path = PATH(S("a"), S("b")));
    const whole_row rows[] = {
        {up, "[ 3 , 1 , 2 ]", "[ 1 , 2 , 3 ]"},
        {up, "[10,9,1e1,-1,0.5,-1.5,0,-0]", "[-1.5,-1,0,-0,0.5,9,10,1e1]"},
        {down, "[10,9,1e1,-1,0]", "[10,1e1,9,0,-1]"},
        {up, "[9007199254740993,9007199254740992,1e400,2e399]",
         "[9007199254740992,9007199254740993,2e399,1e400]"},
        {up, "[\"b\",\"\\u0061\",\"\",1,null,\"aa\",\"\\ud83d\\ude00\",\"\\uffff\"]",
         "[1,\"\",\"\\u0061\",\"aa\",\"b\",\"\\uffff\",\"\\ud83d\\ude00\",null]"},
        {down, "[null,1,\"a\",2,\"b\"]", "[\"b\",\"a\",2,1,null]"},
        {by, "[{\"a\":{\"b\":2}},{\"n\":1},{\"a\":{\"b\":1}},{\"n\":2},7]",
         "[{\"a\":{\"b\":1}},{\"a\":{\"b\":2}},{\"n\":1},{\"n\":2},7]"},
        {by,
         "[{\"a\":{\"b\":1},\"n\":1},{\"a\":{\"b\":1.0},\"n\":2},{\"a\":{\"b\":10e-1},\"n\":3}]",
         "[{\"a\":{\"b\":1},\"n\":1},{\"a\":{\"b\":1.0},\"n\":2},{\"a\":{\"b\":10e-1},\"n\":3}]"},
        {up, "[true,false]", NULL},
        {up, "[[],1]", NULL},
        {up, "{}", NULL},
        {up, "null", "null"},
        {OP(SORT, .path = PATH(EACH)), "[[1],[2]]", NULL},
    };
    whole_rows(ALL_OF(rows));
}

static void texts_are_split_and_joined(void **state)
{
    (void)state;
    const dg_op *split = OP(SPLIT, .value = S(",")), *join = OP(JOIN, .value = S(","));
    const dg_op *split2 = OP(SPLIT, .value = S(", ")), *join2 = OP(JOIN, .value = S(",,"));
    const dg_op *splitq = OP(SPLIT, .value = S(","), .quoted = true);
    const dg_op *joinq = OP(JOIN, .value = S(","), .quoted = true);
    const dg_op *lossy = OP(JOIN, .value = S(","), .lossy = true);
    const whole_row rows[] = {
        {split, "\"a,b,,c\"", "[\"a\",\"b\",\"\",\"c\"]"},
        {split, "\",\"", "[\"\",\"\"]"},
        {split, "\"a\\u002cb\\n\"", "[\"a\",\"b\\u000a\"]"},
        {split, "\"\"", "[]"},
        {split, "null", "null"},
        {split, "1", NULL},
        {split, "[]", NULL},
        {split, "\"\\ud800,\\udc00\"", "[\"\\ud800\",\"\\udc00\"]"},
        {split2, "\"a, b,c\"", "[\"a\",\"b,c\"]"},
        {join, "[\"a\", \"b\" ,\"\"]", "\"a,b,\""},
        {join, "[]", "\"\""},
        {join, "[\"\"]", NULL},
        {join, "[\"a,b\"]", NULL},
        {join, "[\"a\",1]", NULL},
        {join, "{}", NULL},
        {join, "null", "null"},
        {join, "[\"\\u00e9\\\"\",\"\\ud800\"]", "\"\xC3\xA9\\\",\\ud800\""},
        {lossy, "[\"a,b\",\"\"]", "\"a,b,\""},
        {lossy, "[\"\"]", "\"\""},
        {join2, "[\"a,\",\"b\"]", NULL},
        {join2, "[\"a\",\"b,\"]", "\"a,,b,\""},
        {splitq, "\"a,\\\"b,c\\\",d\\\"e,f\\\"g\"", "[\"a\",\"b,c\",\"d\\\"e,f\\\"g\"]"},
        {splitq, "\"\\\"\\\"\"", "[\"\"]"},
        {splitq, "\"\\\"a\\\"\\\"b\\\",c\"", "[\"a\\\"b\",\"c\"]"},
        {splitq, "\"a,\\\"b,c\"", "[\"a\",\"\\\"b,c\"]"},
        {joinq, "[\"a\",\"b,c\",\"d\\\"e\",\"\"]", "\"a,\\\"b,c\\\",\\\"d\\\"\\\"e\\\",\""},
        {joinq, "[\"\"]", "\"\\\"\\\"\""},
        {OP(SPLIT, .value = S("")), "\"a\"", NULL},
        {OP(JOIN, .value = S("\""), .quoted = true), "[\"a\"]", NULL},
    };
    whole_rows(ALL_OF(rows));
}

static void facts_are_counted(void **state)
{
    (void)state;
    const dg_op *sum =
        OP(SUM, .path = PATH(S("items"), EACH, S("price")), .target = PATH(S("total")));
    const dg_op *lossy = OP(SUM, .path = PATH(S("items"), EACH, S("price")),
                            .target = PATH(S("total")), .lossy = true);
    const dg_op *all = OP(SUM, .path = PATH(EACH), .target = PATH(S("x")));
    const dg_op *count = OP(COUNT, .path = PATH(S("items")), .target = PATH(S("meta"), S("n")));
    const dg_op *each = OP(COUNT, .path = PATH(S("items"), EACH), .target = PATH(S("n")));
    const dg_op *deep = OP(COUNT, .path = PATH(S("items"), EACH, S("a")), .target = PATH(S("n")));
    const whole_row rows[] = {
        {sum, "{\"items\":[{\"price\":34.10},{\"price\":1},{}]}",
         "{\"items\":[{\"price\":34.10},{\"price\":1},{}],\"total\":35.10}"},
        {sum, "{\"items\":[]}", "{\"items\":[],\"total\":0}"},
        {sum, "{}", "{\"total\":0}"},
        {sum, "{\"items\":[{\"price\":0.1},{\"price\":0.2}]}",
         "{\"items\":[{\"price\":0.1},{\"price\":0.2}],\"total\":0.3}"},
        {sum, "{\"items\":[{\"price\":-1.5},{\"price\":1}]}",
         "{\"items\":[{\"price\":-1.5},{\"price\":1}],\"total\":-0.5}"},
        {sum, "{\"items\":[{\"price\":-0.00}]}", "{\"items\":[{\"price\":-0.00}],\"total\":0.00}"},
        {sum, "{\"items\":[{\"price\":99},{\"price\":1E0}]}",
         "{\"items\":[{\"price\":99},{\"price\":1E0}],\"total\":100}"},
        {sum, "{\"items\":[{\"price\":1e3},{\"price\":15e-1}]}",
         "{\"items\":[{\"price\":1e3},{\"price\":15e-1}],\"total\":1001.5}"},
        {sum, "{\"items\":[{\"price\":-1e20},{\"price\":1}]}",
         "{\"items\":[{\"price\":-1e20},{\"price\":1}],\"total\":-99999999999999999999}"},
        {sum, "{\"items\":[{\"price\":0e9999999999}]}",
         "{\"items\":[{\"price\":0e9999999999}],\"total\":0}"},
        {sum, "{\"items\":[{\"price\":1e5000}]}", NULL},
        {sum, "{\"items\":[{\"price\":1e-99999999999999999999}]}", NULL},
        {sum, "{\"items\":[{\"price\":\"1\"}]}", NULL},
        {sum, "{\"items\":[{\"price\":null}]}", NULL},
        {sum, "{\"items\":{\"price\":1}}", NULL},
        {sum, "{\"items\":[],\"total\":1}", NULL},
        {lossy, "{\"items\":[{\"price\":\"1\"},{\"price\":2}]}",
         "{\"items\":[{\"price\":\"1\"},{\"price\":2}],\"total\":2}"},
        {all, "[1]", NULL},
        {all, "null", "null"},
        {count, "{\"items\":[1,2,3]}", "{\"items\":[1,2,3],\"meta\":{\"n\":3}}"},
        {count, "{\"items\":[],\"meta\":{}}", "{\"items\":[],\"meta\":{\"n\":0}}"},
        {count, "{\"items\":null}", "{\"items\":null,\"meta\":{\"n\":0}}"},
        {count, "{\"items\":{}}", "{\"items\":{},\"meta\":{\"n\":1}}"},
        {count, "{}", "{\"meta\":{\"n\":0}}"},
        {each, "{\"items\":[[1,2],null]}", "{\"items\":[[1,2],null],\"n\":2}"},
        {deep, "{\"items\":[{\"a\":1},{},{\"a\":[1,2]}]}",
         "{\"items\":[{\"a\":1},{},{\"a\":[1,2]}],\"n\":3}"},
    };
    whole_rows(ALL_OF(rows));
}

static void orders_become_signs_and_back(void **state)
{
    (void)state;
    const dg_op *signs = OP(SIGNS, .name = S("_sort"), .to = S("_order"));
    const dg_op *unsign = OP(UNSIGN, .name = S("_sort"), .to = S("_order"));
    const whole_row rows[] = {
        {signs, "{\"_sort\":\"views,title\",\"_order\":\"desc,asc\",\"x\":1}",
         "{\"_sort\":\"-views,title\",\"x\":1}"},
        {signs, "{\"_sort\":\"views,title\",\"_order\":\"desc\"}", "{\"_sort\":\"-views,title\"}"},
        {signs, "{\"_sort\":\"views\"}", "{\"_sort\":\"views\"}"},
        {signs, "{\"_order\":\"desc\"}", "{\"_order\":\"desc\"}"},
        {signs, "{\"_sort\":\"a\",\"_order\":\"asc,desc\"}", NULL},
        {signs, "{\"_sort\":\"a\",\"_order\":\"up\"}", NULL},
        {signs, "{\"_sort\":\"-a\"}", NULL},
        {signs, "{\"_sort\":1}", NULL},
        {signs, "{\"_sort\":\"\",\"_order\":\"\"}", "{\"_sort\":\"\"}"},
        {signs, "[]", NULL},
        {signs, "null", "null"},
        {unsign, "{\"_sort\":\"-views,title\"}",
         "{\"_sort\":\"views,title\",\"_order\":\"desc,asc\"}"},
        {unsign, "{\"_sort\":\"\"}", "{\"_sort\":\"\",\"_order\":\"\"}"},
        {unsign, "{\"_sort\":\"a\",\"_order\":\"\"}", NULL},
        {unsign, "{\"_sort\":\"--a\"}", NULL},
        {unsign, "{\"_sort\":\"-\"}", NULL},
        {signs, "{\"_sort\":\",a\",\"_order\":\"desc\"}", NULL},
        {unsign, "{\"x\":1}", "{\"x\":1}"},
    };
    whole_rows(ALL_OF(rows));
}

static void json_in_strings(void **state)
{
    (void)state;
    const dg_op *parse = OP(PARSE, .unknown = DG_UNKNOWN_REJECT),
                *pass = OP(PARSE, .unknown = DG_UNKNOWN_PASS);
    const dg_op *value = OP(PARSE, .unknown = DG_UNKNOWN_DEFAULT, .value = S("{\"raw\":true}"));
    const dg_op *print = OP(PRINT, .lossy = false);
    const whole_row rows[] = {
        {parse, "\" {\\\"a\\\": [1.0, \\\"\\\\u0062\\\"]} \"", "{\"a\": [1.0, \"\\u0062\"]}"},
        {parse, "\"1\"", "1"},
        {parse, "null", "null"},
        {parse, "\"\"", NULL},
        {parse, "\"{\\\"a\\\":}\"", NULL},
        {parse, "\"1 2\"", NULL},
        {parse, "\"\\\"\\ud800\\\"\"", NULL},
        {parse, "1", NULL},
        {pass, "\"{\"", "\"{\""},
        {pass, "[ ]", "[ ]"},
        {value, "\"tru\"", "{\"raw\":true}"},
        {print, "{ \"a\" : [ 1.0 , \" \\\" \\u0062\" ] }",
         "\"{\\\"a\\\":[1.0,\\\" \\\\\\\" \\\\u0062\\\"]}\""},
        {print, "null", "null"},
        {print, "\"a\"", "\"\\\"a\\\"\""},
    };
    whole_rows(ALL_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_takes_its_empty_objects_with_it),
        cmocka_unit_test(what_is_refused_is_told_why),
        cmocka_unit_test(what_is_copied_comes_once_more),
        cmocka_unit_test(a_copy_is_its_own),
        cmocka_unit_test(only_what_is_named_is_kept),
        cmocka_unit_test(names_with_a_policy),
        cmocka_unit_test(lists_become_maps_and_back),
        cmocka_unit_test(lists_are_filtered_and_cut),
        cmocka_unit_test(lists_are_ordered),
        cmocka_unit_test(texts_are_split_and_joined),
        cmocka_unit_test(facts_are_counted),
        cmocka_unit_test(orders_become_signs_and_back),
        cmocka_unit_test(json_in_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
