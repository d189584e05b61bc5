#include "proxy/http/head.h"

#include "proxy/http/framing.h"
#include "proxy/http/lines.h"

enum {
    HEAD_BYTES_MAX = 16384,
    TARGET_BYTES_MAX = 8192,
    HEAD_BYTES_CEILING = 1 << 30 /* so that `scan` has room for both of its numbers */
};

/* `scan` packs how many bytes were looked at and how many lines were found whole among them, so
 * that each byte is checked at most twice however it arrives: once when its line ends, once when
 * the head does. */
_Static_assert(sizeof(size_t) >= 8, "scan packs two numbers");
enum { SCAN_LINES_SHIFT = 40 };

static dg_head_limits effective(const dg_head_limits *given)
{
    dg_head_limits limits = given ? *given : (dg_head_limits){0, 0, 0};
    if (limits.head_bytes_max == 0)
        limits.head_bytes_max = HEAD_BYTES_MAX;
    if (limits.head_bytes_max > HEAD_BYTES_CEILING)
        limits.head_bytes_max = HEAD_BYTES_CEILING;
    if (limits.target_bytes_max == 0)
        limits.target_bytes_max = TARGET_BYTES_MAX;
    if (limits.fields_max == 0 || limits.fields_max > DG_FIELDS_MAX)
        limits.fields_max = DG_FIELDS_MAX;
    return limits;
}

static dg_status add_field(dg_reader *r, dg_head *head, dg_slice name, dg_slice value)
{
    if (head->field_count == r->limits->fields_max)
        return dg_http_refuse(r, DG_LIMIT, 431, "There are too many fields.");
    dg_field *field = &head->fields[head->field_count++];
    field->name = name;
    field->value = value;
    field->id = dg_field_id_of(name);
    if (field->id != DG_FIELD_OTHER && head->first[field->id] == 0)
        head->first[field->id] = (uint16_t)head->field_count;
    return DG_OK;
}

/* From the start line to the end of the head, or to the first error of a whole line. */
static dg_status parse_whole(dg_reader *r, dg_head *head, size_t *ret_consumed)
{
    head->field_count = 0;
    memset(head->first, 0, sizeof(head->first));
    size_t at = 0;
    dg_status status = dg_start_line(r, &at, head);
    if (status != DG_OK)
        return status;
    for (;;) {
        dg_slice name, value;
        status = dg_field_line(r, &at, &name, &value);
        if (status != DG_OK)
            return status;
        if (name.len == 0)
            break;
        status = add_field(r, head, name, value);
        if (status != DG_OK)
            return status;
    }
    *ret_consumed = at;
    return DG_OK;
}

/* Checks the lines that became whole since `scan`. DG_OK: the head is whole. */
static dg_status scan_lines(dg_reader *r, size_t *scan)
{
    const dg_slice bytes = r->bytes;
    size_t seen = *scan & (((size_t)1 << SCAN_LINES_SHIFT) - 1);
    size_t lines = *scan >> SCAN_LINES_SHIFT;
    for (;;) {
        size_t end = seen + dg_slice_find(dg_slice_from(bytes, seen), '\n');
        if (seen >= bytes.len || end == bytes.len)
            break;
        const char *before = end ? memrchr(bytes.ptr, '\n', end) : NULL;
        size_t at = before ? (size_t)(before - bytes.ptr) + 1 : 0;
        seen = end + 1;
        if (r->request && lines == 0 && end == 1 && bytes.ptr[0] == '\r')
            continue; /* the one empty line that may come first */
        if (lines == 0) {
            size_t start = 0;
            dg_head *scratch = r->scratch;
            dg_status status = dg_start_line(r, &start, scratch);
            if (status != DG_OK)
                return status;
            lines = 1;
            continue;
        }
        dg_slice name, value;
        dg_status status = dg_field_line(r, &at, &name, &value);
        if (status != DG_OK || name.len == 0)
            return status;
        if (lines++ > r->limits->fields_max)
            return dg_http_refuse(r, DG_LIMIT, 431, "There are too many fields.");
    }
    *scan = lines << SCAN_LINES_SHIFT | bytes.len;
    /* So that what can be no start line is refused at once. This reads the line again for each
     * piece of it, at the speed of memchr and no further than the limit of the target. */
    if (lines == 0)
        return dg_start_line(r, &(size_t){0}, r->scratch);
    return DG_AGAIN;
}

