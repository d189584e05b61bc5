/* Ops on one value: tables, casts, times, texts, and nothing in its several forms. */
#include "rules/reader/op_reader.h"
#include "transforms/pattern.h"

static bool read_table(dg_reading *c, const dg_node *table)
{
    if (!dg_node_want_map(table, "a map: {old: new}", c->reader->diags))
        return false;
    if (table->count == 0)
        return dg_op_fail(c, table->origin, "the table is empty");
    dg_value_pair *pairs = dg_arena_alloc(c->reader->arena, (table->count + 1) * sizeof *pairs);
    if (!pairs)
        return false;
    size_t count = 0;
    bool good = true;
    for (const dg_node *n = table->first; n; n = n->next) {
        if (n->kind != DG_NODE_SCALAR) {
            good = dg_op_fail(c, n->origin,
                              "a table maps strings, numbers, true, false and null to such");
            continue;
        }
        bool row = dg_key_json_of(c, n, &pairs[count].from);
        if (dg_json_of(c, n, &pairs[count].to) && row)
            count++;
        else
            good = false;
    }
    c->op.pairs = pairs;
    c->op.pair_count = count;
    return good;
}

bool dg_read_values(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "table", "unknown", NULL};
    if (!dg_node_want_map(node, "a map: {at: name, table: {old: new}}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    const dg_node *table = dg_node_get(node, "table");
    good &= table ? read_table(c, table) : dg_op_fail(c, node->origin, "values needs a 'table'");
    good &= dg_read_unknown(c, node, true);
    return dg_push_there(c, node) && good;
}

/* `from` or `to` of a cast. */
static bool read_cast(const dg_reading *c, const dg_node *map, const char *key, dg_cast *ret_cast)
{
    static const char *const words[] = {
#define CAST_WORD(kind, word) word,
        DG_CAST_TABLE(CAST_WORD)
#undef CAST_WORD
            NULL};
    const dg_node *node = dg_node_get(map, key);
    size_t which;
    if (!node) {
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin,
                     "cast needs '%s': number, string, boolean, decimal, hex or base64", key);
        return false;
    }
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    *ret_cast = (dg_cast)which;
    return true;
}

bool dg_read_cast(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "from", "to", "unknown", NULL};
    if (!dg_node_want_map(node, "a map: {at: id, from: number, to: string}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    bool named = read_cast(c, node, "from", &c->op.cast_from);
    named &= read_cast(c, node, "to", &c->op.cast_to);
    if (named && c->op.cast_from == c->op.cast_to)
        named = dg_op_fail(c, node->origin, "from and to are the same, so nothing would change");
    good &= dg_read_unknown(c, node, false);
    return dg_push_there(c, node) && good && named;
}

/* %Y %m %d ...: the date must be whole, for a time is made of it. */
static bool check_time_pattern(const dg_reading *c, dg_slice text, dg_origin origin)
{
    bool year = false, month = false, day = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%')
            continue;
        char d = ++i < text.len ? text.ptr[i] : '\0';
        if (!d || !strchr("YmdeHMSfzba%", d))
            return dg_op_fail(
                c, origin,
                "a time is written with %Y %m %d %e %H %M %S %f %z %b %a and %%; what is this?");
        year |= d == 'Y';
        month |= d == 'm' || d == 'b';
        day |= d == 'd' || d == 'e';
    }
    return (year && month && day) ||
           dg_op_fail(c, origin, "a time needs its year, month and day: %Y, %m or %b, %d or %e");
}

