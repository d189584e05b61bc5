/* A composed program against its steps carried out plainly, on thousands of random programs and
 * documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "generate.h"
#include "reference.h"
#include "transforms/program.h"

enum { PROGRAMS = 4000, LONG_PROGRAMS = 150, DOCUMENTS = 12, STEPS_MAX = 4, STEPS_MANY = 50 };

typedef struct tally {
    size_t compiled, refused_programs, same, same_refusals, stricter, endless;
} tally;

static void print_list(const dg_ops *list, const dg_ops *lens, int depth)
{
    for (size_t i = 0; i < list->count; i++) {
        const dg_op *op = &list->items[i];
        print_message("%*s%s name=%.*s to=%.*s value=%.*s flags=%d%d unknown=%d case=%d\n",
                      depth * 2, "", dg_op_word(op->kind), DG_SLICE_FMT(op->name),
                      DG_SLICE_FMT(op->to), DG_SLICE_FMT(op->value), op->when_null, op->if_empty,
                      op->unknown, op->case_from);
        for (size_t k = 0; k < op->path.count; k++)
            print_message("%*spath %.*s\n", depth * 2 + 2, "", DG_SLICE_FMT(op->path.steps[k]));
        for (size_t k = 0; k < op->target.count; k++)
            print_message("%*starget %.*s\n", depth * 2 + 2, "", DG_SLICE_FMT(op->target.steps[k]));
        for (size_t k = 0; k < op->case_count; k++) {
            print_message("%*scase, test %d\n", depth * 2 + 2, "", op->cases[k].test->kind);
            print_list(op->cases[k].body, lens, depth + 2);
        }
        for (size_t k = 0; k < op->name_count; k++)
            print_message("%*sexcept %.*s\n", depth * 2 + 2, "", DG_SLICE_FMT(op->names[k]));
        for (size_t k = 0; k < op->pair_count; k++)
            print_message("%*s%.*s -> %.*s\n", depth * 2 + 2, "", DG_SLICE_FMT(op->pairs[k].from),
                          DG_SLICE_FMT(op->pairs[k].to));
        if (op->body && op->body != lens)
            print_list(op->body, lens, depth + 1);
    }
}

static void compare(dg_runner *runner, const dg_program *program, const dg_ops *const *steps,
                    size_t step_count, const generator *g, dg_slice in, tally *t, uint64_t seed)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_buf expected, got;
    dg_buf_init(&expected, 0);
    dg_buf_init(&got, 0);
    dg_run_error error;
    dg_status want = reference_run(&arena, steps, step_count, in, &expected);
    dg_status have = dg_run(runner, program, in, &got, &error);
    if (want == DG_LIMIT) {
        t->endless++;
    } else if (want == DG_OK && have == DG_INVALID && g->whole && reference_forgave()) {
        t->stricter++;
    } else if (want != have || !dg_slice_eq(dg_buf_slice(&expected), dg_buf_slice(&got))) {
        print_message("seed %llu\nin       %.*s\nexpected %s %.*s\ngot      %s %.*s (%s at %zu)\n",
                      (unsigned long long)seed, DG_SLICE_FMT(in), dg_status_text(want),
                      DG_SLICE_FMT(dg_buf_slice(&expected)), dg_status_text(have),
                      DG_SLICE_FMT(dg_buf_slice(&got)), have ? error.message : "",
                      have ? error.offset : 0);
        for (size_t i = 0; i < step_count; i++) {
            print_message("step %zu\n", i);
            print_list(steps[i], g->lens, 1);
        }
        print_message("lens\n");
        print_list(g->lens, g->lens, 1);
        fail();
    }
    if (want == DG_LIMIT)
        got.len = 0;
    else if (have == DG_OK)
        t->same++;
    else
        t->same_refusals++;
    dg_buf_free(&expected);
    dg_buf_free(&got);
    dg_arena_free(&arena);
}

static void one_program(uint64_t seed, bool many, tally *t)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    generator g = {.state = seed * 0x9E3779B97F4A7C15u + 1, .arena = &arena};
    g.gentle = many;
    g.whole = seed % 2 ? 0 : 5 + generate_number(&g, 40);
    g.lens = dg_arena_zalloc(&arena, sizeof *g.lens);
    *g.lens = *generate_list(&g, many ? 0 : 2);
    const dg_ops *steps[STEPS_MANY];
    size_t step_count = many ? STEPS_MANY : 1 + generate_number(&g, STEPS_MAX);
    for (size_t i = 0; i < step_count; i++)
        steps[i] = generate_list(&g, many ? 1 : 2);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_program *program;
    dg_runner *runner;
    if (dg_program_compile(steps, step_count, &diags, &program) != DG_OK) {
        assert_true(diags.errors > 0);
        t->refused_programs++;
        dg_diags_free(&diags);
        dg_arena_free(&arena);
        return;
    }
    assert_int_equal(diags.errors, 0);
    t->compiled++;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (int i = 0; i < DOCUMENTS; i++) {
        dg_buf in;
        dg_buf_init(&in, 0);
        g.spaces = i % 2;
        generate_document(&g, &in);
        compare(runner, program, steps, step_count, &g, dg_buf_slice(&in), t, seed);
        dg_buf_free(&in);
    }
    dg_runner_free(runner);
    dg_program_free(program);
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

static void a_chain_equals_its_steps(void **state)
{
    (void)state;
    tally t = {0};
    const char *only = getenv("DG_SEED");
    if (only) {
        one_program(strtoull(only, NULL, 10), false, &t);
        return;
    }
    const char *from = getenv("DG_SEED_FROM"); /* to search elsewhere, by hand */
    uint64_t first = from ? strtoull(from, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + PROGRAMS; seed++)
        one_program(seed, false, &t);
    print_message(
        "%zu programs (%zu refused), %zu equal results, %zu equal refusals, %zu stricter, %zu "
        "without end\n",
        t.compiled, t.refused_programs, t.same, t.same_refusals, t.stricter, t.endless);
    assert_true(t.compiled > PROGRAMS / 5);
    assert_true(t.same > PROGRAMS && t.same_refusals > 100 && t.stricter < PROGRAMS / 50);
}

