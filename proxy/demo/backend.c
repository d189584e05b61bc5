#include "proxy/demo/backend.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/date.h"
#include "proxy/admin/control_server.h"
#include "proxy/demo/order.h"

enum { FIRST_ID = 1001, LIMIT_DEFAULT = 20, LIMIT_MAX = 100 };

struct dg_demo_backend {
    dg_control_server *server;
    size_t count;
    json_t *orders[DG_DEMO_ORDERS_MAX]; /* number i is ord_<FIRST_ID + i> */
};

static void refuse(dg_control_response *response, unsigned status, const char *code,
                   const char *message, const char *field)
{
    response->status = status;
    dg_buf_add_str(&response->body, "{\"error\":{\"code\":");
    dg_buf_add_json(&response->body, dg_slice_str(code));
    dg_buf_add_str(&response->body, ",\"message\":");
    dg_buf_add_json(&response->body, dg_slice_str(message));
    if (field && *field) {
        dg_buf_add_str(&response->body, ",\"field\":");
        dg_buf_add_json(&response->body, dg_slice_str(field));
    }
    dg_buf_add_str(&response->body, "}}");
}

static void answer_order(dg_control_response *response, json_t *order)
{
    dg_buf_add_str(&response->body, "{\"data\":");
    dg_demo_order_write(order, &response->body);
    dg_buf_add_char(&response->body, '}');
}

/* A decimal from 1 to `max`; false for all else. */
static bool parse_number(dg_slice text, size_t max, size_t *ret_number)
{
    size_t n = 0;
    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (size_t)(text.ptr[i] - '0');
    }
    if (n < 1 || n > max)
        return false;
    *ret_number = n;
    return true;
}

/* Takes page and limit; other parameters are nobody's business here. The name of the faulty one, or
 * NULL. */
static const char *parse_page(dg_slice query, size_t *ret_page, size_t *ret_limit)
{
    while (query.len) {
        dg_slice pair = dg_slice_until(query, dg_slice_find(query, '&'));
        dg_slice name = dg_slice_until(pair, dg_slice_find(pair, '='));
        dg_slice value = dg_slice_from(pair, name.len + 1);
        query = dg_slice_from(query, pair.len + 1);
        if (dg_slice_eq(name, DG_SLICE("page")) && !parse_number(value, 1000000, ret_page))
            return "page";
        if (dg_slice_eq(name, DG_SLICE("limit")) && !parse_number(value, LIMIT_MAX, ret_limit))
            return "limit";
    }
    return NULL;
}

static void list_orders(dg_demo_backend *backend, const dg_control_request *request,
                        dg_control_response *response)
{
    size_t page = 1, limit = LIMIT_DEFAULT;
    const char *wrong = parse_page(request->query, &page, &limit);
    if (wrong) {
        refuse(response, 422, "invalid_parameter", "page counts from 1, and limit is 1 to 100",
               wrong);
        return;
    }
    size_t first = (page - 1) * limit;
    dg_buf_add_str(&response->body, "{\"data\":[");
    for (size_t i = first; i < backend->count && i < first + limit; i++) {
        if (i > first)
            dg_buf_add_char(&response->body, ',');
        dg_demo_order_write(backend->orders[i], &response->body);
    }
    dg_buf_printf(&response->body, "],\"meta\":{\"page\":%zu,\"limit\":%zu,\"total_count\":%zu}}",
                  page, limit, backend->count);
}

/* dragoman speaks JSON to a backend; anything else is a mistake that must show (RFC 9110 15.5.16).
 */
