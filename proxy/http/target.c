#include "proxy/http/target.h"

#include "proxy/http/chars.h"

enum { HOST_BYTES_MAX = 255, PORT_MAX = 65535 };

/* Bytes of the classes and complete percent triplets only. */
static bool is_made_of(dg_slice s, unsigned classes)
{
    size_t at = 0;
    for (;;) {
        at += dg_chars_span(dg_slice_from(s, at), classes);
        if (at >= s.len)
            return true;
        if (s.ptr[at] != '%' || s.len - at < 3 || !dg_char_is(s.ptr[at + 1], DG_CHAR_HEX) ||
            !dg_char_is(s.ptr[at + 2], DG_CHAR_HEX))
            return false;
        at += 3;
    }
}

static dg_status split_path(dg_slice s, dg_target *target)
{
    const size_t mark = dg_slice_find(s, '?');
    target->path = dg_slice_until(s, mark);
    target->has_query = mark < s.len;
    target->query = dg_slice_from(s, mark + 1);
    return is_made_of(target->path, DG_CHAR_PATH) && is_made_of(target->query, DG_CHAR_QUERY)
               ? DG_OK
               : DG_SYNTAX;
}

/* http://authority[/path][?query] (RFC 9112 3.2.2) */
static dg_status parse_absolute(dg_slice s, dg_method method, dg_target *target)
{
    const dg_slice http = DG_SLICE("http://"), https = DG_SLICE("https://");
    target->form = DG_TARGET_ABSOLUTE;
    target->https = dg_slice_ieq(dg_slice_until(s, https.len), https);
    if (target->https)
        s = dg_slice_from(s, https.len);
    else if (dg_slice_ieq(dg_slice_until(s, http.len), http))
        s = dg_slice_from(s, http.len);
    else
        return DG_SYNTAX;
    size_t end = 0;
    while (end < s.len && s.ptr[end] != '/' && s.ptr[end] != '?')
        end++;
    target->authority = dg_slice_until(s, end);
    dg_slice host;
    unsigned port;
    dg_status status = dg_authority_parse(target->authority, &host, &port);
    if (status == DG_OK)
        status = split_path(dg_slice_from(s, end), target);
    if (status == DG_OK && target->path.len == 0) /* RFC 9112 3.2.4 */
        target->path = method == DG_METHOD_OPTIONS && !target->has_query ? DG_SLICE("*") : DG_SLICE("/");
    return status;
}

dg_status dg_target_parse(dg_slice s, dg_method method, dg_target *ret_target)
{
    dg_target target = {.form = DG_TARGET_ORIGIN};
    dg_status status = DG_SYNTAX;
    if (method == DG_METHOD_CONNECT) {
        dg_slice host;
        unsigned port = 0;
        target.form = DG_TARGET_AUTHORITY;
        target.authority = s;
        status = dg_authority_parse(s, &host, &port);
        if (status == DG_OK && port == 0)
            status = DG_SYNTAX;
    } else if (s.len && s.ptr[0] == '/') {
        status = split_path(s, &target);
    } else if (dg_slice_eq(s, DG_SLICE("*"))) {
        target.form = DG_TARGET_ASTERISK;
        target.path = s;
        status = method == DG_METHOD_OPTIONS ? DG_OK : DG_SYNTAX;
    } else {
        status = parse_absolute(s, method, &target);
    }
    if (status == DG_OK)
        *ret_target = target;
    return status;
}

dg_status dg_target_check(const dg_target *target, const dg_head *head, bool tls,
                          dg_http_error *ret_error)
{
    if (target->form != DG_TARGET_ABSOLUTE)
        return DG_OK;
    if (target->https != tls) {
        *ret_error = (dg_http_error){421, "The target's scheme is not that of the connection."};
        return DG_INVALID;
    }
    const dg_field *field = dg_head_find(head, DG_FIELD_HOST);
    if (!field)
        return DG_OK; /* HTTP/1.0 */
    const unsigned standard = tls ? 443 : 80;
    dg_slice a, b;
    unsigned a_port, b_port;
    if (dg_authority_parse(target->authority, &a, &a_port) == DG_OK &&
        dg_authority_parse(field->value, &b, &b_port) == DG_OK && dg_slice_ieq(a, b) &&
        (a_port ? a_port : standard) == (b_port ? b_port : standard))
        return DG_OK;
    *ret_error = (dg_http_error){400, "The target and Host name different hosts."};
    return DG_INVALID;
}

