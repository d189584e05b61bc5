#include "proxy/admin/admin.h"

#include <stdlib.h>

#include "proxy/http/tables.h"

struct dg_admin {
    dg_admin_hooks hooks;
    dg_control_server *server;
};

static void problem(dg_control_response *response, unsigned status, const char *detail)
{
    response->status = status;
    response->content_type = "application/problem+json";
    dg_buf_printf(&response->body,
                  "{\"type\":\"about:blank\",\"title\":\"%.*s\",\"status\":%u,\"detail\":",
                  DG_SLICE_FMT(dg_reason_phrase(status)), status);
    dg_buf_add_json(&response->body, dg_slice_str(detail));
    dg_buf_add_str(&response->body, "}\n");
}

static void get_healthz(const dg_admin *admin, dg_control_response *response)
{
    (void)admin;
    dg_buf_add_str(&response->body, "ok\n");
}

static void get_readyz(const dg_admin *admin, dg_control_response *response)
{
    if (admin->hooks.ready(admin->hooks.context)) {
        dg_buf_add_str(&response->body, "ready\n");
    } else {
        response->status = 503;
        dg_buf_add_str(&response->body, "not ready\n");
    }
}

static void get_metrics(const dg_admin *admin, dg_control_response *response)
{
    admin->hooks.metrics(admin->hooks.context, &response->body);
}

static void get_usage(const dg_admin *admin, dg_control_response *response)
{
    admin->hooks.usage(admin->hooks.context, &response->body);
}

static void get_index(const dg_admin *admin, dg_control_response *response);

/* DG_SLICE is a compound literal, which ISO C takes for no constant. */
// clang-format off
#define ROUTE_PATH(literal) {(literal), sizeof(literal) - 1}
// clang-format on

static const struct route {
    dg_slice path;
    const char *content_type;
    void (*get)(const dg_admin *admin, dg_control_response *response);
    const char *title;
} routes[] = {
    {ROUTE_PATH("/"), "application/json", get_index, "What is here"},
    {ROUTE_PATH("/healthz"), "text/plain; charset=utf-8", get_healthz, "Is the process alive?"},
    {ROUTE_PATH("/readyz"), "text/plain; charset=utf-8", get_readyz, "Does it take traffic?"},
    {ROUTE_PATH("/metrics"), "text/plain; version=0.0.4; charset=utf-8", get_metrics,
     "Metrics for Prometheus"},
    {ROUTE_PATH("/usage"), "application/json", get_usage, "Who still uses what"},
};
enum { ROUTES = sizeof routes / sizeof *routes };

static void get_index(const dg_admin *admin, dg_control_response *response)
{
    (void)admin;
    dg_buf_add_str(&response->body,
                   "{\"name\":\"dragoman\",\"version\":\"" DG_VERSION "\",\"links\":[");
    for (size_t i = 0; i < ROUTES; i++) {
        dg_buf_add_str(&response->body, i ? ",{\"href\":" : "{\"href\":");
        dg_buf_add_json(&response->body, routes[i].path);
        dg_buf_add_str(&response->body, ",\"title\":");
        dg_buf_add_json(&response->body, dg_slice_str(routes[i].title));
        dg_buf_add_char(&response->body, '}');
    }
    dg_buf_add_str(&response->body, "]}\n");
}

static void handle(void *context, const dg_control_request *request, dg_control_response *response)
{
    const dg_admin *admin = context;
    const struct route *route = routes;
    while (route < routes + ROUTES && !dg_slice_eq(route->path, request->path))
        route++;
    dg_control_response_field(response, "Cache-Control", "no-store");
    if (route == routes + ROUTES) {
        problem(response, 404, "Nothing is here. GET / lists what is.");
    } else if (!dg_slice_eq(request->method, DG_SLICE("GET")) &&
               !dg_slice_eq(request->method, DG_SLICE("HEAD"))) {
        dg_control_response_field(response, "Allow", "GET, HEAD");
        problem(response, 405, "This can be read, and nothing else.");
    } else {
        response->content_type = route->content_type;
        route->get(admin, response);
    }
}

dg_status dg_admin_new(struct event_base *base, const char *address, const dg_admin_hooks *hooks,
                       dg_admin **ret_admin)
{
    dg_admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return DG_NOMEM;
    admin->hooks = *hooks;
    dg_status status = dg_control_server_new(base, address, handle, admin, &admin->server);
    if (status != DG_OK) {
        free(admin);
        return status;
    }
    *ret_admin = admin;
    return DG_OK;
}

unsigned dg_admin_port(const dg_admin *admin)
{
    return dg_control_server_port(admin->server);
}

void dg_admin_free(dg_admin *admin)
{
    if (!admin)
        return;
    dg_control_server_free(admin->server);
    free(admin);
}
