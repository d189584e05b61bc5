#include "transforms/pass/strict.h"

#include <stdlib.h>

#include "base/hash.h"
#include "transforms/name.h"

typedef struct walk {
    dg_strict *strict;
    const dg_program_options *options;
    const char *at;
    const char *message;
    uint64_t objects;                     /* seen so far */
    uint64_t open[DG_JSON_DEPTH_MAX + 1]; /* which objects we are in; 0 = an array */
    unsigned depth, depth_max;
} walk;

void dg_strict_init(dg_strict *strict)
{
    *strict = (dg_strict){.seed = dg_hash_seed()};
    dg_buf_init(&strict->one, 0);
    dg_buf_init(&strict->other, 0);
}

void dg_strict_free(dg_strict *strict)
{
    free(strict->names);
    dg_buf_free(&strict->one);
    dg_buf_free(&strict->other);
}

static unsigned depth_max(const dg_program_options *options)
{
    unsigned max = options->depth_max;
    return max == 0 || max > DG_JSON_DEPTH_MAX ? DG_JSON_DEPTH_MAX : max;
}

bool dg_strict_checks(const dg_program_options *options)
{
    return options->duplicates != DG_DUPLICATES_TOUCHED ||
           options->surrogates != DG_SURROGATES_PASS || depth_max(options) != DG_JSON_DEPTH_MAX;
}

static bool grow(dg_strict *strict)
{
    size_t size = strict->names ? (strict->mask + 1) * 2 : 256;
    dg_strict_name *grown = calloc(size, sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; strict->names && i <= strict->mask; i++) {
        size_t at = strict->names[i].hash & (size - 1);
        if (!strict->names[i].object)
            continue;
        while (grown[at].object)
            at = (at + 1) & (size - 1);
        grown[at] = strict->names[i];
    }
    free(strict->names);
    strict->names = grown;
    strict->mask = size - 1;
    return true;
}

static dg_slice decode(dg_slice raw, dg_buf *spare)
{
    if (dg_slice_find(raw, '\\') == raw.len)
        return raw;
    dg_buf_clear(spare);
    dg_name_decode(raw, spare);
    return dg_buf_slice(spare);
}

/* Notes a name of the innermost object. */
static dg_status note(walk *w, dg_slice raw)
{
    dg_strict *s = w->strict;
    uint64_t object = w->open[w->depth];
    if (s->count * 2 >= s->mask && !grow(s))
        return DG_NOMEM;
    dg_slice name = decode(raw, &s->one);
    uint64_t hash = dg_hash(name, s->seed) ^ object * 0x9E3779B97F4A7C15u;
    size_t at = hash & s->mask;
    for (; s->names[at].object; at = (at + 1) & s->mask) {
        if (s->names[at].object != object || s->names[at].hash != hash)
            continue;
        if (dg_slice_eq(decode(s->names[at].raw, &s->other), name)) {
            w->message = "two members have the same name";
            return DG_INVALID;
        }
    }
    s->names[at] = (dg_strict_name){object, hash, raw};
    s->count++;
    return s->one.status != DG_OK ? s->one.status : s->other.status;
}

static unsigned hex4(const char *p)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++)
        value = value * 16 + ((unsigned char)p[i] <= '9' ? (unsigned)(p[i] - '0')
                                                         : (unsigned)((p[i] | 0x20) - 'a') + 10);
    return value;
}

/* The first escape of a lone surrogate in the content of a valid string, or NULL. */
static const char *lone_surrogate(dg_slice raw)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
        if (p[1] != 'u') {
            p += 2;
            continue;
        }
        unsigned unit = hex4(p + 2);
        bool pair = unit >= 0xD800 && unit < 0xDC00 && end - p >= 12 && p[6] == '\\' &&
                    p[7] == 'u' && hex4(p + 8) >= 0xDC00 && hex4(p + 8) < 0xE000;
        if (!pair && unit >= 0xD800 && unit < 0xE000)
            return p;
        p += pair ? 12 : 6;
    }
    return NULL;
}

/* The string whose opening quote is at w->at, which goes behind it. */
static dg_status look_at_string(walk *w, const char *end)
{
    const char *from = w->at + 1, *p = from;
    while (*p != '"')
        p += *p == '\\' ? 2 : 1;
    dg_slice raw = dg_slice_of(from, (size_t)(p - from));
    const char *lone = w->options->surrogates == DG_SURROGATES_REJECT ? lone_surrogate(raw) : NULL;
    if (lone) {
        w->at = lone;
        w->message = "an escape of a lone surrogate";
        return DG_INVALID;
    }
    const char *after = p + 1;
    while (after < end && (*after == ' ' || *after == '\n' || *after == '\t' || *after == '\r'))
        after++;
    bool name = after < end && *after == ':';
    dg_status status = DG_OK;
    if (name && w->options->duplicates == DG_DUPLICATES_ANYWHERE)
        status = note(w, raw);
    if (status == DG_OK)
        w->at = p + 1;
    return status;
}

static dg_status go(walk *w, const char *end)
{
    while (w->at < end) {
        char c = *w->at;
        if (c == '"') {
            dg_status status = look_at_string(w, end);
            if (status != DG_OK)
                return status;
            continue;
        }
        if (c == '{' || c == '[') {
            if (w->depth >= w->depth_max) {
                w->message = "nested too deep";
                return DG_LIMIT;
            }
            w->open[++w->depth] = c == '{' ? ++w->objects : 0;
        } else if (c == '}' || c == ']') {
            w->depth--;
        }
        w->at++;
    }
    return DG_OK;
}

dg_status dg_strict_check(dg_strict *strict, const dg_program_options *options, dg_slice in,
                          size_t *ret_at, const char **ret_message)
{
    walk w = {.strict = strict, .options = options, .at = in.ptr, .depth_max = depth_max(options)};
    if (strict->count)
        memset(strict->names, 0, (strict->mask + 1) * sizeof *strict->names);
    strict->count = 0;
    dg_buf_clear(&strict->one);
    dg_buf_clear(&strict->other);
    dg_status status = go(&w, in.ptr + in.len);
    *ret_at = (size_t)(w.at - in.ptr);
    *ret_message = w.message ? w.message : "out of memory";
    return status;
}
