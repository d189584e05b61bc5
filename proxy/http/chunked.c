#include "proxy/http/chunked.h"

#include "proxy/http/chars.h"

/* One state for each place in the grammar of RFC 9112 7.1 where the input can end. */
enum {
    SIZE, /* digits of the chunk size */
    EXT,  /* behind a ';' or the white space that may not be there: a name must begin */
    EXT_NAME,
    EXT_VALUE_START,
    EXT_VALUE_TOKEN,
    EXT_VALUE_QUOTED,
    EXT_VALUE_ESCAPE,
    EXT_VALUE_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* at the start of a trailer line, or of the final empty line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    FAILED
};

static dg_status fail(dg_chunked *d, dg_status status, const char *error)
{
    d->error = error;
    d->state = FAILED;
    return status;
}

static dg_status bad_line(dg_chunked *d)
{
    return fail(d, DG_SYNTAX, "malformed chunk size or extension");
}

/* Behind the CR LF of a chunk head. */
static void size_end(dg_chunked *d)
{
    d->state = d->left ? DATA : TRAILER_START;
    d->digits = 0;
    d->line_bytes = 0;
}

static dg_status size_byte(dg_chunked *d, char c)
{
    if (DG_LIKELY(dg_char_is(c, DG_CHAR_HEX))) {
        if (d->digits == 16)
            return fail(d, DG_SYNTAX, "a chunk size has more than 16 digits");
        d->digits++;
        d->left = d->left << 4 | dg_hex_value(c);
        return DG_OK;
    }
    if (d->digits == 0)
        return bad_line(d);
    /* Sizes that do not fit a signed number are an attack on somebody's arithmetic. */
    if (d->left > INT64_MAX)
        return fail(d, DG_SYNTAX, "a chunk size is too large");
    if (c == '\r')
        d->state = SIZE_LF;
    else if (c == ';')
        d->state = EXT;
    else
        return bad_line(d);
    return DG_OK;
}

/* chunk-ext without the BWS that 7.1.1 tolerates: no sender needs it. */
static dg_status extension_byte(dg_chunked *d, char c)
{
    if (++d->line_bytes > DG_CHUNK_EXTENSION_BYTES_MAX)
        return fail(d, DG_LIMIT, "a chunk extension is too long");
    /* Extensions are paid for with data, so that a body cannot be made of them. Chunk heads without
     * any are bounded by their one byte of data at least. */
    if (++d->overhead > DG_CHUNK_OVERHEAD_BYTES &&
        d->overhead - DG_CHUNK_OVERHEAD_BYTES > d->data_bytes)
        return fail(d, DG_LIMIT, "too many chunk extensions");
    const bool token = dg_char_is(c, DG_CHAR_TOKEN);
    switch (d->state) {
    case EXT:
        d->state = EXT_NAME;
        return token ? DG_OK : bad_line(d);
    case EXT_VALUE_START:
        d->state = c == '"' ? EXT_VALUE_QUOTED : EXT_VALUE_TOKEN;
        return token || c == '"' ? DG_OK : bad_line(d);
    case EXT_VALUE_QUOTED:
        if (c == '"')
            d->state = EXT_VALUE_END;
        else if (c == '\\')
            d->state = EXT_VALUE_ESCAPE;
        return dg_char_is(c, DG_CHAR_VALUE) ? DG_OK : bad_line(d);
    case EXT_VALUE_ESCAPE:
        d->state = EXT_VALUE_QUOTED;
        return dg_char_is(c, DG_CHAR_VALUE) ? DG_OK : bad_line(d);
    default:
        break;
    }
    if (token && d->state != EXT_VALUE_END)
        return DG_OK;
    if (c == '=' && d->state == EXT_NAME)
        d->state = EXT_VALUE_START;
    else if (c == ';')
        d->state = EXT;
    else if (c == '\r')
        d->state = SIZE_LF;
    else
        return bad_line(d);
    return DG_OK;
}

