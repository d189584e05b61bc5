/* Where a pack says that it loses nothing. */
#ifndef DG_RULES_PROOF_LOSSLESS_H
#define DG_RULES_PROOF_LOSSLESS_H

#include "rules/compile/compiled.h"

/* What op lists lose, and whether some op has a way back of its own (`down`), of which only its
 * author knows what it is worth. */
typedef struct dg_lost {
    bool up;   /* an older value, on its way up and back */
    bool down; /* a newer value, on its way down and back */
    bool own;
} dg_lost;

/* DG_NOMEM. */
DG_MUST_USE dg_status dg_lists_lose(const dg_ops *const *lists, size_t count, dg_lost *ret_lost);

/* Whether the messages of an endpoint lose nothing between two versions, in either direction: the
 * requests, status 0, or the answers with that status of the newer version. False out of memory. */
bool dg_lossless(const dg_compiled_api *api, const dg_line *line, unsigned status, size_t older,
                 size_t newer);

/* The lists of a side, upward, as they are written: path, query, headers, body, message. */
enum { DG_SIDE_LISTS = 5 };
size_t dg_side_lists(const dg_side *side, const dg_ops *ret_lists[DG_SIDE_LISTS]);

#endif
