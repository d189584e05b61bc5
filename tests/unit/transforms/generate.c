#include "generate.h"

#include "transforms/program.h"

uint32_t generate_number(generator *g, uint32_t below)
{
    /* xorshift64*: small, and the same everywhere. */
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return (uint32_t)((g->state * 0x2545F4914F6CDD1Du) >> 33) % below;
}

static const char *const NAMES[] = {"a", "b", "c", "d", "fooBar", "foo_bar", "idX", "id_x", "é\"q"};
static const char *const KEYS[] = {"a",
                                   "b",
                                   "c",
                                   "d",
                                   "fooBar",
                                   "foo_bar",
                                   "idX",
                                   "id_x",
                                   "é\\\"q",
                                   "\\u0061",
                                   "f\\u006foBar",
                                   "unknown_key",
                                   "z",
                                   "aLongNameThatFillsMoreThanOneBlockOfBytes"};
static const char *const SCALARS[] = {"null",
                                      "true",
                                      "1",
                                      "2",
                                      "-0.50E+7",
                                      "\"x\"",
                                      "\"y\"",
                                      "\"\\u0078\"",
                                      "12345678901234567890",
                                      "\"text \\\\ \\\" \\ud83d\\ude00 \\ud800\"",
                                      "\"\"",
                                      "\"a string that is longer than a block of bytes\""};
static const char *const CONSTANTS[] = {
    "null",          "1",    "\"x\"", "{}", "[]", "{\"a\":1}", "{\"fooBar\":{\"b\":null}}",
    "[{\"c\":2},3]", "\"y\""};
static const char *const OBJECTS[] = {"null", "1", "{}", "{\"a\":1,\"b\":{}}", "\"x\""};
#define TEXT(text)                                                                                 \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
#define PICK(g, list) list[generate_number(g, sizeof list / sizeof *list)]

static dg_slice name(generator *g)
{
    return dg_slice_str(PICK(g, NAMES));
}

