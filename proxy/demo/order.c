#include "proxy/demo/order.h"

#include <math.h>
#include <stdio.h>

#define CENTS_MAX 1e11 /* a billion, in cents: far below where doubles lose them */

typedef struct rule {
    const char *name;
    bool required;
    bool (*check)(json_t *value, const char *field, dg_demo_fault *fault);
} rule;

static bool refuse(dg_demo_fault *fault, const char *code, const char *field, const char *why)
{
    fault->code = code;
    snprintf(fault->field, sizeof fault->field, "%s", field);
    snprintf(fault->message, sizeof fault->message, "%s %s", *field ? fault->field : "The body",
             why);
    return false;
}

static bool check_members(json_t *object, const rule *rules, const char *prefix, bool partial,
                          dg_demo_fault *fault)
{
    const char *key;
    json_t *value;
    char field[sizeof fault->field];
    json_object_foreach(object, key, value)
    {
        const rule *r = rules;
        snprintf(field, sizeof field, "%s%s", prefix, key);
        while (r->name && strcmp(r->name, key) != 0)
            r++;
        if (!r->name)
            return refuse(fault, "unknown_field", field, "is no field of this service");
        if (!r->check(value, field, fault))
            return false;
    }
    for (; !partial && rules->name; rules++) {
        snprintf(field, sizeof field, "%s%s", prefix, rules->name);
        if (rules->required && !json_object_get(object, rules->name))
            return refuse(fault, "missing_field", field, "is required");
    }
    return true;
}

static bool check_text(json_t *value, const char *field, dg_demo_fault *fault)
{
    if (!json_is_string(value) || json_string_length(value) > DG_DEMO_TEXT_MAX)
        return refuse(fault, "invalid_field", field, "must be a string of at most 2000 bytes");
    return true;
}

static bool check_name(json_t *value, const char *field, dg_demo_fault *fault)
{
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) > 200)
        return refuse(fault, "invalid_field", field, "must be a string of 1 to 200 bytes");
    return true;
}

static bool check_money(json_t *value, const char *field, dg_demo_fault *fault)
{
    double cents = json_number_value(value) * 100;
    if (!json_is_number(value) || !(cents >= 0 && cents <= CENTS_MAX) ||
        fabs(cents - round(cents)) > 1e-4)
        return refuse(fault, "invalid_field", field,
                      "must be a number of whole cents from 0 to 1000000000");
    return true;
}

static bool check_quantity(json_t *value, const char *field, dg_demo_fault *fault)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > 1000000)
        return refuse(fault, "invalid_field", field, "must be an integer from 1 to 1000000");
    return true;
}

static bool check_status(json_t *value, const char *field, dg_demo_fault *fault)
{
    const char *text = json_string_value(value);
    if (!text || (strcmp(text, "active") != 0 && strcmp(text, "inactive") != 0 &&
                  strcmp(text, "shipped") != 0))
        return refuse(fault, "invalid_field", field,
                      "must be \"active\", \"inactive\" or \"shipped\"");
    return true;
}

static bool check_currency(json_t *value, const char *field, dg_demo_fault *fault)
{
    const char *text = json_string_value(value);
    if (!text || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || strlen(text) != 3)
        return refuse(fault, "invalid_field", field, "must be a code of three capital letters");
    return true;
}

static bool check_customer(json_t *value, const char *field, dg_demo_fault *fault)
{
    static const rule rules[] = {
        {"customer_id", true, check_name}, {"full_name", true, check_name}, {NULL, false, NULL}};
    if (!json_is_object(value))
        return refuse(fault, "invalid_field", field, "must be an object");
    return check_members(value, rules, "customer.", false, fault);
}

static bool check_line_items(json_t *value, const char *field, dg_demo_fault *fault)
{
    static const rule rules[] = {{"sku", true, check_name},
                                 {"quantity", true, check_quantity},
                                 {"unit_price", true, check_money},
                                 {NULL, false, NULL}};
    if (!json_is_array(value) || json_array_size(value) > DG_DEMO_LINE_ITEMS_MAX)
        return refuse(fault, "invalid_field", field, "must be an array of at most 50 items");
    for (size_t i = 0; i < json_array_size(value); i++) {
        char prefix[64];
        json_t *item = json_array_get(value, i);
        snprintf(prefix, sizeof prefix, "%s[%zu]", field, i);
        if (!json_is_object(item))
            return refuse(fault, "invalid_field", prefix, "must be an object");
        snprintf(prefix, sizeof prefix, "%s[%zu].", field, i);
        if (!check_members(item, rules, prefix, false, fault))
            return false;
    }
    return true;
}

