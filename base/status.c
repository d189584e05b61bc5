#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

const char *dg_status_text(dg_status status)
{
    static const char *const text[] = {
#define DG_STATUS_TEXT(name, sentence) sentence,
        DG_STATUS_TABLE(DG_STATUS_TEXT)
#undef DG_STATUS_TEXT
    };
    return (size_t)status < sizeof text / sizeof *text ? text[status] : "unknown status";
}

void dg_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "dragoman: %s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}
