#include "certs/identity.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/buf.h"

static const char *const keys[] = {
#define DG_TLS_IDENTITY_KEY(id, key) key,
    DG_TLS_IDENTITY_TABLE(DG_TLS_IDENTITY_KEY)
#undef DG_TLS_IDENTITY_KEY
};

const char *dg_tls_identity_key(dg_tls_identity_part part)
{
    return part < DG_TLS_IDENTITY_COUNT ? keys[part] : "";
}

/* What a CA signed is still no text that may stand in a field: it can hold line ends and NULs. */
static void add_escaped(dg_buf *out, dg_slice value)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c > ' ' && c < 0x7F && c != '%' && c != ',' && c != '"') {
            dg_buf_add_char(out, (char)c);
            continue;
        }
        char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
        dg_buf_add(out, dg_slice_of(escaped, sizeof escaped));
    }
}

/* In UTF-8. */
static void add_string(dg_buf *out, const ASN1_STRING *string)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, string);
    if (len >= 0)
        add_escaped(out, dg_slice_of(utf8, (size_t)len));
    else
        out->status = DG_NOMEM;
    OPENSSL_free(utf8);
}

static void add_common_name(dg_buf *out, const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0)
        add_string(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static void add_names(dg_buf *out, const GENERAL_NAMES *names, int type)
{
    size_t start = out->len;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int found;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &found);
        if (found != type)
            continue;
        dg_buf_add(out, out->len > start ? DG_SLICE(", ") : DG_SLICE(""));
        add_string(out, value);
    }
}

static void add_digest(dg_buf *out, const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!X509_digest(cert, EVP_sha256(), digest, &len))
        out->status = DG_NOMEM;
    for (unsigned i = 0; i < len; i++)
        dg_buf_printf(out, "%02x", digest[i]);
}

/* All parts, one behind the other. */
static void add_parts(dg_buf *out, const X509 *cert, size_t ends[DG_TLS_IDENTITY_COUNT])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    add_common_name(out, cert);
    ends[DG_TLS_IDENTITY_CN] = out->len;
    add_names(out, names, GEN_URI);
    ends[DG_TLS_IDENTITY_URI] = out->len;
    add_names(out, names, GEN_DNS);
    ends[DG_TLS_IDENTITY_DNS] = out->len;
    add_names(out, names, GEN_EMAIL);
    ends[DG_TLS_IDENTITY_EMAIL] = out->len;
    add_digest(out, cert);
    ends[DG_TLS_IDENTITY_SHA256] = out->len;
    GENERAL_NAMES_free(names);
}

dg_status dg_tls_identity_of(const SSL *ssl, dg_tls_identity **ret_identity)
{
    const X509 *cert = SSL_get0_peer_certificate(ssl);
    if (!cert) {
        *ret_identity = NULL;
        return DG_OK;
    }
    dg_buf text;
    size_t ends[DG_TLS_IDENTITY_COUNT];
    dg_buf_init(&text, DG_TLS_IDENTITY_BYTES_MAX);
    add_parts(&text, cert, ends);
    ERR_clear_error();
    dg_status status = text.status;
    dg_tls_identity *identity = status == DG_OK ? malloc(sizeof *identity + text.len) : NULL;
    if (identity) {
        memcpy(identity->text, text.ptr, text.len);
        for (size_t i = 0, start = 0; i < DG_TLS_IDENTITY_COUNT; start = ends[i++])
            identity->parts[i] = dg_slice_of(identity->text + start, ends[i] - start);
        *ret_identity = identity;
    } else if (status == DG_OK) {
        status = DG_NOMEM;
    }
    dg_buf_free(&text);
    return status;
}
