/* What a change says about one kind of message of an endpoint: the ops on its body, or on each of
 * its parts. */
#include "rules/reader/field.h"
#include "rules/reader/pack.h"
#include "rules/reader/places.h"

/* ---- formats, status tables, static answers */

bool dg_pack_read_format(dg_pack *pack, const dg_node *node, dg_format *ret_format)
{
    static const char *const words[] = {"json", "form", "text", "none"};
    for (unsigned i = 0; node->kind == DG_NODE_SCALAR && i < sizeof words / sizeof *words; i++)
        if (dg_slice_eq(node->text, dg_slice_str(words[i]))) {
            *ret_format = (dg_format)i;
            return true;
        }
    dg_diags_add(pack->diags, DG_ERROR, node->origin, "expected json, form, text or none");
    return false;
}

static void read_formats(dg_pack *pack, const dg_node *node, dg_side *side)
{
    static const char *const keys[] = {"older", "newer", NULL};
    if (!dg_node_want_map(node, "a map: {older: text, newer: json}", pack->diags))
        return;
    const dg_node *older = dg_node_get(node, "older"), *newer = dg_node_get(node, "newer");
    dg_node_check_keys(node, keys, pack->diags);
    side->older = side->newer = DG_FORMAT_JSON;
    side->has_format = true;
    if (older)
        (void)dg_pack_read_format(pack, older, &side->older);
    if (newer)
        (void)dg_pack_read_format(pack, newer, &side->newer);
    if (!older && !newer)
        dg_diags_add(pack->diags, DG_ERROR, node->origin, "format needs 'older' or 'newer'");
}

static unsigned status_of(dg_slice text)
{
    unsigned status = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || i == 3)
            return 0;
        status = status * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return status >= 200 && status <= 599 ? status : 0;
}

/* Both directions are known when the pack is: no two rows share a side. */
static void add_status(dg_pack *pack, const dg_node *row, dg_binding *binding, size_t cap)
{
    dg_status_pair pair = {status_of(row->key),
                           row->kind == DG_NODE_SCALAR ? status_of(row->text) : 0};
    if (!pair.older || !pair.newer) {
        dg_diags_add(
            pack->diags, DG_ERROR, row->key_origin,
            "expected two statuses from 200 to 599, as the older and the newer version have them");
        return;
    }
    for (size_t i = 0; i < binding->status_count; i++)
        if (binding->statuses[i].older == pair.older || binding->statuses[i].newer == pair.newer) {
            bool older = binding->statuses[i].older == pair.older;
            dg_diags_add(pack->diags, DG_ERROR, row->key_origin,
                         older ? "status %u becomes two statuses"
                               : "two statuses become %u, so the way back is not known",
                         older ? pair.older : pair.newer);
            return;
        }
    DG_ASSERT(binding->status_count < cap);
    binding->statuses[binding->status_count++] = pair;
}

static void read_statuses(dg_pack *pack, const dg_node *node, dg_binding *binding)
{
    if (!dg_node_want_map(node, "a map: {200: 204}", pack->diags))
        return;
    size_t cap = binding->status_count + node->count;
    dg_status_pair *grown = dg_arena_alloc(pack->arena, (cap + 1) * sizeof *grown);
    if (!grown)
        return;
    if (binding->status_count)
        memcpy(grown, binding->statuses, binding->status_count * sizeof *grown);
    binding->statuses = grown;
    for (const dg_node *row = node->first; row; row = row->next)
        add_status(pack, row, binding, cap);
}

static dg_slice json_of(dg_pack *pack, const dg_node *node)
{
    dg_buf text;
    dg_buf_init(&text, DG_DOC_BYTES_MAX * 6);
    dg_slice json = {NULL, 0};
    if (dg_node_json(node, pack->diags, &text) && text.status == DG_OK)
        json = dg_arena_dup(pack->arena, dg_buf_slice(&text));
    else if (text.status == DG_NOMEM)
        pack->arena->failed = true;
    dg_buf_free(&text);
    return json;
}

