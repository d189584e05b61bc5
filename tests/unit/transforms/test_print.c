/* Programs in words: what is printed is what happens. */
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

static void prints(const dg_ops *list, const char *expected)
{
    dg_program *program = compile(list);
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_program_print(program, &out), DG_OK);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected);
    dg_buf_free(&out);
    dg_buf_init(&out, 3);
    assert_int_equal(dg_program_print(program, &out), DG_LIMIT);
    dg_buf_free(&out);
    dg_program_free(program);
}

static const dg_slice metadata[] = {S("metadata")};
static const dg_value_pair rows[] = {{S("0"), S("\"inactive\"")}, {S("1"), S("\"active\"")}};
static const dg_op status_ops[] = {VALUES(rows, DG_UNKNOWN_REJECT)};
static const dg_ops status_list = LIST(status_ops);

/* The steps are gone: each member is where the whole chain leaves it. */
static void a_chain_is_composed(void **state)
{
    OPS({.kind = DG_OP_CASE,
         .case_from = DG_CAMEL,
         .case_to = DG_SNAKE,
         .names = metadata,
         .name_count = 1},
        RENAME("line_total", "amount"), IN("status", &status_list), DROP("internal"),
        RENAME("amount", "sum"), ADD("currency", "\"EUR\""), DEFAULT("note", "{\"by\":null}"),
        WRAP("data"));
    prints(&list,
           "$\n"
           "  put into {\"data\":...}\n"
           "  all other names: camel -> snake, but for metadata\n"
           "  .*\n"
           "    all other names: camel -> snake, but for metadata\n"
           "    .*: as $.*\n"
           "    .metadata: as it is\n"
           "    []: as $.*\n"
           "  .metadata: as it is\n"
           "  .line_total -> sum: as $.*\n"
           "  .lineTotal -> sum: as $.*\n"
           "  .status\n"
           "    all other names: camel -> snake, but for metadata\n"
           "    values 0 -> \"inactive\", 1 -> \"active\"; others are refused  # pack.yaml:7\n"
           "    .*: as $.*\n"
           "    .metadata: as it is\n"
           "    []: as $.*\n"
           "  .internal: dropped  # pack.yaml:7\n"
           "  .amount -> sum: as $.*\n"
           "  .currency: refused, as its name is taken by what is added  # pack.yaml:7\n"
           "  + currency: \"EUR\"  # pack.yaml:7\n"
           "  + note: {\"by\":null}, if absent\n"
           "  []: as $.*\n");
}

static void recursion_is_shown_once(void **state)
{
    static dg_ops tree;
    static const dg_op each_ops[] = {LENS(&tree)};
    static const dg_ops each = LIST(each_ops);
    static const dg_op children_ops[] = {EACH(&each)};
    static const dg_ops children = LIST(children_ops);
    static const dg_op items[] = {RENAME("label", "name"), IN("children", &children)};
    (void)state;
    tree = (dg_ops)LIST(items);
    prints(&tree, "$\n"
                  "  .label -> name\n"
                  "  .children\n"
                  "    []: as $\n");
}

static void stages_are_named(void **state)
{
    static const dg_slice a_b[] = {S("a"), S("b")}, x[] = {S("x")};
    static const dg_test has_x = {.kind = DG_TEST_EXISTS, .path = {x, 1}};
    static const dg_op renames[] = {RENAME("x", "y")};
    static const dg_ops rename = LIST(renames);
    static const dg_switch_case cases[] = {{&has_x, NULL, &rename}};
    static const dg_op casts[] = {
        {.kind = DG_OP_CAST, .cast_from = DG_CAST_NUMBER, .cast_to = DG_CAST_STRING}};
    static const dg_ops cast = LIST(casts);
    static const dg_op each_ops[] = {
        RENAME("q", "a"),
        {.kind = DG_OP_MOVE, .path = {a_b, 2}, .target = {x, 1}, .origin = {"pack.yaml", 9, 5}},
        {.kind = DG_OP_SWITCH, .cases = cases, .case_count = 1, .origin = {"pack.yaml", 10, 5}},
        IN("id", &cast)};
    static const dg_ops each = LIST(each_ops);
    OPS(UNWRAP("data"), EACH(&each));
    prints(&list, "$\n"
                  "  .data: takes the place of the object  # pack.yaml:7\n"
                  "    []\n"
                  "      first\n"
                  "        .q -> a\n"
                  "      whole: move a.b -> x  # pack.yaml:9\n"
                  "      if x exists  # pack.yaml:10\n"
                  "        .x -> y\n"
                  "        .id\n"
                  "          cast number -> string; others are refused\n"
                  "      else  # pack.yaml:10\n"
                  "        .id: as $.data[] (case 1).id\n");
}

static void what_may_go_is_told(void **state)
{
    OPS(DROP_EMPTY("o"), {.kind = DG_OP_DROP, .name = S("n"), .when_null = true},
        {.kind = DG_OP_DEFAULT, .name = S("d"), .value = S("[1]"), .when_null = true});
    prints(&list, "$\n"
                  "  .o\n"
                  "    if {}: dropped\n"
                  "  .n\n"
                  "    if null: dropped\n"
                  "  .d\n"
                  "    if null: becomes [1]\n"
                  "  + d: [1], if absent or null\n");
}

static void nothing_is_said_of_nothing(void **state)
{
    (void)state;
    prints(&(const dg_ops){0}, "$: as it is\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_composed),        cmocka_unit_test(recursion_is_shown_once),
        cmocka_unit_test(stages_are_named),           cmocka_unit_test(what_may_go_is_told),
        cmocka_unit_test(nothing_is_said_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