/* Past the limit without an end: too long in the start line or in the fields. */
static dg_status too_long(dg_reader *r, size_t scan)
{
    if (r->request && scan >> SCAN_LINES_SHIFT == 0)
        return dg_http_refuse(r, DG_LIMIT, 414, "The request line is too long.");
    return dg_http_refuse(r, DG_LIMIT, 431, "The head is too long.");
}

static dg_status parse(dg_reader *r, size_t *scan, dg_head *head, size_t *ret_consumed)
{
    dg_status status = DG_OK;
    r->scratch = head;
    /* A head that arrives in one piece, as nearly all do, is read once. */
    if (*scan != 0)
        status = scan_lines(r, scan);
    if (status == DG_OK)
        status = parse_whole(r, head, ret_consumed);
    if (status == DG_AGAIN && *scan == 0) {
        status = scan_lines(r, scan);
        DG_ASSERT(status != DG_OK);
    }
    if (status == DG_AGAIN && r->bytes.len == r->limits->head_bytes_max)
        status = too_long(r, *scan);
    return status;
}

/* What a response answers; NULL stands for a request. */
typedef struct question {
    dg_method method;
    bool upgrade_asked;
} question;

static dg_status parse_message(dg_slice bytes, size_t *scan, const dg_head_limits *given,
                               const question *asked, dg_head *ret_head, size_t *ret_consumed,
                               dg_http_error *ret_error)
{
    const dg_head_limits limits = effective(given);
    dg_reader r = {.bytes = dg_slice_until(bytes, limits.head_bytes_max),
                   .limits = &limits,
                   .request = !asked,
                   .error = ret_error};
    size_t consumed = 0;
    if (bytes.len == 0)
        return DG_AGAIN;
    dg_status status = parse(&r, scan, ret_head, &consumed);
    if (status == DG_OK)
        status = asked ? dg_response_rules(&r, ret_head, asked->method, asked->upgrade_asked)
                       : dg_request_rules(&r, ret_head);
    if (status == DG_OK)
        *ret_consumed = consumed;
    return status;
}

dg_status dg_request_parse(dg_slice bytes, size_t *scan, const dg_head_limits *limits,
                           dg_head *ret_head, size_t *ret_consumed, dg_http_error *ret_error)
{
    return parse_message(bytes, scan, limits, NULL, ret_head, ret_consumed, ret_error);
}

dg_status dg_response_parse(dg_slice bytes, size_t *scan, const dg_head_limits *limits,
                            dg_method request_method, bool upgrade_asked, dg_head *ret_head,
                            size_t *ret_consumed, dg_http_error *ret_error)
{
    const question asked = {request_method, upgrade_asked};
    return parse_message(bytes, scan, limits, &asked, ret_head, ret_consumed, ret_error);
}

const dg_field *dg_head_next(const dg_head *head, const dg_field *field)
{
    const dg_field *end = head->fields + head->field_count;
    for (const dg_field *f = field + 1; f < end; f++)
        if (f->id == field->id && (f->id != DG_FIELD_OTHER || dg_slice_ieq(f->name, field->name)))
            return f;
    return NULL;
}

const dg_field *dg_head_find_name(const dg_head *head, dg_slice name)
{
    const dg_field_id id = dg_field_id_of(name);
    if (id != DG_FIELD_OTHER)
        return dg_head_find(head, id);
    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == DG_FIELD_OTHER && dg_slice_ieq(head->fields[i].name, name))
            return &head->fields[i];
    return NULL;
}
