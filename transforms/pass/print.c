/* A program as a person can read it: what becomes of each member that some op names, of the others,
 * of scalars, and in which stages. It is what the nodes know, and not the list of ops, that is
 * printed. */
#include <stdlib.h>

#include "base/hash.h"
#include "transforms/pass/describe.h"
#include "transforms/pass/lexicon.h"
#include "transforms/name.h"

enum { PRINTED_NODES_MAX = 256, NAMES_MAX = 512, DEPTH_MAX = 64, PATH_MAX = 512 };

/* A name that no op names. */
static const dg_slice ANY = {"\x01", 1};

typedef struct printer {
    dg_lexicon lex;
    dg_scratch scratch;
    dg_arena arena;
    dg_buf *out;
    dg_node *nodes[PRINTED_NODES_MAX]; /* printed, or being printed */
    const char *labels[PRINTED_NODES_MAX];
    size_t node_count;
    unsigned depth;
    dg_status status;
} printer;

/* What a node does to one name. */
typedef struct effect {
    dg_slice in, out; /* JSON text, without quotes */
    const dg_op *drop, *collision;
    bool selected;
    dg_node *child;
} effect;

static void print_node(printer *p, dg_node *node, const char *label);

static void stop(printer *p, dg_status status)
{
    if (p->status == DG_OK)
        p->status = status;
}

static void begin_line(printer *p)
{
    for (unsigned i = 0; i < p->depth; i++)
        dg_buf_add_str(p->out, "  ");
}

static void end_line(printer *p, const dg_op *op)
{
    if (op)
        dg_describe_origin(op->origin, p->out);
    dg_buf_add_char(p->out, '\n');
}

static bool same_items(const dg_items *a, const dg_items *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->at, b->at, a->count * sizeof *a->at) == 0);
}

/* Sequences that differ in how lenses are named may come to the same. */
static bool does_the_same(const dg_node *a, const dg_node *b)
{
    if (a == b)
        return true;
    return a->mode == DG_NODE_STREAM && b->mode == DG_NODE_STREAM && a->select == b->select &&
           dg_slice_eq(a->prefix, b->prefix) && dg_slice_eq(a->suffix, b->suffix) &&
           same_items(&a->local, &b->local) && same_items(&a->rest, &b->rest);
}

static const char *label_of(const printer *p, const dg_node *node)
{
    for (size_t i = 0; i < p->node_count; i++)
        if (does_the_same(p->nodes[i], node))
            return p->labels[i];
    return NULL;
}

/* Ends a line whose value is run by `node`, and prints that below. */
static void follow(printer *p, dg_node *node, const char *label, const dg_op *op)
{
    if (!node) {
        stop(p, p->lex.status);
        return;
    }
    const char *known = label_of(p, node);
    bool more = p->depth < DEPTH_MAX && p->node_count < PRINTED_NODES_MAX && label;
    if (known)
        dg_buf_printf(p->out, ": as %s", known);
    else if (node->mode != DG_NODE_COPY && !more)
        dg_buf_add_str(p->out, ": ...");
    end_line(p, op);
    if (known || !more || node->mode == DG_NODE_COPY)
        return;
    p->depth++;
    print_node(p, node, label);
    p->depth--;
}

static const char *below(printer *p, const char *label, dg_slice name)
{
    if (strlen(label) + name.len > PATH_MAX)
        return NULL;
    return dg_arena_printf(&p->arena, "%s.%.*s", label, DG_SLICE_FMT(name));
}

/* ---- names */

static bool work_out(printer *p, dg_node *node, dg_slice name, effect *ret_effect)
{
    dg_key spare, *key = NULL;
    dg_buf text;
    dg_buf_init(&text, 0);
    dg_name_encode(name, &text);
    if (text.status == DG_OK) {
        dg_slice raw = dg_slice_of(text.ptr + 1, text.len - 2);
        key = dg_lexicon_key(&p->lex, node, raw, dg_hash(raw, p->lex.seed), &spare);
        stop(p, key ? DG_OK : p->lex.status);
    } else {
        stop(p, DG_NOMEM);
    }
    if (key) {
        const dg_items *local = &node->local;
        *ret_effect = (effect){
            .in = dg_arena_dup(&p->arena, dg_slice_of(text.ptr + 1, text.len - 2)),
            .out = dg_arena_dup(&p->arena, dg_slice_of(key->token.ptr + 1, key->token.len - 3)),
            .selected = key->selected};
        if (key->death != DG_NEVER)
            ret_effect->drop = dg_item_op(local->at[key->death]);
        else if (key->collision != DG_NEVER)
            ret_effect->collision = dg_item_op(local->at[key->collision]);
        else if (!(ret_effect->child = dg_lexicon_child(&p->lex, key)))
            stop(p, p->lex.status);
    }
    dg_buf_free(&text);
    return p->status == DG_OK;
}

