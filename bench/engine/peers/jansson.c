#include <jansson.h>
#include <stdlib.h>

#include "bench/engine/job.h"

static json_t *convert(bench_job job, unsigned depth, json_t *value)
{
    char spare[BENCH_NAME_MAX];
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_array(value)) {
        json_t *out = json_array();
        json_array_foreach(value, i, member)
            json_array_append_new(out, convert(job, depth + 1, member));
        return out;
    }
    if (!json_is_object(value))
        return json_incref(value);
    json_t *out = json_object();
    json_object_foreach(value, name, member)
    {
        const char *to = bench_name(job, depth, name, spare);
        if (!to)
            continue;
        if (bench_is_mapped(job, depth, name) && json_is_string(member))
            json_object_set_new(out, to, json_string(bench_mapped(json_string_value(member))));
        else
            json_object_set_new(out, to, convert(job, depth + 1, member));
    }
    return out;
}

void bench_jansson(bench_job job, const char *text, size_t len)
{
    json_t *value = json_loadb(text, len, 0, NULL);
    json_t *from = value && job == BENCH_ORDERS ? json_object_get(value, "data") : value;
    json_t *to = from ? convert(job, job == BENCH_ORDERS, from) : NULL;
    char *out = to ? json_dumps(to, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!out)
        abort();
    free(out);
    json_decref(to);
    json_decref(value);
}
