/* Op lists: from the words of a pack to the local ops of transforms/op.h. Dotted paths become IN
 * and EACH. */
#include "rules/pack.h"
#include "transforms/name.h"

typedef struct op_list {
    dg_op *items;
    size_t count, cap;
} op_list;

/* A step of a dotted path: into a member, or into each element. */
typedef struct op_step {
    bool each;
    dg_slice name;
} op_step;

typedef struct op_path {
    op_step steps[DG_OP_PATH_MAX];
    size_t count;
} op_path;

typedef struct op_context {
    const dg_ops_reader *reader;
    op_list *out;
    dg_op op; /* the kind, origin and options of the op being read, to be completed and added */
} op_context;

static bool add_op(const dg_ops_reader *r, op_list *list, dg_op op)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 4;
        dg_op *grown = dg_arena_alloc(r->arena, cap * sizeof *grown);
        if (!grown)
            return false;
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = op;
    return true;
}

static const dg_ops *boxed(const dg_ops_reader *r, op_list list)
{
    dg_ops *ops = dg_arena_alloc(r->arena, sizeof *ops);
    if (ops)
        *ops = (dg_ops){list.items, list.count};
    return ops;
}

static bool fail(const dg_ops_reader *r, dg_origin origin, const char *message)
{
    dg_diags_add(r->diags, DG_ERROR, origin, "%s", message);
    return false;
}

/* a.b, items[].x, [].x; a backslash takes the next character as it is. */
static bool parse_path(const dg_ops_reader *r, dg_slice text, dg_origin origin, op_path *ret_path)
{
    op_path path = {.count = 0};
    char *name = dg_arena_alloc(r->arena, text.len + 1);
    if (!name)
        return false;
    bool wants_name = true;
    for (size_t i = 0; i < text.len;) {
        size_t len = 0;
        while (i < text.len && text.ptr[i] != '.' && text.ptr[i] != '[') {
            i += text.ptr[i] == '\\' && i + 1 < text.len;
            name[len++] = text.ptr[i++];
        }
        bool each = i + 1 < text.len && text.ptr[i] == '[' && text.ptr[i + 1] == ']';
        if ((i < text.len && text.ptr[i] == '[' && !each) || (len && !wants_name) ||
            (!len && wants_name && !(each && path.count == 0)))
            return fail(
                r, origin,
                "a path is written a.b or items[].x; a \\ takes the next character as it is");
        if (path.count + 2 > DG_OP_PATH_MAX)
            return fail(r, origin, "the path has too many steps");
        if (len)
            path.steps[path.count++] = (op_step){.name = dg_slice_of(name, len)};
        name += len;
        if (each)
            path.steps[path.count++] = (op_step){.each = true};
        i += each ? 2 : 0;
        wants_name = i < text.len && text.ptr[i] == '.';
        i += wants_name;
    }
    if (wants_name)
        return fail(r, origin, "a path ends with a name or with []");
    *ret_path = path;
    return true;
}

/* Adds `inner` to `out`, inside the steps of a path. With `make`, objects that are missing on the
 * way are made, but none inside a list. */
static bool add_inside(const op_context *c, const op_step *steps, size_t count, bool make,
                       op_list inner, op_list *out)
{
    const dg_ops_reader *r = c->reader;
    for (size_t i = count; i-- > 0;) {
        dg_op op = {.kind = steps[i].each ? DG_OP_EACH : DG_OP_IN, .origin = c->op.origin};
        op.name = steps[i].name;
        op.body = boxed(r, inner);
        op_list outer = {NULL, 0, 0};
        bool into_list = i + 1 < count && steps[i + 1].each;
        if (make && !steps[i].each && !into_list) {
            dg_op made = {.kind = DG_OP_DEFAULT, .origin = c->op.origin, .name = steps[i].name};
            made.value = DG_SLICE("{}");
            made.if_empty = true;
            if (!add_op(r, &outer, made))
                return false;
        }
        if (!op.body || !add_op(r, &outer, op))
            return false;
        inner = outer;
    }
    for (size_t i = 0; i < inner.count; i++)
        if (!add_op(r, out, inner.items[i]))
            return false;
    return true;
}

