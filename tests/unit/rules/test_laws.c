/* The laws of packs: many small packs of four versions, documents of each version, and every way
 * between two versions: there and back gives the same bytes, and a long way is its steps.
 *
 * A pack is made with the shapes of its versions: each op is written for the shape before it and
 * says what the shape becomes, so that documents of every version can be made, not of the oldest
 * alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/ruleset.h"

enum { VERSIONS = 4, PACKS = 150, DOCUMENTS = 6, FIELDS_MAX = 40, OPS_A_STEP = 6 };

typedef struct field {
    char words[16]; /* its name, in snake case */
    enum { PLAIN, ONE_OF, CONSTANT, TURNS } kind;
    unsigned
        number;    /* ONE_OF: which set of values; CONSTANT: its value; TURNS: which pair of ops */
    unsigned form; /* TURNS: which of its two forms it has */
} field;

typedef struct fields {
    field of[FIELDS_MAX];
    size_t count;
} fields;

typedef struct shape {
    bool camel, wrapped;
    fields own, item; /* of the document, and of each element of its list `items` */
} shape;

typedef struct maker {
    uint64_t state;
    unsigned fresh;
    shape now;
    dg_buf *yaml;
} maker;

static uint32_t pick(maker *m, uint32_t below)
{
    m->state ^= m->state >> 12;
    m->state ^= m->state << 25;
    m->state ^= m->state >> 27;
    return (uint32_t)((m->state * 0x2545F4914F6CDD1Du) >> 33) % below;
}

static void add_name(const shape *s, const char *words, dg_buf *out)
{
    for (; *words; words++) {
        bool joint = s->camel && words[0] == '_';
        dg_buf_add_char(out, joint ? (char)(*++words - 'a' + 'A') : *words);
    }
}

static void add_path(const shape *s, const fields *of, const char *words, dg_buf *out)
{
    dg_buf_add_str(out, s->wrapped ? "\"data." : "\"");
    dg_buf_add_str(out, of == &s->item ? "items[]." : "");
    add_name(s, words, out);
    dg_buf_add_char(out, '"');
}

/* Sets of values are numbers and strings by turns. */
static void add_value(unsigned set, unsigned which, dg_buf *out)
{
    dg_buf_printf(out, set % 2 ? "\"s%u-%u\"" : "%u%u", set + 1, which);
}

/* Pairs of ops that undo each other, with a value in its two forms. `%` is the path. */
static const struct {
    const char *op[2], *value[2];
} turns[] = {
    {{"cast: {at: %, from: number, to: string}", "cast: {at: %, from: string, to: number}"},
     {"12.50", "\"12.50\""}},
    {{"cast: {at: %, from: decimal, to: hex}", "cast: {at: %, from: hex, to: decimal}"},
     {"\"255\"", "\"ff\""}},
    {{"time: {at: %, from: unix, to: rfc3339}",
      "{time: {at: %, from: rfc3339, to: unix}, lossy: accept}"},
     {"1767225600", "\"2026-01-01T00:00:00Z\""}},
    {{"split: {at: %, by: \",\"}", "join: {at: %, by: \",\"}"}, {"\"a,b\"", "[\"a\",\"b\"]"}},
    {{"list: %", "{first: %, lossy: accept}"}, {"{\"z\":1.0}", "[{\"z\":1.0}]"}},
    {{"map_to_list: {at: %, key: k, value: v}", "list_to_map: {at: %, key: k, value: v}"},
     {"{\"x\":1e2,\"y\":[]}", "[{\"k\":\"x\",\"v\":1e2},{\"k\":\"y\",\"v\":[]}]"}},
    {{"list_to_map: {at: %, key: k}", "map_to_list: {at: %, key: k}"},
     {"[{\"k\":\"x\",\"v\":1.0}]", "{\"x\":{\"v\":1.0}}"}},
    {{"parse: %", "print: %"}, {"\"[1.0,{}]\"", "[1.0,{}]"}},
    {{"null_to_empty: {%: {}}", "empty_to_null: {%: {}}"}, {"null", "{}"}},
    {{"{replace: {at: %, pattern: \"^x-\", with: \"\"}, down: {replace: {at: %, pattern: \"^\", "
      "with: x-}}}",
      "{replace: {at: %, pattern: \"^\", with: x-}, down: {replace: {at: %, pattern: \"^x-\", "
      "with: \"\"}}}"},
     {"\"x-a\"", "\"a\""}},
    {{"{wrap: w, at: %}", "{unwrap: w, at: %, lossy: accept}"}, {"[1.0]", "{\"w\":[1.0]}"}},
    {{"if: {at: %, type: number}\n        do: {in: {at: %, do: {cast: {from: number, to: "
      "string}}}}\n"
      "        newer: {at: %, type: string}",
      "{up: {cast: {at: %, from: string, to: number}}, down: {cast: {at: %, from: number, to: "
      "string}}}"},
     {"1e400", "\"1e400\""}},
    {{"sort_signs: {fields: f, orders: o}\n        at: %",
      "{sort_orders: {fields: f, orders: o}, at: %}"},
     {"{\"f\":\"a,b\",\"o\":\"desc,asc\"}", "{\"f\":\"-a,b\"}"}},
    {{"{members: {cast: {from: boolean, to: string}}, at: %}",
      "{members: {cast: {from: string, to: boolean}}, at: %}"},
     {"{\"x\":true,\"y\":false}", "{\"x\":\"true\",\"y\":\"false\"}"}},
    {{"{move: {a.b: c.d}, at: %}", "{move: {c.d: a.b}, at: %}"},
     {"{\"z\":0,\"a\":{\"b\":[1.0]}}", "{\"z\":0,\"c\":{\"d\":[1.0]}}"}},
    {{"everywhere: {names: [w1], do: {values: {table: {1: one}}}}\n        at: %",
      "{everywhere: {names: [w1], do: {values: {table: {one: 1}}}}, at: %}"},
     {"[[{\"w1\":1,\"x\":{\"w1\":1}}],{\"w1\":1}]",
      "[[{\"w1\":\"one\",\"x\":{\"w1\":\"one\"}}],{\"w1\":\"one\"}]"}},
};

