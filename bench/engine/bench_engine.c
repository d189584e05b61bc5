/* How long a translation takes, on distinct messages of orders: all keys from snake to camel, two
 * renames, the wrapper taken off, a member dropped, one value mapped. Beside it, in alternating
 * rounds of the same run, memcpy of the same bytes, and what other libraries take to read and write
 * them without changing anything; medians.
 *
 * usage: bench_engine [--count]: with --count a hundred runs of 2 KB are all there is, for
 * callgrind's --toggle-collect=dg_run */
#include <jansson.h>
#ifdef BENCH_CJSON
#include <cjson/cJSON.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "transforms/program.h"

enum { MESSAGES_MAX = 256, BATCHES = 9, STEPS = 50 };
static const size_t TEXT_BYTES = 400000; /* of messages in a case, so that they stay in the cache */
static const size_t BATCH_BYTES = 4000000;

typedef enum shape { IN_ORDER, OMITTED, SHUFFLED } shape;

static uint64_t random_state = 42;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

/* A member: its text is a name and a printf format for two random numbers. */
typedef struct field {
    const char *name, *format;
} field;

static const field ADDRESS[] = {{"street_line1", "\"%u Harbour Street %u\""},
                                {"street_line2", "null"},
                                {"city", "\"Gothenburg\""},
                                {"postal_code", "\"%u %u\""},
                                {"country_code", "\"SE\""}};
static const field ITEM[] = {
    {"item_id", "\"li_%08x%08x\""}, {"product_id", "%u%u"}, {"product_name", "\"Desk lamp %u\""},
    {"sku", "\"SKU-%u-%u\""},       {"quantity", "%u"},     {"unit_price", "%u.%u"},
    {"tax_rate", "0.%u"},           {"is_gift", "false"},   {"discount_amount", "null"}};
static const field PAYMENT[] = {{"payment_method", "\"card\""}, {"transaction_id", "\"tx_%x%x\""},
                                {"amount_captured", "%u.%u"},   {"amount_refunded", "0.00"},
                                {"risk_score", "%u"},           {"is_live", "true"}};
static const field TRACE[] = {{"source_channel", "\"web\""},
                              {"utm_campaign", "\"spring_sale\""},
                              {"session_id", "\"%08x%08x7d1c09e5ab42f6\""}};
static const field ORDER[] = {{"order_id", "%u%u"},
                              {"order_status", "@"},
                              {"customer_name", "\"Åsa Lindström %u\""},
                              {"customer_email", "\"c%u.%u@example.com\""},
                              {"created_at", "\"2025-09-20T09:09:%02u.%uZ\""},
                              {"updated_at", "\"2025-10-05T12:01:%02u.%uZ\""},
                              {"currency", "\"SEK\""},
                              {"shipping_address", "A"},
                              {"billing_address", "A"},
                              {"line_items", "I"},
                              {"payment", "P"},
                              {"internal_notes", "\"Leave at the door.\\nRing %u times\""},
                              {"tags", "[\"fragile\",\"repeat\"]"},
                              {"metadata", "T"}};
#define COUNT(list) (sizeof list / sizeof *list)

static void put_object(dg_buf *out, const field *fields, size_t count, shape how);

static void put_field(dg_buf *out, const field *f, shape how)
{
    static const char *const statuses[] = {"\"paid\"", "\"shipped\"", "\"on_hold\"",
                                           "\"cancelled\"", "\"delivered\""};
    char text[128];
    dg_buf_printf(out, "\"%s\":", f->name);
    switch (f->format[0]) {
    case '@':
        dg_buf_add_str(out, statuses[below(5)]);
        break;
    case 'A':
        put_object(out, ADDRESS, COUNT(ADDRESS), how);
        break;
    case 'P':
        put_object(out, PAYMENT, COUNT(PAYMENT), how);
        break;
    case 'T':
        put_object(out, TRACE, COUNT(TRACE), how);
        break;
    case 'I':
        dg_buf_add_char(out, '[');
        for (uint32_t i = 0, n = 1 + below(4); i < n; i++) {
            if (i)
                dg_buf_add_char(out, ',');
            put_object(out, ITEM, COUNT(ITEM), how);
        }
        dg_buf_add_char(out, ']');
        break;
    default: {
        /* The formats are the constants above; numbers that they do not name are ignored. */
        const char *p = f->format;
        unsigned numbers[2] = {1 + below(99999), 1 + below(999)};
        for (size_t used = 0; *p;) {
            if (*p != '%') {
                dg_buf_add_char(out, *p++);
                continue;
            }
            const char *kind = strpbrk(p, "ux");
            snprintf(text, sizeof text, *kind == 'x' ? "%08x" : "%u", numbers[used++ % 2]);
            dg_buf_add_str(out, text);
            p = kind + 1;
        }
    }
    }
}

