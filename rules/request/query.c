#include "rules/request/query.h"

bool dg_query_next(dg_slice *left, dg_query_param *ret_param)
{
    if (left->len == 0)
        return false;
    size_t end = dg_slice_find(*left, '&');
    dg_slice text = dg_slice_until(*left, end);
    *left = dg_slice_from(*left, end + 1);
    size_t equals = dg_slice_find(text, '=');
    *ret_param = (dg_query_param){text, dg_slice_until(text, equals), dg_slice_from(text, equals + 1)};
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool dg_query_is(dg_slice raw, dg_slice plain)
{
    size_t i = 0, j = 0;
    for (; i < raw.len && j < plain.len; j++) {
        char c = raw.ptr[i++];
        if (c == '%' && i + 1 < raw.len && hex_value(raw.ptr[i]) >= 0 && hex_value(raw.ptr[i + 1]) >= 0) {
            c = (char)(hex_value(raw.ptr[i]) * 16 + hex_value(raw.ptr[i + 1]));
            i += 2;
        }
        if (c != plain.ptr[j])
            return false;
    }
    return i == raw.len && j == plain.len;
}
