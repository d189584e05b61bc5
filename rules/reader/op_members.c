/* Ops on the members of an object: their names, whether they are there, and where. */
#include "rules/reader/op_reader.h"
#include "transforms/name.h"
#include "transforms/whole/template.h"

/* The entries of one op happen at once for a reader, one after the other for the engine: so that
 * these are the same, no name may be old and new in one op, or new twice. */
static bool check_entries(const dg_reading *c, const dg_node *map)
{
    if (map->count > DG_OP_ENTRIES_MAX) {
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin,
                     "one op has at most %d entries; begin another", (int)DG_OP_ENTRIES_MAX);
        return false;
    }
    bool good = true;
    for (const dg_node *a = map->first; a; a = a->next)
        for (const dg_node *b = map->first; b && a->kind == DG_NODE_SCALAR; b = b->next) {
            const char *problem = NULL;
            if (dg_slice_eq(a->text, b->key))
                problem = a == b ? "is the old and the new name; nothing would change"
                                 : "is both an old and a new name here; give each an op of its own";
            else if (a != b && b->kind == DG_NODE_SCALAR && dg_slice_eq(a->text, b->text))
                problem = "is the new name of two members";
            if (problem) {
                dg_diags_add(c->reader->diags, DG_ERROR, a->origin, "'%.*s' %s",
                             DG_SLICE_FMT(a->text), problem);
                good = false;
                break;
            }
        }
    return good;
}

static bool same_step(dg_slice a, dg_slice b)
{
    return dg_step_is_each(a) == dg_step_is_each(b) && dg_slice_eq(a, b);
}

static size_t after_last_each(const dg_steps *steps)
{
    size_t after = 0;
    for (size_t i = 0; i < steps->count; i++)
        if (dg_step_is_each(steps->at[i]))
            after = i + 1;
    return after;
}

/* Moves or copies below the longest way that both paths have in common; a move that keeps its level
 * is a rename. A copy may go to the elements of further lists. */
static bool push_move(const dg_reading *c, const dg_steps *from, const dg_steps *to, dg_op op)
{
    size_t lists = after_last_each(from), common = 0;
    size_t shorter = from->count < to->count ? from->count : to->count;
    while (common < shorter && same_step(from->at[common], to->at[common]))
        common++;
    bool spreads = op.kind == DG_OP_COPY && after_last_each(to) > common;
    if ((lists != after_last_each(to) && !spreads) || common < lists)
        return dg_op_fail(
            c, op.origin,
            "both paths must lead through the same lists: a value stays in its element");
    if (common == shorter)
        return dg_op_fail(
            c, op.origin,
            from->count == to->count
                ? "both paths are the same; nothing would change"
                : "a value cannot go into itself, or in the place of what holds it; see "
                  "wrap and unwrap, with 'at'");
    if (op.kind == DG_OP_MOVE && from->count == common + 1 && to->count == common + 1) {
        op.kind = DG_OP_RENAME;
        op.name = from->at[common];
        op.to = to->at[common];
    } else {
        op.path = dg_path_of(c, from, common);
        op.target = dg_path_of(c, to, common);
    }
    return dg_push_at(c, from, common, false, op);
}

bool dg_read_move(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {old.place: new.place}", c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    bool good = check_entries(c, node);
    for (const dg_node *n = good ? node->first : NULL; n; n = n->next) {
        dg_steps from, to;
        dg_slice text;
        dg_op op = c->op;
        op.origin = n->key_origin;
        bool read = dg_node_want_string(n, "the path to go to", c->reader->diags, &text);
        read &= dg_steps_of_member(c, n->key, n->key_origin, &from);
        good &= read && dg_steps_of_member(c, text, n->origin, &to) && push_move(c, &from, &to, op);
    }
    return good;
}

