/* A pack as it is declared: api.yaml and changes/, read, checked and joined into a chain, not yet
 * composed.
 *
 * Private to rules/. All of it lives in one arena, the rule set's. Readers add every error they
 * find to `diags` and go on; a pack with errors is never composed. The grammar is in docs/packs.md.
 */
#ifndef DG_RULES_PACK_H
#define DG_RULES_PACK_H

#include "rules/doc/doc.h"
#include "rules/request/route.h"
#include "rules/request/selection.h"
#include "transforms/program.h"

enum {
    DG_VERSIONS_MAX = 256,
    DG_CHANGE_FILES_MAX = 512, /* of any folder of a pack */
    DG_BINDINGS_MAX = 4096,     /* of a pack */
    DG_ENDPOINTS_MAX = 1024,    /* of a pack, counted once for all versions */
    DG_OP_PATH_MAX = 32,        /* steps of a dotted path */
    DG_OPS_EXPANDED_MAX = 20000, /* of an op list, lenses written out */
    DG_PACK_OPS_MAX = 200000     /* of a pack, so: it bounds what turning and compiling cost */
};

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

/* Which messages of an endpoint a side is about: the request, or answers, by the status that the newer version
 * gives. Beside these, 1 to 5 are a class (1xx to 5xx), and 100 to 599 that one status. */
enum { DG_SIDE_REQUEST = 0, DG_SIDE_RESPONSE = 6, DG_SIDE_ERROR = 7 };

/* A list and its inverse; NULL when there is nothing. */
typedef struct dg_two_ways {
    const dg_ops *up, *down;
} dg_two_ways;

/* What a change says about one kind of message of an endpoint. */
typedef struct dg_side {
    unsigned of; /* DG_SIDE_... */
    dg_origin origin;
    dg_two_ways body;    /* on the body alone */
    dg_two_ways around;  /* on the message's document, but for its body: path, query, headers */
    dg_two_ways whole;   /* on all of the document: these, and what `message` says */
    const dg_ops *message; /* up; NULL when it says nothing */
    const dg_ops *path, *query, *headers; /* up, as they were read */
    bool has_format;
    dg_format older, newer;
} dg_side;

/* A row of a status table. */
typedef struct dg_status_pair {
    unsigned older, newer;
} dg_status_pair;

/* What becomes of an endpoint from the older version to the newer one. */
typedef enum dg_fate { DG_STAYS, DG_BECOMES, DG_REMOVED, DG_ADDED } dg_fate;

/* What a change says about one endpoint. */
typedef struct dg_binding {
    dg_template older, newer; /* the same but for DG_BECOMES */
    dg_fate fate;
    const dg_static_answer *answer; /* REMOVED, ADDED: for who asks for it where it is not; or NULL */
    dg_origin origin;
    dg_side *sides;
    size_t side_count;
    dg_status_pair *statuses;
    size_t status_count;
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

/* How own errors look: the ops, and the format. */
typedef struct dg_errors {
    const dg_ops *ops; /* NULL: nothing is said */
    dg_format format;
} dg_errors;

typedef struct dg_pack {
    dg_arena *arena;
    dg_diags *diags;
    const char *dir;
    dg_api api; /* versions without endpoints yet */
    dg_version *versions;
    dg_origin versions_origin, base_origin;
    dg_selection_rules selection;
    dg_program_options strict; /* of all programs */
    dg_errors *errors; /* by the index of the version, and behind them the API's own */
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
struct dg_ops_reader; /* below */
void dg_pack_read_endpoints(dg_pack *pack, const struct dg_ops_reader *reader, dg_change *change,
                            const dg_node *node);
/* One of request, response, error, and what stands below responses: an op list, or a map of parts. */
void dg_pack_read_side(dg_pack *pack, const struct dg_ops_reader *reader, const dg_node *node, unsigned of,
                       dg_binding *binding);
/* {status, headers, body, format}; NULL after an error. */
const dg_static_answer *dg_pack_read_answer(dg_pack *pack, const dg_node *node, size_t version);
bool dg_pack_read_format(dg_pack *pack, const dg_node *node, dg_format *ret_format);
/* The ways back of all that a change says, once it is read. */
void dg_pack_invert(dg_pack *pack, dg_change *change);
/* What a binding says about a kind of message, or NULL. */
dg_side *dg_binding_side(const dg_binding *binding, unsigned of);
void dg_pack_join(dg_pack *pack, const dg_change *const *changes, size_t count);

/* The names of the documents in a folder of the pack, sorted; none when there is no such folder. */
size_t dg_pack_list(dg_pack *pack, const char *folder, const char *names[DG_CHANGE_FILES_MAX]);
/* A document by its path; NULL after an error. */
const dg_node *dg_pack_load(dg_pack *pack, const char *path);
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
