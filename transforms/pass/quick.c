/* Objects, member after member, as fast as names that are known go by. */
#include "transforms/text/isa.h"

#include "transforms/pass/object.h"

/* Where the members of an object have come to. */
typedef struct progress {
    dg_guess *guess;  /* what comes next */
    size_t separator; /* bytes of the output before the name that stand there for it */
    bool at_name;     /* else behind a value */
    dg_key *key;      /* at a name: its key, or NULL */
} progress;

/* What stands between a comma and the next name, comma included: the same for all members of an
 * object as a rule. */
typedef struct gap {
    const char *at; /* in the input, where it was seen last; or anything but a comma */
    dg_mask mask;   /* with the quote behind it */
    size_t len;
} gap;

/* Whether the gap at p, a comma, is as the last one; learns it if it is not. */
static inline bool same_gap(gap *g, const char *p)
{
    if ((~dg_block_equal(g->at, p) & g->mask) == 0)
        return true;
    dg_mask others = ~dg_block_spaces(p) & ~(dg_mask)1;
    if (others == 0)
        return false;
    unsigned len = (unsigned)__builtin_ctz(others);
    if (p[len] != '"')
        return false;
    *g = (gap){p, ((dg_mask)2 << len) - 1, len};
    return true;
}

/* The value of a key that is dropped, is not to stay as it is, is no plain scalar, or may lie
 * beyond the end. */
static const char *run_value(dg_run_state *r, const char *p, dg_key *key)
{
    const char *value = dg_scan_space(&r->scan, p);
    if (key->drops)
        return dg_scan_value(&r->scan, value, r->depth);
    if (DG_UNLIKELY(value != p)) {
        dg_put(r, p, value > p ? (size_t)(value - p) : 0);
        p = value;
    }
    r->first = &key->first;
    return dg_run_child(r, p, key->child);
}

/* Of a key whose claim is not simply free. */
static inline bool came_twice(dg_frame *f, uint64_t claimed, const dg_key *key)
{
    if (claimed & key->claim & ~DG_BITS_OTHER)
        return true;
    return key->bit >= DG_FIRST_BITS && dg_claim_bit(f, (uint32_t)key->bit);
}

/* The value of a quick key, or of a quick drop, once the name is written; *at is where it goes.
 * NULL if that fails. *ret_ended: it ended with the text. */
DG_ALWAYS_INLINE const char *member_value(dg_run_state *r, dg_frame *f, dg_key *key,
                                          const char *value, char **at, uint64_t claimed,
                                          bool *ret_ended)
{
    const char *p;
    if (DG_UNLIKELY(claimed & key->claim)) {
        if (came_twice(f, claimed, key))
            return dg_refuse_quick(r, key, value - (value[-1] == ' ') - key->match_len + 1);
        r->at = *at;
        if (!dg_room_after(r, value))
            return NULL;
        *at = r->at;
        if (key->drops || !key->child->passes_scalars)
            goto run;
    }
    p = dg_plain_scalar(value, true, *at);
    if (DG_LIKELY(p && p < r->scan.end)) {
        *at += p - value;
        *ret_ended = false;
        return p;
    }
run:
    r->at = *at;
    if (DG_LIKELY(*value == '{' && key->direct && value < r->scan.end)) {
        dg_ending ending;
        r->first = &key->first;
        p = dg_run_object(r, value, key->child, &ending);
    } else {
        p = run_value(r, value, key);
    }
    *at = r->at;
    *ret_ended = p >= r->scan.end;
    return p;
}

/* Writes the name of a quick key behind its comma, and the blank at *value if there is one. */
static inline char *put_quick_name(char *at, const dg_key *key, const char **value)
{
    dg_block_copy(at, (const char *)key->emit + 1);
    at += key->emit_len - 1;
    if (**value == ' ') {
        *at++ = ' ';
        ++*value;
    }
    return at;
}

/* Members whose names and colons stand as they were learned, from the name at p on: each in one go,
 * with what changes all the time in registers. Stops at the first that is another, or behind a
 * value that no member follows. */
DG_ALWAYS_INLINE const char *run_members(dg_run_state *r, dg_frame *f, const char *p, progress *now)
{
    dg_node *node = f->node;
    dg_guess *guess = now->guess;
    const char *const end = r->scan.end;
    char *at = r->at;
    gap between = {p, 1, 0}; /* no comma */
    dg_key *key = guess->key;
    bool at_name = false;
    if (p >= end || !(DG_LIKELY(key->quick && dg_names(key, p)) ||
                      ((key = dg_other_key(node, guess, p)) && key->quick))) {
        now->key = p < end ? key : NULL;
        now->at_name = true;
        return p;
    }
    uint64_t claimed = f->claimed;
    const char *value = p + key->match_len - 1;
    at = put_quick_name(at, key, &value);
    for (;;) {
        guess = &key->next;
        bool ended = false;
        if (!(p = member_value(r, f, key, value, &at, claimed, &ended)))
            return NULL;
        if (DG_UNLIKELY(ended))
            break;
        claimed |= key->claim;
        key = guess->key;
        /* A member is often left out: the one behind it comes next. */
        if (DG_LIKELY(dg_follows(key, p)) || (p[1] == '"' && dg_follows(key = key->next.key, p))) {
            dg_block_copy(at, (const char *)key->emit);
            at += key->emit_len;
            value = p + key->match_len;
            continue;
        }
        if (*p != ',' || !same_gap(&between, p) || p + between.len >= end)
            break;
        dg_block_copy(at, p);
        p += between.len;
        at += between.len;
        key = guess->key;
        if (!dg_names(key, p) || !key->quick)
            key = dg_other_key(node, guess, p);
        if (!key || !key->quick) {
            now->key = key;
            now->separator = between.len;
            at_name = true;
            break;
        }
        value = p + key->match_len - 1;
        at = put_quick_name(at, key, &value);
    }
    f->claimed = claimed;
    f->kept = 1;
    f->alive = DG_NEVER;
    r->at = at;
    now->guess = guess;
    now->at_name = at_name;
    return p;
}