static void fifty_steps_are_as_one(void **state)
{
    (void)state;
    tally t = {0};
    for (uint64_t seed = 1; seed <= LONG_PROGRAMS; seed++)
        one_program(seed, true, &t);
    print_message(
        "%zu programs (%zu refused), %zu equal results, %zu equal refusals, %zu stricter, %zu "
        "without end\n",
        t.compiled, t.refused_programs, t.same, t.same_refusals, t.stricter, t.endless);
    assert_true(t.compiled > LONG_PROGRAMS / 2 && t.same > LONG_PROGRAMS);
}

/* The way back of a random lossless list gives every document back, byte for byte. */
static void lossless_lists_give_back_what_went_in(void **state)
{
    (void)state;
    size_t returned = 0;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        dg_arena arena;
        dg_diags diags;
        dg_ops down;
        dg_program *program;
        dg_runner *runner;
        dg_arena_init(&arena, 0);
        dg_diags_init(&diags);
        generator g = {.state = seed * 0x9E3779B97F4A7C15u + 7, .arena = &arena, .spaces = true};
        dg_ops *up = generate_lossless_list(&g, 3);
        assert_int_equal(dg_ops_inverse(&arena, up, &diags, &down), DG_OK);
        const dg_ops *steps[] = {up, &down};
        /* EACH behind WRAP can never apply, and is told so. */
        bool applies = dg_program_compile(steps, 2, &diags, &program) == DG_OK;
        assert_true(applies || diags.errors > 0);
        if (!applies)
            program = NULL;
        assert_int_equal(dg_runner_new(&runner), DG_OK);
        for (int i = 0; i < 8 && applies; i++) {
            dg_buf in, out;
            dg_buf_init(&in, 0);
            dg_buf_init(&out, 0);
            generate_document(&g, &in);
            dg_slice text = dg_buf_slice(&in);
            /* A renamed key loses its escapes; two equal names are refused. */
            bool escapes = memmem(text.ptr, text.len, "\\u00", 4) != NULL;
            if (!escapes && dg_run(runner, program, text, &out, NULL) == DG_OK) {
                if (!dg_slice_eq(text, dg_buf_slice(&out))) {
                    print_list(up, NULL, 1);
                    fail_msg("seed %llu\nin   %.*s\nback %.*s", (unsigned long long)seed,
                             DG_SLICE_FMT(text), DG_SLICE_FMT(dg_buf_slice(&out)));
                }
                returned++;
            }
            dg_buf_free(&in);
            dg_buf_free(&out);
        }
        dg_runner_free(runner);
        dg_program_free(program);
        dg_diags_free(&diags);
        dg_arena_free(&arena);
    }
    print_message("%zu documents came back\n", returned);
    assert_true(returned > 3000);
}

