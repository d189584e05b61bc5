/* One request's way: receive -> select -> gate -> forward -> translate -> answer -> count.
 *
 * Forward only: a phase reads what the ones before it wrote here. Each phase is a file; the functions below
 * are the doors between them. A phase that ends an exchange (dg_fail, dg_answer_done, dg_exchange_abort) may
 * free it: callers return at once after a door that says so. */
#ifndef DG_EXCHANGE_EXCHANGE_H
#define DG_EXCHANGE_EXCHANGE_H

#include "proxy/digest/digest.h"
#include "proxy/exchange/edge.h"
#include "proxy/exchange/flow.h"
#include "proxy/exchange/problem.h"
#include "proxy/http/chunked.h"
#include "proxy/http/fields.h"
#include "proxy/http/trace.h"
#include "proxy/message/message.h"
#include "proxy/net/conn.h"

/* Reads a message body out of the bytes of a connection. */
typedef struct dg_body {
    dg_framing framing;
    uint32_t credit; /* bytes that have not bought time yet */
    uint64_t left; /* LENGTH */
    dg_chunked chunked;
    bool done;
} dg_body;

void dg_body_start(dg_body *body, dg_framing framing, uint64_t length);
/* The next piece of content in `in`; *ret_consumed bytes of it are used up. DG_SYNTAX, DG_LIMIT: malformed. */
DG_MUST_USE dg_status dg_body_next(dg_body *body, dg_slice in, size_t *ret_consumed, dg_slice *ret_piece);
/* The same, but small chunks that are already here become one piece in `joined`, and so one write: pieces that would
 * each cost more than their copy. joined NULL = none do. trailers: where they are kept; NULL = nowhere. DG_NOMEM. */
DG_MUST_USE dg_status dg_body_next_joined(dg_body *body, dg_slice in, dg_buf *joined, dg_buf *trailers,
                                          size_t *ret_consumed, dg_slice *ret_piece);

/* What a body that goes on is worth: its deadline moves by a millisecond for each DG_BODY_BYTES_PER_MS bytes (and
 * never further away than it was at first), so that a large one is not cut for its size, and one that trickles or
 * stops still is. */
enum { DG_BODY_BYTES_PER_MS = 16 };
static inline uint64_t dg_body_time_bought(dg_body *body, size_t bytes)
{
    uint64_t credit = body->credit + (uint64_t)bytes;
    body->credit = (uint32_t)(credit % DG_BODY_BYTES_PER_MS);
    return credit / DG_BODY_BYTES_PER_MS;
}

typedef enum dg_client_state {
    DG_CLIENT_HEAD,   /* between requests, or reading a head */
    DG_CLIENT_BODY,   /* reading a request's body */
    DG_CLIENT_WAIT,   /* the request is in; the answer is under way */
    DG_CLIENT_FLUSH,  /* the answer is queued, not yet taken by the socket */
    DG_CLIENT_TUNNEL, /* upgraded: bytes pass as they are */
    DG_CLIENT_LINGER, /* answered and half closed: what still comes is read and dropped (RFC 9112 9.6) */
} dg_client_state;

/* A connection from a client. Small: this is what an idle one costs. */
struct dg_downstream {
    dg_conn conn; /* first */
    dg_edge *edge;
    dg_exchange *exchange; /* NULL while idle */
    dg_downstream *next, **link;
    dg_route *route;      /* what the PROXY protocol said; NULL = the socket's own ends */
    size_t scan;          /* of the head parser */
    uint32_t lingered;    /* bytes dropped so far */
    uint16_t redirect_port; /* https is served there, and here nothing but the way to it; 0 = no */
    uint8_t state;        /* dg_client_state */
    bool control : 1;     /* on the admin port */
    bool tls : 1;
    bool trusted : 1;     /* what it says of the way so far is believed */
    bool awaits_route : 1; /* the PROXY protocol comes first */
    bool nameless : 1;    /* the peer is on a unix socket: it has no address */
    bool closing : 1;     /* no further request */
    bool running : 1;     /* inside its loop: do not start it again */
    bool head_timer : 1;  /* the head's deadline runs */
    bool dead : 1;        /* freed while running: the memory goes when its loop ends */
    char host[46];        /* the peer's address */
    dg_tls_identity *identity; /* by its certificate; NULL = it showed none */
};

