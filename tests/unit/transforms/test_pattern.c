/* Patterns: what they match, what they are refused for, and that they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transforms/pattern.h"

static dg_arena arena;
static dg_diags diags;

static int set_up(void **state)
{
    (void)state;
    dg_arena_init(&arena, 0);
    dg_diags_init(&diags);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    return 0;
}

static const dg_pattern *pattern_of(const char *text)
{
    const dg_pattern *pattern = NULL;
    const dg_origin origin = {"pack.yaml", 3, 5};
    assert_int_equal(dg_pattern_new(&arena, dg_slice_str(text), origin, &diags, &pattern), DG_OK);
    assert_true(dg_slice_eq(dg_pattern_text(pattern), dg_slice_str(text)));
    return pattern;
}

static void they_match_text(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *subject;
        bool matches;
    } rows[] = {{"^x-", "x-a", true},
                {"^x-", "ax-", false},
                {"", "", true},
                {"a", "", false},
                {"^.$", "\xC3\xA9", true},
                {"^..$", "\xC3\xA9", false},
                {"(?i)ABC", "abc", true},
                {"^\\d+$", "123", true},
                {"^\\d+$", "12a", false},
                {"\\bcat\\b", "a cat.", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool matches = !rows[i].matches;
        assert_int_equal(
            dg_pattern_match(pattern_of(rows[i].pattern), NULL, dg_slice_str(rows[i].subject), &matches),
            DG_OK);
        assert_int_equal(matches, rows[i].matches);
    }
}

static void what_matches_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *subject, *with, *out;
    } rows[] = {{"a", "banana", "o", "bonono"},
                {"(.)(.)", "abcd", "$2$1", "badc"},
                {"x*", "axb", "-", "-a--b-"},
                {"", "\xC3\xA9", ".", ".\xC3\xA9."},
                {"b", "abc", "[$0]", "a[b]c"},
                {"b", "abc", "$$1", "a$1c"},
                {"b", "abc", "$", "a$c"},
                {"b", "abc", "$x$9", "a$xc"},
                {"(a)|(b)", "ab", "<$1$2>", "<a><b>"},
                {"\\s+$", "a  ", "", "a"},
                {"z", "abc", "y", "abc"},
                {"a", "", "y", ""},
                {"(?<=a)b", "abab", "c", "acac"},
                {"a\\Kb", "abab", "c", "acac"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        dg_buf_add_str(&out, "=");
        assert_int_equal(dg_pattern_replace(pattern_of(rows[i].pattern), NULL,
                                            dg_slice_str(rows[i].subject),
                                            dg_slice_str(rows[i].with), &out),
                         DG_OK);
        dg_buf_add_char(&out, '\0');
        assert_string_equal(out.ptr + 1, rows[i].out);
        dg_buf_free(&out);
    }
}

static void wrong_ones_are_told(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "(", "a)", "[", "*", "\\", "a\\Cb", "(?<n", "()()()()()()()()()()", "\xFF"};
    char long_[DG_PATTERN_BYTES_MAX + 2];
    memset(long_, 'a', sizeof long_ - 1);
    long_[sizeof long_ - 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        const dg_pattern *pattern = NULL;
        const char *text = i < sizeof bad / sizeof *bad ? bad[i] : long_;
        const dg_origin origin = {"pack.yaml", 3, 5};
        assert_int_equal(dg_pattern_new(&arena, dg_slice_str(text), origin, &diags, &pattern),
                         DG_INVALID);
        assert_null(pattern);
        assert_int_equal(diags.errors, i + 1);
    }
    assert_int_equal(diags.first->origin.line, 3);
    assert_string_equal(diags.first->message,
                        "the pattern is wrong at its character 2: missing closing parenthesis");
}

static void none_takes_too_long(void **state)
{
    (void)state;
    static const char *const slow[] = {"(a+)+$", "(a|aa)+$", "(.*)*x", "(?:a?){30}a{30}b"};
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        char subject[4000];
        bool matches;
        dg_buf out;
        memset(subject, 'a', sizeof subject - 1);
        subject[sizeof subject - 1] = '!';
        dg_buf_init(&out, 0);
        dg_buf_add_str(&out, "=");
        const dg_pattern *pattern = pattern_of(slow[i]);
        dg_status status =
            dg_pattern_match(pattern, NULL, dg_slice_of(subject, sizeof subject), &matches);
        assert_true(status == DG_LIMIT || (status == DG_OK && !matches));
        assert_int_equal(
            dg_pattern_replace(pattern, NULL, dg_slice_of(subject, sizeof subject), DG_SLICE("b"), &out),
            status);
        assert_true(status == DG_OK || out.len == 1);
        dg_buf_free(&out);
    }
}

/* Where each place takes its time, long subjects get less of it for each. */
static void long_subjects_end_too(void **state)
{
    (void)state;
    enum { LONG = 200000 };
    char *subject = malloc(LONG);
    bool matches;
    assert_non_null(subject);
    memset(subject, 'a', LONG);
    assert_int_equal(dg_pattern_match(pattern_of("[ab]*a[ab]*c|[ab]*?[cd]"), NULL,
                                      dg_slice_of(subject, LONG), &matches),
                     DG_LIMIT);
    assert_int_equal(dg_pattern_match(pattern_of("ab$"), NULL, dg_slice_of(subject, LONG), &matches),
                     DG_OK);
    assert_false(matches);
    free(subject);
}

/* A message of many texts gets no more than one text of its length. */
static void many_subjects_share_their_steps(void **state)
{
    (void)state;
    const dg_pattern *pattern = pattern_of("(a+)+$");
    dg_matcher matcher;
    dg_status status = DG_OK;
    size_t count = 0;
    bool matches;
    dg_matcher_init(&matcher);
    dg_matcher_begin(&matcher, 100000 * 14);
    for (; count < 100000 && status == DG_OK; count++)
        status = dg_pattern_match(pattern, &matcher, DG_SLICE("aaaaaaaaaaaaa!"), &matches);
    assert_int_equal(status, DG_LIMIT);
    assert_in_range(count, 10, 2000);
    dg_matcher_begin(&matcher, 100000 * 14);
    pattern = pattern_of("^(.*)-(\\d+)$");
    for (count = 0; count < 100000; count++)
        assert_int_equal(dg_pattern_match(pattern, &matcher, DG_SLICE("images-and-17"), &matches),
                         DG_OK);
    assert_true(matches);
    dg_matcher_free(&matcher);
}

/* One item that runs along the text from every place of it. */
static void items_that_run_far_cost_more(void **state)
{
    (void)state;
    enum { LONG = 400000 };
    char *subject = malloc(LONG);
    bool matches;
    assert_non_null(subject);
    memset(subject, 'a', LONG);
    assert_int_equal(
        dg_pattern_match(pattern_of("[ab]*+[cd]"), NULL, dg_slice_of(subject, LONG), &matches),
        DG_LIMIT);
    free(subject);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    dg_buf out;
    dg_buf_init(&out, 4);
    dg_buf_add_str(&out, "abc");
    assert_int_equal(dg_pattern_replace(pattern_of("x"), NULL, DG_SLICE("xx"), DG_SLICE("yy"), &out),
                     DG_LIMIT);
    assert_true(dg_slice_eq(dg_buf_slice(&out), DG_SLICE("abc")));
    assert_int_equal(out.status, DG_OK);
    dg_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_match_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_matches_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_ones_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_takes_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_subjects_end_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_subjects_share_their_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(items_that_run_far_cost_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_buffer_is_left_as_it_was, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
