/* Running: values of every kind, and the entry points. */
#include "transforms/run.h"

#include <stdlib.h>

enum { LEXICONS_MAX = 4096, RUNS_BEFORE_RELEARNING = 256 };

const char *dg_refuse(dg_run_state *r, const char *at, const dg_op *op, const char *message)
{
    r->op = op;
    return dg_scan_fail(&r->scan, at, DG_INVALID, message);
}

const char *dg_lexicon_failed(dg_run_state *r, const char *at)
{
    r->op = r->lex->op;
    return dg_scan_fail(&r->scan, at, r->lex->status, r->lex->message);
}

bool dg_room_more(dg_run_state *r, size_t need)
{
    size_t used = (size_t)(r->at - r->base);
    dg_buf *out = r->out;
    if (r->bytes_max && used > r->bytes_max) {
        dg_scan_fail(&r->scan, r->scan.end, DG_LIMIT, "the result is too long");
        return false;
    }
    size_t before = (size_t)(r->base - out->ptr);
    out->len = before + used;
    if (out != r->spill && out->bytes_max && need > out->bytes_max - out->len) {
        /* It may fit in the end, but there is no room to work in. */
        dg_buf_clear(r->spill);
        dg_buf_add(r->spill, dg_slice_of(r->base, used));
        out->len = before;
        out = r->spill;
        before = 0;
    }
    dg_status status = dg_buf_reserve(out, need);
    if (status != DG_OK) {
        out->status = DG_OK;
        dg_scan_fail(&r->scan, r->scan.end, status, "out of memory");
        return false;
    }
    r->out = out;
    r->base = out->ptr + before;
    r->at = r->base + used;
    r->limit = out->ptr + out->cap;
    return true;
}

const char *dg_copy_composite(dg_run_state *r, const char *p)
{
    const char *q = dg_scan_value(&r->scan, p, r->depth);
    if (q)
        dg_put(r, p, (size_t)(q - p));
    return q;
}

static bool put_text(dg_run_state *r, const char *p, dg_slice text)
{
    if (!dg_room(r, p, text.len))
        return false;
    dg_put(r, text.ptr, text.len);
    return true;
}

/* Ends a value with a result that is known: text, void, or a refusal at `from`. */
static const char *end_with(dg_run_state *r, const char *from, const char *p,
                            const dg_result *result)
{
    if (result->kind == DG_RESULT_TEXT)
        return put_text(r, p, result->text) ? p : NULL;
    if (result->kind == DG_RESULT_VOID) {
        r->void_at = result->void_at;
        return p;
    }
    return dg_refuse(r, from, result->op, result->message);
}

/* Ends a value that IF_EMPTY let go; `note` as in dg_node.local. */
static const char *end_gone(dg_run_state *r, dg_node *node, const char *from, const char *p,
                            int32_t note)
{
    const dg_result *result;
    if (note >= 0) {
        r->void_at = note;
        return p;
    }
    if (dg_node_fork(r->lex, node, (uint32_t)(-1 - note), &result) != DG_OK)
        return dg_lexicon_failed(r, from);
    return end_with(r, from, p, result);
}

/* Ends a value that the local item `at` replaced by its op's value. start: output offset of the
 * value. */
static const char *end_replaced(dg_run_state *r, dg_node *node, const char *from, const char *p,
                                uint32_t at, size_t start)
{
    const dg_result *result;
    if (dg_node_tail(r->lex, node, at, &result) != DG_OK)
        return dg_lexicon_failed(r, from);
    if (result->kind == DG_RESULT_VOID) {
        uint32_t index = at + 1 + (uint32_t)result->void_at, local = node->local.count;
        r->at = r->base + start;
        return end_gone(r, node, from, p,
                        index < local ? node->local.notes[index]
                                      : node->rest.notes[index - local - 1]);
    }
    if (result->kind == DG_RESULT_REFUSED)
        return dg_refuse(r, from, result->op, result->message);
    r->at = r->base + start;
    if (!dg_room(r, p, node->prefix.len + result->text.len + node->suffix.len))
        return NULL;
    dg_put(r, node->prefix.ptr, node->prefix.len);
    dg_put(r, result->text.ptr, result->text.len);
    dg_put(r, node->suffix.ptr, node->suffix.len);
    return p;
}

