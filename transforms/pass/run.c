/* Running: the entry points. */
#include "transforms/pass/runner.h"

#include <stdlib.h>

#include "transforms/text/pointer.h"

enum { LEXICONS_MAX = 4096, RUNS_BEFORE_RELEARNING = 256 };

/* Field by field: gcc clears what is left out of an initializer with instructions that take as long
 * as a short text. */
void dg_run_start(dg_run_state *r, dg_lexicon *lex, dg_slice in, dg_buf *out, dg_buf *spill)
{
    r->scan.end = in.ptr + in.len;
    r->scan.tokens = NULL;
    r->scan.fault_at = r->scan.message = NULL;
    r->scan.status = DG_OK;
    r->lex = lex;
    r->base = r->at = out->ptr ? out->ptr + out->len : NULL;
    r->limit = out->ptr ? out->ptr + out->cap : NULL;
    dg_measure_lead(r);
    r->out = out;
    r->spill = spill;
    r->bytes_max = out->bytes_max ? out->bytes_max - out->len + 1 : 0;
    r->depth = 0;
    r->void_at = -1;
    r->op = NULL;
    r->first = NULL;
    r->objects = 0;
    r->seen = NULL;
    r->seen_count = r->seen_mask = 0;
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
        dg_run_start(&r, lex, dg_slice_of(in.ptr, text.len), &out, &out);
        ok = dg_run_text(&r, dg_slice_of(in.ptr, text.len), node);
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

bool dg_run_is_wide(void)
{
#ifdef DG_HAS_AVX2
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

dg_status dg_runner_new(dg_runner **ret_runner)
{
    dg_runner *runner = malloc(sizeof *runner);
    if (!runner)
        return DG_NOMEM;
    runner->lexicons = NULL;
    runner->count = runner->cap = 0;
    runner->last = NULL;
    runner->run_text = dg_run_text;
#ifdef DG_HAS_AVX2
    if (dg_run_is_wide())
        runner->run_text = dg_run_text_avx2;
#endif
    dg_tokens_init(&runner->tokens);
    dg_buf_init(&runner->spill, 0);
    dg_scratch_init(&runner->scratch);
    dg_strict_init(&runner->strict);
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
    dg_scratch_free(&runner->scratch);
    dg_strict_free(&runner->strict);
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
    dg_lexicon_init(lex, program, &runner->scratch);
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
        dg_pointer_write(&(dg_pointer_above){0}, in, ret_error->offset, ret_error->pointer,
                         sizeof ret_error->pointer);
    }
    return status;
}

bool dg_run_collect(dg_run_state *r, dg_buf *out)
{
    if (r->out == out) {
        out->len = (size_t)(r->at - out->ptr);
        return true;
    }
    dg_buf_add(out, dg_slice_of(r->base, (size_t)(r->at - r->base)));
    if (out->status == DG_OK)
        return true;
    dg_scan_fail(&r->scan, r->scan.end, out->status, "the result is too long");
    out->status = DG_OK;
    return false;
}

static bool is_strict(dg_runner *runner, const dg_program *program, dg_run_state *r, dg_slice in)
{
    size_t at;
    const char *message;
    dg_status status = dg_strict_check(&runner->strict, &program->options, in, &at, &message);
    if (status != DG_OK)
        dg_scan_fail(&r->scan, in.ptr + at, status, message);
    return status == DG_OK;
}

dg_status dg_run(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out,
                 dg_run_error *ret_error)
{
    dg_lexicon *lex = lexicon_of(runner, program);
    dg_run_state r;
    dg_run_start(&r, lex, in, out, &runner->spill);
    if (!lex || out->status != DG_OK) {
        r.scan.status = lex ? out->status : DG_NOMEM;
        return report(&r, in, ret_error);
    }
    if (lex->full && ++lex->runs > RUNS_BEFORE_RELEARNING)
        dg_lexicon_reset(lex);
    size_t before = out->len;
    dg_matcher_begin(&runner->scratch.matcher, in.len);
    if (!lex->root)
        lex->root = dg_lexicon_node(lex, program->items, program->item_count);
    r.scan.tokens = &runner->tokens;
    bool ok =
        lex->root ? runner->run_text(&r, in, lex->root) : (dg_lexicon_failed(&r, in.ptr), false);
    free(r.seen);
    if (ok && program->strict)
        ok = is_strict(runner, program, &r, in);
    if (ok && dg_run_collect(&r, out))
        return DG_OK;
    out->len = before;
    /* What was being learned when memory or room ran out may be half there. */
    if (r.scan.status == DG_NOMEM || !lex->root || lex->broken || lex->status == DG_LIMIT)
        dg_lexicon_reset(lex);
    return report(&r, in, ret_error);
}
