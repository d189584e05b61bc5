/* Building a node: its sequence is carried out on a symbol of the value, which is all that is known
 * of it.
 *
 * A symbol is the hole (the value itself), text, an object made by WRAP, or an end (void, refused).
 * There is one hole at most. IF_EMPTY on a hole inside a made object cannot be decided here: the
 * node remembers a fork, and is built again, without the hole from there on, if a message ever
 * needs it. An op that needs its value whole waits on the hole as others do; one that meets an
 * object made around it cuts the sequence: what comes before writes the value, the rest reads it.
 */
#include "transforms/pass/lexicon.h"
#include "transforms/name.h"

typedef enum symbol_kind { HOLE, TEXT, OBJECT, VOID, REFUSED } symbol_kind;

typedef struct symbol symbol;
typedef struct member {
    struct member *next;
    dg_slice name;
    symbol *value;
} member;

struct symbol {
    symbol_kind kind;
    member *members;        /* OBJECT */
    const dg_op *collision; /* OBJECT: an ADD found its name taken */
    dg_slice text;          /* TEXT, and what is still to be done to it */
    dg_items items;
    int32_t void_at;
    const dg_op *op; /* REFUSED */
    const char *message;
};

typedef struct builder {
    dg_lexicon *lex;
    dg_arena arena;
    dg_items sequence; /* with its lenses written out; notes: the index in the node's sequence */
    int64_t cut;       /* -1, or the index in `sequence` where it is to be cut */
    int64_t at;        /* where in `sequence` we are */
    dg_items local, rest;
    const dg_op *select;
    int32_t fork; /* at which fork the hole goes, or -1 */
    uint32_t fork_count;
    unsigned steps, nesting;
    symbol *symbols[64]; /* TEXT symbols, whose items must be freed */
    size_t symbol_count;
    dg_status status;
} builder;

static const char *const EXPANDS = "a lens applies itself to the same value, without end";

static void stop(builder *b, dg_status status, const char *message, const dg_op *op)
{
    if (b->status != DG_OK)
        return;
    b->status = status;
    b->lex->status = status;
    b->lex->message = message;
    b->lex->op = op;
}

static void *take(builder *b, size_t bytes)
{
    void *p = dg_arena_zalloc(&b->arena, bytes);
    if (!p)
        stop(b, DG_NOMEM, "out of memory", NULL);
    return p;
}

static symbol *new_symbol(builder *b, symbol_kind kind)
{
    symbol *s = take(b, sizeof *s);
    if (s)
        s->kind = kind;
    return s;
}

static symbol *new_text(builder *b, const dg_op *op)
{
    if (b->symbol_count == sizeof b->symbols / sizeof *b->symbols) {
        stop(b, DG_LIMIT, "too many values are added around one value", op);
        return NULL;
    }
    symbol *s = new_symbol(b, TEXT);
    if (s) {
        s->text = op->value;
        s->op = op;
        b->symbols[b->symbol_count++] = s;
    }
    return s;
}

static void refuse(symbol *s, const dg_op *op, const char *message)
{
    s->kind = REFUSED;
    s->op = op;
    s->message = message;
}

static void append_member(builder *b, symbol *object, dg_slice name, symbol *value)
{
    member *m = value ? take(b, sizeof *m) : NULL;
    if (!m)
        return;
    *m = (member){NULL, name, value};
    member **at = &object->members;
    while (*at)
        at = &(*at)->next;
    *at = m;
}

static size_t count_members(const symbol *object, dg_slice name)
{
    size_t count = 0;
    for (const member *m = object->members; m; m = m->next)
        count += dg_slice_eq(m->name, name);
    return count;
}

static bool excepted(const dg_op *op, dg_slice name)
{
    for (size_t i = 0; i < op->name_count; i++)
        if (dg_slice_eq(op->names[i], name))
            return true;
    return false;
}

static symbol *apply(builder *b, symbol *s, dg_item item, int32_t index);

static symbol *apply_list(builder *b, symbol *s, const dg_ops *list)
{
    if (++b->nesting > DG_JSON_DEPTH_MAX)
        stop(b, DG_INVALID, EXPANDS, NULL);
    for (size_t i = 0; list && i < list->count && s && b->status == DG_OK; i++)
        s = apply(b, s, dg_item_of(&list->items[i], DG_ITEM_OP), -1);
    b->nesting--;
    return s;
}

static symbol *wrap(builder *b, symbol *s, const dg_op *op)
{
    symbol *object = new_symbol(b, OBJECT);
    if (object)
        append_member(b, object, op->name, s);
    return object;
}

