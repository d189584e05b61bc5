/* Bodies through programs, and through their content codings. */
#include <stdio.h>

#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"
#include "proxy/log.h"
#include "proxy/message/content.h"

dg_coding dg_content_coding(const dg_head *head)
{
    dg_list list = dg_list_of_field(head, DG_FIELD_CONTENT_ENCODING);
    dg_coding coding = DG_CODING_IDENTITY;
    dg_slice name;
    while (dg_list_next(&list, &name)) {
        dg_coding one = dg_coding_of(name);
        if (one == DG_CODING_IDENTITY)
            continue;
        if (coding != DG_CODING_IDENTITY)
            return DG_CODING_UNKNOWN;
        coding = one;
    }
    return coding;
}

dg_json_kind dg_json_kind_as(dg_format format, const dg_head *head)
{
    if (format == DG_FORMAT_JSON)
        return dg_head_json(head);
    const dg_field *type = dg_head_find(head, DG_FIELD_CONTENT_TYPE);
    return type && !dg_head_next(head, type) && dg_content_is(format, type->value) ? DG_JSON_YES : DG_JSON_NO;
}

dg_status dg_decode(dg_exchange *x, dg_coding coding, dg_slice in, dg_slice *ret_plain, dg_run_error *ret_error)
{
    *ret_plain = in;
    if (coding == DG_CODING_IDENTITY)
        return DG_OK;
    dg_buf_clear(&x->plain);
    dg_status status = dg_coder_decode(x->edge->coder, coding, in, &x->plain);
    if (status == DG_OK)
        status = dg_buf_reserve(&x->plain, DG_JSON_PADDING);
    if (status != DG_OK)
        *ret_error = (dg_run_error){
            .status = status,
            .message = status == DG_SYNTAX ? "the content is damaged or cut: it does not decode"
                                           : dg_status_text(status)};
    *ret_plain = dg_buf_slice(&x->plain);
    return status;
}

/* `out` and the plain buffer change places, so that the outcome is where it is looked for. */
dg_status dg_encode(dg_exchange *x, dg_coding coding, dg_buf *out, dg_run_error *ret_error)
{
    if (coding == DG_CODING_IDENTITY)
        return DG_OK;
    dg_buf_clear(&x->plain);
    dg_status status = dg_coder_encode(x->edge->coder, coding, dg_buf_slice(out), &x->plain);
    dg_buf translated = *out;
    *out = x->plain;
    x->plain = translated;
    if (status != DG_OK)
        *ret_error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    return status;
}

void dg_log_translation(dg_exchange *x, const dg_run_error *error)
{
    dg_usage_gauge(x->edge->usage, DG_GAUGE_TRANSLATION_FAILURES, 1);
    char part[32] = "request";
    if (x->status)
        snprintf(part, sizeof part, "answer, a %u", x->status);
    if (error->origin.file)
        dg_log_peer("translation", "%.*s %.*s (%s): %s at byte %zu, '%s', by %s:%u:%u",
                    DG_SLICE_FMT(x->method_name), DG_SLICE_FMT(x->path), part, error->message, error->offset,
                    error->pointer, error->origin.file, error->origin.line, error->origin.column);
    else
        dg_log_peer("translation", "%.*s %.*s (%s): %s at byte %zu, '%s'", DG_SLICE_FMT(x->method_name),
                    DG_SLICE_FMT(x->path), part, error->message ? error->message : "failed", error->offset,
                    error->pointer);
}

/* Content that is not JSON on both ends: read as JSON, run, and written again. */
static dg_status run_formats(dg_exchange *x, const dg_translation *t, dg_slice in, dg_buf *out,
                             dg_run_error *ret_error)
{
    dg_translator *scratch = &x->edge->translator;
    const char *message = NULL;
    dg_buf_clear(&scratch->document);
    dg_buf_clear(&scratch->outcome);
    dg_status status = dg_content_read(t->from, in, &scratch->document, &message);
    const dg_buf *json = &scratch->document;
    if (status == DG_OK && t->body) {
        status = dg_run(x->epoch->runner, t->body, dg_buf_slice(&scratch->document), &scratch->outcome, ret_error);
        if (status != DG_OK)
            return status;
        json = &scratch->outcome;
    }
    if (status == DG_OK)
        status = dg_content_write(t->to, dg_buf_slice(json),
                                  t->from == DG_FORMAT_FORM ? in : (dg_slice){NULL, 0}, out, &message);
    if (status != DG_OK)
        *ret_error = (dg_run_error){.status = status, .message = message ? message : dg_status_text(status)};
    return status;
}

dg_status dg_translate(dg_exchange *x, const dg_translation *translation, dg_coding coding, dg_coding encode_as,
                       dg_slice in, dg_buf *out, dg_run_error *ret_error)
{
    dg_slice plain;
    dg_status status = dg_decode(x, coding, in, &plain, ret_error);
    bool json = translation->from == DG_FORMAT_JSON && translation->to == DG_FORMAT_JSON;
    if (status == DG_OK)
        status = json ? dg_run(x->epoch->runner, translation->body, plain, out, ret_error)
                      : run_formats(x, translation, plain, out, ret_error);
    if (status == DG_OK)
        status = dg_encode(x, encode_as, out, ret_error);
    if (status != DG_OK)
        dg_log_translation(x, ret_error);
    return status;
}
