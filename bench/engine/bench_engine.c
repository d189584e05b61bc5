/* How long a translation takes, on distinct messages of orders. Beside it, in alternating rounds of
 * the same run, memcpy of the same bytes, and what other libraries take for the same job: to read
 * the text, to do the same to the tree, to write it; medians. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/engine/messages.h"
#include "bench/engine/program.h"

enum { BATCHES = 9 };
static const size_t BATCH_BYTES = 4000000;

typedef struct bench_case {
    const char *name;
    bench_kind kind;
    bench_job job;
    size_t steps;
} bench_case;

static const bench_case CASES[] = {
    {"200 B", {0, 0, BENCH_IN_ORDER, false}, BENCH_KEYS, 1},
    {"2 KB", {2, 2, BENCH_IN_ORDER, false}, BENCH_ORDERS, 1},
    {"2 KB, 50 steps", {2, 2, BENCH_IN_ORDER, false}, BENCH_ORDERS, BENCH_STEPS},
    {"2 KB, names unknown", {2, 2, BENCH_UNKNOWN, false}, BENCH_ORDERS, 1},
    {"2 KB, members omitted", {3, 3, BENCH_OMITTED, false}, BENCH_ORDERS, 1},
    {"2 KB, shuffled", {2, 2, BENCH_SHUFFLED, false}, BENCH_ORDERS, 1},
    {"3 KB, indented", {2, 2, BENCH_IN_ORDER, true}, BENCH_ORDERS, 1},
    {"2 KB, only copied", {2, 2, BENCH_IN_ORDER, false}, BENCH_ABOUT, 1},
    {"200 KB", {180, 3, BENCH_IN_ORDER, false}, BENCH_ORDERS, 1},
};

#ifdef BENCH_CJSON
#define CJSON bench_cjson
#else
#define CJSON NULL
#endif
#ifdef BENCH_JSON_C
#define JSON_C bench_json_c
#else
#define JSON_C NULL
#endif
#ifdef BENCH_RAPIDJSON
#define RAPIDJSON bench_rapidjson
#else
#define RAPIDJSON NULL
#endif
#ifdef BENCH_SIMDJSON
#define SIMDJSON bench_simdjson
#else
#define SIMDJSON NULL
#endif

static const bench_peer PEERS[] = {{"jansson", "libjansson-dev", bench_jansson},
                                   {"json-c", "libjson-c-dev", JSON_C},
                                   {"cJSON", "libcjson-dev", CJSON},
                                   {"RapidJSON", "rapidjson-dev", RAPIDJSON},
                                   {"simdjson*", "libsimdjson-dev", SIMDJSON}};
#define COUNT(list) (sizeof list / sizeof *list)
enum { SUBJECTS = 2 + COUNT(PEERS) }; /* dragoman, memcpy, and the peers */

typedef struct engine {
    dg_runner *runner;
    dg_program *program;
    dg_buf out;
} engine;

static void run_subject(size_t subject, const bench_case *c, engine *e, dg_slice in)
{
    dg_buf_clear(&e->out);
    if (subject == 0) {
        if (dg_run(e->runner, e->program, in, &e->out, NULL) != DG_OK)
            abort();
    } else if (subject == 1) {
        dg_buf_add(&e->out, in);
        __asm__ volatile("" ::: "memory");
    } else {
        PEERS[subject - 2].run(c->job, in.ptr, in.len);
    }
}

/* Of the processor, and not of the day: others may be busy on the machine. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_there(size_t subject)
{
    return subject < 2 || PEERS[subject - 2].run;
}

static void print_row(const bench_case *c, const bench_messages *m, double took[SUBJECTS][BATCHES])
{
    for (size_t s = 0; s < SUBJECTS; s++)
        qsort(took[s], BATCHES, sizeof *took[s], compare);
    double mean = (double)m->total / (double)m->count, median = took[0][BATCHES / 2];
    printf("%-22s %7.0f %8.0f %6.2f", c->name, mean, median * 1e9, mean / median * 1e-9);
    for (size_t s = 1; s < SUBJECTS; s++)
        if (is_there(s))
            printf(" %9.3g", took[s][BATCHES / 2] / median);
        else
            printf(" %9s", "-");
    printf("\n");
}

static void measure(const bench_case *c)
{
    static bench_messages m;
    static double took[SUBJECTS][BATCHES];
    engine e = {.program = bench_program(c->job, c->steps)};
    dg_buf_init(&e.out, 0);
    if (dg_runner_new(&e.runner) != DG_OK)
        abort();
    bench_messages_make(&m, &c->kind);
    for (int batch = 0; batch < BATCHES; batch++)
        for (size_t s = 0; s < SUBJECTS; s++) {
            if (!is_there(s))
                continue;
            /* The slow ones need fewer rounds to be timed as well. */
            size_t rounds = BATCH_BYTES / (s > 1 ? 10 : 1) / m.total + 1;
            double from = seconds();
            for (size_t r = 0; r < rounds; r++)
                for (size_t i = 0; i < m.count; i++)
                    run_subject(s, c, &e, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]));
            took[s][batch] = (seconds() - from) / (double)(rounds * m.count);
        }
    print_row(c, &m, took);
    dg_buf_free(&m.bytes);
    dg_buf_free(&e.out);
    dg_runner_free(e.runner);
    dg_program_free(e.program);
}

int main(void)
{
    printf("%-22s %7s %8s %6s   how many times as long another takes\n", "", "bytes", "ns", "GB/s");
    printf("%-45s %9s", "", "memcpy");
    for (size_t i = 0; i < COUNT(PEERS); i++)
        printf(" %9s", PEERS[i].name);
    printf("\n");
    for (size_t i = 0; i < COUNT(CASES); i++)
        measure(&CASES[i]);
    printf("* on demand: only visits every member and value, changes and writes nothing\n");
    for (size_t i = 0; i < COUNT(PEERS); i++)
        if (!PEERS[i].run)
            printf("%s is missing: apt-get install %s, remove build/release, and run this again\n",
                   PEERS[i].name, PEERS[i].package);
    return 0;
}
