#include "proxy/exchange/flow.h"

#include <stdlib.h>

#include "proxy/coding/stream.h"
#include "proxy/http/fields.h"
#include "transforms/sequence.h"
#include "transforms/stream.h"

enum { SHARE_BYTES = 1 << 18 /* of decoded content at a time */ };

struct dg_flow {
    dg_decoder *decoder; /* NULL: as it comes */
    dg_stream *stream;   /* one of these two */
    dg_sequence *sequence;
    dg_encoder *encoder; /* NULL: as it is */
    dg_buf coded;        /* not decoded yet */
    dg_buf plain;
    dg_buf translated; /* not encoded yet */
};

dg_flow_kind dg_flow_of_head(const dg_head *head)
{
    dg_media_type type;
    if (dg_media_type_parse(dg_head_value(head, DG_FIELD_CONTENT_TYPE), &type) != DG_OK)
        return DG_FLOW_NONE;
    if (dg_slice_ieq(type.type, DG_SLICE("text")))
        return dg_slice_ieq(type.subtype, DG_SLICE("event-stream")) ? DG_FLOW_EVENTS : DG_FLOW_NONE;
    static const char *const lines[] = {"x-ndjson", "ndjson", "jsonl", "x-jsonlines"};
    if (dg_slice_ieq(type.type, DG_SLICE("application")))
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (dg_slice_ieq(type.subtype, dg_slice_str(lines[i])))
                return DG_FLOW_LINES;
    return DG_FLOW_NONE;
}

bool dg_flow_can(const dg_program *program, size_t body_bytes_max)
{
    return body_bytes_max >= 2 * DG_FLOW_BYTES && dg_program_streams(program);
}

dg_status dg_flow_new(dg_runner *runner, const dg_program *program, dg_flow_kind kind, dg_coding from, dg_coding to,
                      size_t held_bytes_max, dg_flow **ret_flow)
{
    dg_flow *f = calloc(1, sizeof *f);
    if (!f)
        return DG_NOMEM;
    dg_stream_limits limits = {.held_bytes_max = held_bytes_max};
    dg_status status = DG_OK;
    if (from != DG_CODING_IDENTITY)
        status = dg_decoder_new(from, &f->decoder);
    if (status == DG_OK && kind == DG_FLOW_JSON)
        status = dg_stream_new(runner, program, &limits, &f->stream);
    else if (status == DG_OK)
        status = dg_sequence_new(runner, program, kind == DG_FLOW_LINES ? DG_SEQUENCE_LINES : DG_SEQUENCE_EVENTS,
                                 held_bytes_max, &f->sequence);
    if (status == DG_OK && to != DG_CODING_IDENTITY)
        status = dg_encoder_new(to, &f->encoder);
    if (status != DG_OK) {
        dg_flow_free(f);
        return status;
    }
    *ret_flow = f;
    return DG_OK;
}

void dg_flow_free(dg_flow *f)
{
    if (!f)
        return;
    dg_decoder_free(f->decoder);
    dg_stream_free(f->stream);
    dg_sequence_free(f->sequence);
    dg_encoder_free(f->encoder);
    dg_buf_free(&f->coded);
    dg_buf_free(&f->plain);
    dg_buf_free(&f->translated);
    free(f);
}

/* The next share of what was decoded; DG_AGAIN: another one follows. */
static dg_status decode(dg_flow *f, dg_slice piece, bool last, dg_slice *ret_plain, dg_run_error *ret_error)
{
    dg_buf_add(&f->coded, piece);
    dg_buf_clear(&f->plain);
    dg_slice left = dg_buf_slice(&f->coded);
    dg_status status = f->coded.status;
    if (status == DG_OK)
        status = dg_decoder_feed(f->decoder, &left, SHARE_BYTES, &f->plain);
    dg_buf_consume(&f->coded, f->coded.len - left.len);
    if (status == DG_OK && last && !dg_decoder_is_whole(f->decoder))
        status = DG_SYNTAX;
    if (status != DG_OK && status != DG_AGAIN)
        *ret_error = (dg_run_error){
            .status = status,
            .message = status == DG_SYNTAX ? "the content is damaged or cut: it does not decode"
                                           : dg_status_text(status)};
    *ret_plain = dg_buf_slice(&f->plain);
    return status;
}

dg_status dg_flow_feed(dg_flow *f, dg_slice piece, bool last, dg_buf *out, dg_run_error *ret_error)
{
    dg_status decoded = f->decoder ? decode(f, piece, last, &piece, ret_error) : DG_OK;
    if (decoded != DG_OK && decoded != DG_AGAIN)
        return decoded;
    last = last && decoded == DG_OK;
    dg_buf *to = f->encoder ? &f->translated : out;
    dg_buf_clear(&f->translated);
    dg_status status = f->stream ? dg_stream_feed(f->stream, piece, last, to, ret_error)
                                 : dg_sequence_feed(f->sequence, piece, last, to, ret_error);
    bool failed = status != DG_OK;
    if (f->encoder && dg_encoder_feed(f->encoder, dg_buf_slice(to), last && !failed, out) != DG_OK && !failed) {
        status = DG_NOMEM;
        *ret_error = (dg_run_error){.status = status, .message = dg_status_text(status)};
    }
    return status == DG_OK ? decoded : status;
}
