#include "rules/proof/steps.h"

#include <stdio.h>

enum { DEPTH_MAX = 32, PATH_BYTES = 256 };

/* What is around an op. */
typedef struct around {
    const struct around *outer;
    const dg_op *op;
} around;

typedef struct taker {
    dg_arena *arena;
    dg_step *steps;
    size_t count;
    dg_status status;
} taker;

static bool is_entered(const around *a, const dg_ops *list)
{
    for (; a; a = a->outer)
        if (a->op->body == list)
            return true;
    return false;
}

static void add_path(const around *a, char path[PATH_BYTES])
{
    if (!a)
        return;
    add_path(a->outer, path);
    size_t len = strlen(path);
    if (a->op->kind == DG_OP_IN)
        (void)snprintf(path + len, PATH_BYTES - len, "%s%.*s", len ? "." : "",
                       DG_SLICE_FMT(a->op->name));
    else if (a->op->kind == DG_OP_EACH)
        (void)snprintf(path + len, PATH_BYTES - len, "[]");
    else if (a->op->kind == DG_OP_MEMBERS)
        (void)snprintf(path + len, PATH_BYTES - len, "%s*", len ? "." : "");
}

/* The op with all that is around it, each a list of one. */
static const dg_ops *wrapped(dg_arena *arena, const dg_op *op, const around *a)
{
    const dg_ops *list = NULL;
    for (;; a = a->outer) {
        dg_op *copy = dg_arena_alloc(arena, sizeof *copy);
        dg_ops *one = dg_arena_alloc(arena, sizeof *one);
        if (!copy || !one)
            return NULL;
        *copy = *op;
        if (list)
            copy->body = list;
        *one = (dg_ops){copy, 1};
        list = one;
        while (a && a->op->kind != DG_OP_IN && a->op->kind != DG_OP_EACH &&
               a->op->kind != DG_OP_MEMBERS)
            a = a->outer;
        if (!a)
            return list;
        op = a->op;
    }
}

static void take_list(taker *t, const dg_ops *list, const around *outer, unsigned depth)
{
    for (size_t i = 0; i < list->count && t->status == DG_OK; i++) {
        const dg_op *op = &list->items[i];
        const around here = {outer, op};
        bool nests = op->kind == DG_OP_IN || op->kind == DG_OP_EACH || op->kind == DG_OP_MEMBERS ||
                     op->kind == DG_OP_LENS || op->kind == DG_OP_BOTH;
        if (nests && depth < DEPTH_MAX && !is_entered(outer, op->body)) {
            take_list(t, op->body, &here, depth + 1);
            continue;
        }
        char path[PATH_BYTES] = "";
        const dg_ops *one = wrapped(t->arena, op, outer);
        add_path(outer, path);
        const char *kept = dg_arena_strdup(t->arena, path[0] ? path : ".");
        if (t->count == DG_STEPS_MAX)
            t->status = DG_LIMIT;
        else if (!one || !kept)
            t->status = DG_NOMEM;
        else
            t->steps[t->count++] = (dg_step){op, *one, kept};
    }
}

dg_status dg_steps_add(dg_arena *arena, const dg_ops *list, dg_step steps[DG_STEPS_MAX],
                       size_t *count)
{
    taker t = {.arena = arena, .steps = steps, .count = *count, .status = DG_OK};
    take_list(&t, list, NULL, 0);
    *count = t.count;
    return t.status;
}

dg_status dg_ops_run(dg_runner *runner, const dg_ops *ops, dg_slice in, dg_buf *out,
                     dg_run_error *ret_error)
{
    dg_program *program = NULL;
    dg_diags diags;
    dg_diags_init(&diags);
    dg_status status = dg_program_compile(&ops, 1, &diags, &program);
    if (status == DG_OK) {
        status = dg_run(runner, program, in, out, ret_error);
        dg_runner_forget(runner, program);
    } else {
        *ret_error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    }
    if (status == DG_OK)
        status = dg_buf_reserve(out, DG_JSON_PADDING);
    dg_program_free(program);
    dg_diags_free(&diags);
    return status;
}