static bool add_at(const op_context *c, const op_step *steps, size_t count, bool make, dg_op op)
{
    op_list inner = {NULL, 0, 0};
    return add_op(c->reader, &inner, op) && add_inside(c, steps, count, make, inner, c->out);
}

static bool json_of(const dg_ops_reader *r, const dg_node *node, bool of_key, dg_slice *ret_json)
{
    dg_buf buf;
    dg_buf_init(&buf, DG_DOC_BYTES_MAX * 6);
    bool good =
        of_key ? dg_node_key_json(node, r->diags, &buf) : dg_node_json(node, r->diags, &buf);
    if (buf.status == DG_LIMIT)
        fail(r, node->origin, "the value is too large");
    if (buf.status == DG_NOMEM)
        r->arena->failed = true;
    good &= buf.status == DG_OK;
    dg_slice copy = good ? dg_arena_dup(r->arena, dg_buf_slice(&buf)) : (dg_slice){NULL, 0};
    dg_buf_free(&buf);
    *ret_json = copy;
    return copy.ptr != NULL;
}

/* The path of a member: its last step is a name, which goes to c->op.name. */
static bool member_path(const op_context *c, dg_slice text, dg_origin origin, op_path *ret_path)
{
    if (!parse_path(c->reader, text, origin, ret_path))
        return false;
    if (ret_path->steps[ret_path->count - 1].each)
        return fail(c->reader, origin,
                    "this op works on a member: the path must end with a name, not with []");
    return true;
}

static bool naming_of(const op_context *c, const dg_node *map, const char *key,
                      dg_naming *ret_naming)
{
    const dg_node *node = dg_node_get(map, key);
    if (!node) {
        dg_diags_add(c->reader->diags, DG_ERROR, map->origin, "case needs '%s': camel or snake",
                     key);
        return false;
    }
    bool camel = node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, DG_SLICE("camel"));
    if (!camel && !(node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, DG_SLICE("snake"))))
        return fail(c->reader, node->origin, "expected camel or snake");
    *ret_naming = camel ? DG_CAMEL : DG_SNAKE;
    return true;
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