static const char *run_scalar(dg_run_state *r, const char *p, dg_node *node, size_t start)
{
    const char *from = p;
    p = dg_scan_scalar(&r->scan, p);
    if (!p)
        return NULL;
    dg_slice text = dg_slice_of(from, (size_t)(p - from));
    for (uint32_t i = 0; node->scalars && i < node->local.count; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        unsigned tag = dg_item_tag(node->local.at[i]);
        if (tag == DG_ITEM_IF_NULL && dg_slice_eq(text, DG_SLICE("null")))
            return end_replaced(r, node, from, p, i, start);
        if (tag != DG_ITEM_OP || op->kind != DG_OP_VALUES)
            continue;
        uint32_t pair = dg_lexicon_lookup(r->lex, node, i, text);
        if (pair == UINT32_MAX)
            return dg_lexicon_failed(r, from);
        if (pair < op->pair_count)
            text = op->pairs[pair].to;
        else if (op->unknown == DG_UNKNOWN_REJECT)
            return dg_refuse(r, from, op, "a value that the table does not know");
        else if (op->unknown == DG_UNKNOWN_DEFAULT)
            return end_replaced(r, node, from, p, i, start);
    }
    if (node->select)
        return dg_refuse(r, from, node->select, "expected an object to unwrap");
    if (!dg_room(r, p, text.len + node->suffix.len))
        return NULL;
    dg_put(r, text.ptr, text.len);
    dg_put(r, node->suffix.ptr, node->suffix.len);
    return p;
}

static const char *run_elements(dg_run_state *r, const char *p, dg_node *element)
{
    *r->at++ = '[';
    const char *space = ++p;
    p = dg_scan_space(&r->scan, p);
    dg_put(r, space, (size_t)(p - space));
    if (p < r->scan.end && *p == ']') {
        *r->at++ = ']';
        return p + 1;
    }
    for (;;) {
        if (!(p = dg_run_child(r, p, element)))
            return NULL;
        space = p;
        p = dg_scan_space(&r->scan, p);
        if (p >= r->scan.end || (*p != ',' && *p != ']'))
            return dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a comma or ']'");
        if (*p++ == ']') {
            dg_put(r, space, (size_t)(p - space));
            return p;
        }
        p = dg_scan_space(&r->scan, p);
        dg_put(r, space, (size_t)(p - space));
    }
}

static const char *run_array(dg_run_state *r, const char *p, dg_node *node)
{
    if (node->select)
        return dg_refuse(r, p, node->select, "expected an object to unwrap");
    if (r->depth >= DG_JSON_DEPTH_MAX)
        return dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
    dg_node *element = dg_lexicon_element(r->lex, node);
    if (!element)
        return dg_lexicon_failed(r, p);
    if (element->mode == DG_NODE_COPY) {
        p = dg_copy_composite(r, p);
    } else {
        r->depth++;
        p = run_elements(r, p, element);
        r->depth--;
    }
    return p && put_text(r, p, node->suffix) ? p : NULL;
}

const char *dg_probe(dg_run_state *r, const char *p, dg_node *node)
{
    size_t at = (size_t)(r->at - r->base);
    unsigned depth = r->depth;
    const char *q = dg_run_value(r, p, node);
    if (!q && r->scan.status == DG_INVALID) {
        r->op = NULL;
        r->depth = depth;
        q = dg_scan_value(&r->scan, p, depth);
    }
    r->at = r->base + at;
    return q;
}

/* An object or array that VALUES does not know, unless the items before it let the object go. */
static const char *run_override(dg_run_state *r, const char *p, dg_node *node, size_t start)
{
    const char *from = p;
    const dg_op *op = dg_item_op(node->local.at[node->override]);
    if (*p == '{' && node->voids) {
        dg_node *before = dg_lexicon_node(r->lex, node->local.at, (uint32_t)node->override);
        if (!before)
            return dg_lexicon_failed(r, from);
        if (!(p = dg_probe(r, p, before)))
            return NULL;
        if (r->void_at >= 0) {
            int32_t note = node->local.notes[r->void_at];
            r->void_at = -1;
            r->at = r->base + start;
            return end_gone(r, node, from, p, note);
        }
    } else if (!(p = dg_scan_value(&r->scan, p, r->depth))) {
        return NULL;
    }
    if (op->unknown == DG_UNKNOWN_REJECT)
        return dg_refuse(r, from, op, "a value that the table does not know");
    return end_replaced(r, node, from, p, (uint32_t)node->override, start);
}

static const char *run_stream(dg_run_state *r, const char *p, dg_node *node)
{
    const char *from = p;
    size_t start = (size_t)(r->at - r->base);
    if (p >= r->scan.end)
        return dg_scan_fail(&r->scan, p, DG_SYNTAX, "the text ends too early");
    if (node->prefix.len && !put_text(r, p, node->prefix))
        return NULL;
    if (node->local.count == 0 && !node->select) {
        p = dg_copy_value(r, p);
        return p && put_text(r, p, node->suffix) ? p : NULL;
    }
    if (*p != '{' && *p != '[')
        return run_scalar(r, p, node, start);
    if (node->override != DG_NEVER)
        return run_override(r, p, node, start);
    if (*p == '[')
        return run_array(r, p, node);
    dg_ending ending;
    p = dg_run_object(r, p, node, &ending);
    if (!p)
        return NULL;
    if (ending.gone) {
        r->at = r->base + start;
        return end_gone(r, node, from, p, ending.note);
    }
    return node->suffix.len == 0 || put_text(r, p, node->suffix) ? p : NULL;
}

