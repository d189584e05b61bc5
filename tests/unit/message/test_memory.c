/* Memory runs out at each allocation in turn: whole messages are refused, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/message/replay.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

static size_t taken, fail_at = SIZE_MAX;

static bool fails(void)
{
    return taken++ == fail_at;
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

static const struct {
    bool answer;
    const char *pack, *json;
} messages[] = {
    {false, "posts",
     "{\"method\":\"POST\",\"target\":\"/v0/posts/a%20b/"
     "comments?x=1&y=%41\",\"headers\":{\"X-A\":[\"1\","
     "\"2\"]},\"body\":{\"a\":1}}"},
    {false, "posts", "{\"method\":\"GET\",\"target\":\"/v0/posts?_limit=2&_sort=a&_order=desc\"}"},
    {true, "posts",
     "{\"request\":{\"method\":\"GET\",\"target\":\"/v0/"
     "posts?_page=2\"},\"response\":{\"status\":200,"
     "\"headers\":{\"x-newer\":\"1\"},\"body\":{\"items\":5,\"data\":[]}}}"},
    {true, "posts", "{\"request\":{\"method\":\"GET\",\"target\":\"/v0/db\"}}"},
    {false, "engine",
     "{\"method\":\"POST\",\"target\":\"/v1.23/auth\",\"headers\":{\"content-type\":"
     "\"application/x-www-form-urlencoded\"},\"body_text\":\"user=a%20b\"}"},
    {true, "engine",
     "{\"request\":{\"method\":\"GET\",\"target\":\"/v1.23/containers/x/"
     "json\"},\"response\":{\"status\":404,"
     "\"body\":{\"message\":\"m\"}}}"},
};

static dg_ruleset *load(const char *name)
{
    char dir[256];
    snprintf(dir, sizeof dir, "%s/data/packs/%s", DG_TEST_DATA, name);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_pack_source source = {.dir = dir};
    assert_int_equal(dg_ruleset_load(&source, 1, &diags, &set), DG_OK);
    dg_diags_free(&diags);
    return set;
}

/* With a runner of its own, for what one has learned needs no memory any more. */
static dg_status replay(const dg_ruleset *set, bool answer, dg_slice json)
{
    dg_runner *runner = NULL;
    dg_buf out;
    dg_run_error error = {.message = NULL};
    dg_buf_init(&out, 0);
    dg_status status = dg_runner_new(&runner);
    if (status == DG_OK)
        status = answer ? dg_replay_answer(set, runner, NULL, json, &out, &error)
                        : dg_replay_request(set, runner, NULL, json, &out, &error);
    dg_runner_free(runner);
    dg_buf_free(&out);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        dg_ruleset *set = load(messages[i].pack);
        dg_buf in;
        dg_buf_init(&in, 0);
        dg_buf_add_str(&in, messages[i].json);
        assert_int_equal(dg_buf_reserve(&in, DG_JSON_PADDING), DG_OK);
        taken = 0;
        assert_int_equal(replay(set, messages[i].answer, dg_buf_slice(&in)), DG_OK);
        size_t total = taken;
        assert_true(total > 10);
        for (size_t n = 0; n < total; n++) {
            taken = 0;
            fail_at = n;
            dg_status status = replay(set, messages[i].answer, dg_buf_slice(&in));
            fail_at = SIZE_MAX;
            if (status != DG_NOMEM)
                fail_msg("message %zu, allocation %zu of %zu: %s", i, n, total,
                         dg_status_text(status));
        }
        dg_buf_free(&in);
        dg_ruleset_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
