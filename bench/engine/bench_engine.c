/* How long a translation takes, on distinct messages of orders: all keys from snake to camel, two
 * renames, the wrapper taken off, a member dropped, one value mapped. Beside it memcpy of the same
 * bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "transforms/program.h"

enum { MESSAGES = 512, ROUNDS = 200, BATCHES = 7 };

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

typedef struct messages {
    dg_buf bytes;
    size_t at[MESSAGES], len[MESSAGES], total;
} messages;

static void measure(dg_runner *runner, const dg_program *program, const char *name, size_t orders,
                    shape how)
{
    static messages m;
    dg_buf_init(&m.bytes, 0);
    m.total = 0;
    size_t rounds = ROUNDS / orders + 1;
    for (size_t i = 0; i < MESSAGES; i++) {
        m.at[i] = m.bytes.len;
        put_message(&m.bytes, orders, how);
        m.len[i] = m.bytes.len - m.at[i];
        m.total += m.len[i];
        for (int k = 0; k < DG_JSON_PADDING; k++)
            dg_buf_add_char(&m.bytes, ' ');
    }
    dg_buf out;
    dg_buf_init(&out, 0);
    double best = 1e9, copy = 1e9;
    for (int batch = 0; batch < BATCHES; batch++) {
        double from = seconds();
        for (size_t r = 0; r < rounds; r++)
            for (size_t i = 0; i < MESSAGES; i++) {
                dg_buf_clear(&out);
                if (dg_run(runner, program, dg_slice_of(m.bytes.ptr + m.at[i], m.len[i]), &out,
                           NULL) != DG_OK)
                    abort();
            }
        double took = (seconds() - from) / (double)(rounds * MESSAGES);
        best = took < best ? took : best;
        from = seconds();
        for (size_t r = 0; r < rounds; r++)
            for (size_t i = 0; i < MESSAGES; i++) {
                memcpy(out.ptr, m.bytes.ptr + m.at[i], m.len[i]);
                __asm__ volatile("" ::: "memory");
            }
        took = (seconds() - from) / (double)(rounds * MESSAGES);
        copy = took < copy ? took : copy;
    }
    double mean = (double)m.total / MESSAGES;
    printf("%-24s %7.0f bytes %9.0f ns/message %6.2f GB/s %7.1f x memcpy\n", name, mean, best * 1e9,
           mean / best * 1e-9, best / copy);
    dg_buf_free(&out);
    dg_buf_free(&m.bytes);
}

int main(void)
{
    dg_diags diags;
    dg_program *program;
    dg_runner *runner;
    const dg_ops *steps[] = {&list};
    dg_diags_init(&diags);
    if (dg_program_compile(steps, 1, &diags, &program) != DG_OK || dg_runner_new(&runner) != DG_OK)
        return 1;
    measure(runner, program, "1 order", 1, IN_ORDER);
    measure(runner, program, "2 orders", 2, IN_ORDER);
    measure(runner, program, "2 orders, some omitted", 2, OMITTED);
    measure(runner, program, "2 orders, shuffled", 2, SHUFFLED);
    measure(runner, program, "20 orders", 20, IN_ORDER);
    dg_runner_free(runner);
    dg_program_free(program);
    dg_diags_free(&diags);
    return 0;
}
