#include "proxy/command/input.h"

#include <errno.h>
#include <stdlib.h>

#include "transforms/program.h"

dg_status dg_read_all(FILE *from, dg_buf *out)
{
    for (;;) {
        if (dg_buf_reserve(out, 65536) != DG_OK)
            return out->status;
        size_t n = fread(out->ptr + out->len, 1, 65536, from);
        out->len += n;
        if (n == 0)
            break;
    }
    if (ferror(from))
        return DG_IO;
    return dg_buf_reserve(out, DG_JSON_PADDING);
}

bool dg_parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || n > max)
        return false;
    *ret_number = n;
    return true;
}

unsigned dg_parse_status(const char *text)
{
    uint64_t n;
    return strlen(text) == 3 && dg_parse_number(text, 599, &n) && n >= 100 ? (unsigned)n : 0;
}
