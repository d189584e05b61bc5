#include "generate_whole.h"

#include "transforms/name.h"

uint32_t whole_number(whole_generator *g, uint32_t below)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (uint32_t)((g->state * 0x2545F4914F6CDD1Du) >> 33) % below;
}

static const char *const names[] = {"a",      "b",  "c",   "id",   "k",   "v", "_sort",
                                    "_order", "aB", "a_b", "aB_c", "aBC", ""};
enum { NAMES = sizeof names / sizeof *names };

static dg_slice one_of(whole_generator *g, const char *const *words, size_t count)
{
    return dg_slice_str(words[whole_number(g, (uint32_t)count)]);
}

#define PICK(g, words) one_of(g, words, sizeof(words) / sizeof *(words))

static dg_path path(whole_generator *g, uint32_t least, bool each)
{
    size_t count = least + whole_number(g, 3);
    dg_slice *steps = dg_arena_zalloc(g->arena, (count + 1) * sizeof *steps);
    for (size_t i = 0; i < count; i++)
        if (!each || whole_number(g, 3))
            steps[i] = one_of(g, names, 4);
    return (dg_path){steps, count};
}

static const dg_test *test(whole_generator *g, unsigned depth)
{
    static const char *const values[] = {"1",  "\"a\"", "null", "{\"a\":1}",
                                         "[]", "{}",    "true", "[1,\"b\"]"};
    static const char *const types[] = {"object", "array", "string", "number", "boolean", "null"};
    static const char *const numbers[] = {"1", "-2.5", "100", "1e1"};
    static const dg_test_kind kinds[] = {DG_TEST_EXISTS, DG_TEST_IS,   DG_TEST_KIND,
                                         DG_TEST_EMPTY,  DG_TEST_LESS, DG_TEST_ALWAYS,
                                         DG_TEST_ALL,    DG_TEST_ANY,  DG_TEST_NOT};
    dg_test *t = dg_arena_zalloc(g->arena, sizeof *t);
    t->kind = kinds[whole_number(g, depth ? 9 : 6)];
    t->path = path(g, 0, true);
    t->value = t->kind == DG_TEST_KIND   ? PICK(g, types)
               : t->kind == DG_TEST_LESS ? PICK(g, numbers)
                                         : PICK(g, values);
    if (t->kind >= DG_TEST_ALL) {
        t->part_count = t->kind == DG_TEST_NOT ? 1 : whole_number(g, 3);
        dg_test *parts = dg_arena_zalloc(g->arena, 3 * sizeof *parts);
        for (size_t i = 0; i < t->part_count; i++)
            parts[i] = *test(g, depth - 1);
        t->parts = parts;
    }
    return t;
}

static void list_names(whole_generator *g, dg_op *op)
{
    op->name_count = whole_number(g, 12);
    dg_slice *kept = dg_arena_zalloc(g->arena, 12 * sizeof *kept);
    for (size_t i = 0; i < op->name_count; i++)
        kept[i] = PICK(g, names);
    op->names = kept;
}

const dg_op *whole_op(whole_generator *g)
{
    static const dg_op_kind kinds[] = {DG_OP_CASE,   DG_OP_RENAME,   DG_OP_MOVE,  DG_OP_COPY,
                                       DG_OP_KEEP,   DG_OP_TEMPLATE, DG_OP_MAP,   DG_OP_ITEMS,
                                       DG_OP_FILTER, DG_OP_FIRST,    DG_OP_LIST,  DG_OP_SPLIT,
                                       DG_OP_JOIN,   DG_OP_SUM,      DG_OP_COUNT, DG_OP_SORT,
                                       DG_OP_SIGNS,  DG_OP_UNSIGN,   DG_OP_PARSE, DG_OP_PRINT};
    static const char *const separators[] = {",", ", ", ",,", "a", "aa"};
    static const char *const templates[] = {
        "\"{a}\"", "{\"x\":\"{a.b}\",\"y\":[\"{id}\",\"n{id}{k}\",\"{{lit}\"]}",
        "[\"{a[].id}\",{\"k\":\"{}\"}]", "\"plain\"",
        "{\"a\":{\"b\":\"-{b}-\",\"c\":\"{c}\"},\"\":\"{[].id}\"}"};
    dg_op *op = dg_arena_zalloc(g->arena, sizeof *op);
    op->kind = kinds[whole_number(g, sizeof kinds / sizeof *kinds)];
    op->collision = (dg_collision)whole_number(g, 3);
    op->unknown = (dg_unknown)whole_number(g, 3);
    op->lossy = whole_number(g, 4) == 0;
    op->quoted = whole_number(g, 2);
    op->descending = whole_number(g, 2);
    op->case_from = (dg_naming)whole_number(g, 2);
    op->case_to = op->case_from == DG_CAMEL ? DG_SNAKE : DG_CAMEL;
    op->path = op->kind == DG_OP_SORT ? path(g, 0, false)
                                      : path(g, op->kind == DG_OP_MOVE,
                                             op->kind == DG_OP_SUM || op->kind == DG_OP_COUNT);
    op->target = path(g, 1, false);
    op->name = PICK(g, names);
    op->to = PICK(g, names);
    if (op->kind == DG_OP_MAP || op->kind == DG_OP_ITEMS) {
        op->name = DG_SLICE("id");
        op->to = whole_number(g, 2) ? DG_SLICE("v") : (dg_slice){NULL, 0};
    }
    if (op->kind == DG_OP_SIGNS || op->kind == DG_OP_UNSIGN) {
        op->name = DG_SLICE("_sort");
        op->to = DG_SLICE("_order");
    }
    if (op->kind == DG_OP_CASE || op->kind == DG_OP_KEEP)
        list_names(g, op);
    op->test = test(g, 2);
    op->value = op->kind == DG_OP_TEMPLATE ? PICK(g, templates)
                : op->kind == DG_OP_PARSE  ? DG_SLICE("{\"raw\":[]}")
                                           : PICK(g, separators);
    return op;
}

