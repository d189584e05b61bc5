#include "certs/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/context.h"

enum { SKEW_S = 300 };

static bool read_file(const char *file, dg_origin origin, dg_diags *diags, unsigned char **ret_der,
                      size_t *ret_len)
{
    BIO *bio = dg_tls_open(file, origin, diags);
    if (!bio)
        return false;
    unsigned char *der = malloc(DG_STAPLE_BYTES_MAX + 1);
    int len = der ? BIO_read(bio, der, DG_STAPLE_BYTES_MAX + 1) : -1;
    BIO_free(bio);
    if (len > 0 && len <= DG_STAPLE_BYTES_MAX) {
        *ret_der = der;
        *ret_len = (size_t)len;
        return true;
    }
    free(der);
    ERR_clear_error();
    dg_diags_add(diags, DG_ERROR, origin, "%s is no OCSP response: it has 1 to %d bytes", file,
                 DG_STAPLE_BYTES_MAX);
    return false;
}

/* RFC 6960 4.1.1: named by its serial number, and by hashes of its issuer's name and key. */
static bool is_about(const OCSP_SINGLERESP *single, const X509 *leaf, const X509 *issuer)
{
    ASN1_OCTET_STRING *name;
    ASN1_OBJECT *algorithm;
    ASN1_INTEGER *serial;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    /* OpenSSL takes it without const, and does not write. */
    OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
    if (!OCSP_id_get0_info(&name, &algorithm, NULL, &serial, id) ||
        ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0)
        return false;
    const EVP_MD *md = EVP_get_digestbyobj(algorithm);
    if (!md || !X509_NAME_digest(X509_get_issuer_name(leaf), md, digest, &len) ||
        (unsigned)ASN1_STRING_length(name) != len ||
        memcmp(ASN1_STRING_get0_data(name), digest, len) != 0)
        return false;
    if (!issuer)
        return true;
    OCSP_CERTID *expected = OCSP_cert_to_id(md, leaf, issuer);
    bool same = expected && OCSP_id_cmp(expected, id) == 0;
    OCSP_CERTID_free(expected);
    return same;
}

static OCSP_SINGLERESP *find(OCSP_BASICRESP *basic, const X509 *leaf, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (is_about(single, leaf, issuer))
            return single;
    }
    return NULL;
}

static int64_t seconds_of(const ASN1_GENERALIZEDTIME *time)
{
    struct tm tm;
    if (!time)
        return INT64_MAX; /* newer information is always there: it does not expire (RFC 6960 4.2.2.1) */
    return ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) : 0;
}

/* Why a response cannot be used, or NULL. */
static const char *judge(OCSP_SINGLERESP *single, const dg_tls_cert_files *files, dg_diags *diags,
                         dg_staple *staple)
{
    ASN1_GENERALIZEDTIME *revoked, *from, *until;
    int reason;
    if (!single)
        return "it is about another certificate";
    if (OCSP_single_get0_status(single, &reason, &revoked, &from, &until) ==
        V_OCSP_CERTSTATUS_REVOKED)
        dg_diags_add(diags, DG_WARNING, files->origin, "%s says that the certificate in %s is revoked",
                     files->ocsp_file, files->cert_file);
    staple->until_s = seconds_of(until);
    if (!OCSP_check_validity(from, until, SKEW_S, -1)) {
        dg_diags_add(diags, DG_WARNING, files->origin,
                     "the OCSP response in %s has expired or is not valid yet: it is not stapled",
                     files->ocsp_file);
        staple->leaf = NULL;
    }
    ERR_clear_error();
    return NULL;
}

static const char *check(const dg_tls_cert_files *files, const X509 *leaf, const X509 *issuer,
                         dg_diags *diags, dg_staple *staple)
{
    const unsigned char *at = staple->der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)staple->len);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    const char *why = NULL;
    if (!response || at != staple->der + staple->len)
        why = "it is not one in DER form";
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL || !basic)
        why = "it is the responder's refusal";
    else
        why = judge(find(basic, leaf, issuer), files, diags, staple);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return why;
}

dg_status dg_staple_read(const dg_tls_cert_files *files, const X509 *leaf, const X509 *issuer,
                         dg_diags *diags, dg_staple *ret_staple)
{
    dg_staple staple = {.leaf = leaf};
    if (!read_file(files->ocsp_file, files->origin, diags, &staple.der, &staple.len))
        return DG_INVALID;
    const char *why = check(files, leaf, issuer, diags, &staple);
    if (why) {
        dg_diags_add(diags, DG_ERROR, files->origin, "cannot use the OCSP response in %s for %s: %s",
                     files->ocsp_file, files->cert_file, why);
        free(staple.der);
        return DG_INVALID;
    }
    *ret_staple = staple;
    return DG_OK;
}

bool dg_staple_give(const dg_staple *staple, SSL *ssl, int64_t now_s)
{
    if (now_s > staple->until_s)
        return false;
    unsigned char *copy = OPENSSL_memdup(staple->der, staple->len);
    if (!copy)
        return false;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->len); /* its own now */
    return true;
}
