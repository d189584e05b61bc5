#include "reference_whole.h"

#include <stdlib.h>

#include "transforms/name.h"

typedef enum { NUL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT } type;

typedef struct value value;
typedef struct item {
    dg_slice gap;  /* the comma and white space before it; empty: the first, or made */
    dg_slice key;  /* as written, with quotes */
    dg_slice name; /* decoded */
    dg_slice mid;  /* colon and white space */
    value *value;
} item;

struct value {
    type type;
    dg_slice text; /* of a scalar */
    dg_slice lead, tail;
    item *items;
    size_t count, room;
};

static dg_arena *memory;
static bool refused;

static value *refuse(void)
{
    refused = true;
    return NULL;
}

/* ---- reading and printing */

static const char *cursor, *finish;

static dg_slice spaces(void)
{
    const char *from = cursor;
    while (cursor < finish && strchr(" \t\r\n,:", *cursor) && *cursor)
        cursor++;
    return dg_slice_of(from, (size_t)(cursor - from));
}

static dg_slice token(void)
{
    const char *from = cursor;
    if (*cursor == '"') {
        for (cursor++; *cursor != '"'; cursor++)
            cursor += *cursor == '\\';
        cursor++;
    } else {
        while (cursor < finish && !strchr(" \t\r\n,]}", *cursor))
            cursor++;
    }
    return dg_slice_of(from, (size_t)(cursor - from));
}

static dg_slice keep_buf(dg_buf *buf)
{
    dg_slice s = dg_arena_dup(memory, dg_buf_slice(buf));
    dg_buf_free(buf);
    return s;
}

static dg_slice decode(dg_slice quoted)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_name_decode(dg_slice_of(quoted.ptr + 1, quoted.len - 2), &buf);
    return keep_buf(&buf);
}

static dg_slice encode(dg_slice name)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_name_encode(name, &buf);
    return keep_buf(&buf);
}

static value *new_value(type t, dg_slice text)
{
    value *v = dg_arena_zalloc(memory, sizeof *v);
    v->type = t;
    v->text = text;
    return v;
}

static void push(value *v, item i)
{
    if (v->count == v->room) {
        item *grown = dg_arena_zalloc(memory, (v->room * 2 + 4) * sizeof *grown);
        if (v->count)
            memcpy(grown, v->items, v->count * sizeof *grown);
        v->items = grown;
        v->room = v->room * 2 + 4;
    }
    v->items[v->count++] = i;
}

static void take_out(value *v, size_t at)
{
    memmove(v->items + at, v->items + at + 1, (v->count - at - 1) * sizeof *v->items);
    v->count--;
}

static type type_of(char c)
{
    return c == '{'               ? OBJECT
           : c == '['             ? ARRAY
           : c == '"'             ? STRING
           : c == 'n'             ? NUL
           : c == 't' || c == 'f' ? BOOLEAN
                                  : NUMBER;
}

static value *read_here(void)
{
    type t = type_of(*cursor);
    if (t < ARRAY)
        return new_value(t, token());
    value *v = new_value(t, (dg_slice){NULL, 0});
    char close = *cursor++ == '{' ? '}' : ']';
    dg_slice gap = spaces();
    while (*cursor != close) {
        item i = {.gap = v->count ? gap : (dg_slice){NULL, 0}};
        if (!v->count)
            v->lead = gap;
        if (t == OBJECT) {
            i.key = token();
            i.name = decode(i.key);
            i.mid = spaces();
        }
        i.value = read_here();
        push(v, i);
        gap = spaces();
    }
    cursor++;
    v->tail = gap;
    return v;
}

static value *read_text(dg_slice text)
{
    const char *old = cursor, *old_finish = finish;
    cursor = text.ptr;
    finish = text.ptr + text.len;
    value *v = read_here();
    cursor = old;
    finish = old_finish;
    return v;
}

