#include "transforms/text/isa.h"

#include <stdlib.h>

#include "transforms/stream/spine.h"

typedef enum pace { FAILED, STARVED, MOVED } pace;

static const char *const TOO_EARLY = "the text ends too early";

static dg_level *innermost(dg_spine *s)
{
    return &s->levels[s->depth - 1];
}

/* What is written depends on whether it ever leaves. */
static void put(dg_spine *s, bool drops, const char *from, const char *to)
{
    if (!drops)
        dg_put(&s->run, from, (size_t)(to - from));
}

/* ---- Extents */

/* Looks on for the end of the value at `at`: a comma behind it, or its container's bracket, or its
 * own. What it says is true of every text that the scan accepts. */
static bool ends(dg_spine *s)
{
    dg_extent *x = &s->extent;
    const char *p = s->at + x->done;
    while (p < s->end && !x->ends) {
        char c = *p;
        if (x->escaped) {
            x->escaped = false;
        } else if (x->string) {
            dg_mask specials = dg_block_specials(p);
            if (!(specials & 1)) {
                p += specials ? __builtin_ctz(specials) : DG_BLOCK;
                continue;
            }
            x->string = c != '"';
            x->escaped = c == '\\';
        } else if (c == '"') {
            x->string = true;
        } else if (dg_opens(c)) {
            x->depth++;
        } else if (c == '}' || c == ']') {
            x->ends = x->depth <= 1;
            x->depth -= x->depth > 0;
        } else if (c == ',' && x->depth == 0) {
            x->ends = x->commas == 0;
            x->commas = 0;
        }
        p++;
    }
    x->done = (size_t)((p < s->end ? p : s->end) - s->at);
    return x->ends;
}

static void begin_extent(dg_spine *s)
{
    bool comma = s->place == DG_SPINE_WITHIN && !innermost(s)->opened;
    s->extent = (dg_extent){.commas = comma};
    s->tried = false;
    s->try_at = s->wait;
}

/* ---- Going back when the bytes do not suffice */

typedef struct mark {
    size_t at;
    unsigned depth;
} mark;

static mark mark_of(const dg_run_state *r)
{
    return (mark){(size_t)(r->at - r->base), r->depth};
}

/* After something returned NULL: if only because the bytes at hand end, it will be done again. */
static pace pause_at(dg_spine *s, mark m)
{
    dg_run_state *r = &s->run;
    if (s->last || r->scan.status != DG_SYNTAX || r->scan.fault_at != r->scan.end)
        return FAILED;
    r->at = r->base + m.at;
    r->depth = m.depth;
    r->void_at = -1;
    r->op = NULL;
    r->scan.status = DG_OK;
    return STARVED;
}

/* ---- Values that end */

/* The value that ends at p was the last thing to wait for where it is. */
static pace end_value(dg_spine *s, const char *p)
{
    s->at = p;
    if (s->depth == 0) {
        s->place = DG_SPINE_BEHIND;
        return MOVED;
    }
    s->place = DG_SPINE_WITHIN;
    dg_level *l = innermost(s);
    l->opened = false;
    l->ended++;
    if (l->key && !dg_entry_close(&s->run, &l->frame, l->key, p)) {
        s->fault_passed = true;
        s->fault_offset = l->name_at;
        return FAILED;
    }
    l->key = NULL;
    return MOVED;
}

/* The innermost container ends at p, and all of it that leaves has been written. */
static pace leave(dg_spine *s, const char *p)
{
    const dg_level *l = innermost(s);
    if (!dg_room(&s->run, p, l->suffix.len))
        return FAILED;
    dg_put(&s->run, l->suffix.ptr, l->suffix.len);
    s->arrays -= !l->object;
    s->depth--;
    return end_value(s, p);
}

/* Where the next value or name of a container starts, or its closing bracket is; NULL: the bytes
 * end before, or something else is there. */
