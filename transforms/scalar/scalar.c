#include "transforms/scalar/scalar.h"

#include "transforms/scalar/cast.h"
#include "transforms/name.h"
#include "transforms/pattern.h"
#include "transforms/scalar/time.h"

/* The content of a string, decoded. `room` is freed by the caller. */
static dg_status decoded(dg_slice in, dg_buf *room, dg_slice *ret_text)
{
    dg_slice raw = dg_slice_of(in.ptr + 1, in.len - 2);
    *ret_text = raw;
    if (dg_slice_find(raw, '\\') == raw.len)
        return DG_OK;
    dg_name_decode(raw, room);
    *ret_text = dg_buf_slice(room);
    return room->status;
}

/* What becomes of a value that the op does not know. */
static dg_status other_value(const dg_op *op, dg_slice in, const char *message, dg_buf *out,
                             const char **ret_message)
{
    if (op->unknown == DG_UNKNOWN_REJECT) {
        *ret_message = message;
        return DG_INVALID;
    }
    dg_buf_add(out, op->unknown == DG_UNKNOWN_DEFAULT ? op->value : in);
    return out->status;
}

static bool is_string(dg_slice in)
{
    return *in.ptr == '"';
}

static dg_status cast(const dg_op *op, dg_slice in, dg_buf *out, const char **ret_message)
{
    dg_buf room;
    dg_slice text = in;
    size_t before = out->len;
    if (dg_cast_is_string(op->cast_from) != is_string(in))
        return other_value(op, in, "a value of another kind than the cast is from", out,
                           ret_message);
    dg_buf_init(&room, 0);
    dg_status status = is_string(in) ? decoded(in, &room, &text) : DG_OK;
    if (status == DG_OK)
        status = dg_cast_text(op->cast_from, op->cast_to, text, op->lossy, out);
    dg_buf_free(&room);
    if (status != DG_INVALID)
        return status;
    out->len = before;
    return other_value(op, in, "a value that the cast cannot be made of", out, ret_message);
}

static dg_status write_time(const dg_op *op, const dg_instant *instant, dg_buf *out)
{
    dg_buf text;
    if (dg_time_is_number(op->time_to.kind)) {
        dg_time_write(&op->time_to, instant, out);
        return out->status;
    }
    dg_buf_init(&text, 0);
    dg_time_write(&op->time_to, instant, &text);
    dg_status status = text.status;
    dg_name_encode(dg_buf_slice(&text), out);
    dg_buf_free(&text);
    return status == DG_OK ? out->status : status;
}

static dg_status change_time(const dg_op *op, dg_slice in, dg_buf *out, const char **ret_message)
{
    dg_buf room;
    dg_slice text = in;
    dg_instant instant;
    bool right = dg_time_is_number(op->time_from.kind) != is_string(in);
    dg_buf_init(&room, 0);
    dg_status status = right && is_string(in) ? decoded(in, &room, &text) : DG_OK;
    if (status == DG_OK && (!right || text.len > DG_TIME_BYTES_MAX ||
                            dg_time_read(&op->time_from, text, op->lossy, &instant) != DG_OK))
        status = DG_INVALID;
    if (status == DG_INVALID) {
        status =
            other_value(op, in, "a value that is no time in the format expected", out, ret_message);
    } else if (status == DG_OK && !op->lossy && !dg_time_fits(&op->time_to, &instant)) {
        *ret_message = "a time that is more exact than its format can say";
        status = DG_INVALID;
    } else if (status == DG_OK) {
        status = write_time(op, &instant, out);
    }
    dg_buf_free(&room);
    return status;
}

/* A string without a match keeps its own text. */
static dg_status replace(const dg_op *op, dg_matcher *matcher, dg_slice in, dg_buf *out,
                         const char **ret_message)
{
    dg_buf room, made;
    dg_slice text;
    if (!is_string(in)) {
        dg_buf_add(out, in);
        return out->status;
    }
    dg_buf_init(&room, 0);
    dg_buf_init(&made, out->bytes_max);
    dg_status status = decoded(in, &room, &text);
    if (status == DG_OK && !dg_name_is_utf8(text)) {
        *ret_message = "a string with half a surrogate pair is no text for a pattern";
        status = DG_INVALID;
    }
    if (status == DG_OK)
        status = dg_pattern_replace(op->pattern, matcher, text, op->with, &made);
    if (status == DG_OK && dg_slice_eq(text, dg_buf_slice(&made)))
        dg_buf_add(out, in);
    else if (status == DG_OK)
        dg_name_encode(dg_buf_slice(&made), out);
    if (status == DG_LIMIT)
        *ret_message = "a pattern took too long, or the result is too long";
    dg_buf_free(&made);
    dg_buf_free(&room);
    return status == DG_OK ? out->status : status;
}

static dg_status apply(const dg_op *op, dg_matcher *matcher, dg_slice in, dg_buf *out,
                       const char **ret_message)
{
    if (op->kind == DG_OP_REPLACE)
        return replace(op, matcher, in, out, ret_message);
    if (dg_slice_eq(in, DG_SLICE("null"))) {
        dg_buf_add(out, in);
        return out->status;
    }
    if (op->kind == DG_OP_CAST)
        return cast(op, in, out, ret_message);
    DG_ASSERT(op->kind == DG_OP_TIME);
    return change_time(op, in, out, ret_message);
}

dg_status dg_scalar_apply(const dg_op *op, dg_matcher *matcher, dg_slice in, dg_buf *out,
                          const char **ret_message)
{
    size_t before = out->len;
    const char *message = NULL;
    dg_status status = apply(op, matcher, in, out, &message);
    if (status != DG_OK) {
        out->len = before;
        out->status = DG_OK;
        *ret_message = message              ? message
                       : status == DG_NOMEM ? "out of memory"
                                            : "the result is too long";
    }
    return status;
}
