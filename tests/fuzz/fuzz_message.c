/* libFuzzer over the parts of messages. The first byte chooses which; then comes what is read, and
 * behind a newline the JSON that it becomes. Held beyond the sanitizers: what is read is one JSON
 * value that means the same when it is written, and nothing that is written can be more than it is.
 */
#include <stdlib.h>

#include "proxy/message/content.h"
#include "proxy/message/header.h"
#include "proxy/message/json.h"
#include "proxy/message/query.h"
#include "transforms/program.h"

enum { QUERY, REBUILT, HEADER, JSON, KINDS };

#define HOLD(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dg_program *program;
static dg_runner *runner;

static bool is_json(dg_slice text)
{
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add(&in, text);
    HOLD(dg_buf_reserve(&in, DG_JSON_PADDING) == DG_OK);
    dg_status status = dg_run(runner, program, dg_buf_slice(&in), &out, NULL);
    dg_buf_free(&in);
    dg_buf_free(&out);
    return status == DG_OK;
}

/* The query of a query's own document is that query again, and stays so. */
static void query(dg_slice text)
{
    dg_buf object, once, again, twice;
    const char *message;
    dg_buf_init(&object, 0);
    dg_buf_init(&once, 0);
    dg_buf_init(&again, 0);
    dg_buf_init(&twice, 0);
    if (dg_query_document(text, NULL, &object) == DG_OK) {
        HOLD(is_json(dg_buf_slice(&object)));
        HOLD(dg_query_rebuild((dg_slice){NULL, 0}, NULL, dg_buf_slice(&object), &once, &message) ==
             DG_OK);
        HOLD(dg_query_document(dg_buf_slice(&once), NULL, &again) == DG_OK);
        HOLD(dg_slice_eq(dg_buf_slice(&object), dg_buf_slice(&again)));
        HOLD(dg_query_rebuild(text, NULL, dg_buf_slice(&object), &twice, &message) == DG_OK);
        HOLD(twice.len <= text.len);
    }
    dg_buf_free(&object);
    dg_buf_free(&once);
    dg_buf_free(&again);
    dg_buf_free(&twice);
}

static void rebuilt(dg_slice came, dg_slice json)
{
    dg_buf out, object;
    const char *message = NULL;
    dg_buf_init(&out, 0);
    dg_buf_init(&object, 0);
    if (dg_query_rebuild(came, NULL, json, &out, &message) == DG_OK)
        HOLD(dg_query_document(dg_buf_slice(&out), NULL, &object) == DG_OK);
    dg_buf_free(&out);
    dg_buf_free(&object);
}

static void header(dg_slice value, dg_slice json)
{
    const dg_field fields[] = {{.name = DG_SLICE("X-A"), .value = value},
                               {.name = DG_SLICE("x-b"), .value = DG_SLICE("1")}};
    const dg_header lines = {.fields = fields, .count = 2};
    dg_header_plan plan = {.text.ptr = NULL};
    dg_buf object;
    const char *message = NULL;
    dg_buf_init(&object, 0);
    HOLD(dg_header_document(&lines, &object) == DG_OK && is_json(dg_buf_slice(&object)));
    HOLD(dg_header_rebuild(&lines, dg_buf_slice(&object), &plan, &message) == DG_OK);
    HOLD(plan.added.len == 0 && plan.lines[0].fate == DG_LINE_STAYS &&
         plan.lines[1].fate == DG_LINE_STAYS);
    if (dg_header_rebuild(&lines, json, &plan, &message) == DG_OK)
        for (size_t i = 0; i < plan.added.len; i++)
            HOLD(plan.added.ptr[i] != '\r' || plan.added.ptr[i + 1] == '\n');
    dg_buf_free(&object);
    dg_buf_free(&plan.text);
    dg_buf_free(&plan.added);
}

/* A value that is put between others stays between them. */
static void json(dg_slice text)
{
    dg_buf all;
    dg_buf_init(&all, 0);
    dg_buf_add_str(&all, "{\"a\":");
    dg_buf_add(&all, text);
    dg_buf_add_str(&all, ",\"z\":0}");
    if (dg_json_is_one(text) && is_json(dg_buf_slice(&all))) {
        dg_json_walk walk = dg_json_walk_of(dg_buf_slice(&all));
        dg_slice name, value;
        HOLD(dg_json_next_member(&walk, &name, &value) && is_json(value));
        HOLD(dg_json_next_member(&walk, &name, &value) && dg_slice_eq(name, DG_SLICE("z")));
        HOLD(!dg_json_next_member(&walk, &name, &value));
        HOLD(is_json(text));
    }
    dg_buf_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dg_diags diags;
    dg_diags_init(&diags);
    if (!runner)
        HOLD(dg_runner_new(&runner) == DG_OK &&
             dg_program_compile(NULL, 0, &diags, &program) == DG_OK);
    dg_diags_free(&diags);
    if (size == 0 || size > 4096)
        return 0;
    dg_slice text = dg_slice_of(data + 1, size - 1);
    size_t line = dg_slice_find(text, '\n');
    dg_slice first = dg_slice_until(text, line), second = dg_slice_from(text, line + 1);
    unsigned kind = data[0] % KINDS;
    if (kind == QUERY)
        query(text);
    else if (kind == JSON)
        json(text);
    else if (second.len && second.ptr[0] == '{' && is_json(second) && kind == REBUILT)
        rebuilt(first, second);
    else if (second.len && second.ptr[0] == '{' && is_json(second) && dg_is_field_value(first))
        header(first, second);
    return 0;
}