const char *dg_run_value(dg_run_state *r, const char *p, dg_node *node)
{
    const char *from = p;
    switch (node->mode) {
    case DG_NODE_STREAM:
        return run_stream(r, p, node);
    case DG_NODE_COPY:
        return dg_copy_value(r, p);
    case DG_NODE_CONSTANT:
        p = dg_scan_value(&r->scan, p, r->depth);
        return p ? end_with(r, from, p, &node->result) : NULL;
    case DG_NODE_BUILDING:
        break;
    }
    return dg_refuse(r, from, NULL, "the added value contains itself, without end");
}

/* The whole text: white space, a value, white space. */
static bool run_text(dg_run_state *r, dg_slice in, dg_node *root)
{
    const char *p = dg_utf8_fault(in.ptr, r->scan.end);
    if (p) {
        dg_scan_fail(&r->scan, p, DG_SYNTAX, "bytes that are no UTF-8");
        return false;
    }
    if (!dg_room(r, in.ptr, in.len / 8 + 1024))
        return false;
    p = dg_scan_space(&r->scan, in.ptr);
    dg_put(r, in.ptr, (size_t)(p - in.ptr));
    if (!(p = dg_run_value(r, p, root)))
        return false;
    const char *space = p;
    p = dg_scan_space(&r->scan, p);
    dg_put(r, space, (size_t)(p - space));
    if (p < r->scan.end) {
        dg_scan_fail(&r->scan, p, DG_SYNTAX, "something follows the value");
        return false;
    }
    return true;
}

static dg_run_state new_run(dg_lexicon *lex, dg_slice in, dg_buf *out, dg_buf *spill)
{
    dg_run_state r = {.lex = lex, .out = out, .spill = spill, .void_at = -1};
    r.scan.end = in.ptr + in.len;
    if (out->ptr) {
        r.base = r.at = out->ptr + out->len;
        r.limit = out->ptr + out->cap;
    }
    r.bytes_max = out->bytes_max ? out->bytes_max - out->len + 1 : 0;
    return r;
}

dg_status dg_evaluate(dg_lexicon *lex, const dg_item *items, uint32_t count, dg_slice text,
                      dg_result *ret_result)
{
    if (lex->evaluations >= DG_EVALUATION_DEPTH_MAX) {
        *ret_result = (dg_result){.kind = DG_RESULT_REFUSED,
                                  .message = "the added value contains itself, without end"};
        return DG_OK;
    }
    static const char padding[DG_JSON_PADDING];
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add(&in, text);
    dg_buf_add(&in, dg_slice_of(padding, sizeof padding));
    dg_status status = in.status;
    lex->evaluations++;
    dg_node *node = status == DG_OK ? dg_lexicon_node(lex, items, count) : NULL;
    dg_run_state r = {
        .scan = {.status = status == DG_OK ? lex->status : status, .message = "out of memory"}};
    bool ok = false;
    if (node && dg_buf_reserve(&out, text.len + DG_OUTPUT_SLACK) == DG_OK) {
        r = new_run(lex, dg_slice_of(in.ptr, text.len), &out, &out);
        ok = run_text(&r, dg_slice_of(in.ptr, text.len), node);
        free(r.seen);
    } else if (node) {
        r.scan.status = DG_NOMEM;
    }
    lex->evaluations--;
    dg_result result = {.kind = DG_RESULT_TEXT};
    if (ok && r.void_at >= 0) {
        result = (dg_result){.kind = DG_RESULT_VOID, .void_at = r.void_at};
    } else if (ok) {
        result.text = dg_arena_dup(&lex->arena, dg_slice_of(r.base, (size_t)(r.at - r.base)));
        ok = !dg_arena_failed(&lex->arena);
        r.scan.status = DG_NOMEM;
    } else if (node && (r.scan.status == DG_INVALID || r.scan.status == DG_SYNTAX)) {
        result = (dg_result){.kind = DG_RESULT_REFUSED, .op = r.op, .message = r.scan.message};
        ok = true;
    }
    dg_buf_free(&in);
    dg_buf_free(&out);
    if (!ok) {
        lex->status = r.scan.status;
        if (node)
            lex->message = r.scan.message ? r.scan.message : "out of memory";
        if (!lex->message)
            lex->message = "out of memory";
        return lex->status;
    }
    *ret_result = result;
    return DG_OK;
}

struct dg_runner {
    dg_lexicon **lexicons;
    size_t count, cap;
    dg_lexicon *last;
    dg_buf spill;
};

