#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "bench/engine/job.h"

static void rename_item(cJSON *item, const char *name)
{
    size_t len = strlen(name) + 1;
    char *copy = cJSON_malloc(len);
    if (!copy)
        abort();
    memcpy(copy, name, len);
    cJSON_free(item->string);
    item->string = copy;
}

static void convert(bench_job job, unsigned depth, cJSON *value)
{
    char spare[BENCH_NAME_MAX];
    for (cJSON *item = value->child, *next; item; item = next) {
        next = item->next;
        if (item->string) {
            if (bench_is_mapped(job, depth, item->string) && cJSON_IsString(item))
                cJSON_SetValuestring(item, bench_mapped(item->valuestring));
            const char *name = bench_name(job, depth, item->string, spare);
            if (!name) {
                cJSON_Delete(cJSON_DetachItemViaPointer(value, item));
                continue;
            }
            if (name != item->string)
                rename_item(item, name);
        }
        convert(job, depth + 1, item);
    }
}

void bench_cjson(bench_job job, const char *text, size_t len)
{
    cJSON *value = cJSON_ParseWithLength(text, len);
    cJSON *from = job == BENCH_ORDERS ? cJSON_GetObjectItemCaseSensitive(value, "data") : value;
    if (!from)
        abort();
    convert(job, job == BENCH_ORDERS, from);
    char *out = cJSON_PrintUnformatted(from);
    if (!out)
        abort();
    cJSON_free(out);
    cJSON_Delete(value);
}
