#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/coding/coding.h"

static const dg_coding codings[] = {DG_CODING_IDENTITY, DG_CODING_GZIP, DG_CODING_DEFLATE, DG_CODING_BR,
                                    DG_CODING_ZSTD};
enum { CODINGS = sizeof codings / sizeof *codings };

static dg_coder *new_coder(void)
{
    dg_coder *coder;
    assert_int_equal(dg_coder_new(&coder), DG_OK);
    return coder;
}

/* Half text, half noise, so that every coding has something to do. */
static char *make_text(size_t bytes)
{
    char *text = malloc(bytes + 1);
    uint32_t noise = 1;
    for (size_t i = 0; i < bytes; i++) {
        noise = noise * 1664525u + 1013904223u;
        text[i] = i % 64 < 40 ? "{\"order_id\":17,\"status\":\"shipped\"},"[i % 35] : (char)(noise >> 24);
    }
    return text;
}

static void every_coding_gives_back_what_went_in(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 16384, 300000};
    dg_coder *coder = new_coder();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        char *text = make_text(sizes[s]);
        for (size_t c = 0; c < CODINGS; c++)
            for (int again = 0; again < 2; again++) { /* the second time with a state that was used */
                dg_buf coded, back;
                dg_buf_init(&coded, 1 << 20);
                dg_buf_init(&back, sizes[s] ? sizes[s] : 1);
                assert_int_equal(dg_coder_encode(coder, codings[c], dg_slice_of(text, sizes[s]), &coded), DG_OK);
                assert_int_equal(dg_coder_decode(coder, codings[c], dg_buf_slice(&coded), &back),
                                 DG_OK);
                assert_int_equal(back.len, sizes[s]);
                if (sizes[s])
                    assert_memory_equal(back.ptr, text, sizes[s]);
                dg_buf_free(&coded);
                dg_buf_free(&back);
            }
        free(text);
    }
    dg_coder_free(coder);
}

static void what_is_cut_or_damaged_is_refused(void **state)
{
    (void)state;
    dg_coder *coder = new_coder();
    char *text = make_text(5000);
    for (size_t c = 1; c < CODINGS; c++) {
        dg_buf coded, back;
        dg_buf_init(&coded, 0);
        dg_buf_init(&back, 1 << 20);
        assert_int_equal(dg_coder_encode(coder, codings[c], dg_slice_of(text, 5000), &coded), DG_OK);
        for (size_t cut = 0; cut < coded.len; cut += cut < 64 || cut > coded.len - 64 ? 1 : 37) {
            /* exactly sized, so that a sanitizer sees one byte too far */
            char *part = malloc(cut ? cut : 1);
            memcpy(part, coded.ptr, cut);
            assert_int_equal(dg_coder_decode(coder, codings[c], dg_slice_of(part, cut), &back), DG_SYNTAX);
            assert_int_equal(back.len, 0);
            free(part);
        }
        dg_buf_add_str(&coded, "x");
        assert_int_equal(dg_coder_decode(coder, codings[c], dg_buf_slice(&coded), &back), DG_SYNTAX);
        assert_int_equal(dg_coder_decode(coder, codings[c], DG_SLICE("{\"n\":1}"), &back), DG_SYNTAX);
        dg_buf_free(&coded);
        dg_buf_free(&back);
    }
    free(text);
    dg_coder_free(coder);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    (void)state;
    dg_coder *coder = new_coder();
    char *zeros = calloc(1, 16 << 20);
    for (size_t c = 1; c < CODINGS; c++) {
        dg_buf coded, back;
        dg_buf_init(&coded, 0);
        dg_buf_init(&back, 1 << 20);
        assert_int_equal(dg_coder_encode(coder, codings[c], dg_slice_of(zeros, 16 << 20), &coded), DG_OK);
        assert_true(coded.len < 100000);
        assert_int_equal(dg_coder_decode(coder, codings[c], dg_buf_slice(&coded), &back), DG_LIMIT);
        assert_int_equal(back.len, 0);
        assert_true(back.cap <= 1 << 20);
        dg_buf_free(&coded);
        dg_buf_free(&back);
    }
    free(zeros);
    dg_coder_free(coder);
}

static void forms_that_others_send_are_read(void **state)
{
    (void)state;
    /* "hi" as two gzip members, and as raw deflate. */
    static const char members[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\0\0\xac\x2e\xa8\xf8\x01\0\0\0"; /* damaged */
    static const char raw[] = "\xcb\xc8\x04\x00";
    dg_coder *coder = new_coder();
    dg_buf one, two, back;
    dg_buf_init(&one, 0);
    dg_buf_init(&two, 0);
    dg_buf_init(&back, 100);
    assert_int_equal(dg_coder_encode(coder, DG_CODING_GZIP, DG_SLICE("h"), &one), DG_OK);
    assert_int_equal(dg_coder_encode(coder, DG_CODING_GZIP, DG_SLICE("i"), &two), DG_OK);
    dg_buf_add(&one, dg_buf_slice(&two));
    assert_int_equal(dg_coder_decode(coder, DG_CODING_GZIP, dg_buf_slice(&one), &back), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&back), DG_SLICE("hi")));
    dg_buf_clear(&back);
    assert_int_equal(
        dg_coder_decode(coder, DG_CODING_DEFLATE, dg_slice_of(raw, sizeof raw - 1), &back), DG_OK);
    assert_true(dg_slice_eq(dg_buf_slice(&back), DG_SLICE("hi")));
    dg_buf_clear(&back);
    assert_int_equal(
        dg_coder_decode(coder, DG_CODING_GZIP, dg_slice_of(members, sizeof members - 1), &back), DG_SYNTAX);
    dg_buf_free(&one);
    dg_buf_free(&two);
    dg_buf_free(&back);
    dg_coder_free(coder);
}

static void names_are_known_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(dg_coding_of(DG_SLICE("GZip")), DG_CODING_GZIP);
    assert_int_equal(dg_coding_of(DG_SLICE("x-gzip")), DG_CODING_GZIP);
    assert_int_equal(dg_coding_of(DG_SLICE("zstd")), DG_CODING_ZSTD);
    assert_int_equal(dg_coding_of(DG_SLICE("compress")), DG_CODING_UNKNOWN);
    assert_true(dg_slice_eq(dg_coding_name(DG_CODING_BR), DG_SLICE("br")));
    dg_coder *coder = new_coder();
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_coder_decode(coder, DG_CODING_UNKNOWN, DG_SLICE("x"), &out), DG_UNSUPPORTED);
    dg_coder_free(coder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_gives_back_what_went_in),
        cmocka_unit_test(what_is_cut_or_damaged_is_refused),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(forms_that_others_send_are_read),
        cmocka_unit_test(names_are_known_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