enum { DG_REQUEST_ID_BYTES_MAX = 128 };

struct dg_exchange {
    dg_edge *edge;
    dg_epoch *epoch;
    dg_downstream *down;
    dg_upconn *up; /* NULL before forwarding and after the answer's last byte */
    const dg_upstream *upstream;
    dg_exchange *next; /* among the spare ones */
    unsigned held;     /* callers that will still ask whether it is gone */
    bool gone;         /* freed, but held */
    uint64_t started_us, connected_us, first_byte_us; /* 0 = has not happened, or was not waited for */

    /* the request */
    dg_buf text; /* what the slices below point into */
    dg_slice method_name, host;
    dg_slice target;      /* path and query as they came */
    dg_slice path, query; /* the path normalised */
    dg_slice user_agent, referer; /* for the access log; empty without one */
    dg_method method;
    unsigned minor; /* of the client's HTTP/1.minor */
    dg_match match; /* api NULL when no pack has a say */
    dg_body request;
    dg_buf request_head;  /* for the backend; without its framing and end until they are known */
    dg_buf request_bytes; /* the content, where it must be whole before it goes on; else small chunks of it */
    dg_buf request_out;   /* its translation */
    dg_buf request_lines; /* the head as it came, where it is translated together with the content */
    dg_buf request_document; /* of the request as it came, where the answer's translation asks for it */
    dg_buf request_trailers; /* of a streamed one, as they came */
    dg_flow *request_flow;    /* translates it as it comes; NULL = it does not */
    dg_flow_kind request_kind; /* what it could be */
    bool request_more : 1;     /* request_flow has more to give */
    dg_coding request_coding; /* of the content that came; it goes on without one */
    dg_digests *digests; /* what the message says of content that is translated; NULL = nothing */
    uint8_t accepts;     /* codings that the client takes, a bit each, where the answer may be translated */
    bool translates_request : 1; /* the request's content is in its translation's format, and changes */
    bool request_ready : 1;  /* request_out holds what becomes of it */
    bool bare : 1;           /* the translated request has no content */
    bool whole : 1;          /* the request goes on in one piece, and can be sent again */
    bool traced : 1;            /* it is part of the trace trace_id */
    bool passes_tracestate : 1;
    bool takes_trailers : 1; /* the client does, and the backend was told so */
    bool expects : 1;        /* the client waits for a 100 */
    bool head_sent : 1;      /* request_head was given to the connection */
    bool request_sent : 1;   /* and everything of the body */
    bool any_received : 1;   /* the backend sent something */
    bool retried : 1;
    bool explains : 1;       /* the client asks which version was chosen, and why */
    bool tunnel : 1;         /* the backend's 101 went to the client */
    bool client_ended : 1;   /* it has said all, in a tunnel; or it left before its answer */
    bool backend_ended : 1;  /* in a tunnel: it has said all */
    uint64_t request_bytes_in; /* of the request's content, or of a tunnel, that came from the client */
    uint32_t offer_start, offer_bytes; /* the protocols in request_head to upgrade to; 0 bytes = none */

