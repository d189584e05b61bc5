#include <cstdlib>

#include <simdjson.h>

#include "bench/engine/job.h"

using namespace simdjson;

static size_t seen; /* what is looked at must be of use to somebody */

static void visit(ondemand::value value)
{
    switch (value.type()) {
    case ondemand::json_type::object:
        for (auto field : value.get_object()) {
            seen += static_cast<size_t>(field.key().value().raw()[0]);
            visit(field.value());
        }
        break;
    case ondemand::json_type::array:
        for (auto element : value.get_array())
            visit(element.value());
        break;
    case ondemand::json_type::string:
        seen += value.get_string().value().size();
        break;
    case ondemand::json_type::number:
        seen += static_cast<size_t>(value.get_double().value() > 0);
        break;
    case ondemand::json_type::boolean:
        seen += value.get_bool().value();
        break;
    default:
        seen += value.is_null();
    }
}

void bench_simdjson(bench_job job, const char *text, size_t len)
{
    static ondemand::parser parser;
    (void)job;
    try {
        auto document = parser.iterate(padded_string_view(text, len, len + SIMDJSON_PADDING));
        visit(document.get_value());
    } catch (const simdjson_error &) {
        abort();
    }
}
