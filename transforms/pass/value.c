/* Running: values of every kind. */
#include "transforms/text/isa.h"

#include "transforms/pass/run.h"
#include "transforms/scalar/scalar.h"

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
    dg_measure_lead(r);
    return true;
}

const char *dg_copy_composite(dg_run_state *r, const char *p)
{
    const char *q = dg_scan_value(&r->scan, p, r->depth);
    if (q)
        dg_put(r, p, (size_t)(q - p));
    return q;
}

static inline bool put_text(dg_run_state *r, const char *p, dg_slice text)
{
    if (text.len == 0)
        return true;
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

const char *dg_end_gone(dg_run_state *r, dg_node *node, const char *from, const char *p, int32_t note)
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
        return dg_end_gone(r, node, from, p,
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

typedef enum change { CHANGED, REPLACED, GONE, FAILED } change;

/* A scalar by a table. */
static change look_up(dg_run_state *r, dg_node *node, uint32_t at, const char *from, dg_slice *text)
{
    const dg_op *op = dg_item_op(node->local.at[at]);
    uint32_t pair = dg_lexicon_lookup(r->lex, node, at, *text);
    if (pair == UINT32_MAX) {
        dg_lexicon_failed(r, from);
        return FAILED;
    }
    if (pair < op->pair_count)
        *text = op->pairs[pair].to;
    else if (op->unknown == DG_UNKNOWN_REJECT)
        dg_refuse(r, from, op, dg_op_expects(op));
    return pair < op->pair_count || op->unknown == DG_UNKNOWN_PASS ? CHANGED
           : op->unknown == DG_UNKNOWN_DEFAULT                     ? REPLACED
                                                                   : FAILED;
}

/* A scalar by an op that reads it. What one makes lies in a buffer of the lexicon, and the other one is for the
 * next. */
static change convert(dg_run_state *r, const dg_op *op, const char *from, dg_slice *text)
{
    dg_lexicon *lex = r->lex;
    const char *message = "out of memory";
    size_t left = (size_t)(r->scan.end - from);
    dg_buf_clear(&lex->next_scalar);
    /* What is between two ops is bounded as what is between two stages (stage.c). */
    lex->next_scalar.bytes_max = r->bytes_max && r->bytes_max < left ? left : r->bytes_max;
    dg_status status =
        dg_scalar_apply(op, &lex->scratch->matcher, *text, &lex->next_scalar, &message);
    if (status != DG_OK) {
        r->op = op;
        dg_scan_fail(&r->scan, from, status, message);
        return FAILED;
    }
    dg_buf swap = lex->scalar;
    lex->scalar = lex->next_scalar;
    lex->next_scalar = swap;
    *text = dg_buf_slice(&lex->scalar);
    return CHANGED;
}

/* What the local item `at` does to a scalar. */
static change change_scalar(dg_run_state *r, dg_node *node, uint32_t at, const char *from,
                            dg_slice *text)
{
    const dg_op *op = dg_item_op(node->local.at[at]);
    switch (dg_item_tag(node->local.at[at])) {
    case DG_ITEM_IF_NULL:
        return dg_slice_eq(*text, DG_SLICE("null")) ? REPLACED : CHANGED;
    case DG_ITEM_IF_NULL_VOID:
        return dg_slice_eq(*text, DG_SLICE("null")) ? GONE : CHANGED;
    case DG_ITEM_IF_EMPTY:
        return CHANGED;
    default:
        if (!dg_op_is_scalar(op))
            return CHANGED;
        return op->kind == DG_OP_VALUES ? look_up(r, node, at, from, text)
                                        : convert(r, op, from, text);
    }
}

static const char *run_scalar(dg_run_state *r, const char *p, dg_node *node, size_t start)
{
    const char *from = p;
    p = dg_plain_scalar(from, false, NULL);
    if ((!p || p > r->scan.end) && !(p = dg_scan_scalar(&r->scan, from)))
        return NULL;
    dg_slice text = dg_slice_of(from, (size_t)(p - from));
    for (uint32_t i = 0; node->scalars && i < node->local.count; i++) {
        switch (change_scalar(r, node, i, from, &text)) {
        case FAILED:
            return NULL;
        case REPLACED:
            return end_replaced(r, node, from, p, i, start);
        case GONE:
            r->at = r->base + start;
            return dg_end_gone(r, node, from, p, node->local.notes[i]);
        case CHANGED:
            break;
        }
    }
    if (node->select)
        return dg_refuse(r, from, node->select, "expected an object to unwrap");
    if (!dg_room(r, p, text.len + node->suffix.len))
        return NULL;
    dg_put(r, text.ptr, text.len);
    dg_put(r, node->suffix.ptr, node->suffix.len);
    return p;
}

static inline const char *run_element(dg_run_state *r, const char *p, dg_node *element,
                                      dg_guess *first)
{
    if (element->passes_scalars) {
        const char *q = dg_plain_scalar(p, true, r->at);
        if (DG_LIKELY(q && q < r->scan.end)) {
            r->at += q - p;
            return q;
        }
    }
    r->first = first;
    if (DG_LIKELY(*p == '{' && element->direct && p < r->scan.end)) {
        dg_ending ending;
        return dg_run_object(r, p, element, &ending);
    }
    return dg_run_child(r, p, element);
}

static const char *run_elements(dg_run_state *r, const char *p, dg_node *element)
{
    *r->at++ = '[';
    const char *space = ++p;
    p = dg_scan_space(&r->scan, p);
    dg_put_input(r, space, (size_t)(p - space));
    if (p < r->scan.end && *p == ']') {
        *r->at++ = ']';
        return p + 1;
    }
    for (dg_guess *first = r->first;;) {
        if (!(p = run_element(r, p, element, first)))
            return NULL;
        if (DG_LIKELY(*p == ',' && (unsigned char)p[1] > ' ' && r->scan.end - p > 1)) {
            *r->at++ = ',';
            p++;
            continue;
        }
        space = p;
        p = dg_scan_space(&r->scan, p);
        if (DG_UNLIKELY(p >= r->scan.end || (*p != ',' && *p != ']')))
            return dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a comma or ']'");
        if (*p++ == ']') {
            dg_put_input(r, space, (size_t)(p - space));
            return p;
        }
        p = dg_scan_space(&r->scan, p);
        dg_put_input(r, space, (size_t)(p - space));
    }
}

const char *dg_run_array(dg_run_state *r, const char *p, dg_node *node)
{
    if (r->depth >= DG_JSON_DEPTH_MAX)
        return dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
    dg_node *element = node->element;
    if (!element && !(element = dg_lexicon_element(r->lex, node)))
        return dg_lexicon_failed(r, p);
    if (element->mode == DG_NODE_COPY) {
        p = dg_copy_composite(r, p);
    } else {
        r->depth++;
        p = run_elements(r, p, element);
        r->depth--;
    }
    return p;
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

/* An object or array that an op on scalars does not let pass, or that is not what the op is for; unless the items before it let
 * the object go. */
static const char *run_override(dg_run_state *r, const char *p, dg_node *node, size_t start,
                                int32_t override)
{
    const char *from = p;
    const dg_op *op = dg_item_op(node->local.at[override]);
    if (*p == '{' && node->voids) {
        dg_node *before = dg_lexicon_node(r->lex, node->local.at, (uint32_t)override);
        if (!before)
            return dg_lexicon_failed(r, from);
        if (!(p = dg_probe(r, p, before)))
            return NULL;
        if (r->void_at >= 0) {
            int32_t note = node->local.notes[r->void_at];
            r->void_at = -1;
            r->at = r->base + start;
            return dg_end_gone(r, node, from, p, note);
        }
    } else if (!(p = dg_scan_value(&r->scan, p, r->depth))) {
        return NULL;
    }
    if (!dg_op_is_scalar(op))
        return dg_refuse(r, from, op,
                         *from == '[' ? "expected an object, found an array"
                                      : "expected an array, found an object");
    if (op->unknown == DG_UNKNOWN_REJECT)
        return dg_refuse(r, from, op, dg_op_expects(op));
    return end_replaced(r, node, from, p, (uint32_t)override, start);
}

static const char *run_array(dg_run_state *r, const char *p, dg_node *node)
{
    if (node->select)
        return dg_refuse(r, p, node->select, "expected an object to unwrap");
    p = dg_run_array(r, p, node);
    return p && put_text(r, p, node->suffix) ? p : NULL;
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
    int32_t override = *p == '[' ? node->override_array : node->override_object;
    if (override != DG_NEVER)
        return run_override(r, p, node, start, override);
    if (*p == '[')
        return run_array(r, p, node);
    dg_ending ending;
    p = dg_run_object(r, p, node, &ending);
    if (!p)
        return NULL;
    if (ending.gone) {
        r->at = r->base + start;
        return dg_end_gone(r, node, from, p, ending.note);
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
    case DG_NODE_STAGED:
        return dg_run_staged(r, p, node);
    case DG_NODE_BUILDING:
        break;
    }
    return dg_refuse(r, from, NULL, "the added value contains itself, without end");
}

/* The whole text: white space, a value, white space. */
bool dg_run_text(dg_run_state *r, dg_slice in, dg_node *root)
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
