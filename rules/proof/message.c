#include "rules/proof/message.h"

#include <stdlib.h>

#include "rules/reader/field.h"

enum { PARAMS_MAX = 512 };

static dg_slice string_at(const dg_tree *message, dg_slice name)
{
    const dg_tree *member = message ? dg_tree_member(message, name) : NULL;
    return member && member->kind == DG_TREE_STRING ? member->string : (dg_slice){NULL, 0};
}

static dg_tree *read(dg_arena *arena, dg_slice json)
{
    dg_tree *tree = NULL;
    return json.len && dg_tree_read(arena, json, &tree) == DG_OK ? tree : NULL;
}

const dg_line *dg_message_line(const dg_compiled_api *api, dg_slice request,
                               const dg_version *version)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    const dg_line *line = NULL;
    const dg_tree *tree = read(&arena, request);
    dg_slice target = string_at(tree, DG_SLICE("target")),
             method = string_at(tree, DG_SLICE("method"));
    target = dg_slice_until(target, dg_slice_find(target, '?'));
    if (dg_slice_starts(target, api->api.base)) {
        dg_slice rest = dg_slice_from(target, api->api.base.len);
        if (api->api.by_path)
            (void)dg_select_in_path(&api->api, &rest);
        const char *name =
            dg_arena_printf(&arena, "%.*s %.*s", DG_SLICE_FMT(method), DG_SLICE_FMT(rest));
        line = name ? dg_line_named(api, dg_slice_str(name), version->index) : NULL;
    }
    dg_arena_free(&arena);
    return line;
}

unsigned dg_message_status(dg_slice response)
{
    dg_arena arena;
    dg_arena_init(&arena, 0);
    const dg_tree *tree = read(&arena, response),
                  *status = tree ? dg_tree_member(tree, DG_SLICE("status")) : NULL;
    unsigned code =
        status && status->text.len == 3 ? (unsigned)strtoul(status->text.ptr, NULL, 10) : 200;
    dg_arena_free(&arena);
    return code >= 100 && code < 600 ? code : 200;
}

/* ---- queries */