static symbol *apply_to_hole(builder *b, symbol *s, dg_item item, int32_t index)
{
    const dg_op *op = dg_item_op(item);
    bool is_op = dg_item_tag(item) == DG_ITEM_OP;
    if (is_op && op->kind == DG_OP_WRAP)
        return wrap(b, s, op);
    if (is_op && op->kind == DG_OP_UNWRAP && !b->select) {
        b->select = op;
        return s;
    }
    dg_items *to = b->select ? &b->rest : &b->local;
    /* CASE twice in a row is CASE once. */
    if (is_op && op->kind == DG_OP_CASE && to->count && to->at[to->count - 1] == item)
        return s;
    dg_items_add(to, item, index);
    if (to->status != DG_OK)
        stop(b, to->status, "too many operations on one value", op);
    return s;
}

/* What may let a member's symbol inside a made object go: true if it does. */
static bool goes_if(builder *b, symbol *s, const dg_op *op, unsigned tag)
{
    if (s->kind == OBJECT)
        return tag == DG_ITEM_IF_EMPTY && !s->members && !s->collision;
    dg_item item = dg_item_of(op, tag);
    if (s->kind == HOLE) {
        uint32_t fork = b->fork_count++;
        if (fork >= DG_NODE_FORKS_MAX)
            stop(b, DG_LIMIT, "too many drops depend on one value", op);
        if ((int32_t)fork == b->fork)
            return true;
        apply_to_hole(b, s, item, -1 - (int32_t)fork);
        return false;
    }
    if (s->kind != TEXT)
        return false;
    dg_items_add(&s->items, item, 0);
    dg_result result = {0};
    dg_status status = s->items.status;
    if (status == DG_OK)
        status = dg_evaluate(b->lex, s->items.at, s->items.count, s->text, &result);
    if (status != DG_OK)
        stop(b, status, b->lex->message, op);
    else
        s->items.count--;
    return result.kind == DG_RESULT_VOID;
}

