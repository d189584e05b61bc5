#include "transforms/sequence.h"

#include <stdlib.h>

enum { ITEM_DEFAULT = 1 << 20 };

struct dg_sequence {
    dg_runner *runner;
    const dg_program *program;
    dg_sequence_kind kind;
    size_t item_max;
    dg_buf window;   /* what has come and is not done */
    uint64_t offset; /* of it */
    size_t looked;   /* bytes of it that hold no end of a line */
    /* Events */
    size_t block;   /* the lines of an event that wait for its end */
    bool has_data;  /* there are some */
    bool begun;     /* the byte order mark is behind us */
    bool lone_cr;   /* lines end so here */
    bool skip_lf;   /* the last byte ended a line, and was a CR */
    dg_buf text;    /* the data of an event */
    dg_buf outcome; /* what became of it */
    bool failed;
    dg_run_error error;
};

dg_status dg_sequence_new(dg_runner *runner, const dg_program *program, dg_sequence_kind kind,
                          size_t item_bytes_max, dg_sequence **ret_sequence)
{
    dg_sequence *s = calloc(1, sizeof *s);
    if (!s)
        return DG_NOMEM;
    s->runner = runner;
    s->program = program;
    s->kind = kind;
    s->item_max = item_bytes_max ? item_bytes_max : ITEM_DEFAULT;
    *ret_sequence = s;
    return DG_OK;
}

void dg_sequence_free(dg_sequence *s)
{
    if (!s)
        return;
    dg_buf_free(&s->window);
    dg_buf_free(&s->text);
    dg_buf_free(&s->outcome);
    free(s);
}

static dg_status fail(dg_sequence *s, dg_status status, const char *message)
{
    s->error = (dg_run_error){.status = status, .message = message, .offset = s->offset};
    return status;
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_blank(dg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_one_of(text.ptr[i], " \t\r\n"))
            return false;
    return true;
}

/* ---- Lines */

/* One text, which stays one line: what the program adds may have been written on several. */
static dg_status run_line(dg_sequence *s, size_t start, size_t len, dg_buf *out)
{
    dg_slice line = dg_slice_of(s->window.ptr + start, len);
    size_t before = out->len;
    if (is_blank(line)) {
        dg_buf_add(out, line);
        return out->status;
    }
    dg_status status = dg_run(s->runner, s->program, line, out, &s->error);
    if (status != DG_OK)
        s->error.offset += s->offset + start;
    for (size_t i = before; i < out->len; i++)
        if (out->ptr[i] == '\n')
            out->ptr[i] = ' ';
    return status;
}

static dg_status run_lines(dg_sequence *s, bool last, dg_buf *out, size_t *ret_done)
{
    dg_status status = DG_OK;
    size_t at = 0;
    while (status == DG_OK && at < s->window.len) {
        size_t from = at > s->looked ? at : s->looked;
        const char *end = from < s->window.len ? memchr(s->window.ptr + from, '\n', s->window.len - from) : NULL;
        if (!end && !last)
            break;
        size_t len = end ? (size_t)(end - s->window.ptr) - at : s->window.len - at;
        if (len > s->item_max)
            break;
        status = run_line(s, at, len, out);
        if (status == DG_OK && end) {
            dg_buf_add_char(out, '\n');
            status = out->status;
        }
        at += len + (end != NULL);
    }
    s->looked = s->window.len;
    *ret_done = at;
    return status;
}

/* ---- Events */

typedef struct line {
    dg_slice text;
    size_t ended; /* bytes of its end */
} line;

/* The line at `at` of the window; false if its end has not come. */
static bool next_line(dg_sequence *s, size_t at, bool last, line *ret_line)
{
    const char *p = s->window.ptr + at, *end = s->window.ptr + s->window.len;
    const char *q = p + (s->looked > at ? s->looked - at : 0);
    while (q < end && *q != '\n' && *q != '\r')
        q++;
    bool cut = q == end || (*q == '\r' && q + 1 == end && !s->lone_cr);
    if (cut && (!last || p == end)) {
        s->looked = (size_t)(q - s->window.ptr);
        return false;
    }
    size_t ended = q == end ? 0 : 1u + (*q == '\r' && q + 1 < end && q[1] == '\n');
    s->lone_cr = ended == 1 && *q == '\r';
    s->skip_lf = s->lone_cr && q + 1 == end;
    *ret_line = (line){dg_slice_of(p, (size_t)(q - p)), ended};
    return true;
}

/* Whether a line is of the data of an event; *ret_value what it says. */
static bool is_data(dg_slice text, dg_slice *ret_value)
{
    const dg_slice name = DG_SLICE("data");
    if (!dg_slice_starts(text, name) || (text.len > name.len && text.ptr[name.len] != ':'))
        return false;
    size_t skip = name.len + (text.len > name.len);
    skip += text.len > skip && text.ptr[skip] == ' ';
    *ret_value = text.len > skip ? dg_slice_from(text, skip) : dg_slice_of(text.ptr + text.len, 0);
    return true;
}

/* The line at `at`, known to be whole, of a block whose bytes end at `end`. */
static line line_at(const char *at, const char *end)
{
    const char *q = at;
    while (q < end && *q != '\n' && *q != '\r')
        q++;
    size_t ended = q == end ? 0 : 1u + (*q == '\r' && q + 1 < end && q[1] == '\n');
    return (line){dg_slice_of(at, (size_t)(q - at)), ended};
}

static size_t skip_space(dg_slice text, size_t at)
{
    while (at < text.len && is_one_of(text.ptr[at], " \t\n"))
        at++;
    return at;
}