static void print(const value *v, bool compact, dg_buf *out)
{
    if (v->type < ARRAY) {
        dg_buf_add(out, v->text);
        return;
    }
    dg_buf_add_char(out, v->type == OBJECT ? '{' : '[');
    for (size_t i = 0; i < v->count; i++) {
        const item *at = &v->items[i];
        if (i == 0)
            dg_buf_add(out, compact ? (dg_slice){NULL, 0} : v->lead);
        else
            dg_buf_add(out, compact || !at->gap.len ? DG_SLICE(",") : at->gap);
        dg_buf_add(out, at->key);
        if (v->type == OBJECT)
            dg_buf_add(out, compact || !at->mid.len ? DG_SLICE(":") : at->mid);
        print(at->value, compact, out);
    }
    if (!compact)
        dg_buf_add(out, v->tail);
    dg_buf_add_char(out, v->type == OBJECT ? '}' : ']');
}

static dg_slice printed(const value *v, bool compact)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    print(v, compact, &buf);
    return keep_buf(&buf);
}

static value *twin(const value *v)
{
    return read_text(printed(v, false));
}

static value *string_value(dg_slice text)
{
    return new_value(STRING, encode(text));
}

static item made_item(dg_slice name, value *v)
{
    return (item){.key = encode(name), .name = name, .value = v};
}

/* ---- finding */

/* The index of the member, or -1; refuses two. */
static long find(const value *v, dg_slice name)
{
    long found = -1;
    for (size_t i = 0; i < v->count; i++)
        if (dg_slice_eq(v->items[i].name, name)) {
            refused |= found >= 0;
            found = (long)i;
        }
    return found;
}

static void gather(value *v, dg_path path, size_t step, bool strict, value *list)
{
    if (refused)
        return;
    if (step == path.count) {
        push(list, (item){.value = v});
        return;
    }
    bool each = !path.steps[step].ptr;
    if (strict && v->type == (each ? OBJECT : ARRAY)) {
        refuse();
    } else if (each && v->type == ARRAY) {
        for (size_t i = 0; i < v->count; i++)
            gather(v->items[i].value, path, step + 1, strict, list);
    } else if (!each && v->type == OBJECT) {
        long at = find(v, path.steps[step]);
        if (at >= 0)
            gather(v->items[at].value, path, step + 1, strict, list);
    }
}

static value *all_at(value *v, dg_path path, bool strict)
{
    value *list = new_value(ARRAY, (dg_slice){NULL, 0});
    gather(v, path, 0, strict, list);
    return list;
}

static bool has_twice(const value *v)
{
    for (size_t i = 0; i < v->count; i++)
        for (size_t k = 0; k < i; k++)
            if (dg_slice_eq(v->items[i].name, v->items[k].name))
                return true;
    return false;
}

/* ---- reckoning: in units of 10^-18 */

__extension__ typedef __int128 wide;

static wide number_of(dg_slice text, int *ret_fraction)
{
    wide n = 0;
    int exponent = 0, fraction = 0;
    size_t i = *text.ptr == '-';
    bool point = false;
    for (; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
        if (text.ptr[i] == '.') {
            point = true;
            continue;
        }
        n = n * 10 + (text.ptr[i] - '0');
        fraction += point;
    }
    if (i < text.len)
        exponent = atoi(text.ptr + i + 1);
    fraction -= exponent;
    *ret_fraction = fraction;
    for (int k = fraction; k < 18; k++)
        n *= 10;
    return *text.ptr == '-' ? -n : n;
}

static value *number_value(wide n, int fraction)
{
    char digits[64];
    size_t at = sizeof digits;
    bool negative = n < 0;
    n = negative ? -n : n;
    for (int k = fraction; k < 18; k++)
        n /= 10;
    for (int k = 0; n || k <= fraction; k++) {
        if (k == fraction && fraction)
            digits[--at] = '.';
        digits[--at] = (char)('0' + (int)(n % 10));
        n /= 10;
    }
    if (negative)
        digits[--at] = '-';
    return new_value(NUMBER, dg_arena_dup(memory, dg_slice_of(digits + at, sizeof digits - at)));
}

/* ---- objects */

static void put(const dg_op *op, value *root, value *what)
{
    value *at = root;
    for (size_t i = 0; i < op->target.count; i++) {
        bool last = i + 1 == op->target.count;
        if (at->type != OBJECT) {
            refuse();
            return;
        }
        long there = find(at, op->target.steps[i]);
        if (refused)
            return;
        if (last) {
            if (there >= 0 && op->collision == DG_COLLISION_REJECT)
                refuse();
            if (there >= 0 && op->collision != DG_COLLISION_OLDER)
                return;
            if (there >= 0)
                take_out(at, (size_t)there);
            push(at, made_item(op->target.steps[i], what));
        } else if (there >= 0) {
            at = at->items[there].value;
        } else {
            value *object = new_value(OBJECT, (dg_slice){NULL, 0});
            push(at, made_item(op->target.steps[i], object));
            at = object;
        }
    }
}

