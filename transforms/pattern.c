#include "transforms/pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    /* Work on one subject, over all the places where a match may start: PCRE2 counts its steps for
       each anew. */
    STEPS_ALL = 100000000,
    STEPS_LEAST = 1000,
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
                                  PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, context);
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

typedef struct matcher {
    const pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *data;
    const size_t *pairs; /* where the match and its groups are */
    int groups;          /* how many of them are set, the match itself counted */
} matcher;

static void close_matcher(matcher *m)
{
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
}

static dg_status open_matcher(const dg_pattern *pattern, size_t subject_bytes, matcher *m)
{
    size_t steps = STEPS_ALL / (subject_bytes + 1);
    *m = (matcher){.code = pattern->code};
    m->context = pcre2_match_context_create(pattern->memory);
    m->data = pcre2_match_data_create(PAIRS, pattern->memory);
    if (!m->context || !m->data) {
        close_matcher(m);
        return DG_NOMEM;
    }
    steps = steps < STEPS_LEAST            ? STEPS_LEAST
            : steps > DG_PATTERN_STEPS_MAX ? DG_PATTERN_STEPS_MAX
                                           : steps;
    pcre2_set_match_limit(m->context, (uint32_t)steps);
    pcre2_set_depth_limit(m->context, (uint32_t)steps);
    pcre2_set_heap_limit(m->context, HEAP_KIB_MAX);
    m->pairs = pcre2_get_ovector_pointer(m->data);
    return DG_OK;
}

/* The next match from `at` on; DG_NOT_FOUND. */
static dg_status find(matcher *m, dg_slice subject, size_t at)
{
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.len ? subject.ptr : "");
    int rc = pcre2_match(m->code, text, subject.len, at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->data,
                         m->context);
    m->groups = rc;
    if (rc == PCRE2_ERROR_NOMATCH)
        return DG_NOT_FOUND;
    if (rc < 0)
        return rc == PCRE2_ERROR_NOMEMORY ? DG_NOMEM : DG_LIMIT;
    /* \K may say that a match starts before where it was looked for: that would have no end. */
    return m->pairs[0] < at || m->pairs[1] < m->pairs[0] ? DG_LIMIT : DG_OK;
}

dg_status dg_pattern_match(const dg_pattern *pattern, dg_slice subject, bool *ret_matches)
{
    matcher m;
    dg_status status = open_matcher(pattern, subject.len, &m);
    if (status != DG_OK)
        return status;
    status = find(&m, subject, 0);
    close_matcher(&m);
    if (status != DG_OK && status != DG_NOT_FOUND)
        return status;
    *ret_matches = status == DG_OK;
    return DG_OK;
}

/* Appends `with` for one match. A group that is not set, or not there, is nothing. */
static void expand(const matcher *m, dg_slice subject, dg_slice with, dg_buf *out)
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

static dg_status replace_all(matcher *m, dg_slice subject, dg_slice with, dg_buf *out)
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

dg_status dg_pattern_replace(const dg_pattern *pattern, dg_slice subject, dg_slice with,
                             dg_buf *out)
{
    matcher m;
    size_t before = out->len;
    dg_status status = open_matcher(pattern, subject.len, &m);
    if (status != DG_OK)
        return status;
    status = replace_all(&m, subject, with, out);
    close_matcher(&m);
    if (status != DG_OK) {
        out->len = before;
        out->status = DG_OK;
    }
    return status;
}
