/* Each folder below data/packs/wrong is a pack with a mistake, and expected.txt says how it is
 * reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rules/ruleset.h"

static char *report_of(const char *pack)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_pack_source source = {.dir = pack};
    assert_int_not_equal(dg_ruleset_load(&source, 1, &diags, &set), DG_OK);
    assert_null(set);
    dg_diags_print(&diags, to);
    dg_diags_free(&diags);
    fclose(to);
    return text;
}

static void wrong_packs_are_reported(void **state)
{
    (void)state;
    assert_int_equal(chdir(DG_TEST_DATA "/data/packs/wrong"), 0);
    DIR *dir = opendir(".");
    assert_non_null(dir);
    size_t cases = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        char path[600], expected[4096];
        snprintf(path, sizeof path, "%s/expected.txt", e->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        size_t len = fread(expected, 1, sizeof expected - 1, file);
        expected[len] = '\0';
        fclose(file);
        char *report = report_of(e->d_name);
        assert_string_equal(report, expected);
        free(report);
        cases++;
    }
    closedir(dir);
    assert_true(cases >= 30);
}

static void a_missing_folder_is_reported(void **state)
{
    (void)state;
    char *report = report_of("/nowhere/at/all");
    assert_string_equal(report, "/nowhere/at/all: error: is no pack: it has no api.yaml\n");
    free(report);
}

static void two_apis_need_two_bases(void **state)
{
    (void)state;
    const dg_pack_source sources[] = {{.dir = DG_TEST_DATA "/data/packs/chain"},
                                      {.dir = DG_TEST_DATA "/data/packs/chain"}};
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    assert_int_equal(dg_ruleset_load(sources, 2, &diags, &set), DG_INVALID);
    assert_non_null(strstr(diags.first->message, "has this base already"));
    dg_diags_free(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_packs_are_reported),
        cmocka_unit_test(a_missing_folder_is_reported),
        cmocka_unit_test(two_apis_need_two_bases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