/* Takes what is at the path out of v, and what that leaves empty below v. */
static value *pull(value *v, dg_path path, size_t step)
{
    if (v->type == ARRAY)
        return refuse();
    long at = v->type == OBJECT ? find(v, path.steps[step]) : -1;
    if (at < 0 || refused)
        return NULL;
    value *below = v->items[at].value;
    if (step + 1 == path.count) {
        take_out(v, (size_t)at);
        return below;
    }
    value *found = pull(below, path, step + 1);
    if (found && below->count == 0)
        take_out(v, (size_t)at);
    return found;
}

static value *on_object(const dg_op *op, value *v)
{
    if (v->type == ARRAY)
        return refuse();
    if (v->type != OBJECT)
        return v;
    if (op->kind == DG_OP_MOVE) {
        value *found = pull(v, op->path, 0);
        if (found && !refused)
            put(op, v, found);
    } else if (op->kind == DG_OP_COPY) {
        value *list = all_at(v, op->path, true);
        if (list->count && !refused)
            put(op, v, twin(list->items[0].value));
    } else if (op->kind == DG_OP_KEEP) {
        refused |= has_twice(v);
        for (size_t i = v->count; i-- > 0;) {
            bool stays = false;
            for (size_t k = 0; k < op->name_count; k++)
                stays |= dg_slice_eq(op->names[k], v->items[i].name);
            if (!stays)
                take_out(v, i);
        }
    } else if (op->kind == DG_OP_SUM) {
        value *list = all_at(v, op->path, true);
        wide sum = 0;
        int most = 0;
        for (size_t i = 0; i < list->count; i++) {
            int fraction;
            if (list->items[i].value->type != NUMBER) {
                refused |= !op->lossy;
                continue;
            }
            sum += number_of(list->items[i].value->text, &fraction);
            most = fraction > most ? fraction : most;
        }
        if (!refused)
            put(op, v, number_value(sum, most));
    } else {
        value *list = all_at(v, op->path, true);
        wide n = 0;
        bool each = op->path.count && !op->path.steps[op->path.count - 1].ptr;
        for (size_t i = 0; i < list->count; i++) {
            const value *one = list->items[i].value;
            n += each ? 1 : one->type == ARRAY ? (wide)one->count : one->type != NUL;
        }
        if (!refused)
            put(op, v, number_value(n * 1000000000 * 1000000000, 0));
    }
    return v;
}

static value *rename_one(const dg_op *op, value *v)
{
    if (v->type == ARRAY)
        return refuse();
    if (v->type != OBJECT)
        return v;
    long from = find(v, op->name), to = find(v, op->to);
    if (from < 0 || from == to)
        return v;
    if (to >= 0 && op->collision == DG_COLLISION_REJECT)
        return refuse();
    v->items[from].key = encode(op->to);
    v->items[from].name = op->to;
    if (to >= 0)
        take_out(v, (size_t)(op->collision == DG_COLLISION_NEWER ? from : to));
    return v;
}