static void read_answer_fields(dg_pack *pack, const dg_node *node, dg_static_answer *answer)
{
    if (!dg_node_want_map(node, "a map of header fields: {location: /v2}", pack->diags))
        return;
    for (const dg_node *n = node->first; n; n = n->next) {
        dg_slice text;
        const char *problem = dg_field_problem(n->key);
        if (problem)
            dg_diags_add(pack->diags, DG_ERROR, n->key_origin, "'%.*s' %s", DG_SLICE_FMT(n->key),
                         problem);
        else if (!dg_node_is_string(n))
            dg_diags_add(pack->diags, DG_ERROR, n->origin, "expected a string");
        else if (dg_node_want_string(n, "a string", pack->diags, &text) && !dg_field_text_ok(text))
            dg_diags_add(pack->diags, DG_ERROR, n->origin,
                         "a field's value has no control characters");
    }
    answer->headers = json_of(pack, node);
}

const dg_static_answer *dg_pack_read_answer(dg_pack *pack, const dg_node *node, size_t version)
{
    static const char *const keys[] = {"status", "headers", "format", "body", NULL};
    dg_static_answer *answer = dg_arena_zalloc(pack->arena, sizeof *answer);
    if (!answer || !dg_node_want_map(node, "an answer: {status: 410, body: {...}}", pack->diags))
        return NULL;
    dg_node_check_keys(node, keys, pack->diags);
    const dg_node *status = dg_node_get(node, "status"), *headers = dg_node_get(node, "headers");
    const dg_node *format = dg_node_get(node, "format"), *body = dg_node_get(node, "body");
    answer->version = version;
    answer->headers = DG_SLICE("{}");
    answer->status = status && status->kind == DG_NODE_SCALAR ? status_of(status->text) : 0;
    if (!answer->status)
        dg_diags_add(pack->diags, DG_ERROR, status ? status->origin : node->origin,
                     "an answer needs a 'status' from 200 to 599");
    if (headers)
        read_answer_fields(pack, headers, answer);
    if (format)
        (void)dg_pack_read_format(pack, format, &answer->format);
    if (body)
        answer->body = json_of(pack, body);
    if (body &&
        (answer->status == 204 || answer->status == 304 || answer->format == DG_FORMAT_NONE))
        dg_diags_add(pack->diags, DG_ERROR, body->origin, "such an answer has no body");
    if (body && answer->format == DG_FORMAT_TEXT && !dg_node_is_string(body))
        dg_diags_add(pack->diags, DG_ERROR, body->origin, "a body of text is a string");
    if (format && answer->format == DG_FORMAT_FORM)
        dg_diags_add(pack->diags, DG_ERROR, format->origin, "an answer of a pack is json or text");
    return answer;
}

/* ---- ops on parts */

static bool add_ops(dg_arena *arena, dg_ops *list, const dg_op *items, size_t count)
{
    dg_op *grown = dg_arena_alloc(arena, (list->count + count + 1) * sizeof *grown);
    if (!grown)
        return false;
    if (list->count)
        memcpy(grown, list->items, list->count * sizeof *grown);
    if (count)
        memcpy(grown + list->count, items, count * sizeof *items);
    *list = (dg_ops){grown, list->count + count};
    return true;
}

/* `body`, on the member `name` of the document. */
static bool add_in(dg_arena *arena, dg_ops *list, const char *name, const dg_ops *body,
                   dg_origin origin)
{
    if (!body)
        return true;
    const dg_op op = {.kind = DG_OP_IN, .origin = origin, .name = dg_slice_str(name), .body = body};
    return add_ops(arena, list, &op, 1);
}

/* A lens alone is the list of that lens, so that all parts that say so share one inverse and one
 * program. */
static const dg_ops *read_list(dg_pack *pack, const dg_ops_reader *reader, const dg_node *node)
{
    dg_ops *ops = dg_arena_zalloc(pack->arena, sizeof *ops);
    if (!ops || !dg_ops_read(reader, node, ops) ||
        !dg_ops_check_size(reader, ops, node->key_origin))
        return NULL;
    return ops->count == 1 && ops->items[0].kind == DG_OP_LENS ? ops->items[0].body : ops;
}

/* What the checks of places need to know. */
typedef struct checking {
    dg_pack *pack;
    unsigned of;
    const char *part; /* NULL: the whole document */
} checking;

static void wrong_place(const checking *c, const dg_place *place, const char *what)
{
    dg_diags_add(c->pack->diags, DG_ERROR, place->op->origin, "%s: %s", dg_op_word(place->op->kind),
                 what);
}

