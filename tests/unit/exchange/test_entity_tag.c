#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/exchange/entity_tag.h"

static const dg_version version = {.name = "v1"}, newer = {.name = "v2"}, newest = {.name = "v3"};

static dg_match match_of(const dg_api *api)
{
    return (dg_match){.api = api, .version = &version, .backend = &newer};
}

/* The client's tag, NUL-terminated, or NULL. The caller frees the buffer. */
static const char *for_client(const dg_match *match, const char *tag, dg_buf *buf)
{
    dg_buf_init(buf, 0);
    if (!dg_entity_tag_for_client(match, dg_slice_str(tag), buf))
        return NULL;
    dg_buf_add_char(buf, '\0');
    return buf->ptr;
}

static void a_tag_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const tags[] = {"\"abc\"", "W/\"abc\"", "\"\"", "\"a,b;v1-0\"", "\"\xc3\xa9\""};
    const dg_api api = {.digest = 7};
    const dg_match match = match_of(&api);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        dg_buf there, back;
        const char *tag = for_client(&match, tags[i], &there);
        assert_non_null(tag);
        assert_true(strstr(tag, ";v1-") != NULL);
        dg_buf_init(&back, 0);
        assert_true(dg_entity_tags_for_backend(&match, dg_slice_str(tag), false, &back));
        assert_true(dg_slice_eq(dg_buf_slice(&back), dg_slice_str(tags[i])));
        dg_buf_free(&there);
        dg_buf_free(&back);
    }
}

static void other_rules_make_another_tag(void **state)
{
    (void)state;
    const dg_api one = {.digest = 1}, two = {.digest = 2};
    const dg_match match_one = match_of(&one), match_two = match_of(&two);
    dg_buf a, b, asked;
    const char *tag = for_client(&match_one, "\"abc\"", &a);
    assert_string_not_equal(tag, for_client(&match_two, "\"abc\"", &b));
    dg_buf_init(&asked, 0);
    assert_false(dg_entity_tags_for_backend(&match_two, dg_slice_str(tag), false, &asked));
    assert_int_equal(asked.len, 0);
    assert_true(dg_entity_tags_for_backend(&match_two, dg_slice_str(tag), true, &asked));
    assert_true(dg_slice_eq(dg_buf_slice(&asked), dg_slice_str(tag)));
    dg_buf_free(&a);
    dg_buf_free(&b);
    dg_match other_backend = match_one; /* the same rules, from another version */
    other_backend.backend = &newest;
    tag = for_client(&match_one, "\"abc\"", &a);
    assert_string_not_equal(tag, for_client(&other_backend, "\"abc\"", &b));
    dg_buf_free(&a);
    dg_buf_free(&b);
    dg_buf_free(&asked);
}

static void what_is_no_tag_is_left_out(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "abc", "\"abc", "abc\"", "\"", "w/\"abc\"", "\"a b\"", "\"a\"b\"", "*"};
    const dg_api api = {.digest = 7};
    const dg_match match = match_of(&api);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dg_buf buf;
        assert_null(for_client(&match, wrong[i], &buf));
        assert_int_equal(buf.len, 0);
    }
}

static void a_star_stays_a_star(void **state)
{
    (void)state;
    const dg_api api = {.digest = 7};
    const dg_match match = match_of(&api);
    dg_buf asked;
    dg_buf_init(&asked, 0);
    assert_true(dg_entity_tags_for_backend(&match, DG_SLICE("\"other\", *"), false, &asked));
    assert_true(dg_slice_eq(dg_buf_slice(&asked), DG_SLICE("*")));
    dg_buf_free(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_comes_back_as_it_was),
        cmocka_unit_test(other_rules_make_another_tag),
        cmocka_unit_test(what_is_no_tag_is_left_out),
        cmocka_unit_test(a_star_stays_a_star),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
