#include "proxy/digest/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "proxy/digest/dictionary.h"

static const struct row {
    const char *field, *key, *algorithm;
    size_t bytes;
} rows[] = {
#define DG_DIGEST_ROW(id, field, key, algorithm, bytes) {field, key, algorithm, bytes},
    DG_DIGEST_TABLE(DG_DIGEST_ROW)
#undef DG_DIGEST_ROW
};

/* Exactly `bytes` of them. */
static bool decode(dg_slice base64, size_t bytes, unsigned char ret_value[DG_DIGEST_BYTES_MAX])
{
    unsigned char whole[DG_DIGEST_BYTES_MAX + 2];
    size_t len = (bytes + 2) / 3 * 4, padding = (3 - bytes % 3) % 3;
    if (base64.len != len || EVP_DecodeBlock(whole, (const unsigned char *)base64.ptr, (int)len) < 0)
        return false;
    for (size_t i = 0; i < 2; i++)
        if ((base64.ptr[len - 1 - i] == '=') != (i < padding))
            return false;
    memcpy(ret_value, whole, bytes);
    return true;
}

static bool take_value(dg_digests *digests, size_t row, dg_slice base64)
{
    if (!decode(base64, rows[row].bytes, digests->value[row]))
        return false;
    digests->has[row] = true;
    return true;
}

static dg_status read_dictionary(dg_digests *digests, dg_slice field, dg_slice value)
{
    dg_entry entry;
    dg_status status;
    while ((status = dg_dictionary_next(&value, &entry)) == DG_OK)
        for (size_t i = 0; i < DG_DIGEST_COUNT; i++)
            if (rows[i].key && dg_slice_ieq(field, dg_slice_str(rows[i].field)) &&
                dg_slice_eq(entry.key, dg_slice_str(rows[i].key)) && !take_value(digests, i, entry.base64))
                return DG_SYNTAX;
    return status == DG_NOT_FOUND ? DG_OK : status;
}

dg_status dg_digests_read(dg_digests *digests, dg_slice field, dg_slice value)
{
    for (size_t i = 0; i < DG_DIGEST_COUNT; i++) {
        if (!dg_slice_ieq(field, dg_slice_str(rows[i].field)))
            continue;
        if (rows[i].key)
            return read_dictionary(digests, field, value);
        return dg_is_base64(value) && take_value(digests, i, value) ? DG_OK : DG_SYNTAX;
    }
    return DG_NOT_FOUND;
}

static bool digest_of(size_t row, dg_slice content, unsigned char ret_value[DG_DIGEST_BYTES_MAX])
{
    size_t len = 0;
    bool good = EVP_Q_digest(NULL, rows[row].algorithm, NULL, content.len ? content.ptr : "", content.len, ret_value,
                             &len) &&
                len == rows[row].bytes;
    ERR_clear_error();
    return good;
}

dg_status dg_digests_verify(const dg_digests *digests, dg_slice content, const char **ret_field)
{
    unsigned char value[DG_DIGEST_BYTES_MAX];
    for (size_t i = 0; i < DG_DIGEST_COUNT; i++) {
        if (!digests->has[i])
            continue;
        if (!digest_of(i, content, value))
            return DG_NOMEM;
        if (memcmp(value, digests->value[i], rows[i].bytes) != 0) {
            *ret_field = rows[i].field;
            return DG_INVALID;
        }
    }
    return DG_OK;
}

static dg_status write_one(size_t row, dg_slice content, dg_buf *out)
{
    unsigned char value[DG_DIGEST_BYTES_MAX];
    char base64[(DG_DIGEST_BYTES_MAX + 2) / 3 * 4 + 1];
    if (!digest_of(row, content, value))
        return DG_NOMEM;
    int len = EVP_EncodeBlock((unsigned char *)base64, value, (int)rows[row].bytes);
    dg_buf_add_str(out, rows[row].field);
    dg_buf_add_str(out, ": ");
    if (rows[row].key) {
        dg_buf_add_str(out, rows[row].key);
        dg_buf_add_str(out, "=:");
    }
    dg_buf_add(out, dg_slice_of(base64, (size_t)len));
    dg_buf_add_str(out, rows[row].key ? ":\r\n" : "\r\n");
    return out->status;
}

/* Lines of one field are one dictionary (RFC 8941 4.2). */
dg_status dg_digests_write(const dg_digests *digests, dg_slice content, dg_buf *out)
{
    dg_status status = DG_OK;
    for (size_t i = 0; i < DG_DIGEST_COUNT && status == DG_OK; i++)
        if (digests->has[i])
            status = write_one(i, content, out);
    return status;
}