static void check_field(void *context, const dg_place *place)
{
    const checking *c = context;
    if (place->count == 0 || !place->steps[0].ptr)
        return; /* all of them */
    const char *problem = dg_field_problem(place->steps[0]);
    if (problem)
        dg_diags_add(c->pack->diags, DG_ERROR, place->op->origin, "'%.*s' %s",
                     DG_SLICE_FMT(place->steps[0]), problem);
}

static bool is_word(dg_slice name, const char *word)
{
    return dg_slice_eq(name, dg_slice_str(word));
}

/* Whether an op puts or takes away the member itself that it names. An object made on the way to
 * what comes into it is there already. */
static bool replaces(const dg_op *op)
{
    switch (op->kind) {
    case DG_OP_DEFAULT:
    case DG_OP_DROP:
        return !op->if_empty;
    case DG_OP_RENAME:
    case DG_OP_ADD:
    case DG_OP_MOVE:
        return true;
    default:
        return false;
    }
}

static void check_place(void *context, const dg_place *place)
{
    const checking *c = context;
    bool request = c->of == DG_SIDE_REQUEST, writes = place->writes || place->makes;
    dg_slice part = place->steps[0];
    if (place->count == 0 || !part.ptr) {
        wrong_place(c, place, "name the part of the message that this is about: body, headers ...");
        return;
    }
    bool shared = is_word(part, "headers") || is_word(part, "body");
    bool known = request ? shared || is_word(part, "method") || is_word(part, "origin") ||
                               is_word(part, "path") || is_word(part, "query")
                         : shared || is_word(part, "status") || is_word(part, "request");
    if (!known)
        wrong_place(c, place,
                    request ? "a request has method, origin, path, query, headers and body"
                            : "an answer has status, headers, body and request");
    else if (writes && is_word(part, "method"))
        wrong_place(c, place, "the method changes by 'becomes'");
    else if (writes && is_word(part, "origin"))
        wrong_place(c, place, "where a request was sent to can be read only");
    else if (writes && is_word(part, "status"))
        wrong_place(c, place, "the status changes by a 'status' table");
    else if (writes && is_word(part, "request"))
        wrong_place(c, place, "the request of an answer can be read only: copy what it is about");
    else if (place->count == 1 && !is_word(part, "body") && replaces(place->op))
        wrong_place(c, place, "a part stays; change what is in it");
    else if (is_word(part, "headers") && place->count > 1) {
        dg_place field = {.steps = {place->steps[1]}, .count = 1, .op = place->op};
        check_field(context, &field);
    }
}

static bool is_part_word(dg_slice key)
{
    static const char *const words[] = {"path",    "query",  "headers", "body",
                                        "message", "format", "status"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(key, words[i]))
            return true;
    return false;
}

/* No part has the name of an op. */
static bool is_map_of_parts(const dg_node *node)
{
    for (const dg_node *n = node->kind == DG_NODE_MAP ? node->first : NULL; n; n = n->next)
        if (is_part_word(n->key))
            return true;
    return false;
}

static void read_part(dg_pack *pack, const dg_ops_reader *reader, const dg_node *node,
                      dg_side *side)
{
    checking check = {.pack = pack, .of = side->of, .part = node->key.ptr};
    const dg_ops *ops = read_list(pack, reader, node);
    if (!ops)
        return;
    if (is_word(node->key, "body"))
        side->body.up = ops;
    else if (is_word(node->key, "path"))
        side->path = ops;
    else if (is_word(node->key, "query"))
        side->query = ops;
    else if (is_word(node->key, "headers")) {
        side->headers = ops;
        dg_ops_places(ops, check_field, &check);
    } else {
        side->message = ops;
        dg_ops_places(ops, check_place, &check);
    }
}

static void read_parts(dg_pack *pack, const dg_ops_reader *reader, const dg_node *node,
                       dg_side *side, dg_binding *binding)
{
    static const char *const of_request[] = {"path",    "query",  "headers", "body",
                                             "message", "format", NULL};
    static const char *const of_answer[] = {"headers", "body", "message", "format", "status", NULL};
    dg_node_check_keys(node, side->of == DG_SIDE_REQUEST ? of_request : of_answer, pack->diags);
    for (const dg_node *n = node->first; n; n = n->next) {
        if (is_word(n->key, "format"))
            read_formats(pack, n, side);
        else if (is_word(n->key, "status"))
            read_statuses(pack, n, binding);
        else if (is_part_word(n->key))
            read_part(pack, reader, n, side);
    }
}

