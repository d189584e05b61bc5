#include "certs/tickets.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { NAME_BYTES = 16, IV_BYTES = 16, KEY_BYTES = 32, LIFETIME_S = 2 * 3600 };

typedef struct key {
    unsigned char name[NAME_BYTES], cipher[KEY_BYTES], mac[KEY_BYTES];
    uint64_t made_s;
    bool there;
} key;

struct dg_tls_tickets {
    pthread_mutex_t lock;
    uint64_t interval_s;
    key current, previous;
};

static bool make_key(key *ret_key, uint64_t now_s)
{
    key fresh = {.made_s = now_s, .there = true};
    if (RAND_bytes(fresh.name, NAME_BYTES) != 1 || RAND_priv_bytes(fresh.cipher, KEY_BYTES) != 1 ||
        RAND_priv_bytes(fresh.mac, KEY_BYTES) != 1)
        return false;
    *ret_key = fresh;
    OPENSSL_cleanse(&fresh, sizeof fresh);
    return true;
}

dg_status dg_tls_tickets_new(uint64_t interval_s, dg_tls_tickets **ret_tickets)
{
    dg_tls_tickets *tickets = calloc(1, sizeof *tickets);
    if (!tickets)
        return DG_NOMEM;
    tickets->interval_s = interval_s ? interval_s : 1;
    if (!make_key(&tickets->current, dg_monotonic_ms() / 1000) ||
        pthread_mutex_init(&tickets->lock, NULL) != 0) {
        free(tickets);
        return DG_NOMEM;
    }
    *ret_tickets = tickets;
    return DG_OK;
}

void dg_tls_tickets_free(dg_tls_tickets *tickets)
{
    if (!tickets)
        return;
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof *tickets);
    free(tickets);
}

void dg_tls_tickets_set_interval(dg_tls_tickets *tickets, uint64_t interval_s)
{
    pthread_mutex_lock(&tickets->lock);
    tickets->interval_s = interval_s ? interval_s : 1;
    pthread_mutex_unlock(&tickets->lock);
}

/* A key that is too old opens nothing, even if no other one can be made. */
static void rotate(dg_tls_tickets *tickets, uint64_t now_s)
{
    key *current = &tickets->current, *previous = &tickets->previous;
    uint64_t age_s = now_s > current->made_s ? now_s - current->made_s : 0;
    if (age_s >= tickets->interval_s) {
        *previous = *current;
        OPENSSL_cleanse(current, sizeof *current);
        if (!make_key(current, now_s))
            current->made_s = now_s; /* no tickets until the next one */
    }
    if (previous->there && now_s > previous->made_s &&
        now_s - previous->made_s >= 2 * tickets->interval_s)
        OPENSSL_cleanse(previous, sizeof *previous);
}

void dg_tls_tickets_rotate(dg_tls_tickets *tickets, uint64_t now_s)
{
    pthread_mutex_lock(&tickets->lock);
    rotate(tickets, now_s);
    pthread_mutex_unlock(&tickets->lock);
}

static bool set_keys(const key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int seal)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->mac, KEY_BYTES),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), k->cipher, iv, seal, NULL) &&
           EVP_MAC_CTX_set_params(mac, params);
}

enum { TICKET_FAILED = -1, TICKET_NONE = 0, TICKET_GOOD = 1, TICKET_RENEW = 2 };

static int seal(const dg_tls_tickets *tickets, unsigned char *name, unsigned char *iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    const key *k = &tickets->current;
    if (!k->there || RAND_bytes(iv, IV_BYTES) != 1)
        return TICKET_NONE;
    memcpy(name, k->name, NAME_BYTES);
    return set_keys(k, iv, cipher, mac, 1) ? TICKET_GOOD : TICKET_FAILED;
}

static int open_ticket(const dg_tls_tickets *tickets, const unsigned char *name,
                       const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    const key *k = &tickets->current;
    if (!k->there || memcmp(name, k->name, NAME_BYTES) != 0)
        k = &tickets->previous;
    if (!k->there || memcmp(name, k->name, NAME_BYTES) != 0)
        return TICKET_NONE;
    if (!set_keys(k, iv, cipher, mac, 0))
        return TICKET_FAILED;
    return k == &tickets->current ? TICKET_GOOD : TICKET_RENEW;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    dg_tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    pthread_mutex_lock(&tickets->lock);
    rotate(tickets, dg_monotonic_ms() / 1000);
    int result = sealing ? seal(tickets, name, iv, cipher, mac)
                         : open_ticket(tickets, name, iv, cipher, mac);
    pthread_mutex_unlock(&tickets->lock);
    return result;
}

/* A resumed session carries its client's certificate along: one that expired meanwhile is asked for
 * anew. */
static SSL_TICKET_RETURN on_session(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                    size_t name_len, SSL_TICKET_STATUS status, void *context)
{
    (void)ssl, (void)name, (void)name_len, (void)context;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    const X509 *cert = SSL_SESSION_get0_peer(session);
    if (cert && X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void dg_tls_tickets_serve(dg_tls_tickets *tickets, SSL_CTX *context)
{
    SSL_CTX_set_app_data(context, tickets);
    SSL_CTX_set_timeout(context, LIFETIME_S);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    SSL_CTX_set_session_ticket_cb(context, NULL, on_session, NULL);
}
