#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/diag.h"
#include "base/hash.h"

static void arena_is_sticky_past_its_limit(void **state)
{
    (void)state;
    dg_arena arena;
    dg_arena_init(&arena, 8192);
    assert_non_null(dg_arena_alloc(&arena, 100));
    assert_null(dg_arena_alloc(&arena, 100000));
    assert_true(dg_arena_failed(&arena));
    assert_null(dg_arena_alloc(&arena, 1));
    dg_arena_reset(&arena);
    assert_false(dg_arena_failed(&arena));
    assert_non_null(dg_arena_alloc(&arena, 100));
    dg_arena_free(&arena);
}

static void arena_keeps_what_it_gave(void **state)
{
    (void)state;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_slice kept[2000];
    for (size_t i = 0; i < 2000; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "value %zu", i);
        kept[i] = dg_arena_dup(&arena, dg_slice_of(text, (size_t)len));
        assert_int_equal((uintptr_t)kept[i].ptr % 16, 0);
    }
    for (size_t i = 0; i < 2000; i++) {
        char text[32];
        snprintf(text, sizeof text, "value %zu", i);
        assert_string_equal(kept[i].ptr, text);
    }
    dg_arena_free(&arena);
}

static void buf_stops_at_its_limit(void **state)
{
    (void)state;
    dg_buf buf;
    dg_buf_init(&buf, 10);
    dg_buf_add_str(&buf, "12345678");
    assert_int_equal(buf.status, DG_OK);
    dg_buf_add_str(&buf, "abc");
    assert_int_equal(buf.status, DG_LIMIT);
    assert_int_equal(buf.len, 8);
    dg_buf_add_str(&buf, "a");
    assert_int_equal(buf.len, 8);
    dg_buf_free(&buf);
}

static void buf_writes_json_strings(void **state)
{
    (void)state;
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_buf_add_json(&buf, DG_SLICE("a\"\\\n\x7f\xc3\xa9\xff\xed\xa0\x80"));
    dg_buf_add_char(&buf, '\0');
    assert_string_equal(buf.ptr,
                        "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\"");
    dg_buf_free(&buf);
}

static void dates_round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t when;
        const char *imf;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"1994-11-06T08:49:37Z", 784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"2024-02-29", 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
        {"2026-01-01T02:00:00.123+02:00", 1767225600, "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"9999-12-31T23:59:59Z", 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t when = -1;
        char imf[DG_IMF_FIXDATE_BYTES];
        assert_int_equal(dg_date_parse(dg_slice_str(rows[i].text), false, &when), DG_OK);
        assert_int_equal(when, rows[i].when);
        dg_date_imf(when, imf);
        assert_memory_equal(imf, rows[i].imf, sizeof imf);
        char back[DG_RFC3339_BYTES];
        int64_t again = -1;
        dg_date_rfc3339(when, back);
        assert_int_equal(dg_date_parse(dg_slice_of(back, sizeof back), false, &again), DG_OK);
        assert_int_equal(again, when);
    }
    int64_t when;
    assert_int_equal(dg_date_parse(DG_SLICE("2027-06-30"), true, &when), DG_OK);
    assert_int_equal(when, 1814399999);
    static const char *const wrong[] = {"", "2026", "2026-13-01", "2025-02-29", "2026-01-01T", "2026-1-1",
                                        "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "2026-01-01x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dg_date_parse(dg_slice_str(wrong[i]), false, &when), DG_SYNTAX);
}

static void diags_come_sorted_and_counted(void **state)
{
    (void)state;
    dg_diags diags;
    dg_diags_init(&diags);
    dg_diags_add(&diags, DG_ERROR, (dg_origin){"b.yaml", 3, 1}, "third");
    dg_diags_add(&diags, DG_WARNING, (dg_origin){"a.yaml", 9, 2}, "second");
    dg_diags_add(&diags, DG_ERROR, (dg_origin){"a.yaml", 2, 7}, "first");
    char text[256] = "";
    FILE *to = fmemopen(text, sizeof text, "w");
    dg_diags_print(&diags, to);
    fclose(to);
    assert_string_equal(text, "a.yaml:2:7: error: first\na.yaml:9:2: warning: second\n"
                              "b.yaml:3:1: error: third\n");
    assert_int_equal(diags.errors, 2);
    dg_diags_free(&diags);
}

static void did_you_mean_finds_the_near_word(void **state)
{
    (void)state;
    static const char *const words[] = {"rename", "drop", "default", NULL};
    assert_string_equal(dg_did_you_mean(DG_SLICE("renmae"), words), "rename");
    assert_null(dg_did_you_mean(DG_SLICE("explode"), words));
}

static void hash_depends_on_every_byte_and_length(void **state)
{
    (void)state;
    char text[64] = {0};
    for (size_t len = 1; len < sizeof text; len++) {
        uint64_t before = dg_hash(dg_slice_of(text, len), 1);
        assert_true(before != dg_hash(dg_slice_of(text, len - 1), 1));
        for (size_t i = 0; i < len; i++) {
            text[i] ^= 1;
            assert_true(before != dg_hash(dg_slice_of(text, len), 1));
            text[i] ^= 1;
        }
    }
    assert_true(dg_hash_seed() == dg_hash_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_is_sticky_past_its_limit), cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(buf_stops_at_its_limit),         cmocka_unit_test(buf_writes_json_strings),
        cmocka_unit_test(dates_round_trip),               cmocka_unit_test(diags_come_sorted_and_counted),
        cmocka_unit_test(did_you_mean_finds_the_near_word),
        cmocka_unit_test(hash_depends_on_every_byte_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