/* The same where members come in any order: nothing is guessed. */
__attribute__((noinline)) static const char *run_strays(dg_run_state *r, dg_frame *f, const char *p,
                                                        progress *now)
{
    dg_guess *guess = now->guess;
    const char *const end = r->scan.end;
    char *at = r->at;
    gap between = {p, 1, 0}; /* no comma */
    uint64_t claimed = f->claimed;
    now->at_name = true;
    for (;;) {
        const char *value;
        dg_key *key = p < end ? dg_near_key(f->node, guess, p, &value) : NULL;
        if (!key || !key->quick) {
            now->key = key;
            break;
        }
        guess = &key->next;
        value++;
        at = put_quick_name(at, key, &value);
        bool ended = false;
        if (!(p = member_value(r, f, key, value, &at, claimed, &ended)))
            return NULL;
        claimed |= key->claim;
        f->kept = 1;
        f->alive = DG_NEVER;
        if (ended || *p != ',' || !same_gap(&between, p)) {
            now->at_name = false;
            break;
        }
        dg_block_copy(at, p);
        p += between.len;
        at += between.len;
        now->separator = between.len;
    }
    f->claimed = claimed;
    r->at = at;
    now->guess = guess;
    return p;
}

/* What remains of an object behind the value at p; returns where its brace is. */
__attribute__((noinline)) static const char *run_rest(dg_run_state *r, dg_frame *f, const char *p,
                                                      progress *now)
{
    const bool writes = !f->node->select;
    for (;;) {
        if (now->at_name) {
            dg_place m = {.name = p, .mark = (size_t)(r->at - r->base) - now->separator};
            if (!(p = dg_run_slow(r, f, now->key, &now->guess, &m)))
                return NULL;
        }
        f->space = p;
        p = dg_scan_space(&r->scan, p);
        if (DG_UNLIKELY(p >= r->scan.end || (*p != ',' && *p != '}')))
            return dg_scan_fail(&r->scan, p, DG_SYNTAX, "expected a comma or '}'");
        if (*p == '}')
            return p;
        p = dg_scan_space(&r->scan, p + 1);
        now->separator = writes && f->kept ? (size_t)(p - f->space) : 0;
        dg_put_input(r, f->space, now->separator);
        p = f->node->strays < DG_STRAYS_MANY ? run_members(r, f, p, now) : run_strays(r, f, p, now);
        if (!p)
            return NULL;
    }
}

const char *dg_run_object(dg_run_state *r, const char *p, dg_node *node, dg_ending *ret_ending)
{
    dg_frame f;
    dg_open_frame(&f, node);
    if (r->depth >= DG_JSON_DEPTH_MAX)
        return dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
    r->depth++;
    if (node->strays)
        node->strays = (node->strays > DG_STRAYS_MAX ? DG_STRAYS_MAX : node->strays) - 1;
    *r->at = '{';
    r->at += !node->select;
    f.open = (size_t)(r->at - r->base);
    f.space = p + 1;
    if (DG_UNLIKELY(*++p != '"'))
        p = dg_scan_space(&r->scan, p);
    if (p >= r->scan.end || *p != '}') {
        /* The same key may lead to objects of several nodes, by way of arrays. */
        dg_guess *first = r->first;
        if (!first || (first->key->node && first->key->node != node))
            first = &node->first;
        progress now;
        now.guess = first;
        now.separator = 0;
        if (DG_UNLIKELY(p != f.space && !node->select))
            dg_put(r, f.space, (size_t)(p - f.space));
        p = DG_LIKELY(node->strays < DG_STRAYS_MANY) ? run_members(r, &f, p, &now)
                                                     : run_strays(r, &f, p, &now);
        if (!p)
            return NULL;
        if (DG_LIKELY(!now.at_name && *p == '}' && node->plain_end && p < r->scan.end)) {
            r->depth--;
            *r->at++ = '}';
            ret_ending->gone = false;
            return p + 1;
        }
        dg_complete_frame(&f);
        if (!(p = run_rest(r, &f, p, &now)))
            return NULL;
    } else {
        dg_complete_frame(&f);
    }
    p = dg_close_object(r, &f, p);
    *ret_ending = f.ending;
    return p;
}
