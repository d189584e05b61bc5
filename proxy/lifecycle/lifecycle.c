#include "proxy/lifecycle/lifecycle.h"

#include "base/date.h"

dg_stage dg_lifecycle_stage(const dg_version *version, int64_t now)
{
    bool deprecates = version->deprecated != DG_NEVER, sunsets = version->sunset != DG_NEVER;
    if (sunsets && now >= version->sunset)
        return DG_STAGE_SUNSET;
    if (deprecates && now >= version->deprecated)
        return DG_STAGE_DEPRECATED;
    return deprecates || sunsets ? DG_STAGE_ANNOUNCED : DG_STAGE_ACTIVE;
}

const char *dg_stage_name(dg_stage stage)
{
    static const char *const names[] = {
        [DG_STAGE_ACTIVE] = "active",
        [DG_STAGE_ANNOUNCED] = "announced",
        [DG_STAGE_DEPRECATED] = "deprecated",
        [DG_STAGE_SUNSET] = "sunset",
    };
    DG_ASSERT((size_t)stage < sizeof names / sizeof *names);
    return names[stage];
}

/* What may stand in a URI (RFC 3986 2.2, 2.3) beside letters and digits; '%' because what is
 * encoded already must stay as it is. One bit a byte, from 0x20 to 0x7f: called for every byte of every link. */
static bool is_uri_byte(char c)
{
    static const uint32_t bits[3] = {
        0xAFFFFFFAu, /* 0x20..0x3f: all but space " < > */
        0xAFFFFFFFu, /* 0x40..0x5f: all but \ ^ */
        0x47FFFFFEu, /* 0x60..0x7f: all but ` { | } DEL */
    };
    unsigned at = (unsigned char)c - 0x20u;
    return at < 96 && (bits[at / 32] >> at % 32 & 1);
}

/* The successor holds what the client wrote in its path and query, so whatever could end the
 * bracket or the field line is percent-encoded (RFC 8288 3, RFC 9110 5.5). */
static void add_uri(dg_slice uri, dg_buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    while (uri.len) {
        size_t clean = 0;
        while (clean < uri.len && is_uri_byte(uri.ptr[clean]))
            clean++;
        dg_buf_add(out, dg_slice_until(uri, clean));
        uri = dg_slice_from(uri, clean);
        if (!uri.len)
            return;
        unsigned char c = (unsigned char)uri.ptr[0];
        char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
        dg_buf_add(out, dg_slice_of(escaped, sizeof escaped));
        uri = dg_slice_from(uri, 1);
    }
}

static void add_link(dg_slice uri, const char *parameters, dg_buf *out)
{
    dg_buf_add_str(out, "Link: <");
    add_uri(uri, out);
    dg_buf_add_str(out, ">; ");
    dg_buf_add_str(out, parameters);
    dg_buf_add_str(out, "\r\n");
}

/* A Date of Structured Fields (RFC 9651 3.3.7): '@' and seconds. */
static void add_deprecation(int64_t when, dg_buf *out)
{
    dg_buf_add_str(out, when < 0 ? "Deprecation: @-" : "Deprecation: @");
    dg_buf_add_u64(out, when < 0 ? 0 - (uint64_t)when : (uint64_t)when);
    dg_buf_add_str(out, "\r\n");
}

void dg_lifecycle_successor(dg_slice successor, dg_buf *out)
{
    add_link(successor, "rel=\"successor-version\"", out);
}

void dg_lifecycle_fields(const dg_version *version, bool has_deprecation, bool has_sunset, dg_buf *out)
{
    bool deprecates = version->deprecated != DG_NEVER, sunsets = version->sunset != DG_NEVER;
    if (deprecates && !has_deprecation)
        add_deprecation(version->deprecated, out);
    if (sunsets && !has_sunset) {
        char date[DG_IMF_FIXDATE_BYTES];
        dg_date_imf(version->sunset, date);
        dg_buf_add_str(out, "Sunset: ");
        dg_buf_add(out, dg_slice_of(date, sizeof date));
        dg_buf_add_str(out, "\r\n");
    }
    if (version->docs.len && (deprecates || has_deprecation))
        add_link(version->docs, "rel=\"deprecation\"; type=\"text/html\"", out);
    if (version->docs.len && sunsets)
        add_link(version->docs, "rel=\"sunset\"; type=\"text/html\"", out);
}
