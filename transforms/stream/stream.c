/* Streams: the pieces of the text and of the result. What is done to them is spine.c's. */
#include "transforms/stream.h"

#include <stdlib.h>

#include "transforms/text/pointer.h"
#include "transforms/pass/runner.h"
#include "transforms/stream/spine.h"

enum { HELD_DEFAULT = 1 << 20, ENTER_DEFAULT = 1 << 16, SEEN_MANY = 1024 };

struct dg_stream {
    dg_lexicon lex;
    const dg_program *program;
    dg_runner *runner;
    uint64_t steps; /* of patterns, that are left (pattern.h) */
    bool (*run)(dg_spine *s);
    dg_spine spine;
    size_t held_max;
    dg_buf window; /* what has come and is not settled */
    size_t checked; /* of it: found to be UTF-8 */
    dg_buf held;    /* of the result: what may have to be taken back */
    dg_arena names; /* of objects that are entered, where they have no bit */
    bool failed;
    dg_run_error error;
};

dg_status dg_stream_new(dg_runner *runner, const dg_program *program, const dg_stream_limits *limits,
                        dg_stream **ret_stream)
{
    dg_stream *s = calloc(1, sizeof *s);
    if (!s)
        return DG_NOMEM;
    dg_lexicon_init(&s->lex, program, &runner->scratch);
    s->program = program;
    s->runner = runner;
    s->steps = DG_PATTERN_STEPS_MAX;
    s->run = dg_spine_run;
#ifdef DG_HAS_AVX2
    if (dg_run_is_wide())
        s->run = dg_spine_run_avx2;
#endif
    s->held_max = limits && limits->held_bytes_max ? limits->held_bytes_max : HELD_DEFAULT;
    s->spine.wait = s->spine.try_at =
        limits && limits->enter_bytes ? limits->enter_bytes : ENTER_DEFAULT;
    dg_buf_init(&s->window, 0);
    dg_buf_init(&s->held, 0);
    dg_arena_init(&s->names, s->held_max);
    s->spine.root = dg_lexicon_node(&s->lex, program->items, program->item_count);
    if (!s->spine.root) {
        dg_status status = s->lex.status;
        dg_stream_free(s);
        return status;
    }
    *ret_stream = s;
    return DG_OK;
}

void dg_stream_free(dg_stream *s)
{
    if (!s)
        return;
    dg_lexicon_free(&s->lex);
    free(s->spine.levels);
    free(s->spine.run.seen);
    dg_buf_free(&s->window);
    dg_buf_free(&s->held);
    dg_arena_free(&s->names);
    free(s);
}

/* ---- Errors */

/* What a pointer says of the containers around what is not settled. */
static void write_path(const dg_spine *s, unsigned depth, dg_buf *path)
{
    for (unsigned i = 0; i < depth; i++) {
        const dg_level *l = &s->levels[i];
        dg_buf_add_char(path, '/');
        if (l->object)
            dg_buf_add(path, dg_slice_of(l->step, l->step_len));
        else
            dg_buf_add_u64(path, l->ended);
    }
}

/* `rest` is what is not settled, and the fault at `offset` in it. */
static void locate(const dg_spine *s, dg_slice rest, size_t offset, dg_run_error *error)
{
    dg_buf path;
    dg_buf_init(&path, 0);
    bool scalar = s->place == DG_SPINE_STRING || s->place == DG_SPINE_NUMBER;
    dg_pointer_above above = {.within = s->depth > 0 && !s->fault_passed};
    write_path(s, above.within ? s->depth - 1 : s->depth, &path);
    above.path = dg_buf_slice(&path);
    if (above.within) {
        const dg_level *l = &s->levels[s->depth - 1];
        above.object = l->object;
        above.opened = l->opened;
        above.index = l->ended - (!l->opened && !scalar);
        if (!l->opened)
            above.step = dg_slice_of(l->step, l->step_len);
    }
    if (scalar) {
        rest = dg_slice_from(rest, offset);
        offset = 0;
    } else if (s->fault_passed) {
        rest.len = offset = 0;
    }
    dg_pointer_write(&above, rest, offset, error->pointer, sizeof error->pointer);
    dg_buf_free(&path);
}

static dg_status fail(dg_stream *s, dg_run_error *ret_error)
{
    const dg_spine *spine = &s->spine;
    const dg_run_state *r = &spine->run;
    dg_run_error *e = &s->error;
    s->failed = true;
    *e = (dg_run_error){.status = r->scan.status == DG_OK ? DG_NOMEM : r->scan.status,
                        .message = r->scan.message};
    if (!e->message)
        e->message = dg_status_text(e->status);
    if (r->op)
        e->origin = r->op->origin;
    if (r->scan.fault_at && e->status != DG_NOMEM) {
        size_t settled = spine->at ? (size_t)(spine->at - s->window.ptr) : 0;
        size_t fault = (size_t)(r->scan.fault_at - s->window.ptr);
        size_t from = fault < settled ? fault : settled;
        e->offset = spine->fault_passed ? spine->fault_offset : spine->offset + fault;
        locate(spine, dg_slice_of(s->window.ptr + from, s->window.len - from), fault - from, e);
    }
    if (ret_error)
        *ret_error = *e;
    return e->status;
}

