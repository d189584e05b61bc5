#include "transforms/loss.h"

#include <stdio.h>

#include "base/hash.h"
#include "transforms/name.h"

#define SAY(...) (void)snprintf(text, DG_LOSS_TEXT, __VA_ARGS__)

/* Ops that lose in one way, whatever their operands; those of which more is to be said are below.
 */
static const struct {
    dg_op_kind kind;
    const char *up, *policies, *down;
} plain[] = {
    {DG_OP_KEEP, "the members that are not kept are lost on the way back",
     "accept that with `lossy: accept`, or say how they come back with `down: OPS`", NULL},
    {DG_OP_TEMPLATE,
     "what the template does not take is lost, and nothing says what it was made of",
     "say how the older value is made with `down: OPS`", NULL},
    {DG_OP_REPLACE, "what was replaced is lost on the way back",
     "let the new text stay with `lossy: accept`, or say what undoes it with `down: OPS`", NULL},
    {DG_OP_FILTER, "the elements that go are lost on the way back",
     "accept that with `lossy: accept`, or say how they come back with `down: OPS`", NULL},
    {DG_OP_FIRST,
     "the elements after the first are lost on the way back, and [null] comes back as []",
     "accept that with `lossy: accept`, or say how they come back with `down: OPS`", NULL},
    {DG_OP_SORT, "the order that was is lost on the way back",
     "let the new order stay with `lossy: accept`, or say how it was with `down: OPS`", NULL},
    {DG_OP_LIST, NULL, NULL, "the elements after the first go, and [null] comes back as []"},
    {DG_OP_PRINT, NULL, NULL, "white space within the text goes, and the text of null is null"},
    {DG_OP_UNSIGN, NULL, NULL, "orders that are not said come back as asc"},
};

const char *dg_op_said(const dg_op *op)
{
    return op->word ? op->word : dg_op_word(op->kind);
}

void dg_path_text(const dg_path *path, char *text, size_t size)
{
    size_t at = 0;
    (void)snprintf(text, size, "%s", path->count ? "" : ".");
    for (size_t i = 0; i < path->count; i++) {
        bool each = path->steps[i].ptr == NULL;
        int n = each ? snprintf(text + at, size - at, "[]")
                     : snprintf(text + at, size - at, "%s%.*s", at ? "." : "",
                                DG_SLICE_FMT(path->steps[i]));
        if (n < 0 || (size_t)n >= size - at)
            return;
        at += (size_t)n;
    }
}

/* How fine a format tells the time: what is finer than the other is cut off. */
enum { DAY, HOUR, MINUTE, SECOND, MILLISECOND, FRACTION, OFFSET };

static int fineness(const dg_time_format *format)
{
    static const int of_kind[] = {[DG_TIME_UNIX] = SECOND,
                                  [DG_TIME_UNIX_MS] = MILLISECOND,
                                  [DG_TIME_RFC3339] = OFFSET,
                                  [DG_TIME_HTTP] = SECOND,
                                  [DG_TIME_DATE] = DAY};
    static const struct {
        char letter;
        int fine;
    } letters[] = {{'H', HOUR}, {'M', MINUTE}, {'S', SECOND}, {'f', FRACTION}, {'z', OFFSET}};
    if (format->kind != DG_TIME_PATTERN)
        return of_kind[format->kind];
    int fine = DAY;
    for (size_t i = 0; i + 1 < format->pattern.len; i++)
        for (size_t k = 0; format->pattern.ptr[i] == '%' && k < 5; k++)
            if (format->pattern.ptr[i + 1] == letters[k].letter && letters[k].fine > fine)
                fine = letters[k].fine;
    return fine;
}

