#include "certs/issue.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

/* The bytes of an address as subjectAltName carries them (RFC 5280 4.2.1.6), or 0. */
static int address_bytes(const char *name, unsigned char ret_bytes[16])
{
    if (inet_pton(AF_INET, name, ret_bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, name, ret_bytes) == 1 ? 16 : 0;
}

bool dg_cert_name_is_valid(const char *name)
{
    unsigned char bytes[16];
    if (address_bytes(name, bytes))
        return true;
    dg_slice s = dg_slice_str(name);
    if (dg_slice_starts(s, DG_SLICE("*.")))
        s = dg_slice_from(s, 2);
    if (s.len == 0 || s.len > 253)
        return false;
    while (true) {
        size_t label = dg_slice_find(s, '.');
        if (label == 0 || label > 63 || s.ptr[0] == '-' || s.ptr[label - 1] == '-')
            return false;
        for (size_t i = 0; i < label; i++) {
            char c = dg_ascii_lower(s.ptr[i]);
            if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
                return false;
        }
        if (label == s.len)
            return true;
        s = dg_slice_from(s, label + 1);
        if (s.len == 0)
            return false;
    }
}

static GENERAL_NAME *general_name(const char *name)
{
    unsigned char bytes[16];
    int len = address_bytes(name, bytes);
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(len ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    if (!general || !value ||
        !ASN1_STRING_set(value, len ? (const void *)bytes : name, len ? len : -1)) {
        GENERAL_NAME_free(general);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, len ? GEN_IPADD : GEN_DNS, value);
    return general;
}

static bool add_names(X509 *cert, const char *const *names)
{
    if (!names || !*names)
        return true;
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    bool good = all;
    for (size_t i = 0; good && names[i]; i++) {
        GENERAL_NAME *one = i < DG_CERT_NAMES_MAX ? general_name(names[i]) : NULL;
        good = one && sk_GENERAL_NAME_push(all, one);
        if (!good)
            GENERAL_NAME_free(one);
    }
    good = good && X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(all);
    return good;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return good;
}

static bool add_extensions(X509 *cert, X509 *issuer, const dg_cert_spec *spec)
{
    bool good = add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
                add_extension(cert, issuer, NID_authority_key_identifier, "keyid");
    if (spec->authority)
        return good &&
               add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    return good && add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
           add_names(cert, spec->names);
}

/* RFC 5280 4.1.2.2: positive, unique for its issuer, at most 20 octets. */
static bool set_serial(X509 *cert)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7F) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static bool set_dates(X509 *cert, X509 *issuer, const dg_cert_spec *spec)
{
    if (!X509_gmtime_adj(X509_getm_notBefore(cert), spec->from_s) ||
        !X509_gmtime_adj(X509_getm_notAfter(cert), spec->until_s))
        return false;
    const ASN1_TIME *last = issuer ? X509_get0_notAfter(issuer) : NULL;
    return !last || ASN1_TIME_compare(last, X509_get0_notAfter(cert)) >= 0 ||
           X509_set1_notAfter(cert, last);
}

static bool fill(X509 *cert, X509 *issuer, const dg_cert_spec *spec, EVP_PKEY *key)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    const unsigned char *common_name = (const unsigned char *)spec->common_name;
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           set_dates(cert, issuer, spec) &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, common_name, -1, -1,
                                      0) &&
           X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject) &&
           X509_set_pubkey(cert, key) && add_extensions(cert, issuer ? issuer : cert, spec);
}

dg_status dg_cert_issue(const dg_cert_spec *spec, X509 *issuer, EVP_PKEY *issuer_key,
                        X509 **ret_cert, EVP_PKEY **ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    if (!key || !cert || !fill(cert, issuer, spec, key) ||
        !X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256())) {
        X509_free(cert);
        EVP_PKEY_free(key);
        return DG_NOMEM;
    }
    *ret_cert = cert;
    *ret_key = key;
    return DG_OK;
}

bool dg_cert_covers(X509 *cert, const char *name)
{
    unsigned char bytes[16];
    int len = address_bytes(name, bytes);
    if (len)
        return X509_check_ip(cert, bytes, (size_t)len, 0) == 1;
    /* A wildcard is covered by itself alone: as a host it would match nothing. */
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type == GEN_DNS)
            found = dg_slice_ieq(dg_slice_of(ASN1_STRING_get0_data(one->d.dNSName),
                                             (size_t)ASN1_STRING_length(one->d.dNSName)),
                                 dg_slice_str(name));
    }
    GENERAL_NAMES_free(names);
    return found;
}