static const char *next(dg_spine *s, const dg_level *l, bool *ret_closes)
{
    dg_scan *scan = &s->run.scan;
    const char *p = dg_scan_space(scan, s->at);
    char close = l->object ? '}' : ']';
    *ret_closes = p < scan->end && *p == close;
    if (*ret_closes)
        return p;
    if (!l->opened) {
        if (p >= scan->end || *p != ',')
            return dg_scan_fail(scan, p, DG_SYNTAX,
                                l->object ? "expected a comma or '}'" : "expected a comma or ']'");
        p = dg_scan_space(scan, p + 1);
    }
    if (p >= scan->end && !s->last)
        return dg_scan_fail(scan, p, DG_SYNTAX, TOO_EARLY);
    return p;
}

/* ---- Values that are complete */

/* A member's name and colon at p; returns where its value starts. */
static const char *skip_name(dg_scan *s, const char *p)
{
    if (p >= s->end || *p != '"')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a member name");
    if (!(p = dg_scan_string(s, p + 1, NULL)))
        return NULL;
    p = dg_scan_space(s, p);
    if (p >= s->end || *p != ':')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a colon");
    return dg_scan_space(s, p + 1);
}

static const char *run_value(dg_run_state *r, const char *p, dg_node *node)
{
    r->first = NULL;
    if (DG_LIKELY(node->direct && *p == '{' && p < r->scan.end)) {
        dg_ending ending;
        return dg_run_object(r, p, node, &ending);
    }
    return dg_run_child(r, p, node);
}

static pace run_root(dg_spine *s)
{
    dg_run_state *r = &s->run;
    mark m = mark_of(r);
    const char *p = dg_scan_space(&r->scan, s->at);
    dg_put(r, s->at, (size_t)(p - s->at));
    p = p < r->scan.end || s->last ? run_value(r, p, s->root)
                                   : dg_scan_fail(&r->scan, p, DG_SYNTAX, TOO_EARLY);
    return p ? end_value(s, p) : pause_at(s, m);
}

static pace run_elements(dg_spine *s, dg_level *l)
{
    dg_run_state *r = &s->run;
    for (;;) {
        mark m = mark_of(r);
        bool closes;
        const char *p = next(s, l, &closes);
        if (!p)
            return pause_at(s, m);
        dg_put_input(r, s->at, (size_t)(p - s->at));
        if (closes) {
            *r->at++ = ']';
            r->depth--;
            return leave(s, p + 1);
        }
        if (!(p = run_value(r, p, l->element)))
            return pause_at(s, m);
        l->opened = false;
        l->ended++;
        s->at = p;
    }
}

/* One member, which is complete, or the end of the object. */
static pace run_member(dg_spine *s, dg_level *l)
{
    dg_run_state *r = &s->run;
    dg_frame *f = &l->frame;
    bool closes;
    mark before = mark_of(r);
    const char *p = next(s, l, &closes);
    if (!p)
        return pause_at(s, before);
    f->space = s->at;
    if (closes) {
        p = dg_close_object(r, f, p);
        return p ? leave(s, p) : FAILED;
    }
    bool writes = !f->node->select && (l->opened || f->kept);
    dg_put_input(r, s->at, writes ? (size_t)(p - s->at) : 0);
    dg_place m = {.name = p, .mark = l->opened ? mark_of(r).at : before.at};
    dg_guess *guess = &f->node->first;
    if (!(p = dg_run_slow(r, f, NULL, &guess, &m)))
        return FAILED;
    l->name = m.name;
    return end_value(s, p);
}

/* What is in a container that copies. */
static pace run_copies(dg_spine *s, dg_level *l)
{
    dg_run_state *r = &s->run;
    mark m = mark_of(r);
    const char *from = s->at;
    for (;;) {
        bool closes;
        const char *p = next(s, l, &closes), *name = p;
        if (!p)
            break;
        if (closes) {
            put(s, l->drops, from, p + 1);
            r->depth--;
            return leave(s, p + 1);
        }
        if (l->object && !(p = skip_name(&r->scan, p)))
            break;
        if (!(p = dg_scan_value(&r->scan, p, r->depth)))
            break;
        l->name = name;
        l->opened = false;
        l->ended++;
        s->at = p;
    }
    if (pause_at(s, m) == FAILED)
        return FAILED;
    put(s, l->drops, from, s->at);
    return STARVED;
}

