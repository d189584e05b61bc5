/* What stands beside an op in its item, and what an op does with a value that it does not know. */
#include "rules/reader/op_reader.h"

static bool read_lossy(dg_reading *c, const dg_node *node)
{
    static const char *const words[] = {"accept", NULL};
    size_t which;
    c->op.lossy = true;
    return dg_node_want_word(node, words, c->reader->diags, &which);
}

static bool read_when(dg_reading *c, const dg_node *node)
{
    /* A plain null is the word here, for `when: null` is how one writes it. */
    static const char *const words[] = {"absent", "null", "empty", NULL};
    size_t which;
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    c->when = (dg_when)(DG_WHEN_ABSENT + which);
    return true;
}

static bool read_collision(dg_reading *c, const dg_node *node)
{
    static const char *const words[] = {"reject", "newer", "older", NULL};
    size_t which;
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    c->op.collision = (dg_collision)which;
    return true;
}

static bool read_restore(dg_reading *c, const dg_node *node)
{
    return dg_json_of(c, node, &c->op.value);
}

static const struct {
    const char *key;
    unsigned policy;
    bool (*read)(dg_reading *c, const dg_node *node); /* NULL: the op itself reads it */
} policies[] = {
    {"lossy", DG_MAY_LOSE, read_lossy}, {"restore", DG_MAY_RESTORE, read_restore},
    {"when", DG_MAY_DEPEND, read_when}, {"collision", DG_MAY_COLLIDE, read_collision},
    {"do", DG_MAY_BRANCH, NULL},        {"else", DG_MAY_BRANCH, NULL},
    {"newer", DG_MAY_BRANCH, NULL},
};

enum { POLICY_COUNT = sizeof policies / sizeof *policies };

bool dg_read_policies(dg_reading *c, unsigned allowed)
{
    bool good = true;
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        const dg_node *node = dg_node_get(c->item, policies[i].key);
        if (!node)
            continue;
        if (!(policies[i].policy & allowed)) {
            dg_diags_add(c->reader->diags, DG_ERROR, node->key_origin,
                         "'%s' says nothing beside %s", policies[i].key, c->op.word);
            good = false;
        } else if (policies[i].read) {
            good &= policies[i].read(c, node);
        }
    }
    const dg_node *restore = dg_node_get(c->item, "restore");
    if (restore && c->op.lossy && (allowed & DG_MAY_RESTORE))
        good = dg_op_fail(c, restore->key_origin,
                          "what is restored is not lost: keep one of 'restore' and 'lossy'");
    return good;
}

bool dg_read_unknown(dg_reading *c, const dg_node *operand, bool has_default)
{
    static const char *const keys[] = {"default", NULL};
    static const char *const words[] = {"reject", "pass", NULL};
    const dg_node *node = dg_node_get(operand, "unknown");
    size_t which;
    if (!node)
        return true;
    const dg_node *value = has_default ? dg_node_get(node, "default") : NULL;
    if (value) {
        c->op.unknown = DG_UNKNOWN_DEFAULT;
        bool good = dg_node_check_keys(node, keys, c->reader->diags);
        return dg_json_of(c, value, &c->op.value) && good;
    }
    bool scalar = node->kind == DG_NODE_SCALAR;
    if (has_default && !(scalar && (dg_slice_eq(node->text, DG_SLICE("pass")) ||
                                    dg_slice_eq(node->text, DG_SLICE("reject")))))
        return dg_op_fail(c, node->origin, "expected pass, reject or {default: value}");
    if (!dg_node_want_word(node, words, c->reader->diags, &which))
        return false;
    c->op.unknown = which ? DG_UNKNOWN_PASS : DG_UNKNOWN_REJECT;
    return true;
}