static void convert(const dg_op *op, value *v)
{
    enum { ITEMS_MAX = 64 };
    dg_slice to[ITEMS_MAX];
    bool got[ITEMS_MAX], goes[ITEMS_MAX] = {false};
    if (v->type == ARRAY)
        for (size_t i = 0; i < v->count; i++)
            convert(op, v->items[i].value);
    if (v->type != OBJECT)
        return;
    for (size_t i = 0; i < v->count; i++) {
        dg_buf buf;
        bool excepted = false;
        dg_buf_init(&buf, 0);
        for (size_t k = 0; k < op->name_count; k++)
            excepted |= dg_slice_eq(op->names[k], v->items[i].name);
        if (excepted)
            dg_buf_add(&buf, v->items[i].name);
        else
            dg_name_convert(v->items[i].name, op->case_from, op->case_to, &buf);
        to[i] = keep_buf(&buf);
        got[i] = !dg_slice_eq(to[i], v->items[i].name);
    }
    for (size_t i = 0; i < v->count; i++) {
        size_t others = 0;
        for (size_t k = 0; k < v->count; k++) {
            if (k == i || !dg_slice_eq(to[i], to[k]))
                continue;
            refused |= ++others > 1 || got[i] == got[k] || op->collision == DG_COLLISION_REJECT;
            goes[i] = got[i] == (op->collision == DG_COLLISION_NEWER);
        }
    }
    if (refused)
        return;
    for (size_t i = v->count; i-- > 0;) {
        if (goes[i]) {
            take_out(v, i);
            continue;
        }
        bool excepted = false;
        for (size_t k = 0; k < op->name_count; k++)
            excepted |= dg_slice_eq(op->names[k], v->items[i].name);
        if (!excepted)
            convert(op, v->items[i].value);
        if (got[i]) {
            v->items[i].name = to[i];
            v->items[i].key = encode(to[i]);
        }
    }
}

/* ---- tests */

static bool same(const value *a, const value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == STRING)
        return dg_slice_eq(decode(a->text), decode(b->text));
    if (a->type < ARRAY)
        return dg_slice_eq(a->text, b->text);
    if (a->count != b->count || (a->type == OBJECT && (has_twice(a) || has_twice(b))))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t k = i;
        if (a->type == OBJECT)
            for (k = 0; k < b->count && !dg_slice_eq(a->items[i].name, b->items[k].name);)
                k++;
        if (k == b->count || !same(a->items[i].value, b->items[k].value))
            return false;
    }
    return true;
}

static bool holds_for(const dg_test *test, const value *v)
{
    static const char *const types[] = {"null", "boolean", "number", "string", "array", "object"};
    int unused;
    switch (test->kind) {
    case DG_TEST_IS:
        return same(v, read_text(test->value));
    case DG_TEST_KIND:
        return dg_slice_eq(test->value, dg_slice_str(types[v->type]));
    case DG_TEST_EMPTY:
        return v->type == NUL || (v->type == STRING && v->text.len == 2) ||
               (v->type >= ARRAY && v->count == 0);
    case DG_TEST_LESS:
        return v->type == NUMBER && number_of(v->text, &unused) < number_of(test->value, &unused);
    default:
        return true;
    }
}

static bool holds(const dg_test *test, value *v)
{
    bool any = test->kind == DG_TEST_ALL || test->kind == DG_TEST_NOT;
    switch (test->kind) {
    case DG_TEST_ALWAYS:
        return true;
    case DG_TEST_ALL:
        for (size_t i = 0; i < test->part_count && any && !refused; i++)
            any = holds(&test->parts[i], v);
        return any;
    case DG_TEST_ANY:
        for (size_t i = 0; i < test->part_count && !any && !refused; i++)
            any = holds(&test->parts[i], v);
        return any;
    case DG_TEST_NOT:
        return !holds(test->parts, v);
    default:
        break;
    }
    /* One after the other, for what is behind the first that holds is not looked at. */
    value *list = new_value(ARRAY, (dg_slice){NULL, 0});
    bool before = refused;
    gather(v, test->path, 0, false, list);
    for (size_t i = 0; i < list->count; i++)
        if (holds_for(test, list->items[i].value)) {
            refused = before;
            return true;
        }
    return test->kind == DG_TEST_EMPTY && list->count == 0;
}

/* ---- lists */

static value *to_map(const dg_op *op, value *v)
{
    value *map = new_value(OBJECT, (dg_slice){NULL, 0});
    for (size_t i = 0; i < v->count; i++) {
        value *one = v->items[i].value;
        long key = one->type == OBJECT ? find(one, op->name) : -1;
        if (key < 0 || refused || one->items[key].value->type != STRING)
            return refuse();
        item made = {.key = one->items[key].value->text,
                     .name = decode(one->items[key].value->text),
                     .value = one};
        take_out(one, (size_t)key);
        if (op->to.len) {
            long at = find(one, op->to);
            if (at < 0 || refused || (one->count > 1 && !op->lossy))
                return refuse();
            made.value = one->items[at].value;
        }
        push(map, made);
    }
    return has_twice(map) ? refuse() : map;
}