static pace run_behind(dg_spine *s)
{
    const char *p = dg_scan_space(&s->run.scan, s->at);
    dg_put(&s->run, s->at, (size_t)(p - s->at));
    s->at = p;
    if (p >= s->run.scan.end)
        return STARVED;
    dg_scan_fail(&s->run.scan, p, DG_SYNTAX, "something follows the value");
    return FAILED;
}

/* ---- Scalars that are entered */

static pace run_string(dg_spine *s)
{
    dg_scan *scan = &s->run.scan;
    const char *p = s->at, *end = s->end;
    for (;;) {
        while (p < end && dg_block_specials(p) == 0)
            p += DG_BLOCK;
        if (p < end)
            p += __builtin_ctz(dg_block_specials(p));
        if (p >= end) {
            p = end;
            break;
        }
        if (*p == '"') {
            put(s, s->scalar_drops, s->at, p + 1);
            return end_value(s, p + 1);
        }
        size_t left = (size_t)(end - p), escape = left > 1 && p[1] == 'u' ? 6 : 2;
        if (*p == '\\' && left < escape && !s->last)
            break;
        if (*p != '\\')
            dg_scan_fail(scan, p, DG_SYNTAX, "a control character in a string");
        else if (left < escape || dg_scan_escape(p) == 0)
            dg_scan_fail(scan, p, DG_SYNTAX, "an escape that JSON does not know");
        else {
            p += escape;
            continue;
        }
        return FAILED;
    }
    put(s, s->scalar_drops, s->at, p);
    s->at = p;
    if (!s->last)
        return STARVED;
    dg_scan_fail(scan, p, DG_SYNTAX, "a string has no end");
    return FAILED;
}

/* Where a number has come to (RFC 8259 6). */
enum { SIGN, ZERO, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, NO_NUMBER };

static unsigned next_digit(unsigned digits, char c)
{
    bool digit = (unsigned char)(c - '0') < 10, e = (c | 0x20) == 'e';
    switch (digits) {
    case SIGN:
        return c == '0' ? ZERO : digit ? WHOLE : NO_NUMBER;
    case ZERO:
        return c == '.' ? POINT : e ? EXPONENT : NO_NUMBER;
    case WHOLE:
        return digit ? WHOLE : c == '.' ? POINT : e ? EXPONENT : NO_NUMBER;
    case POINT:
        return digit ? FRACTION : NO_NUMBER;
    case FRACTION:
        return digit ? FRACTION : e ? EXPONENT : NO_NUMBER;
    case EXPONENT:
        return digit ? POWER : c == '+' || c == '-' ? EXPONENT_SIGN : NO_NUMBER;
    default:
        return digit ? POWER : NO_NUMBER;
    }
}

static pace run_number(dg_spine *s)
{
    const char *p = s->at;
    unsigned next;
    while (p < s->end && (next = next_digit(s->digits, *p)) != NO_NUMBER) {
        s->digits = next;
        p++;
    }
    put(s, s->scalar_drops, s->at, p);
    s->at = p;
    if (p >= s->end && !s->last)
        return STARVED;
    if (s->digits == ZERO || s->digits == WHOLE || s->digits == FRACTION || s->digits == POWER)
        return end_value(s, p);
    dg_scan_fail(&s->run.scan, p, DG_SYNTAX, "a number that JSON does not know");
    return FAILED;
}

/* ---- Entering */

static bool grow_levels(dg_spine *s)
{
    if (s->depth < s->cap)
        return true;
    unsigned cap = s->cap ? s->cap * 2 : 4;
    dg_level *grown = realloc(s->levels, cap * sizeof *grown);
    if (!grown) {
        dg_scan_fail(&s->run.scan, s->at, DG_NOMEM, "out of memory");
        return false;
    }
    s->levels = grown;
    s->cap = cap;
    return true;
}

