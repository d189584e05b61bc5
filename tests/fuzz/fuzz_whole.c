/* The first four bytes choose an op on a whole value, the rest is the value. The tape does what the
 * plain reference does, and its result is JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "generate_whole.h"
#include "reference_whole.h"
#include "transforms/program.h"
#include "transforms/text/scan.h"
#include "transforms/whole/whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void pad(dg_buf *buf)
{
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(buf, "\":,}]1\\ "[i % 8]);
    buf->len -= DG_JSON_PADDING;
}

/* The value in the text, without the white space around it. */
static bool is_json(dg_slice text, dg_slice *ret_value)
{
    dg_scan s = {.end = text.ptr + text.len};
    const char *start = dg_scan_space(&s, text.ptr);
    const char *end = dg_scan_value(&s, start, 0);
    if (!end || dg_scan_space(&s, end) != s.end || dg_utf8_fault(text.ptr, s.end))
        return false;
    *ret_value = dg_slice_of(start, (size_t)(end - start));
    return true;
}

/* Digits and members that the plain reference has no room for. */
static bool is_simple(dg_slice text)
{
    size_t digits = 0, commas = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        digits = (c >= '0' && c <= '9') || c == '.' ? digits + 1 : 0;
        commas += c == ',';
        if (digits > 6 || commas > 60 || ((c | 0x20) == 'e' && i && text.ptr[i - 1] <= '9'))
            return false;
    }
    return true;
}

static void try_value(const dg_op *op, dg_arena *arena, dg_slice in)
{
    dg_whole *whole;
    dg_whole_error error = {0};
    dg_buf out, want;
    dg_slice value;
    dg_buf_init(&out, 0);
    dg_buf_init(&want, 0);
    require(dg_whole_new(&whole) == DG_OK, "memory");
    dg_status status = dg_whole_apply(whole, &op, 1, in, &out, &error);
    require(status == DG_OK || (out.len == 0 && error.message && error.op == op), "an error");
    require(status == DG_OK || status == DG_INVALID || status == DG_LIMIT, "the status");
    if (is_simple(in) && status != DG_LIMIT) {
        bool right = reference_whole(arena, &op, 1, in, &want);
        require(right == (status == DG_OK), "the reference's status");
        require(!right || dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&want)),
                "the reference's text");
    }
    if (status == DG_OK) {
        pad(&out);
        require(is_json(dg_buf_slice(&out), &value) && value.len == out.len, "the result is JSON");
    }
    dg_whole_free(whole);
    dg_buf_free(&out);
    dg_buf_free(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > 4000)
        return 0;
    dg_arena arena;
    dg_buf in;
    dg_slice value;
    uint32_t seed;
    memcpy(&seed, data, 4);
    dg_arena_init(&arena, 0);
    dg_buf_init(&in, 0);
    whole_generator g = {.state = (seed + 1) * 0x9E3779B97F4A7C15u, .arena = &arena};
    const dg_op *op = whole_op(&g);
    dg_buf_add(&in, dg_slice_of(data + 4, size - 4));
    pad(&in);
    if (is_json(dg_buf_slice(&in), &value))
        try_value(op, &arena, value);
    dg_buf_free(&in);
    dg_arena_free(&arena);
    return 0;
}
