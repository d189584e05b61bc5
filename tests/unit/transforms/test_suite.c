/* JSONTestSuite: y_ is accepted and comes out as it came, n_ is refused, i_ does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "try.h"

static void read_file(const char *path, dg_buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        dg_buf_add(out, dg_slice_of(block, n));
    fclose(file);
    assert_int_equal(out->status, DG_OK);
}

/* Where equal names are allowed nothing may be pending on the object. */
static bool repeats_names(const char *name)
{
    return strstr(name, "duplicated_key") != NULL;
}

static size_t run_all(const dg_program *program, bool looks_at_names)
{
    const char *folder = DG_TEST_DATA "/data/JSONTestSuite/test_parsing";
    DIR *dir = opendir(folder);
    size_t count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        dg_buf in, out;
        dg_buf_init(&in, 0);
        dg_buf_init(&out, 0);
        read_file(path, &in);
        dg_status status = run_program(program, dg_buf_slice(&in), &out, NULL);
        char verdict = entry->d_name[0];
        if (looks_at_names && repeats_names(entry->d_name))
            assert_int_equal(status, DG_INVALID);
        else if ((verdict == 'y') != (status == DG_OK) && verdict != 'i')
            fail_msg("%s: %s", entry->d_name, dg_status_text(status));
        if (status == DG_OK)
            assert_true(dg_slice_eq(dg_buf_slice(&in), dg_buf_slice(&out)));
        else
            assert_int_equal(out.len, 0);
        count++;
        dg_buf_free(&in);
        dg_buf_free(&out);
    }
    closedir(dir);
    return count;
}

static void every_file_gets_its_verdict(void **state)
{
    static const dg_slice except[] = {S("zzz")};
    static const dg_op converts[] = {{.kind = DG_OP_CASE,
                                      .case_from = DG_CAMEL,
                                      .case_to = DG_SNAKE,
                                      .names = except,
                                      .name_count = 1}};
    static const dg_op copies[] = {{.kind = DG_OP_VALUES, .unknown = DG_UNKNOWN_PASS}};
    static const dg_ops convert = LIST(converts), copy = LIST(copies), nothing = {0};
    const dg_ops *lists[] = {&convert, &copy, &nothing};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        dg_program *program = compile(lists[i]);
        assert_int_equal(run_all(program, i < 2), 318);
        dg_program_free(program);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_gets_its_verdict)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
