/* A pack as it is declared: api.yaml and changes/, read, checked and joined into a chain, not yet
 * composed.
 *
 * Private to rules/. All of it lives in one arena, the rule set's. Readers add every error they
 * find to `diags` and go on; a pack with errors is never composed. The grammar is in docs/packs.md.
 */
#ifndef DG_RULES_PACK_H
#define DG_RULES_PACK_H

#include "rules/doc.h"
#include "rules/route.h"
#include "rules/selection.h"

enum {
    DG_VERSIONS_MAX = 256,
    DG_CHANGE_FILES_MAX = 512,
    DG_BINDINGS_MAX = 4096,     /* of a pack */
    DG_ENDPOINTS_MAX = 1024,    /* of a pack, counted once for all versions */
    DG_OP_PATH_MAX = 32,        /* steps of a dotted path */
    DG_OPS_EXPANDED_MAX = 20000, /* of an op list, lenses written out */
    DG_PACK_OPS_MAX = 200000     /* of a pack, so: it bounds what turning and compiling cost */
};

typedef enum dg_part { DG_REQUEST, DG_RESPONSE, DG_ERROR_RESPONSE, DG_PARTS } dg_part;

typedef struct dg_lens {
    dg_slice name;
    const dg_node *node;
    dg_ops ops; /* LENS ops point here, so that lenses may name each other in any order */
    dg_ops down;
    enum {
        DG_LENS_NEW,
        DG_LENS_ENTERED,
        DG_LENS_DONE
    } state; /* of the walk that checks recursion */
    size_t expanded;
} dg_lens;

/* What a change says about one endpoint. */
typedef struct dg_binding {
    dg_template older, newer; /* newer is older when nothing else is said */
    bool becomes;
    dg_origin origin;
    const dg_ops *up[DG_PARTS]; /* NULL when the part is not declared */
    const dg_ops *down[DG_PARTS];
} dg_binding;

typedef struct dg_change {
    const char *title;
    dg_origin origin; /* of `between` */
    size_t from;      /* index of the older version */
    dg_lens *lenses;
    size_t lens_count;
    dg_binding *bindings;
    size_t binding_count;
} dg_change;

typedef struct dg_inventory {
    dg_template endpoint;
    dg_origin origin;
} dg_inventory;

typedef struct dg_pack {
    dg_arena *arena;
    dg_diags *diags;
    const char *dir;
    dg_api api; /* versions without endpoints yet */
    dg_version *versions;
    dg_origin versions_origin, base_origin;
    dg_selection_rules selection;
    dg_inventory *inventory;
    size_t inventory_count;
    const dg_change **chain; /* chain[i] joins version i and i + 1 */
    size_t binding_total, op_total;
    uint64_t digest; /* of the documents read so far */
} dg_pack;

/* Reads the folder. DG_INVALID with diagnostics, DG_NOMEM, DG_IO. */
DG_MUST_USE dg_status dg_pack_read(dg_pack *pack, const dg_pack_source *source);

/* The pieces, in the order of the reading. Errors go to pack->diags; memory failures make the arena
 * sticky. */
void dg_pack_read_api(dg_pack *pack, const dg_node *root);
const dg_change *dg_pack_read_change(dg_pack *pack, const dg_node *root);
void dg_pack_join(dg_pack *pack, const dg_change *const *changes, size_t count);

/* A file of the pack by its name in it; NULL after an error when it leads out of the folder or does not exist. */
const char *dg_pack_path(dg_pack *pack, dg_slice name, dg_origin origin);

/* The version of that name, or NULL after adding an error with the near ones. */
const dg_version *dg_pack_version(const dg_pack *pack, dg_slice name, dg_origin origin);

/* Moves what `found` holds to `to`, but for what `to` says already: a lens is turned and compiled
 * as often as it is used, and a mistake in it is one mistake. */
void dg_pack_take_diags(const dg_diags *found, dg_diags *to);

/* An op list as it stands in a file. `lenses` are the ones that it may name. False after an error.
 */
typedef struct dg_ops_reader {
    dg_arena *arena;
    dg_diags *diags;
    dg_lens *lenses;
    size_t lens_count;
    size_t *op_total; /* of the pack so far; NULL = not counted */
} dg_ops_reader;

bool dg_ops_read(const dg_ops_reader *reader, const dg_node *node, dg_ops *ret_ops);
/* Refuses lenses that reach themselves without descending, and lists that expand beyond all
 * measure. */
bool dg_lenses_check(const dg_ops_reader *reader);
bool dg_ops_check_size(const dg_ops_reader *reader, const dg_ops *ops, dg_origin origin);

#endif
