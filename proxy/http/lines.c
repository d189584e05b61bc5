#include "proxy/http/lines.h"

#include "proxy/http/chars.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    METHOD_BYTES_MAX = 32,
    VERSION_BYTES = 8, /* HTTP/1.1 */
    STATUS_DIGITS = 3
};

dg_status dg_http_refuse(dg_reader *r, dg_status status, unsigned code, const char *reason)
{
    r->error->status = r->request ? code : 502;
    r->error->reason = reason;
    return status;
}

/* Refuses the line that holds `at`, unless it is not whole yet. */
static dg_status refuse_line(dg_reader *r, size_t at, const char *reason)
{
    dg_slice rest = dg_slice_from(r->bytes, at);
    if (dg_slice_find(rest, '\n') == rest.len)
        return DG_AGAIN;
    return dg_http_refuse(r, DG_SYNTAX, 400, reason);
}

/* Where the first byte at or after `at` is that no field value may have (a control byte but HTAB),
 * or the end. */
static size_t value_end(dg_slice bytes, size_t at)
{
#ifdef __SSE2__
    const __m128i tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f), low = _mm_set1_epi8(0x1f);
    for (; bytes.len - at >= 16; at += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes.ptr + at));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
        const __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), control), _mm_cmpeq_epi8(v, del));
        const unsigned mask = (unsigned)_mm_movemask_epi8(bad);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
    }
#endif
    return at + dg_chars_span(dg_slice_from(bytes, at), DG_CHAR_VALUE);
}

/* The CR LF at *at; behind it on DG_OK. */
static dg_status line_end(dg_reader *r, size_t *at)
{
    const dg_slice rest = dg_slice_from(r->bytes, *at);
    if (dg_slice_starts(rest, DG_SLICE("\r\n"))) {
        *at += 2;
        return DG_OK;
    }
    if (dg_slice_starts(rest, DG_SLICE("\n")))
        return refuse_line(r, *at, "A line ends with a bare LF.");
    return refuse_line(r, *at, "A line holds a control byte, or does not end with CR LF.");
}

static dg_status bad_name(dg_reader *r, size_t at)
{
    const char c = r->bytes.ptr[at];
    if (c == ' ' || c == '\t')
        return refuse_line(r, at,
                           "A field line begins with white space, or has it before the colon.");
    return refuse_line(r, at, "A field name is malformed.");
}

dg_status dg_field_line(dg_reader *r, size_t *at, dg_slice *name, dg_slice *value)
{
    const dg_slice bytes = r->bytes;
    const size_t start = *at;
    size_t colon = start;
    while (colon < bytes.len && dg_char_is(bytes.ptr[colon], DG_CHAR_TOKEN))
        colon++;
    if (colon == bytes.len)
        return DG_AGAIN;
    if (colon == start && bytes.ptr[start] == '\r') {
        *name = (dg_slice){NULL, 0};
        return line_end(r, at);
    }
    if (bytes.ptr[colon] != ':' || colon == start)
        return bad_name(r, colon);
    size_t from = colon + 1;
    while (from < bytes.len && (bytes.ptr[from] == ' ' || bytes.ptr[from] == '\t'))
        from++;
    size_t end = value_end(bytes, from), next = end;
    dg_status status = line_end(r, &next);
    if (status != DG_OK)
        return status;
    while (end > from && (bytes.ptr[end - 1] == ' ' || bytes.ptr[end - 1] == '\t'))
        end--;
    *name = (dg_slice){bytes.ptr + start, colon - start};
    *value = (dg_slice){bytes.ptr + from, end - from};
    *at = next;
    return DG_OK;
}

/* Decided by as few bytes as it takes, so that a line that has not ended gets the verdict that it
 * will have. */
