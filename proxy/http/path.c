#include "proxy/http/chars.h"
#include "proxy/http/target.h"

/* The bytes that a path stands for, one octet at a time, as a machine that checks UTF-8 (RFC 3629)
 * with the ranges of its second bytes: so overlong forms and surrogates have no way through. */
typedef struct utf8 {
    unsigned left;           /* continuation bytes that must come */
    uint8_t lowest, highest; /* of the next one */
} utf8;

static bool utf8_take(utf8 *u, uint8_t c)
{
    if (u->left) {
        if (c < u->lowest || c > u->highest)
            return false;
        *u = (utf8){u->left - 1, 0x80, 0xbf};
        return true;
    }
    if (c < 0x80)
        return true;
    if (c < 0xc2 || c > 0xf4)
        return false;
    *u = (utf8){c < 0xe0   ? 1
                : c < 0xf0 ? 2
                           : 3,
                c == 0xe0   ? 0xa0
                : c == 0xf0 ? 0x90
                            : 0x80,
                c == 0xed   ? 0x9f
                : c == 0xf4 ? 0x8f
                            : 0xbf};
    return true;
}

/* "." or "..", maybe with parameters that a servlet container would cut off before it resolves
 * them. */
static bool is_dots(const char *segment, size_t len)
{
    size_t dots = 0;
    while (dots < len && segment[dots] == '.')
        dots++;
    return (dots == 1 || dots == 2) && (dots == len || segment[dots] == ';');
}

typedef struct writer {
    char *out;
    size_t cap, len;
    size_t segment; /* where the current one begins */
} writer;

static dg_status put(writer *w, const char *bytes, size_t len)
{
    if (w->cap - w->len < len)
        return DG_LIMIT;
    memcpy(w->out + w->len, bytes, len);
    w->len += len;
    return DG_OK;
}

/* One octet of the path: raw, or what a triplet stands for. */
static dg_status put_octet(writer *w, uint8_t octet, bool encoded)
{
    if (!encoded || dg_char_is((char)octet, DG_CHAR_UNRESERVED))
        return put(w, (const char *)&octet, 1);
    if (octet == 0) /* the end of the path to whoever decodes it into a C string */
        return DG_INVALID;
    const char triplet[3] = {'%', "0123456789ABCDEF"[octet >> 4], "0123456789ABCDEF"[octet & 15]};
    return put(w, triplet, sizeof(triplet));
}

static dg_status put_slash(writer *w)
{
    if (is_dots(w->out + w->segment, w->len - w->segment))
        return DG_INVALID;
    if (w->len && w->len == w->segment)
        return DG_OK; /* a slash behind a slash */
    dg_status status = put(w, "/", 1);
    w->segment = w->len;
    return status;
}

static dg_status read_octet(dg_slice path, size_t *at, uint8_t *octet, bool *encoded)
{
    const char c = path.ptr[*at];
    *encoded = c == '%';
    if (!*encoded) {
        *octet = (uint8_t)c;
        *at += 1;
        return dg_char_is(c, DG_CHAR_PATH) ? DG_OK : DG_SYNTAX;
    }
    if (path.len - *at < 3 || !dg_char_is(path.ptr[*at + 1], DG_CHAR_HEX) ||
        !dg_char_is(path.ptr[*at + 2], DG_CHAR_HEX))
        return DG_SYNTAX;
    *octet = (uint8_t)(dg_hex_value(path.ptr[*at + 1]) << 4 | dg_hex_value(path.ptr[*at + 2]));
    *at += 3;
    return DG_OK;
}

dg_status dg_path_normalise(dg_slice path, char *out, size_t cap, dg_slice *ret)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return DG_SYNTAX;
    writer w = {.out = out, .cap = cap};
    utf8 u = {0, 0, 0};
    for (size_t at = 0; at < path.len;) {
        uint8_t octet = 0;
        bool encoded = false;
        dg_status status = read_octet(path, &at, &octet, &encoded);
        if (status != DG_OK)
            return status;
        if (!utf8_take(&u, octet))
            return DG_INVALID;
        status = octet == '/' && !encoded ? put_slash(&w) : put_octet(&w, octet, encoded);
        if (status != DG_OK)
            return status;
    }
    if (u.left || is_dots(w.out + w.segment, w.len - w.segment))
        return DG_INVALID;
    *ret = (dg_slice){out, w.len};
    return DG_OK;
}
