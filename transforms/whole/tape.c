#include "transforms/whole/tape.h"

#include <stdlib.h>

#include "base/hash.h"
#include "transforms/name.h"
#include "transforms/program.h"

enum { CHUNK_BYTES = 1 << 14, ALIGN = 16 };

struct dg_tape_chunk {
    dg_tape_chunk *next;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

void dg_tape_init(dg_tape *tape)
{
    *tape = (dg_tape){.seed = dg_hash_seed()};
    dg_buf_init(&tape->text, DG_TAPE_TEXT_MAX);
    dg_buf_init(&tape->name, DG_TAPE_TEXT_MAX);
}

/* Frees the chunks behind the first ones that are not more than `keep` bytes together. */
static void trim(dg_tape *tape, size_t keep)
{
    dg_tape_chunk **at = &tape->chunks;
    size_t bytes = 0;
    while (*at && bytes + (*at)->size <= keep) {
        bytes += (*at)->size;
        (*at)->used = 0;
        at = &(*at)->next;
    }
    dg_tape_chunk *rest = *at;
    *at = NULL;
    while (rest) {
        dg_tape_chunk *next = rest->next;
        free(rest);
        rest = next;
    }
    tape->bytes = bytes;
    tape->chunk = tape->chunks;
}

static void trim_buf(dg_buf *buf, size_t keep)
{
    if (buf->cap > keep)
        dg_buf_free(buf);
    dg_buf_clear(buf);
}

void dg_tape_clear(dg_tape *tape)
{
    trim(tape, DG_TAPE_KEPT_MAX);
    trim_buf(&tape->text, DG_TAPE_KEPT_MAX);
    trim_buf(&tape->name, DG_TAPE_KEPT_MAX);
    if (tape->table.capacity * sizeof(dg_tape_entry) > DG_TAPE_KEPT_MAX) {
        free(tape->table.entries);
        tape->table = (dg_tape_table){0};
    }
    tape->constants = NULL;
    tape->status = DG_OK;
    tape->message = NULL;
}

void dg_tape_free(dg_tape *tape)
{
    trim(tape, 0);
    dg_buf_free(&tape->text);
    dg_buf_free(&tape->name);
    free(tape->table.entries);
}

bool dg_tape_fail(dg_tape *tape, dg_status status, const char *message)
{
    if (tape->status == DG_OK) {
        tape->status = status;
        tape->message = message;
    }
    return false;
}

bool dg_tape_refuse(dg_tape *tape, const char *message)
{
    return dg_tape_fail(tape, DG_INVALID, message);
}

static bool grow(dg_tape *tape, size_t bytes)
{
    dg_tape_chunk *next = tape->chunk ? tape->chunk->next : NULL;
    if (next && next->size >= bytes) {
        tape->chunk = next;
        return true;
    }
    size_t size = tape->chunk && tape->chunk->size < DG_TAPE_KEPT_MAX / 4 ? tape->chunk->size * 2
                                                                          : CHUNK_BYTES;
    if (size < bytes)
        size = bytes;
    if (bytes > DG_TAPE_BYTES_MAX || size > DG_TAPE_BYTES_MAX - tape->bytes)
        return dg_tape_fail(tape, DG_LIMIT, "the value needs too much memory");
    dg_tape_chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return dg_tape_fail(tape, DG_NOMEM, "out of memory");
    *chunk = (dg_tape_chunk){.next = next, .size = size};
    if (tape->chunk)
        tape->chunk->next = chunk;
    else
        tape->chunks = chunk;
    tape->chunk = chunk;
    tape->bytes += size;
    return true;
}

void *dg_tape_alloc(dg_tape *tape, size_t bytes)
{
    if (tape->status != DG_OK)
        return NULL;
    if (bytes > DG_TAPE_BYTES_MAX) {
        dg_tape_fail(tape, DG_LIMIT, "the value needs too much memory");
        return NULL;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if ((!tape->chunk || bytes > tape->chunk->size - tape->chunk->used) && !grow(tape, bytes))
        return NULL;
    void *ret = tape->chunk->bytes + tape->chunk->used;
    tape->chunk->used += bytes;
    return ret;
}

bool dg_tape_dup(dg_tape *tape, dg_slice text, dg_slice *ret_copy)
{
    char *copy = dg_tape_alloc(tape, text.len + 1 + DG_JSON_PADDING);
    if (!copy)
        return false;
    copy[0] = '\0';
    if (text.len)
        memcpy(copy + 1, text.ptr, text.len);
    memset(copy + 1 + text.len, 0, DG_JSON_PADDING);
    *ret_copy = dg_slice_of(copy + 1, text.len);
    return true;
}

bool dg_tape_made(dg_tape *tape, size_t from, dg_slice *ret_text)
{
    dg_status status = tape->text.status;
    dg_slice made = dg_slice_from(dg_buf_slice(&tape->text), from);
    if (status != DG_OK)
        dg_tape_fail(tape, status, status == DG_NOMEM ? "out of memory" : "a text is too long");
    bool ok = status == DG_OK && dg_tape_dup(tape, made, ret_text);
    tape->text.len = from < tape->text.len ? from : tape->text.len;
    tape->text.status = DG_OK;
    return ok;
}

/* ---- nodes */

static dg_tape_kind kind_at(const char *p)
{
    switch (*p) {
    case '{':
        return DG_TAPE_OBJECT;
    case '[':
        return DG_TAPE_ARRAY;
    case '"':
        return DG_TAPE_STRING;
    case 'n':
        return DG_TAPE_NULL;
    case 't':
    case 'f':
        return DG_TAPE_BOOLEAN;
    default:
        return DG_TAPE_NUMBER;
    }
}

static dg_tape_node *new_node(dg_tape *tape, const char *text, size_t len)
{
    dg_tape_node *node = dg_tape_alloc(tape, sizeof *node);
    if (node)
        *node = (dg_tape_node){.text = text, .len = (uint32_t)len, .kind = (uint8_t)kind_at(text)};
    return node;
}

dg_tape_node *dg_tape_value(dg_tape *tape, dg_slice text)
{
    if (text.len > DG_TAPE_TEXT_MAX) {
        dg_tape_fail(tape, DG_LIMIT, "the value is too long");
        return NULL;
    }
    return new_node(tape, text.ptr, text.len);
}

struct dg_tape_constant {
    dg_tape_constant *next;
    dg_slice text;
    dg_tape_node *node;
};

dg_tape_node *dg_tape_constant_of(dg_tape *tape, dg_slice text)
{
    for (const dg_tape_constant *c = tape->constants; c; c = c->next)
        if (c->text.ptr == text.ptr && c->text.len == text.len)
            return c->node;
    dg_tape_constant *c = dg_tape_alloc(tape, sizeof *c);
    dg_tape_node *node = c ? dg_tape_value(tape, text) : NULL;
    if (!node)
        return NULL;
    *c = (dg_tape_constant){tape->constants, text, node};
    return (tape->constants = c)->node;
}

dg_tape_node *dg_tape_copy(dg_tape *tape, dg_tape_node *node)
{
    dg_slice text = dg_slice_of(node->text, node->len);
    size_t from = tape->text.len;
    if (node->changed &&
        (!dg_tape_print(tape, node, &tape->text) || !dg_tape_made(tape, from, &text)))
        return NULL;
    dg_tape_node *twin = dg_tape_value(tape, text);
    if (twin && !node->changed)
        twin->height = node->height;
    return twin;
}

dg_tape_node *dg_tape_string(dg_tape *tape, dg_slice name)
{
    size_t from = tape->text.len;
    dg_slice text;
    dg_name_encode(name, &tape->text);
    return dg_tape_made(tape, from, &text) ? dg_tape_value(tape, text) : NULL;
}

dg_tape_node *dg_tape_container(dg_tape *tape, dg_tape_kind kind)
{
    dg_tape_node *node = new_node(tape, kind == DG_TAPE_OBJECT ? "{}" : "[]", 2);
    if (node) {
        node->read = true;
        node->height = 1;
    }
    return node;
}

/* ---- reading */

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
        p++;
    return p;
}

/* Behind the string at p, a quote: the next quote that has an even number of backslashes before it.
 */
static const char *skip_string(const char *p, const char *end)
{
    for (const char *from = p + 1;;) {
        const char *q = memchr(from, '"', (size_t)(end - from)), *back = q;
        while (back > from && back[-1] == '\\')
            back--;
        if ((q - back) % 2 == 0)
            return q + 1;
        from = q + 1;
    }
}

static const char *skip_scalar(const char *p, const char *end)
{
    if (*p == '"')
        return skip_string(p, end);
    while (p < end && *p != ',' && *p != ']' && *p != '}' && *p > ' ')
        p++;
    return p;
}

static void link_last(dg_tape_node *parent, dg_tape_node *node)
{
    node->parent = parent;
    node->next = NULL;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
}

/* The next member or element of `in` at *p, without what is in it; behind the bracket or the
 * scalar. */
static dg_tape_node *read_child(dg_tape *tape, dg_tape_node *in, const char **p, const char *end)
{
    const char *key = NULL, *at = *p;
    size_t key_len = 0;
    if (in->kind == DG_TAPE_OBJECT) {
        key = at;
        at = skip_string(at, end);
        key_len = (size_t)(at - key);
        at = skip_space(skip_space(at) + 1);
    }
    dg_tape_node *node = new_node(tape, at, 0);
    if (!node)
        return NULL;
    node->key = key;
    node->key_len = (uint32_t)key_len;
    node->in_place = true;
    link_last(in, node);
    if (node->kind < DG_TAPE_ARRAY) {
        *p = skip_scalar(at, end);
        node->len = (uint32_t)(*p - at);
    } else {
        *p = at + 1;
    }
    return node;
}

static dg_tape_node *close(dg_tape_node *node, const char *behind)
{
    dg_tape_node *parent = node->parent;
    node->len = (uint32_t)(behind - node->text);
    if (parent && parent->height <= node->height)
        parent->height = (uint16_t)(node->height + 1);
    return parent;
}

bool dg_tape_read(dg_tape *tape, dg_tape_node *node)
{
    if (node->read || node->kind < DG_TAPE_ARRAY)
        return true;
    const char *p = node->text + 1, *end = node->text + node->len;
    dg_tape_node *outer = node->parent, *in = node;
    node->parent = NULL;
    node->read = true;
    node->height = 1;
    while (in) {
        p = skip_space(p);
        if (*p == ',')
            p = skip_space(p + 1);
        if (*p == ']' || *p == '}') {
            in = close(in, ++p);
            continue;
        }
        dg_tape_node *child = read_child(tape, in, &p, end);
        if (!child)
            break;
        if (child->kind >= DG_TAPE_ARRAY) {
            child->read = true;
            child->height = 1;
            in = child;
        }
    }
    node->parent = outer;
    return tape->status == DG_OK;
}

/* ---- links */

void dg_tape_change(dg_tape_node *node)
{
    for (; node && !node->changed; node = node->parent)
        node->changed = true;
}

void dg_tape_detach(dg_tape_node *before, dg_tape_node *node)
{
    dg_tape_node *parent = node->parent;
    if (before)
        before->next = node->next;
    else
        parent->first = node->next;
    if (parent->last == node)
        parent->last = before;
    node->parent = node->next = NULL;
    node->in_place = false;
    dg_tape_change(parent);
}

void dg_tape_remove(dg_tape_node *node)
{
    dg_tape_node *before = NULL;
    for (dg_tape_node *n = node->parent->first; n != node; n = n->next)
        before = n;
    dg_tape_detach(before, node);
}

void dg_tape_append(dg_tape_node *array, dg_tape_node *value)
{
    value->key = NULL;
    value->key_len = 0;
    value->in_place = false;
    link_last(array, value);
    dg_tape_change(array);
}

bool dg_tape_add(dg_tape *tape, dg_tape_node *object, dg_slice key, dg_tape_node *value)
{
    if (key.len > DG_TAPE_TEXT_MAX)
        return dg_tape_fail(tape, DG_LIMIT, "the value is too long");
    dg_tape_append(object, value);
    value->key = key.ptr;
    value->key_len = (uint32_t)key.len;
    return true;
}

bool dg_tape_add_named(dg_tape *tape, dg_tape_node *object, dg_slice name, dg_tape_node *value)
{
    size_t from = tape->text.len;
    dg_slice key;
    dg_name_encode(name, &tape->text);
    return dg_tape_made(tape, from, &key) && dg_tape_add(tape, object, key, value);
}

void dg_tape_replace(dg_tape_node *node, const dg_tape_node *value)
{
    node->text = value->text;
    node->len = value->len;
    node->height = value->height;
    node->kind = value->kind;
    node->read = value->read;
    node->changed = value->changed;
    node->in_place &= node->key_len > 0;
    node->first = value->first;
    node->last = value->last;
    for (dg_tape_node *child = node->first; child; child = child->next)
        child->parent = node;
    dg_tape_change(node->parent);
}

/* ---- names that have been seen */

bool dg_tape_begin(dg_tape *tape, size_t count)
{
    dg_tape_table *table = &tape->table;
    size_t size = 16;
    while (size < count * 2)
        size *= 2;
    if (size > DG_TAPE_BYTES_MAX / sizeof(dg_tape_entry))
        return dg_tape_fail(tape, DG_LIMIT, "the value needs too much memory");
    if (size > table->capacity) {
        dg_tape_entry *entries = malloc(size * sizeof *entries);
        if (!entries)
            return dg_tape_fail(tape, DG_NOMEM, "out of memory");
        free(table->entries);
        *table = (dg_tape_table){entries, size, size};
    }
    table->size = size;
    memset(table->entries, 0, size * sizeof *table->entries);
    return true;
}

static dg_tape_entry *look_up(const dg_tape *tape, dg_slice name, uint64_t hash)
{
    size_t mask = tape->table.size - 1, at = hash & mask;
    for (;; at = (at + 1) & mask) {
        dg_tape_entry *entry = &tape->table.entries[at];
        if (!entry->node || (entry->hash == hash && dg_slice_eq(entry->name, name)))
            return entry;
    }
}

dg_tape_node *dg_tape_met(const dg_tape *tape, dg_slice name)
{
    return look_up(tape, name, dg_hash(name, tape->seed))->node;
}

bool dg_tape_meet(dg_tape *tape, dg_slice name, dg_tape_node *node, dg_tape_node **ret_node)
{
    uint64_t hash = dg_hash(name, tape->seed);
    dg_tape_entry *entry = look_up(tape, name, hash);
    dg_tape_node *known = entry->node;
    if (!known) {
        if (name.ptr == tape->name.ptr && !dg_tape_dup(tape, name, &name))
            return false;
        *entry = (dg_tape_entry){hash, name, node};
    }
    *ret_node = known;
    return true;
}
