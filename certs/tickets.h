/* The keys of session tickets (RFC 5077, RFC 8446 4.6.1): one store for all listeners and workers, kept over
 * reloads. The current key seals; it and the one before it open. A key seals for an interval and opens for
 * one more, then it is gone: what it sealed cannot be read any more by anyone. Any thread. */
#ifndef DG_CERTS_TICKETS_H
#define DG_CERTS_TICKETS_H

#include <openssl/ssl.h>

#include "base/status.h"

enum { DG_TLS_TICKETS_INTERVAL_S = 12 * 3600 };

typedef struct dg_tls_tickets dg_tls_tickets;

/* DG_NOMEM also when OpenSSL gives no random bytes. */
DG_MUST_USE dg_status dg_tls_tickets_new(uint64_t interval_s, dg_tls_tickets **ret_tickets);
void dg_tls_tickets_free(dg_tls_tickets *tickets); /* NULL is fine; no session may be left */
/* Counts for the current key too. */
void dg_tls_tickets_set_interval(dg_tls_tickets *tickets, uint64_t interval_s);
/* Changes keys as it is due at now_s, on the monotonic clock; every use of a ticket does it too. */
void dg_tls_tickets_rotate(dg_tls_tickets *tickets, uint64_t now_s);

/* Private to this room: tickets of sessions on `context` are sealed and opened with these. */
void dg_tls_tickets_serve(dg_tls_tickets *tickets, SSL_CTX *context);

#endif
