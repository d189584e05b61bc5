/* Which version a request names, and how the same is said in another version. Private to rules/.
 *
 * A pack lists its selectors in the order of precedence. A request may name its version in several of these
 * places; what disagrees is a contradiction, or the first wins, as the pack says. Pins and the default are asked
 * only when the request itself names none. Built once by the loader (pack_selection.c), immutable afterwards. */
#ifndef DG_RULES_SELECTION_H
#define DG_RULES_SELECTION_H

#include "rules/doc/doc.h"
#include "rules/ruleset.h"

enum {
    DG_SELECTORS_MAX = 16,
    DG_HOSTS_MAX = 1024,
    DG_PINS_MAX = 1 << 20,
    DG_PIN_FILE_BYTES_MAX = 64 << 20,
    DG_PIN_BYTES_MAX = 1024
};

/* A text with the version's name in it: "application/vnd.acme.{version}+json", "{version}.api.example.com". */
typedef struct dg_spelling {
    dg_slice before, after;
} dg_spelling;

typedef struct dg_host_row {
    dg_slice host;
    const dg_version *version;
} dg_host_row;

typedef struct dg_pin {
    dg_slice value;
    const dg_version *version;
} dg_pin;

typedef struct dg_pins {
    const dg_pin *slots; /* open addressing by dg_hash; an empty one has no version */
    size_t mask, count;
} dg_pins;

typedef struct dg_selector_rule {
    dg_selector by;
    dg_origin origin;
    dg_slice name;             /* HEADER, PIN: the field; QUERY: the parameter; MEDIA_TYPE: the parameter, or empty */
    dg_spelling spelling;      /* MEDIA_TYPE without a parameter; HOST without rows */
    const dg_host_row *hosts;  /* HOST */
    size_t host_count;
    bool by_certificate;       /* PIN: `name` is a part of the client's certificate, and no field */
    dg_slice pin_file;         /* PIN: as the pack names it, or empty */
    dg_pins pins;
    const dg_version *version; /* DEFAULT */
} dg_selector_rule;

typedef struct dg_selection_rules {
    dg_selector_rule rules[DG_SELECTORS_MAX];
    size_t count;
    bool first_wins; /* where two places disagree */
} dg_selection_rules;

/* What the selectors say together. */
typedef struct dg_selection {
    const dg_version *version;
    const dg_selector_rule *rule; /* that named it; NULL without a version */
    bool named;                   /* some selector names a version */
    bool unknown;                 /* and one of them names one that does not exist */
    bool contradiction;
} dg_selection;

/* `rest` is the path below the base; a version in it is taken off. */
void dg_select_version(const dg_selection_rules *rules, const dg_api *api, const dg_request_view *request,
                       dg_slice *rest, dg_selection *ret_selection);
/* The version that the first segment of `rest` names, which is taken off; NULL if it names none. */
const dg_version *dg_select_in_path(const dg_api *api, dg_slice *rest);

/* Appends "?" and the query, with the value of the parameter that selects replaced by that version's. */
void dg_select_add_query(const dg_selection_rules *rules, const dg_api *api, dg_slice query,
                         const dg_version *version, dg_buf *out);
/* Appends the host that stands for a version, in lower case. False when none does. */
bool dg_select_add_host(const dg_selection_rules *rules, const dg_version *version, dg_buf *out);
/* Appends the value of a field with each version that it names replaced by `version`. False, and nothing
 * appended, when the field does not select, or names none. */
bool dg_select_add_field(const dg_selection_rules *rules, const dg_api *api, dg_slice name, dg_slice value,
                         const dg_version *version, dg_buf *out);

/* pack_selection.c */
struct dg_pack;
/* selected_by and contradiction of api.yaml. */
void dg_pack_read_selectors(struct dg_pack *pack, const dg_node *root);
/* The files of the pins, and the names of the fields that an answer varies with. */
void dg_pack_finish_selectors(struct dg_pack *pack, const char *pins_file, dg_origin origin);

#endif
