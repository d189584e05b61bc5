#include <stdio.h>

#include "base/date.h"
#include "proxy/demo/order.h"

static const struct customer {
    const char *id, *name;
} customers[] = {
    {"cus_7", "Ada Obi"},         {"cus_12", "Zoë Müller-Łuczak"},
    {"cus_3", "李小明"},          {"cus_41", "Seán O'Connor"},
    {"cus_8", "Priya Natarajan"}, {"cus_19", "José \"Pepe\" Núñez"},
    {"cus_22", "Ólafur Arnalds"}, {"cus_5", "Amina Yusuf"},
    {"cus_30", "Дмитрий Орлов"},  {"cus_16", "Nguyễn Thị Hồng"},
    {"cus_27", "Grace Kim 🌿"},
};

static const struct product {
    const char *sku;
    int cents;
} products[] = {
    {"MUG-BLUE", 1990},      {"TEE/XL", 2450},     {"LAMP-30W", 7999}, {"STICKER", 10},
    {"DESK-OAK-160", 64900}, {"CABLE-USB-C", 995}, {"NOTE_A5", 700},   {"SERVER-RACK", 12345678},
};

/* What a translator may stumble over: numbers that doubles lose, keys in every case, escapes. */
static const char *const metadata[] = {
    "{\"source\":\"web\",\"cart_id\":9007199254740993}",
    "{}",
    "{\"giftWrap\":true,\"gift_wrap\":false,\"GIFT-WRAP\":null}",
    "{\"ledger_id\":9223372036854775807,\"shard\":-9223372036854775808}",
    "{\"any_key\":\"x\",\"total\":\"not a total\",\"orderId\":\"A-1\"}",
    "{\"\":\"empty key\",\"a b\":\"space\",\"quote\\\"d\":\"back\\\\slash\"}",
    "{\"referrer\":\"https://shop.example/?q=caf%C3%A9&x=1\",\"visits\":0}",
};

static const char *const notes[] = {
    "",
    "Call before delivery.",
    "He said \"ring twice\";\n\tthen leave at C:\\porch\\left.",
    "Fragile ❄ — paid in two parts: 0.10 + 0.20",
    "</script><!-- not markup -->",
    "Line\u2028separator, and a tab\there",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One to three line items; *ret_cents is what they come to. */
static json_t *line_items(size_t index, long long *ret_cents)
{
    json_t *items = json_array();
    long long sum = 0;
    for (size_t i = 0; items && i <= index % 3; i++) {
        const struct product *p = &products[(index * 5 + i * 3) % COUNT(products)];
        int quantity = (int)((index / 8 + i) % 4) + 1;
        sum += (long long)p->cents * quantity;
        if (json_array_append_new(items, json_pack("{s:s,s:i,s:f}", "sku", p->sku, "quantity",
                                                   quantity, "unit_price", p->cents / 100.0))) {
            json_decref(items);
            return NULL;
        }
    }
    *ret_cents = sum;
    return items;
}

/* The order that documentation shows. */
static json_t *first_items(long long *ret_cents)
{
    *ret_cents = 23440;
    return json_pack("[{s:s,s:i,s:f},{s:s,s:i,s:f}]", "sku", "MUG-BLUE", "quantity", 2,
                     "unit_price", 19.90, "sku", "CHAIR-ASH", "quantity", 1, "unit_price", 194.60);
}

json_t *dg_demo_seed(size_t index, char ret_created_at[32])
{
    static const char *const statuses[] = {"active", "shipped", "active", "inactive"};
    static const char *const currencies[] = {"EUR", "USD", "EUR", "GBP", "NGN"};
    const struct customer *c = &customers[index % COUNT(customers)];
    long long cents = 0;
    json_t *items = index ? line_items(index, &cents) : first_items(&cents);
    dg_date_rfc3339(1767607200 + (int64_t)index * 26137, ret_created_at); /* from 2026-01-05T10:00:00Z on */
    ret_created_at[DG_RFC3339_BYTES] = '\0';
    return json_pack("{s:{s:s,s:s},s:s,s:f,s:s,s:o,s:o,s:s}", "customer", "customer_id", c->id,
                     "full_name", c->name, "status", statuses[index % COUNT(statuses)], "amount",
                     (double)cents / 100, "currency", currencies[index % COUNT(currencies)],
                     "line_items", items, "metadata",
                     json_loads(metadata[index % COUNT(metadata)], 0, NULL), "internal_notes",
                     notes[index % COUNT(notes)]);
}
