/* The layout of change files, and files of the format before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/doc/fmt.h"
#include "rules/doc/upgrade.h"

typedef dg_status rewriter(dg_slice text, const char *file, dg_diags *diags, dg_buf *out);

static void becomes_by(rewriter *rewrite, const char *text, const char *expected)
{
    dg_diags diags;
    dg_buf out, again;
    dg_diags_init(&diags);
    dg_buf_init(&out, 0);
    dg_buf_init(&again, 0);
    dg_status status = rewrite(dg_slice_str(text), "a.yaml", &diags, &out);
    dg_diags_print(&diags, stderr);
    assert_int_equal(status, DG_OK);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected);
    out.len--;
    assert_int_equal(rewrite(dg_buf_slice(&out), "a.yaml", &diags, &again), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&again)));
    dg_buf_free(&out);
    dg_buf_free(&again);
    dg_diags_free(&diags);
}

static void becomes(const char *text, const char *expected)
{
    becomes_by(dg_fmt, text, expected);
}

static void refuses(const char *text, const char *message)
{
    dg_diags diags;
    dg_buf out;
    dg_diags_init(&diags);
    dg_buf_init(&out, 0);
    dg_buf_add_str(&out, "before");
    assert_int_equal(dg_fmt(dg_slice_str(text), "a.yaml", &diags, &out), DG_INVALID);
    assert_int_equal(out.len, 6);
    assert_non_null(diags.first);
    assert_non_null(strstr(diags.first->message, message));
    dg_buf_free(&out);
    dg_diags_free(&diags);
}

static void blocks_and_lines(void **state)
{
    (void)state;
    becomes(
        "change:   A title\nbetween: [ v1,v2 ]\nendpoints: {GET /x: {response: [ {wrap: data} "
        "]}}\n",
        "change: A title\nbetween: [v1, v2]\nendpoints:\n  GET /x: {response: [{wrap: data}]}\n");
    becomes("lenses:\n  A:\n  - rename:\n     a: b\n  -   B\n  -\n    each: [\n      B,\n    C]\n",
            "lenses:\n  A:\n    - rename:\n        a: b\n    - B\n    - each: [B, C]\n");
    becomes("a: {}\nb: []\nc:\nd: [{e: , f: ~}]\n", "a: {}\nb: []\nc:\nd: [{e: null, f: ~}]\n");
    /* What does not fit on a line is broken from the outside. */
    becomes(
        "a:\n  b: [{rename: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}}, "
        "{rename: {cccccccccccccccccc: ddddddddddddddd}}]\n",
        "a:\n  b:\n    - {rename: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}}\n"
        "    - {rename: {cccccccccccccccccc: ddddddddddddddd}}\n");
}

static void quotes_where_needed(void **state)
{
    (void)state;
    becomes("a: \"plain\"\n'b c': 'GET /x/{id}'\nc: [{'x{': 'y,z', \"d\": 'e f'}]\n",
            "a: plain\nb c: GET /x/{id}\nc: [{\"x{\": \"y,z\", d: e f}]\n");
    becomes("- '7'\n- 'true'\n- 'null'\n- ''\n- 'no'\n- ' x'\n- 'x '\n- '- x'\n- 'a: b'\n- 'a "
            "#b'\n- '~'\n- '2026-01-01'\n",
            "- \"7\"\n- \"true\"\n- \"null\"\n- \"\"\n- \"no\"\n- \" x\"\n- \"x \"\n- \"- x\"\n- "
            "\"a: b\"\n- \"a #b\"\n"
            "- \"~\"\n- \"2026-01-01\"\n");
    becomes("- '^\\d+$'\n- \"it's \\\\ \\\" \\n \\x01\"\n- |\n  two\n  lines\n- a\n  b\n",
            "- '^\\d+$'\n- \"it's \\\\ \\\" \\n \\x01\"\n- \"two\\nlines\\n\"\n- a b\n");
}

static void comments_stay(void **state)
{
    (void)state;
    becomes("# first\n\n\n# second\na: 1 # beside\n\n\n# above b\nb:   # opens\n    # above c\n    "
            "c: 2   # two\n"
            "    d: \"# none\"      # far\n# tail\n",
            "# first\n# second\na: 1  # beside\n\n# above b\nb:   # opens\n  # above c\n  c: 2     "
            "# two\n"
            "  d: \"# none\"        # far\n# tail\n");
    becomes("a:\n- {x: 1, # in a map\n  y: [2, 3]} # at its end\n- b\n",
            "a:\n  - x: 1  # in a map\n    y: [2, 3]  # at its end\n  - b\n");
    becomes("\xEF\xBB\xBF# \xC3\xA4\r\na: \"\xC3\xA4\" # \xC3\xB6\r\n",
            "# \xC3\xA4\na: \"\xC3\xA4\"  # \xC3\xB6\n");
}

static void what_would_be_lost_is_refused(void **state)
{
    (void)state;
    refuses("a: | # beside the bar\n  text\n", "put it above");
    refuses("a: 1\rb: 2\n", "line ends");
    refuses("a: 1\xC2\x85", "line ends");
    refuses("a: [\n", "");
    refuses("7", "expected a map");
    refuses("a: &b 1\n", "anchors");
}

static void the_format_before(void **state)
{
    (void)state;
    becomes_by(dg_upgrade_change,
               "change: 7\nlenses:\n  A:\n    - {rename: {a: b}, lossy: accept}\n    # nothing\n   "
               " - drop: {}\n"
               "    - {drop: c, lossy: accept}\n    - {drop: {d: 1}, lossy: accept}\n"
               "    - in: {at: e, do: [{add: {f: 1}, lossy: accept}, {rename: {}}, B]}\n"
               "endpoints:\n  - GET /x: {response: [{each: A, lossy: accept}]}\n",
               "change: \"7\"\nlenses:\n  A:\n    - {rename: {a: b}}\n    # nothing\n    - {drop: "
               "c, lossy: accept}\n"
               "    - {drop: {d: 1}}\n    - in: {at: e, do: [{add: {f: 1}}, B]}\n"
               "endpoints:\n  - GET /x: {response: [{each: A}]}\n");
    becomes_by(dg_upgrade_api, "# about\n\napi: x # name\nversions: [v1]\n",
               "# about\n\ndragoman: 1\napi: x # name\nversions: [v1]\n");
    becomes_by(dg_upgrade_api, "{\"api\": \"x\"}", "{\"dragoman\": 1, \"api\": \"x\"}");
    becomes_by(dg_upgrade_api, "---\n  api: x\n  base: /\n",
               "---\n  dragoman: 1\n  api: x\n  base: /\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_lines),  cmocka_unit_test(quotes_where_needed),
        cmocka_unit_test(comments_stay),     cmocka_unit_test(what_would_be_lost_is_refused),
        cmocka_unit_test(the_format_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
