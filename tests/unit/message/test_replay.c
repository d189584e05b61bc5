/* Whole messages between versions: what several steps make of one is what they make one after the
 * other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/message/replay.h"

static dg_ruleset *load(const char *name, const char *backend)
{
    char dir[256];
    snprintf(dir, sizeof dir, "%s/data/packs/%s", DG_TEST_DATA, name);
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_pack_source source = {.dir = dir, .backend_version = backend};
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    dg_diags_print(&diags, stderr);
    assert_int_equal(status, DG_OK);
    dg_diags_free(&diags);
    return set;
}

/* NULL when it is refused. To be freed. */
static char *replay(const char *pack, const char *backend, bool answer, const char *json)
{
    dg_ruleset *set = load(pack, backend);
    dg_runner *runner;
    dg_buf in, out;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add_str(&in, json);
    assert_int_equal(dg_buf_reserve(&in, DG_JSON_PADDING), DG_OK);
    dg_run_error error = {.message = NULL};
    dg_status status = answer
                           ? dg_replay_answer(set, runner, NULL, dg_buf_slice(&in), &out, &error)
                           : dg_replay_request(set, runner, NULL, dg_buf_slice(&in), &out, &error);
    dg_runner_free(runner);
    dg_ruleset_free(set);
    dg_buf_free(&in);
    if (status == DG_OK) {
        dg_buf_add_char(&out, '\0');
        return out.ptr;
    }
    assert_non_null(error.message);
    assert_int_equal(out.len, 0);
    dg_buf_free(&out);
    return NULL;
}

static void check(const char *pack, const char *backend, bool answer, const char *json,
                  const char *expected)
{
    char *out = replay(pack, backend, answer, json);
    if (!expected)
        assert_null(out);
    else
        assert_string_equal(out, expected);
    free(out);
}

static void requests_are_what_the_backend_gets(void **state)
{
    (void)state;
    check("posts", "v1", false,
          "{\"method\":\"GET\",\"target\":\"/v0/posts/a%2Fb/comments?x=%20\"}",
          "{\"method\":\"GET\",\"target\":\"/v1/comments?x=%20&postId=a/b\",\"headers\":{}}");
    check("posts", "v1", false, "{\"method\":\"GET\",\"target\":\"/v0/db\"}", "null");
    check("posts", "v1", false, "{\"method\":\"GET\",\"target\":\"/v0/none\"}", NULL);
    check("posts", "v1", false, "{\"method\":\"GET\",\"target\":\"/v0/posts?a=%ff\"}", NULL);
    check("posts", "v1", false, "{\"method\":\"GET\",\"target\":\"/v0/../posts\"}", NULL);
    check("posts", "v1", false, "{\"method\":\"GET\"}", NULL);
    check("posts", "v1", false, "{\"method\":\"GET\",", NULL);
    check("engine", "v1.41", false, "{\"method\":\"POST\",\"target\":\"/v1.24/containers/x/json\"}",
          NULL);
    check(
        "engine", "v1.41", false,
        "{\"method\":\"GET\",\"target\":\"/v1.24/containers/x/json\",\"headers\":{\"content-type\":"
        "\"application/json\"},\"body_text\":\"{\"}",
        "{\"method\":\"GET\",\"target\":\"/v1.41/containers/x/json\",\"headers\":{\"content-type\":"
        "\"application/json\"},\"body_text\":\"{\"}");
    check("engine", "v1.41", false,
          "{\"method\":\"POST\",\"target\":\"/v1.23/auth\",\"headers\":{\"Content-Type\":"
          "\"application/x-www-form-urlencoded\"},\"body_text\":\"user=a%20b\"}",
          "{\"method\":\"POST\",\"target\":\"/v1.41/"
          "auth\",\"headers\":{\"content-type\":\"application/json\"},"
          "\"body\":{\"username\":\"a b\"}}");
}

static void answers_are_what_the_client_gets(void **state)
{
    (void)state;
    check("posts", "v1", true, "{\"request\":{\"method\":\"GET\",\"target\":\"/v0/db\"}}",
          "{\"status\":410,\"headers\":{\"x-hint\":\"see "
          "/posts\",\"content-type\":\"application/json\"},"
          "\"body\":{\"error\":\"gone\"}}");
    check("posts", "v1", true,
          "{\"request\":{\"method\":\"DELETE\",\"target\":\"/v0/posts/"
          "1\"},\"response\":{\"status\":204}}",
          "{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":{}}");
    check("posts", "v0", true,
          "{\"request\":{\"method\":\"DELETE\",\"target\":\"/v1/posts/"
          "1\"},\"response\":{\"status\":200,\"body\":{}}}",
          "{\"status\":204,\"headers\":{}}");
    check("posts", "v1", true,
          "{\"request\":{\"method\":\"GET\",\"target\":\"/v0/posts\"},\"response\":{}}", NULL);
}

/* v1.23 to v1.41 is v1.23 to v1.24 and that to v1.41. */
static void steps_compose(void **state)
{
    static const char *const bodies[] = {"{\"message\":\"a\"}",
                                         "{ \"message\" : \"\\u00e9\\n\", \"x\": 1 }"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char in[256], middle[512];
        snprintf(in, sizeof in,
                 "{\"request\":{\"method\":\"GET\",\"target\":\"/v1.23/containers/1/json\"},"
                 "\"response\":{\"status\":404,\"body\":%s}}",
                 bodies[i]);
        char *whole = replay("engine", "v1.41", true, in);
        char upper[256];
        snprintf(upper, sizeof upper,
                 "{\"request\":{\"method\":\"GET\",\"target\":\"/v1.24/containers/1/json\"},"
                 "\"response\":{\"status\":404,\"body\":%s}}",
                 bodies[i]);
        char *first = replay("engine", "v1.41", true, upper);
        snprintf(middle, sizeof middle,
                 "{\"request\":{\"method\":\"GET\",\"target\":\"/v1.23/containers/1/"
                 "json\"},\"response\":%s}",
                 first);
        char *second = replay("engine", "v1.24", true, middle);
        assert_non_null(whole);
        assert_string_equal(whole, second);
        free(whole);
        free(first);
        free(second);
    }
    const char *request = "{\"method\":\"POST\",\"target\":\"/v1.23/containers/a%20b/"
                          "copy\",\"headers\":{\"x-a\":\"1\"},"
                          "\"body\":{\"Resource\":\"/x y\"}}";
    char *whole = replay("engine", "v1.41", false, request),
         *first = replay("engine", "v1.24", false, request);
    char *second = replay("engine", "v1.41", false, first);
    assert_string_equal(whole, second);
    assert_non_null(strstr(whole, "\"target\":\"/v1.41/containers/a%20b/archive?path=/x%20y\""));
    free(whole);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_what_the_backend_gets),
        cmocka_unit_test(answers_are_what_the_client_gets),
        cmocka_unit_test(steps_compose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
