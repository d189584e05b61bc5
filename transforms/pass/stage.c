/* Staged values: what comes before the ops writes the value into a buffer, the ops work on that
 * text, and what comes after them reads the outcome, as if it were the input. An error within is
 * one of the value that is staged: that is where the input has a place for it. */
#include "transforms/text/isa.h"

#include "transforms/pass/run.h"

static const char padding[DG_JSON_PADDING];

/* What a stage borrows from the run, to be given back. */
typedef struct loan {
    char *base, *at, *limit;
    dg_buf *out;
    size_t bytes_max;
} loan;

/* How long a text between two stages may be: as the input that is left, or as the outcome of the
 * run. */
static size_t text_max(const dg_run_state *r, const char *p)
{
    size_t left = (size_t)(r->scan.end - p);
    return r->bytes_max && r->bytes_max < left ? left : r->bytes_max;
}

static loan borrow_output(dg_run_state *r, const char *p, dg_buf *out)
{
    loan lent = {r->base, r->at, r->limit, r->out, r->bytes_max};
    r->bytes_max = text_max(r, p);
    r->base = r->at = out->ptr;
    r->limit = out->ptr ? out->ptr + out->cap : NULL;
    r->out = out;
    dg_measure_lead(r);
    return lent;
}

static void return_output(dg_run_state *r, const loan *lent)
{
    r->base = lent->base;
    r->at = lent->at;
    r->limit = lent->limit;
    r->out = lent->out;
    r->bytes_max = lent->bytes_max;
    dg_measure_lead(r);
}

/* A constant may come with white space around it. */
static dg_slice trim(dg_slice text)
{
    while (text.len && (unsigned char)text.ptr[0] <= ' ')
        text = dg_slice_from(text, 1);
    while (text.len && (unsigned char)text.ptr[text.len - 1] <= ' ')
        text.len--;
    return text;
}

/* The text that the ops are applied to: *ret_text, in the input itself if nothing comes before
 * them. */
static const char *write_before(dg_run_state *r, const char *p, dg_node *node, dg_stage *stage,
                                dg_slice *ret_text)
{
    dg_node *before = dg_lexicon_before(r->lex, node);
    if (!before)
        return dg_lexicon_failed(r, p);
    if (before->mode == DG_NODE_COPY) {
        const char *end = dg_scan_value(&r->scan, p, r->depth);
        if (end)
            *ret_text = dg_slice_of(p, (size_t)(end - p));
        return end;
    }
    loan lent = borrow_output(r, p, &stage->written);
    const char *end = dg_room(r, p, 0) ? dg_run_value(r, p, before) : NULL;
    if (end && dg_room(r, r->scan.end, DG_JSON_PADDING)) {
        memcpy(r->at, padding, DG_JSON_PADDING);
        *ret_text = trim(dg_slice_of(r->base, (size_t)(r->at - r->base)));
    } else {
        end = NULL;
    }
    return_output(r, &lent);
    return end;
}

static bool failed(dg_run_state *r, const char *from, dg_status status, const dg_whole_error *error)
{
    r->op = error->op;
    dg_scan_fail(&r->scan, from, status, error->message ? error->message : dg_status_text(status));
    return false;
}

/* The ops on *text, which becomes what they make of it; and the node that comes after. */
static bool apply_ops(dg_run_state *r, const char *from, dg_node *node, dg_stage *stage,
                      dg_slice *text, size_t *ret_case)
{
    const dg_stages *stages = node->stages;
    dg_whole *whole = r->lex->scratch->whole;
    dg_whole_error error = {0};
    *ret_case = 0;
    if (stages->op_count) {
        dg_buf *out = &stage->applied;
        dg_status status = dg_whole_apply(whole, stages->ops, stages->op_count, *text, out, &error);
        size_t len = out->len;
        if (status == DG_OK && dg_buf_reserve(out, DG_JSON_PADDING) != DG_OK)
            status = out->status;
        if (status != DG_OK)
            return failed(r, from, status, &error);
        memcpy(out->ptr + len, padding, DG_JSON_PADDING);
        *text = dg_slice_of(out->ptr, len);
    }
    if (!stages->choice)
        return true;
    dg_status status = dg_whole_switch(whole, stages->choice, *text, ret_case, &error);
    return status == DG_OK || failed(r, from, status, &error);
}

/* A node on a text of its own; void_at is set if it is void. */
static bool run_after(dg_run_state *r, const char *from, dg_node *after, dg_slice text)
{
    dg_scan outer = r->scan;
    r->scan = (dg_scan){.end = text.ptr + text.len, .tokens = outer.tokens};
    r->first = NULL;
    bool ok = dg_room(r, text.ptr, 0);
    dg_measure_lead(r);
    ok = ok && dg_run_value(r, text.ptr, after) != NULL;
    if (!ok) {
        outer.status = r->scan.status;
        outer.message = r->scan.message;
        outer.fault_at = from;
    }
    r->scan = outer;
    dg_measure_lead(r);
    return ok;
}

/* p is where the value ends. */
static const char *finish_value(dg_run_state *r, dg_node *node, const char *from, const char *p,
                                dg_stage *stage, dg_slice text)
{
    size_t at, start = (size_t)(r->at - r->base);
    if (!apply_ops(r, from, node, stage, &text, &at))
        return NULL;
    const dg_op *choice = node->stages->choice;
    dg_node *after = dg_lexicon_after(r->lex, node, at);
    if (!after)
        return dg_lexicon_failed(r, from);
    if (!dg_room(r, p, node->prefix.len))
        return NULL;
    dg_put(r, node->prefix.ptr, node->prefix.len);
    if (!run_after(r, from, after, text))
        return NULL;
    if (r->void_at >= 0) {
        bool chosen = choice && at < choice->case_count;
        size_t own = chosen ? choice->cases[at].body->count : 0;
        int32_t note = node->stages->rest.notes[(size_t)r->void_at - own];
        r->void_at = -1;
        r->at = r->base + start;
        return dg_room(r, p, 0) ? dg_end_gone(r, node, from, p, note) : NULL;
    }
    if (!dg_room(r, p, node->suffix.len))
        return NULL;
    dg_put(r, node->suffix.ptr, node->suffix.len);
    return p;
}

const char *dg_run_staged(dg_run_state *r, const char *p, dg_node *node)
{
    dg_scratch *scratch = r->lex->scratch;
    const char *from = p;
    dg_stage *stage;
    dg_slice text = {NULL, 0};
    if (p >= r->scan.end)
        return dg_scan_fail(&r->scan, p, DG_SYNTAX, "the text ends too early");
    size_t bytes_max = text_max(r, p);
    dg_status status =
        dg_scratch_enter(scratch, bytes_max ? bytes_max + DG_JSON_PADDING : 0, &stage);
    if (status != DG_OK)
        return dg_scan_fail(&r->scan, p, status,
                            "too many operations that need a value whole, in each other");
    p = write_before(r, p, node, stage, &text);
    if (p && r->void_at >= 0) {
        int32_t note = node->local.notes[r->void_at];
        r->void_at = -1;
        p = dg_end_gone(r, node, from, p, note);
    } else if (p) {
        p = finish_value(r, node, from, p, stage, text);
    }
    dg_scratch_leave(scratch);
    return p;
}