static void fill_values(generator *g, dg_op *op)
{
    static const char *const texts[] = {"1", "2", "\"x\"", "\"y\"", "null", "true", "\"z\""};
    size_t count = 1 + generate_number(g, 4);
    dg_value_pair *pairs = dg_arena_alloc(g->arena, count * sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (dg_value_pair){dg_slice_str(PICK(g, texts)), dg_slice_str(PICK(g, texts))};
    op->pairs = pairs;
    op->pair_count = count;
    op->unknown = (dg_unknown)generate_number(g, 3);
    if (g->gentle || generate_number(g, 3))
        op->unknown = DG_UNKNOWN_PASS;
    op->value = dg_slice_str(PICK(g, CONSTANTS));
}

static void fill_case(generator *g, dg_op *op)
{
    bool up = generate_number(g, 2);
    op->case_from = up ? DG_CAMEL : DG_SNAKE;
    op->case_to = up ? DG_SNAKE : DG_CAMEL;
    op->name_count = generate_number(g, 3);
    dg_slice *except = dg_arena_alloc(g->arena, 2 * sizeof *except);
    for (size_t i = 0; i < 2; i++)
        except[i] = name(g);
    op->names = except;
}

static dg_slice fresh_name(generator *g)
{
    return dg_slice_str(dg_arena_printf(g->arena, "fresh%u", g->fresh++));
}

static bool holds_list(dg_op_kind kind)
{
    return kind == DG_OP_IN || kind == DG_OP_EACH || kind == DG_OP_MEMBERS || kind == DG_OP_BOTH;
}

static void fill(generator *g, dg_op *op, unsigned depth)
{
    static const dg_op_kind kinds[] = {DG_OP_CASE, DG_OP_RENAME, DG_OP_RENAME,  DG_OP_DROP,
                                       DG_OP_DROP, DG_OP_ADD,    DG_OP_DEFAULT, DG_OP_DEFAULT,
                                       DG_OP_WRAP, DG_OP_UNWRAP, DG_OP_VALUES,  DG_OP_IN,
                                       DG_OP_IN,   DG_OP_IN,     DG_OP_EACH,    DG_OP_LENS,
                                       DG_OP_IN,   DG_OP_BOTH,   DG_OP_MEMBERS};
    static const dg_op_kind gentle[] = {DG_OP_RENAME, DG_OP_DROP, DG_OP_DEFAULT, DG_OP_DEFAULT,
                                        DG_OP_VALUES, DG_OP_IN,   DG_OP_IN,      DG_OP_MEMBERS,
                                        DG_OP_LENS,   DG_OP_BOTH, DG_OP_IN,      DG_OP_DROP};
    static const dg_op_kind gentle_whole[] = {DG_OP_MOVE, DG_OP_COPY, DG_OP_SWITCH, DG_OP_REPLACE,
                                              DG_OP_COUNT};
    if (generate_number(g, 100) < g->whole) {
        op->kind =
            g->gentle ? PICK(g, gentle_whole)
                      : (dg_op_kind)(DG_OP_CAST + generate_number(g, DG_OP_PRINT - DG_OP_CAST + 1));
        op->origin = (dg_origin){"generated.yaml", 2, 1};
        generate_operands(g, op, depth);
        return;
    }
    do
        op->kind = g->gentle ? PICK(g, gentle) : PICK(g, kinds);
    while ((holds_list(op->kind) && depth == 0) ||
           (g->gentle && op->kind == DG_OP_LENS && g->lens->count == 0));
    op->name = name(g);
    op->to = name(g);
    op->origin = (dg_origin){"generated.yaml", 1, 1};
    if ((op->kind == DG_OP_CASE || op->kind == DG_OP_RENAME) && generate_number(g, 100) < g->whole)
        op->collision = (dg_collision)generate_number(g, 3);
    if (op->kind == DG_OP_RENAME && g->gentle)
        op->to = fresh_name(g);
    if (op->kind == DG_OP_CASE)
        fill_case(g, op);
    else if (op->kind == DG_OP_VALUES)
        fill_values(g, op);
    else if (op->kind == DG_OP_ADD || op->kind == DG_OP_DEFAULT)
        op->value = g->gentle ? dg_slice_str(PICK(g, OBJECTS)) : dg_slice_str(PICK(g, CONSTANTS));
    else if (op->kind == DG_OP_LENS)
        op->body = g->lens;
    else if (holds_list(op->kind))
        op->body = generate_list(g, depth - 1);
    op->when_null = op->kind == DG_OP_DEFAULT && generate_number(g, 2);
    if (op->kind == DG_OP_DROP)
        op->when_null = generate_number(g, 4) == 0;
    op->if_empty = op->kind == DG_OP_DROP && generate_number(g, 2);
}

dg_ops *generate_list(generator *g, unsigned depth)
{
    dg_ops *list = dg_arena_zalloc(g->arena, sizeof *list);
    size_t count = 1 + generate_number(g, 4);
    dg_op *items = dg_arena_zalloc(g->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        fill(g, &items[i], depth);
    *list = (dg_ops){items, count};
    return list;
}

static void fill_lossless(generator *g, dg_op *op, unsigned depth)
{
    static const dg_op_kind kinds[] = {DG_OP_RENAME, DG_OP_RENAME, DG_OP_ADD,
                                       DG_OP_WRAP,   DG_OP_IN,     DG_OP_EACH};
    static const dg_value_pair pairs[] = {{TEXT("1"), TEXT("\"one\"")},
                                          {TEXT("\"x\""), TEXT("11")},
                                          {TEXT("null"), TEXT("\"none\"")}};
    do
        op->kind = generate_number(g, 12) ? PICK(g, kinds) : DG_OP_VALUES;
    while ((op->kind == DG_OP_IN || op->kind == DG_OP_EACH) && depth == 0);
    op->name = op->kind == DG_OP_RENAME || op->kind == DG_OP_IN ? name(g) : fresh_name(g);
    op->to = fresh_name(g);
    op->value = dg_slice_str(PICK(g, CONSTANTS));
    if (op->kind == DG_OP_VALUES) {
        op->pairs = pairs;
        op->pair_count = sizeof pairs / sizeof *pairs;
        op->unknown = DG_UNKNOWN_PASS;
    }
    if (op->kind == DG_OP_IN || op->kind == DG_OP_EACH)
        op->body = generate_lossless_list(g, depth - 1);
}

dg_ops *generate_lossless_list(generator *g, unsigned depth)
{
    dg_ops *list = dg_arena_zalloc(g->arena, sizeof *list);
    size_t count = 1 + generate_number(g, 4);
    dg_op *items = dg_arena_zalloc(g->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        fill_lossless(g, &items[i], depth);
    *list = (dg_ops){items, count};
    return list;
}

static void put_space(generator *g, dg_buf *out)
{
    static const char *const spaces[] = {"", "", " ", "\n  ", "\t"};
    if (g->spaces)
        dg_buf_add_str(out, PICK(g, spaces));
}

static void put_value(generator *g, dg_buf *out, unsigned depth)
{
    uint32_t what = generate_number(g, 10);
    if (depth == 0 || what < 4) {
        dg_buf_add_str(out, PICK(g, SCALARS));
        return;
    }
    bool object = what < 9;
    size_t count = generate_number(g, object ? 5 : 3);
    dg_buf_add_char(out, object ? '{' : '[');
    put_space(g, out);
    for (size_t i = 0; i < count; i++) {
        if (i) {
            put_space(g, out);
            dg_buf_add_char(out, ',');
            put_space(g, out);
        }
        if (object) {
            dg_buf_add_char(out, '"');
            dg_buf_add_str(out, PICK(g, KEYS));
            dg_buf_add_char(out, '"');
            put_space(g, out);
            dg_buf_add_char(out, ':');
            put_space(g, out);
        }
        put_value(g, out, depth - 1);
    }
    if (count)
        put_space(g, out);
    dg_buf_add_char(out, object ? '}' : ']');
}

void generate_document(generator *g, dg_buf *out)
{
    put_space(g, out);
    put_value(g, out, 4);
    put_space(g, out);
    size_t len = out->len;
    for (int i = 0; i < DG_JSON_PADDING; i++)
        dg_buf_add_char(out, "\":,}]1\\ "[i % 8]);
    out->len = len;
}
