/* HTTP/1.1 heads, strictly (RFC 9112): request line or status line, fields, and the one framing of
 * the body.
 *
 * The law: what is not unmistakable is refused. Nothing here is repaired, folded or guessed, so
 * that no two readers of the same bytes can see two messages. Pure functions on bytes: no
 * allocation, no I/O, no state but what the caller passes; any thread. Slices in a head point into
 * the bytes that were parsed and are valid as long as those stay where they are. */
#ifndef DG_PROXY_HTTP_HEAD_H
#define DG_PROXY_HTTP_HEAD_H

#include "proxy/http/tables.h"

enum { DG_FIELDS_MAX = 128 };

/* How the end of a body is found (RFC 9112 6.3). */
typedef enum dg_framing {
    DG_FRAMING_NONE,       /* no body follows the head */
    DG_FRAMING_LENGTH,     /* exactly content_length bytes, maybe 0 */
    DG_FRAMING_CHUNKED,    /* see chunked.h */
    DG_FRAMING_UNTIL_CLOSE /* responses only: all until the upstream closes */
} dg_framing;

typedef struct dg_field {
    dg_slice name;  /* as it came; a token (RFC 9110 5.6.2) */
    dg_slice value; /* without the optional white space around it; no control bytes but HTAB; may
                       hold bytes 0x80-0xff */
    dg_field_id id;
} dg_field;

typedef struct dg_head {
    dg_slice method; /* requests */
    dg_slice target; /* requests: as it came, visible ASCII only; target.h takes it apart */
    dg_method method_id;
    unsigned status; /* responses: 100..599 */
    dg_slice reason; /* responses: may be empty */
    unsigned minor;  /* HTTP/1.minor: 0 or 1 */

    dg_framing framing;
    uint64_t content_length; /* the value of the field Content-Length when has_length: with framing
                                LENGTH the bytes that follow; on a response to HEAD or a 304 what
                                GET would have had */
    bool has_length;         /* there is a valid Content-Length field */
    bool keep_alive;      /* the sender allows another message after this one (RFC 9112 9.3); never
                             true with UNTIL_CLOSE */
    bool expect_continue; /* requests, 1.1 only: the client may wait for a 100 before the body */
    bool upgrade;         /* Upgrade is there and Connection names it */

    size_t field_count;
    uint16_t first[DG_FIELD_ID_COUNT]; /* index + 1 of the first field of an id, 0 = none; use
                                          dg_head_find */
    dg_field
        fields[DG_FIELDS_MAX]; /* in the order that they came; only [0, field_count) is written */
} dg_head;

/* 0 in any member means its default. */
typedef struct dg_head_limits {
    size_t head_bytes_max;   /* start line and fields with all line ends; 16384 */
    size_t target_bytes_max; /* 8192 */
    size_t fields_max;       /* at most DG_FIELDS_MAX, which is the default */
} dg_head_limits;

/* Why a message is refused. */
typedef struct dg_http_error {
    unsigned status;    /* what to answer the client with: 400 405 414 417 421 431 501 505; for
                           upstream responses always 502 */
    const char *reason; /* a static sentence for people; never holds bytes of the message */
} dg_http_error;

/* Parses a request head at the start of `bytes`.
 *
 * limits: NULL for the defaults. `scan` is the caller's memory between calls that pass the same
 * message with more bytes at its end (the bytes may have moved in memory); it starts at 0, and
 * lets each field line be read at most twice however its bytes arrive. One empty line before the
 * request line is skipped (RFC 9112 2.2).
 *
 * The verdict on a message does not depend on how it was cut into calls.
 *
 * DG_OK: ret_head is filled and ret_consumed is the length of the head; the body, framed as
 * ret_head says, begins there. Set *scan back to 0 for the next message. DG_AGAIN: no verdict yet;
 * give more. The outputs are not written, ret_head is scratch. DG_SYNTAX, DG_LIMIT, DG_UNSUPPORTED:
 * refused: ret_error says why; answer with its status and close the connection. Bytes that can be
 * no request line (a TLS ClientHello) are refused as soon as they show.
 *
 * The target is checked for its form (target.h) as well, and Host for being a valid host and port.
 */
DG_MUST_USE dg_status dg_request_parse(dg_slice bytes, size_t *scan, const dg_head_limits *limits,
                                       dg_head *ret_head, size_t *ret_consumed,
                                       dg_http_error *ret_error);

/* Parses a response head to a request with request_method; as dg_request_parse, with 502 for every
 * error. upgrade_asked: the request asked for an upgrade; without it a 101 is refused. 1xx heads
 * come like any other (framing NONE, status < 200): parse again for the final one, and bound how
 * many you take.
 *
 * What has no body by its status (1xx, 204) may not announce chunks; an answer to HEAD and a 304
 * may say how a GET would have been framed. A 1xx or 204 with a length above 0 gives keep_alive
 * false. */
DG_MUST_USE dg_status dg_response_parse(dg_slice bytes, size_t *scan, const dg_head_limits *limits,
                                        dg_method request_method, bool upgrade_asked,
                                        dg_head *ret_head, size_t *ret_consumed,
                                        dg_http_error *ret_error);

/* The first field of an id (not OTHER), or NULL. Constant time. */
static inline const dg_field *dg_head_find(const dg_head *head, dg_field_id id)
{
    size_t at = head->first[id];
    return at ? &head->fields[at - 1] : NULL;
}

/* The next field of the same id after `field` (of this head), or NULL. */
const dg_field *dg_head_next(const dg_head *head, const dg_field *field);

/* The first field with that name (any case), known or not; NULL when there is none. Linear for
 * names that are not in the table. */
const dg_field *dg_head_find_name(const dg_head *head, dg_slice name);

/* The value of the first field of an id, or an empty slice. */
static inline dg_slice dg_head_value(const dg_head *head, dg_field_id id)
{
    const dg_field *field = dg_head_find(head, id);
    return field ? field->value : (dg_slice){NULL, 0};
}

/* Whether name is a token (RFC 9110 5.6.2), and whether value may stand in a field (no control byte
 * but HTAB): for fields that dragoman itself puts together. */
bool dg_is_token(dg_slice name);
bool dg_is_field_value(dg_slice value);

#endif
