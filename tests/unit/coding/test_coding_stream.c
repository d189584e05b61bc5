/* Codings in pieces: whatever the cuts, the same bytes; what is there can be read at once; bounded shares. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/coding/stream.h"

static const dg_coding codings[] = {DG_CODING_GZIP, DG_CODING_DEFLATE, DG_CODING_BR, DG_CODING_ZSTD};
enum { CODINGS = sizeof codings / sizeof *codings, TEXT = 200000 };

static char *make_text(void)
{
    char *text = malloc(TEXT);
    assert_non_null(text);
    uint32_t noise = 1;
    for (size_t i = 0; i < TEXT; i++) {
        noise = noise * 1664525u + 1013904223u;
        text[i] = i % 64 < 40 ? "{\"order_id\":17,\"status\":\"shipped\"},"[i % 35] : (char)(noise >> 24);
    }
    return text;
}

static dg_status decode_all(dg_decoder *d, dg_slice in, size_t share, dg_buf *out)
{
    dg_status status = DG_AGAIN;
    while (status == DG_AGAIN) {
        size_t before = out->len;
        status = dg_decoder_feed(d, &in, share, out);
        assert_true(out->len - before <= share);
    }
    return status;
}

static void each_piece_can_be_read_at_once(void **state)
{
    (void)state;
    char *text = make_text();
    for (size_t c = 0; c < CODINGS; c++)
        for (size_t step = 1; step < TEXT; step = step * 23 + 1) {
            size_t total = step < 10 ? 300 : TEXT;
            dg_encoder *e;
            dg_decoder *d;
            dg_buf coded, back;
            dg_buf_init(&coded, 0);
            dg_buf_init(&back, 0);
            assert_int_equal(dg_encoder_new(codings[c], &e), DG_OK);
            assert_int_equal(dg_decoder_new(codings[c], &d), DG_OK);
            for (size_t at = 0; at < total; at += step) {
                size_t n = total - at < step ? total - at : step;
                dg_buf_clear(&coded);
                assert_int_equal(dg_encoder_feed(e, dg_slice_of(text + at, n), at + n == total, &coded), DG_OK);
                size_t half = coded.len / 2;
                assert_int_equal(decode_all(d, dg_slice_of(coded.ptr, half), 1000, &back), DG_OK);
                assert_int_equal(decode_all(d, dg_slice_of(coded.ptr + half, coded.len - half), 1000, &back), DG_OK);
                assert_int_equal(back.len, at + n);
                assert_int_equal(dg_decoder_is_whole(d), at + n == total);
            }
            assert_memory_equal(back.ptr, text, total);
            dg_slice rubbish = DG_SLICE("rubbish behind it");
            assert_int_equal(decode_all(d, rubbish, 1000, &back), DG_SYNTAX);
            dg_encoder_free(e);
            dg_decoder_free(d);
            dg_buf_free(&coded);
            dg_buf_free(&back);
        }
    free(text);
}

static void whole_messages_are_read_byte_by_byte(void **state)
{
    (void)state;
    char *text = make_text();
    dg_coder *coder;
    assert_int_equal(dg_coder_new(&coder), DG_OK);
    for (size_t c = 0; c < CODINGS; c++) {
        dg_buf coded, back;
        dg_decoder *d;
        dg_buf_init(&coded, 0);
        dg_buf_init(&back, 0);
        assert_int_equal(dg_coder_encode(coder, codings[c], dg_slice_of(text, 5000), &coded), DG_OK);
        assert_int_equal(dg_decoder_new(codings[c], &d), DG_OK);
        for (size_t i = 0; i < coded.len; i++) {
            assert_false(dg_decoder_is_whole(d));
            assert_int_equal(decode_all(d, dg_slice_of(coded.ptr + i, 1), 64, &back), DG_OK);
        }
        assert_true(dg_decoder_is_whole(d));
        assert_int_equal(back.len, 5000);
        assert_memory_equal(back.ptr, text, 5000);
        dg_decoder_free(d);
        dg_buf_free(&coded);
        dg_buf_free(&back);
    }
    dg_coder_free(coder);
    free(text);
}

static void damage_is_noticed(void **state)
{
    (void)state;
    for (size_t c = 0; c < CODINGS; c++) {
        dg_decoder *d;
        dg_buf out;
        dg_buf_init(&out, 0);
        assert_int_equal(dg_decoder_new(codings[c], &d), DG_OK);
        assert_int_equal(decode_all(d, DG_SLICE("\xff\xff\xff\xff\xff\xff\xff\xff no coding at all"), 64, &out), DG_SYNTAX);
        dg_decoder_free(d);
        dg_buf_free(&out);
    }
    dg_decoder *d;
    dg_encoder *e;
    assert_int_equal(dg_decoder_new(DG_CODING_UNKNOWN, &d), DG_UNSUPPORTED);
    assert_int_equal(dg_encoder_new(DG_CODING_IDENTITY, &e), DG_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_piece_can_be_read_at_once),
                                       cmocka_unit_test(whole_messages_are_read_byte_by_byte),
                                       cmocka_unit_test(damage_is_noticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
