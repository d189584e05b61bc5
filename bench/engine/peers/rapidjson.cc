#include <cstdlib>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "bench/engine/job.h"

using rapidjson::Value;

static void convert(bench_job job, unsigned depth, Value &value, rapidjson::Document &document)
{
    char spare[BENCH_NAME_MAX];
    if (value.IsArray()) {
        for (Value &element : value.GetArray())
            convert(job, depth + 1, element, document);
    } else if (value.IsObject()) {
        for (auto m = value.MemberBegin(); m != value.MemberEnd();) {
            const char *name = m->name.GetString(), *to = bench_name(job, depth, name, spare);
            if (!to) {
                m = value.EraseMember(m);
                continue;
            }
            if (bench_is_mapped(job, depth, name) && m->value.IsString())
                m->value.SetString(rapidjson::StringRef(bench_mapped(m->value.GetString())));
            else
                convert(job, depth + 1, m->value, document);
            if (to != name)
                m->name.SetString(to, document.GetAllocator());
            ++m;
        }
    }
}

void bench_rapidjson(bench_job job, const char *text, size_t len)
{
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(text, len);
    if (document.HasParseError())
        abort();
    Value &from = job == BENCH_ORDERS ? document["data"] : static_cast<Value &>(document);
    convert(job, job == BENCH_ORDERS, from, document);
    rapidjson::StringBuffer out;
    rapidjson::Writer<rapidjson::StringBuffer> writer(out);
    if (!from.Accept(writer))
        abort();
}
