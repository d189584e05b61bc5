/* Cases of tests/data/json that other transforming proxies get wrong: y_ comes out as it came but
 * for the one name that the program changes, n_ is refused. And what is large: deep, long, many, in
 * bounded time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "transforms/pattern.h"
#include "try.h"

static const dg_op renames[] = {RENAME("old_name", "new_name")};
static const dg_ops rename_list = LIST(renames);
static const dg_op each_ops[] = {EACH(&rename_list)};
static const dg_ops each_list = LIST(each_ops);

static dg_program *strict_program(bool array)
{
    const dg_program_options options = {.duplicates = DG_DUPLICATES_ANYWHERE,
                                        .surrogates = DG_SURROGATES_REJECT};
    const dg_ops *list = array ? &each_list : &rename_list;
    dg_diags diags;
    dg_program *program = NULL;
    dg_diags_init(&diags);
    assert_int_equal(dg_program_compile_with(&list, 1, &options, &diags, &program), DG_OK);
    dg_diags_free(&diags);
    return program;
}

static void read_file(const char *folder, const char *name, dg_buf *out)
{
    char path[1024], block[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        dg_buf_add(out, dg_slice_of(block, n));
    fclose(file);
    assert_int_equal(out->status, DG_OK);
}

/* What is expected, plainly: the name replaced wherever it stands. */
static void replace_name(dg_slice in, dg_buf *out)
{
    static const char name[] = "\"old_name\"";
    for (size_t i = 0; i < in.len;) {
        bool here = in.len - i >= sizeof name - 1 && memcmp(in.ptr + i, name, sizeof name - 1) == 0;
        dg_buf_add(out, here ? DG_SLICE("\"new_name\"") : dg_slice_of(in.ptr + i, 1));
        i += here ? sizeof name - 1 : 1;
    }
}

static void every_case_gets_its_verdict(void **state)
{
    const char *folder = DG_TEST_DATA "/data/json";
    size_t count[2] = {0};
    (void)state;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        dg_buf in, out, expected;
        dg_buf_init(&in, 0);
        dg_buf_init(&out, 0);
        dg_buf_init(&expected, 0);
        read_file(folder, entry->d_name, &in);
        dg_program *program = strict_program(in.len && in.ptr[0] == '[');
        dg_status status = run_program(program, dg_buf_slice(&in), &out, NULL);
        bool good = entry->d_name[0] == 'y';
        if (good != (status == DG_OK))
            fail_msg("%s: %s", entry->d_name, dg_status_text(status));
        replace_name(dg_buf_slice(&in), &expected);
        if (good && !dg_slice_eq(dg_buf_slice(&expected), dg_buf_slice(&out)))
            fail_msg("%s: %.*s", entry->d_name, DG_SLICE_FMT(dg_buf_slice(&out)));
        assert_true(good || out.len == 0);
        count[good]++;
        dg_program_free(program);
        dg_buf_free(&in);
        dg_buf_free(&out);
        dg_buf_free(&expected);
    }
    closedir(dir);
    assert_int_equal(count[true], 26);
    assert_int_equal(count[false], 35);
}

/* `head`, `count` times `part` ("%d" is its number), `tail`. */
static void runs(const char *head, const char *part, size_t count, const char *tail,
                 dg_status expected)
{
    dg_program *program = strict_program(false);
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add_str(&in, head);
    for (size_t i = 0; i < count; i++) {
        const char *number = strstr(part, "%d");
        dg_buf_add(&in, dg_slice_of(part, number ? (size_t)(number - part) : strlen(part)));
        if (number) {
            dg_buf_add_u64(&in, i);
            dg_buf_add_str(&in, number + 2);
        }
    }
    dg_buf_add_str(&in, tail);
    assert_int_equal(run_program(program, dg_buf_slice(&in), &out, NULL), expected);
    if (expected == DG_OK)
        assert_int_equal(out.len, in.len);
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_program_free(program);
}