/* No reals: they could not be given back as they came. */
static bool check_metadata(json_t *value, const char *field, dg_demo_fault *fault)
{
    const char *key;
    json_t *one;
    if (!json_is_object(value) || json_object_size(value) > DG_DEMO_METADATA_MAX)
        return refuse(fault, "invalid_field", field, "must be an object of at most 50 members");
    json_object_foreach(value, key, one)
    {
        char name[128];
        snprintf(name, sizeof name, "metadata.%s", key);
        bool is_text = json_is_string(one) && json_string_length(one) <= DG_DEMO_TEXT_MAX;
        if (!is_text && !json_is_integer(one) && !json_is_boolean(one) && !json_is_null(one))
            return refuse(fault, "invalid_field", name,
                          "must be a string, an integer, a boolean or null");
    }
    return true;
}

bool dg_demo_order_check(json_t *body, bool partial, dg_demo_fault *ret_fault)
{
    static const rule rules[] = {
        {"customer", true, check_customer},      {"status", false, check_status},
        {"amount", true, check_money},           {"currency", true, check_currency},
        {"line_items", false, check_line_items}, {"metadata", false, check_metadata},
        {"internal_notes", false, check_text},   {NULL, false, NULL}};
    if (!json_is_object(body))
        return refuse(ret_fault, "invalid_field", "", "must be an object");
    return check_members(body, rules, "", partial, ret_fault);
}

json_t *dg_demo_order_make(json_t *body, const char *id, const char *created_at)
{
    json_t *order =
        json_pack("{s:s,s:s,s:[],s:s,s:{},s:s}", "id", id, "status", "active", "line_items",
                  "created_at", created_at, "metadata", "internal_notes", "");
    json_t *changed = order ? dg_demo_order_change(order, body) : NULL;
    json_decref(order);
    return changed;
}

json_t *dg_demo_order_change(json_t *order, json_t *body)
{
    json_t *changed = json_copy(order); /* values are shared and never changed */
    if (changed && json_object_update(changed, body)) {
        json_decref(changed);
        return NULL;
    }
    return changed;
}

static void add_text(json_t *object, const char *key, dg_buf *out)
{
    json_t *value = json_object_get(object, key);
    dg_buf_add_json(out, dg_slice_of(json_string_value(value), json_string_length(value)));
}

static void add_money(json_t *object, const char *key, dg_buf *out)
{
    long long cents = llround(json_number_value(json_object_get(object, key)) * 100);
    dg_buf_printf(out, "%lld.%02lld", cents / 100, cents % 100);
}

static void add_line_items(json_t *items, dg_buf *out)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        dg_buf_add_str(out, i ? ",{\"sku\":" : "{\"sku\":");
        add_text(item, "sku", out);
        dg_buf_printf(out, ",\"quantity\":%" JSON_INTEGER_FORMAT ",\"unit_price\":",
                      json_integer_value(json_object_get(item, "quantity")));
        add_money(item, "unit_price", out);
        dg_buf_add_char(out, '}');
    }
}

static void add_metadata(json_t *metadata, dg_buf *out)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach(metadata, key, value)
    {
        if (!first)
            dg_buf_add_char(out, ',');
        first = false;
        dg_buf_add_json(out, dg_slice_str(key));
        dg_buf_add_char(out, ':');
        if (json_is_string(value))
            dg_buf_add_json(out, dg_slice_of(json_string_value(value), json_string_length(value)));
        else if (json_is_integer(value))
            dg_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            dg_buf_add_str(out, json_is_null(value)   ? "null"
                                : json_is_true(value) ? "true"
                                                      : "false");
    }
}

void dg_demo_order_write(json_t *order, dg_buf *out)
{
    json_t *customer = json_object_get(order, "customer");
    dg_buf_add_str(out, "{\"id\":");
    add_text(order, "id", out);
    dg_buf_add_str(out, ",\"customer\":{\"customer_id\":");
    add_text(customer, "customer_id", out);
    dg_buf_add_str(out, ",\"full_name\":");
    add_text(customer, "full_name", out);
    dg_buf_add_str(out, "},\"status\":");
    add_text(order, "status", out);
    dg_buf_add_str(out, ",\"amount\":");
    add_money(order, "amount", out);
    dg_buf_add_str(out, ",\"currency\":");
    add_text(order, "currency", out);
    dg_buf_add_str(out, ",\"line_items\":[");
    add_line_items(json_object_get(order, "line_items"), out);
    dg_buf_add_str(out, "],\"created_at\":");
    add_text(order, "created_at", out);
    dg_buf_add_str(out, ",\"metadata\":{");
    add_metadata(json_object_get(order, "metadata"), out);
    dg_buf_add_str(out, "},\"internal_notes\":");
    add_text(order, "internal_notes", out);
    dg_buf_add_char(out, '}');
}