/* A new level for the container at p; node NULL: it is dropped, or within what is copied. */
static pace push(dg_spine *s, const char *p, dg_node *node, bool drops)
{
    dg_run_state *r = &s->run;
    if (r->depth >= DG_JSON_DEPTH_MAX) {
        dg_scan_fail(&r->scan, p, DG_LIMIT, "nested too deep");
        return FAILED;
    }
    size_t around = node ? node->prefix.len + node->suffix.len : 0;
    if (!grow_levels(s) || !dg_room(r, p, around + 1))
        return FAILED;
    dg_level *l = &s->levels[s->depth];
    l->object = *p == '{';
    l->copies = !node || dg_node_copies(node);
    l->drops = drops;
    l->opened = true;
    l->ended = 0;
    l->element = NULL;
    l->suffix = node ? node->suffix : (dg_slice){NULL, 0};
    l->key = NULL;
    l->name = NULL;
    l->step_len = 0;
    if (!l->object && !l->copies) {
        if (!(l->element = dg_lexicon_element(r->lex, node))) {
            dg_lexicon_failed(r, p);
            return FAILED;
        }
        l->copies = l->element->mode == DG_NODE_COPY;
    }
    if (node)
        dg_put(r, node->prefix.ptr, node->prefix.len);
    bool writes = !drops;
    if (l->object && !l->copies) {
        dg_start_frame(&l->frame, node);
        l->frame.serial = ++r->objects | DG_OBJECT_LASTS;
        writes = !node->select;
    }
    if (writes)
        *r->at++ = *p;
    l->frame.open = (size_t)(r->at - r->base);
    r->depth++;
    s->depth++;
    s->arrays += !l->object;
    s->place = DG_SPINE_WITHIN;
    s->at = p + 1;
    return MOVED;
}

static pace enter_scalar(dg_spine *s, const char *p, bool drops)
{
    s->scalar_drops = drops;
    s->place = *p == '"' ? DG_SPINE_STRING : DG_SPINE_NUMBER;
    s->digits = SIGN;
    const char *begun = p + (*p == '"' || *p == '-');
    put(s, drops, p, begun);
    s->at = begun;
    return MOVED;
}

/* Whether a value that begins at p, of which much is at hand if `large`, can be entered. */
static bool can_enter(const dg_spine *s, const char *p, const dg_node *node, bool large)
{
    if (p >= s->end)
        return false;
    bool scalar = *p == '"' || *p == '-' || (unsigned char)(*p - '0') < 10;
    if (!dg_opens(*p) && !(scalar && large))
        return false;
    return !node || dg_node_enters(node, *p);
}

static pace enter_value(dg_spine *s, const char *p, dg_node *node, bool drops)
{
    return dg_opens(*p) ? push(s, p, node, drops) : enter_scalar(s, p, drops);
}

/* Nothing has happened. */
static pace stay(dg_spine *s, mark m)
{
    dg_run_state *r = &s->run;
    r->at = r->base + m.at;
    r->scan.status = DG_OK;
    r->op = NULL;
    return STARVED;
}

static pace enter_root(dg_spine *s, bool large)
{
    const char *p = dg_scan_space(&s->run.scan, s->at);
    if (!can_enter(s, p, s->root, large))
        return STARVED;
    dg_put(&s->run, s->at, (size_t)(p - s->at));
    return enter_value(s, p, s->root, false);
}

static pace enter_member(dg_spine *s, dg_level *l, const char *name, bool large)
{
    dg_run_state *r = &s->run;
    dg_frame *f = &l->frame;
    dg_entry entry;
    mark m = mark_of(r);
    bool writes = !f->node->select && (l->opened || f->kept);
    size_t separator = writes ? (size_t)(name - s->at) : 0;
    bool found = dg_entry_find(r, f, name, &entry);
    if (!found && r->scan.status == DG_NOMEM)
        return FAILED;
    if (!found || !can_enter(s, entry.place.value, entry.child, large))
        return stay(s, m);
    dg_put_input(r, s->at, separator);
    entry.place.mark = l->opened ? mark_of(r).at : m.at;
    l->name = name;
    const char *p = dg_entry_open(r, f, &entry);
    if (!p)
        return FAILED;
    l->key = entry.later ? entry.key : NULL;
    l->name_at = s->offset + (uint64_t)(name - s->start);
    l->opened = false;
    return enter_value(s, p, entry.child, !entry.child);
}