    /* the answer */
    dg_ip backend_ip;    /* where the request went; not known for a unix socket */
    unsigned status;     /* 0 = none yet */
    unsigned interims;   /* 1xx so far */
    uint64_t body_bytes; /* of the answer's content, given to the client's connection */
    const char *problem; /* the type of the problem that the answer is, or that cut it; NULL = none */
    const char *side;    /* whose it is: "downstream", "upstream", "dragoman" */
    size_t answer_scan;
    dg_body answer;
    const dg_translation *translation; /* of the content; NULL = it passes */
    dg_buf answer_lines; /* the head as it came, where it is translated together with the content */
    dg_flow *answer_flow;      /* translates it as it comes; NULL = it does not, so far */
    dg_flow_kind answer_kind;  /* what it could be */
    bool answer_more : 1;      /* answer_flow has more to give */
    dg_coding answer_coding;   /* of the content, as it came */
    dg_coding client_coding;   /* and as it goes on, where it is translated */
    dg_buf answer_head;  /* for the client */
    dg_buf answer_bytes; /* the content, where it is translated and came in pieces; else small chunks of it */
    dg_buf answer_out;   /* its translation */
    dg_buf answer_trailers; /* of content that passes, as they came, when the client takes them */
    dg_buf plain;        /* content without its coding, on the way of either */
    bool answer_parsed : 1;  /* the final head is known */
    bool answer_changed : 1; /* by a translation, of its content or of another part */
    bool answer_ready : 1;   /* answer_out holds what becomes of the content */
    bool answer_bare : 1;    /* the translated answer has no content */
    bool up_keep : 1;        /* the backend keeps its connection open */
    bool paused : 1;         /* the client does not take more for now */
    bool endless : 1;        /* an event stream: its deadline is a silence, not its end */
    bool answer_started : 1; /* bytes of it went to the client */
    bool answer_chunked : 1; /* towards the client */
    bool close_after : 1;    /* the client's connection ends with this answer */
    bool count_as_own : 1;   /* dragoman made the answer */

    uint8_t request_id_bytes; /* 0 = it has none */
    char request_id[DG_REQUEST_ID_BYTES_MAX];
    char trace_id[DG_TRACE_ID_BYTES];
};

/* ---- exchange.c */
dg_exchange *dg_exchange_new(dg_downstream *down); /* NULL when out of memory */
/* Counts it, gives the backend's connection up, and recycles the struct. */
void dg_exchange_free(dg_exchange *x);
/* Around doors that may free x: hold it, go through, ask x->gone, and let go. */
static inline void dg_exchange_hold(dg_exchange *x) { x->held++; }
void dg_exchange_let_go(dg_exchange *x);
/* The method that the backend gets; a pack may change it. */
static inline dg_slice dg_exchange_upstream_method(const dg_exchange *x)
{
    return x->match.api ? x->match.upstream_method : x->method_name;
}
/* Gives the backend's connection back to its pool, or closes it. */
void dg_exchange_release_up(dg_exchange *x, bool keep);

/* ---- receive.c: the client's connection */
/* The answer is wholly written or queued. May free x and the connection. */
void dg_answer_done(dg_exchange *x);
/* The same for an answer without an exchange. May free the connection. */
void dg_downstream_answered(dg_downstream *down);
/* Cuts the client's connection so that it cannot take the answer for whole. Frees x. */
void dg_exchange_abort(dg_exchange *x);
/* The backend can take more of the request's body: read on. May free x. */
void dg_receive_more(dg_exchange *x);
void dg_downstream_free(dg_downstream *down);

/* ---- select.c: which API, version and endpoint; then on to gate and forward. May free x. */
void dg_select(dg_exchange *x, const dg_head *head);

/* ---- request_id.c */
/* The id that the request brings, if its sender is believed, or one of its own; none on the admin port. */
void dg_request_id_choose(dg_exchange *x, const dg_head *head);
/* An id of our own, inside out; empty when the configuration wants none. */
dg_slice dg_request_id_make(dg_edge *edge, char out[DG_REQUEST_ID_BYTES_MAX]);
void dg_request_id_add(const dg_epoch *epoch, dg_slice id, dg_buf *out); /* its field line; nothing without an id */
/* Whether a field is that of the id, in whose place the exchange's own goes. */
bool dg_request_id_is(const dg_exchange *x, const dg_field *field);
static inline dg_slice dg_request_id(const dg_exchange *x)
{
    return (dg_slice){x->request_id, x->request_id_bytes};
}
/* What becomes of traceparent and tracestate. */
void dg_trace_look(dg_exchange *x, const dg_head *head);

/* ---- request_head.c: the head for the backend, without framing */
/* `parts`: what becomes of the target and the fields; NULL = they stay. */
dg_status dg_request_head_begin(dg_exchange *x, const dg_head *head, const dg_translator *parts);
void dg_request_head_length(dg_exchange *x, uint64_t length);
void dg_request_head_chunked(dg_exchange *x);
void dg_request_head_end(dg_exchange *x);

