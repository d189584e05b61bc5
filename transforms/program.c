/* Compiling: the lists are checked, joined into one sequence, and tried out on the names that they
 * mention. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "transforms/lexicon.h"
#include "transforms/name.h"

enum { LISTS_MAX = 4096, TRIED_NODES_MAX = 256 };

typedef struct checker {
    const dg_ops *seen[LISTS_MAX];
    size_t seen_count;
    dg_diags *diags;
    bool failed; /* out of memory */
    bool wrong;
} checker;

#define COMPLAIN(c, op, ...)                                                                       \
    do {                                                                                           \
        (c)->wrong = true;                                                                         \
        dg_diags_add((c)->diags, DG_ERROR, (op)->origin, __VA_ARGS__);                             \
    } while (0)

/* Whether `text` is one JSON value; a scalar without white space around it, if `scalar`. */
static bool is_json(checker *c, dg_slice text, bool scalar)
{
    static const char padding[DG_JSON_PADDING];
    dg_buf copy;
    dg_buf_init(&copy, 0);
    dg_buf_add(&copy, text);
    dg_buf_add(&copy, dg_slice_of(padding, sizeof padding));
    bool ok = false;
    if (copy.status == DG_OK) {
        dg_scan s = {.end = copy.ptr + text.len};
        const char *p = scalar ? copy.ptr : dg_scan_space(&s, copy.ptr);
        bool begins = text.len && !(scalar && (*p == '{' || *p == '['));
        p = begins ? dg_scan_value(&s, p, 0) : NULL;
        if (p && !scalar)
            p = dg_scan_space(&s, p);
        ok = p == s.end && !dg_utf8_fault(copy.ptr, s.end);
    } else {
        c->failed = true;
    }
    dg_buf_free(&copy);
    return ok;
}

static void check_list(checker *c, const dg_ops *list);

static void check_op(checker *c, const dg_op *op)
{
    bool adds = op->kind == DG_OP_ADD || op->kind == DG_OP_DEFAULT;
    bool holds = op->kind == DG_OP_IN || op->kind == DG_OP_EACH || op->kind == DG_OP_LENS;
    bool replaces = op->kind == DG_OP_VALUES && op->unknown == DG_UNKNOWN_DEFAULT;
    if ((adds || replaces) && !is_json(c, op->value, false))
        COMPLAIN(c, op, "%s: the value is no JSON: %.*s", dg_op_word(op->kind),
                 DG_SLICE_FMT(op->value));
    if (dg_utf8_fault(op->name.ptr, op->name.ptr + op->name.len) ||
        dg_utf8_fault(op->to.ptr, op->to.ptr + op->to.len))
        COMPLAIN(c, op, "%s: the name is no UTF-8", dg_op_word(op->kind));
    for (size_t i = 0; op->kind == DG_OP_VALUES && i < op->pair_count; i++) {
        if (!is_json(c, op->pairs[i].from, true) || !is_json(c, op->pairs[i].to, true))
            COMPLAIN(c, op, "values: a row that is not two JSON scalars: %.*s: %.*s",
                     DG_SLICE_FMT(op->pairs[i].from), DG_SLICE_FMT(op->pairs[i].to));
    }
    if (holds && !op->body)
        COMPLAIN(c, op, "%s: nothing to apply", dg_op_word(op->kind));
    else if (holds)
        check_list(c, op->body);
}

static void check_list(checker *c, const dg_ops *list)
{
    for (size_t i = 0; i < c->seen_count; i++)
        if (c->seen[i] == list)
            return;
    if (c->seen_count == LISTS_MAX) {
        c->wrong = true;
        dg_diags_add(c->diags, DG_ERROR, (dg_origin){0}, "more than %d op lists in one program",
                     (int)LISTS_MAX);
        return;
    }
    c->seen[c->seen_count++] = list;
    for (size_t i = 0; i < list->count; i++)
        check_op(c, &list->items[i]);
}

/* Whether a list does nothing, ever; false when `budget` lists do not suffice to find out. */
static bool does_nothing(const dg_ops *list, unsigned *budget)
{
    if (*budget == 0)
        return false;
    --*budget;
    for (size_t i = 0; i < list->count; i++) {
        const dg_op *op = &list->items[i];
        bool holds = op->kind == DG_OP_IN || op->kind == DG_OP_EACH || op->kind == DG_OP_LENS;
        if (!holds || !does_nothing(op->body, budget))
            return false;
    }
    return true;
}

/* Trying a program out. */
typedef struct trial {
    checker *check;
    dg_lexicon *lex;
    dg_node *nodes[TRIED_NODES_MAX];
    size_t count;
    dg_status status;
} trial;

static void complain(trial *t, const dg_op *op, const dg_op *instead, const char *message)
{
    dg_origin nowhere = {0};
    if (!op)
        op = instead;
    t->check->wrong = true;
    dg_diags_add(t->check->diags, DG_ERROR, op ? op->origin : nowhere, "%s: %s",
                 op ? dg_op_word(op->kind) : "program", message ? message : "cannot apply");
}

