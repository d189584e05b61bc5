/* UTF-8: every way in which up to four bytes can be right or wrong, at the edges of blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "try.h"

/* The edges of all ranges in the table of RFC 3629 4. */
static const unsigned char EDGES[] = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                      0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                      0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
enum { EDGE_COUNT = sizeof EDGES };

/* The length of the sequence at p by the number that it stands for, or 0. p ends with ASCII. */
static size_t sequence(const unsigned char *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t number = len > 1 ? p[0] & (0x7Fu >> len) : p[0];
    for (size_t i = 1; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
        number = number << 6 | (p[i] & 0x3F);
    }
    bool wrong = number < least[len] || number > 0x10FFFF || p[0] >= 0xF8 ||
                 (number >= 0xD800 && number <= 0xDFFF);
    return wrong ? 0 : len;
}

static size_t fault(const unsigned char *p, size_t len)
{
    for (size_t i = 0, n; i < len; i += n)
        if ((n = sequence(p + i)) == 0)
            return i;
    return len;
}

static void faults_are_found_where_they_are(void **state)
{
    (void)state;
    static const size_t places[] = {29, 30, 31, 62, 95};
    static const dg_op ops[] = {CAMEL};
    static const dg_ops list = LIST(ops);
    dg_program *program = compile(&list);
    dg_runner *runner;
    dg_buf out;
    size_t right = 0, wrong = 0;
    dg_buf_init(&out, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (size_t n = 0; n < (size_t)EDGE_COUNT * EDGE_COUNT * EDGE_COUNT * 6; n++) {
        char text[200 + DG_JSON_PADDING];
        size_t place = places[n % 5], len = 98 + n % 7;
        memset(text, 'x', sizeof text);
        text[0] = text[len - 1] = '"';
        for (size_t i = 0, rest = n / 6; i < 3; i++, rest /= EDGE_COUNT)
            text[place + i] = (char)EDGES[rest % EDGE_COUNT];
        if (place + 3 < len - 1)
            text[place + 3] = (char)EDGES[n % 6 * 4 + 2];
        text[len - 1] = '"';
        size_t at = fault((const unsigned char *)text, len);
        dg_run_error error;
        dg_buf_clear(&out);
        dg_status status = dg_run(runner, program, dg_slice_of(text, len), &out, &error);
        assert_int_equal(status, at == len ? DG_OK : DG_SYNTAX);
        if (status == DG_OK)
            assert_memory_equal(out.ptr, text, len);
        else
            assert_int_equal(error.offset, at);
        right += at == len;
        wrong += at != len;
    }
    print_message("%zu right, %zu wrong\n", right, wrong);
    assert_true(right > 400 && wrong > 50000);
    dg_buf_free(&out);
    dg_runner_free(runner);
    dg_program_free(program);
}

/* Text in any script, much longer than a block, and cut anywhere. */
static void scripts_pass_and_cuts_do_not(void **state)
{
    (void)state;
    static const char *const words[] = {"Åsa ", "Ελλάδα", "日本語", "😀😀", "plain ", "naïve"};
    static const dg_op ops[] = {CAMEL};
    static const dg_ops list = LIST(ops);
    dg_program *program = compile(&list);
    dg_runner *runner;
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (unsigned seed = 0; seed < 300; seed++) {
        dg_buf_clear(&in);
        dg_buf_add_char(&in, '"');
        for (unsigned i = 0; i < 40; i++)
            dg_buf_add_str(&in, words[(seed * 7 + i * i * (seed % 5 + 1)) % 6]);
        dg_buf_add_char(&in, '"');
        size_t len = in.len, cut = 1 + seed % (len - 2);
        for (int k = 0; k < DG_JSON_PADDING; k++)
            dg_buf_add_char(&in, 'x');
        dg_buf_clear(&out);
        assert_int_equal(dg_run(runner, program, dg_slice_of(in.ptr, len), &out, NULL), DG_OK);
        assert_true(dg_slice_eq(dg_buf_slice(&out), dg_slice_of(in.ptr, len)));
        in.ptr[cut] = '"';
        size_t at = fault((const unsigned char *)in.ptr, cut + 1);
        dg_run_error error;
        dg_buf_clear(&out);
        dg_status status = dg_run(runner, program, dg_slice_of(in.ptr, cut + 1), &out, &error);
        assert_int_equal(status, at == cut + 1 ? DG_OK : DG_SYNTAX);
        if (status != DG_OK)
            assert_int_equal(error.offset, at);
    }
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_runner_free(runner);
    dg_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found_where_they_are),
        cmocka_unit_test(scripts_pass_and_cuts_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