static value *to_list(const dg_op *op, value *v)
{
    value *list = new_value(ARRAY, (dg_slice){NULL, 0});
    if (has_twice(v))
        return refuse();
    for (size_t i = 0; i < v->count; i++) {
        value *one = v->items[i].value, *made = new_value(OBJECT, (dg_slice){NULL, 0});
        push(made, made_item(op->name, new_value(STRING, v->items[i].key)));
        if (op->to.len) {
            push(made, made_item(op->to, one));
        } else {
            if (one->type != OBJECT || find(one, op->name) >= 0 || refused)
                return refuse();
            made->lead = one->lead;
            made->tail = one->tail;
            for (size_t k = 0; k < one->count; k++)
                push(made, one->items[k]);
        }
        push(list, (item){.value = made});
    }
    return list;
}

static int order(const value *a, const value *b, bool descending)
{
    int unused;
    if (!a || !b)
        return !a - !b;
    if (a->type != b->type)
        return (a->type < b->type ? -1 : 1) * (descending ? -1 : 1);
    int by;
    if (a->type == NUMBER) {
        wide x = number_of(a->text, &unused), y = number_of(b->text, &unused);
        by = x < y ? -1 : x > y;
    } else {
        dg_slice x = decode(a->text), y = decode(b->text);
        by = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
        by = by ? by : x.len < y.len ? -1 : x.len > y.len;
    }
    return descending ? -by : by;
}

static value *sorted(const dg_op *op, value *v)
{
    dg_slice gaps[64];
    value *keys[64];
    if (v->count < 2)
        return v;
    for (size_t i = 0; i < v->count; i++) {
        value *at = all_at(v->items[i].value, op->path, true);
        gaps[i] = v->items[i].gap;
        keys[i] = at->count && at->items[0].value->type != NUL ? at->items[0].value : NULL;
        if (refused || (keys[i] && keys[i]->type != NUMBER && keys[i]->type != STRING))
            return refuse();
    }
    for (size_t i = 1; i < v->count; i++)
        for (size_t k = i; k > 0 && order(keys[k - 1], keys[k], op->descending) > 0; k--) {
            item one = v->items[k];
            value *key = keys[k];
            v->items[k] = v->items[k - 1];
            v->items[k - 1] = one;
            keys[k] = keys[k - 1];
            keys[k - 1] = key;
        }
    for (size_t i = 0; i < v->count; i++)
        v->items[i].gap = gaps[i];
    return v;
}

static value *on_list(const dg_op *op, value *v)
{
    if (v->type == NUL)
        return v;
    if (v->type != ARRAY)
        return refuse();
    if (op->kind == DG_OP_MAP)
        return to_map(op, v);
    if (op->kind == DG_OP_SORT)
        return sorted(op, v);
    if (op->kind == DG_OP_FIRST)
        return v->count ? v->items[0].value : new_value(NUL, DG_SLICE("null"));
    for (size_t i = v->count; i-- > 0;)
        if (!holds(op->test, v->items[i].value))
            take_out(v, i);
    return v;
}

/* ---- texts */

static value *split(dg_slice text, dg_slice by, bool quoted)
{
    value *list = new_value(ARRAY, (dg_slice){NULL, 0});
    bool more = text.len > 0;
    size_t at = 0;
    while (more) {
        dg_buf part;
        dg_buf_init(&part, 0);
        size_t end = at;
        bool plain = true;
        if (quoted && at < text.len && text.ptr[at] == '"') {
            for (end = at + 1; end < text.len; end++) {
                if (text.ptr[end] == '"') {
                    if (end + 1 < text.len && text.ptr[end + 1] == '"')
                        end++;
                    else
                        break;
                }
                dg_buf_add_char(&part, text.ptr[end]);
            }
            plain = end >= text.len ||
                    !(end + 1 == text.len || dg_slice_starts(dg_slice_from(text, end + 1), by));
            end++;
        }
        if (plain) {
            bool inside = false;
            dg_buf_clear(&part);
            for (end = at;
                 end < text.len && (inside || !dg_slice_starts(dg_slice_from(text, end), by));
                 end++) {
                inside ^= quoted && text.ptr[end] == '"';
                dg_buf_add_char(&part, text.ptr[end]);
            }
        }
        push(list, (item){.value = string_value(keep_buf(&part))});
        more = end < text.len;
        at = end + by.len;
    }
    return list;
}

