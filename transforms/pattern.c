#include "transforms/pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    BYTES_A_STEP = 32,
    HEAP_KIB_MAX = 4096,
    PAIRS = DG_PATTERN_GROUPS_MAX + 1
};

struct dg_pattern {
    dg_slice text;
    pcre2_code *code;
    pcre2_general_context *memory; /* take and give */
    dg_arena *arena;               /* while it is being compiled; then memory is the heap's */
};

/* PCRE2 asks for memory through these. */
static void *take(size_t bytes, void *context)
{
    dg_pattern *pattern = context;
    return pattern->arena ? dg_arena_alloc(pattern->arena, bytes) : malloc(bytes);
}

static void give(void *ptr, void *context)
{
    const dg_pattern *pattern = context;
    if (!pattern->arena)
        free(ptr);
}

static dg_status refuse(dg_origin origin, dg_diags *diags, int error, size_t at)
{
    PCRE2_UCHAR sentence[120];
    if (error == PCRE2_ERROR_NOMEMORY || error == 121 /* failed to get memory */)
        return DG_NOMEM;
    if (pcre2_get_error_message(error, sentence, sizeof sentence) < 0)
        sentence[0] = '\0';
    dg_diags_add(diags, DG_ERROR, origin, "the pattern is wrong at its character %zu: %s", at + 1,
                 (const char *)sentence);
    return DG_INVALID;
}

static dg_status compile(dg_pattern *pattern, dg_origin origin, dg_diags *diags)
{
    pattern->memory = pcre2_general_context_create(take, give, pattern);
    pcre2_compile_context *context =
        pattern->memory ? pcre2_compile_context_create(pattern->memory) : NULL;
    int error;
    size_t at;
    uint32_t groups = 0;
    if (!context)
        return DG_NOMEM;
    pattern->code = pcre2_compile((PCRE2_SPTR)pattern->text.ptr, pattern->text.len,
                                  PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT, &error, &at, context);
    if (!pattern->code)
        return pattern->arena->failed ? DG_NOMEM : refuse(origin, diags, error, at);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups > DG_PATTERN_GROUPS_MAX) {
        dg_diags_add(diags, DG_ERROR, origin,
                     "the pattern has %u groups, more than %d; (?:...) is none", (unsigned)groups,
                     DG_PATTERN_GROUPS_MAX);
        return DG_INVALID;
    }
    return DG_OK;
}

dg_status dg_pattern_new(dg_arena *arena, dg_slice text, dg_origin origin, dg_diags *diags,
                         const dg_pattern **ret_pattern)
{
    if (text.len > DG_PATTERN_BYTES_MAX) {
        dg_diags_add(diags, DG_ERROR, origin, "a pattern has at most %d bytes",
                     DG_PATTERN_BYTES_MAX);
        return DG_INVALID;
    }
    dg_pattern *pattern = dg_arena_zalloc(arena, sizeof *pattern);
    if (!pattern)
        return DG_NOMEM;
    pattern->text = dg_arena_dup(arena, text);
    if (!pattern->text.ptr)
        return DG_NOMEM;
    pattern->arena = arena;
    dg_status status = compile(pattern, origin, diags);
    pattern->arena = NULL;
    if (status == DG_OK)
        *ret_pattern = pattern;
    return status;
}

dg_slice dg_pattern_text(const dg_pattern *pattern)
{
    return pattern->text;
}

/* ---- matching */

typedef struct matching {
    const pcre2_code *code;
    dg_matcher *of;
    const size_t *pairs; /* where the match and its groups are */
    int groups;          /* how many of them are set, the match itself counted */
} matching;

static void *take_heap(size_t bytes, void *context)
{
    (void)context;
    return malloc(bytes);
}

static void give_heap(void *ptr, void *context)
{
    (void)context;
    free(ptr);
}