/* Elements that end, and strings, escapes and numbers that lie, at every place of a block. */
static void put_long_text(dg_buf *out, unsigned shift, bool lines)
{
    static const char *const elements[] = {
        "{\"order_id\":12345678901234567890,\"line_items\":[{\"unit_price\":-0.5,\"a\":\"\\\\\"}]}",
        "{\"line_items\":\"{\\\"a\\\":[1,2],\\\\\",\"order_id\":1e5,\"x\\u0041_b\":null}",
        "{\"first_name\":"
        "\"0123456789012345678901234567890123456789012345678901234567890123456789\","
        "\"a_b\":[true,false,[],{}],\"order_id\":0}",
        "{\"\":\"\",\"c_d\":\"\\u00e5 \xc3\xa5 \xe2\x82\xac\",\"name_of\":{\"order_id\":\"x\"}}"};
    dg_buf_add_char(out, '[');
    for (unsigned i = 0; i < shift; i++)
        dg_buf_add_char(out, ' ');
    for (unsigned i = 0; out->len < 9000; i++) {
        const char *sep = i == 0 ? "" : lines ? ",\n    " : ",";
        dg_buf_add_str(out, sep);
        dg_buf_add_str(out, elements[(i + i / 7) % 4]);
    }
    dg_buf_add_char(out, ']');
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(out, "\":,}]1\\ "[i % 8]);
    out->len -= DG_JSON_PADDING;
}

/* What spans several windows of the index comes out as what does not; cut anywhere, it is refused,
 * whatever stands behind the cut. */
static void long_texts_are_as_short_ones(void **state)
{
    static const dg_op each_ops[] = {
        {.kind = DG_OP_RENAME, .name = {"orderId", 7}, .to = {"id", 2}}};
    static const dg_ops each = {each_ops, 1};
    static const dg_op ops[] = {{.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL},
                                {.kind = DG_OP_EACH, .body = &each}};
    static const dg_op passes[] = {{.kind = DG_OP_VALUES, .unknown = DG_UNKNOWN_PASS}};
    static const dg_ops lists[] = {{ops, 2}, {passes, 1}};
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        const dg_ops *step = &lists[round / 2];
        dg_diags diags;
        dg_program *program;
        dg_runner *runner;
        tally t = {0};
        generator g = {.lens = &(dg_ops){0}};
        dg_diags_init(&diags);
        assert_int_equal(dg_program_compile(&step, 1, &diags, &program), DG_OK);
        assert_int_equal(dg_runner_new(&runner), DG_OK);
        for (unsigned shift = 0; shift < 70; shift++) {
            dg_buf in, out;
            dg_buf_init(&in, 0);
            dg_buf_init(&out, 0);
            put_long_text(&in, shift, round % 2);
            compare(runner, program, &step, 1, &g, dg_buf_slice(&in), &t, shift);
            for (size_t cut = shift + 1; cut < in.len; cut += 97) {
                dg_run_error error;
                dg_status status = dg_run(runner, program, dg_slice_of(in.ptr, cut), &out, &error);
                assert_int_equal(status, DG_SYNTAX);
                assert_int_equal(out.len, 0);
                assert_true(error.offset <= cut);
            }
            dg_buf_free(&in);
            dg_buf_free(&out);
        }
        assert_int_equal(t.same, 70);
        dg_runner_free(runner);
        dg_program_free(program);
        dg_diags_free(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_chain_equals_its_steps),
                                       cmocka_unit_test(fifty_steps_are_as_one),
                                       cmocka_unit_test(long_texts_are_as_short_ones),
                                       cmocka_unit_test(lossless_lists_give_back_what_went_in)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