/* ---- UTF-8 */

/* Where the last character that is whole ends. */
static const char *whole_characters(const char *from, const char *end)
{
    const char *p = end;
    while (p > from && end - p < 3 && ((unsigned char)p[-1] & 0xC0) == 0x80)
        p--;
    unsigned char lead = p > from ? (unsigned char)p[-1] : 0;
    int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return lead >= 0xC0 && end - p + 1 < length ? p - 1 : end;
}

/* How far what has come is UTF-8 and its characters are whole; false: something else follows. */
static bool check_characters(dg_stream *s, bool last, const char **ret_end)
{
    const char *from = s->window.ptr + s->checked, *end = s->window.ptr + s->window.len;
    if (!last)
        end = whole_characters(from, end);
    const char *fault = dg_utf8_fault(from, end);
    *ret_end = fault ? fault : end;
    s->checked = (size_t)(*ret_end - s->window.ptr);
    return !fault;
}

/* ---- Between two pieces */

/* Names are pointed at in what is about to go. */
static void keep_steps(dg_spine *s)
{
    for (unsigned i = 0; i < s->depth; i++) {
        dg_level *l = &s->levels[i];
        if (!l->name)
            continue;
        dg_buf step;
        dg_buf_init(&step, 0);
        dg_scan scan = {.end = s->end};
        const char *after = dg_scan_string(&scan, l->name + 1, NULL);
        if (after)
            dg_pointer_add_name(&step,
                                dg_slice_of(l->name + 1, (size_t)(after - l->name) - 2));
        size_t skip = step.len > sizeof l->step ? step.len - sizeof l->step : 0;
        l->step_len = step.len - skip;
        if (step.len)
            memcpy(l->step, step.ptr + skip, l->step_len);
        l->name = NULL;
        dg_buf_free(&step);
    }
}

static bool is_open(const dg_spine *s, uint64_t serial)
{
    for (unsigned i = 0; i < s->depth; i++)
        if (s->levels[i].object && !s->levels[i].copies && s->levels[i].frame.serial == serial)
            return true;
    return false;
}

/* Forgets the names that objects had which have ended. */
static bool forget_names(dg_spine *s)
{
    dg_run_state *r = &s->run;
    if (r->seen_count < SEEN_MANY)
        return true;
    size_t kept = 0;
    for (size_t i = 0; i <= r->seen_mask; i++)
        kept += r->seen[i].object & DG_OBJECT_LASTS && is_open(s, r->seen[i].object);
    if (kept > r->seen_count / 2)
        return true;
    size_t size = r->seen_mask + 1;
    dg_seen *fewer = kept ? calloc(size, sizeof *fewer) : NULL;
    if (kept && !fewer) {
        dg_scan_fail(&r->scan, s->at, DG_NOMEM, "out of memory");
        return false;
    }
    for (size_t i = 0; kept && i < size; i++) {
        if (!(r->seen[i].object & DG_OBJECT_LASTS) || !is_open(s, r->seen[i].object))
            continue;
        size_t at = r->seen[i].hash & r->seen_mask;
        while (fewer[at].object)
            at = (at + 1) & r->seen_mask;
        fewer[at] = r->seen[i];
    }
    free(r->seen);
    r->seen = fewer;
    r->seen_count = kept;
    if (!kept) {
        r->seen_mask = 0;
        dg_arena_reset(r->names);
    }
    return true;
}

/* Keeps back what may have to be taken back: an object whose members have all been dropped so far
 * is written again from its brace when it ends. */
static bool hold(dg_stream *s, dg_buf *out, size_t before)
{
    dg_spine *spine = &s->spine;
    size_t ready = out->len - before;
    for (unsigned i = 0; i < spine->depth; i++) {
        const dg_level *l = &spine->levels[i];
        bool may_go = l->object && !l->copies && !l->frame.node->select && l->frame.kept == 0;
        if (may_go && l->frame.open < ready)
            ready = l->frame.open;
    }
    dg_buf_clear(&s->held);
    dg_buf_add(&s->held, dg_slice_from(dg_buf_slice(out), before + ready));
    out->len = before + ready;
    for (unsigned i = 0; i < spine->depth; i++)
        spine->levels[i].frame.open -= ready; /* what is before that is not asked for any more */
    if (s->held.status != DG_OK)
        dg_scan_fail(&spine->run.scan, spine->at, DG_NOMEM, "out of memory");
    return s->held.status == DG_OK;
}

/* ---- A piece */