static void put_object(dg_buf *out, const field *fields, size_t count, shape how)
{
    size_t order[32], kept = 0;
    for (size_t i = 0; i < count; i++)
        if (how != OMITTED || below(4))
            order[kept++] = i;
    for (size_t i = kept; how == SHUFFLED && i > 1; i--) {
        size_t k = below((uint32_t)i), swap = order[k];
        order[k] = order[i - 1];
        order[i - 1] = swap;
    }
    dg_buf_add_char(out, '{');
    for (size_t i = 0; i < kept; i++) {
        if (i)
            dg_buf_add_char(out, ',');
        put_field(out, &fields[order[i]], how);
    }
    dg_buf_add_char(out, '}');
}

static void put_message(dg_buf *out, size_t orders, shape how)
{
    dg_buf_add_str(out, "{\"data\":[");
    for (size_t i = 0; i < orders; i++) {
        if (i)
            dg_buf_add_char(out, ',');
        put_object(out, ORDER, COUNT(ORDER), how);
    }
    dg_buf_printf(out, "],\"meta\":{\"page\":%u,\"page_size\":%zu,\"has_more\":true}}", below(50),
                  orders);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#define S(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
static const dg_value_pair pairs[] = {{S("\"paid\""), S("\"PAID\"")},
                                      {S("\"shipped\""), S("\"UNDER_WAY\"")},
                                      {S("\"on_hold\""), S("\"WAITING\"")},
                                      {S("\"cancelled\""), S("\"CANCELLED\"")}};
static const dg_op status_ops[] = {
    {.kind = DG_OP_VALUES, .pairs = pairs, .pair_count = 4, .unknown = DG_UNKNOWN_PASS}};
static const dg_ops status_list = {status_ops, 1};
static const dg_op order_ops[] = {
    {.kind = DG_OP_DROP, .name = S("internal_notes")},
    {.kind = DG_OP_IN, .name = S("order_status"), .body = &status_list},
    {.kind = DG_OP_RENAME, .name = S("order_status"), .to = S("status")},
    {.kind = DG_OP_RENAME, .name = S("customer_email"), .to = S("email_address")},
    {.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL}};
static const dg_ops order_list = {order_ops, 5};
static const dg_op list_ops[] = {{.kind = DG_OP_UNWRAP, .name = S("data")},
                                 {.kind = DG_OP_EACH, .body = &order_list}};
static const dg_ops list = {list_ops, 2};

/* A chain of versions: the translation, and then a rename a step. */
static char step_names[STEPS + 1][16];
static dg_op step_ops[STEPS][1];
static dg_op step_each[STEPS][1];
static dg_ops step_bodies[STEPS], step_lists[STEPS];
static const dg_ops *steps[STEPS] = {&list};

static void make_steps(void)
{
    for (size_t i = 0; i <= STEPS; i++)
        snprintf(step_names[i], sizeof step_names[i], i == 1 ? "currency" : "currency%zu", i);
    for (size_t i = 1; i < STEPS; i++) {
        step_ops[i][0] = (dg_op){.kind = DG_OP_RENAME,
                                 .name = dg_slice_str(step_names[i]),
                                 .to = dg_slice_str(step_names[i + 1])};
        step_bodies[i] = (dg_ops){step_ops[i], 1};
        step_each[i][0] = (dg_op){.kind = DG_OP_EACH, .body = &step_bodies[i]};
        step_lists[i] = (dg_ops){step_each[i], 1};
        steps[i] = &step_lists[i];
    }
}

static const dg_op case_ops[] = {{.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL}};
static const dg_ops case_list = {case_ops, 1};
static const dg_op rename_ops[] = {{.kind = DG_OP_RENAME, .name = S("meta"), .to = S("about")}};
static const dg_ops rename_list = {rename_ops, 1};
static const dg_ops *const case_steps[] = {&case_list}, *const rename_steps[] = {&rename_list};

typedef struct bench_case {
    const char *name;
    size_t orders; /* 0: one item alone */
    shape how;
    bool pretty;
    const dg_ops *const *steps;
    size_t step_count;
} bench_case;

static const bench_case CASES[] = {
    {"200 B: keys converted", 0, IN_ORDER, false, case_steps, 1},
    {"1 order", 1, IN_ORDER, false, steps, 1},
    {"2 orders", 2, IN_ORDER, false, steps, 1},
    {"2 orders, 50 steps", 2, IN_ORDER, false, steps, STEPS},
    {"2 orders, some omitted", 2, OMITTED, false, steps, 1},
    {"2 orders, shuffled", 2, SHUFFLED, false, steps, 1},
    {"2 orders, indented", 2, IN_ORDER, true, steps, 1},
    {"2 orders, only copied", 2, IN_ORDER, false, rename_steps, 1},
    {"14 orders", 14, IN_ORDER, false, steps, 1},
    {"140 orders", 140, IN_ORDER, false, steps, 1},
};

typedef struct messages {
    dg_buf bytes;
    size_t at[MESSAGES_MAX], len[MESSAGES_MAX], count, total;
} messages;

static void indent(dg_buf *text, size_t from)
{
    json_t *value = json_loadb(text->ptr + from, text->len - from, 0, NULL);
    char *pretty = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    if (!pretty)
        abort();
    text->len = from;
    dg_buf_add_str(text, pretty);
    free(pretty);
    json_decref(value);
}

static void make_messages(messages *m, const bench_case *c)
{
    dg_buf_init(&m->bytes, 0);
    m->count = m->total = 0;
    while (m->count < MESSAGES_MAX && m->total < TEXT_BYTES) {
        size_t from = m->bytes.len;
        if (c->orders)
            put_message(&m->bytes, c->orders, c->how);
        else
            put_object(&m->bytes, ITEM, COUNT(ITEM), c->how);
        if (c->pretty)
            indent(&m->bytes, from);
        m->at[m->count] = from;
        m->len[m->count] = m->bytes.len - from;
        m->total += m->len[m->count++];
        for (int k = 0; k < DG_JSON_PADDING; k++)
            dg_buf_add_char(&m->bytes, ' ');
    }
    if (m->bytes.status != DG_OK)
        abort();
}

/* What is measured: takes a message through `work`. */
typedef struct subject {
    const char *name;
    void (*run)(void *work, dg_slice in);
} subject;

typedef struct engine {
    dg_runner *runner;
    dg_program *program;
    dg_buf out;
} engine;

static void run_engine(void *work, dg_slice in)
{
    engine *e = work;
    dg_buf_clear(&e->out);
    if (dg_run(e->runner, e->program, in, &e->out, NULL) != DG_OK)
        abort();
}

static void run_memcpy(void *work, dg_slice in)
{
    engine *e = work;
    dg_buf_clear(&e->out);
    dg_buf_add(&e->out, in);
    __asm__ volatile("" ::: "memory");
}

static void run_jansson(void *work, dg_slice in)
{
    (void)work;
    json_t *value = json_loadb(in.ptr, in.len, 0, NULL);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (!text)
        abort();
    free(text);
    json_decref(value);
}

#ifdef BENCH_CJSON
static void run_cjson(void *work, dg_slice in)
{
    (void)work;
    cJSON *value = cJSON_ParseWithLength(in.ptr, in.len);
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;
    if (!text)
        abort();
    cJSON_free(text);
    cJSON_Delete(value);
}
#endif

static const subject SUBJECTS[] = {
    {"dragoman", run_engine},
    {"memcpy", run_memcpy},
    {"jansson", run_jansson},
#ifdef BENCH_CJSON
    {"cJSON", run_cjson},
#endif
};

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void start(engine *e, const bench_case *c)
{
    dg_diags diags;
    dg_diags_init(&diags);
    dg_buf_init(&e->out, 0);
    if (dg_program_compile(c->steps, c->step_count, &diags, &e->program) != DG_OK ||
        dg_runner_new(&e->runner) != DG_OK)
        abort();
    dg_diags_free(&diags);
}

static void stop(engine *e)
{
    dg_buf_free(&e->out);
    dg_runner_free(e->runner);
    dg_program_free(e->program);
}

static void measure(const bench_case *c)
{
    static messages m;
    static double took[COUNT(SUBJECTS)][BATCHES];
    engine e;
    start(&e, c);
    make_messages(&m, c);
    for (int batch = 0; batch < BATCHES; batch++)
        for (size_t s = 0; s < COUNT(SUBJECTS); s++) {
            /* The slow ones need fewer rounds to be timed as well. */
            size_t rounds = BATCH_BYTES / (s > 1 ? 10 : 1) / m.total + 1;
            double from = seconds();
            for (size_t r = 0; r < rounds; r++)
                for (size_t i = 0; i < m.count; i++)
                    SUBJECTS[s].run(&e, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]));
            took[s][batch] = (seconds() - from) / (double)(rounds * m.count);
        }
    for (size_t s = 0; s < COUNT(SUBJECTS); s++)
        qsort(took[s], BATCHES, sizeof *took[s], compare);
    double mean = (double)m.total / (double)m.count, median = took[0][BATCHES / 2];
    printf("%-24s %7.0f bytes %9.0f ns %6.2f GB/s; 1 :", c->name, mean, median * 1e9,
           mean / median * 1e-9);
    for (size_t s = 1; s < COUNT(SUBJECTS); s++)
        printf(" %.3g %s", took[s][BATCHES / 2] / median, SUBJECTS[s].name);
    printf("\n");
    dg_buf_free(&m.bytes);
    stop(&e);
}

__attribute__((noinline)) static void counted_run(void *work, dg_slice in)
{
    run_engine(work, in);
    __asm__ volatile("" ::: "memory");
}

static void count(const bench_case *c)
{
    static messages m;
    engine e;
    start(&e, c);
    make_messages(&m, c);
    size_t bytes = 0;
    for (size_t i = 0; i < 100; i++)
        run_engine(&e, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]));
    for (size_t i = 0; i < 100; i++) {
        counted_run(&e, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]));
        bytes += m.len[i];
    }
    printf("%zu\n", bytes);
    dg_buf_free(&m.bytes);
    stop(&e);
}

int main(int argc, char **argv)
{
    make_steps();
    if (argc > 1 && strcmp(argv[1], "--count") == 0) {
        count(&CASES[argc > 2 ? strtoul(argv[2], NULL, 10) % COUNT(CASES) : 2]);
        return 0;
    }
    for (size_t i = 0; i < COUNT(CASES); i++)
        measure(&CASES[i]);
    return 0;
}