static dg_slice wrapped(dg_slice text)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_buf_add_char(&buf, '"');
    for (size_t i = 0; i < text.len; i++)
        dg_buf_add_str(&buf, text.ptr[i] == '"' ? "\"\"" : (char[]){text.ptr[i], 0});
    dg_buf_add_char(&buf, '"');
    return keep_buf(&buf);
}

/* Is the text one field of a list that goes on with `behind`? */
static bool is_field(dg_slice text, dg_slice by, dg_slice behind)
{
    size_t at = 0;
    bool inside = false;
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_buf_add(&buf, text);
    dg_buf_add(&buf, behind);
    dg_slice both = keep_buf(&buf);
    for (; at < both.len; at++) {
        if (!inside && dg_slice_starts(dg_slice_from(both, at), by))
            break;
        inside ^= both.ptr[at] == '"';
    }
    return at == text.len;
}

static value *joined(const dg_op *op, const value *v)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    for (size_t i = 0; i < v->count; i++) {
        if (v->items[i].value->type != STRING) {
            dg_buf_free(&buf);
            return refuse();
        }
        dg_slice text = decode(v->items[i].value->text);
        size_t quotes = 0;
        for (size_t k = 0; k < text.len; k++)
            quotes += text.ptr[k] == '"';
        bool odd = quotes % 2 || (quotes && *text.ptr == '"');
        if (op->quoted) {
            if (odd || (v->count == 1 && !text.len) ||
                !is_field(text, op->value, i + 1 < v->count ? op->value : (dg_slice){NULL, 0}))
                text = wrapped(text);
        }
        dg_buf_add(&buf, text);
        if (i + 1 < v->count)
            dg_buf_add(&buf, op->value);
    }
    dg_slice text = keep_buf(&buf);
    value *made = string_value(text), *again = split(text, op->value, op->quoted);
    if (op->lossy && !op->quoted)
        return made;
    bool comes_back = again->count == v->count;
    for (size_t i = 0; i < v->count && comes_back; i++)
        comes_back = same(again->items[i].value, v->items[i].value);
    return comes_back ? made : refuse();
}

static value *signs(const dg_op *op, value *v)
{
    if (v->type == ARRAY)
        return refuse();
    if (v->type != OBJECT)
        return v;
    long name = find(v, op->name), to = find(v, op->to);
    if (name < 0 || refused || v->items[name].value->type == NUL)
        return v;
    value *by = to < 0 || v->items[to].value->type == NUL ? NULL : v->items[to].value;
    if (v->items[name].value->type != STRING || (by && by->type != STRING))
        return refuse();
    value *fields = split(decode(v->items[name].value->text), DG_SLICE(","), false);
    value *orders = by ? split(decode(by->text), DG_SLICE(","), false) : NULL;
    if (orders && orders->count > fields->count && !op->lossy)
        return refuse();
    dg_buf buf;
    dg_buf_init(&buf, 0);
    for (size_t i = 0; i < fields->count; i++) {
        dg_slice field = decode(fields->items[i].value->text), word = DG_SLICE("asc");
        if (orders && i < orders->count)
            word = decode(orders->items[i].value->text);
        refused |= (!dg_slice_eq(word, DG_SLICE("asc")) && !dg_slice_eq(word, DG_SLICE("desc"))) ||
                   dg_slice_starts(field, DG_SLICE("-")) || (word.len == 4 && !field.len);
        dg_buf_add_str(&buf, i ? "," : "");
        dg_buf_add_str(&buf, word.len == 4 ? "-" : "");
        dg_buf_add(&buf, field);
    }
    v->items[name].value = string_value(keep_buf(&buf));
    if (to >= 0)
        take_out(v, (size_t)to);
    return v;
}