static void try_node(trial *t, dg_node *node)
{
    if (!node) {
        /* Bounds are the message's business, unless it is the program that has no end. */
        t->status = t->lex->status;
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        if (t->nodes[i] == node)
            return;
    if (t->count < TRIED_NODES_MAX)
        t->nodes[t->count++] = node;
}

static void try_name(trial *t, dg_node *node, dg_slice name)
{
    dg_buf text;
    dg_buf_init(&text, 0);
    dg_name_encode(name, &text);
    dg_key spare, *key = NULL;
    if (text.status == DG_OK) {
        dg_slice raw = dg_slice_of(text.ptr + 1, text.len - 2);
        key = dg_lexicon_key(t->lex, node, raw, dg_hash(raw, t->lex->seed), &spare);
        t->status = key ? DG_OK : t->lex->status;
    } else {
        t->status = DG_NOMEM;
    }
    if (key && key->death == DG_NEVER && key->collision == DG_NEVER)
        try_node(t, dg_lexicon_child(t->lex, key));
    dg_buf_free(&text);
}

static void try_constants(trial *t, dg_node *node)
{
    for (uint32_t i = 0; i < node->constant_count && t->status == DG_OK; i++) {
        dg_constant *c = &node->constants[i];
        if (c->key->collision != DG_NEVER && c->op->kind == DG_OP_ADD && !c->key->has_voids) {
            complain(t, dg_item_op(node->local.at[c->key->collision]), c->op,
                     "adds a member that an earlier op has added already");
            continue;
        }
        if (c->key->death != DG_NEVER || (node->select && !c->key->selected))
            continue;
        t->status = dg_constant_value(t->lex, c);
        if (t->status == DG_OK && c->value.kind == DG_RESULT_REFUSED)
            complain(t, c->value.op, c->op, c->value.message);
    }
}

/* Follows every name that the node's ops mention. */
static void try_children(trial *t, dg_node *node)
{
    for (uint32_t i = 0; i < node->local.count && t->status == DG_OK; i++) {
        const dg_op *op = dg_item_op(node->local.at[i]);
        if (dg_item_tag(node->local.at[i]) != DG_ITEM_OP)
            continue;
        if (op->kind == DG_OP_EACH || op->kind == DG_OP_CASE)
            try_node(t, dg_lexicon_element(t->lex, node));
        else if (op->kind != DG_OP_VALUES)
            try_name(t, node, op->name);
        if (op->kind == DG_OP_RENAME && t->status == DG_OK)
            try_name(t, node, op->to);
    }
    if (node->select && t->status == DG_OK)
        try_name(t, node, node->select->name);
}

static dg_status try_out(checker *check, dg_program *program)
{
    dg_lexicon *lex = malloc(sizeof *lex);
    trial *t = calloc(1, sizeof *t);
    if (!lex || !t) {
        free(lex);
        free(t);
        return DG_NOMEM;
    }
    dg_lexicon_init(lex, program);
    t->check = check;
    t->lex = lex;
    dg_node *root = dg_lexicon_node(lex, program->items, program->item_count);
    program->streams = root && (dg_node_enters(root, '{') || dg_node_enters(root, '['));
    try_node(t, root);
    for (size_t i = 0; i < t->count && t->status == DG_OK; i++) {
        dg_node *node = t->nodes[i];
        if (node->mode == DG_NODE_CONSTANT && node->result.kind == DG_RESULT_REFUSED)
            complain(t, node->result.op, NULL, node->result.message);
        try_constants(t, node);
        if (t->status == DG_OK)
            try_children(t, node);
    }
    if (t->status == DG_INVALID || (t->status == DG_LIMIT && t->count == 0))
        complain(t, lex->op, NULL, lex->message);
    dg_status status = t->status == DG_NOMEM ? DG_NOMEM : DG_OK;
    dg_lexicon_free(lex);
    free(lex);
    free(t);
    return status;
}

static dg_status join(const dg_ops *const *steps, size_t step_count, dg_program *program)
{
    size_t count = 0, at = 0;
    unsigned budget = LISTS_MAX;
    program->identity = program->streams = true;
    for (size_t i = 0; i < step_count; i++) {
        count += steps[i]->count;
        program->identity &= does_nothing(steps[i], &budget);
    }
    if (program->identity)
        return DG_OK;
    program->items = malloc((count + 1) * sizeof *program->items);
    if (!program->items)
        return DG_NOMEM;
    for (size_t i = 0; i < step_count; i++)
        for (size_t k = 0; k < steps[i]->count; k++)
            program->items[at++] = dg_item_of(&steps[i]->items[k], DG_ITEM_OP);
    program->item_count = (uint32_t)count;
    return DG_OK;
}

dg_status dg_program_compile(const dg_ops *const *steps, size_t step_count, dg_diags *diags,
                             dg_program **ret_program)
{
    static atomic_uint_fast64_t ids;
    size_t count = 0;
    checker *check = calloc(1, sizeof *check);
    dg_program *program = calloc(1, sizeof *program);
    dg_status status = check && program ? DG_OK : DG_NOMEM;
    if (status == DG_OK) {
        check->diags = diags;
        program->id = atomic_fetch_add(&ids, 1) + 1;
        for (size_t i = 0; i < step_count; i++) {
            check_list(check, steps[i]);
            count += steps[i]->count;
        }
        if (count > DG_SEQUENCE_MAX) {
            check->wrong = true;
            dg_diags_add(diags, DG_ERROR, (dg_origin){0}, "more than %d ops in one program",
                         (int)DG_SEQUENCE_MAX);
        }
        if (check->failed)
            status = DG_NOMEM;
        else if (check->wrong)
            status = DG_INVALID;
    }
    if (status == DG_OK)
        status = join(steps, step_count, program);
    if (status == DG_OK && !program->identity)
        status = try_out(check, program);
    if (status == DG_OK && check->wrong)
        status = DG_INVALID;
    free(check);
    if (status != DG_OK) {
        dg_program_free(program);
        return status;
    }
    *ret_program = program;
    return DG_OK;
}

void dg_program_free(dg_program *program)
{
    if (!program)
        return;
    free(program->items);
    free(program);
}

bool dg_program_is_identity(const dg_program *program)
{
    return program->identity;
}

bool dg_program_streams(const dg_program *program)
{
    return program->streams;
}