static pace enter(dg_spine *s, bool large)
{
    dg_run_state *r = &s->run;
    if (s->place == DG_SPINE_BEFORE)
        return enter_root(s, large);
    dg_level *l = innermost(s);
    mark m = mark_of(r);
    bool closes;
    const char *p = next(s, l, &closes), *name = p;
    if (!p || closes)
        return stay(s, m);
    if (l->object && !l->copies)
        return enter_member(s, l, p, large);
    if (l->object && !(p = skip_name(&r->scan, p)))
        return stay(s, m);
    dg_node *node = l->copies ? NULL : l->element;
    if (!can_enter(s, p, node, large))
        return stay(s, m);
    put(s, l->drops, s->at, p);
    l->name = l->object ? name : NULL;
    l->opened = false;
    return enter_value(s, p, node, l->drops);
}

/* ---- Going on */

static bool ends_scalar(char c)
{
    return c && strchr(" \t\r\n,:\"{}[]", c);
}

/* Behind the last byte that cannot be within a number or literal: then what seems to be one is, and
 * an escape or character that is cut is in a string that is. */
static const char *usable_end(dg_spine *s)
{
    const char *p = s->usable ? s->usable : s->end;
    while (!s->last && !s->usable && p > s->at && !ends_scalar(p[-1]))
        p--;
    s->usable = p;
    return p < s->at ? s->at : p;
}

static bool set_end(dg_spine *s, const char *end)
{
    s->run.scan.end = end;
    dg_measure_lead(&s->run);
    return dg_room(&s->run, s->at, 0);
}

/* Whether the value at `at` is worth a try: bytes came that no try has seen, and if it has been
 * tried, its end is among them. */
static bool is_ready(dg_spine *s)
{
    bool one_try = s->place == DG_SPINE_WITHIN && innermost(s)->object && !innermost(s)->copies;
    return s->last || (!one_try && s->extent.done == 0) || ends(s);
}

static pace advance(dg_spine *s)
{
    bool bytewise = s->place > DG_SPINE_WITHIN;
    if (!bytewise && !is_ready(s))
        return STARVED;
    if (!set_end(s, bytewise ? s->end : usable_end(s)))
        return FAILED;
    dg_level *l = s->depth ? innermost(s) : NULL;
    switch (s->place) {
    case DG_SPINE_BEFORE:
        return run_root(s);
    case DG_SPINE_WITHIN:
        DG_ASSERT(l);
        return l->copies ? run_copies(s, l) : l->object ? run_member(s, l) : run_elements(s, l);
    case DG_SPINE_STRING:
        return run_string(s);
    case DG_SPINE_NUMBER:
        return run_number(s);
    case DG_SPINE_BEHIND:
        break;
    }
    return run_behind(s);
}

/* A container at the top is entered at once, so that what comes in it leaves as it comes; others,
 * when they are large. */
static pace enter_what_waits(dg_spine *s)
{
    if (s->last || s->place > DG_SPINE_WITHIN)
        return STARVED;
    ends(s);
    size_t waiting = (size_t)(s->end - s->at);
    bool large = waiting >= s->try_at;
    bool early = s->arrays == 0 && s->extent.depth > 0 && !s->tried;
    if (!large && !early)
        return STARVED;
    s->tried = true;
    if (!set_end(s, usable_end(s)))
        return FAILED;
    if (large)
        s->try_at = waiting * 2;
    return enter(s, large);
}

bool dg_spine_run(dg_spine *s)
{
    for (;;) {
        const char *before = s->at;
        pace how = advance(s);
        if (how == MOVED || s->at != before)
            begin_extent(s);
        if (how == STARVED) {
            how = enter_what_waits(s);
            if (how == MOVED)
                begin_extent(s);
            else if (how == STARVED)
                return true;
        }
        if (how == FAILED)
            return false;
    }
}
