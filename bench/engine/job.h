/* What is done to the messages: as a program for the engine, and told member by member to its
 * peers, who do the same to trees. */
#ifndef DG_BENCH_JOB_H
#define DG_BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ORDERS: the wrapper off; in each order a member dropped, two renamed, a value mapped; all keys
 * from snake to camel case. KEYS: the last alone. ABOUT: one member of the outermost object
 * renamed, all else is copied. */
typedef enum bench_job { BENCH_ORDERS, BENCH_KEYS, BENCH_ABOUT } bench_job;

enum { BENCH_NAME_MAX = 64 };

/* How deep the orders' members lie when the wrapper is on. */
enum { BENCH_ORDER_DEPTH = 2 };

/* The name that a member leaves with, perhaps written to `spare`; NULL: it is dropped. `depth`
 * counts the objects and arrays around the object that it is in. */
const char *bench_name(bench_job job, unsigned depth, const char *name, char spare[BENCH_NAME_MAX]);
/* Whether it is the member whose value is mapped; what a value is mapped to, itself if it is not in
 * the table. */
bool bench_is_mapped(bench_job job, unsigned depth, const char *name);
const char *bench_mapped(const char *value);

/* One message from text to text; ends the process if that fails. */
typedef struct bench_peer {
    const char *name, *package;
    void (*run)(bench_job job, const char *text, size_t len); /* NULL: it was not there */
} bench_peer;

void bench_jansson(bench_job job, const char *text, size_t len);
void bench_cjson(bench_job job, const char *text, size_t len);
void bench_json_c(bench_job job, const char *text, size_t len);
void bench_rapidjson(bench_job job, const char *text, size_t len);
/* Only visits all members and values: makes nothing. */
void bench_simdjson(bench_job job, const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
