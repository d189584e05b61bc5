#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "certs/context.h"
#include "certs/staple.h"

enum { CERTS_MAX = 256, ID_BYTES = 32 };

/* The certificates of the same names, one for each kind of key. */
typedef struct group {
    SSL_CTX *context;
    unsigned char id[ID_BYTES]; /* of its certificates and of the client CAs */
} group;

/* A handshake may outlive the listener's use of its contexts (a reload), and its callbacks need
 * this table. So the table belongs to its first context, of which every session holds a reference:
 * it is freed when OpenSSL frees that. */
struct dg_tls_server {
    const dg_tls_server_files *files; /* while it is made */
    dg_staple *staples;
    size_t staple_count, count;
    group groups[]; /* sessions are made from the first */
};

static int table_index = -1;

static void table_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                       void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    dg_tls_server *server = ptr;
    if (!server)
        return;
    for (size_t i = 1; i < server->count; i++)
        SSL_CTX_free(server->groups[i].context);
    for (size_t i = 0; i < server->staple_count; i++)
        free(server->staples[i].der);
    free(server->staples);
    free(server);
}

static void table_register(void)
{
    table_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, table_free);
}

/* RFC 7301 3.2: without a protocol in common the handshake ends. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int len, void *context)
{
    static const char http[] = "http/1.1";
    (void)ssl, (void)context;
    for (unsigned int at = 0; at < len && offered[at] < len - at; at += offered[at] + 1u) {
        if (dg_slice_eq(dg_slice_of(offered + at + 1, offered[at]), DG_SLICE("http/1.1"))) {
            *ret = (const unsigned char *)http;
            *ret_len = sizeof http - 1;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- the choice of a certificate */

static const group *find_group(const dg_tls_server *server, dg_slice name, unsigned flags)
{
    flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    for (size_t i = 0; i < server->count; i++) {
        X509 *leaf = SSL_CTX_get0_certificate(server->groups[i].context);
        if (X509_check_host(leaf, name.ptr, name.len, flags, NULL) == 1)
            return &server->groups[i];
    }
    return NULL;
}

/* The one host name of RFC 6066 3, without the dot of an absolute name; empty when there is none, or when it
 * is malformed, which OpenSSL refuses later. */
static dg_slice asked_name(SSL *ssl)
{
    const unsigned char *bytes;
    size_t len;
    enum { HEAD = 5 }; /* the list's length, a type, the name's length */
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &len) || len <= HEAD ||
        bytes[2] != TLSEXT_NAMETYPE_host_name || (size_t)(bytes[3] << 8 | bytes[4]) != len - HEAD)
        return (dg_slice){NULL, 0};
    dg_slice name = dg_slice_of(bytes + HEAD, len - HEAD);
    if (name.ptr[name.len - 1] == '.')
        name.len--;
    return name.len && name.ptr[0] != '.' ? name : (dg_slice){NULL, 0};
}

/* A session is resumed under the name that it began with, and the certificates and client CAs that it began
 * with, only. */
static bool bind_sessions(SSL *ssl, const group *chosen, dg_slice name)
{
    unsigned char id[EVP_MAX_MD_SIZE], text[ID_BYTES + TLSEXT_MAXLEN_host_name];
    unsigned len = 0;
    if (name.len > TLSEXT_MAXLEN_host_name)
        return false;
    memcpy(text, chosen->id, ID_BYTES);
    for (size_t i = 0; i < name.len; i++)
        text[ID_BYTES + i] = (unsigned char)dg_ascii_lower(name.ptr[i]);
    return EVP_Digest(text, ID_BYTES + name.len, id, &len, EVP_sha256(), NULL) &&
           SSL_set_session_id_context(ssl, id, len);
}

/* A full name goes before a wildcard (RFC 6066 3 leaves the choice to the server). It is made before OpenSSL
 * looks at a ticket: in TLS 1.3 its own callback for names would come too late to tell whose the ticket is. */
