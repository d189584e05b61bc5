/* Bodies through programs, and through their content codings. */
#include <stdio.h>

#include "proxy/exchange/exchange.h"
#include "proxy/http/fields.h"
#include "proxy/log.h"

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

static dg_status decode(dg_exchange *x, dg_coding coding, dg_slice in, dg_run_error *ret_error)
{
    dg_buf_clear(&x->plain);
    dg_status status = dg_coder_decode(x->edge->coder, coding, in, &x->plain);
    if (status == DG_OK)
        status = dg_buf_reserve(&x->plain, DG_JSON_PADDING);
    if (status != DG_OK)
        *ret_error = (dg_run_error){
            .status = status,
            .message = status == DG_SYNTAX ? "the content is damaged or cut: it does not decode"
                                           : dg_status_text(status)};
    return status;
}

/* `out` and the plain buffer change places, so that the outcome is where it is looked for. */
static dg_status encode_into(dg_exchange *x, dg_coding coding, dg_buf *out, dg_run_error *ret_error)
{
    dg_buf_clear(&x->plain);
    dg_status status = dg_coder_encode(x->edge->coder, coding, dg_buf_slice(out), &x->plain);
    dg_buf translated = *out;
    *out = x->plain;
    x->plain = translated;
    if (status != DG_OK)
        *ret_error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    return status;
}

void dg_translation_failed(dg_exchange *x, const dg_run_error *error)
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

dg_status dg_translate(dg_exchange *x, const dg_program *program, dg_coding coding, dg_coding encode_as,
                       dg_slice in, dg_buf *out, dg_run_error *ret_error)
{
    dg_status status = DG_OK;
    bool coded = coding != DG_CODING_IDENTITY;
    if (coded)
        status = decode(x, coding, in, ret_error);
    if (status == DG_OK)
        status = dg_run(x->epoch->runner, program, coded ? dg_buf_slice(&x->plain) : in, out, ret_error);
    if (status == DG_OK && encode_as != DG_CODING_IDENTITY)
        status = encode_into(x, encode_as, out, ret_error);
    if (status != DG_OK)
        dg_translation_failed(x, ret_error);
    return status;
}