static value *unsign(const dg_op *op, value *v)
{
    if (v->type == ARRAY)
        return refuse();
    if (v->type != OBJECT)
        return v;
    long name = find(v, op->name), to = find(v, op->to);
    if (name < 0 || refused || v->items[name].value->type == NUL)
        return v;
    if (to >= 0 || v->items[name].value->type != STRING)
        return refuse();
    value *fields = split(decode(v->items[name].value->text), DG_SLICE(","), false);
    dg_buf plain, orders;
    dg_buf_init(&plain, 0);
    dg_buf_init(&orders, 0);
    for (size_t i = 0; i < fields->count; i++) {
        dg_slice field = decode(fields->items[i].value->text);
        bool descends = dg_slice_starts(field, DG_SLICE("-"));
        field = dg_slice_from(field, descends);
        refused |= dg_slice_starts(field, DG_SLICE("-")) || (descends && !field.len);
        dg_buf_add_str(&plain, i ? "," : "");
        dg_buf_add(&plain, field);
        dg_buf_add_str(&orders, i ? "," : "");
        dg_buf_add_str(&orders, descends ? "desc" : "asc");
    }
    v->items[name].value = string_value(keep_buf(&plain));
    push(v, made_item(op->to, string_value(keep_buf(&orders))));
    return v;
}

/* A grammar of JSON as small as it gets. */
static bool grammar(const char **p);
static void blanks(const char **p)
{
    *p += strspn(*p, " \t\r\n");
}
static bool grammar_string(const char **p)
{
    if (*(*p)++ != '"')
        return false;
    for (; **p != '"'; (*p)++) {
        if ((unsigned char)**p < 0x20)
            return false;
        if (**p == '\\') {
            (*p)++;
            if (**p == 'u') {
                if (strspn(*p + 1, "0123456789abcdefABCDEF") < 4)
                    return false;
                *p += 4;
            } else if (!**p || !strchr("\"\\/bfnrt", **p)) {
                return false;
            }
        }
    }
    (*p)++;
    return true;
}
static bool grammar_number(const char **p)
{
    static const char digits[] = "0123456789";
    *p += **p == '-';
    size_t n = strspn(*p, digits);
    if (n == 0 || (n > 1 && **p == '0'))
        return false;
    *p += n;
    if (**p == '.') {
        n = strspn(++*p, digits);
        *p += n;
        if (!n)
            return false;
    }
    if (**p == 'e' || **p == 'E') {
        (*p)++;
        *p += **p == '+' || **p == '-';
        n = strspn(*p, digits);
        *p += n;
        if (!n)
            return false;
    }
    return true;
}
static bool grammar(const char **p)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(*p, words[i], strlen(words[i])) == 0) {
            *p += strlen(words[i]);
            return true;
        }
    if (**p == '"')
        return grammar_string(p);
    if (**p != '{' && **p != '[')
        return grammar_number(p);
    char close = *(*p)++ == '{' ? '}' : ']';
    blanks(p);
    for (bool first = true; **p != close; first = false) {
        if (!first && *(*p)++ != ',')
            return false;
        blanks(p);
        if (close == '}') {
            if (!grammar_string(p))
                return false;
            blanks(p);
            if (*(*p)++ != ':')
                return false;
            blanks(p);
        }
        if (!grammar(p))
            return false;
        blanks(p);
    }
    (*p)++;
    return true;
}

static value *parse(const dg_op *op, value *v)
{
    if (v->type == NUL)
        return v;
    if (v->type == STRING) {
        dg_slice text = decode(v->text);
        const char *p = text.ptr;
        blanks(&p);
        const char *start = p;
        if (dg_name_is_utf8(text) && grammar(&p)) {
            const char *end = p;
            blanks(&p);
            if (p == text.ptr + text.len)
                return read_text(dg_slice_of(start, (size_t)(end - start)));
        }
    }
    if (op->unknown == DG_UNKNOWN_REJECT)
        return refuse();
    return op->unknown == DG_UNKNOWN_PASS ? v : read_text(op->value);
}

/* ---- templates */

static dg_path path_of(dg_slice text)
{
    dg_slice *steps = dg_arena_zalloc(memory, (text.len + 2) * sizeof *steps);
    size_t count = 0, at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != '.' && text.ptr[end] != '[')
            end++;
        if (end > at)
            steps[count++] = dg_slice_of(text.ptr + at, end - at);
        if (end < text.len && text.ptr[end] == '[') {
            steps[count++] = (dg_slice){NULL, 0};
            end += 2;
        }
        at = end + (end < text.len && text.ptr[end] == '.');
    }
    return (dg_path){steps, count};
}