static dg_status version(dg_reader *r, size_t *at, unsigned *minor)
{
    static const char text[] = "HTTP/1.";
    const dg_slice bytes = r->bytes;
    const size_t have = bytes.len - *at;
    const char *p = bytes.ptr + *at;
    const size_t prefix = sizeof("HTTP/") - 1;
    for (size_t i = 0; i < prefix; i++) {
        if (i == have)
            return DG_AGAIN;
        if (p[i] != text[i])
            return dg_http_refuse(r, DG_SYNTAX, 400, "The start line has no HTTP version.");
    }
    for (size_t i = prefix; i < VERSION_BYTES; i++) {
        if (i == have)
            return DG_AGAIN;
        if (i < VERSION_BYTES - 1 ? p[i] != text[i] : !dg_char_is(p[i], DG_CHAR_DIGIT))
            return dg_http_refuse(r, DG_UNSUPPORTED, 505,
                                  "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    }
    if (have > VERSION_BYTES && dg_char_is(p[VERSION_BYTES], DG_CHAR_DIGIT))
        return dg_http_refuse(r, DG_UNSUPPORTED, 505,
                              "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    /* A higher minor version is understood as the highest that is known (RFC 9110 2.5). */
    *minor = p[VERSION_BYTES - 1] == '0' ? 0 : 1;
    *at += VERSION_BYTES;
    return DG_OK;
}

static dg_status method(dg_reader *r, size_t *at, dg_head *head)
{
    const dg_slice rest = dg_slice_from(r->bytes, *at);
    const size_t len = dg_chars_span(dg_slice_until(rest, METHOD_BYTES_MAX + 1), DG_CHAR_TOKEN);
    for (size_t i = 0; i < len; i++)
        if (dg_char_is(rest.ptr[i], DG_CHAR_LOWER))
            return dg_http_refuse(r, DG_SYNTAX, 400, "The method has lower-case letters.");
    if (len > METHOD_BYTES_MAX)
        return dg_http_refuse(r, DG_SYNTAX, 501, "The method is too long.");
    if (len == rest.len)
        return DG_AGAIN;
    if (len == 0 || rest.ptr[len] != ' ')
        return dg_http_refuse(r, DG_SYNTAX, 400, "The request line does not begin with a method.");
    head->method = (dg_slice){rest.ptr, len};
    head->method_id = dg_method_of(head->method);
    if (head->method_id == DG_METHOD_CONNECT)
        return dg_http_refuse(r, DG_UNSUPPORTED, 501, "Tunnels are not made here.");
    if (head->method_id == DG_METHOD_TRACE)
        return dg_http_refuse(r, DG_UNSUPPORTED, 405, "TRACE is not answered here.");
    *at += len + 1;
    return DG_OK;
}

static dg_status target(dg_reader *r, size_t *at, dg_head *head)
{
    const dg_slice rest = dg_slice_from(r->bytes, *at);
    const size_t max = r->limits->target_bytes_max;
    const dg_slice window = dg_slice_until(rest, max + 1);
    size_t len = dg_slice_find(window, ' ');
    /* A line that ends first has no version; its length does not matter then. */
    const size_t lf = dg_slice_find(dg_slice_until(window, len), '\n');
    if (lf < len)
        return dg_http_refuse(r, DG_SYNTAX, 400, "The request line has no target and version.");
    if (len > max)
        return dg_http_refuse(r, DG_LIMIT, 414, "The request target is too long.");
    if (len == rest.len)
        return DG_AGAIN;
    head->target = (dg_slice){rest.ptr, len};
    *at += len + 1;
    return DG_OK;
}

static dg_status request_line(dg_reader *r, size_t *at, dg_head *head)
{
    const dg_slice bytes = r->bytes;
    size_t p = *at;
    if (bytes.len > p && bytes.ptr[p] == '\r') {
        if (bytes.len == p + 1)
            return DG_AGAIN;
        if (bytes.ptr[p + 1] != '\n')
            return dg_http_refuse(r, DG_SYNTAX, 400,
                                  "The request line does not begin with a method.");
        p += 2;
    }
    dg_status status = method(r, &p, head);
    if (status == DG_OK)
        status = target(r, &p, head);
    if (status == DG_OK)
        status = version(r, &p, &head->minor);
    if (status != DG_OK)
        return status;
    if (bytes.len - p < 2 && (bytes.len == p || bytes.ptr[p] == '\r'))
        return DG_AGAIN;
    if (bytes.ptr[p] != '\r' || bytes.ptr[p + 1] != '\n')
        return dg_http_refuse(r, DG_SYNTAX, 400, "The request line does not end with CR LF.");
    *at = p + 2;
    return DG_OK;
}

/* The space before an empty reason may be missing: many servers leave it out, and nothing is
 * ambiguous. */
static dg_status status_line(dg_reader *r, size_t *at, dg_head *head)
{
    const dg_slice bytes = r->bytes;
    size_t p = *at;
    dg_status status = version(r, &p, &head->minor);
    if (status != DG_OK)
        return status;
    if (p < bytes.len && bytes.ptr[p] != ' ')
        return dg_http_refuse(r, DG_SYNTAX, 502, "The status line is malformed.");
    p++;
    unsigned code = 0;
    for (size_t i = 0; i < STATUS_DIGITS; i++, p++) {
        if (p >= bytes.len)
            return DG_AGAIN;
        if (!dg_char_is(bytes.ptr[p], DG_CHAR_DIGIT))
            return dg_http_refuse(r, DG_SYNTAX, 502,
                                  "The status line has no status of three digits.");
        code = code * 10 + (unsigned)(bytes.ptr[p] - '0');
    }
    if (code < 100 || code > 599)
        return dg_http_refuse(r, DG_SYNTAX, 502, "The status is not between 100 and 599.");
    if (p == bytes.len)
        return DG_AGAIN;
    size_t end = p;
    if (bytes.ptr[p] == ' ')
        end = value_end(bytes, ++p);
    else if (bytes.ptr[p] != '\r')
        return dg_http_refuse(r, DG_SYNTAX, 502, "The status line is malformed.");
    head->status = code;
    head->reason = (dg_slice){bytes.ptr + p, end - p};
    status = line_end(r, &end);
    if (status == DG_OK)
        *at = end;
    return status;
}

dg_status dg_start_line(dg_reader *r, size_t *at, dg_head *head)
{
    return r->request ? request_line(r, at, head) : status_line(r, at, head);
}