static int choose_certificate(SSL *ssl, int *alert, void *context)
{
    const dg_tls_server *server = context;
    dg_slice name = asked_name(ssl);
    const group *found = NULL;
    if (name.len)
        found = find_group(server, name, X509_CHECK_FLAG_NO_WILDCARDS);
    if (name.len && !found)
        found = find_group(server, name, 0);
    if (found)
        SSL_set_SSL_CTX(ssl, found->context);
    if (bind_sessions(ssl, found ? found : &server->groups[0], name))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

/* The name was looked at already; this makes OpenSSL take it into the session. */
static int accept_name(SSL *ssl, int *alert, void *context)
{
    (void)ssl, (void)alert, (void)context;
    return SSL_TLSEXT_ERR_OK;
}

static int staple(SSL *ssl, void *context)
{
    const dg_tls_server *server = context;
    const X509 *leaf = SSL_get_certificate(ssl);
    for (size_t i = 0; i < server->staple_count; i++)
        if (server->staples[i].leaf == leaf)
            return dg_staple_give(&server->staples[i], ssl, dg_wall_s()) ? SSL_TLSEXT_ERR_OK
                                                                         : SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_NOACK;
}

/* ---- files */

static bool has_kind(SSL_CTX *context, int kind)
{
    for (long ok = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); ok;
         ok = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
        EVP_PKEY *key = X509_get0_pubkey(SSL_CTX_get0_certificate(context));
        if (!key || EVP_PKEY_get_base_id(key) == kind)
            return true;
    }
    return false;
}

static bool has_names(const GENERAL_NAMES *names, const GENERAL_NAMES *others)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(others); i++) {
        bool found = false;
        for (int k = 0; !found && k < sk_GENERAL_NAME_num(names); k++)
            found = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, k),
                                     sk_GENERAL_NAME_value(others, i)) == 0;
        if (!found)
            return false;
    }
    return true;
}

static bool same_names(const X509 *a, const X509 *b)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(a, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *others = X509_get_ext_d2i(b, NID_subject_alt_name, NULL, NULL);
    bool same = names && others && has_names(names, others) && has_names(others, names);
    GENERAL_NAMES_free(names);
    GENERAL_NAMES_free(others);
    ERR_clear_error();
    return same;
}

/* The group that a certificate completes: the same names, another kind of key. */
static group *partner_of(dg_tls_server *server, const X509 *leaf)
{
    const EVP_PKEY *key = X509_get0_pubkey(leaf);
    for (size_t i = 0; key && i < server->count; i++) {
        group *g = &server->groups[i];
        if (same_names(SSL_CTX_get0_certificate(g->context), leaf) &&
            !has_kind(g->context, EVP_PKEY_get_base_id(key)))
            return g;
    }
    return NULL;
}

/* ---- contexts */

static bool ask_clients(SSL_CTX *context, const dg_tls_server_files *files, dg_diags *diags)
{
    if (!files->client_ca_file)
        return true;
    if (!dg_tls_trust(context, files->client_ca_file, files->client_origin, diags))
        return false;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->client_ca_file);
    if (!names) {
        dg_tls_blame(files->client_ca_file, "certificates", files->client_origin, diags);
        return false;
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER |
                           (files->client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       NULL);
    return true;
}

static dg_status context_new(dg_tls_server *server, dg_diags *diags, SSL_CTX **ret_context)
{
    SSL_CTX *context;
    dg_status status = dg_tls_context_new(TLS_server_method(), &context);
    if (status != DG_OK)
        return status;
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, accept_name);
    SSL_CTX_set_tlsext_status_cb(context, staple);
    SSL_CTX_set_tlsext_status_arg(context, server);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (server->files->tickets) {
        dg_tls_tickets_serve(server->files->tickets, context);
    } else {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
    }
    if (!ask_clients(context, server->files, diags)) {
        SSL_CTX_free(context);
        return DG_INVALID;
    }
    *ret_context = context;
    return DG_OK;
}

static bool read_staple(dg_tls_server *server, const dg_tls_cert_files *files, SSL_CTX *context,
                        dg_diags *diags)
{
    STACK_OF(X509) *chain = NULL;
    if (!files->ocsp_file)
        return true;
    SSL_CTX_get0_chain_certs(context, &chain);
    const X509 *issuer = sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;
    if (dg_staple_read(files, SSL_CTX_get0_certificate(context), issuer, diags,
                       &server->staples[server->staple_count]) != DG_OK)
        return false;
    server->staple_count++;
    return true;
}

