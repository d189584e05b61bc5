/* libFuzzer over heads and chunked bodies. The first byte of the input chooses what it is and how
 * it is cut. Beyond the sanitizers it holds the law of this room: a verdict does not depend on how
 * the bytes arrive. */
#include <stdlib.h>

#include "proxy/http/chunked.h"
#include "proxy/http/fields.h"
#include "proxy/http/head.h"
#include "proxy/http/target.h"

enum { REQUEST, RESPONSE, RESPONSE_TO_HEAD, CHUNKED, KINDS };

#define HOLD(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dg_status parse(unsigned kind, dg_slice bytes, size_t *scan, dg_head *head, size_t *consumed,
                       dg_http_error *error)
{
    if (kind == REQUEST)
        return dg_request_parse(bytes, scan, NULL, head, consumed, error);
    return dg_response_parse(bytes, scan, NULL, kind == RESPONSE ? DG_METHOD_GET : DG_METHOD_HEAD,
                             false, head, consumed, error);
}

/* What every accepted head keeps, and every reader of fields stays inside of. */
static void hold_head(unsigned kind, const dg_head *head)
{
    HOLD(!(dg_head_find(head, DG_FIELD_CONTENT_LENGTH) &&
           dg_head_find(head, DG_FIELD_TRANSFER_ENCODING)));
    HOLD(head->content_length <= INT64_MAX);
    for (size_t i = 0; i < head->field_count; i++) {
        const dg_field *field = &head->fields[i];
        HOLD(dg_is_token(field->name) && dg_is_field_value(field->value));
        (void)dg_field_is_dropped(head, field);
        dg_list list = dg_list_of_value(field->value);
        for (dg_slice member; dg_list_next(&list, &member);)
            HOLD(member.len > 0);
    }
    (void)dg_head_json(head);
    (void)dg_head_cache_control(head, DG_SLICE("no-transform"));
    (void)dg_head_via_has(head, DG_SLICE("dragoman"));
    HOLD(dg_head_accepts_coding(head, DG_SLICE("gzip")) <= 1000);
    dg_target target;
    if (kind != REQUEST)
        return;
    HOLD(dg_target_parse(head->target, head->method_id, &target) == DG_OK);
    static char one[8192], two[8192];
    dg_slice once, twice;
    if (dg_path_normalise(target.path, one, sizeof(one), &once) == DG_OK) {
        HOLD(once.len <= target.path.len);
        HOLD(dg_path_normalise(once, two, sizeof(two), &twice) == DG_OK &&
             dg_slice_eq(once, twice));
    }
}

static void fuzz_head(unsigned kind, dg_slice bytes, size_t step)
{
    static dg_head whole, parts;
    dg_http_error whole_error = {0, NULL}, parts_error = {0, NULL};
    size_t scan = 0, whole_end = 0, parts_end = 0;
    const dg_status want = parse(kind, bytes, &scan, &whole, &whole_end, &whole_error);
    dg_status got = DG_AGAIN;
    scan = 0;
    for (size_t len = 0; got == DG_AGAIN && len < bytes.len;) {
        len = len + step < bytes.len ? len + step : bytes.len;
        got = parse(kind, dg_slice_until(bytes, len), &scan, &parts, &parts_end, &parts_error);
    }
    HOLD(got == want);
    HOLD(whole_error.status == parts_error.status && whole_error.reason == parts_error.reason);
    if (want != DG_OK)
        return;
    HOLD(whole_end == parts_end && whole_end <= bytes.len);
    HOLD(whole.framing == parts.framing && whole.content_length == parts.content_length &&
         whole.keep_alive == parts.keep_alive && whole.field_count == parts.field_count);
    hold_head(kind, &whole);
}

/* The verdict, a hash of the data, and where the message ends. */
typedef struct decoded {
    bool done, failed;
    uint64_t hash, bytes;
    size_t end;
} decoded;

static decoded decode(dg_slice bytes, size_t step)
{
    dg_chunked decoder = {0};
    decoded result = {.hash = 0xcbf29ce484222325u};
    while (result.end < bytes.len && !decoder.done && !result.failed) {
        dg_slice piece = {NULL, 0};
        size_t consumed = 0;
        const dg_slice in = dg_slice_until(dg_slice_from(bytes, result.end), step);
        result.failed = dg_chunked_decode(&decoder, in, &consumed, &piece) != DG_OK;
        HOLD(result.failed || (consumed > 0 && consumed <= in.len));
        for (size_t i = 0; i < piece.len; i++)
            result.hash = (result.hash ^ (uint8_t)piece.ptr[i]) * 0x100000001b3u;
        result.bytes += piece.len;
        result.end += consumed;
    }
    result.done = decoder.done;
    return result;
}

static void fuzz_chunked(dg_slice bytes, size_t step)
{
    const decoded whole = decode(bytes, bytes.len), parts = decode(bytes, step);
    HOLD(whole.failed == parts.failed && whole.done == parts.done);
    HOLD(whole.hash == parts.hash && whole.bytes == parts.bytes);
    HOLD(whole.failed || whole.end == parts.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const unsigned kind = data[0] % KINDS;
    const size_t step = data[0] / KINDS + 1u;
    const dg_slice bytes = dg_slice_of(data + 1, size - 1);
    if (kind == CHUNKED)
        fuzz_chunked(bytes, step);
    else
        fuzz_head(kind, bytes, step);
    return 0;
}
