/* Running out of memory anywhere while packs are loaded does no harm, and is called what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "rules/ruleset.h"

/* The linker sends every allocation of the program through these (--wrap); realpath takes its
 * memory within the C library. */
static size_t taken, fail_at = SIZE_MAX;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
char *__real_realpath(const char *path, char *resolved);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_realpath(const char *path, char *resolved);

static bool fails(void)
{
    if (taken++ != fail_at)
        return false;
    errno = ENOMEM;
    return true;
}
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __real_realloc(ptr, size);
}
char *__wrap_realpath(const char *path, char *resolved)
{
    return fails() ? NULL : __real_realpath(path, resolved);
}

/* Loads packs, one of them with several backends, and compiles a program that no endpoint has. */
static dg_status everything(dg_ruleset **ret_set)
{
    static const dg_named old = {"v1", {NULL, 0, 0}}, files = {"GET /blobs/**", {NULL, 0, 0}};
    static const dg_backend_source backends[] = {
        {.version = {"v1", {NULL, 0, 0}}, .versions = &old, .version_count = 1},
        {.version = {"v2", {NULL, 0, 0}}, .endpoints = &files, .endpoint_count = 1}};
    static const dg_pack_source sources[] = {{.dir = DG_TEST_DATA "/data/packs/chain", .backends = backends, .backend_count = 2},
                                             {.dir = DG_TEST_DATA "/data/packs/certificates"},
                                             {.dir = DG_TEST_DATA "/data/packs/unlisted"},
                                             {.dir = DG_TEST_DATA "/data/packs/posts"}};
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_program *program = NULL;
    dg_status status = dg_ruleset_load(sources, 4, &diags, &set);
    if (status == DG_OK)
        status = dg_ruleset_find_program(set, "v2", "v1", "GET /purchases/7", false, false, &diags,
                                         &program);
    dg_diags_free(&diags);
    *ret_set = set;
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    dg_ruleset *set = NULL;
    fail_at = SIZE_MAX;
    taken = 0;
    assert_int_equal(everything(&set), DG_OK);
    dg_ruleset_free(set);
    size_t total = taken;
    assert_true(total > 100);
    for (size_t n = 0; n < total; n++) {
        taken = 0;
        fail_at = n;
        dg_status status = everything(&set);
        fail_at = SIZE_MAX;
        /* Some failures do no more than cost time, as those of a buffer that grows. */
        if (status != DG_OK)
            assert_int_equal(status, DG_NOMEM);
        dg_ruleset_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
