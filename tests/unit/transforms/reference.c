#include "reference.h"

#include "transforms/pass/lexicon.h"
#include "transforms/name.h"
#include "transforms/scalar/scalar.h"

typedef enum { SCALAR, ARRAY, OBJECT, POISON } kind;

typedef struct value value;
typedef struct member {
    struct member *next;
    dg_slice pre;  /* what stands before the key or element: white space, comma, white space */
    dg_slice key;  /* with quotes */
    dg_slice name; /* decoded */
    dg_slice mid;  /* white space, colon, white space */
    value *value;
} member;

struct value {
    kind kind;
    dg_slice text; /* SCALAR */
    member *first;
    dg_slice tail;
    bool touched;  /* an op looked at it: two equal names are an error */
    bool collided; /* ADD found its name taken: an error if the object is still there at the end */
};

typedef struct reader {
    dg_arena *arena;
    const char *p, *end;
} reader;

static dg_slice space(reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p)
        r->p++;
    return dg_slice_of(from, (size_t)(r->p - from));
}

static dg_slice token(reader *r)
{
    const char *from = r->p;
    if (*r->p == '"') {
        for (r->p++; *r->p != '"'; r->p++)
            if (*r->p == '\\')
                r->p++;
        r->p++;
    } else {
        while (r->p < r->end && !strchr(" \t\r\n,]}", *r->p))
            r->p++;
    }
    return dg_slice_of(from, (size_t)(r->p - from));
}

static dg_slice decode(dg_arena *arena, dg_slice quoted)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_name_decode(dg_slice_of(quoted.ptr + 1, quoted.len - 2), &buf);
    dg_slice name = dg_arena_dup(arena, dg_buf_slice(&buf));
    dg_buf_free(&buf);
    return name;
}

static value *new_value(dg_arena *arena, kind k)
{
    value *v = dg_arena_zalloc(arena, sizeof *v);
    v->kind = k;
    return v;
}

static value *read_value(reader *r)
{
    if (*r->p != '{' && *r->p != '[') {
        value *v = new_value(r->arena, SCALAR);
        v->text = token(r);
        return v;
    }
    value *v = new_value(r->arena, *r->p == '{' ? OBJECT : ARRAY);
    char close = *r->p++ == '{' ? '}' : ']';
    member **at = &v->first;
    const char *from = r->p;
    for (;;) {
        space(r);
        if (*r->p == ',') {
            r->p++;
            space(r);
        }
        dg_slice pre = dg_slice_of(from, (size_t)(r->p - from));
        if (*r->p == close) {
            r->p++;
            v->tail = pre;
            return v;
        }
        member *m = *at = dg_arena_zalloc(r->arena, sizeof *m);
        at = &m->next;
        m->pre = pre;
        if (v->kind == OBJECT) {
            m->key = token(r);
            m->name = decode(r->arena, m->key);
            from = r->p;
            space(r);
            r->p++;
            space(r);
            m->mid = dg_slice_of(from, (size_t)(r->p - from));
        }
        m->value = read_value(r);
        from = r->p;
    }
}

static value *parse(dg_arena *arena, dg_slice text)
{
    /* A NUL behind the text stops the reader of a scalar root. */
    dg_slice copy = dg_arena_dup(arena, text);
    reader r = {arena, copy.ptr, copy.ptr + copy.len};
    space(&r);
    return read_value(&r);
}

static void set_name(dg_arena *arena, member *m, dg_slice name)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_name_encode(name, &buf);
    m->name = name;
    m->key = dg_arena_dup(arena, dg_buf_slice(&buf));
    dg_buf_free(&buf);
}

static size_t count_named(const value *v, dg_slice name)
{
    size_t n = 0;
    for (const member *m = v->first; m; m = m->next)
        n += dg_slice_eq(m->name, name);
    return n;
}

static bool excepted(const dg_op *op, dg_slice name)
{
    for (size_t i = 0; i < op->name_count; i++)
        if (dg_slice_eq(op->names[i], name))
            return true;
    return false;
}

static void convert(dg_arena *arena, value *v, const dg_op *op)
{
    if (v->kind != OBJECT && v->kind != ARRAY)
        return;
    v->touched = true;
    for (member *m = v->first; m; m = m->next) {
        if (v->kind == OBJECT) {
            if (excepted(op, m->name))
                continue;
            dg_buf buf;
            dg_buf_init(&buf, 0);
            dg_name_convert(m->name, op->case_from, op->case_to, &buf);
            if (!dg_slice_eq(dg_buf_slice(&buf), m->name))
                set_name(arena, m, dg_arena_dup(arena, dg_buf_slice(&buf)));
            dg_buf_free(&buf);
        }
        convert(arena, m->value, op);
    }
}