bool dg_read_rename(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {old: new}", c->reader->diags) || !dg_op_not_empty(c, node))
        return false;
    bool good = check_entries(c, node);
    for (const dg_node *n = good ? node->first : NULL; n; n = n->next) {
        dg_steps old, new;
        dg_slice text;
        dg_op op = c->op;
        op.kind = DG_OP_MOVE;
        op.origin = n->key_origin;
        bool read = dg_node_want_string(n, "the new name", c->reader->diags, &text);
        read &= dg_steps_of_member(c, n->key, n->key_origin, &old);
        if (!read || !dg_steps_of_member(c, text, n->origin, &new)) {
            good = false;
            continue;
        }
        if (new.count == 1) { /* {a.b: c} says the new name alone */
            dg_slice name = new.at[0];
            new = old;
            new.at[new.count - 1] = name;
        }
        good &= push_move(c, &old, &new, op);
    }
    return good;
}

static bool drop_one(const dg_reading *c, dg_slice text, dg_origin origin, const dg_node *restore)
{
    dg_steps path;
    dg_op op = c->op;
    op.origin = origin;
    bool good = dg_steps_of_member(c, text, origin, &path);
    if (restore)
        good &= dg_json_of(c, restore, &op.value);
    if (!good)
        return false;
    op.name = path.at[path.count - 1];
    op.when_null = c->when == DG_WHEN_NULL || c->when == DG_WHEN_EMPTY;
    if (c->when == DG_WHEN_EMPTY && !dg_push_empty_becomes(c, &path, DG_SLICE("null")))
        return false;
    return dg_push_at(c, &path, path.count - 1, false, op);
}

bool dg_read_drop(dg_reading *c, const dg_node *node)
{
    bool good = true;
    dg_slice name;
    if (c->when == DG_WHEN_ABSENT)
        return dg_op_fail(c, dg_node_get(c->item, "when")->origin, "expected null or empty");
    if (node->kind == DG_NODE_SCALAR)
        return dg_node_want_string(node, "a name", c->reader->diags, &name) &&
               drop_one(c, name, node->origin, NULL);
    if (!dg_op_not_empty(c, node))
        return false;
    if (node->kind == DG_NODE_MAP && (c->op.lossy || c->op.value.len))
        good = dg_op_fail(c, node->origin,
                          "the map says what the way back restores already: {name: value}");
    for (const dg_node *n = node->first; n; n = n->next) {
        if (node->kind == DG_NODE_MAP)
            good &= drop_one(c, n->key, n->key_origin, n);
        else if (dg_node_want_string(n, "a name", c->reader->diags, &name))
            good &= drop_one(c, name, n->origin, NULL);
        else
            good = false;
    }
    return good;
}

/* add and default. */
bool dg_read_add(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {name: value}", c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    bool good = true;
    for (const dg_node *n = node->first; n; n = n->next) {
        dg_steps path;
        dg_op op = c->op;
        op.origin = n->key_origin;
        op.when_null = c->when == DG_WHEN_NULL || c->when == DG_WHEN_EMPTY;
        bool read = dg_steps_of_member(c, n->key, n->key_origin, &path);
        if (!dg_json_of(c, n, &op.value) || !read) {
            good = false;
            continue;
        }
        op.name = path.at[path.count - 1];
        good &= dg_push_at(c, &path, path.count - 1, true, op);
        if (c->when == DG_WHEN_EMPTY)
            good &= dg_push_empty_becomes(c, &path, op.value);
    }
    return good;
}

/* What is there goes, and the value comes. */
bool dg_read_set(dg_reading *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {name: value}", c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    bool good = true;
    for (const dg_node *n = node->first; n; n = n->next) {
        dg_steps path;
        dg_op drop = c->op, add = {.kind = DG_OP_ADD, .word = c->op.word};
        drop.kind = DG_OP_DROP;
        drop.origin = add.origin = n->key_origin;
        dg_op_list both = {NULL, 0, 0};
        bool read = dg_steps_of_member(c, n->key, n->key_origin, &path);
        if (!dg_json_of(c, n, &add.value) || !read) {
            good = false;
            continue;
        }
        drop.name = add.name = path.at[path.count - 1];
        good &= dg_op_push(c, &both, drop) && dg_op_push(c, &both, add) &&
                dg_push_inside(c, &path, path.count - 1, true, both, c->out);
    }
    return good;
}