/* The name as the node's CASE ops alone would have it. */
static bool only_converted(printer *p, const dg_node *node, dg_slice name, dg_slice out)
{
    dg_buf from, to;
    dg_buf_init(&from, 0);
    dg_buf_init(&to, 0);
    dg_buf_add(&from, name);
    for (uint32_t i = 0; i < node->local.count; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        if (dg_item_tag(node->local.at[i]) != DG_ITEM_OP || op->kind != DG_OP_CASE)
            continue;
        dg_buf_clear(&to);
        dg_name_convert(dg_buf_slice(&from), op->case_from, op->case_to, &to);
        dg_buf swap = from;
        from = to;
        to = swap;
    }
    dg_buf_clear(&to);
    dg_name_encode(dg_buf_slice(&from), &to);
    bool same = to.status == DG_OK && dg_slice_eq(dg_slice_of(to.ptr + 1, to.len - 2), out);
    if (from.status != DG_OK || to.status != DG_OK)
        stop(p, DG_NOMEM);
    dg_buf_free(&from);
    dg_buf_free(&to);
    return same;
}

static void print_effect(printer *p, dg_node *node, dg_slice name, const effect *any,
                         const char *label)
{
    effect e = {.child = NULL};
    if (!work_out(p, node, name, &e))
        return;
    if (node->select && !e.selected && !e.collision)
        return;
    bool like_any =
        !e.drop == !any->drop && !e.collision == !any->collision && e.child == any->child;
    if (!node->select && like_any && only_converted(p, node, name, e.out))
        return;
    begin_line(p);
    dg_buf_printf(p->out, ".%.*s", DG_SLICE_FMT(e.in));
    if (e.drop || e.collision) {
        dg_buf_add_str(p->out,
                       e.drop ? ": dropped" : ": refused, as its name is taken by what is added");
        end_line(p, e.drop ? e.drop : e.collision);
        return;
    }
    if (e.selected)
        dg_buf_add_str(p->out, ": takes the place of the object");
    else if (!dg_slice_eq(e.in, e.out))
        dg_buf_printf(p->out, " -> %.*s", DG_SLICE_FMT(e.out));
    else if (e.child && e.child->mode == DG_NODE_COPY)
        dg_buf_add_str(p->out, ": as it is");
    follow(p, e.child, below(p, label, e.in), e.selected ? node->select : NULL);
}

typedef struct names {
    dg_slice at[NAMES_MAX];
    size_t count;
} names;

static void add_name(printer *p, names *n, dg_slice name)
{
    for (size_t i = 0; i < n->count; i++)
        if (dg_slice_eq(n->at[i], name))
            return;
    if (n->count == NAMES_MAX)
        return;
    n->at[n->count] = dg_arena_dup(&p->arena, name);
    if (dg_arena_failed(&p->arena))
        stop(p, DG_NOMEM);
    else
        n->count++;
}

/* A name that an op at `at` looks for, and what may have come in to be called so by then. */
static void add_spellings(printer *p, names *n, const dg_node *node, dg_slice name, uint32_t at)
{
    dg_buf from, to;
    dg_buf_init(&from, 0);
    dg_buf_init(&to, 0);
    dg_buf_add(&from, name);
    add_name(p, n, name);
    while (at-- > 0) {
        const dg_op *op = dg_item_op(node->local.at[at]);
        if (dg_item_tag(node->local.at[at]) != DG_ITEM_OP || op->kind != DG_OP_CASE)
            continue;
        dg_buf_clear(&to);
        dg_name_convert(dg_buf_slice(&from), op->case_to, op->case_from, &to);
        dg_buf swap = from;
        from = to;
        to = swap;
        add_name(p, n, dg_buf_slice(&from));
    }
    if (from.status != DG_OK || to.status != DG_OK)
        stop(p, DG_NOMEM);
    dg_buf_free(&from);
    dg_buf_free(&to);
}