/* The state of a run as the last piece left it, on the bytes that are at hand now. */
static bool begin(dg_stream *s, const char *end, bool last, dg_buf *out)
{
    dg_spine *spine = &s->spine;
    dg_run_state *r = &spine->run, before = *r;
    dg_slice in = dg_slice_of(s->window.ptr, (size_t)(end - s->window.ptr));
    dg_run_start(r, &s->lex, in, out, &s->runner->spill);
    r->scan.tokens = &s->runner->tokens;
    r->depth = before.depth;
    r->objects = before.objects;
    r->seen = before.seen;
    r->seen_count = before.seen_count;
    r->seen_mask = before.seen_mask;
    r->names = &s->names;
    spine->end = end;
    spine->usable = NULL;
    spine->last = last;
    if (!dg_room(r, spine->at, s->held.len + in.len / 8 + 1024))
        return false;
    dg_put(r, s->held.ptr, s->held.len);
    return true;
}

/* Where the value is that waits, in a text that is valid so far. */
static const char *waiting_value(const dg_spine *s)
{
    dg_scan scan = {.end = s->end};
    const char *p = dg_scan_space(&scan, s->at), *name;
    if (s->depth == 0)
        return p;
    if (p < scan.end && *p == ',')
        p = dg_scan_space(&scan, p + 1);
    if (!s->levels[s->depth - 1].object || p >= scan.end || *p != '"')
        return p;
    name = p;
    if (!(p = dg_scan_string(&scan, p + 1, NULL)))
        return name;
    p = dg_scan_space(&scan, p);
    return p < scan.end && *p == ':' ? dg_scan_space(&scan, p + 1) : name;
}

/* What waits is too long: says so, unless it is not JSON anyway. */
static bool refuse_long(dg_stream *s)
{
    dg_spine *spine = &s->spine;
    dg_scan *scan = &spine->run.scan;
    spine->last = true;
    spine->usable = NULL;
    bool ok = s->run(spine);
    if (ok || scan->status == DG_NOMEM || scan->fault_at == scan->end)
        dg_scan_fail(scan, waiting_value(spine), DG_LIMIT, "a value that has to wait for its end is too long");
    return false;
}

static bool take(dg_stream *s, bool last, dg_buf *out)
{
    dg_spine *spine = &s->spine;
    size_t before = out->len;
    spine->at = spine->start = s->window.ptr;
    const char *end;
    bool clean = check_characters(s, last, &end);
    if (!begin(s, end, last && clean, out))
        return false;
    bool ok = s->run(spine);
    if (ok && !clean) {
        spine->run.scan.end = s->window.ptr + s->window.len;
        dg_scan_fail(&spine->run.scan, end, DG_SYNTAX, "bytes that are no UTF-8");
        ok = false;
    }
    keep_steps(spine);
    size_t settled = (size_t)(spine->at - s->window.ptr);
    if (ok && s->window.len - settled > s->held_max)
        ok = refuse_long(s);
    if (!ok || !dg_run_collect(&spine->run, out) || !hold(s, out, before) || !forget_names(spine))
        return false;
    dg_buf_consume(&s->window, settled);
    s->checked -= settled;
    spine->offset += settled;
    return true;
}

/* Programs that look at the whole text beside the pass (strict.h) need it whole. */
static dg_status run_whole(dg_stream *s, bool last, dg_buf *out, dg_run_error *ret_error)
{
    dg_status status = DG_OK;
    s->error = (dg_run_error){.status = DG_LIMIT, .message = "a text that has to be whole is too long"};
    if (last)
        status = dg_run(s->runner, s->program, dg_buf_slice(&s->window), out, &s->error);
    else if (s->window.len > s->held_max)
        status = DG_LIMIT;
    s->failed = status != DG_OK;
    if (s->failed && ret_error)
        *ret_error = s->error;
    return status;
}

dg_status dg_stream_feed(dg_stream *s, dg_slice chunk, bool last, dg_buf *out,
                         dg_run_error *ret_error)
{
    if (s->failed) {
        if (ret_error)
            *ret_error = s->error;
        return s->error.status;
    }
    dg_scan *scan = &s->spine.run.scan;
    size_t before = out->len;
    dg_status status = out->status;
    scan->fault_at = NULL;
    if (status == DG_OK)
        status = dg_buf_reserve(&s->window, chunk.len + DG_JSON_PADDING);
    if (status != DG_OK) {
        scan->status = status;
        return fail(s, ret_error);
    }
    dg_buf_add(&s->window, chunk);
    if (s->program->strict)
        return run_whole(s, last, out, ret_error);
    /* Runs of others may come between two chunks: the steps of patterns are the stream's own. */
    dg_matcher *matcher = &s->runner->scratch.matcher;
    matcher->steps = s->steps + (uint64_t)DG_PATTERN_STEPS_A_BYTE * chunk.len;
    bool taken = take(s, last, out);
    s->steps = matcher->steps;
    if (taken)
        return DG_OK;
    out->len = before;
    return fail(s, ret_error);
}
