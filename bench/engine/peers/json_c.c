/* json-c exports names that jansson has too: so it is opened here, where nobody else sees it. */
#include <dlfcn.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/engine/job.h"

#define FUNCTIONS(X)                                                                               \
    X(json_tokener_new)                                                                            \
    X(json_tokener_reset)                                                                          \
    X(json_tokener_parse_ex)                                                                       \
    X(json_object_get_type)                                                                        \
    X(json_object_get)                                                                             \
    X(json_object_put)                                                                             \
    X(json_object_new_object)                                                                      \
    X(json_object_object_add)                                                                      \
    X(json_object_object_get)                                                                      \
    X(json_object_get_object)                                                                      \
    X(json_object_new_string)                                                                      \
    X(json_object_get_string)                                                                      \
    X(json_object_new_array_ext)                                                                   \
    X(json_object_array_add)                                                                       \
    X(json_object_array_length)                                                                    \
    X(json_object_array_get_idx)                                                                   \
    X(json_object_to_json_string_ext)

#define MEMBER(name) __typeof__(&name) name;
static struct {
    FUNCTIONS(MEMBER)
} lib;

static void open_library(void)
{
    void *handle = dlopen("libjson-c.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
#define FIND(name)                                                                                 \
    if (!handle || !(*(void **)&lib.name = dlsym(handle, #name)))                                  \
        abort();
    FUNCTIONS(FIND)
}

static json_object *convert(bench_job job, unsigned depth, json_object *value)
{
    char spare[BENCH_NAME_MAX];
    if (lib.json_object_get_type(value) == json_type_array) {
        size_t count = lib.json_object_array_length(value);
        json_object *out = lib.json_object_new_array_ext((int)count);
        for (size_t i = 0; i < count; i++)
            lib.json_object_array_add(
                out, convert(job, depth + 1, lib.json_object_array_get_idx(value, i)));
        return out;
    }
    if (lib.json_object_get_type(value) != json_type_object)
        return lib.json_object_get(value);
    json_object *out = lib.json_object_new_object();
    for (struct lh_entry *e = lib.json_object_get_object(value)->head; e; e = e->next) {
        const char *name = e->k, *to = bench_name(job, depth, name, spare);
        json_object *member = (json_object *)(uintptr_t)e->v;
        if (!to)
            continue;
        lib.json_object_object_add(
            out, to,
            bench_is_mapped(job, depth, name)
                ? lib.json_object_new_string(bench_mapped(lib.json_object_get_string(member)))
                : convert(job, depth + 1, member));
    }
    return out;
}

void bench_json_c(bench_job job, const char *text, size_t len)
{
    static json_tokener *tokener;
    if (!tokener) {
        open_library();
        tokener = lib.json_tokener_new();
    }
    lib.json_tokener_reset(tokener);
    json_object *value = lib.json_tokener_parse_ex(tokener, text, (int)len);
    json_object *from = job == BENCH_ORDERS ? lib.json_object_object_get(value, "data") : value;
    if (!from)
        abort();
    json_object *to = convert(job, job == BENCH_ORDERS, from);
    if (!lib.json_object_to_json_string_ext(to, JSON_C_TO_STRING_PLAIN))
        abort();
    lib.json_object_put(to);
    lib.json_object_put(value);
}
