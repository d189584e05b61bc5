#include "rules/request/media.h"

static dg_slice trimmed(dg_slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = dg_slice_from(s, 1);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* What comes before the next `mark` outside of quotes; `rest` goes on behind it. */
static dg_slice until_mark(dg_slice *rest, char mark)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len && (quoted || rest->ptr[i] != mark); i++) {
        if (rest->ptr[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->ptr[i] == '\\' && i + 1 < rest->len)
            i++;
    }
    dg_slice before = dg_slice_until(*rest, i);
    *rest = dg_slice_from(*rest, i + 1);
    return trimmed(before);
}

bool dg_media_next_range(dg_slice *list, dg_slice *ret_range)
{
    while (list->len) {
        dg_slice range = until_mark(list, ',');
        if (range.len) {
            *ret_range = range;
            return true;
        }
    }
    return false;
}

dg_slice dg_media_next_part(dg_slice *range)
{
    return until_mark(range, ';');
}

dg_slice dg_media_unquoted(dg_slice value)
{
    bool quoted = value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
    return quoted ? dg_slice_of(value.ptr + 1, value.len - 2) : value;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static unsigned weight_of(dg_slice q)
{
    if (q.len == 0 || q.len > 5 || (q.ptr[0] != '0' && q.ptr[0] != '1') || (q.len > 1 && q.ptr[1] != '.'))
        return 0;
    unsigned weight = q.ptr[0] == '1' ? 1000 : 0, unit = 100;
    for (size_t i = 2; i < q.len; i++, unit /= 10) {
        if (q.ptr[i] < '0' || q.ptr[i] > '9')
            return 0;
        weight += (unsigned)(q.ptr[i] - '0') * unit;
    }
    return weight > 1000 ? 0 : weight;
}

unsigned dg_media_weight(dg_slice range)
{
    (void)dg_media_next_part(&range);
    while (range.len) {
        dg_slice part = dg_media_next_part(&range);
        if (part.len > 1 && dg_ascii_lower(part.ptr[0]) == 'q' && part.ptr[1] == '=')
            return weight_of(dg_slice_from(part, 2));
    }
    return 1000;
}