/* ---- translate.c */
/* The one content coding of a message (RFC 9110 8.4); UNKNOWN for several, or one that we do not know. */
dg_coding dg_content_coding(const dg_head *head);
/* Runs a program on content in a coding; the outcome is in another, or the same one. DG_JSON_PADDING bytes behind
 * `in` are readable. On failure *ret_error says why, and `out` holds nothing. */
dg_status dg_translate(dg_exchange *x, const dg_translation *translation, dg_coding coding, dg_coding encode_as,
                       dg_slice in, dg_buf *out, dg_run_error *ret_error);

/* Takes the coding off; *ret_plain has DG_JSON_PADDING readable bytes behind it, as `in` has, and is valid until the
 * next call of these. */
dg_status dg_decode(dg_exchange *x, dg_coding coding, dg_slice in, dg_slice *ret_plain, dg_run_error *ret_error);
/* Puts content into a coding, in place. */
dg_status dg_encode(dg_exchange *x, dg_coding coding, dg_buf *content, dg_run_error *ret_error);
void dg_log_translation(dg_exchange *x, const dg_run_error *error);
/* Whether a translation works on content at all. */
static inline bool dg_translates_content(const dg_translation *t)
{
    return t && (t->body || (t->parts & DG_IN_BODY) || t->from != t->to);
}
/* Whether it is nothing but a program on JSON content, so that the content may be translated as it comes. */
static inline bool dg_is_of_body(const dg_translation *t)
{
    return t && t->body && t->from == DG_FORMAT_JSON && t->to == DG_FORMAT_JSON &&
           !(t->message && (t->parts & DG_IN_BODY));
}

/* Whether content is in a format, by its Content-Type. */
dg_json_kind dg_json_kind_as(dg_format format, const dg_head *head);

/* ---- message.c: messages of which more than the content is translated */
/* What becomes of the request with this head, as far as its document goes; then begins the head for the backend.
 * has_content: the document holds the content, which is without its coding. False when the request was refused
 * (x may be gone). */
bool dg_request_build(dg_exchange *x, const dg_head *head, bool has_content, dg_slice content);
/* The same for an answer, in the translation `t`, up to its head: dg_edge.translator and answer_out hold what
 * becomes of it. */
dg_status dg_answer_build(dg_exchange *x, const dg_translation *t, const dg_head *head, bool has_content,
                          dg_slice content, dg_run_error *ret_error);
/* Keeps the request's document for the answer, if that asks for it. False when the request was refused. */
bool dg_request_remember(dg_exchange *x, const dg_head *head);
/* Answers a request that cannot be translated. */
void dg_request_refuse(dg_exchange *x, dg_status status, const dg_run_error *error);
/* A head as lines, so that it can be looked at again when the content is there. */
void dg_head_keep(const dg_head *head, bool answer, dg_buf *out);
DG_MUST_USE dg_status dg_head_again(dg_exchange *x, const dg_buf *lines, bool answer, dg_head *ret_head);
/* Which fields of a request are not in its document. */
bool dg_request_field_is_out(const dg_exchange *x, const dg_head *head, const dg_field *field);

/* ---- own_names.c */
/* Whether a field may come from dragoman alone, as a backend would read its name: a client's goes no further. */
bool dg_name_is_own(const dg_exchange *x, dg_slice name);

/* ---- content.c: what is said of content that is translated */
/* Whether the message may not be translated (RFC 9110 7.7), as far as the operator minds. */
bool dg_forbids_transformation(const dg_exchange *x, const dg_head *head);
/* Remembers the digests of a message whose content is translated. DG_SYNTAX: one is malformed. DG_NOMEM. */
DG_MUST_USE dg_status dg_digests_remember(dg_exchange *x, const dg_head *head);
/* Holds them against the content as it came. DG_INVALID: *ret_field is the one that does not fit. DG_NOMEM. */
DG_MUST_USE dg_status dg_digests_check(const dg_exchange *x, dg_slice content, const char **ret_field);
/* Appends the same for the content that goes on, and forgets them. DG_NOMEM. */
DG_MUST_USE dg_status dg_digests_renew(dg_exchange *x, dg_slice content, dg_buf *out);
/* The codings that the client takes (RFC 9110 12.5.3), a bit each; all of them when it does not say. */
uint8_t dg_accepted_codings(const dg_head *head);
/* The coding in which a translated answer goes on: the backend's choice when the client takes it. */
dg_coding dg_coding_for_client(const dg_exchange *x);

