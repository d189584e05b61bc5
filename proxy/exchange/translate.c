#include "proxy/exchange/exchange.h"
#include "proxy/log.h"

dg_status dg_translate(dg_exchange *x, const dg_program *program, dg_slice in, dg_buf *out,
                       dg_run_error *ret_error)
{
    dg_status status = dg_run(x->epoch->runner, program, in, out, ret_error);
    if (status == DG_OK)
        return DG_OK;
    dg_usage_gauge(x->edge->usage, DG_GAUGE_TRANSLATION_FAILURES, 1);
    dg_log_peer("translation", "%.*s %.*s: %s at byte %zu (%s)%s%s", DG_SLICE_FMT(x->method_name),
                DG_SLICE_FMT(x->path), ret_error->message ? ret_error->message : "failed",
                ret_error->offset, ret_error->pointer, ret_error->origin.file ? ", by " : "",
                ret_error->origin.file ? ret_error->origin.file : "");
    return status;
}