/* PCRE2 calls this before each item that it tries. */
static int count_step(pcre2_callout_block *block, void *context)
{
    dg_matcher *matcher = context;
    size_t at = block->current_position, way = at > matcher->at ? at - matcher->at : 0;
    uint64_t cost = 1 + way / BYTES_A_STEP; /* one item may run along all of the text */
    matcher->at = at;
    if (matcher->steps < cost) {
        matcher->steps = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    matcher->steps -= cost;
    return 0;
}

void dg_matcher_init(dg_matcher *matcher)
{
    *matcher = (dg_matcher){0};
    dg_matcher_begin(matcher, 0);
}

void dg_matcher_free(dg_matcher *matcher)
{
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_general_context_free(matcher->memory);
    *matcher = (dg_matcher){0};
}

void dg_matcher_begin(dg_matcher *matcher, size_t bytes)
{
    matcher->steps = DG_PATTERN_STEPS_MAX + (uint64_t)DG_PATTERN_STEPS_A_BYTE * bytes;
}

static dg_status ready(dg_matcher *matcher)
{
    if (matcher->data)
        return DG_OK;
    matcher->memory = pcre2_general_context_create(take_heap, give_heap, NULL);
    if (matcher->memory)
        matcher->context = pcre2_match_context_create(matcher->memory);
    if (matcher->context)
        matcher->data = pcre2_match_data_create(PAIRS, matcher->memory);
    if (!matcher->data) {
        uint64_t steps = matcher->steps;
        dg_matcher_free(matcher);
        matcher->steps = steps;
        return DG_NOMEM;
    }
    pcre2_set_heap_limit(matcher->context, HEAP_KIB_MAX);
    pcre2_set_callout(matcher->context, count_step, matcher);
    return DG_OK;
}

/* The next match from `at` on; DG_NOT_FOUND. */
static dg_status find(matching *m, dg_slice subject, size_t at)
{
    if (m->of->steps == 0)
        return DG_LIMIT;
    m->of->at = at;
    m->of->steps--; /* also where PCRE2 knows without trying an item */
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.len ? subject.ptr : "");
    int rc = pcre2_match(m->code, text, subject.len, at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->of->data,
                         m->of->context);
    m->pairs = pcre2_get_ovector_pointer(m->of->data);
    m->groups = rc;
    if (rc == PCRE2_ERROR_NOMATCH)
        return DG_NOT_FOUND;
    if (rc < 0)
        return rc == PCRE2_ERROR_NOMEMORY ? DG_NOMEM : DG_LIMIT;
    /* \K may say that a match starts before where it was looked for: that would have no end. */
    return m->pairs[0] < at || m->pairs[1] < m->pairs[0] ? DG_LIMIT : DG_OK;
}

static dg_status match_once(const dg_pattern *pattern, dg_matcher *matcher, dg_slice subject,
                            bool *ret_matches)
{
    matching m = {.code = pattern->code, .of = matcher};
    dg_status status = ready(matcher);
    if (status == DG_OK)
        status = find(&m, subject, 0);
    if (status != DG_OK && status != DG_NOT_FOUND)
        return status;
    *ret_matches = status == DG_OK;
    return DG_OK;
}

dg_status dg_pattern_match(const dg_pattern *pattern, dg_matcher *matcher, dg_slice subject,
                           bool *ret_matches)
{
    dg_matcher own;
    if (matcher)
        return match_once(pattern, matcher, subject, ret_matches);
    dg_matcher_init(&own);
    dg_matcher_begin(&own, subject.len);
    dg_status status = match_once(pattern, &own, subject, ret_matches);
    dg_matcher_free(&own);
    return status;
}

/* Appends `with` for one match. A group that is not set, or not there, is nothing. */
static void expand(const matching *m, dg_slice subject, dg_slice with, dg_buf *out)
{
    while (with.len) {
        size_t dollar = dg_slice_find(with, '$');
        dg_buf_add(out, dg_slice_until(with, dollar));
        with = dg_slice_from(with, dollar);
        if (with.len < 2) {
            dg_buf_add(out, with);
            return;
        }
        int group = with.ptr[1] - '0';
        bool is_group = group >= 0 && group <= DG_PATTERN_GROUPS_MAX;
        if (is_group && group < m->groups && m->pairs[2 * group] != PCRE2_UNSET)
            dg_buf_add(out, dg_slice_of(subject.ptr + m->pairs[2 * group],
                                        m->pairs[2 * group + 1] - m->pairs[2 * group]));
        else if (!is_group)
            dg_buf_add_char(out, '$');
        with = dg_slice_from(with, is_group || with.ptr[1] == '$' ? 2 : 1);
    }
}

/* The bytes of the character at `at`. */
static size_t character(dg_slice subject, size_t at)
{
    size_t end = at + 1;
    while (end < subject.len && ((unsigned char)subject.ptr[end] & 0xC0) == 0x80)
        end++;
    return end - at;
}

static dg_status replace_all(matching *m, dg_slice subject, dg_slice with, dg_buf *out)
{
    size_t at = 0, copied = 0;
    while (at <= subject.len) {
        dg_status status = find(m, subject, at);
        if (status == DG_NOT_FOUND)
            break;
        if (status != DG_OK)
            return status;
        dg_buf_add(out, dg_slice_of(subject.ptr + copied, m->pairs[0] - copied));
        expand(m, subject, with, out);
        if (out->status != DG_OK)
            return out->status;
        copied = at = m->pairs[1];
        if (m->pairs[0] == m->pairs[1]) /* an empty match: the next one is a character further */
            at += at < subject.len ? character(subject, at) : 1;
    }
    dg_buf_add(out, dg_slice_from(subject, copied));
    return out->status;
}

dg_status dg_pattern_replace(const dg_pattern *pattern, dg_matcher *matcher, dg_slice subject,
                             dg_slice with, dg_buf *out)
{
    dg_matcher own;
    matching m = {.code = pattern->code, .of = matcher ? matcher : &own};
    size_t before = out->len;
    if (!matcher) {
        dg_matcher_init(&own);
        dg_matcher_begin(&own, subject.len);
    }
    dg_status status = ready(m.of);
    if (status == DG_OK)
        status = replace_all(&m, subject, with, out);
    if (!matcher)
        dg_matcher_free(&own);
    if (status != DG_OK) {
        out->len = before;
        out->status = DG_OK;
    }
    return status;
}