static bool is_json(dg_slice type)
{
    type = dg_slice_until(type, dg_slice_find(type, ';'));
    while (type.len && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t'))
        type.len--;
    return dg_slice_ieq(type, DG_SLICE("application/json")) ||
           dg_slice_ieq(type, DG_SLICE("application/merge-patch+json"));
}

/* The body as a checked object, as a new reference; or NULL, and the answer says why. */
static json_t *parse_body(const dg_control_request *request, bool partial,
                          dg_control_response *response)
{
    json_error_t error;
    dg_demo_fault fault;
    if (!is_json(request->content_type)) {
        refuse(response, 415, "unsupported_media_type", "The body must be application/json", NULL);
        return NULL;
    }
    json_t *body = json_loadb(request->body.len ? request->body.ptr : "", request->body.len,
                              JSON_REJECT_DUPLICATES, &error);
    if (!body) {
        refuse(response, 400, "invalid_json", error.text, NULL);
        return NULL;
    }
    if (!dg_demo_order_check(body, partial, &fault)) {
        refuse(response, 422, fault.code, fault.message, fault.field);
        json_decref(body);
        return NULL;
    }
    return body;
}

/* Takes the body's reference. */
static json_t *append(dg_demo_backend *backend, json_t *body, const char *created_at)
{
    char id[32];
    snprintf(id, sizeof id, "ord_%zu", FIRST_ID + backend->count);
    json_t *order = body ? dg_demo_order_make(body, id, created_at) : NULL;
    json_decref(body);
    if (order)
        backend->orders[backend->count++] = order;
    return order;
}

static void make_order(dg_demo_backend *backend, const dg_control_request *request,
                       dg_control_response *response)
{
    json_t *body = parse_body(request, false, response);
    if (!body)
        return;
    if (backend->count == DG_DEMO_ORDERS_MAX) {
        refuse(response, 507, "store_full", "This demonstration keeps 1000 orders and no more",
               NULL);
        json_decref(body);
        return;
    }
    char created_at[32];
    dg_date_rfc3339(dg_wall_s(), created_at);
    created_at[DG_RFC3339_BYTES] = '\0';
    json_t *order = append(backend, body, created_at);
    if (!order) {
        response->body.status = DG_NOMEM;
        return;
    }
    response->status = 201;
    dg_control_response_field(response, "Location", "/api/v2/orders/%s",
                              json_string_value(json_object_get(order, "id")));
    answer_order(response, order);
}

static void count_orders(dg_demo_backend *backend, const dg_control_request *request,
                         dg_control_response *response)
{
    (void)request;
    dg_buf_printf(&response->body, "{\"count\":%zu}", backend->count);
}

/* The order that the last segment of the path names, or NULL and a 404. */
static json_t **find_order(dg_demo_backend *backend, const dg_control_request *request,
                           dg_control_response *response)
{
    static const char prefix[] = "/api/v2/orders/ord_";
    size_t number;
    dg_slice digits = dg_slice_from(request->path, sizeof prefix - 1);
    bool plain =
        dg_slice_starts(request->path, dg_slice_str(prefix)) && digits.len && *digits.ptr != '0';
    if (plain && parse_number(digits, FIRST_ID + backend->count - 1, &number) && number >= FIRST_ID)
        return &backend->orders[number - FIRST_ID];
    refuse(response, 404, "not_found", "No such order", NULL);
    return NULL;
}

static void get_order(dg_demo_backend *backend, const dg_control_request *request,
                      dg_control_response *response)
{
    json_t **order = find_order(backend, request, response);
    if (order)
        answer_order(response, *order);
}

static void change_order(dg_demo_backend *backend, const dg_control_request *request,
                         dg_control_response *response)
{
    json_t **order = find_order(backend, request, response);
    json_t *body = order ? parse_body(request, true, response) : NULL;
    if (!body)
        return;
    json_t *changed = dg_demo_order_change(*order, body);
    json_decref(body);
    if (!changed) {
        response->body.status = DG_NOMEM;
        return;
    }
    json_decref(*order);
    *order = changed;
    answer_order(response, changed);
}

typedef void (*action)(dg_demo_backend *, const dg_control_request *, dg_control_response *);

/* DG_SLICE is a compound literal, which ISO C takes for no constant. */
// clang-format off
#define ROUTE_PATH(literal) {(literal), sizeof(literal) - 1}
// clang-format on

/* First match wins; a path that ends in a slash takes one segment more. */
static const struct route {
    dg_slice path;
    const char *allow;
    action get, post, patch;
} routes[] = {
    {ROUTE_PATH("/api/v2/orders"), "GET, HEAD, POST", list_orders, make_order, NULL},
    {ROUTE_PATH("/api/v2/orders/count"), "GET, HEAD", count_orders, NULL, NULL},
    {ROUTE_PATH("/api/v2/orders/"), "GET, HEAD, PATCH", get_order, NULL, change_order},
};

static bool matches(const struct route *route, dg_slice path)
{
    if (route->path.ptr[route->path.len - 1] != '/')
        return dg_slice_eq(route->path, path);
    dg_slice rest = dg_slice_from(path, route->path.len);
    return dg_slice_starts(path, route->path) && rest.len && dg_slice_find(rest, '/') == rest.len;
}

static action action_of(const struct route *route, dg_slice method)
{
    if (dg_slice_eq(method, DG_SLICE("GET")) || dg_slice_eq(method, DG_SLICE("HEAD")))
        return route->get;
    if (dg_slice_eq(method, DG_SLICE("POST")))
        return route->post;
    return dg_slice_eq(method, DG_SLICE("PATCH")) ? route->patch : NULL;
}

static void handle(void *context, const dg_control_request *request, dg_control_response *response)
{
    response->content_type = "application/json";
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(&routes[i], request->path))
            continue;
        action act = action_of(&routes[i], request->method);
        if (act) {
            act(context, request, response);
        } else {
            dg_control_response_field(response, "Allow", "%s", routes[i].allow);
            refuse(response, 405, "method_not_allowed", "This resource does not take that method",
                   NULL);
        }
        return;
    }
    refuse(response, 404, "not_found", "No such resource", NULL);
}

dg_status dg_demo_backend_new(struct event_base *base, const char *address,
                              dg_demo_backend **ret_backend)
{
    dg_demo_backend *backend = calloc(1, sizeof *backend);
    if (!backend)
        return DG_NOMEM;
    dg_status status = DG_OK;
    for (size_t i = 0; status == DG_OK && i < DG_DEMO_SEEDS; i++) {
        char created_at[32];
        json_t *seed = dg_demo_seed(i, created_at);
        if (!append(backend, seed, created_at))
            status = DG_NOMEM;
    }
    if (status == DG_OK)
        status = dg_control_server_new(base, address, handle, backend, &backend->server);
    if (status != DG_OK) {
        dg_demo_backend_free(backend);
        return status;
    }
    *ret_backend = backend;
    return DG_OK;
}

unsigned dg_demo_backend_port(const dg_demo_backend *backend)
{
    return dg_control_server_port(backend->server);
}

void dg_demo_backend_free(dg_demo_backend *backend)
{
    if (!backend)
        return;
    dg_control_server_free(backend->server);
    for (size_t i = 0; i < backend->count; i++)
        json_decref(backend->orders[i]);
    free(backend);
}