enum { TURN_COUNT = sizeof turns / sizeof *turns };

static field *new_field(maker *m, fields *of, int kind)
{
    field *f = &of->of[of->count++];
    *f = (field){.kind = kind, .number = kind == CONSTANT ? m->fresh : pick(m, 2)};
    if (kind == TURNS)
        *f = (field){.kind = kind, .number = pick(m, TURN_COUNT), .form = pick(m, 2)};
    snprintf(f->words, sizeof f->words, pick(m, 2) ? "n%u_word" : "n%u", m->fresh++);
    return f;
}

static void rename_one(maker *m, fields *of)
{
    field *f = &of->of[pick(m, (uint32_t)of->count)];
    dg_buf_add_str(m->yaml, "      - rename: {");
    add_path(&m->now, of, f->words, m->yaml);
    snprintf(f->words, sizeof f->words, "r%u_x_y", m->fresh++);
    dg_buf_add_str(m->yaml, ": ");
    add_name(&m->now, f->words, m->yaml);
    dg_buf_add_str(m->yaml, "}\n");
}

static void look_one_up(maker *m, fields *of)
{
    field *f = &of->of[pick(m, (uint32_t)of->count)];
    if (f->kind != ONE_OF)
        return;
    dg_buf_add_str(m->yaml, "      - values: {at: ");
    add_path(&m->now, of, f->words, m->yaml);
    for (unsigned i = 0; i < 3; i++) {
        dg_buf_add_str(m->yaml, i ? ", " : ", table: {");
        add_value(f->number, i, m->yaml);
        dg_buf_add_str(m->yaml, ": ");
        add_value(f->number + 1, i, m->yaml);
    }
    f->number++;
    dg_buf_add_str(m->yaml, "}}\n");
}

static void turn_one(maker *m, fields *of)
{
    field *f = &of->of[pick(m, (uint32_t)of->count)];
    if (f->kind != TURNS)
        return;
    dg_buf_add_str(m->yaml, "      - ");
    for (const char *p = turns[f->number].op[f->form]; *p; p++) {
        if (*p == '%')
            add_path(&m->now, of, f->words, m->yaml);
        else
            dg_buf_add_char(m->yaml, *p);
    }
    dg_buf_add_char(m->yaml, '\n');
    f->form = !f->form;
}

static void add_one(maker *m, fields *of)
{
    const field *f = new_field(m, of, CONSTANT);
    dg_buf_add_str(m->yaml, "      - add: {");
    add_path(&m->now, of, f->words, m->yaml);
    dg_buf_printf(m->yaml, ": %u.50}\n", f->number);
}

