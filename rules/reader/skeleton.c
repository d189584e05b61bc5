#include "rules/reader/skeleton.h"

#include "base/date.h"

enum { NAME_BYTES_MAX = 60 };

void dg_skeleton_name(dg_slice title, int64_t now, dg_buf *out)
{
    char stamp[DG_RFC3339_BYTES];
    dg_date_rfc3339(now, stamp);
    dg_buf_add(out, dg_slice_of(stamp, 10));
    bool gap = true;
    for (size_t i = 0; i < title.len && i < NAME_BYTES_MAX; i++) {
        char c = dg_ascii_lower(title.ptr[i]);
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (good && gap)
            dg_buf_add_char(out, '-');
        if (good)
            dg_buf_add_char(out, c);
        gap = !good;
    }
}

/* JSON strings are YAML strings. */
void dg_skeleton_change(dg_slice title, dg_slice older, dg_slice newer, dg_buf *out)
{
    dg_buf_add_str(out, "change: ");
    dg_buf_add_json(out, title);
    dg_buf_add_str(out, "\nbetween: [");
    dg_buf_add_json(out, older);
    dg_buf_add_str(out, ", ");
    dg_buf_add_json(out, newer);
    dg_buf_add_str(
        out,
        "]\n"
        "\n"
        "# Everything is written upward: what a message of the older version has to become. The "
        "way back is\n"
        "# derived, and `dragoman check` says where it would have to invent or lose something.\n"
        "#\n"
        "# Named op lists, for shapes that several endpoints share:\n"
        "#\n"
        "# lenses:\n"
        "#   Order:\n"
        "#     - case: {from: camel, to: snake}\n"
        "#     - rename: {total: amount}\n"
        "#     - values: {at: status, table: {0: inactive, 1: active}}\n"
        "#     - add: {currency: EUR}\n"
        "#     - {drop: debug, lossy: accept}\n"
        "#\n"
        "# What changed where. An endpoint is named as the older version calls it:\n"
        "#\n"
        "#   GET /orders/{id}:\n"
        "#     response: Order\n"
        "#   GET /orders:\n"
        "#     response: [{each: Order}, {wrap: data}]\n"
        "#   POST /orders: {request: Order, response: Order}\n"
        "#   GET /order-count: {becomes: GET /orders/count}\n"
        "#   \"* /**\": {error: [{wrap: error}]}\n"
        "endpoints: {}\n");
}

void dg_skeleton_api(dg_slice name, dg_buf *out)
{
    dg_buf_add_str(out, "# The API, and its versions. What changed between them is in changes/.\n"
                        "api: ");
    dg_buf_add_json(out, name);
    dg_buf_add_str(out, "\n"
                        "# The path that all endpoints are below.\n"
                        "base: /api\n"
                        "# The oldest first. A version may have dates and more:\n"
                        "#   - {name: v1, deprecated: 2030-01-01, sunset: 2031-01-01, docs: "
                        "\"https://example.com/v1\"}\n"
                        "versions: [v1, v2]\n"
                        "# What names the version of a request, in the order of precedence.\n"
                        "selected_by: [path]\n");
}

void dg_skeleton_first_change(dg_buf *out)
{
    dg_buf_add_str(out,
                   "change: Things have a name, not a title\n"
                   "between: [v1, v2]\n"
                   "\n"
                   "# Written upward: what a v1 message has to become. The way back is derived.\n"
                   "lenses:\n"
                   "  Thing:\n"
                   "    - rename: {title: name}\n"
                   "\n"
                   "endpoints:\n"
                   "  GET /things:\n"
                   "    response: {each: Thing}\n"
                   "  GET /things/{id}:\n"
                   "    response: Thing\n"
                   "  POST /things:\n"
                   "    request: Thing\n"
                   "    response: Thing\n");
}

void dg_skeleton_example(dg_buf *out)
{
    dg_buf_add_str(out, "# The same exchange as a v1 client sees it, and as a v2 client does. "
                        "`dragoman test` runs it.\n"
                        "- name: a thing comes back\n"
                        "  versions: [v1, v2]\n"
                        "  older:\n"
                        "    request: {method: GET, target: /api/v1/things/7}\n"
                        "    response: {status: 200, body: {id: 7, title: Lamp}}\n"
                        "  newer:\n"
                        "    request: {method: GET, target: /api/v2/things/7}\n"
                        "    response: {status: 200, body: {id: 7, name: Lamp}}\n");
}
