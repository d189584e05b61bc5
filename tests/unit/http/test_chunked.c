#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proxy/http/chunked.h"

/* DG_SLICE for static tables. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const struct {
    const char *name;
    dg_slice coded;
    const char *data; /* NULL: refused */
    size_t rest;      /* bytes behind the message */
} cases[] = {
    {"y_two_chunks", BYTES("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "abcde", 0},
    {"y_empty", BYTES("0\r\n\r\n"), "", 0},
    {"y_zeros_and_case", BYTES("000A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n"),
     "01234567890123456789", 0},
    {"y_extensions", BYTES("1;a;b=c;d=\"e\\\"; f\"\r\nx\r\n0;z\r\n\r\n"), "x", 0},
    {"y_trailers", BYTES("1\r\nx\r\n0\r\nX-T: 1\r\nContent-Length: 3\r\nE:\r\n\r\n"), "x", 0},
    {"y_next_message_is_left", BYTES("1\r\nx\r\n0\r\n\r\nGET /"), "x", 5},
    {"n_prefix", BYTES("0x1\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_plus", BYTES("+1\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_no_size", BYTES("\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_only_extension", BYTES(";a\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_space_before", BYTES(" 1\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_space_behind", BYTES("1 \r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_space_before_extension", BYTES("1 ;a\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_lf", BYTES("1\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_cr", BYTES("1\rx\r\n0\r\n\r\n"), NULL, 0},
    {"n_17_digits", BYTES("00000000000000001\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_2_64_7", BYTES("10000000000000007\r\nabcdefg\r\n0\r\n\r\n"), NULL, 0},
    {"n_2_63", BYTES("8000000000000000\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_data_too_long", BYTES("1\r\nxy\r\n0\r\n\r\n"), NULL, 0},
    {"n_data_ends_by_lf", BYTES("1\r\nx\n0\r\n\r\n"), NULL, 0},
    {"n_data_ends_by_cr", BYTES("1\r\nx\r0\r\n\r\n"), NULL, 0},
    {"n_empty_extension", BYTES("1;\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_extension_no_value", BYTES("1;a=\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_extension_open_quote", BYTES("1;a=\"b\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_extension_behind_quote", BYTES("1;a=\"b\"c\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_extension_bare_cr", BYTES("1;a\rb\r\nx\r\n0\r\n\r\n"), NULL, 0},
    {"n_trailer_space", BYTES("0\r\nX : 1\r\n\r\n"), NULL, 0},
    {"n_trailer_fold", BYTES("0\r\nX: 1\r\n y\r\n\r\n"), NULL, 0},
    {"n_trailer_control", BYTES("0\r\nX: \x01\r\n\r\n"), NULL, 0},
    {"n_trailer_no_name", BYTES("0\r\n: 1\r\n\r\n"), NULL, 0},
    {"n_trailer_bare_lf", BYTES("0\r\nX: 1\n\r\n"), NULL, 0},
    {"n_end_by_lf", BYTES("0\r\n\n"), NULL, 0},
};

/* Feeds pieces of `step` bytes; gives the last status, the data, and how much was left over. */
static dg_status decode(dg_slice coded, size_t step, dg_buf *data, size_t *rest)
{
    dg_chunked decoder = {0};
    dg_status status = DG_OK;
    dg_buf_clear(data);
    while (coded.len && !decoder.done && status == DG_OK) {
        dg_slice piece = {NULL, 0};
        size_t consumed = 0;
        status = dg_chunked_decode(&decoder, dg_slice_until(coded, step), &consumed, &piece);
        dg_buf_add(data, piece);
        coded = dg_slice_from(coded, consumed);
    }
    *rest = coded.len;
    if (status != DG_OK)
        assert_non_null(decoder.error);
    else
        assert_int_equal(decoder.data_bytes, data->len);
    return status == DG_OK && !decoder.done ? DG_AGAIN : status;
}

static void bodies_decode_alike_at_every_step(void **state)
{
    (void)state;
    dg_buf data;
    dg_buf_init(&data, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t step = 1; step <= cases[i].coded.len; step++) {
            size_t rest = 0;
            dg_status status = decode(cases[i].coded, step, &data, &rest);
            if ((status == DG_OK) != (cases[i].data != NULL) || status == DG_AGAIN)
                fail_msg("%s, step %zu: %s", cases[i].name, step, dg_status_text(status));
            if (!cases[i].data)
                continue;
            assert_true(dg_slice_eq(dg_buf_slice(&data), dg_slice_str(cases[i].data)));
            assert_int_equal(rest, cases[i].rest);
        }
    dg_buf_free(&data);
}

static void every_prefix_wants_more(void **state)
{
    (void)state;
    dg_buf data;
    dg_buf_init(&data, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t len = 1; cases[i].data && len + cases[i].rest < cases[i].coded.len; len++) {
            size_t rest;
            assert_int_equal(decode(dg_slice_until(cases[i].coded, len), len, &data, &rest),
                             DG_AGAIN);
        }
    dg_buf_free(&data);
}

static dg_status decode_repeated(const char *before, const char *unit, size_t times,
                                 const char *end)
{
    dg_buf coded, data;
    dg_buf_init(&coded, 0);
    dg_buf_init(&data, 0);
    dg_buf_add_str(&coded, before);
    for (size_t i = 0; i < times; i++)
        dg_buf_add_str(&coded, unit);
    dg_buf_add_str(&coded, end);
    assert_int_equal(coded.status, DG_OK);
    size_t rest;
    dg_status status = decode(dg_buf_slice(&coded), coded.len, &data, &rest);
    dg_buf_free(&coded);
    dg_buf_free(&data);
    return status;
}

static void overhead_is_bounded(void **state)
{
    (void)state;
    const char *end = "\r\nx\r\n0\r\n\r\n";
    /* ";" and the CR count as well */
    assert_int_equal(decode_repeated("1;", "a", DG_CHUNK_EXTENSION_BYTES_MAX - 1, end), DG_OK);
    assert_int_equal(decode_repeated("1;", "a", DG_CHUNK_EXTENSION_BYTES_MAX, end), DG_LIMIT);
    assert_int_equal(decode_repeated("", "1;aaaaaaa\r\nx\r\n", 8000, "0\r\n\r\n"), DG_OK);
    assert_int_equal(decode_repeated("", "1;aaaaaaa\r\nx\r\n", 10000, "0\r\n\r\n"), DG_LIMIT);
    assert_int_equal(decode_repeated("", "1\r\nx\r\n", 100000, "0\r\n\r\n"), DG_OK);
    assert_int_equal(decode_repeated("0\r\n", "a:\r\n", DG_CHUNK_TRAILERS_MAX, "\r\n"), DG_OK);
    assert_int_equal(decode_repeated("0\r\n", "a:\r\n", DG_CHUNK_TRAILERS_MAX + 1, "\r\n"),
                     DG_LIMIT);
    assert_int_equal(decode_repeated("0\r\na:", "b", DG_CHUNK_TRAILER_BYTES_MAX - 4, "\r\n\r\n"),
                     DG_OK);
    assert_int_equal(decode_repeated("0\r\na:", "b", DG_CHUNK_TRAILER_BYTES_MAX - 3, "\r\n\r\n"),
                     DG_LIMIT);
}

static void a_failed_decoder_stays_failed(void **state)
{
    (void)state;
    dg_chunked decoder = {0};
    size_t consumed;
    dg_slice data;
    assert_int_equal(dg_chunked_decode(&decoder, DG_SLICE(""), &consumed, &data), DG_AGAIN);
    assert_int_equal(dg_chunked_decode(&decoder, DG_SLICE("z"), &consumed, &data), DG_SYNTAX);
    assert_int_equal(dg_chunked_decode(&decoder, DG_SLICE("0\r\n\r\n"), &consumed, &data),
                     DG_SYNTAX);
}

static void trailers_come_apart_from_the_data_at_every_cut(void **state)
{
    (void)state;
    const dg_slice coded = DG_SLICE("1\r\nx\r\n0\r\nX-T: 1\r\nY:\r\n\r\nGET /");
    for (size_t cut = 0; cut <= coded.len; cut++) {
        dg_chunked decoder = {0};
        dg_buf kept;
        dg_buf_init(&kept, 0);
        for (size_t at = 0; at < coded.len && !decoder.done;) {
            const dg_slice in = dg_slice_until(dg_slice_from(coded, at), at < cut ? cut - at : coded.len - at);
            size_t consumed;
            dg_slice data;
            assert_int_equal(dg_chunked_decode(&decoder, in, &consumed, &data), DG_OK);
            dg_buf_add(&kept, decoder.trailer);
            at += consumed;
        }
        assert_true(dg_slice_eq(dg_buf_slice(&kept), DG_SLICE("X-T: 1\r\nY:\r\n")));
        dg_buf_free(&kept);
    }
}

static void chunk_heads_are_hexadecimal(void **state)
{
    (void)state;
    const struct {
        uint64_t bytes;
        const char *want;
    } heads[] = {
        {1, "1\r\n"}, {26, "1a\r\n"}, {65536, "10000\r\n"}, {UINT64_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        char out[DG_CHUNK_HEAD_BYTES_MAX];
        size_t len = dg_chunk_head(out, heads[i].bytes);
        assert_true(dg_slice_eq(dg_slice_of(out, len), dg_slice_str(heads[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_decode_alike_at_every_step),
        cmocka_unit_test(every_prefix_wants_more),
        cmocka_unit_test(overhead_is_bounded),
        cmocka_unit_test(a_failed_decoder_stays_failed),
        cmocka_unit_test(trailers_come_apart_from_the_data_at_every_cut),
        cmocka_unit_test(chunk_heads_are_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