static void collect(printer *p, names *n, const dg_node *node)
{
    for (uint32_t i = 0; i < node->local.count; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        if (dg_item_tag(node->local.at[i]) != DG_ITEM_OP || dg_op_is_scalar(op))
            continue;
        for (size_t k = 0; op->kind == DG_OP_CASE && k < op->name_count; k++)
            add_spellings(p, n, node, op->names[k], i);
        if (op->kind != DG_OP_CASE && op->kind != DG_OP_EACH && op->kind != DG_OP_MEMBERS)
            add_spellings(p, n, node, op->name, i);
    }
    if (node->select)
        add_spellings(p, n, node, node->select->name, node->local.count);
}

/* ---- nodes */

/* What local items say of the value itself, and of all names. */
static void print_items(printer *p, const dg_node *node)
{
    const dg_op *last = NULL;
    for (uint32_t i = 0; i < node->local.count; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        unsigned tag = dg_item_tag(node->local.at[i]);
        bool named = tag == DG_ITEM_OP && !dg_op_is_scalar(op) && op->kind != DG_OP_CASE;
        if (named || op == last)
            continue;
        begin_line(p);
        if (tag == DG_ITEM_IF_NULL)
            dg_buf_printf(p->out, "if null: becomes %.*s", DG_SLICE_FMT(op->value));
        else if (tag != DG_ITEM_OP)
            dg_buf_printf(p->out, "if %s: dropped", tag == DG_ITEM_IF_EMPTY ? "{}" : "null");
        else if (op->kind == DG_OP_CASE)
            dg_buf_add_str(p->out, "all other names: ");
        if (tag == DG_ITEM_OP && op->kind == DG_OP_CASE)
            dg_describe_naming(op, p->out);
        else if (tag == DG_ITEM_OP)
            dg_describe_op(op, p->out);
        end_line(p, op);
        last = op->kind == DG_OP_CASE ? op : NULL;
    }
}

static void print_constants(printer *p, dg_node *node)
{
    for (uint32_t i = 0; i < node->constant_count && p->status == DG_OK; i++) {
        dg_constant *c = &node->constants[i];
        const dg_key *key = c->key;
        if (key->death != DG_NEVER || key->collision != DG_NEVER ||
            (node->select && !key->selected))
            continue;
        stop(p, dg_constant_value(&p->lex, c));
        if (p->status != DG_OK || c->value.kind != DG_RESULT_TEXT)
            continue;
        begin_line(p);
        dg_buf_printf(p->out, "+ %.*s: %.*s", (int)(key->token.len - 3), key->token.ptr + 1,
                      DG_SLICE_FMT(c->value.text));
        if (c->op->kind == DG_OP_DEFAULT)
            dg_buf_add_str(p->out, c->op->when_null ? ", if absent or null" : ", if absent");
        end_line(p, c->op);
    }
}

static void print_members(printer *p, dg_node *node, const char *label)
{
    effect any;
    names *n = calloc(1, sizeof *n);
    if (!n)
        stop(p, DG_NOMEM);
    else if (work_out(p, node, ANY, &any)) {
        if (any.child && any.child->mode != DG_NODE_COPY && !node->select) {
            begin_line(p);
            dg_buf_add_str(p->out, ".*");
            follow(p, any.child, below(p, label, DG_SLICE("*")), NULL);
        }
        collect(p, n, node);
        for (size_t i = 0; i < n->count && p->status == DG_OK; i++)
            print_effect(p, node, n->at[i], &any, label);
    }
    free(n);
}

static void print_elements(printer *p, dg_node *node, const char *label)
{
    dg_node *element = dg_lexicon_element(&p->lex, node);
    stop(p, element ? DG_OK : p->lex.status);
    if (!element || element->mode == DG_NODE_COPY)
        return;
    begin_line(p);
    dg_buf_add_str(p->out, "[]");
    bool fits = strlen(label) < PATH_MAX;
    follow(p, element, fits ? dg_arena_printf(&p->arena, "%s[]", label) : NULL, NULL);
}

