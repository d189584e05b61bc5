/* The configuration as an operator writes it, checked; and the snapshot that it becomes.
 *
 * A snapshot is everything that workers need, immutable, with a counted reference: configuration, compiled
 * packs, backends, TLS contexts. A reload makes a new one or changes nothing. */
#ifndef DG_PROXY_CONFIG_H
#define DG_PROXY_CONFIG_H

#include <stdatomic.h>

#include "certs/tls.h"
#include "proxy/net/pool.h"
#include "proxy/usage/usage.h"
#include "rules/ruleset.h"

typedef struct dg_timeouts { /* all absolute, in milliseconds */
    uint64_t head_ms;    /* from the first byte of a request to the end of its head */
    uint64_t body_ms;    /* from there to the end of its body */
    uint64_t connect_ms; /* connecting to a backend, with the TLS handshake */
    uint64_t answer_ms;  /* from the request sent to the last byte of the answer */
    uint64_t send_ms;    /* to write what is queued for a client */
    uint64_t idle_ms;    /* a kept connection of a client without a request */
    uint64_t tunnel_ms;  /* how long both sides of an upgraded connection may be silent */
    uint64_t drain_ms;   /* after SIGTERM, for what is in flight */
    uint64_t tickets_ms; /* how long a key seals TLS session tickets */
} dg_timeouts;

typedef struct dg_limits {
    size_t head_bytes; /* of a request or answer */
    size_t body_bytes; /* of a body that is translated, before and after */
    size_t connections; /* open from clients, a worker; further ones wait in the kernel's queue */
} dg_limits;

typedef enum dg_log_format { DG_LOG_JSON, DG_LOG_COMBINED, DG_LOG_EXTENDED } dg_log_format;

typedef struct dg_access_log {
    const char *file; /* "-" = standard output; NULL = no access log */
    dg_log_format format;
} dg_access_log;

typedef struct dg_request_id_config {
    dg_slice field; /* its name; empty = requests get no id */
    bool trust_all; /* believe what any client sends, and not trusted ones only */
} dg_request_id_config;

typedef struct dg_listen {
    const char *text; /* as written */
    dg_origin origin;
    dg_address addresses[DG_ADDRESSES_MAX];
    size_t address_count;
    dg_tls_cert_files *certs;
    size_t cert_count;
    const char *client_ca; /* whose certificates clients may show; NULL = they are not asked */
    bool client_required;
    dg_tls_server *tls; /* NULL = plain */
    bool control;       /* the admin port */
    uint16_t redirect_port; /* every request is sent to https there; 0 = none is */
    bool proxy_protocol; /* each connection begins with it */
    unsigned mode;      /* of a unix socket's file */
} dg_listen;

typedef struct dg_config {
    dg_arena arena; /* holds all text */
    const char *file; /* NULL = from the command line */
    dg_listen *listens;
    size_t listen_count;
    dg_upstream *upstreams; /* the default one first; then those of packs; the control API last */
    size_t upstream_count;
    dg_pack_source *packs;
    size_t **pack_upstreams; /* indexes into upstreams, by pack, and by dg_match.backend_index: the default one first */
    bool *pack_ignores_no_transform; /* by pack: messages are translated even if they forbid it */
    bool ignores_no_transform;       /* where a pack says nothing else */
    bool has_default;       /* upstreams[0] is the default one; else every pack has its own */
    size_t pack_count;
    dg_access_log access_log;
    dg_request_id_config request_id;
    dg_tls_tickets *tickets; /* the process's; NULL = no session is resumed */
    /* Under which names the backend learns who a client is, by its certificate; empty = it does not. What clients
     * send under them goes no further. */
    dg_slice client_fields[DG_TLS_IDENTITY_COUNT];
    bool has_client_fields;
    dg_network *trusted; /* peers whose X-Forwarded-* fields are believed */
    size_t trusted_count;
    dg_slice *upgrades; /* protocols that clients may upgrade to: "websocket" */
    size_t upgrade_count;
    bool pass_unmatched; /* what no pack claims goes to the default backend untouched */
    unsigned workers;
    dg_timeouts timeouts;
    dg_limits limits;
} dg_config;

/* The quick form, and where the file leaves something out. */
typedef struct dg_config_options {
    const char *file; /* NULL = none */
    const char *const *listens;
    size_t listen_count;
    const char *upstream;
    const char *const *packs;
    size_t pack_count;
    const char *admin; /* NULL = none, unless the file names one */
    unsigned workers;  /* 0 = as the file says, else one a processor */
    const char *timeout; /* "2s": for head, body, connect, answer and send; NULL = as the file says */
    dg_tls_tickets *tickets; /* the process's, for TLS sessions to be resumed with; NULL = none are */
} dg_config_options;

typedef struct dg_snapshot {
    atomic_uint refs;
    dg_config config;
    dg_ruleset *ruleset;
    const dg_upstream *control; /* the admin API's socket; NULL without an admin port */
    /* Counter slots: by endpoint slot of the rule set; by API and version for what no endpoint names, behind
     * the last version for what names none that exists; and for what no API claims. */
    uint32_t *endpoint_slots, **version_slots, unmatched_slot;
} dg_snapshot;

/* Reads, checks, resolves and compiles everything; every error goes to `diags`. control_socket: where the
 * admin API listens, "unix:/path"; NULL = there is none yet (only checking). usage: where counters are
 * registered; NULL when only checking. The caller holds one reference. */
DG_MUST_USE dg_status dg_snapshot_load(const dg_config_options *options, const char *control_socket,
                                       dg_usage *usage, dg_diags *diags, dg_snapshot **ret_snapshot);
dg_snapshot *dg_snapshot_ref(dg_snapshot *snapshot);
void dg_snapshot_unref(dg_snapshot *snapshot); /* NULL is fine */

#endif