static void what_is_large_is_bounded(void **state)
{
    (void)state;
    runs("{\"keep\":", "1", 2000000, ",\"old_name\":1}", DG_OK);
    runs("{\"keep\":", "[", 2049, "", DG_LIMIT);
    runs("", "[", 100000, "", DG_LIMIT);
    runs("", "{\"a\":", 100000, "", DG_LIMIT);
    runs("{\"a\":[", "[],", 1000000, "0]}", DG_OK);
    runs("{", "\"k%d\":1,", 300000, "\"old_name\":1}", DG_OK);
    runs("{", "\"k\":1,", 300000, "\"old_name\":1}", DG_INVALID);
    runs("{\"keep\":\"", "\\u0061", 1 << 20, "\",\"old_name\":1}", DG_OK);
    runs("", "        ", 1 << 20, "{}", DG_OK);
}

/* A short text that grows tenfold with each step of a long chain ends at the size of the outcome. */
static void growth_ends_at_the_outcome(void **state)
{
    (void)state;
    enum { STEPS = 12 };
    dg_arena arena;
    dg_diags diags;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    dg_op grows[2] = {{.kind = DG_OP_REPLACE, .with = S("$0$0$0$0$0$0$0$0$0$0")},
                      {.kind = DG_OP_TEMPLATE, .value = S("\"{}{}{}{}{}{}{}{}{}{}\"")}};
    assert_int_equal(
        dg_pattern_new(&arena, DG_SLICE("^.*$"), (dg_origin){0}, &diags, &grows[0].pattern), DG_OK);
    for (size_t i = 0; i < 2; i++) {
        const dg_ops list = {&grows[i], 1}, *steps[STEPS];
        dg_program *program = NULL;
        dg_buf out;
        for (size_t k = 0; k < STEPS; k++)
            steps[k] = &list;
        assert_int_equal(dg_program_compile(steps, STEPS, &diags, &program), DG_OK);
        dg_buf_init(&out, 1 << 16);
        static const char in[12 + DG_JSON_PADDING] = "\"0123456789\"";
        dg_runner *runner = NULL;
        assert_int_equal(dg_runner_new(&runner), DG_OK);
        assert_int_equal(dg_run(runner, program, dg_slice_of(in, 12), &out, NULL), DG_LIMIT);
        dg_runner_free(runner);
        assert_int_equal(out.len, 0);
        dg_buf_free(&out);
        dg_program_free(program);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
}

/* JSONTestSuite's own list of what transforming programs do differently: nothing changes here. */
static void transforming_changes_no_value(void **state)
{
    const char *folder = DG_TEST_DATA "/data/JSONTestSuite/test_transform";
    size_t count = 0, refused = 0;
    (void)state;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)); count++) {
        if (entry->d_name[0] == '.') {
            count--;
            continue;
        }
        dg_buf in, out;
        dg_buf_init(&in, 0);
        dg_buf_init(&out, 0);
        read_file(folder, entry->d_name, &in);
        dg_program *program = compile(in.ptr[0] == '[' ? &each_list : &rename_list);
        dg_status status = run_program(program, dg_buf_slice(&in), &out, NULL);
        bool twice = strstr(entry->d_name, "same_key") != NULL;
        bool no_utf8 =
            strstr(entry->d_name, "_invalid_codepoint") && !strstr(entry->d_name, "escaped");
        if (status != (twice ? DG_INVALID : no_utf8 ? DG_SYNTAX : DG_OK))
            fail_msg("%s: %s", entry->d_name, dg_status_text(status));
        assert_true(status != DG_OK || dg_slice_eq(dg_buf_slice(&in), dg_buf_slice(&out)));
        refused += status != DG_OK;
        dg_program_free(program);
        dg_buf_free(&in);
        dg_buf_free(&out);
    }
    closedir(dir);
    assert_int_equal(count, 22);
    assert_int_equal(refused, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_gets_its_verdict),
        cmocka_unit_test(what_is_large_is_bounded),
        cmocka_unit_test(growth_ends_at_the_outcome),
        cmocka_unit_test(transforming_changes_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