static dg_status trailer_byte(dg_chunked *d, char c)
{
    if (d->state == TRAILER_START && c == '\r') {
        d->state = END_LF;
        return DG_OK;
    }
    if (++d->trailer_bytes > DG_CHUNK_TRAILER_BYTES_MAX)
        return fail(d, DG_LIMIT, "the trailers are too long");
    bool good = false;
    switch (d->state) {
    case TRAILER_START:
        if (++d->trailers > DG_CHUNK_TRAILERS_MAX)
            return fail(d, DG_LIMIT, "too many trailers");
        d->state = TRAILER_NAME;
        good = dg_char_is(c, DG_CHAR_TOKEN);
        break;
    case TRAILER_NAME:
        if (c == ':')
            d->state = TRAILER_VALUE;
        good = c == ':' || dg_char_is(c, DG_CHAR_TOKEN);
        break;
    case TRAILER_VALUE:
        if (c == '\r')
            d->state = TRAILER_LF;
        good = c == '\r' || dg_char_is(c, DG_CHAR_VALUE);
        break;
    default: /* TRAILER_LF */
        d->state = TRAILER_START;
        good = c == '\n';
        break;
    }
    return good ? DG_OK : fail(d, DG_SYNTAX, "malformed trailer");
}

/* A byte in any state but DATA, DONE and FAILED. */
static dg_status framing_byte(dg_chunked *d, char c)
{
    switch (d->state) {
    case SIZE:
        return size_byte(d, c);
    case SIZE_LF:
        size_end(d);
        return c == '\n' ? DG_OK : bad_line(d);
    case DATA_CR:
        d->state = DATA_LF;
        return c == '\r' ? DG_OK : fail(d, DG_SYNTAX, "chunk data does not end with CR LF");
    case DATA_LF:
        d->state = SIZE;
        return c == '\n' ? DG_OK : fail(d, DG_SYNTAX, "chunk data does not end with CR LF");
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
        return trailer_byte(d, c);
    case END_LF:
        d->state = DONE;
        return c == '\n' ? DG_OK : fail(d, DG_SYNTAX, "the chunked body does not end with CR LF");
    default:
        return extension_byte(d, c);
    }
}

dg_status dg_chunked_decode(dg_chunked *d, dg_slice in, size_t *ret_consumed, dg_slice *ret_data)
{
    if (d->state == FAILED)
        return DG_SYNTAX;
    if (in.len == 0 && d->state != DONE)
        return DG_AGAIN;
    size_t at = 0;
    dg_slice data = {NULL, 0};
    const uint32_t trailer_bytes = d->trailer_bytes;
    while (at < in.len && d->state != DONE) {
        if (d->state == DATA) {
            const size_t rest = in.len - at;
            const size_t take = d->left < rest ? (size_t)d->left : rest;
            data = (dg_slice){in.ptr + at, take};
            d->left -= take;
            d->data_bytes += take;
            at += take;
            if (d->left == 0)
                d->state = DATA_CR;
            break;
        }
        dg_status status = framing_byte(d, in.ptr[at]);
        if (DG_UNLIKELY(status != DG_OK))
            return status;
        at++;
    }
    d->done = d->state == DONE;
    d->trailer = (dg_slice){NULL, d->trailer_bytes - trailer_bytes};
    if (d->trailer.len) /* they end where the final CR LF begins, as far as that came too */
        d->trailer.ptr = in.ptr + at - (d->state == DONE ? 2 : d->state == END_LF ? 1 : 0) - d->trailer.len;
    *ret_consumed = at;
    *ret_data = data;
    return DG_OK;
}

size_t dg_chunk_head(char out[DG_CHUNK_HEAD_BYTES_MAX], uint64_t bytes)
{
    DG_ASSERT(bytes != 0);
    size_t digits = 0;
    for (uint64_t n = bytes; n; n >>= 4)
        digits++;
    for (size_t i = digits; i-- > 0; bytes >>= 4)
        out[i] = "0123456789abcdef"[bytes & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