/* A certificate with all that belongs to it, into its group or one of its own. */
static dg_status add_certificate(dg_tls_server *server, const dg_tls_cert_files *files,
                                 dg_diags *diags)
{
    X509 *leaf = dg_tls_read_leaf(files, diags);
    if (!leaf)
        return DG_INVALID;
    group *g = partner_of(server, leaf);
    SSL_CTX *context = g ? g->context : NULL;
    X509_free(leaf);
    dg_status status = g ? DG_OK : context_new(server, diags, &context);
    if (status != DG_OK)
        return status;
    if (!dg_tls_use_pair(context, files, diags) || !read_staple(server, files, context, diags)) {
        if (!g)
            SSL_CTX_free(context);
        return DG_INVALID;
    }
    if (!g)
        server->groups[server->count++].context = context;
    return DG_OK;
}

/* All certificates are looked at, so that all faults are told at once; but those of the client CAs, which all
 * share, but once. */
static dg_status add_certificates(dg_tls_server *server, dg_diags *diags)
{
    const dg_tls_server_files *files = server->files;
    SSL_CTX *probe;
    dg_status status = context_new(server, diags, &probe);
    if (status != DG_OK)
        return status;
    SSL_CTX_free(probe);
    for (size_t i = 0; i < files->count; i++) {
        dg_status one = add_certificate(server, &files->certs[i], diags);
        if (one != DG_OK && status != DG_NOMEM)
            status = one;
    }
    return status;
}

static bool hash_certificate(EVP_MD_CTX *hash, const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    return X509_digest(cert, EVP_sha256(), digest, &len) && EVP_DigestUpdate(hash, digest, len);
}

static bool hash_group(EVP_MD_CTX *hash, group *g, const dg_tls_server_files *files)
{
    bool good = EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    for (long ok = SSL_CTX_set_current_cert(g->context, SSL_CERT_SET_FIRST); ok;
         ok = SSL_CTX_set_current_cert(g->context, SSL_CERT_SET_NEXT))
        good = good && hash_certificate(hash, SSL_CTX_get0_certificate(g->context));
    char asks = files->client_ca_file ? files->client_required ? 'r' : 'o' : '-';
    good = good && EVP_DigestUpdate(hash, &asks, 1);
    STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(g->context));
    for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
        const X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
        good = good && (!cert || hash_certificate(hash, cert));
    }
    return good && EVP_DigestFinal_ex(hash, g->id, NULL) &&
           SSL_CTX_set_session_id_context(g->context, g->id, ID_BYTES);
}

static dg_status name_groups(dg_tls_server *server)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good = hash != NULL;
    for (size_t i = 0; i < server->count; i++)
        good = good && hash_group(hash, &server->groups[i], server->files);
    EVP_MD_CTX_free(hash);
    return good ? DG_OK : DG_NOMEM;
}

dg_status dg_tls_server_new(const dg_tls_server_files *files, dg_diags *diags,
                            dg_tls_server **ret_server)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, table_register);
    size_t count = files->count;
    if (count == 0 || count > CERTS_MAX) {
        dg_diags_add(diags, DG_ERROR, count ? files->certs[0].origin : (dg_origin){.file = NULL},
                     "a TLS listener takes 1 to %d certificates, not %zu", CERTS_MAX, count);
        return DG_INVALID;
    }
    dg_tls_server *server = calloc(1, sizeof *server + count * sizeof(group));
    dg_staple *staples = calloc(count, sizeof *staples);
    if (!server || !staples || table_index < 0) {
        free(server);
        free(staples);
        return DG_NOMEM;
    }
    server->staples = staples;
    server->files = files;
    dg_status status = add_certificates(server, diags);
    if (status == DG_OK)
        status = name_groups(server);
    server->files = NULL;
    if (status == DG_OK && !SSL_CTX_set_ex_data(server->groups[0].context, table_index, server))
        status = DG_NOMEM;
    if (status != DG_OK) {
        if (server->count)
            SSL_CTX_free(server->groups[0].context);
        table_free(NULL, server, NULL, 0, 0, NULL);
        return status;
    }
    SSL_CTX_set_client_hello_cb(server->groups[0].context, choose_certificate, server);
    *ret_server = server;
    return DG_OK;
}

void dg_tls_server_free(dg_tls_server *server)
{
    if (server)
        SSL_CTX_free(server->groups[0].context); /* table_free does the rest */
}

SSL *dg_tls_server_session(const dg_tls_server *server)
{
    SSL *ssl = SSL_new(server->groups[0].context);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}

bool dg_tls_met_plain_http(void)
{
    unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_SSL &&
           (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST ||
            ERR_GET_REASON(code) == SSL_R_HTTPS_PROXY_REQUEST);
}