/* ---- forward.c: to the backend. All may free x. */
void dg_forward(dg_exchange *x);
/* A piece of a streamed request body; last = the body ends with it. The bytes are used before it returns. */
void dg_forward_piece(dg_exchange *x, dg_slice piece, bool last);
/* The backend's connection failed before its answer was complete: once more, or an error. */
void dg_forward_failed(dg_exchange *x, const char *what);
/* What was collected of a request's body, and what comes, is translated as it comes from now on. */
void dg_forward_flow(dg_exchange *x);
/* What was collected, or what is more of the last piece, where a request's body flows. */
void dg_forward_more(dg_exchange *x);
bool dg_forward_is_full(const dg_exchange *x); /* the backend does not take more for now */

/* ---- answer.c: from the backend to the client. All may free x. */
void dg_answer_read(dg_exchange *x);   /* bytes may have come from the backend */
void dg_answer_given(dg_exchange *x, const dg_head *head); /* an answer whose content is in answer_bytes */
void dg_answer_resume(dg_exchange *x); /* the client took what was queued */

/* ---- trailers.c: RFC 9110 6.5 */
/* Tells the backend that the client takes trailers, if so and if nothing of the answer is translated. */
void dg_trailers_ask(dg_exchange *x, const dg_head *head, dg_buf *out);
/* Adds what the Trailer field of a head announces, as far as it may pass. */
void dg_trailers_announce(const dg_exchange *x, const dg_head *head, dg_buf *out);
void dg_trailers_keep(const dg_body *body, dg_buf *kept);
/* The last chunk with the trailers that pass; valid until the scratch is used again. */
dg_slice dg_trailers_end(dg_exchange *x, const dg_buf *kept);

/* ---- tunnel.c: upgrades (RFC 9110 7.8) */
/* Adds Connection and Upgrade where the client asked for it and the exchange may become a tunnel. */
void dg_tunnel_offer(dg_exchange *x, const dg_head *head, dg_buf *out);
/* The backend's 101 came. All may free x. */
void dg_tunnel_begin(dg_exchange *x, const dg_head *head);
void dg_tunnel_run(dg_exchange *x);     /* something changed on one of the sides */
void dg_tunnel_expired(dg_exchange *x); /* both were silent for too long */
void dg_tunnel_end(dg_exchange *x);

/* ---- static_answer.c: the answer that the pack holds. Frees x. */
void dg_answer_static(dg_exchange *x);

/* ---- answer_head.c: the head for the client, without framing. translated: the content changes. */
/* `parts`: what becomes of the fields; NULL = they stay. */
dg_status dg_answer_head_begin(dg_exchange *x, const dg_head *head, bool translated, const dg_translator *parts);
void dg_answer_head_end(dg_exchange *x);
/* Which version this is, what becomes of it, and what the choice depended on; nothing without a version. has_...:
 * the answer carries that field already. */
void dg_answer_version(dg_exchange *x, bool has_deprecation, bool has_sunset, dg_buf *out);
dg_status dg_interim_head(dg_exchange *x, const dg_head *head, dg_buf *out); /* whole */

/* ---- url.c */
/* Appends a URL of an answer (Location, Link) in the client's version and under the name that it knows: when it is
 * of this API and without a host, or of this host or the backend. Any other as it is. */
void dg_url_for_client(dg_exchange *x, dg_slice url, dg_buf *out);
/* Appends a Set-Cookie value, its Path as the client's version addresses it. Any other as it is. */
void dg_cookie_for_client(dg_exchange *x, dg_slice cookie, dg_buf *out);

/* ---- count.c */
void dg_count(dg_exchange *x);

/* ---- log_line.c: the access log */
void dg_log_exchange(dg_exchange *x);
/* A request whose head was refused. */
void dg_log_refusal(dg_downstream *down, unsigned status, const char *problem, dg_slice request_id);

#endif
