#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/doc/doc.h"

typedef struct fixture {
    dg_arena arena;
    dg_diags diags;
    const dg_node *root;
    dg_status status;
} fixture;

static void read_text(fixture *f, const char *text)
{
    dg_arena_init(&f->arena, 0);
    dg_diags_init(&f->diags);
    f->root = NULL;
    f->status = dg_doc_read(&f->arena, dg_slice_str(text), "f", &f->diags, &f->root);
}

static void done(fixture *f)
{
    dg_diags_free(&f->diags);
    dg_arena_free(&f->arena);
}

static void places_are_known(void **state)
{
    (void)state;
    fixture f;
    read_text(&f, "a: 1\nlist:\n  - x\n  - {k: \"v\"}\n");
    assert_int_equal(f.status, DG_OK);
    const dg_node *list = dg_node_get(f.root, "list");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->key_origin.line, 2);
    assert_int_equal(list->key_origin.column, 1);
    const dg_node *v = dg_node_get(list->first->next, "k");
    assert_true(v->quoted);
    assert_int_equal(v->origin.line, 4);
    assert_int_equal(v->origin.column, 9);
    assert_int_equal(v->key_origin.column, 6);
    assert_null(dg_node_get(f.root, "b"));
    done(&f);
}

static void values_become_json(void **state)
{
    static const char *const rows[][2] = {
        {"v: 1", "1"},
        {"\xEF\xBB\xBFv: 1\r\n", "1"},
        {"v: -0.50", "-0.50"},
        {"v: 1e400", "1e400"},
        {"v: true", "true"},
        {"v: False", "false"},
        {"v: ~", "null"},
        {"v:", "null"},
        {"v: no", "\"no\""},
        {"v: '1'", "\"1\""},
        {"v: \"\"", "\"\""},
        {"v: 1.2.3", "\"1.2.3\""},
        {"v: 2026-01-01", "\"2026-01-01\""},
        {"v: -", NULL},
        {"v: .", "\".\""},
        {"v: e5", "\"e5\""},
        {"v: {a: [1, x], \"b\": {}}", "{\"a\":[1,\"x\"],\"b\":{}}"},
        {"v: 12345678901234567890", "12345678901234567890"},
        {"v: 0x1F", NULL},
        {"v: 007", NULL},
        {"v: +1", NULL},
        {"v: .5", NULL},
        {"v: 5.", NULL},
        {"v: .inf", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture f;
        read_text(&f, rows[i][0]);
        dg_buf out;
        dg_buf_init(&out, 0);
        bool good = f.status == DG_OK && dg_node_json(dg_node_get(f.root, "v"), &f.diags, &out);
        assert_int_equal(good, rows[i][1] != NULL);
        assert_int_equal(f.diags.errors, rows[i][1] == NULL);
        if (good) {
            dg_buf_add_char(&out, '\0');
            assert_string_equal(out.ptr, rows[i][1]);
        }
        dg_buf_free(&out);
        done(&f);
    }
}

static void what_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"", "the file is empty"},
        {"a: &x 1", "anchors (&name) are not part of this language"},
        {"a: !t 1", "tags (!name) are not part of this language"},
        {"a: *x", "aliases (*name) are not part of this language"},
        {"<<: {}", "merge keys (<<) are not part of this language"},
        {"[a]: 1", "a key must be a name, not a list or a map"},
        {"a: 1\n'a': 2", "'a' comes twice in this map, first in line 1"},
        {"a: 1\n---\nb: 1", "a file holds one document; a second one begins here"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture f;
        read_text(&f, rows[i][0]);
        assert_int_equal(f.status, DG_INVALID);
        assert_null(f.root);
        assert_string_equal(f.diags.first->message, rows[i][1]);
        done(&f);
    }
    fixture f;
    read_text(&f, "1: a\n'1': b\n"); /* a number and a string */
    assert_int_equal(f.status, DG_OK);
    done(&f);
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = '\0';
    fixture f;
    read_text(&f, deep);
    assert_int_equal(f.status, DG_INVALID);
    assert_string_equal(f.diags.first->message, "values are nested deeper than 64");
    done(&f);

    size_t bytes = DG_DOC_BYTES_MAX + 1;
    char *large = test_malloc(bytes + 1);
    memset(large, ' ', bytes);
    large[bytes] = '\0';
    read_text(&f, large);
    assert_int_equal(f.status, DG_INVALID);
    done(&f);
    for (size_t i = 1; i < 239999; i += 2)
        memcpy(large + i, "1,", 2);
    large[0] = '[';
    large[239999] = ']';
    large[240000] = '\0';
    read_text(&f, large);
    assert_int_equal(f.status, DG_INVALID);
    assert_string_equal(f.diags.first->message, "the file has too many values");
    done(&f);
    test_free(large);
}

static void getters_say_what_they_found(void **state)
{
    (void)state;
    static const char *const known[] = {"name", "size", "on", "list", NULL};
    fixture f;
    read_text(&f, "name: [a]\nsize: 70\non: yes\nlist: x\nsise: 1\n");
    dg_slice text;
    uint64_t n = 0;
    bool on;
    assert_false(dg_node_want_string(dg_node_get(f.root, "name"), "a name", &f.diags, &text));
    assert_false(dg_node_want_u64(dg_node_get(f.root, "size"), "a size", 1, 64, &f.diags, &n));
    assert_true(dg_node_want_u64(dg_node_get(f.root, "size"), "a size", 1, 99, &f.diags, &n));
    assert_int_equal(n, 70);
    assert_false(dg_node_want_bool(dg_node_get(f.root, "on"), "true or false", &f.diags, &on));
    assert_false(dg_node_want_list(dg_node_get(f.root, "list"), "a list of names", &f.diags));
    assert_false(dg_node_check_keys(f.root, known, &f.diags));
    static const char *const expected[] = {
        "expected a name, found a list", "expected a size from 1 to 64, found 70",
        "expected true or false, found a string", "expected a list of names, found a string",
        "'sise' is not known here; did you mean 'size'?"};
    const dg_diag *d = f.diags.first;
    for (size_t i = 0; i < 5; i++, d = d->next)
        assert_string_equal(d->message, expected[i]);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_known),
        cmocka_unit_test(values_become_json),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(getters_say_what_they_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
