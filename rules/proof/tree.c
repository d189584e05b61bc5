#include "rules/proof/tree.h"

#include "transforms/name.h"
#include "transforms/program.h"

typedef struct reader {
    dg_arena *arena;
    const char *at, *end;
    unsigned depth;
    dg_status status;
    dg_buf scratch;
} reader;

static bool fail(reader *r, dg_status status)
{
    if (r->status == DG_OK)
        r->status = status;
    return false;
}

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* The text of a string, with its quotes, and what it stands for. */
static bool read_string(reader *r, dg_slice *ret_text, dg_slice *ret_decoded)
{
    const char *start;
    if (!take(r, '"'))
        return fail(r, DG_SYNTAX);
    start = r->at - 1;
    while (r->at < r->end && *r->at != '"')
        r->at += *r->at == '\\' && r->at + 1 < r->end ? 2 : 1;
    if (r->at == r->end)
        return fail(r, DG_SYNTAX);
    r->at++;
    dg_slice text = dg_slice_of(start, (size_t)(r->at - start));
    dg_buf_clear(&r->scratch);
    dg_name_decode(dg_slice_of(text.ptr + 1, text.len - 2), &r->scratch);
    *ret_text = dg_arena_dup(r->arena, text);
    *ret_decoded = dg_arena_dup(r->arena, dg_buf_slice(&r->scratch));
    return r->scratch.status == DG_OK && !r->arena->failed ? true : fail(r, DG_NOMEM);
}

static bool read_value(reader *r, dg_tree *tree);

static bool read_children(reader *r, dg_tree *tree, char close)
{
    dg_tree **last = &tree->first;
    if (++r->depth > DG_JSON_DEPTH_MAX)
        return fail(r, DG_LIMIT);
    r->at++;
    if (take(r, close)) {
        r->depth--;
        return true;
    }
    do {
        dg_tree *child = dg_arena_zalloc(r->arena, sizeof *child);
        if (!child)
            return fail(r, DG_NOMEM);
        skip_space(r);
        if (close == '}' && (!read_string(r, &child->key, &child->name) || !take(r, ':')))
            return fail(r, DG_SYNTAX);
        if (!read_value(r, child))
            return false;
        *last = child;
        last = &child->next;
        tree->count++;
    } while (take(r, ','));
    r->depth--;
    return take(r, close) ? true : fail(r, DG_SYNTAX);
}

static bool read_scalar(reader *r, dg_tree *tree)
{
    const char *start = r->at;
    while (r->at < r->end && !strchr(" \t\r\n,]}:\"[{", *r->at))
        r->at++;
    dg_slice text = dg_slice_of(start, (size_t)(r->at - start));
    if (text.len == 0)
        return fail(r, DG_SYNTAX);
    if (dg_slice_eq(text, DG_SLICE("null")))
        tree->kind = DG_TREE_NULL;
    else if (dg_slice_eq(text, DG_SLICE("true")) || dg_slice_eq(text, DG_SLICE("false")))
        tree->kind = DG_TREE_BOOLEAN;
    else if (text.ptr[0] == '-' || (text.ptr[0] >= '0' && text.ptr[0] <= '9'))
        tree->kind = DG_TREE_NUMBER;
    else
        return fail(r, DG_SYNTAX);
    tree->text = dg_arena_dup(r->arena, text);
    return tree->text.ptr ? true : fail(r, DG_NOMEM);
}

static bool read_value(reader *r, dg_tree *tree)
{
    skip_space(r);
    if (r->at == r->end)
        return fail(r, DG_SYNTAX);
    switch (*r->at) {
    case '{':
        tree->kind = DG_TREE_OBJECT;
        return read_children(r, tree, '}');
    case '[':
        tree->kind = DG_TREE_ARRAY;
        return read_children(r, tree, ']');
    case '"':
        tree->kind = DG_TREE_STRING;
        return read_string(r, &tree->text, &tree->string);
    default:
        return read_scalar(r, tree);
    }
}