/* The last one alone: the way back puts it at the end. */
static void drop_one(maker *m, fields *of)
{
    const field *f = &of->of[of->count - 1];
    if (of->count < 2 || f->kind != CONSTANT)
        return;
    dg_buf_add_str(m->yaml, "      - drop: {");
    add_path(&m->now, of, f->words, m->yaml);
    dg_buf_printf(m->yaml, ": %u.50}\n", f->number);
    of->count--;
}

static void step(maker *m)
{
    fields *of = pick(m, 2) ? &m->now.own : &m->now.item;
    switch (pick(m, 9)) {
    case 0:
        rename_one(m, of);
        break;
    case 1:
        look_one_up(m, of);
        break;
    case 2:
        add_one(m, of);
        break;
    case 3:
        drop_one(m, of);
        break;
    case 5:
    case 6:
    case 7:
        turn_one(m, of);
        break;
    case 4:
        dg_buf_add_str(m->yaml, m->now.camel ? "      - case: {from: camel, to: snake}\n"
                                             : "      - case: {from: snake, to: camel}\n");
        m->now.camel = !m->now.camel;
        break;
    default:
        dg_buf_add_str(m->yaml, m->now.wrapped ? "      - {unwrap: data, lossy: accept}\n"
                                               : "      - wrap: data\n");
        m->now.wrapped = !m->now.wrapped;
        break;
    }
}

static void add_fields(maker *m, const shape *s, const fields *of, bool first, dg_buf *out)
{
    static const char *const plain[] = {"1.50",   "1e400", "\"\\u0061\\/\\ud83d\\ude00\"",
                                        "[{},1]", "null",  "12345678901234567890"};
    for (size_t i = 0; i < of->count; i++) {
        const field *f = &of->of[i];
        if (f->kind != CONSTANT && !pick(m, 4))
            continue;
        bool spaced = f->kind != CONSTANT && pick(m, 2); /* what is made has no spaces */
        dg_buf_add_str(out, first ? "\"" : spaced ? ", \"" : ",\"");
        first = false;
        add_name(s, f->words, out);
        dg_buf_add_str(out, spaced ? "\" : " : "\":");
        if (f->kind == PLAIN)
            dg_buf_add_str(out, plain[pick(m, sizeof plain / sizeof *plain)]);
        else if (f->kind == TURNS)
            dg_buf_add_str(out, turns[f->number].value[f->form]);
        else if (f->kind == ONE_OF)
            add_value(f->number, pick(m, 3), out);
        else
            dg_buf_printf(out, "%u.50", f->number);
    }
}

static void make_document(maker *m, const shape *s, dg_buf *out)
{
    dg_buf_add_str(out, s->wrapped ? "{\"data\":{\"items\":[" : "{\"items\":[");
    for (uint32_t i = 0, count = pick(m, 4); i < count; i++) {
        dg_buf_add_str(out, i ? ",{" : "{");
        add_fields(m, s, &s->item, true, out);
        dg_buf_add_char(out, '}');
    }
    dg_buf_add_char(out, ']');
    add_fields(m, s, &s->own, false, out);
    dg_buf_add_str(out, s->wrapped ? "}}" : "}");
    assert_int_equal(dg_buf_reserve(out, DG_JSON_PADDING), DG_OK);
}