static void print_stream(printer *p, dg_node *node, const char *label)
{
    print_items(p, node);
    if (p->status == DG_OK && node->local.count + (node->select != NULL) > 0)
        print_members(p, node, label);
    if (p->status == DG_OK)
        print_constants(p, node);
    if (p->status == DG_OK && !node->select)
        print_elements(p, node, label);
}

static void print_stages(printer *p, dg_node *node, const char *label)
{
    const dg_stages *stages = node->stages;
    const dg_op *choice = stages->choice;
    dg_node *before = dg_lexicon_before(&p->lex, node);
    stop(p, before ? DG_OK : p->lex.status);
    if (!before || p->status != DG_OK)
        return;
    if (before->mode != DG_NODE_COPY) {
        begin_line(p);
        dg_buf_add_str(p->out, "first");
        follow(p, before, dg_arena_printf(&p->arena, "%s (first)", label), NULL);
    }
    for (uint32_t i = 0; i < stages->op_count; i++) {
        begin_line(p);
        dg_buf_add_str(p->out, "whole: ");
        dg_describe_op(stages->ops[i], p->out);
        end_line(p, stages->ops[i]);
    }
    for (size_t i = 0; i <= (choice ? choice->case_count : 0) && p->status == DG_OK; i++) {
        dg_node *after = dg_lexicon_after(&p->lex, node, i);
        stop(p, after ? DG_OK : p->lex.status);
        if (!after || (after->mode == DG_NODE_COPY && !choice))
            continue;
        begin_line(p);
        if (choice && i < choice->case_count) {
            dg_buf_add_str(p->out, "if ");
            dg_describe_test(choice->cases[i].test, p->out);
        } else {
            dg_buf_add_str(p->out, choice ? "else" : "then");
        }
        follow(p, after, dg_arena_printf(&p->arena, "%s (case %zu)", label, i + 1), choice);
    }
}

static void print_node(printer *p, dg_node *node, const char *label)
{
    if (!label) {
        stop(p, DG_NOMEM);
        return;
    }
    p->nodes[p->node_count] = node;
    p->labels[p->node_count++] = label;
    if (node->mode == DG_NODE_CONSTANT) {
        begin_line(p);
        if (node->result.kind == DG_RESULT_TEXT)
            dg_buf_printf(p->out, "becomes %.*s", DG_SLICE_FMT(node->result.text));
        else
            dg_buf_printf(p->out, "refused: %s",
                          node->result.kind == DG_RESULT_VOID ? "it goes" : node->result.message);
        end_line(p, node->result.op);
        return;
    }
    if (node->prefix.len + node->suffix.len) {
        begin_line(p);
        dg_buf_printf(p->out, "put into %.*s...%.*s", DG_SLICE_FMT(node->prefix),
                      DG_SLICE_FMT(node->suffix));
        end_line(p, NULL);
    }
    if (node->mode == DG_NODE_STAGED)
        print_stages(p, node, label);
    else
        print_stream(p, node, label);
}

dg_status dg_program_print(const dg_program *program, dg_buf *out)
{
    if (program->identity) {
        dg_buf_add_str(out, "$: as it is\n");
        return out->status;
    }
    printer *p = calloc(1, sizeof *p);
    if (!p)
        return DG_NOMEM;
    p->out = out;
    dg_arena_init(&p->arena, 0);
    dg_scratch_init(&p->scratch);
    dg_lexicon_init(&p->lex, program, &p->scratch);
    dg_node *root = dg_lexicon_node(&p->lex, program->items, program->item_count);
    dg_buf_add_str(out, "$");
    follow(p, root, "$", NULL);
    dg_status status = p->status != DG_OK ? p->status : out->status;
    if (status == DG_OK && dg_arena_failed(&p->arena))
        status = DG_NOMEM;
    dg_lexicon_free(&p->lex);
    dg_scratch_free(&p->scratch);
    dg_arena_free(&p->arena);
    free(p);
    return status;
}