static void add(dg_arena *arena, value *v, dg_slice name, value *what)
{
    member **at = &v->first;
    while (*at)
        at = &(*at)->next;
    member *m = *at = dg_arena_zalloc(arena, sizeof *m);
    m->pre = v->first == m ? (dg_slice){NULL, 0} : DG_SLICE(",");
    m->mid = DG_SLICE(":");
    m->value = what;
    set_name(arena, m, name);
}

static bool is_empty(const value *v)
{
    return v->kind == OBJECT && !v->first && !v->collided;
}

static bool is_null(const value *v)
{
    return v->kind == SCALAR && dg_slice_eq(v->text, DG_SLICE("null"));
}

static void drop(value *v, const dg_op *op)
{
    member *before = NULL;
    for (member *m = v->first; m; m = m->next) {
        bool goes = dg_slice_eq(m->name, op->name);
        if (goes && (op->if_empty || op->when_null)) {
            m->value->touched = true;
            goes = (op->if_empty && is_empty(m->value)) || (op->when_null && is_null(m->value));
        }
        if (!goes) {
            before = m;
            continue;
        }
        if (before)
            before->next = m->next;
        else
            v->first = m->next;
        if (!before && m->next)
            m->next->pre = m->pre;
    }
}

static bool same_scalar(dg_arena *arena, dg_slice a, dg_slice b)
{
    if (a.ptr[0] == '"' && b.ptr[0] == '"')
        return dg_slice_eq(decode(arena, a), decode(arena, b));
    return dg_slice_eq(a, b);
}

static bool poisoned;

static value *poison(value *v)
{
    poisoned = true;
    v->kind = POISON;
    return v;
}

static value *look_up(dg_arena *arena, value *v, const dg_op *op)
{
    for (size_t i = 0; v->kind == SCALAR && i < op->pair_count; i++)
        if (same_scalar(arena, v->text, op->pairs[i].from))
            return parse(arena, op->pairs[i].to);
    if (op->unknown == DG_UNKNOWN_REJECT)
        return poison(v);
    return op->unknown == DG_UNKNOWN_DEFAULT ? parse(arena, op->value) : v;
}

static value *unwrap(value *v, const dg_op *op)
{
    if (v->kind != OBJECT || v->collided || count_named(v, op->name) != 1)
        return poison(v);
    member *m = v->first;
    while (!dg_slice_eq(m->name, op->name))
        m = m->next;
    return m->value;
}

static value *apply_list(dg_arena *arena, value *v, const dg_ops *list);

static void apply_to_object(dg_arena *arena, value *v, const dg_op *op)
{
    switch (op->kind) {
    case DG_OP_RENAME:
        for (member *m = v->first; m; m = m->next)
            if (dg_slice_eq(m->name, op->name))
                set_name(arena, m, op->to);
        break;
    case DG_OP_DROP:
        drop(v, op);
        break;
    case DG_OP_ADD:
    case DG_OP_DEFAULT:
        if (count_named(v, op->name) == 0)
            add(arena, v, op->name, parse(arena, op->value));
        else if (op->kind == DG_OP_ADD)
            v->collided = poisoned = true;
        else if (op->when_null)
            for (member *m = v->first; m; m = m->next) {
                if (!dg_slice_eq(m->name, op->name))
                    continue;
                m->value->touched = true;
                if (is_null(m->value))
                    m->value = parse(arena, op->value);
            }
        break;
    case DG_OP_IN:
        for (member *m = v->first; m; m = m->next)
            if (dg_slice_eq(m->name, op->name))
                m->value = apply_list(arena, m->value, op->body);
        break;
    default:
        break;
    }
}

static bool print(const value *v, dg_buf *out);

/* The text of a value that is there whole: poison if it is not fit to be written. */
static bool write(value *v, dg_buf *text)
{
    static const char padding[DG_JSON_PADDING];
    if (!print(v, text))
        return false;
    dg_buf_add(text, dg_slice_of(padding, sizeof padding));
    text->len -= sizeof padding;
    return true;
}

static value *apply_scalar(dg_arena *arena, value *v, const dg_op *op)
{
    const char *message;
    if (v->kind != SCALAR) {
        bool passes = op->kind == DG_OP_REPLACE || op->unknown == DG_UNKNOWN_PASS;
        if (!passes && op->unknown == DG_UNKNOWN_REJECT)
            return poison(v);
        return passes ? v : parse(arena, op->value);
    }
    dg_buf out;
    dg_buf_init(&out, 0);
    if (dg_scalar_apply(op, NULL, v->text, &out, &message) == DG_OK)
        v->text = dg_arena_dup(arena, dg_buf_slice(&out));
    else
        poison(v);
    dg_buf_free(&out);
    return v;
}