static int hex_of(char c)
{
    char lower = dg_ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static dg_slice decoded(dg_arena *arena, dg_slice raw)
{
    char *out = dg_arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < raw.len; i++) {
        int high = raw.ptr[i] == '%' && i + 2 < raw.len ? hex_of(raw.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_of(raw.ptr[i + 2]) : -1;
        out[len++] = low >= 0 ? (char)(high * 16 + low) : raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
        i += low >= 0 ? 2 : 0;
    }
    return dg_slice_of(out, out ? len : 0);
}

typedef struct param {
    dg_slice name, value;
    size_t index;
} param;

static int by_name(const void *a, const void *b)
{
    const param *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = len ? memcmp(x->name.ptr, y->name.ptr, len) : 0;
    if (order == 0 && x->name.len != y->name.len)
        order = x->name.len < y->name.len ? -1 : 1;
    return order ? order : x->index < y->index ? -1 : 1;
}

/* Sorted by name; those of one name in their order. */
static size_t params_of(dg_arena *arena, dg_slice query, param params[PARAMS_MAX])
{
    size_t count = 0;
    while (query.len && count < PARAMS_MAX) {
        dg_slice one = dg_slice_until(query, dg_slice_find(query, '&'));
        size_t equals = dg_slice_find(one, '=');
        if (one.len) {
            params[count] = (param){decoded(arena, dg_slice_until(one, equals)),
                                    decoded(arena, dg_slice_from(one, equals + 1)), count};
            count++;
        }
        query = dg_slice_from(query, one.len + 1);
    }
    qsort(params, count, sizeof *params, by_name);
    return count;
}

static bool same_query(dg_arena *arena, dg_slice a, dg_slice b)
{
    param *both = dg_arena_alloc(arena, 2 * PARAMS_MAX * sizeof *both);
    size_t count = both ? params_of(arena, a, both) : 0;
    bool same = both && params_of(arena, b, both + PARAMS_MAX) == count;
    for (size_t i = 0; same && i < count; i++)
        same = dg_slice_eq(both[i].name, both[PARAMS_MAX + i].name) &&
               dg_slice_eq(both[i].value, both[PARAMS_MAX + i].value);
    return same;
}

static bool same_target(dg_arena *arena, dg_slice a, dg_slice b)
{
    size_t x = dg_slice_find(a, '?'), y = dg_slice_find(b, '?');
    return dg_slice_eq(dg_slice_until(a, x), dg_slice_until(b, y)) &&
           same_query(arena, dg_slice_from(a, x + 1), dg_slice_from(b, y + 1));
}

/* ---- header fields */

static const dg_tree *field_of(const dg_tree *message, dg_slice name)
{
    const dg_tree *headers = dg_tree_member(message, DG_SLICE("headers"));
    for (const dg_tree *field = headers ? headers->first : NULL; field; field = field->next)
        if (dg_slice_ieq(field->name, name))
            return field;
    return NULL;
}

static bool is_form(const dg_tree *message)
{
    const dg_tree *type = field_of(message, DG_SLICE("content-type"));
    const dg_slice form = DG_SLICE("application/x-www-form-urlencoded");
    return type && type->kind == DG_TREE_STRING &&
           dg_slice_ieq(dg_slice_until(type->string, form.len), form);
}

/* A media type without its parameters. */
static dg_slice essence(const dg_tree *field)
{
    dg_slice text = field && field->kind == DG_TREE_STRING ? field->string : (dg_slice){NULL, 0};
    text = dg_slice_until(text, dg_slice_find(text, ';'));
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

static void compare_field(dg_differences *list, dg_slice name, const dg_tree *expected,
                          const dg_tree *got)
{
    const char *at = dg_arena_printf(list->arena, "headers.%.*s", DG_SLICE_FMT(name));
    bool absent = !expected || expected->kind == DG_TREE_NULL;
    if (!at || (absent && !got))
        return;
    if (dg_slice_ieq(name, DG_SLICE("content-type")) && !absent && got &&
        dg_slice_ieq(essence(expected), essence(got)))
        return;
    dg_compare_into(list, absent ? NULL : expected, got, at);
}

static void compare_headers(dg_differences *list, const dg_example *example, const dg_api *api,
                            const dg_tree *expected, const dg_tree *got)
{
    const dg_tree *headers = dg_tree_member(expected, DG_SLICE("headers"));
    for (size_t i = 0; i < example->header_count; i++)
        compare_field(list, example->headers[i], field_of(expected, example->headers[i]),
                      field_of(got, example->headers[i]));
    for (const dg_tree *f = headers ? headers->first : NULL; f; f = f->next) {
        bool type = dg_slice_ieq(f->name, DG_SLICE("content-type"));
        if (example->headers ? !type : !type && !dg_field_is_documented(f->name))
            continue;
        if (!dg_slice_ieq(f->name, api->version_field))
            compare_field(list, f->name, f, field_of(got, f->name));
    }
}

/* ---- all of it */

static void compare_member(dg_differences *list, const char *name, const dg_tree *expected,
                           const dg_tree *got)
{
    dg_compare_into(list, dg_tree_member(expected, dg_slice_str(name)),
                    dg_tree_member(got, dg_slice_str(name)), name);
}

void dg_message_compare(dg_differences *list, const dg_example *example, const dg_api *api,
                        const dg_tree *expected, const dg_tree *got)
{
    if (expected->kind != DG_TREE_OBJECT || got->kind != DG_TREE_OBJECT) {
        dg_compare_into(list, expected, got, "");
        return;
    }
    dg_slice a = string_at(expected, DG_SLICE("target")), b = string_at(got, DG_SLICE("target"));
    compare_member(list, "method", expected, got);
    if (!same_target(list->arena, a, b))
        compare_member(list, "target", expected, got);
    compare_member(list, "status", expected, got);
    compare_headers(list, example, api, expected, got);
    compare_member(list, "body", expected, got);
    a = string_at(expected, DG_SLICE("body_text"));
    b = string_at(got, DG_SLICE("body_text"));
    if (!a.ptr || !b.ptr || !is_form(expected) || !same_query(list->arena, a, b))
        compare_member(list, "body_text", expected, got);
}