static value *place(dg_slice text, value *from)
{
    dg_path path = path_of(text);
    value *list = all_at(from, path, true);
    bool each = false;
    for (size_t i = 0; i < path.count; i++)
        each |= !path.steps[i].ptr;
    for (size_t i = 0; i < list->count; i++)
        list->items[i].value = twin(list->items[i].value);
    return each ? list : list->count ? list->items[0].value : NULL;
}

static value *fill_string(dg_slice text, value *from)
{
    dg_buf buf;
    size_t at = 0;
    bool left_out = false;
    if (text.len > 1 && *text.ptr == '{' && text.ptr[1] != '{' &&
        dg_slice_find(text, '}') == text.len - 1)
        return place(dg_slice_of(text.ptr + 1, text.len - 2), from);
    dg_buf_init(&buf, 0);
    while (at < text.len) {
        if (text.ptr[at] != '{') {
            dg_buf_add_char(&buf, text.ptr[at++]);
        } else if (text.ptr[at + 1] == '{') {
            dg_buf_add_char(&buf, '{');
            at += 2;
        } else {
            size_t end = at + dg_slice_find(dg_slice_from(text, at), '}');
            value *v = left_out ? NULL : place(dg_slice_of(text.ptr + at + 1, end - at - 1), from);
            refused |= v && v->type >= ARRAY;
            left_out |= !v || v->type == NUL;
            if (v)
                dg_buf_add(&buf, v->type == STRING ? decode(v->text) : v->text);
            at = end + 1;
        }
    }
    dg_slice made = keep_buf(&buf);
    return left_out ? NULL : string_value(made);
}

static value *fill(value *v, value *from)
{
    if (v->type == STRING && dg_slice_find(decode(v->text), '{') < decode(v->text).len)
        return fill_string(decode(v->text), from);
    for (size_t i = 0; i < v->count; i++) {
        value *filled = fill(v->items[i].value, from);
        if (filled)
            v->items[i].value = filled;
        else
            take_out(v, i--);
    }
    return v;
}

/* ---- all of them */

static value *apply(const dg_op *op, value *v)
{
    switch (op->kind) {
    case DG_OP_MOVE:
    case DG_OP_COPY:
    case DG_OP_KEEP:
    case DG_OP_SUM:
    case DG_OP_COUNT:
        return on_object(op, v);
    case DG_OP_RENAME:
        return rename_one(op, v);
    case DG_OP_CASE:
        convert(op, v);
        return v;
    case DG_OP_MAP:
    case DG_OP_FILTER:
    case DG_OP_FIRST:
    case DG_OP_SORT:
        return on_list(op, v);
    case DG_OP_ITEMS:
        return v->type == NUL ? v : v->type == OBJECT ? to_list(op, v) : refuse();
    case DG_OP_LIST: {
        value *list = new_value(ARRAY, (dg_slice){NULL, 0});
        if (v->type != NUL)
            push(list, (item){.value = v});
        return list;
    }
    case DG_OP_SPLIT:
        return v->type == NUL      ? v
               : v->type == STRING ? split(decode(v->text), op->value, op->quoted)
                                   : refuse();
    case DG_OP_JOIN:
        return v->type == NUL ? v : v->type == ARRAY ? joined(op, v) : refuse();
    case DG_OP_SIGNS:
        return signs(op, v);
    case DG_OP_UNSIGN:
        return unsign(op, v);
    case DG_OP_PARSE:
        return parse(op, v);
    case DG_OP_PRINT:
        return v->type == NUL ? v : string_value(printed(v, true));
    default: {
        value *filled = fill(read_text(op->value), v);
        return filled ? filled : new_value(NUL, DG_SLICE("null"));
    }
    }
}

bool reference_whole(dg_arena *arena, const dg_op *const *ops, size_t count, dg_slice in,
                     dg_buf *out)
{
    memory = arena;
    refused = false;
    value *v = read_text(dg_arena_dup(arena, in));
    for (size_t i = 0; i < count && !refused; i++)
        v = apply(ops[i], v);
    if (!refused)
        print(v, false, out);
    return !refused;
}

bool reference_test(dg_arena *arena, const dg_test *test, dg_slice in, bool *ret_ok)
{
    memory = arena;
    refused = false;
    bool is = holds(test, read_text(dg_arena_dup(arena, in)));
    *ret_ok = !refused;
    return is;
}