static void drop_members(builder *b, symbol *s, const dg_op *op)
{
    for (member **at = &s->members; *at;) {
        bool goes = dg_slice_eq((*at)->name, op->name);
        if (goes && (op->if_empty || op->when_null))
            goes = (op->if_empty && goes_if(b, (*at)->value, op, DG_ITEM_IF_EMPTY)) ||
                   (op->when_null && goes_if(b, (*at)->value, op, DG_ITEM_IF_NULL_VOID));
        if (goes)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

static void convert_names(builder *b, symbol *s, const dg_op *op)
{
    for (member *m = s->members; m && b->status == DG_OK; m = m->next) {
        if (excepted(op, m->name))
            continue;
        dg_buf name;
        dg_buf_init(&name, 0);
        dg_name_convert(m->name, op->case_from, op->case_to, &name);
        dg_slice kept = dg_arena_dup(&b->arena, dg_buf_slice(&name));
        if (name.status != DG_OK || dg_arena_failed(&b->arena))
            stop(b, DG_NOMEM, "out of memory", NULL);
        m->name = kept;
        dg_buf_free(&name);
        m->value = apply(b, m->value, dg_item_of(op, DG_ITEM_OP), -1);
    }
}

static symbol *unwrap(symbol *s, const dg_op *op)
{
    if (s->collision)
        refuse(s, s->collision, "a member of that name is there already");
    else if (count_members(s, op->name) != 1)
        refuse(s, op, "the member to unwrap is missing");
    else
        for (member *m = s->members; m; m = m->next)
            if (dg_slice_eq(m->name, op->name))
                return m->value;
    return s;
}

static void add_member(builder *b, symbol *s, const dg_op *op)
{
    if (count_members(s, op->name) == 0) {
        append_member(b, s, op->name, new_text(b, op));
        return;
    }
    if (op->kind == DG_OP_ADD && !s->collision)
        s->collision = op;
    if (op->kind == DG_OP_DEFAULT && op->when_null)
        for (member *m = s->members; m; m = m->next)
            if (m->value && dg_slice_eq(m->name, op->name))
                m->value = apply(b, m->value, dg_item_of(op, DG_ITEM_IF_NULL), -1);
}

static void apply_to_members(builder *b, symbol *s, const dg_op *op)
{
    for (member *m = s->members; m && b->status == DG_OK; m = m->next)
        if (op->kind == DG_OP_MEMBERS || dg_slice_eq(m->name, op->name))
            m->value = apply_list(b, m->value, op->body);
}

/* An op on scalars. */
static symbol *replace_object(builder *b, symbol *s, const dg_op *op)
{
    if (!dg_op_settles(op))
        return s;
    if (op->unknown == DG_UNKNOWN_REJECT)
        refuse(s, op, dg_op_expects(op));
    return op->unknown == DG_UNKNOWN_DEFAULT ? new_text(b, op) : s;
}

static symbol *apply_to_object(builder *b, symbol *s, const dg_op *op)
{
    if (dg_op_is_scalar(op))
        return replace_object(b, s, op);
    if (dg_op_is_whole(op)) {
        if (b->fork >= 0)
            stop(b, DG_INVALID, "needs its value whole where it is not there", op);
        b->cut = b->at;
        return s;
    }
    switch (op->kind) {
    case DG_OP_CASE:
        convert_names(b, s, op);
        break;
    case DG_OP_RENAME:
        for (member *m = s->members; m; m = m->next)
            if (dg_slice_eq(m->name, op->name))
                m->name = op->to;
        break;
    case DG_OP_DROP:
        drop_members(b, s, op);
        break;
    case DG_OP_ADD:
    case DG_OP_DEFAULT:
        add_member(b, s, op);
        break;
    case DG_OP_WRAP:
        return wrap(b, s, op);
    case DG_OP_UNWRAP:
        return unwrap(s, op);
    case DG_OP_IN:
    case DG_OP_MEMBERS:
        apply_to_members(b, s, op);
        break;
    case DG_OP_EACH:
        refuse(s, op, "expected an array, found an object");
        break;
    default: /* lists are written out, the others are handled above */
        break;
    }
    return s;
}

/* Carries out one item on a symbol; `index` is its place in the node's sequence, -1 for what came
 * out of a body. Returns the symbol that stands in its place, NULL after a failure. */
static symbol *apply(builder *b, symbol *s, dg_item item, int32_t index)
{
    const dg_op *op = dg_item_op(item);
    unsigned tag = dg_item_tag(item);
    if (++b->steps > DG_EXPANSION_MAX)
        stop(b, DG_INVALID, EXPANDS, op);
    if (!s || b->status != DG_OK)
        return NULL;
    if (b->cut >= 0)
        return s;
    if (tag == DG_ITEM_OP && dg_op_is_list(op))
        return apply_list(b, s, op->body);
    switch (s->kind) {
    case HOLE:
        return apply_to_hole(b, s, item, index);
    case TEXT:
        if (!dg_item_voids(item)) {
            dg_items_add(&s->items, item, 0);
            if (s->items.status != DG_OK)
                stop(b, s->items.status, "too many operations on one value", op);
        } else if (goes_if(b, s, op, tag)) {
            s->kind = VOID;
            s->void_at = index;
        }
        return s;
    case OBJECT:
        if (tag == DG_ITEM_OP)
            return apply_to_object(b, s, op);
        if (tag == DG_ITEM_IF_EMPTY && !s->members && !s->collision) {
            s->kind = VOID;
            s->void_at = index;
        }
        return s;
    case VOID:
    case REFUSED:
        break;
    }
    return s;
}

/* The finished text of a symbol, the hole's place in *hole_at (untouched if there is none). False:
 * refused, with the reason in *why, or failed (b->status). */
static bool print(builder *b, const symbol *s, dg_buf *out, size_t *hole_at, dg_result *why)
{
    dg_result result = {0};
    dg_status status;
    switch (s->kind) {
    case HOLE:
        *hole_at = out->len;
        return true;
    case TEXT:
        status = dg_evaluate(b->lex, s->items.at, s->items.count, s->text, &result);
        if (status != DG_OK) {
            stop(b, status, b->lex->message, s->op);
            return false;
        }
        *why = result;
        dg_buf_add(out, result.text);
        return result.kind == DG_RESULT_TEXT;
    case OBJECT:
        why->op = s->collision;
        why->message = "two members would have the same name";
        if (s->collision)
            return false;
        dg_buf_add_char(out, '{');
        for (const member *m = s->members; m; m = m->next) {
            if (count_members(s, m->name) > 1)
                return false;
            if (m != s->members)
                dg_buf_add_char(out, ',');
            dg_name_encode(m->name, out);
            dg_buf_add_char(out, ':');
            if (!print(b, m->value, out, hole_at, why))
                return false;
        }
        dg_buf_add_char(out, '}');
        return true;
    case VOID:
    case REFUSED:
        why->op = s->op;
        why->message = s->message;
        return false;
    }
    return false;
}

static void *take_kept(builder *b, size_t bytes)
{
    void *p = dg_arena_zalloc(&b->lex->arena, bytes);
    if (!p)
        stop(b, DG_NOMEM, "out of memory", NULL);
    return p;
}

static dg_slice keep(builder *b, dg_slice text)
{
    char *copy = take_kept(b, text.len + DG_JSON_PADDING);
    if (copy && text.len)
        memcpy(copy, text.ptr, text.len);
    return (dg_slice){copy, copy ? text.len : 0};
}

/* Text, void or refused: the outcome when the hole is gone. */
static dg_result settle(builder *b, const symbol *root, dg_buf *text, const dg_result *why, bool ok)
{
    dg_result result = {.kind = DG_RESULT_REFUSED, .op = why->op, .message = why->message};
    if (root->kind == VOID)
        result = (dg_result){.kind = DG_RESULT_VOID, .void_at = root->void_at};
    else if (ok)
        result = (dg_result){.kind = DG_RESULT_TEXT, .text = keep(b, dg_buf_slice(text))};
    return result;
}

/* The node around the hole: what is pending on it, and the texts before and after it. */
static void finish_hole(builder *b, dg_node *node, dg_slice text, size_t hole_at)
{
    uint32_t cut = 0;
    node->prefix = keep(b, dg_slice_until(text, hole_at));
    node->suffix = keep(b, dg_slice_from(text, hole_at));
    node->select = b->select;
    node->fork_count = b->fork_count;
    node->forks = take_kept(b, (b->fork_count + 1) * sizeof *node->forks);
    while (cut < b->local.count && !dg_item_is_whole(b->local.at[cut]))
        cut++;
    if (b->status != DG_OK)
        return;
    bool whole = cut < b->local.count;
    if (!dg_items_keep(b->lex, &b->rest, &node->rest) ||
        (!whole && !dg_items_keep(b->lex, &b->local, &node->local)))
        stop(b, DG_NOMEM, "out of memory", NULL);
    else if (whole)
        b->status = dg_node_cut(b->lex, node, &b->local, cut);
    else
        b->status = dg_node_survey(b->lex, node);
}

static void finish(builder *b, dg_node *node, const symbol *root, dg_result *ret_fork)
{
    dg_buf text;
    dg_buf_init(&text, 0);
    dg_result why = {0};
    size_t hole_at = SIZE_MAX;
    bool ok = print(b, root, &text, &hole_at, &why);
    if (text.status != DG_OK)
        stop(b, text.status, "out of memory", NULL);
    if (b->status != DG_OK) {
        dg_buf_free(&text);
        return;
    }
    if (ret_fork) {
        *ret_fork = settle(b, root, &text, &why, ok && hole_at == SIZE_MAX);
    } else if (!ok || hole_at == SIZE_MAX) {
        node->result = settle(b, root, &text, &why, ok);
        node->mode = DG_NODE_CONSTANT;
    } else if (root->kind == HOLE && b->local.count == 0 && !b->select) {
        node->mode = DG_NODE_COPY;
        node->passes_scalars = true;
    } else {
        finish_hole(b, node, dg_buf_slice(&text), hole_at);
    }
    dg_buf_free(&text);
}

/* Writes out the lenses of a list at its own level. */
static void write_out(builder *b, dg_item item, int32_t index)
{
    const dg_op *op = dg_item_op(item);
    if (++b->steps > DG_EXPANSION_MAX)
        stop(b, DG_INVALID, EXPANDS, op);
    if (b->status != DG_OK)
        return;
    if (dg_item_tag(item) != DG_ITEM_OP || !dg_op_is_list(op)) {
        dg_items_add(&b->sequence, item, index);
        if (b->sequence.status != DG_OK)
            stop(b, b->sequence.status, "too many operations on one value", op);
        return;
    }
    if (++b->nesting > DG_JSON_DEPTH_MAX)
        stop(b, DG_INVALID, EXPANDS, op);
    for (size_t i = 0; op->body && i < op->body->count && b->status == DG_OK; i++)
        write_out(b, dg_item_of(&op->body->items[i], DG_ITEM_OP), -1);
    b->nesting--;
}

dg_status dg_symbol_build(dg_lexicon *lex, dg_node *node, int32_t fork, dg_result *ret_fork)
{
    builder b = {.lex = lex, .fork = fork, .cut = -1};
    dg_arena_init(&b.arena, 0);
    symbol *root = new_symbol(&b, HOLE);
    for (uint32_t i = 0; i < node->item_count && b.status == DG_OK; i++)
        write_out(&b, node->items[i], (int32_t)i);
    for (b.at = 0; b.at < b.sequence.count && root && b.cut < 0 && b.status == DG_OK; b.at++)
        root = apply(&b, root, b.sequence.at[b.at], b.sequence.notes[b.at]);
    if (b.status == DG_OK && b.cut >= 0)
        b.status = dg_node_cut(lex, node, &b.sequence, (uint32_t)b.cut);
    else if (root && b.status == DG_OK)
        finish(&b, node, root, ret_fork);
    for (size_t i = 0; i < b.symbol_count; i++)
        dg_items_free(&b.symbols[i]->items);
    dg_items_free(&b.sequence);
    dg_items_free(&b.local);
    dg_items_free(&b.rest);
    dg_arena_free(&b.arena);
    return b.status;
}
