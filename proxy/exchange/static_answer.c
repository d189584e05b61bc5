/* Answers that the pack holds, for what the backend's version does not have: made as if that
 * version had given them, so that they are translated and stamped as any other. */
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/field_line.h"
#include "proxy/http/fields.h"
#include "proxy/message/content.h"
#include "proxy/message/json.h"

static void add_fields(dg_exchange *x, dg_slice object, dg_buf *out)
{
    dg_json_walk walk = dg_json_walk_of(object);
    dg_slice name, value;
    dg_buf *text = &x->edge->scratch;
    while (dg_json_next_member(&walk, &name, &value)) {
        dg_buf_clear(text);
        if (dg_json_add_text(value, text))
            dg_add_field_line(out, name, dg_buf_slice(text));
    }
}

static void add_head(dg_exchange *x, const dg_static_answer *answer, dg_buf *out)
{
    dg_buf_printf(out, "HTTP/1.1 %u \r\n", answer->status);
    add_fields(x, answer->headers, out);
    if (answer->body.len)
        dg_add_field_line(out, DG_SLICE("Content-Type"), dg_content_type(answer->format));
    if (answer->status != 204 && answer->status != 304)
        dg_buf_printf(out, "Content-Length: %zu\r\n", x->answer_bytes.len);
    dg_buf_add_str(out, "\r\n");
}

void dg_answer_static(dg_exchange *x)
{
    const dg_static_answer *answer = x->match.answer;
    const char *message = NULL;
    dg_status status = DG_OK;
    if (answer->body.len)
        status = dg_content_write(answer->format, answer->body, (dg_slice){NULL, 0},
                                  &x->answer_bytes, &message);
    add_head(x, answer, &x->answer_lines);
    if (status == DG_OK)
        status = dg_buf_reserve(&x->answer_bytes, DG_JSON_PADDING);
    if (status == DG_OK)
        status = dg_head_again(x, &x->answer_lines, true, &x->edge->head);
    dg_buf lines = x->answer_lines; /* the head points into it */
    x->answer_lines = x->plain;
    x->plain = lines;
    x->count_as_own = true;
    if (status != DG_OK)
        dg_fail(x, DG_PROBLEM_INTERNAL, message ? message : dg_status_text(status), NULL);
    else
        dg_answer_given(x, &x->edge->head);
}