/* The lists on the document, out of those on its parts. */
static void join_parts(dg_pack *pack, dg_side *side)
{
    dg_ops around = {NULL, 0};
    dg_arena *arena = pack->arena;
    if (!add_in(arena, &around, "path", side->path, side->origin) ||
        !add_in(arena, &around, "query", side->query, side->origin) ||
        !add_in(arena, &around, "headers", side->headers, side->origin))
        return;
    dg_ops whole = {NULL, 0};
    if (!add_ops(arena, &whole, around.items, around.count) ||
        !add_in(arena, &whole, "body", side->body.up, side->origin) ||
        (side->message && !add_ops(arena, &whole, side->message->items, side->message->count)))
        return;
    dg_ops *lists = dg_arena_alloc(arena, 2 * sizeof *lists);
    if (!lists)
        return;
    lists[0] = around;
    lists[1] = whole;
    side->around.up = around.count ? &lists[0] : NULL;
    side->whole.up = whole.count ? &lists[1] : NULL;
}

void dg_pack_read_side(dg_pack *pack, const dg_ops_reader *reader, const dg_node *node, unsigned of,
                       dg_binding *binding)
{
    dg_side *side = &binding->sides[binding->side_count++];
    *side = (dg_side){.of = of, .origin = node->key_origin};
    if (is_map_of_parts(node))
        read_parts(pack, reader, node, side, binding);
    else
        side->body.up = read_list(pack, reader, node);
    join_parts(pack, side);
}

dg_side *dg_binding_side(const dg_binding *binding, unsigned of)
{
    for (size_t i = 0; i < binding->side_count; i++)
        if (binding->sides[i].of == of)
            return &binding->sides[i];
    return NULL;
}

/* ---- the ways back */

static void invert(dg_pack *pack, const dg_ops *up, dg_ops *ret_down)
{
    dg_diags found;
    dg_diags_init(&found);
    if (dg_ops_inverse(pack->arena, up, &found, ret_down) == DG_NOMEM)
        pack->arena->failed = true;
    dg_pack_take_diags(&found, pack->diags);
    dg_diags_free(&found);
}

static const dg_ops *inverse_of(dg_pack *pack, const dg_ops *up)
{
    dg_ops *down = up ? dg_arena_zalloc(pack->arena, sizeof *down) : NULL;
    if (down)
        invert(pack, up, down);
    return down;
}

static const dg_ops *inverse_of_body(dg_pack *pack, const dg_change *change, const dg_ops *up)
{
    for (size_t i = 0; i < change->lens_count; i++)
        if (up == &change->lenses[i].ops)
            return &change->lenses[i].down;
    return inverse_of(pack, up);
}

/* The whole of it, backward: each list is turned once. */
static void invert_side(dg_pack *pack, const dg_change *change, dg_side *side)
{
    side->body.down = inverse_of_body(pack, change, side->body.up);
    side->around.down = inverse_of(pack, side->around.up);
    const dg_ops *message = inverse_of(pack, side->message), *around = side->around.down;
    dg_ops *whole = side->whole.up ? dg_arena_zalloc(pack->arena, sizeof *whole) : NULL;
    if (whole && (!message || add_ops(pack->arena, whole, message->items, message->count)) &&
        add_in(pack->arena, whole, "body", side->body.down, side->origin) &&
        (!around || add_ops(pack->arena, whole, around->items, around->count)))
        side->whole.down = whole;
}

void dg_pack_invert(dg_pack *pack, dg_change *change)
{
    /* After everything is read: a list whose lens is broken cannot be turned. Lenses that nothing
     * uses are turned too, for the sake of their mistakes. */
    for (size_t i = 0; i < change->lens_count; i++)
        invert(pack, &change->lenses[i].ops, &change->lenses[i].down);
    for (size_t i = 0; i < change->binding_count; i++)
        for (size_t k = 0; k < change->bindings[i].side_count; k++)
            invert_side(pack, change, &change->bindings[i].sides[k]);
}