dg_status dg_runner_new(dg_runner **ret_runner)
{
    dg_runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return DG_NOMEM;
    dg_buf_init(&runner->spill, 0);
    *ret_runner = runner;
    return DG_OK;
}

void dg_runner_free(dg_runner *runner)
{
    if (!runner)
        return;
    for (size_t i = 0; i < runner->count; i++) {
        dg_lexicon_free(runner->lexicons[i]);
        free(runner->lexicons[i]);
    }
    free(runner->lexicons);
    dg_buf_free(&runner->spill);
    free(runner);
}

/* Where the program's lexicon is in the list, which is sorted by the programs' ids, or belongs. */
static size_t find(const dg_runner *runner, uint64_t id)
{
    size_t low = 0, high = runner->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (runner->lexicons[mid]->program_id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void remove_at(dg_runner *runner, size_t at)
{
    dg_lexicon_free(runner->lexicons[at]);
    free(runner->lexicons[at]);
    runner->count--;
    memmove(runner->lexicons + at, runner->lexicons + at + 1,
            (runner->count - at) * sizeof *runner->lexicons);
    runner->last = NULL;
}

void dg_runner_forget(dg_runner *runner, const dg_program *program)
{
    size_t at = find(runner, program->id);
    if (at < runner->count && runner->lexicons[at]->program_id == program->id)
        remove_at(runner, at);
}

static dg_lexicon *lexicon_of(dg_runner *runner, const dg_program *program)
{
    if (DG_LIKELY(runner->last && runner->last->program_id == program->id))
        return runner->last;
    size_t at = find(runner, program->id);
    if (at < runner->count && runner->lexicons[at]->program_id == program->id)
        return runner->last = runner->lexicons[at];
    if (runner->count >= LEXICONS_MAX) {
        remove_at(runner, 0);
        at = find(runner, program->id);
    }
    if (runner->count == runner->cap) {
        size_t cap = runner->cap ? runner->cap * 2 : 16;
        dg_lexicon **grown = realloc(runner->lexicons, cap * sizeof *grown);
        if (!grown)
            return NULL;
        runner->lexicons = grown;
        runner->cap = cap;
    }
    dg_lexicon *lex = malloc(sizeof *lex);
    if (!lex)
        return NULL;
    dg_lexicon_init(lex, program);
    memmove(runner->lexicons + at + 1, runner->lexicons + at,
            (runner->count - at) * sizeof *runner->lexicons);
    runner->lexicons[at] = lex;
    runner->count++;
    return runner->last = lex;
}

static dg_status report(const dg_run_state *r, dg_slice in, dg_run_error *ret_error)
{
    dg_status status = r->scan.status == DG_OK ? DG_NOMEM : r->scan.status;
    if (!ret_error)
        return status;
    *ret_error = (dg_run_error){.status = status, .message = r->scan.message};
    if (!ret_error->message)
        ret_error->message = dg_status_text(status);
    if (r->op)
        ret_error->origin = r->op->origin;
    if (r->scan.fault_at && status != DG_NOMEM) {
        ret_error->offset = (size_t)(r->scan.fault_at - in.ptr);
        dg_scan_pointer(in, ret_error->offset, ret_error->pointer, sizeof ret_error->pointer);
    }
    return status;
}

dg_status dg_run(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out,
                 dg_run_error *ret_error)
{
    dg_lexicon *lex = lexicon_of(runner, program);
    dg_run_state r = {.scan = {.end = in.ptr + in.len, .status = DG_NOMEM}};
    if (!lex || out->status != DG_OK) {
        r.scan.status = lex ? out->status : DG_NOMEM;
        return report(&r, in, ret_error);
    }
    if (lex->full && ++lex->runs > RUNS_BEFORE_RELEARNING)
        dg_lexicon_reset(lex);
    size_t before = out->len;
    if (!lex->root)
        lex->root = dg_lexicon_node(lex, program->items, program->item_count);
    r = new_run(lex, in, out, &runner->spill);
    bool ok = lex->root ? run_text(&r, in, lex->root) : (dg_lexicon_failed(&r, in.ptr), false);
    free(r.seen);
    if (ok && r.out != out) {
        dg_buf_add(out, dg_slice_of(r.base, (size_t)(r.at - r.base)));
        if (out->status != DG_OK) {
            dg_scan_fail(&r.scan, r.scan.end, out->status, "the result is too long");
            out->status = DG_OK;
            ok = false;
        }
    } else if (ok) {
        out->len = (size_t)(r.at - out->ptr);
    }
    if (ok)
        return DG_OK;
    out->len = before;
    /* What was being learned when memory or room ran out may be half there. */
    if (r.scan.status == DG_NOMEM || !lex->root || lex->broken || lex->status == DG_LIMIT)
        dg_lexicon_reset(lex);
    return report(&r, in, ret_error);
}
