#include "bench/engine/messages.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "transforms/program.h"

static const size_t TEXT_BYTES = 400000; /* of messages in a case, so that they stay in the cache */

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

static void put_object(dg_buf *out, const field *fields, size_t count, const bench_kind *how);

static void put_field(dg_buf *out, const field *f, const bench_kind *how)
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
        for (uint32_t i = 0, n = below(how->items); i < n; i++) {
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

static void put_object(dg_buf *out, const field *fields, size_t count, const bench_kind *how)
{
    size_t order[32], kept = 0;
    for (size_t i = 0; i < count; i++)
        if (how->shape != BENCH_OMITTED || below(4))
            order[kept++] = i;
    for (size_t i = kept; how->shape == BENCH_SHUFFLED && i > 1; i--) {
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
    if (how->shape == BENCH_UNKNOWN && below(4) == 0)
        dg_buf_printf(out, "%s\"extra_field_%u\":%u", kept ? "," : "", below(1000000), below(1000));
    dg_buf_add_char(out, '}');
}

static void put_message(dg_buf *out, const bench_kind *how)
{
    dg_buf_add_str(out, "{\"data\":[");
    for (size_t i = 0; i < how->orders; i++) {
        if (i)
            dg_buf_add_char(out, ',');
        put_object(out, ORDER, COUNT(ORDER), how);
    }
    dg_buf_printf(out, "],\"meta\":{\"page\":%u,\"page_size\":%zu,\"has_more\":true}}", below(50),
                  how->orders);
}

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

void bench_messages_make(bench_messages *m, const bench_kind *kind)
{
    dg_buf_init(&m->bytes, 0);
    m->count = m->total = 0;
    random_state = 42;
    while (m->count < BENCH_MESSAGES_MAX && m->total < TEXT_BYTES) {
        size_t from = m->bytes.len;
        if (kind->orders)
            put_message(&m->bytes, kind);
        else
            put_object(&m->bytes, ITEM, COUNT(ITEM), kind);
        if (kind->indented)
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
