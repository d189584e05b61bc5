#include "rules/reader/field.h"

static const char *const undocumented[] = {
    /* the connection's, and the framing */
    "connection", "content-length", "expect", "host", "keep-alive", "max-forwards",
    "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
    /* what describes the content: the pack says `format` */
    "accept-encoding", "accept-ranges", "content-digest", "content-encoding", "content-md5",
    "content-range", "content-type", "digest", "etag", "if-match", "if-none-match", "if-range",
    "range", "repr-digest",
    /* dragoman's own */
    "api-version", "date", "deprecation", "forwarded", "proxy-status", "sunset", "via",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"};

bool dg_field_is_documented(dg_slice name)
{
    for (size_t i = 0; i < sizeof undocumented / sizeof *undocumented; i++)
        if (dg_slice_ieq(name, dg_slice_str(undocumented[i])))
            return false;
    return true;
}

const char *dg_field_problem(dg_slice name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c >= 'A' && c <= 'Z')
            return "is written in lower case in a pack, as all header fields are";
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(others, c))))
            return "is no name of a header field";
    }
    if (name.len == 0)
        return "is no name of a header field";
    return dg_field_is_documented(name) ? NULL : "is a header field that dragoman itself sees to";
}

bool dg_field_text_ok(dg_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}
