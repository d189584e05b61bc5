/* What can be said of a program before it meets a message. Internal to the room. */
#ifndef DG_TRANSFORMS_CHECK_H
#define DG_TRANSFORMS_CHECK_H

#include "transforms/pass/lexicon.h"

enum { DG_LISTS_MAX = 4096 };

typedef struct dg_check {
    const dg_ops *seen[DG_LISTS_MAX];
    size_t seen_count;
    unsigned depth; /* of tests in tests */
    dg_diags *diags;
    bool failed; /* out of memory */
    bool wrong;  /* a complaint was added to `diags` */
} dg_check;

#define DG_COMPLAIN(c, op, ...)                                                                    \
    do {                                                                                           \
        (c)->wrong = true;                                                                         \
        dg_diags_add((c)->diags, DG_ERROR, (op)->origin, __VA_ARGS__);                             \
    } while (0)

/* Whether the operands of each op make sense: the list and those that it leads to, once each. */
void dg_check_list(dg_check *c, const dg_ops *list);
/* Builds the nodes that the program's own names lead to, complains of what can never apply, and finds out whether
 * the program streams; trial.c. DG_NOMEM. */
DG_MUST_USE dg_status dg_check_trial(dg_check *c, dg_program *program);

/* The lists that an op holds: calls `visit` with each. */
typedef void dg_list_visit(void *context, const dg_ops *list);
void dg_op_lists(const dg_op *op, dg_list_visit *visit, void *context);

#endif