static bool read_except(op_context *c, const dg_node *list)
{
    dg_arena *arena = c->reader->arena;
    if (!dg_node_want_list(list, "a list of names", c->reader->diags))
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

static bool read_case(op_context *c, const dg_node *node)
{
    static const char *const keys[] = {"from", "to", "except", NULL};
    if (!dg_node_want_map(node, "a map: {from: camel, to: snake}", c->reader->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, c->reader->diags);
    good &= naming_of(c, node, "from", &c->op.case_from);
    good &= naming_of(c, node, "to", &c->op.case_to);
    if (good && c->op.case_from == c->op.case_to)
        good = fail(c->reader, node->origin, "from and to are the same, so nothing would change");
    const dg_node *except = dg_node_get(node, "except");
    if (except)
        good &= read_except(c, except);
    return good && add_op(c->reader, c->out, c->op);
}

static bool same_parent(const op_path *a, const op_path *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i + 1 < a->count; i++)
        if (a->steps[i].each != b->steps[i].each ||
            !dg_slice_eq(a->steps[i].name, b->steps[i].name))
            return false;
    return true;
}

/* The renames of one op happen at once for a reader, one after the other for the engine: so that
 * these are the same, no name may be old and new in one op, or new twice. */
static bool check_renames(const op_context *c, const dg_node *map)
{
    bool good = true;
    for (const dg_node *a = map->first; a; a = a->next)
        for (const dg_node *b = map->first; b && a->kind == DG_NODE_SCALAR; b = b->next) {
            const char *problem = NULL;
            if (dg_slice_eq(a->text, b->key))
                problem =
                    a == b
                        ? "is the old and the new name; there is nothing to rename"
                        : "is both an old and a new name here; give each rename an op of its own";
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

static bool read_rename(op_context *c, const dg_node *node)
{
    const dg_ops_reader *r = c->reader;
    if (!dg_node_want_map(node, "a map: {old: new}", r->diags))
        return false;
    bool good = check_renames(c, node);
    for (const dg_node *n = node->first; n; n = n->next) {
        op_path old, new;
        dg_slice text;
        if (!dg_node_want_string(n, "the new name", r->diags, &text) ||
            !member_path(c, n->key, n->key_origin, &old) ||
            !member_path(c, text, n->origin, &new)) {
            good = false;
            continue;
        }
        if (new.count == 1 && old.count > 1) /* {a.b: c} says the new name alone */
            old.steps[old.count - 1].each = false;
        else if (!same_parent(&old, &new)) {
            good = fail(r, n->origin,
                        "a rename keeps its place; moving to another level is not supported yet");
            continue;
        }
        dg_op op = c->op;
        op.origin = n->key_origin;
        op.name = old.steps[old.count - 1].name;
        op.to = new.steps[new.count - 1].name;
        good &= add_at(c, old.steps, old.count - 1, false, op);
    }
    return good;
}

static bool drop_one(const op_context *c, dg_slice text, dg_origin origin, const dg_node *restore)
{
    op_path path;
    dg_op op = c->op;
    op.origin = origin;
    if (!member_path(c, text, origin, &path) ||
        (restore && !json_of(c->reader, restore, false, &op.value)))
        return false;
    op.name = path.steps[path.count - 1].name;
    return add_at(c, path.steps, path.count - 1, false, op);
}

static bool read_drop(op_context *c, const dg_node *node)
{
    bool good = true;
    dg_slice name;
    if (node->kind == DG_NODE_SCALAR)
        return dg_node_want_string(node, "a name", c->reader->diags, &name) &&
               drop_one(c, name, node->origin, NULL);
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
static bool read_add(op_context *c, const dg_node *node)
{
    if (!dg_node_want_map(node, "a map: {name: value}", c->reader->diags))
        return false;
    bool good = true;
    for (const dg_node *n = node->first; n; n = n->next) {
        op_path path;
        dg_op op = c->op;
        op.origin = n->key_origin;
        if (!member_path(c, n->key, n->key_origin, &path) ||
            !json_of(c->reader, n, false, &op.value)) {
            good = false;
            continue;
        }
        op.name = path.steps[path.count - 1].name;
        good &= add_at(c, path.steps, path.count - 1, true, op);
    }
    return good;
}

/* wrap and unwrap: a name. */
static bool read_wrap(op_context *c, const dg_node *node)
{
    op_path path;
    dg_slice name;
    if (!dg_node_want_string(node, "a name", c->reader->diags, &name) ||
        !parse_path(c->reader, name, node->origin, &path))
        return false;
    if (path.count != 1 || path.steps[0].each)
        return fail(c->reader, node->origin,
                    "expected a name, not a path; wrap once for each level");
    c->op.name = path.steps[0].name;
    return add_op(c->reader, c->out, c->op);
}

static bool read_unknown(op_context *c, const dg_node *node)
{
    static const char *const keys[] = {"default", NULL};
    const dg_node *value = dg_node_get(node, "default");
    if (value) {
        c->op.unknown = DG_UNKNOWN_DEFAULT;
        return dg_node_check_keys(node, keys, c->reader->diags) &&
               json_of(c->reader, value, false, &c->op.value);
    }
    if (node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, DG_SLICE("pass")))
        c->op.unknown = DG_UNKNOWN_PASS;
    else if (node->kind != DG_NODE_SCALAR || !dg_slice_eq(node->text, DG_SLICE("reject")))
        return fail(c->reader, node->origin, "expected pass, reject or {default: value}");
    return true;
}

static bool read_table(op_context *c, const dg_node *table)
{
    const dg_ops_reader *r = c->reader;
    if (!dg_node_want_map(table, "a map: {old: new}", r->diags))
        return false;
    dg_value_pair *pairs = dg_arena_alloc(r->arena, (table->count + 1) * sizeof *pairs);
    if (!pairs)
        return false;
    size_t count = 0;
    bool good = true;
    for (const dg_node *n = table->first; n; n = n->next) {
        if (n->kind != DG_NODE_SCALAR)
            good =
                fail(r, n->origin, "a table maps strings, numbers, true, false and null to such");
        else if (json_of(r, n, true, &pairs[count].from) && json_of(r, n, false, &pairs[count].to))
            count++;
        else
            good = false;
    }
    if (good && count == 0)
        return fail(r, table->origin, "the table is empty");
    c->op.pairs = pairs;
    c->op.pair_count = count;
    return good;
}

static bool read_values(op_context *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "table", "unknown", NULL};
    const dg_ops_reader *r = c->reader;
    if (!dg_node_want_map(node, "a map: {at: name, table: {old: new}}", r->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, r->diags);
    const dg_node *at = dg_node_get(node, "at"), *table = dg_node_get(node, "table");
    const dg_node *unknown = dg_node_get(node, "unknown");
    op_path path = {.count = 0};
    dg_slice text;
    if (at)
        good &= dg_node_want_string(at, "a path", r->diags, &text) &&
                parse_path(r, text, at->origin, &path);
    good &= table ? read_table(c, table) : fail(r, node->origin, "values needs a 'table'");
    if (unknown)
        good &= read_unknown(c, unknown);
    return good && add_at(c, path.steps, path.count, false, c->op);
}

static bool read_in(op_context *c, const dg_node *node)
{
    static const char *const keys[] = {"at", "do", NULL};
    const dg_ops_reader *r = c->reader;
    if (!dg_node_want_map(node, "a map: {at: name, do: [ops]}", r->diags))
        return false;
    bool good = dg_node_check_keys(node, keys, r->diags);
    const dg_node *at = dg_node_get(node, "at"), *body = dg_node_get(node, "do");
    if (!at || !body)
        return fail(r, node->origin, "in needs 'at' and 'do'");
    op_path path;
    dg_slice text;
    dg_ops ops;
    good &= dg_node_want_string(at, "a path", r->diags, &text) &&
            parse_path(r, text, at->origin, &path);
    good &= dg_ops_read(r, body, &ops);
    if (!good)
        return false;
    op_list inner = {NULL, 0, 0};
    for (size_t i = 0; i < ops.count; i++)
        if (!add_op(r, &inner, ops.items[i]))
            return false;
    return add_inside(c, path.steps, path.count, false, inner, c->out);
}

static bool read_each(op_context *c, const dg_node *node)
{
    dg_ops ops;
    if (!dg_ops_read(c->reader, node, &ops))
        return false;
    dg_ops *body = dg_arena_alloc(c->reader->arena, sizeof *body);
    if (!body)
        return false;
    *body = ops;
    c->op.body = body;
    return add_op(c->reader, c->out, c->op);
}

static bool read_lens(op_context *c, const dg_node *node)
{
    const dg_ops_reader *r = c->reader;
    dg_slice name;
    if (!dg_node_want_string(node, "the name of a lens", r->diags, &name))
        return false;
    const char *names[DG_DOC_MEMBERS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < r->lens_count; i++) {
        if (dg_slice_eq(r->lenses[i].name, name)) {
            c->op.lens = r->lenses[i].name.ptr;
            c->op.body = &r->lenses[i].ops;
            return add_op(r, c->out, c->op);
        }
        names[count++] = r->lenses[i].name.ptr;
    }
    names[count] = NULL;
    const char *meant = dg_did_you_mean(name, names);
    dg_diags_add(r->diags, DG_ERROR, node->origin,
                 meant ? "there is no lens '%.*s' in this change; did you mean '%s'?"
                       : "there is no lens '%.*s' in this change%s",
                 DG_SLICE_FMT(name), meant ? meant : "");
    return false;
}

static const struct {
    dg_op_kind kind;
    bool (*read)(op_context *context, const dg_node *operand);
} op_readers[] = {
    {DG_OP_CASE, read_case},   {DG_OP_RENAME, read_rename}, {DG_OP_DROP, read_drop},
    {DG_OP_ADD, read_add},     {DG_OP_DEFAULT, read_add},   {DG_OP_WRAP, read_wrap},
    {DG_OP_UNWRAP, read_wrap}, {DG_OP_VALUES, read_values}, {DG_OP_IN, read_in},
    {DG_OP_EACH, read_each},   {DG_OP_LENS, read_lens},
};

enum { OP_COUNT = sizeof op_readers / sizeof *op_readers };

/* lossy: accept; for drop restore: VALUE; for default when: absent or null. */
static bool read_options(op_context *c, const dg_node *map)
{
    const dg_node *lossy = dg_node_get(map, "lossy"), *when = dg_node_get(map, "when");
    const dg_node *restore = dg_node_get(map, "restore");
    bool good = true;
    if (restore && c->op.kind != DG_OP_DROP)
        good = fail(c->reader, restore->key_origin, "'restore' belongs to drop only");
    else if (restore)
        good = json_of(c->reader, restore, false, &c->op.value);
    if (lossy) {
        c->op.lossy = true;
        if (lossy->kind != DG_NODE_SCALAR || !dg_slice_eq(lossy->text, DG_SLICE("accept")))
            good = fail(c->reader, lossy->origin, "expected accept");
    }
    if (!when)
        return good;
    c->op.when_null = when->kind == DG_NODE_SCALAR && dg_slice_eq(when->text, DG_SLICE("null"));
    if (c->op.kind != DG_OP_DEFAULT)
        return fail(c->reader, when->key_origin, "'when' belongs to default only");
    if (!c->op.when_null &&
        !(when->kind == DG_NODE_SCALAR && dg_slice_eq(when->text, DG_SLICE("absent"))))
        return fail(c->reader, when->origin, "expected absent or null");
    return good;
}

static bool read_op(const dg_ops_reader *r, const dg_node *node, op_list *out)
{
    op_context c = {.reader = r, .out = out, .op = {.kind = DG_OP_LENS, .origin = node->origin}};
    if (node->kind == DG_NODE_SCALAR)
        return read_lens(&c, node);
    if (!dg_node_want_map(node, "an op, or the name of a lens", r->diags))
        return false;
    const char *known[OP_COUNT + 4];
    const dg_node *operand = NULL;
    size_t which = 0;
    for (size_t i = 0; i < OP_COUNT; i++) {
        known[i] = dg_op_word(op_readers[i].kind);
        const dg_node *found = dg_node_get(node, known[i]);
        if (found && operand)
            return fail(r, found->key_origin,
                        "one op an item: begin a new list item for the second");
        if (found) {
            operand = found;
            which = i;
        }
    }
    known[OP_COUNT] = "lossy";
    known[OP_COUNT + 1] = "when";
    known[OP_COUNT + 2] = "restore";
    known[OP_COUNT + 3] = NULL;
    if (!dg_node_check_keys(node, known, r->diags))
        return false;
    if (!operand)
        return fail(r, node->origin, "there is no op in this item");
    c.op.kind = op_readers[which].kind;
    c.op.origin = operand->key_origin;
    bool good = read_options(&c, node);
    return op_readers[which].read(&c, operand) && good;
}

bool dg_ops_read(const dg_ops_reader *reader, const dg_node *node, dg_ops *ret_ops)
{
    op_list list = {NULL, 0, 0};
    bool good = true;
    if (node->kind == DG_NODE_LIST)
        for (const dg_node *n = node->first; n; n = n->next)
            good &= read_op(reader, n, &list);
    else
        good = read_op(reader, node, &list);
    if (good)
        *ret_ops = (dg_ops){list.items, list.count};
    return good;
}
