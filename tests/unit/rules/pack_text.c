#include "pack_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const char *head, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(head, file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* All lines without the folder before the file's name. */
static char *without_dir(char *report, const char *dir)
{
    size_t len = strlen(dir) + 1;
    for (char *at = report; (at = strstr(at, dir));)
        memmove(at, at + len, strlen(at + len) + 1);
    return report;
}

static char *report_of(dg_diags *diags, const char *dir)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    dg_diags_print(diags, to);
    fclose(to);
    return without_dir(text, dir);
}

dg_ruleset *pack_text_load(const pack_text *text, char **ret_report)
{
    char dir[] = "/tmp/dragoman-pack-XXXXXX", path[64], head[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/api.yaml", dir);
    write_file(path, "api: t\n", text->api);
    snprintf(path, sizeof path, "%s/changes", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    size_t count = 0;
    for (; count < PACK_TEXT_CHANGES_MAX && text->changes[count]; count++) {
        snprintf(path, sizeof path, "%s/changes/%zu.yaml", dir, count + 1);
        snprintf(head, sizeof head, "change: c\nbetween: [v%zu, v%zu]\n", count + 1, count + 2);
        write_file(path, head, text->changes[count]);
    }
    dg_diags diags;
    dg_diags_init(&diags);
    const dg_pack_source source = {.dir = dir, .backend_version = text->backend,
                                   .backends = text->backends, .backend_count = text->backend_count};
    dg_ruleset *set = NULL;
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    assert_true((status == DG_OK) == (set != NULL));
    *ret_report = set ? NULL : report_of(&diags, dir);
    dg_diags_free(&diags);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/changes/%zu.yaml", dir, i + 1);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/changes", dir);
    rmdir(path);
    snprintf(path, sizeof path, "%s/api.yaml", dir);
    unlink(path);
    rmdir(dir);
    return set;
}

dg_ruleset *pack_text_must_load(const pack_text *text)
{
    char *report;
    dg_ruleset *set = pack_text_load(text, &report);
    if (!set)
        fail_msg("%s", report);
    return set;
}
