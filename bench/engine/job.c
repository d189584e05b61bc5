#include "bench/engine/job.h"

#include <string.h>

static void to_camel(const char *name, char out[BENCH_NAME_MAX])
{
    size_t n = 0;
    for (; *name && n < BENCH_NAME_MAX - 1; name++)
        if (n && name[0] == '_' && name[1] >= 'a' && name[1] <= 'z')
            out[n++] = (char)(*++name - 'a' + 'A');
        else
            out[n++] = *name;
    out[n] = '\0';
}

const char *bench_name(bench_job job, unsigned depth, const char *name, char spare[BENCH_NAME_MAX])
{
    if (job == BENCH_ABOUT)
        return depth == 0 && strcmp(name, "meta") == 0 ? "about" : name;
    if (job == BENCH_ORDERS && depth == BENCH_ORDER_DEPTH) {
        if (strcmp(name, "internal_notes") == 0)
            return NULL;
        if (strcmp(name, "order_status") == 0)
            return "status";
        if (strcmp(name, "customer_email") == 0)
            return "emailAddress";
    }
    if (!strchr(name, '_'))
        return name;
    to_camel(name, spare);
    return spare;
}

bool bench_is_mapped(bench_job job, unsigned depth, const char *name)
{
    return job == BENCH_ORDERS && depth == BENCH_ORDER_DEPTH && strcmp(name, "order_status") == 0;
}

const char *bench_mapped(const char *value)
{
    static const char *const table[][2] = {{"paid", "PAID"},
                                           {"shipped", "UNDER_WAY"},
                                           {"on_hold", "WAITING"},
                                           {"cancelled", "CANCELLED"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(value, table[i][0]) == 0)
            return table[i][1];
    return value;
}
