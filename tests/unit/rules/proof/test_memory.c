/* Running out of memory anywhere while a pack is proved does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "rules/proof/explain.h"
#include "rules/proof/laws.h"

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

static dg_status echo(const dg_ruleset *rules, dg_runner *runner, const char *version,
                      dg_slice json, dg_buf *out, dg_run_error *ret_error)
{
    (void)rules, (void)runner, (void)version;
    dg_buf_add(out, json);
    ret_error->message = "not enough";
    return out->status;
}

static dg_status prove(dg_proof *proof, dg_arena *arena, const char *dir, dg_diags *diags)
{
    static const dg_laws_options options = {.seed = 1, .rounds = 2, .own = true};
    const dg_example *examples = NULL;
    const dg_ruleset *rules = NULL;
    const dg_finding *first;
    const dg_told *told;
    dg_laws_result result;
    dg_way way;
    size_t count = 0, checked;
    dg_status status = dg_examples_load(arena, dir, dg_proof_api(proof), diags, &examples, &count);
    for (size_t i = 0; i < count && status == DG_OK; i++)
        status = dg_example_check(proof, arena, &examples[i], &first, &checked);
    if (status == DG_OK)
        status = dg_laws_check(proof, arena, &options, examples, count, &result);
    if (status == DG_OK)
        status = dg_proof_rules(proof, 1, &rules);
    if (status == DG_OK)
        status = dg_explain_way(arena, rules, "v1", "v2", "GET /people/{id}", 200, diags, &way);
    if (status == DG_OK)
        status = dg_explain_run(arena, dg_proof_runner(proof), &way,
                                DG_SLICE("{\"body\":{\"title\":1}}"), &told, &count);
    return status;
}

static dg_status everything(void)
{
    static const dg_replayer replayer = {echo, echo};
    static const char dir[] = DG_TEST_DATA "/data/packs/people";
    dg_proof *proof = NULL;
    dg_arena arena;
    dg_diags diags;
    dg_diags_init(&diags);
    dg_arena_init(&arena, 0);
    dg_status status = dg_proof_open(dir, &replayer, &diags, &proof);
    if (status == DG_OK)
        status = prove(proof, &arena, dir, &diags);
    dg_proof_close(proof);
    dg_arena_free(&arena);
    dg_diags_free(&diags);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    fail_at = SIZE_MAX;
    taken = 0;
    assert_int_equal(everything(), DG_OK);
    size_t total = taken;
    assert_true(total > 100);
    for (size_t n = 0; n < total; n += 1 + n / 500) {
        taken = 0;
        fail_at = n;
        dg_status status = everything();
        fail_at = SIZE_MAX;
        /* Some failures do no more than cost time, or a document. */
        if (status != DG_OK)
            assert_int_equal(status, DG_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