/* A scalar as it compares: strings decoded into `scratch`, anything else as text. */
static dg_slice plain_scalar(dg_slice json, dg_buf *scratch)
{
    if (json.len < 2 || json.ptr[0] != '"')
        return json;
    dg_buf_clear(scratch);
    dg_buf_add_char(scratch, '"'); /* "1" is not 1 */
    dg_name_decode(dg_slice_of(json.ptr + 1, json.len - 2), scratch);
    return scratch->status == DG_OK ? dg_buf_slice(scratch) : json;
}

uint32_t *dg_rows_first(dg_arena *arena, const dg_op *op)
{
    size_t size = 16;
    while (size < op->pair_count * 2)
        size *= 2;
    uint32_t *first = dg_arena_alloc(arena, (op->pair_count + 1) * sizeof *first);
    uint32_t *slots = dg_arena_zalloc(arena, size * sizeof *slots); /* row + 1 */
    dg_slice *plain_to = dg_arena_alloc(arena, (op->pair_count + 1) * sizeof *plain_to);
    dg_buf scratch;
    dg_buf_init(&scratch, 0);
    for (size_t i = 0; first && slots && plain_to && i < op->pair_count; i++) {
        plain_to[i] = dg_arena_dup(arena, plain_scalar(op->pairs[i].to, &scratch));
        size_t at = dg_hash(plain_to[i], dg_hash_seed()) & (size - 1);
        while (slots[at] && !dg_slice_eq(plain_to[slots[at] - 1], plain_to[i]))
            at = (at + 1) & (size - 1);
        if (!slots[at])
            slots[at] = (uint32_t)i + 1;
        first[i] = slots[at] - 1;
    }
    dg_buf_free(&scratch);
    return dg_arena_failed(arena) ? NULL : first;
}

/* The first two rows that come to one value; false if there are none. */
static bool rows_that_meet(dg_arena *arena, const dg_op *op, size_t *ret_a, size_t *ret_b)
{
    const uint32_t *first = dg_rows_first(arena, op);
    for (size_t i = 0; first && i < op->pair_count; i++)
        if (first[i] != i) {
            *ret_a = first[i];
            *ret_b = i;
            return true;
        }
    return false;
}

static dg_loss_kind values_loss(dg_arena *arena, const dg_op *op, char text[DG_LOSS_TEXT],
                                const char **ret_policies)
{
    size_t a, b;
    if (rows_that_meet(arena, op, &a, &b)) {
        SAY("both %.*s and %.*s become %.*s, so the way back is not known",
            DG_SLICE_FMT(op->pairs[a].from), DG_SLICE_FMT(op->pairs[b].from),
            DG_SLICE_FMT(op->pairs[b].to));
        *ret_policies = "remove a row, or accept that the first one wins with `lossy: accept`";
        return DG_LOSS_OPEN;
    }
    if (op->unknown == DG_UNKNOWN_DEFAULT)
        SAY("values that the table does not know become %.*s", DG_SLICE_FMT(op->value));
    else if (op->unknown == DG_UNKNOWN_PASS)
        SAY("a value that passes and is one of the table's newer values comes back as the older "
            "one of its row");
    return op->unknown == DG_UNKNOWN_REJECT ? DG_LOSES_NOTHING : DG_LOSS_SETTLED;
}

static dg_loss_kind drop_loss(const dg_op *op, char text[DG_LOSS_TEXT], const char **ret_policies)
{
    if (op->if_empty)
        return DG_LOSES_NOTHING;
    if (op->value.len) {
        SAY("%s \"%.*s\" goes, and comes back as %.*s%s", op->when_null ? "null at" : "what is at",
            DG_SLICE_FMT(op->name), DG_SLICE_FMT(op->value),
            op->when_null ? ", absent or not" : "");
        return DG_LOSS_SETTLED;
    }
    SAY(op->when_null ? "whether \"%.*s\" was null or absent is lost on the way back"
                      : "the value of \"%.*s\" is lost on the way back",
        DG_SLICE_FMT(op->name));
    *ret_policies =
        "give the value to put there with `restore: VALUE`, or leave it out with `lossy: accept`";
    return DG_LOSS_OPEN;
}