static bool begins_like_json(dg_slice text)
{
    size_t at = skip_space(text, 0);
    if (at < text.len && text.ptr[at] == '[') {
        at = skip_space(text, at + 1);
        return at == text.len || is_one_of(text.ptr[at], "{[]\"-0123456789tfn");
    }
    return at < text.len && text.ptr[at] == '{';
}

/* The lines of a block, with `text` in the place of its data: as many lines of it as there were, and what is more
 * behind the last of them. */
static void write_block(dg_slice block, size_t data_lines, dg_slice text, dg_buf *out)
{
    const char *p = block.ptr, *end = block.ptr + block.len;
    bool over = false;
    while (p < end) {
        line l = line_at(p, end);
        dg_slice value, whole = dg_slice_of(p, l.text.len + l.ended);
        p += whole.len;
        if (!is_data(l.text, &value)) {
            dg_buf_add(out, whole);
            continue;
        }
        dg_slice prefix = dg_slice_of(l.text.ptr, l.text.len - value.len);
        if (prefix.ptr[prefix.len - 1] != ':' && prefix.ptr[prefix.len - 1] != ' ')
            prefix = DG_SLICE("data:");
        data_lines--;
        for (bool more = !over; more; more = data_lines == 0 && !over) {
            size_t len = dg_slice_find(text, '\n');
            over = len == text.len;
            dg_buf_add(out, prefix);
            dg_buf_add(out, dg_slice_until(text, len));
            if (l.ended)
                dg_buf_add(out, dg_slice_of(l.text.ptr + l.text.len, l.ended));
            else if (!over)
                dg_buf_add_char(out, '\n');
            text = dg_slice_from(text, len + 1);
        }
    }
}

/* The event whose lines are the `len` bytes at `start`. */
static dg_status run_event(dg_sequence *s, size_t start, size_t len, dg_buf *out)
{
    dg_slice block = dg_slice_of(s->window.ptr + start, len), value;
    const char *end = block.ptr + block.len;
    size_t data_lines = 0;
    dg_buf_clear(&s->text);
    for (const char *p = block.ptr; p < end;) {
        line l = line_at(p, end);
        p += l.text.len + l.ended;
        if (!is_data(l.text, &value))
            continue;
        if (data_lines++)
            dg_buf_add_char(&s->text, '\n');
        dg_buf_add(&s->text, value);
    }
    size_t bytes = s->text.len;
    if (s->text.status != DG_OK || dg_buf_reserve(&s->text, DG_JSON_PADDING) != DG_OK)
        return fail(s, DG_NOMEM, "out of memory");
    if (!begins_like_json(dg_slice_of(s->text.ptr, bytes))) {
        dg_buf_add(out, block);
        return out->status;
    }
    dg_buf_clear(&s->outcome);
    s->outcome.bytes_max = out->bytes_max;
    dg_status status = dg_run(s->runner, s->program, dg_slice_of(s->text.ptr, bytes), &s->outcome, &s->error);
    if (status != DG_OK) {
        s->error.offset = s->offset + start;
        return status;
    }
    write_block(block, data_lines, dg_buf_slice(&s->outcome), out);
    return out->status;
}

/* Lines leave as they come, until one of data does; from there on the event has to be whole. */
static dg_status run_events(dg_sequence *s, bool last, dg_buf *out, size_t *ret_done)
{
    dg_status status = DG_OK;
    size_t done = 0, at = s->block;
    line l;
    if (s->skip_lf && s->window.len > at) {
        s->skip_lf = false;
        if (s->window.ptr[at] == '\n' && at++ == 0) {
            done = 1;
            dg_buf_add(out, DG_SLICE("\n"));
        }
    }
    while (status == DG_OK && next_line(s, at, last, &l)) {
        dg_slice value, text = l.text;
        if (!s->begun && dg_slice_starts(text, DG_SLICE("\xef\xbb\xbf"))) {
            dg_buf_add(out, dg_slice_until(text, 3));
            done += 3;
            text = dg_slice_from(text, 3);
        }
        s->begun = true;
        s->has_data |= is_data(text, &value);
        at += l.text.len + l.ended;
        bool ends = l.text.len == 0 || (last && at == s->window.len);
        if (s->has_data && !ends)
            continue;
        if (at - done > s->item_max)
            break;
        if (s->has_data)
            status = run_event(s, done, at - done, out);
        else
            dg_buf_add(out, dg_slice_of(s->window.ptr + done, at - done));
        s->has_data = false;
        done = at;
    }
    s->block = at - done;
    *ret_done = done;
    return status;
}

/* ---- Both */

static dg_status take(dg_sequence *s, dg_slice bytes, bool last, dg_buf *out)
{
    size_t done = 0;
    dg_buf_add(&s->window, bytes);
    if (dg_buf_reserve(&s->window, DG_JSON_PADDING) != DG_OK)
        return fail(s, s->window.status, "out of memory");
    dg_status status = s->kind == DG_SEQUENCE_LINES ? run_lines(s, last, out, &done)
                                                    : run_events(s, last, out, &done);
    if (status == DG_OK)
        status = out->status;
    if (status != DG_OK) {
        if (s->error.status == DG_OK)
            (void)fail(s, status, dg_status_text(status));
        return status;
    }
    dg_buf_consume(&s->window, done);
    s->offset += done;
    s->looked -= done < s->looked ? done : s->looked;
    if (s->window.len > s->item_max)
        return fail(s, DG_LIMIT, s->kind == DG_SEQUENCE_LINES ? "a line is too long" : "an event is too long");
    return DG_OK;
}

dg_status dg_sequence_feed(dg_sequence *s, dg_slice bytes, bool last, dg_buf *out, dg_run_error *ret_error)
{
    dg_status status = s->failed ? s->error.status : take(s, bytes, last, out);
    s->failed = status != DG_OK;
    if (s->failed && ret_error)
        *ret_error = s->error;
    return status;
}
