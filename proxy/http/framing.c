#include "proxy/http/framing.h"

#include "proxy/http/chars.h"
#include "proxy/http/fields.h"
#include "proxy/http/target.h"

enum { LENGTH_DIGITS_MAX = 32 };

/* Digits only; leading zeros are harmless; never more than fits a signed number. */
static bool length_of(dg_slice value, uint64_t *ret)
{
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
        return false;
    uint64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!dg_char_is(value.ptr[i], DG_CHAR_DIGIT))
            return false;
        const uint64_t digit = (uint64_t)(value.ptr[i] - '0');
        if (n > (INT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *ret = n;
    return true;
}

static bool single(const dg_head *head, const dg_field *field)
{
    return dg_head_next(head, field) == NULL;
}

/* Names that readers which turn "-" into "_" (CGI and its heirs) take for the fields of the
 * framing. */
static bool looks_like_framing(dg_slice name)
{
    static const dg_slice names[] = {{"transfer-encoding", 17}, {"content-length", 14}};
    for (size_t n = 0; n < 2; n++) {
        size_t i = 0;
        while (name.len == names[n].len && i < name.len &&
               (name.ptr[i] == '_' ? '-' : dg_ascii_lower(name.ptr[i])) == names[n].ptr[i])
            i++;
        if (i == names[n].len)
            return true;
    }
    return false;
}

/* Content-Length and Transfer-Encoding, each at most once and never both (RFC 9112 6.1 to 6.3). */
static dg_status framing_fields(dg_reader *r, dg_head *head)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == DG_FIELD_OTHER && looks_like_framing(head->fields[i].name))
            return dg_http_refuse(r, DG_SYNTAX, 400,
                                  "A field looks like one of the framing but is none.");
    const dg_field *length = dg_head_find(head, DG_FIELD_CONTENT_LENGTH);
    const dg_field *coding = dg_head_find(head, DG_FIELD_TRANSFER_ENCODING);
    head->framing = DG_FRAMING_NONE;
    head->content_length = 0;
    head->has_length = length != NULL;
    if (length && coding)
        return dg_http_refuse(r, DG_SYNTAX, 400,
                              "There are both Content-Length and Transfer-Encoding.");
    if (length) {
        if (!single(head, length))
            return dg_http_refuse(r, DG_SYNTAX, 400, "There is more than one Content-Length.");
        if (!length_of(length->value, &head->content_length))
            return dg_http_refuse(r, DG_SYNTAX, 400, "Content-Length is malformed.");
        head->framing = DG_FRAMING_LENGTH;
    }
    if (coding) {
        if (!single(head, coding))
            return dg_http_refuse(r, DG_SYNTAX, 400, "There is more than one Transfer-Encoding.");
        if (head->minor == 0)
            return dg_http_refuse(r, DG_SYNTAX, 400,
                                  "Transfer-Encoding does not exist in HTTP/1.0.");
        if (dg_chars_span(coding->value, DG_CHAR_TOKEN) == 0)
            return dg_http_refuse(r, DG_SYNTAX, 400, "Transfer-Encoding is malformed.");
        if (!dg_slice_ieq(coding->value, DG_SLICE("chunked")))
            return dg_http_refuse(r, DG_UNSUPPORTED, 501,
                                  "The only transfer coding spoken here is chunked.");
        head->framing = DG_FRAMING_CHUNKED;
    }
    return DG_OK;
}

/* Persistence (RFC 9112 9.3) and upgrades. */
static dg_status connection(dg_reader *r, dg_head *head)
{
    bool close = false, keep = false, upgrade = false;
    dg_list list = dg_list_of_field(head, DG_FIELD_CONNECTION);
    dg_slice option;
    while (dg_list_next(&list, &option)) {
        close |= dg_slice_ieq(option, DG_SLICE("close"));
        keep |= dg_slice_ieq(option, DG_SLICE("keep-alive"));
        upgrade |= dg_slice_ieq(option, DG_SLICE("upgrade"));
        /* Who removes them as asked frames the message anew. */
        if (dg_slice_ieq(option, DG_SLICE("Transfer-Encoding")) ||
            dg_slice_ieq(option, DG_SLICE("Content-Length")))
            return dg_http_refuse(r, DG_SYNTAX, 400, "Connection names a field of the framing.");
    }
    head->keep_alive = !close && (head->minor > 0 || keep);
    head->upgrade = upgrade && head->minor > 0 && dg_head_find(head, DG_FIELD_UPGRADE) != NULL;
    return DG_OK;
}

static dg_status host(dg_reader *r, const dg_head *head)
{
    const dg_field *field = dg_head_find(head, DG_FIELD_HOST);
    if (!field && head->minor == 0)
        return DG_OK;
    if (!field)
        return dg_http_refuse(r, DG_SYNTAX, 400, "There is no Host.");
    if (!single(head, field))
        return dg_http_refuse(r, DG_SYNTAX, 400, "There is more than one Host.");
    dg_slice name;
    unsigned port;
    if (dg_authority_parse(field->value, &name, &port) != DG_OK)
        return dg_http_refuse(r, DG_SYNTAX, 400, "Host is malformed.");
    return DG_OK;
}

static dg_status expectation(dg_reader *r, dg_head *head)
{
    head->expect_continue = false;
    const dg_field *field = dg_head_find(head, DG_FIELD_EXPECT);
    if (!field || head->minor == 0) /* 1.0 had none: ignored (RFC 9110 10.1.1) */
        return DG_OK;
    if (!single(head, field) || !dg_slice_ieq(field->value, DG_SLICE("100-continue")))
        return dg_http_refuse(r, DG_UNSUPPORTED, 417,
                              "The only expectation met here is 100-continue.");
    head->expect_continue = true;
    return DG_OK;
}

dg_status dg_request_rules(dg_reader *r, dg_head *head)
{
    head->status = 0;
    head->reason = (dg_slice){NULL, 0};
    dg_target target;
    if (dg_target_parse(head->target, head->method_id, &target) != DG_OK)
        return dg_http_refuse(r, DG_SYNTAX, 400, "The request target is malformed.");
    dg_status status = host(r, head);
    if (status == DG_OK)
        status = framing_fields(r, head);
    if (status == DG_OK)
        status = connection(r, head);
    if (status == DG_OK)
        status = expectation(r, head);
    return status;
}

dg_status dg_response_rules(dg_reader *r, dg_head *head, dg_method request_method,
                            bool upgrade_asked)
{
    head->method = head->target = (dg_slice){NULL, 0};
    head->method_id = request_method;
    head->expect_continue = false;
    dg_status status = framing_fields(r, head);
    if (status == DG_OK)
        status = connection(r, head);
    if (status != DG_OK)
        return status;
    if (head->status == 101 && !upgrade_asked)
        return dg_http_refuse(r, DG_SYNTAX, 502, "The protocol was switched without being asked.");
    if (head->status < 200 || head->status == 204) {
        if (head->framing == DG_FRAMING_CHUNKED)
            return dg_http_refuse(r, DG_SYNTAX, 502, "A response that has no body announces one.");
        /* It may send what it promised all the same; such a connection is not used again. */
        if (head->content_length > 0)
            head->keep_alive = false;
        head->framing = DG_FRAMING_NONE;
    } else if (head->status == 304 || request_method == DG_METHOD_HEAD) {
        /* Both may say how a GET would have been framed (RFC 9112 6.3). */
        head->framing = DG_FRAMING_NONE;
    } else if (head->framing == DG_FRAMING_NONE) {
        head->framing = DG_FRAMING_UNTIL_CLOSE;
        head->keep_alive = false;
    }
    return DG_OK;
}