static bool read_format(const dg_reading *c, const dg_node *map, const char *key,
                        dg_time_format *ret_format)
{
    static const char *const words[] = {"unix", "unix_ms", "rfc3339", "http", "date", NULL};
    const dg_node *node = dg_node_get(map, key);
    dg_slice text;
    size_t which;
    if (!node) {
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin,
                     "time needs '%s': unix, unix_ms, rfc3339, http, date or a pattern as "
                     "\"%%d/%%m/%%Y\"",
                     key);
        return false;
    }
    if (dg_node_is_string(node) && dg_slice_find(node->text, '%') < node->text.len) {
        if (!dg_node_want_string(node, "a time", c->reader->diags, &text) ||
            !check_time_pattern(c, text, node->origin))
            return false;
        *ret_format = (dg_time_format){DG_TIME_PATTERN, text};
        return true;
    }
    bool known = false;
    for (size_t i = 0; node->kind == DG_NODE_SCALAR && words[i]; i++)
        known |= dg_slice_eq(node->text, dg_slice_str(words[i]));
    if (!known)
        return dg_op_fail(c, node->origin,
                          "expected unix, unix_ms, rfc3339, http, date or a pattern as "
                          "\"%d/%m/%Y\"");
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    *ret_format = (dg_time_format){.kind = (dg_time_kind)which};
    return true;
}

bool dg_read_time(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "from", "to", "unknown", NULL};
    if (!dg_node_want_map(node, "a map: {at: created, from: unix, to: rfc3339}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    bool named = read_format(c, node, "from", &c->op.time_from);
    named &= read_format(c, node, "to", &c->op.time_to);
    if (named && c->op.time_from.kind == c->op.time_to.kind &&
        dg_slice_eq(c->op.time_from.pattern, c->op.time_to.pattern))
        named = dg_op_fail(c, node->origin, "from and to are the same, so nothing would change");
    good &= dg_read_unknown(c, node, false);
    return dg_push_there(c, node) && good && named;
}

bool dg_read_replace(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "pattern", "with", NULL};
    dg_diags *diags = c->reader->diags;
    if (!dg_node_want_map(node, "a map: {at: name, pattern: '^x-', with: ''}", diags))
        return false;
    bool good = dg_node_check_keys(node, keys, diags);
    const dg_node *pattern = dg_node_get(node, "pattern"), *with = dg_node_get(node, "with");
    dg_slice text;
    if (!pattern || !with)
        return dg_op_fail(c, node->origin, "replace needs 'pattern' and 'with'");
    if (!dg_node_want_string(pattern, "a regular expression", diags, &text) ||
        dg_pattern_new(c->reader->arena, text, pattern->origin, diags, &c->op.pattern) != DG_OK)
        good = false;
    if (with->kind != DG_NODE_SCALAR)
        good = dg_op_fail(c, with->origin, "expected the text to put there, with $1 for a group");
    c->op.with = with->text;
    return dg_push_there(c, node) && good;
}

/* JSON text as a template that means just that: "{" in a string is written "{{". */
static dg_slice as_template(const dg_reading *c, dg_slice json)
{
    char *text = dg_arena_alloc(c->reader->arena, json.len * 2 + 1);
    if (!text)
        return (dg_slice){NULL, 0};
    size_t len = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char ch = json.ptr[i];
        in_string ^= ch == '"';
        text[len++] = ch;
        if (in_string && ch == '{')
            text[len++] = ch;
        if (in_string && ch == '\\')
            text[len++] = json.ptr[++i];
    }
    return dg_slice_of(text, len);
}

static dg_op template_of(const dg_reading *c, dg_slice json)
{
    dg_op op = c->op;
    op.kind = DG_OP_TEMPLATE;
    op.value = as_template(c, json);
    return op;
}

/* A value that is `older` becomes `newer`, and back. */
static bool push_pair(const dg_reading *c, const dg_steps *at, dg_slice older, dg_slice newer)
{
    dg_switch_case *one = dg_arena_zalloc(c->reader->arena, sizeof *one);
    dg_test *tests = dg_arena_zalloc(c->reader->arena, 2 * sizeof *tests);
    if (!one || !tests)
        return false;
    tests[0] = (dg_test){.kind = DG_TEST_IS, .origin = c->op.origin, .value = older};
    tests[1] = (dg_test){.kind = DG_TEST_IS, .origin = c->op.origin, .value = newer};
    dg_op both = c->op, op = c->op;
    both.kind = DG_OP_BOTH;
    both.body = dg_ops_of(c, template_of(c, newer));
    both.other = dg_ops_of(c, template_of(c, older));
    *one = (dg_switch_case){&tests[0], &tests[1], dg_ops_of(c, both)};
    op.kind = DG_OP_SWITCH;
    op.cases = one;
    op.case_count = 1;
    return dg_push_at(c, at, at->count, false, op);
}

