/* Documents that a person wrote: YAML or JSON, as a tree that knows the line and column of
 * everything in it.
 *
 * Packs and the proxy's configuration are both read with this. The language is the part of YAML 1.2
 * that JSON has too: maps with scalar keys, lists and scalars. Anchors, aliases, tags, merge keys
 * and several documents in one file are refused with a message, for they make a file harder to read
 * and to bound. A key that comes twice in a map is an error.
 *
 * Types follow the YAML 1.2 core schema: a plain true, false, null or number is that, everything
 * else plain is a string ("no" and "on" are strings), and what stands in quotes is always a string.
 *
 * A tree lives in the arena that it was read into, and is immutable; slices in it are followed by a
 * NUL. Readers never stop at the first mistake: every getter adds to `diags` and lets the caller go
 * on. */
#ifndef DG_RULES_DOC_H
#define DG_RULES_DOC_H

#include "base/buf.h"
#include "base/diag.h"

enum {
    DG_DOC_BYTES_MAX = 1 << 20, /* a file */
    DG_DOC_DEPTH_MAX = 64,
    DG_DOC_NODES_MAX = 100000,
    DG_DOC_MEMBERS_MAX = 4096 /* of one map */
};

typedef enum dg_node_kind { DG_NODE_SCALAR, DG_NODE_LIST, DG_NODE_MAP } dg_node_kind;

typedef struct dg_node {
    dg_node_kind kind;
    bool quoted; /* scalar: in quotes, or a block scalar */
    dg_origin origin;
    dg_slice text;         /* scalar: decoded UTF-8 */
    struct dg_node *first; /* list, map: the children, chained by `next` */
    size_t count;
    struct dg_node *next;
    /* Of a child of a map: */
    dg_slice key;
    bool key_quoted;
    dg_origin key_origin;
    uint64_t key_hash;
} dg_node;

/* Reads a document. `file` is for messages and must live as long as the tree. An empty document is
 * an error. DG_INVALID with at least one diagnostic, DG_NOMEM. */
DG_MUST_USE dg_status dg_doc_read(dg_arena *arena, dg_slice bytes, const char *file,
                                  dg_diags *diags, const dg_node **ret_root);
/* All of a regular file of at most `max` bytes, in the arena; `path` must live as long as the messages. What is no
 * regular file is refused, so that reading never blocks. DG_INVALID (too long), DG_IO, both with a diagnostic; DG_NOMEM. */
DG_MUST_USE dg_status dg_file_read(dg_arena *arena, const char *path, size_t max, dg_diags *diags,
                                   dg_slice *ret_bytes);
/* The same, from a regular file (what is no regular file is refused, so that reading never blocks).
 * Also DG_IO, with a diagnostic. */
DG_MUST_USE dg_status dg_doc_load(dg_arena *arena, const char *path, dg_diags *diags,
                                  const dg_node **ret_root);

/* "a map", "a list", "a string", "a number", "true or false", "null". */
const char *dg_node_describe(const dg_node *node);

bool dg_node_is_null(const dg_node *node);   /* plain null, ~ or nothing */
bool dg_node_is_string(const dg_node *node); /* what JSON would write in quotes */

/* A hash of the tree: the same for the same content, wherever and whenever it is read; comments and layout do not
 * count. `before` chains several. */
uint64_t dg_node_digest(const dg_node *node, uint64_t before);

/* A member of a map by its key, or NULL when absent or `map` is no map. */
const dg_node *dg_node_get(const dg_node *map, const char *key);

/* Each returns false after adding "expected ..., found ..." at the node. `what` says what is
 * expected, with its article: "the name of a version". */
bool dg_node_want_map(const dg_node *node, const char *what, dg_diags *diags);
bool dg_node_want_list(const dg_node *node, const char *what, dg_diags *diags);
/* A string that is not empty. Plain numbers and dates are taken as written: `name: 2024` is "2024".
 */
bool dg_node_want_string(const dg_node *node, const char *what, dg_diags *diags,
                         dg_slice *ret_text);
bool dg_node_want_bool(const dg_node *node, const char *what, dg_diags *diags, bool *ret_value);
/* A whole number from min to max. */
bool dg_node_want_u64(const dg_node *node, const char *what, uint64_t min, uint64_t max,
                      dg_diags *diags, uint64_t *ret_value);

/* One of `words` (ends with NULL): its index. */
bool dg_node_want_word(const dg_node *node, const char *const *words, dg_diags *diags,
                       size_t *ret_which);

/* Adds an error for each member of `map` whose key is not among `known` (ends with NULL), with the
 * key that was likely meant. True when there is none. */
bool dg_node_check_keys(const dg_node *map, const char *const *known, dg_diags *diags);

/* Appends the node as JSON text without white space. Numbers stay as written; a number that JSON
 * cannot write so (0x10, .5, +1, 007, .inf) is an error that says so. False when something was
 * added to `diags`. */
bool dg_node_json(const dg_node *node, dg_diags *diags, dg_buf *out);
/* A map's key as a JSON scalar: typed when plain, a string when quoted. The same errors. */
bool dg_node_key_json(const dg_node *child, dg_diags *diags, dg_buf *out);

#endif