dg_slice dg_target_host(const dg_target *target, const dg_head *head)
{
    return target->authority.len ? target->authority : dg_head_value(head, DG_FIELD_HOST);
}

static bool is_ipv4(dg_slice s)
{
    for (unsigned part = 0; part < 4; part++) {
        const size_t digits = dg_chars_span(s, DG_CHAR_DIGIT);
        unsigned n = 0;
        for (size_t i = 0; i < digits && i < 4; i++)
            n = n * 10 + (unsigned)(s.ptr[i] - '0');
        if (digits == 0 || digits > 3 || n > 255 || (digits > 1 && s.ptr[0] == '0'))
            return false;
        s = dg_slice_from(s, digits);
        if (part == 3)
            return s.len == 0;
        if (s.len == 0 || s.ptr[0] != '.')
            return false;
        s = dg_slice_from(s, 1);
    }
    return false;
}

/* IPv6address of RFC 3986 3.2.2: eight groups, or fewer with one "::"; the last two may be an IPv4
 * address. Zones and future versions are refused. */
static bool is_ipv6(dg_slice s)
{
    unsigned groups = 0;
    bool gap = false;
    if (dg_slice_starts(s, DG_SLICE("::"))) {
        gap = true;
        s = dg_slice_from(s, 2);
    }
    while (s.len) {
        const size_t digits = dg_chars_span(s, DG_CHAR_HEX);
        if (digits < s.len && s.ptr[digits] == '.')
            return is_ipv4(s) && (gap ? groups + 2 < 8 : groups + 2 == 8);
        if (digits == 0 || digits > 4 || ++groups > 8)
            return false;
        s = dg_slice_from(s, digits);
        if (s.len == 0)
            break;
        if (s.ptr[0] != ':' || s.len == 1)
            return false;
        s = dg_slice_from(s, 1);
        if (dg_slice_starts(s, DG_SLICE(":"))) {
            if (gap)
                return false;
            gap = true;
            s = dg_slice_from(s, 1);
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* A name of letters, digits and "-._~". The rest of what reg-name may have (sub-delims, percent
 * triplets) names no host that exists, and confuses whoever puts it into a list, a URL or a log. */
static bool is_host(dg_slice s)
{
    if (s.len == 0 || s.len > HOST_BYTES_MAX)
        return false;
    if (s.ptr[0] == '[')
        return s.ptr[s.len - 1] == ']' && s.len > 2 && is_ipv6((dg_slice){s.ptr + 1, s.len - 2});
    if (dg_chars_span(s, DG_CHAR_UNRESERVED) != s.len)
        return false;
    /* Only digits and dots: an IPv4 address, or an attempt at one ("1.2.3", "0177.0.0.1"). */
    for (size_t i = 0; i < s.len; i++)
        if (!dg_char_is(s.ptr[i], DG_CHAR_DIGIT) && s.ptr[i] != '.')
            return true;
    return is_ipv4(s);
}

dg_status dg_authority_parse(dg_slice authority, dg_slice *ret_host, unsigned *ret_port)
{
    size_t end = 0;
    if (authority.len && authority.ptr[0] == '[')
        end = dg_slice_find(authority, ']');
    while (end < authority.len && authority.ptr[end] != ':')
        end++;
    const dg_slice host = dg_slice_until(authority, end);
    const dg_slice digits = dg_slice_from(authority, end + 1);
    if (!is_host(host))
        return DG_SYNTAX;
    unsigned port = 0;
    if (end < authority.len) {
        if (digits.len == 0 || digits.len > 5 || dg_chars_span(digits, DG_CHAR_DIGIT) != digits.len)
            return DG_SYNTAX;
        for (size_t i = 0; i < digits.len; i++)
            port = port * 10 + (unsigned)(digits.ptr[i] - '0');
        if (port == 0 || port > PORT_MAX)
            return DG_SYNTAX;
    }
    *ret_host = host;
    *ret_port = port;
    return DG_OK;
}