/* ---- documents */

static void space(whole_generator *g, dg_buf *out)
{
    static const char *const spaces[] = {"", "", "", " ", "\n\t", "\r "};
    dg_buf_add(out, PICK(g, spaces));
}

static void string(whole_generator *g, dg_buf *out)
{
    static const char *const texts[] = {"\"\"",
                                        "\"a\"",
                                        "\"\\u0061\"",
                                        "\"b,a,\\\"c,d\\\"\"",
                                        "\"\\\"x\\\"\\\"y\\\",z\"",
                                        "\"desc\"",
                                        "\"asc,desc\"",
                                        "\"-a,b\"",
                                        "\"{\\\"a\\\" : [1, 2.50], \\\"\\\\u0062\\\":\\\"\\\"}\"",
                                        "\"[1,]\"",
                                        "\" null \"",
                                        "\"\\ud83d\\ude00\"",
                                        "\"\\ud800\"",
                                        "\"\xC3\xA9\\/\\n\"",
                                        "\"\\\"a,b\"",
                                        "\"a\\\"b\\\"\"",
                                        "\"aaa\"",
                                        "\"--a\"",
                                        "\"a,\""};
    dg_buf_add(out, PICK(g, texts));
}

static void number(whole_generator *g, dg_buf *out)
{
    static const char *const texts[] = {"0",   "-0", "1",     "1.0",   "-2.5",   "34.10",
                                        "1e1", "10", "99999", "-1E-2", "12.5e1", "0.00"};
    dg_buf_add(out, PICK(g, texts));
}

static void name(whole_generator *g, dg_buf *out)
{
    dg_slice plain = PICK(g, names);
    if (whole_number(g, 8) == 0 && dg_slice_eq(plain, DG_SLICE("a")))
        dg_buf_add_str(out, "\"\\u0061\"");
    else
        dg_name_encode(plain, out);
}

static void value(whole_generator *g, unsigned depth, dg_buf *out)
{
    switch (whole_number(g, depth ? 9 : 5)) {
    case 0:
        dg_buf_add_str(out, "null");
        return;
    case 1:
        dg_buf_add_str(out, whole_number(g, 2) ? "true" : "false");
        return;
    case 2:
    case 3:
        number(g, out);
        return;
    case 4:
        string(g, out);
        return;
    default:
        break;
    }
    bool object = whole_number(g, 3) > 0;
    uint32_t count = whole_number(g, 6);
    dg_buf_add_char(out, object ? '{' : '[');
    space(g, out);
    for (uint32_t i = 0; i < count; i++) {
        if (object) {
            name(g, out);
            space(g, out);
            dg_buf_add_char(out, ':');
            space(g, out);
        }
        value(g, depth - 1, out);
        space(g, out);
        if (i + 1 < count) {
            dg_buf_add_char(out, ',');
            space(g, out);
        }
    }
    dg_buf_add_char(out, object ? '}' : ']');
}

/* [x, x, ...] of strings, numbers, or items with keys; {"k": x, ...} of distinct keys. */
static void regular(whole_generator *g, bool map, dg_buf *out)
{
    uint32_t count = whole_number(g, 7), shape = whole_number(g, 4);
    dg_buf_add_char(out, map ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        dg_buf_add_str(out, i ? whole_number(g, 2) ? "," : " , " : "");
        if (map)
            dg_buf_printf(out, "\"k%u\":", i);
        if (shape == 0) {
            string(g, out);
        } else if (shape == 1) {
            number(g, out);
        } else {
            dg_buf_printf(out, "{\"id\":\"k%u\"", whole_number(g, 8) ? i : 0);
            if (shape == 2)
                dg_buf_add_str(out, whole_number(g, 8) ? ", \"v\": 1.0" : "");
            else
                dg_buf_printf(out, ",\"a\":%u,\"b\":{\"id\":[ ]}", whole_number(g, 3));
            dg_buf_add_char(out, '}');
        }
    }
    dg_buf_add_char(out, map ? '}' : ']');
}

void whole_document(whole_generator *g, const dg_op *op, dg_buf *out)
{
    uint32_t any = whole_number(g, 4);
    if (any == 0)
        value(g, 3, out);
    else if (op->kind == DG_OP_SPLIT || op->kind == DG_OP_PARSE)
        string(g, out);
    else if (op->kind == DG_OP_MAP || op->kind == DG_OP_FILTER || op->kind == DG_OP_FIRST ||
             op->kind == DG_OP_JOIN || op->kind == DG_OP_SORT)
        regular(g, false, out);
    else if (op->kind == DG_OP_ITEMS && any > 1)
        regular(g, true, out);
    else if (op->kind == DG_OP_SIGNS || op->kind == DG_OP_UNSIGN) {
        dg_buf_add_str(out, "{\"x\": 1, \"_sort\" : ");
        string(g, out);
        if (op->kind == DG_OP_SIGNS && any > 1) {
            dg_buf_add_str(out, ",\"_order\":");
            string(g, out);
        }
        dg_buf_add_str(out, " }");
    } else {
        do {
            out->len = 0;
            value(g, 3, out);
        } while (*out->ptr != '{');
    }
}