static dg_loss_kind switch_loss(const dg_op *op, char text[DG_LOSS_TEXT])
{
    const char *word = dg_op_said(op);
    const dg_switch_case *one = &op->cases[0];
    if (strcmp(word, "null_to_empty") != 0 && strcmp(word, "empty_to_null") != 0) {
        bool newer = false;
        for (size_t i = 0; i < op->case_count; i++)
            newer |= op->cases[i].newer != NULL;
        SAY("the way back takes the first case whose `newer` holds, also for a value that another "
            "case, or none, has changed");
        return newer ? DG_LOSS_SETTLED : DG_LOSES_NOTHING;
    }
    SAY("%.*s and %.*s become one, and come back as %.*s", DG_SLICE_FMT(one->test->value),
        DG_SLICE_FMT(one->newer->value), DG_SLICE_FMT(one->test->value));
    return DG_LOSS_SETTLED;
}

static dg_loss_kind both_loss(const dg_op *op, char text[DG_LOSS_TEXT])
{
    const char *word = dg_op_said(op);
    if (strcmp(word, "null_to_empty") == 0 || strcmp(word, "empty_to_null") == 0)
        return DG_LOSES_NOTHING;
    if (op->other && op->other->count == 0)
        SAY("the way back does nothing");
    else
        SAY("the way back is the pack's own: what it brings back is not known here");
    return DG_LOSS_SETTLED;
}

static dg_loss_kind collision_loss(const dg_op *op, char text[DG_LOSS_TEXT])
{
    if (op->collision == DG_COLLISION_REJECT)
        return DG_LOSES_NOTHING;
    SAY("of two members that meet under one name, the one of the %s name stays",
        op->collision == DG_COLLISION_NEWER ? "newer" : "older");
    return DG_LOSS_SETTLED;
}

/* An item of a list that becomes a map of values. */
static bool beside_loss(const dg_op *op, char text[DG_LOSS_TEXT])
{
    SAY("of an item, the members beside \"%.*s\" and \"%.*s\" go", DG_SLICE_FMT(op->name),
        DG_SLICE_FMT(op->to));
    return op->to.len > 0;
}

static bool separator_loss(char text[DG_LOSS_TEXT])
{
    SAY("an element with the separator in it becomes several");
    return true;
}

/* The text that SPLIT takes apart and JOIN puts together again. */
static bool quotes_loss(const dg_op *op, char text[DG_LOSS_TEXT])
{
    SAY("double quotes that nothing needs go");
    return op->quoted;
}

/* An object that is there already, and empty, looks as if it had been made for what comes into it. */
static bool way_loss(const dg_path *path, char text[DG_LOSS_TEXT])
{
    char place[DG_LOSS_TEXT / 2];
    dg_path_text(path, place, sizeof place);
    SAY("an object on the way to \"%s\" that is empty goes on the way back", place);
    return path->count > 1;
}

static bool moment_loss(const dg_time_format *format, char text[DG_LOSS_TEXT])
{
    SAY("the moment comes back, but in UTC, and without the zeros of a fraction that is 0");
    return fineness(format) >= FRACTION;
}

