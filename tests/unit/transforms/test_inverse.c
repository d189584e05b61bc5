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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_lists_return),
        cmocka_unit_test(a_recursive_lens_is_inverted_once),
        cmocka_unit_test(losses_name_their_policies),
        cmocka_unit_test(accepted_losses_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
