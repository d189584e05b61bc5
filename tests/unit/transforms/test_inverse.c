/* The way back: what it undoes, and what it refuses to guess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

#define OPS(...)                                                                                   \
    static const dg_op items[] = {__VA_ARGS__};                                                    \
    static const dg_ops list = LIST(items);                                                        \
    (void)state

/* up and then down gives the text back. */
static void returns(const dg_ops *up, const char *text)
{
    dg_arena arena;
    dg_diags diags;
    dg_ops down;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    assert_int_equal(dg_ops_inverse(&arena, up, &diags, &down), DG_OK);
    assert_int_equal(diags.errors, 0);
    const dg_ops *steps[] = {up, &down};
    /* As one program, and as two. */
    dg_program *program;
    assert_int_equal(dg_program_compile(steps, 2, &diags, &program), DG_OK);
    dg_buf out, back;
    dg_buf_init(&out, 0);
    dg_buf_init(&back, 0);
    assert_int_equal(run_program(program, dg_slice_str(text), &out, NULL), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&out), dg_slice_str(text)));
    dg_program_free(program);
    dg_buf_clear(&out);
    program = compile(up);
    assert_int_equal(run_program(program, dg_slice_str(text), &out, NULL), DG_OK);
    dg_program_free(program);
    program = compile(&down);
    assert_int_equal(run_program(program, dg_buf_slice(&out), &back, NULL), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&back), dg_slice_str(text)));
    dg_program_free(program);
    dg_buf_free(&out);
    dg_buf_free(&back);
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void loses(const dg_ops *up, size_t errors, const char *policy)
{
    dg_arena arena;
    dg_diags diags;
    dg_ops down = {0};
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    assert_int_equal(dg_ops_inverse(&arena, up, &diags, &down), DG_INVALID);
    assert_int_equal(diags.errors, errors);
    assert_non_null(strstr(diags.first->message, policy));
    assert_string_equal(diags.first->origin.file, "pack.yaml");
    assert_null(down.items);
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void lossless_lists_return(void **state)
{
    static const dg_value_pair pairs[] = {{S("0"), S("\"inactive\"")}, {S("1"), S("\"active\"")}};
    static const dg_op values[] = {VALUES(pairs, DG_UNKNOWN_REJECT)},
                       ids[] = {RENAME("id", "customer_id")};
    static const dg_ops table = LIST(values), customer = LIST(ids);
    static const dg_op orders[] = {SNAKE, RENAME("total", "amount"), IN("status", &table),
                                   RENAME("client", "customer"), IN("customer", &customer)};
    static const dg_ops order = LIST(orders);
    static const dg_op each[] = {LENS(&order)}, versions[] = {ADD("version", "\"v2\"")};
    static const dg_ops one = LIST(each), version = LIST(versions);
    OPS(EACH(&one), WRAP("data"), MADE("meta"), IN("meta", &version));
    returns(
        &list,
        "[{\"orderId\":1,\"total\":2.50,\"status\":1,\"client\":{\"id\":7}}, {\"status\":0}]\n");
    returns(&list, "[]");
}

static void a_recursive_lens_is_inverted_once(void **state)
{
    static dg_ops node;
    static const dg_op selves[] = {LENS(&node)};
    static const dg_ops self = LIST(selves);
    static const dg_op each[] = {EACH(&self)};
    static const dg_ops children = LIST(each);
    static const dg_op ops[] = {RENAME("kids", "children"), IN("children", &children),
                                RENAME("n", "name")};
    node = (dg_ops)LIST(ops);
    OPS(LENS(&node));
    returns(&list, "{\"n\":1,\"kids\":[{\"n\":2,\"kids\":[{\"n\":3}]}]}");
    returns(&node, "{\"n\":1,\"kids\":[{\"n\":2,\"kids\":[{\"n\":3}]}]}");
}

static void losses_name_their_policies(void **state)
{
    static const dg_value_pair pairs[] = {{S("1"), S("\"a\"")}, {S("2"), S("\"\\u0061\"")}};
    static const dg_op unwraps[] = {UNWRAP("data")}, values[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
    static const dg_ops unwrap = LIST(unwraps), turned = LIST(values);
    OPS(DROP("a"), DROP("b"));
    loses(&list, 2, "restore: VALUE");
    loses(&unwrap, 1, "lossy: accept");
    loses(&turned, 1, "lossy: accept");
}

static void accepted_losses_pass(void **state)
{
    static const dg_value_pair pairs[] = {{S("1"), S("\"a\"")}, {S("2"), S("\"a\"")}};
    OPS({.kind = DG_OP_DROP, .name = S("gone"), .lossy = true},
        {.kind = DG_OP_DROP, .name = S("back"), .value = S("7")},
        {.kind = DG_OP_UNWRAP, .name = S("data"), .lossy = true},
        {.kind = DG_OP_VALUES,
         .pairs = pairs,
         .pair_count = 2,
         .lossy = true,
         .unknown = DG_UNKNOWN_PASS});
    dg_arena arena;
    dg_diags diags;
    dg_ops down;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    assert_int_equal(dg_ops_inverse(&arena, &list, &diags, &down), DG_OK);
    assert_int_equal(down.count, 3);
    gives(&down, "\"a\"", "{\"data\":1,\"back\":7}");
    gives(&down, "{\"b\":1}", "{\"data\":{\"b\":1},\"back\":7}");
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void turn(dg_arena *arena, const dg_ops *up, dg_ops *ret_down)
{
    dg_diags diags;
    dg_diags_init(&diags);
    dg_status status = dg_ops_inverse(arena, up, &diags, ret_down);
    dg_diags_print(&diags, stderr);
    assert_int_equal(status, DG_OK);
    dg_diags_free(&diags);
}

/* Whoever wins upward wins on the way back: the value of the newer name, or of the older. */
static void collisions_keep_their_winner(void **state)
{
    OPS({.kind = DG_OP_RENAME, .name = S("old"), .to = S("new"), .collision = DG_COLLISION_NEWER});
    static const dg_op older_items[] = {
        {.kind = DG_OP_RENAME, .name = S("old"), .to = S("new"), .collision = DG_COLLISION_OLDER}};
    static const dg_ops older = LIST(older_items);
    dg_arena arena;
    dg_ops down;
    dg_arena_init(&arena, 0);
    turn(&arena, &list, &down);
    gives(&list, "{\"old\":1,\"new\":2}", "{\"new\":2}");
    gives(&down, "{\"old\":1,\"new\":2}", "{\"old\":2}");
    turn(&arena, &older, &down);
    gives(&older, "{\"old\":1,\"new\":2}", "{\"new\":1}");
    gives(&down, "{\"old\":1,\"new\":2}", "{\"old\":1}");
    dg_arena_free(&arena);
}

static void what_came_goes_with_its_objects(void **state)
{
    static const dg_slice of[] = {S("id")}, to[] = {S("a"), S("b"), S("id")};
    OPS({.kind = DG_OP_COPY, .path = {of, 1}, .target = {to, 3}});
    dg_arena arena;
    dg_ops down;
    dg_arena_init(&arena, 0);
    turn(&arena, &list, &down);
    gives(&down, "{\"id\":1,\"a\":{\"b\":{\"id\":1}}}", "{\"id\":1}");
    gives(&down, "{\"id\":1,\"a\":{\"b\":{\"id\":1,\"c\":2}}}",
          "{\"id\":1,\"a\":{\"b\":{\"c\":2}}}");
    dg_arena_free(&arena);
    returns(&list, "{\"id\":1}");
}

static void cases_are_told_on_the_way_back(void **state)
{
    static const dg_slice kind[] = {S("kind")};
    static const dg_test card = {.kind = DG_TEST_IS, .path = {kind, 1}, .value = S("\"card\"")};
    static const dg_test always = {.kind = DG_TEST_ALWAYS};
    static const dg_op pans[] = {RENAME("number", "pan")}, others[] = {RENAME("number", "account")};
    static const dg_op kinds[] = {RENAME("kind", "type")};
    static const dg_ops pan = LIST(pans), other = LIST(others), touched = LIST(kinds);
    static const dg_switch_case cases[] = {{&card, NULL, &pan}, {&always, NULL, &other}};
    static const dg_switch_case bad_cases[] = {{&card, NULL, &touched}};
    static const dg_op bad_items[] = {
        {.kind = DG_OP_SWITCH, .cases = bad_cases, .case_count = 1, .origin = {"pack.yaml", 7, 3}}};
    static const dg_ops bad = LIST(bad_items);
    OPS({.kind = DG_OP_SWITCH, .cases = cases, .case_count = 2});
    returns(&list, "{\"kind\":\"card\",\"number\":1}");
    returns(&list, "{\"number\":1}");
    dg_arena arena;
    dg_diags diags;
    dg_ops down;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    assert_int_equal(dg_ops_inverse(&arena, &bad, &diags, &down), DG_INVALID);
    assert_non_null(strstr(diags.first->message, "newer: CONDITION"));
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void losses_are_told(void **state)
{
    static const dg_op inner[] = {ADD("x", "1"),
                                  {.kind = DG_OP_DROP, .name = S("y"), .lossy = true}};
    static const dg_ops body = LIST(inner);
    static const dg_op each[] = {EACH(&body)};
    static const dg_ops elements = LIST(each);
    OPS(RENAME("a", "b"), IN("items", &elements), LENS(&body), WRAP("data"));
    static const struct {
        bool down, accepted;
        const char *path, *message;
    } wanted[] = {{true, false, "items[]", "\"x\" goes"},
                  {false, true, "items[]", "the value of \"y\" is lost"},
                  {true, false, ".", "the members beside \"data\" go"}};
    const dg_ops *lists[] = {&list, &list};
    const dg_loss *loss = NULL;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    assert_int_equal(dg_ops_losses(&arena, lists, 2, &loss), DG_OK);
    for (size_t i = 0; i < 3; i++, loss = loss->next) {
        assert_non_null(loss);
        assert_int_equal(loss->down, wanted[i].down);
        assert_int_equal(loss->accepted, wanted[i].accepted);
        assert_string_equal(loss->path, wanted[i].path);
        assert_non_null(strstr(loss->message, wanted[i].message));
    }
    assert_null(loss);
    dg_arena_free(&arena);
}

/* What there and back does not give again, is told. */
static void quiet_losses_are_told(void **state)
{
    (void)state;
    static const dg_slice far[] = {S("c"), S("d")};
    static const dg_test asks = {.kind = DG_TEST_EXISTS};
    static const dg_op none[1];
    static const dg_ops nothing = {none, 0};
    static const dg_switch_case one = {&asks, &asks, &nothing};
    static const struct {
        dg_op op;
        const char *up, *down;
    } rows[] = {
        {{.kind = DG_OP_MOVE, .path = {far, 1}, .target = {far, 2}}, "on the way to \"c.d\"", NULL},
        {{.kind = DG_OP_MOVE, .path = {far, 2}, .target = {far, 1}}, NULL, "on the way to \"c.d\""},
        {{.kind = DG_OP_COUNT, .target = {far, 2}}, "on the way to \"c.d\"", "\"c.d\" goes"},
        {MADE("m"), "{} at \"m\" goes", NULL},
        {{.kind = DG_OP_SPLIT, .quoted = true}, "double quotes", NULL},
        {{.kind = DG_OP_JOIN, .quoted = true}, NULL, "double quotes"},
        {{.kind = DG_OP_SIGNS}, "come back as asc", NULL},
        {{.kind = DG_OP_UNSIGN}, NULL, "come back as asc"},
        {{.kind = DG_OP_PARSE}, "white space", NULL},
        {{.kind = DG_OP_TIME,
          .time_from = {DG_TIME_RFC3339, S("")},
          .time_to = {DG_TIME_PATTERN, S("%Y-%m-%d %H:%M:%S.%f %z")}},
         "in UTC",
         "in UTC"},
        {{.kind = DG_OP_TIME, .time_from = {.kind = DG_TIME_UNIX}, .time_to = {.kind = DG_TIME_HTTP}},
         NULL,
         NULL},
        {{.kind = DG_OP_SWITCH, .cases = &one, .case_count = 1}, "first case whose `newer`", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const dg_ops list = {&rows[i].op, 1}, *lists[] = {&list};
        const dg_loss *loss = NULL;
        dg_arena arena;
        dg_arena_init(&arena, 0);
        assert_int_equal(dg_ops_losses(&arena, lists, 1, &loss), DG_OK);
        for (int down = 0; down < 2; down++) {
            const char *wanted = down ? rows[i].down : rows[i].up;
            if (!wanted)
                continue;
            assert_non_null(loss);
            assert_int_equal(loss->down, down);
            assert_false(loss->accepted);
            assert_non_null(strstr(loss->message, wanted));
            loss = loss->next;
        }
        assert_null(loss);
        dg_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_lists_return),
        cmocka_unit_test(a_recursive_lens_is_inverted_once),
        cmocka_unit_test(losses_name_their_policies),
        cmocka_unit_test(accepted_losses_pass),
        cmocka_unit_test(collisions_keep_their_winner),
        cmocka_unit_test(what_came_goes_with_its_objects),
        cmocka_unit_test(cases_are_told_on_the_way_back),
        cmocka_unit_test(losses_are_told),
        cmocka_unit_test(quiet_losses_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