/* null_to_empty and empty_to_null. */
bool dg_read_nulls(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {ports: {}, tags: []}", c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    bool good = true, from_null = c->op.word[0] == 'n';
    for (const dg_node *n = node->first; n; n = n->next) {
        dg_steps at;
        dg_slice json;
        bool empty = n->kind == DG_NODE_SCALAR ? n->quoted && n->text.len == 0 : n->count == 0;
        if (!empty)
            good = dg_op_fail(c, n->origin, "expected what is empty: {}, [] or \"\"");
        if (!dg_steps_parse(c, n->key, n->key_origin, &at) || !empty || !dg_json_of(c, n, &json)) {
            good = false;
            continue;
        }
        c->op.origin = n->key_origin;
        good &= from_null ? push_pair(c, &at, DG_SLICE("null"), json)
                          : push_pair(c, &at, json, DG_SLICE("null"));
    }
    return good;
}

bool dg_push_empty_becomes(const dg_reading *c, const dg_steps *at, dg_slice json)
{
    dg_switch_case *one = dg_arena_zalloc(c->reader->arena, sizeof *one);
    dg_test *test = dg_arena_zalloc(c->reader->arena, sizeof *test);
    if (!one || !test)
        return false;
    *test = (dg_test){.kind = DG_TEST_EMPTY, .origin = c->op.origin};
    *one = (dg_switch_case){test, NULL, dg_ops_of(c, template_of(c, json))};
    dg_op op = {.kind = DG_OP_SWITCH, .word = c->op.word, .origin = c->op.origin};
    op.cases = one;
    op.case_count = 1;
    /* What was empty is known no more; the ops beside it say what the way back does. */
    dg_op both = {.kind = DG_OP_BOTH, .word = c->op.word, .origin = c->op.origin};
    both.body = dg_ops_of(c, op);
    both.other = dg_ops_box(c, (dg_op_list){NULL, 0, 0});
    return dg_push_at(c, at, at->count, false, both);
}

/* At a path, at each of several, or at the `at` of a map with more. */
bool dg_read_places(dg_reading *c, const dg_node *node)
{
    dg_steps at;
    if (node->kind == DG_NODE_MAP) {
        static const char *const keys[] = {"at", NULL};
        return dg_node_check_keys(node, keys, c->reader->diags) && dg_op_not_empty(c, node) &&
               dg_push_there(c, node);
    }
    if (node->kind == DG_NODE_SCALAR)
        return dg_steps_read(c, node, &at) && dg_push_at(c, &at, at.count, false, c->op);
    bool good = dg_op_not_empty(c, node);
    for (const dg_node *n = node->first; n; n = n->next) {
        c->op.origin = n->origin;
        good &= dg_steps_read(c, n, &at) && dg_push_at(c, &at, at.count, false, c->op);
    }
    return good;
}

bool dg_read_parse(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "unknown", NULL};
    if (node->kind != DG_NODE_MAP)
        return dg_read_places(c, node);
    bool good = dg_node_check_keys(node, keys, c->reader->diags) && dg_op_not_empty(c, node);
    good &= dg_read_unknown(c, node, false);
    return dg_push_there(c, node) && good;
}

bool dg_read_refuse(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_string(node, "a sentence: why it cannot be translated", c->reader->diags, &c->op.with))
        return false;
    return dg_op_push(c, c->out, c->op);
}