bool dg_read_keep(dg_reading *c, const dg_node *node)
{
    dg_slice *names = dg_arena_alloc(c->reader->arena, (node->count + 1) * sizeof *names);
    if (!names || !dg_node_want_list(node, "a list of the names that stay", c->reader->diags) ||
        !dg_op_not_empty(c, node))
        return false;
    bool good = true;
    size_t count = 0;
    for (const dg_node *n = node->first; n; n = n->next)
        good &= dg_name_read(c, n, &names[count++]);
    c->op.names = names;
    c->op.name_count = count;
    return good && dg_op_push(c, c->out, c->op);
}

/* wrap and unwrap: a name. */
bool dg_read_wrap(dg_reading *c, const dg_node *node)
{
    return dg_name_read(c, node, &c->op.name) && dg_op_push(c, c->out, c->op);
}

/* The places in all strings of a template; documents have a bounded depth. */
static bool check_template(const dg_reading *c, const dg_node *node)
{
    bool good = true;
    if (node->kind == DG_NODE_SCALAR) {
        const char *fault = dg_node_is_string(node) ? dg_template_fault(node->text) : NULL;
        return !fault || dg_op_fail(c, node->origin, fault);
    }
    for (const dg_node *n = node->first; n; n = n->next)
        good &= check_template(c, n);
    return good;
}

bool dg_read_template(dg_reading *c, const dg_node *node)
{
    return check_template(c, node) && dg_json_of(c, node, &c->op.value) &&
           dg_op_push(c, c->out, c->op);
}

/* The other spelling of a name; .ptr is NULL when out of memory. */
static dg_slice respelled(dg_arena *arena, dg_slice name, dg_naming from)
{
    dg_buf buf;
    dg_buf_init(&buf, 0);
    dg_name_convert(name, from, from == DG_CAMEL ? DG_SNAKE : DG_CAMEL, &buf);
    dg_slice text = {NULL, 0};
    if (buf.status == DG_OK)
        text = dg_arena_dup(arena, dg_buf_slice(&buf));
    else
        arena->failed = true;
    dg_buf_free(&buf);
    return text;
}

static bool read_except(dg_reading *c, const dg_node *list)
{
    dg_arena *arena = c->reader->arena;
    if (!dg_node_want_list(list, "a list of names", c->reader->diags) || !dg_op_not_empty(c, list))
        return false;
    dg_slice *names = dg_arena_alloc(arena, (list->count * 3 + 1) * sizeof *names);
    if (!names)
        return false;
    size_t count = 0;
    bool good = true;
    for (const dg_node *n = list->first; n; n = n->next) {
        dg_slice name;
        if (!dg_node_want_string(n, "a name", c->reader->diags, &name)) {
            good = false;
            continue;
        }
        const dg_slice spellings[] = {name, respelled(arena, name, DG_CAMEL),
                                      respelled(arena, name, DG_SNAKE)};
        for (size_t i = 0; i < 3; i++) {
            if (!spellings[i].ptr)
                return false;
            if (i == 0 || !dg_slice_eq(spellings[i], name))
                names[count++] = spellings[i];
        }
    }
    c->op.names = names;
    c->op.name_count = count;
    return good;
}

static bool naming_of(const dg_reading *c, const dg_node *map, const char *key,
                      dg_naming *ret_naming)
{
    static const char *const words[] = {"camel", "snake", NULL};
    const dg_node *node = dg_node_get(map, key);
    size_t which;
    if (!node) {
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin, "case needs '%s': camel or snake",
                     key);
        return false;
    }
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    *ret_naming = which ? DG_SNAKE : DG_CAMEL;
    return true;
}

bool dg_read_case(dg_reading *c, const dg_node *node)
{
    static const char *const keys[] = {"from", "to", "except", NULL};
    if (!dg_node_want_map(node, "a map: {from: camel, to: snake}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    bool named = naming_of(c, node, "from", &c->op.case_from);
    named &= naming_of(c, node, "to", &c->op.case_to);
    if (named && c->op.case_from == c->op.case_to)
        named = dg_op_fail(c, node->origin, "from and to are the same, so nothing would change");
    const dg_node *except = dg_node_get(node, "except");
    if (except)
        good &= read_except(c, except);
    return good && named && dg_op_push(c, c->out, c->op);
}