dg_status dg_tree_read(dg_arena *arena, dg_slice json, dg_tree **ret_tree)
{
    reader r = {.arena = arena, .at = json.ptr, .end = json.ptr + json.len, .status = DG_OK};
    dg_tree *tree = dg_arena_zalloc(arena, sizeof *tree);
    if (!tree)
        return DG_NOMEM;
    dg_buf_init(&r.scratch, 0);
    if (json.len == 0)
        r.status = DG_SYNTAX;
    else if (read_value(&r, tree)) {
        skip_space(&r);
        if (r.at != r.end)
            r.status = DG_SYNTAX;
    }
    dg_buf_free(&r.scratch);
    if (r.status == DG_OK)
        *ret_tree = tree;
    return r.status;
}

void dg_tree_print(const dg_tree *tree, dg_buf *out)
{
    bool object = tree->kind == DG_TREE_OBJECT;
    if (!object && tree->kind != DG_TREE_ARRAY) {
        dg_buf_add(out, tree->text);
        return;
    }
    dg_buf_add_char(out, object ? '{' : '[');
    for (const dg_tree *child = tree->first; child; child = child->next) {
        if (child != tree->first)
            dg_buf_add_char(out, ',');
        if (object) {
            dg_buf_add(out, child->key);
            dg_buf_add_char(out, ':');
        }
        dg_tree_print(child, out);
    }
    dg_buf_add_char(out, object ? '}' : ']');
}

dg_tree *dg_tree_copy(dg_arena *arena, const dg_tree *tree)
{
    dg_tree *copy = dg_arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *tree;
    copy->next = copy->first = NULL;
    dg_tree **last = &copy->first;
    for (const dg_tree *child = tree->first; child; child = child->next) {
        *last = dg_tree_copy(arena, child);
        if (!*last)
            return NULL;
        last = &(*last)->next;
    }
    return copy;
}

dg_tree *dg_tree_empty(dg_arena *arena, dg_tree_kind kind)
{
    dg_tree *tree = dg_arena_zalloc(arena, sizeof *tree);
    if (tree)
        tree->kind = kind;
    return tree;
}

dg_tree *dg_tree_of(dg_arena *arena, const char *json)
{
    dg_tree *tree = NULL;
    return dg_tree_read(arena, dg_slice_str(json), &tree) == DG_OK ? tree : NULL;
}

dg_tree *dg_tree_member(const dg_tree *object, dg_slice name)
{
    if (object->kind != DG_TREE_OBJECT)
        return NULL;
    for (dg_tree *child = object->first; child; child = child->next)
        if (dg_slice_eq(child->name, name))
            return child;
    return NULL;
}

void dg_tree_append(dg_tree *container, dg_tree *child)
{
    dg_tree **last = &container->first;
    while (*last)
        last = &(*last)->next;
    child->next = NULL;
    *last = child;
    container->count++;
}

void dg_tree_assign(dg_tree *tree, const dg_tree *value)
{
    if (!value)
        return;
    tree->kind = value->kind;
    tree->text = value->text;
    tree->string = value->string;
    tree->first = value->first;
    tree->count = value->count;
}

void dg_tree_set(dg_arena *arena, dg_tree *object, dg_slice name, const dg_tree *value)
{
    dg_tree *member = dg_tree_member(object, name);
    if (object->kind != DG_TREE_OBJECT || !value)
        return;
    if (!member) {
        dg_buf key;
        dg_buf_init(&key, 0);
        dg_name_encode(name, &key);
        member = dg_arena_zalloc(arena, sizeof *member);
        dg_slice text = dg_arena_dup(arena, dg_buf_slice(&key)), copy = dg_arena_dup(arena, name);
        dg_buf_free(&key);
        if (!member || !text.ptr)
            return;
        member->key = text;
        member->name = copy;
        dg_tree_append(object, member);
    }
    dg_tree_assign(member, value);
}

void dg_tree_remove(dg_tree *container, const dg_tree *child)
{
    for (dg_tree **at = &container->first; *at; at = &(*at)->next)
        if (*at == child) {
            *at = child->next;
            container->count--;
            return;
        }
}