static void write_file(const char *dir, const char *name, const dg_buf *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text->ptr, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

/* A pack in `dir`, and the shapes of its versions. */
static dg_ruleset *make_pack(maker *m, const char *dir, shape shapes[VERSIONS])
{
    m->now = (shape){.camel = false};
    fields *both[] = {&m->now.own, &m->now.item};
    for (int i = 0; i < 8; i++)
        (void)new_field(m, both[i % 2], i < 2 ? CONSTANT : i % 3 ? ONE_OF : PLAIN);
    for (int i = 0; i < 12; i++)
        (void)new_field(m, both[i % 2], TURNS);
    for (size_t v = 0; v < VERSIONS; v++) {
        shapes[v] = m->now;
        if (v + 1 == VERSIONS)
            break;
        dg_buf_clear(m->yaml);
        dg_buf_printf(m->yaml,
                      "change: c\nbetween: [v%zu, v%zu]\nendpoints:\n  POST /x:\n    request:\n"
                      "      - rename: {not_there: nor_there_%zu}\n",
                      v, v + 1, v);
        for (int i = 0; i < OPS_A_STEP; i++)
            step(m);
        char name[32];
        snprintf(name, sizeof name, "changes/%zu.yaml", v);
        write_file(dir, name, m->yaml);
    }
    dg_diags diags;
    dg_diags_init(&diags);
    const dg_pack_source source = {.dir = dir};
    dg_ruleset *set = NULL;
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    assert_int_equal(status, DG_OK);
    return set;
}

/* `in`, of version `from`, as version `to` has it. */
static void go(const dg_ruleset *set, dg_runner *runner, size_t from, size_t to, dg_slice in,
               dg_buf *out)
{
    char a[8], b[8];
    snprintf(a, sizeof a, "v%zu", from);
    snprintf(b, sizeof b, "v%zu", to);
    dg_diags diags;
    dg_diags_init(&diags);
    const dg_program *program = NULL;
    assert_int_equal(dg_ruleset_find_program(set, a, b, "POST /x", false, false, &diags, &program),
                     DG_OK);
    dg_diags_free(&diags);
    dg_buf_clear(out);
    dg_run_error error = {.status = DG_OK};
    if (!program)
        dg_buf_add(out, in);
    else if (dg_run(runner, program, in, out, &error) != DG_OK)
        fail_msg("%s to %s: %s at %zu of %.*s", a, b, error.message, error.offset,
                 DG_SLICE_FMT(in));
    assert_int_equal(dg_buf_reserve(out, DG_JSON_PADDING), DG_OK);
}

static void check_document(const dg_ruleset *set, dg_runner *runner, size_t from, dg_slice text,
                           dg_buf there[2], dg_buf *back)
{
    for (size_t to = 0; to < VERSIONS; to++) {
        go(set, runner, from, to, text, &there[0]);
        go(set, runner, to, from, dg_buf_slice(&there[0]), back);
        if (!dg_slice_eq(dg_buf_slice(back), text))
            fail_msg("v%zu to v%zu and back: %.*s became %.*s by %.*s", from, to,
                     DG_SLICE_FMT(text), DG_SLICE_FMT(dg_buf_slice(back)),
                     DG_SLICE_FMT(dg_buf_slice(&there[0])));
        dg_buf *step = back, *next = &there[1];
        dg_buf_clear(step);
        dg_buf_add(step, text);
        assert_int_equal(dg_buf_reserve(step, DG_JSON_PADDING), DG_OK);
        for (size_t at = from; at != to; at = from < to ? at + 1 : at - 1) {
            go(set, runner, at, from < to ? at + 1 : at - 1, dg_buf_slice(step), next);
            dg_buf *swap = step;
            step = next;
            next = swap;
        }
        assert_true(dg_slice_eq(dg_buf_slice(step), dg_buf_slice(&there[0])));
    }
}

static void there_and_back_is_the_same(void **state)
{
    (void)state;
    char dir[] = "/tmp/dragoman-laws-XXXXXX", sub[64];
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof sub, "%s/changes", dir);
    assert_int_equal(mkdir(sub, 0700), 0);
    dg_buf yaml, text, back, there[2];
    dg_buf *all[] = {&yaml, &text, &back, &there[0], &there[1]};
    for (size_t i = 0; i < 5; i++)
        dg_buf_init(all[i], 0);
    dg_buf_add_str(&yaml, "api: laws\nversions: [v0, v1, v2, v3]\n");
    write_file(dir, "api.yaml", &yaml);
    dg_runner *runner;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    maker m = {.state = 20260101, .yaml = &yaml};
    for (int i = 0; i < PACKS; i++) {
        shape shapes[VERSIONS];
        dg_ruleset *set = make_pack(&m, dir, shapes);
        for (size_t v = 0; v < VERSIONS; v++)
            for (int j = 0; j < DOCUMENTS; j++) {
                dg_buf_clear(&text);
                make_document(&m, &shapes[v], &text);
                check_document(set, runner, v, dg_buf_slice(&text), there, &back);
            }
        dg_ruleset_free(set);
    }
    dg_runner_free(runner);
    for (size_t i = 0; i < 5; i++)
        dg_buf_free(all[i]);
    static const char *const files[] = {"changes/0.yaml", "changes/1.yaml", "changes/2.yaml",
                                        "changes",        "api.yaml",       ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(sub, sizeof sub, "%s/%s", dir, files[i]);
        assert_int_equal(remove(sub), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back_is_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