dg_loss_kind dg_op_loss_up(dg_arena *arena, const dg_op *op, char text[DG_LOSS_TEXT],
                           const char **ret_policies)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].kind == op->kind && plain[i].up) {
            SAY("%s", plain[i].up);
            *ret_policies = plain[i].policies;
            return DG_LOSS_OPEN;
        }
    switch (op->kind) {
    case DG_OP_DROP:
        return drop_loss(op, text, ret_policies);
    case DG_OP_VALUES:
        return values_loss(arena, op, text, ret_policies);
    case DG_OP_SWITCH:
        return switch_loss(op, text);
    case DG_OP_BOTH:
        return both_loss(op, text);
    case DG_OP_CASE:
    case DG_OP_RENAME:
        return collision_loss(op, text);
    case DG_OP_MOVE:
    case DG_OP_COPY:
    case DG_OP_SUM:
    case DG_OP_COUNT:
        if (op->collision == DG_COLLISION_REJECT)
            return way_loss(&op->target, text) ? DG_LOSS_SETTLED : DG_LOSES_NOTHING;
        return collision_loss(op, text);
    case DG_OP_UNWRAP:
        SAY("the members beside \"%.*s\" are lost on the way back", DG_SLICE_FMT(op->name));
        *ret_policies = "accept that with `lossy: accept`";
        return DG_LOSS_OPEN;
    case DG_OP_MAP:
        return op->lossy && beside_loss(op, text) ? DG_LOSS_SETTLED : DG_LOSES_NOTHING;
    case DG_OP_JOIN:
        return op->lossy && separator_loss(text) ? DG_LOSS_SETTLED : DG_LOSES_NOTHING;
    case DG_OP_SPLIT:
        return quotes_loss(op, text) ? DG_LOSS_SETTLED : DG_LOSES_NOTHING;
    case DG_OP_SIGNS:
        SAY("orders that are not said come back as asc");
        return DG_LOSS_SETTLED;
    case DG_OP_PARSE:
        SAY("white space within the text goes, and the text of null comes back as null%s",
            op->unknown == DG_UNKNOWN_PASS ? "; what is no JSON, and passes, may be changed" : "");
        return DG_LOSS_SETTLED;
    case DG_OP_TIME:
        if (fineness(&op->time_to) < fineness(&op->time_from)) {
            SAY("the newer form of the time is less exact, so the way back cannot tell all of it");
            *ret_policies = "accept that with `lossy: accept`";
            return DG_LOSS_OPEN;
        }
        if (op->unknown != DG_UNKNOWN_PASS && moment_loss(&op->time_from, text))
            return DG_LOSS_SETTLED;
        break;
    case DG_OP_DEFAULT:
        if (op->if_empty) {
            SAY("{} at \"%.*s\" goes on the way back", DG_SLICE_FMT(op->name));
            return DG_LOSS_SETTLED;
        }
        SAY("%s at \"%.*s\" and %.*s become one: the way back leaves it",
            op->when_null ? "null or nothing" : "nothing", DG_SLICE_FMT(op->name),
            DG_SLICE_FMT(op->value));
        return DG_LOSS_SETTLED;
    default:
        break;
    }
    if (op->unknown == DG_UNKNOWN_PASS) {
        SAY("a value that passes as it is may be changed on the way back");
        return DG_LOSS_SETTLED;
    }
    return DG_LOSES_NOTHING;
}

bool dg_op_loss_down(const dg_op *op, char text[DG_LOSS_TEXT])
{
    char path[DG_LOSS_TEXT / 2];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].kind == op->kind && plain[i].down) {
            SAY("%s", plain[i].down);
            return true;
        }
    switch (op->kind) {
    case DG_OP_ADD:
        SAY("what is at \"%.*s\" goes", DG_SLICE_FMT(op->name));
        return true;
    case DG_OP_WRAP:
        SAY("the members beside \"%.*s\" go", DG_SLICE_FMT(op->name));
        return true;
    case DG_OP_ITEMS:
        return op->lossy && beside_loss(op, text);
    case DG_OP_SPLIT:
        return op->lossy && separator_loss(text);
    case DG_OP_JOIN:
        return quotes_loss(op, text);
    case DG_OP_MOVE:
        return way_loss(&op->path, text);
    case DG_OP_COPY:
    case DG_OP_SUM:
    case DG_OP_COUNT:
        dg_path_text(&op->target, path, sizeof path);
        SAY("what is at \"%s\" goes", path);
        return true;
    case DG_OP_TIME:
        if (fineness(&op->time_from) >= fineness(&op->time_to))
            return moment_loss(&op->time_to, text);
        SAY("the older form of the time is less exact");
        return true;
    default:
        return false;
    }
}
