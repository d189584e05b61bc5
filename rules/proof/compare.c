#include "rules/proof/compare.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 1024, UNORDERED_MAX = 4096 };

/* Where the walk is: as it is shown, and with [] for every index. */
typedef struct place {
    char shown[PATH_BYTES], general[PATH_BYTES];
} place;

typedef struct walk {
    dg_differences *list; /* NULL: only whether there is one */
    const dg_loose *loose;
    bool differs;
} walk;

static void add_name(char path[PATH_BYTES], dg_slice name)
{
    size_t at = strlen(path);
    if (at && at + 1 < PATH_BYTES)
        path[at++] = '.';
    for (size_t i = 0; i < name.len && at + 2 < PATH_BYTES; i++) {
        if (name.ptr[i] == '.' || name.ptr[i] == '[' || name.ptr[i] == '\\')
            path[at++] = '\\';
        path[at++] = name.ptr[i];
    }
    path[at] = '\0';
}

static void add_index(place *p, size_t index)
{
    size_t shown = strlen(p->shown), general = strlen(p->general);
    (void)snprintf(p->shown + shown, PATH_BYTES - shown, "[%zu]", index);
    (void)snprintf(p->general + general, PATH_BYTES - general, "[]");
}

static bool is_listed(const dg_slice *paths, size_t count, const place *p)
{
    for (size_t i = 0; i < count; i++)
        if (dg_slice_eq(paths[i], dg_slice_str(p->general)))
            return true;
    return false;
}

static dg_slice text_of(dg_arena *arena, const dg_tree *tree)
{
    dg_buf out;
    if (!tree)
        return (dg_slice){NULL, 0};
    dg_buf_init(&out, 0);
    dg_tree_print(tree, &out);
    dg_slice text = dg_arena_dup(arena, dg_buf_slice(&out));
    if (out.status != DG_OK)
        arena->failed = true;
    dg_buf_free(&out);
    return text;
}

void dg_differ(dg_differences *list, const char *path, dg_slice expected, dg_slice got)
{
    dg_difference *d =
        list->count < DG_DIFFERENCES_MAX ? dg_arena_zalloc(list->arena, sizeof *d) : NULL;
    list->count++;
    if (!d)
        return;
    d->path = dg_arena_strdup(list->arena, path[0] ? path : ".");
    d->expected = expected;
    d->got = got;
    if (list->last)
        list->last->next = d;
    else
        list->first = d;
    list->last = d;
}

static void note(walk *w, const place *p, const dg_tree *expected, const dg_tree *got)
{
    w->differs = true;
    if (w->list && w->list->count >= DG_DIFFERENCES_MAX)
        w->list->count++;
    else if (w->list)
        dg_differ(w->list, p->shown, text_of(w->list->arena, expected),
                  text_of(w->list->arena, got));
}

static void compare(walk *w, const place *p, const dg_tree *expected, const dg_tree *got);

static void compare_objects(walk *w, const place *p, const dg_tree *expected, const dg_tree *got)
{
    for (const dg_tree *e = expected->first; e && (w->list || !w->differs); e = e->next) {
        place below = *p;
        add_name(below.shown, e->name);
        add_name(below.general, e->name);
        const dg_tree *g = dg_tree_member(got, e->name);
        if (g && w->loose->exact && !dg_slice_eq(e->key, g->key))
            g = NULL;
        compare(w, &below, e, g);
    }
    for (const dg_tree *g = got->first; g && (w->list || !w->differs); g = g->next)
        if (!dg_tree_member(expected, g->name)) {
            place below = *p;
            add_name(below.shown, g->name);
            add_name(below.general, g->name);
            compare(w, &below, NULL, g);
        }
}

static bool same(const dg_loose *loose, const place *p, const dg_tree *a, const dg_tree *b)
{
    walk w = {.loose = loose};
    compare(&w, p, a, b);
    return !w.differs;
}

/* Each expected element takes the first that is like it; what is left on either side differs. */
static void compare_unordered(walk *w, const place *p, const dg_tree *expected, const dg_tree *got)
{
    bool *taken = calloc(got->count + 1, sizeof *taken);
    const dg_tree *g;
    size_t index = 0, at;
    if (!taken) {
        if (w->list)
            w->list->arena->failed = true;
        w->differs = true;
        return;
    }
    for (const dg_tree *e = expected->first; e; e = e->next, index++) {
        place below = *p;
        add_index(&below, index);
        for (g = got->first, at = 0; g; g = g->next, at++)
            if (!taken[at] && same(w->loose, &below, e, g))
                break;
        if (g)
            taken[at] = true;
        else
            note(w, &below, e, NULL);
    }
    for (g = got->first, at = 0; g; g = g->next, at++)
        if (!taken[at]) {
            place below = *p;
            add_index(&below, at);
            note(w, &below, NULL, g);
        }
    free(taken);
}

static void compare_arrays(walk *w, const place *p, const dg_tree *expected, const dg_tree *got)
{
    const dg_loose *loose = w->loose;
    if ((loose->all_unordered || is_listed(loose->unordered, loose->unordered_count, p)) &&
        expected->count < UNORDERED_MAX && got->count < UNORDERED_MAX) {
        compare_unordered(w, p, expected, got);
        return;
    }
    const dg_tree *e = expected->first, *g = got->first;
    for (size_t i = 0; (e || g) && (w->list || !w->differs); i++) {
        place below = *p;
        add_index(&below, i);
        compare(w, &below, e, g);
        e = e ? e->next : NULL;
        g = g ? g->next : NULL;
    }
}

static void compare(walk *w, const place *p, const dg_tree *expected, const dg_tree *got)
{
    if (is_listed(w->loose->skipped, w->loose->skipped_count, p))
        return;
    if (!expected || !got || expected->kind != got->kind) {
        note(w, p, expected, got);
        return;
    }
    switch (expected->kind) {
    case DG_TREE_OBJECT:
        compare_objects(w, p, expected, got);
        return;
    case DG_TREE_ARRAY:
        compare_arrays(w, p, expected, got);
        return;
    case DG_TREE_STRING:
        if (!dg_slice_eq(expected->string, got->string) ||
            (w->loose->exact && !dg_slice_eq(expected->text, got->text)))
            note(w, p, expected, got);
        return;
    default:
        if (!dg_slice_eq(expected->text, got->text))
            note(w, p, expected, got);
    }
}

void dg_compare_into(dg_differences *list, const dg_tree *expected, const dg_tree *got,
                     const char *at)
{
    walk w = {.list = list, .loose = list->loose};
    place p = {.shown = ""};
    (void)snprintf(p.shown, sizeof p.shown, "%s", at);
    (void)snprintf(p.general, sizeof p.general, "%s", at);
    if (expected || got)
        compare(&w, &p, expected, got);
}

const dg_difference *dg_compare(dg_arena *arena, const dg_tree *expected, const dg_tree *got,
                                const char *at, const dg_loose *loose)
{
    dg_differences list = {.arena = arena, .loose = loose};
    dg_compare_into(&list, expected, got, at);
    return list.first;
}