static value *apply_whole(dg_arena *arena, value *v, const dg_op *op)
{
    static dg_whole *whole;
    dg_whole_error error;
    dg_buf in, out;
    size_t at = 0;
    value *made = new_value(arena, POISON);
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    if (!whole && dg_whole_new(&whole) != DG_OK)
        return made;
    if (!write(v, &in))
        ;
    else if (op->kind == DG_OP_SWITCH &&
             dg_whole_switch(whole, op, dg_buf_slice(&in), &at, &error) == DG_OK)
        made = at < op->case_count ? apply_list(arena, v, op->cases[at].body) : v;
    else if (op->kind != DG_OP_SWITCH &&
             dg_whole_apply(whole, &op, 1, dg_buf_slice(&in), &out, &error) == DG_OK)
        made = parse(arena, dg_buf_slice(&out));
    dg_buf_free(&in);
    dg_buf_free(&out);
    return made->kind == POISON ? poison(made) : made;
}

static value *apply(dg_arena *arena, value *v, const dg_op *op)
{
    if (op->kind == DG_OP_LENS || op->kind == DG_OP_BOTH)
        return apply_list(arena, v, op->body);
    if (op->kind == DG_OP_WRAP) {
        value *object = new_value(arena, OBJECT);
        object->touched = true;
        add(arena, object, op->name, v);
        return object;
    }
    if (v->kind == POISON)
        return v;
    if (dg_op_is_whole(op))
        return apply_whole(arena, v, op);
    v->touched = true;
    if (dg_op_class_of(op->kind) == DG_OP_IS_SCALAR)
        return apply_scalar(arena, v, op);
    if (op->kind == DG_OP_CASE)
        convert(arena, v, op);
    else if (op->kind == DG_OP_VALUES)
        return look_up(arena, v, op);
    else if (op->kind == DG_OP_UNWRAP)
        return unwrap(v, op);
    else if (op->lenient && v->kind == ARRAY)
        return v;
    else if (op->kind != DG_OP_MEMBERS && v->kind == (op->kind == DG_OP_EACH ? OBJECT : ARRAY))
        return poison(v); /* the other kind than the op is for */
    else if (v->kind == ARRAY || op->kind == DG_OP_MEMBERS)
        for (member *m = v->first; m; m = m->next)
            m->value = apply_list(arena, m->value, op->body);
    else if (v->kind == OBJECT)
        apply_to_object(arena, v, op);
    return v;
}

/* A lens may build a value that it is applied to again, for ever. */
enum { NESTING_MAX = 600 };
static unsigned nesting;
static bool endless;

static value *apply_list(dg_arena *arena, value *v, const dg_ops *list)
{
    endless |= nesting >= NESTING_MAX;
    nesting++;
    for (size_t i = 0; i < list->count && !endless; i++)
        v = apply(arena, v, &list->items[i]);
    nesting--;
    return v;
}

static bool print(const value *v, dg_buf *out)
{
    if (v->kind == POISON || v->collided)
        return false;
    if (v->kind == SCALAR) {
        dg_buf_add(out, v->text);
        return true;
    }
    dg_buf_add_char(out, v->kind == OBJECT ? '{' : '[');
    for (const member *m = v->first; m; m = m->next) {
        if (v->kind == OBJECT && v->touched && count_named(v, m->name) > 1)
            return false;
        dg_buf_add(out, m->pre);
        dg_buf_add(out, m->key);
        dg_buf_add(out, m->mid);
        if (!print(m->value, out))
            return false;
    }
    dg_buf_add(out, v->tail);
    dg_buf_add_char(out, v->kind == OBJECT ? '}' : ']');
    return true;
}

dg_status reference_run(dg_arena *arena, const dg_ops *const *steps, size_t step_count, dg_slice in,
                        dg_buf *out)
{
    size_t head = 0, tail = in.len;
    while (head < in.len && strchr(" \t\r\n", in.ptr[head]))
        head++;
    while (tail > head && strchr(" \t\r\n", in.ptr[tail - 1]))
        tail--;
    value *v = parse(arena, dg_slice_of(in.ptr + head, tail - head));
    endless = poisoned = false;
    for (size_t i = 0; i < step_count; i++)
        v = apply_list(arena, v, steps[i]);
    if (endless)
        return DG_LIMIT;
    size_t before = out->len;
    dg_buf_add(out, dg_slice_until(in, head));
    if (!print(v, out)) {
        out->len = before;
        return DG_INVALID;
    }
    dg_buf_add(out, dg_slice_from(in, tail));
    return DG_OK;
}

bool reference_forgave(void)
{
    return poisoned;
}
