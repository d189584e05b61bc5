#include "proxy/message/content.h"

#include "proxy/http/fields.h"
#include "proxy/message/json.h"
#include "proxy/message/query.h"

dg_status dg_content_read(dg_format format, dg_slice content, dg_buf *out, const char **ret_message)
{
    dg_status status = DG_OK;
    switch (format) {
    case DG_FORMAT_JSON:
        if (!dg_json_is_one(content)) {
            *ret_message = "the content is not one JSON value";
            return DG_SYNTAX;
        }
        dg_buf_add(out, content);
        break;
    case DG_FORMAT_TEXT:
        if (!dg_is_utf8(content)) {
            *ret_message = "the text is no UTF-8";
            return DG_SYNTAX;
        }
        dg_buf_add_json(out, content);
        break;
    case DG_FORMAT_FORM:
        status = dg_query_document(content, NULL, out);
        if (status == DG_SYNTAX)
            *ret_message = "the form is not percent-encoded UTF-8";
        break;
    case DG_FORMAT_NONE:
        dg_buf_add_str(out, "null");
        break;
    }
    return status == DG_OK ? dg_buf_reserve(out, DG_JSON_PADDING) : status;
}

static dg_slice trim(dg_slice json)
{
    while (json.len && strchr(" \t\r\n", json.ptr[json.len - 1]))
        json.len--;
    while (json.len && strchr(" \t\r\n", json.ptr[0]))
        json = dg_slice_from(json, 1);
    return json;
}

dg_status dg_content_write(dg_format format, dg_slice json, dg_slice content, dg_buf *out,
                           const char **ret_message)
{
    dg_slice value = trim(json);
    switch (format) {
    case DG_FORMAT_JSON:
        dg_buf_add(out, json);
        break;
    case DG_FORMAT_TEXT:
        if (dg_json_type_of(value) != DG_JSON_STRING || !dg_json_add_text(value, out)) {
            *ret_message = "content that is text is a string, of UTF-8";
            return DG_INVALID;
        }
        break;
    case DG_FORMAT_FORM:
        if (dg_json_type_of(value) != DG_JSON_OBJECT) {
            *ret_message = "content that is a form is an object";
            return DG_INVALID;
        }
        return dg_query_rebuild(content, NULL, value, out, ret_message);
    case DG_FORMAT_NONE:
        break;
    }
    return out->status;
}

bool dg_content_is(dg_format format, dg_slice content_type)
{
    dg_media_type type;
    if (format == DG_FORMAT_JSON)
        return dg_media_type_json(content_type) == DG_JSON_YES;
    if (format == DG_FORMAT_NONE || dg_media_type_parse(content_type, &type) != DG_OK)
        return false;
    return format == DG_FORMAT_TEXT
               ? dg_slice_ieq(type.type, DG_SLICE("text"))
               : dg_slice_ieq(type.type, DG_SLICE("application")) &&
                     dg_slice_ieq(type.subtype, DG_SLICE("x-www-form-urlencoded"));
}

dg_slice dg_content_type(dg_format format)
{
    switch (format) {
    case DG_FORMAT_JSON:
        return DG_SLICE("application/json");
    case DG_FORMAT_TEXT:
        return DG_SLICE("text/plain; charset=utf-8");
    case DG_FORMAT_FORM:
        return DG_SLICE("application/x-www-form-urlencoded");
    case DG_FORMAT_NONE:
        break;
    }
    return (dg_slice){NULL, 0};
}
