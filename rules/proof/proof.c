#include "rules/proof/proof.h"

#include <stdlib.h>

#include "rules/compile/compiled.h"
#include "rules/proof/lossless.h"
#include "rules/proof/message.h"

struct dg_proof {
    const char *dir;
    dg_replayer replayer;
    dg_diags *diags;
    dg_runner *runner;
    dg_ruleset *newest; /* with the newest version as the backend's */
    dg_ruleset *rules[DG_VERSIONS_MAX];
};

dg_status dg_proof_open(const char *dir, const dg_replayer *replayer, dg_diags *diags,
                        dg_proof **ret_proof)
{
    const dg_pack_source source = {.dir = dir};
    dg_proof *proof = calloc(1, sizeof *proof);
    if (!proof)
        return DG_NOMEM;
    proof->dir = dir;
    proof->replayer = *replayer;
    proof->diags = diags;
    dg_status status = dg_runner_new(&proof->runner);
    if (status == DG_OK)
        status = dg_ruleset_load(&source, 1, diags, &proof->newest);
    if (status == DG_OK)
        *ret_proof = proof;
    else
        dg_proof_close(proof);
    return status;
}

void dg_proof_close(dg_proof *proof)
{
    if (!proof)
        return;
    dg_runner_free(proof->runner);
    for (size_t i = 0; i < DG_VERSIONS_MAX; i++)
        dg_ruleset_free(proof->rules[i]);
    dg_ruleset_free(proof->newest);
    free(proof);
}

const dg_api *dg_proof_api(const dg_proof *proof)
{
    return dg_ruleset_api(proof->newest, 0);
}

dg_runner *dg_proof_runner(dg_proof *proof)
{
    return proof->runner;
}

dg_status dg_proof_rules(dg_proof *proof, size_t backend, const dg_ruleset **ret_rules)
{
    const dg_api *api = dg_proof_api(proof);
    dg_status status = DG_OK;
    if (backend + 1 == api->version_count) {
        *ret_rules = proof->newest;
        return DG_OK;
    }
    if (!proof->rules[backend]) {
        const dg_pack_source source = {.dir = proof->dir,
                                       .backend_version = api->versions[backend].name};
        status = dg_ruleset_load(&source, 1, proof->diags, &proof->rules[backend]);
    }
    if (status == DG_OK)
        *ret_rules = proof->rules[backend];
    return status;
}

/* ---- an example at work */

typedef struct trial {
    dg_proof *proof;
    dg_arena *arena;
    const dg_example *example;
    const dg_finding *first;
    dg_finding **last;
    size_t count;
    dg_status status;
} trial;

static dg_finding *find(trial *t, const char *what)
{
    dg_finding *finding = dg_arena_zalloc(t->arena, sizeof *finding);
    if (!finding)
        return NULL;
    finding->what = what;
    *t->last = finding;
    t->last = &finding->next;
    return finding;
}

static void refuse(trial *t, const char *what, const char *refusal)
{
    dg_finding *finding = find(t, what);
    if (finding)
        finding->refusal = refusal;
}

/* What came of a message, beside what is expected of it; both JSON. */
static void judge(trial *t, const char *what, dg_status status, const dg_run_error *error,
                  dg_slice expected, const dg_buf *got)
{
    dg_differences list = {.arena = t->arena, .loose = &t->example->loose};
    dg_tree *a = NULL, *b = NULL;
    t->count++;
    if (status == DG_NOMEM) {
        t->status = DG_NOMEM;
        return;
    }
    if (status == DG_OK && (dg_tree_read(t->arena, expected, &a) != DG_OK ||
                            dg_tree_read(t->arena, dg_buf_slice(got), &b) != DG_OK)) {
        if (t->arena->failed) {
            t->status = DG_NOMEM;
            return;
        }
        refuse(t, what, "what comes out is no JSON");
        return;
    }
    if (status == DG_OK && t->example->endpoint.len)
        dg_compare_into(&list, a, b, "");
    else if (status == DG_OK)
        dg_message_compare(&list, t->example, dg_proof_api(t->proof), a, b);
    if (status == DG_OK && list.count == 0)
        return;
    dg_finding *finding = find(t, what);
    if (!finding)
        return;
    if (status != DG_OK) {
        finding->refusal =
            dg_arena_strdup(t->arena, error->message ? error->message : dg_status_text(status));
        finding->op = error->origin;
        if (error->pointer[0])
            finding->refusal =
                dg_arena_printf(t->arena, "%s (%s)", finding->refusal, error->pointer);
    }
    finding->differences = list.first;
    finding->difference_count = list.count;
}

static const char *what_of(trial *t, size_t client, const char *message)
{
    return dg_arena_printf(t->arena, "the %s, %s client and %s backend", message,
                           t->example->versions[client]->name, t->example->versions[!client]->name);
}

/* A client of one version, a backend of the other. */
static void try_exchange(trial *t, size_t client)
{
    const dg_telling *own = &t->example->told[client], *other = &t->example->told[!client];
    const char *version = t->example->versions[client]->name;
    const dg_ruleset *rules = NULL;
    dg_run_error error = {.status = DG_OK};
    dg_buf out, pair;
    dg_buf_init(&out, 0);
    dg_buf_init(&pair, 0);
    t->status = dg_proof_rules(t->proof, t->example->versions[!client]->index, &rules);
    dg_buf_add(&pair, own->request);
    dg_status status = t->status == DG_OK ? dg_buf_reserve(&pair, DG_JSON_PADDING) : t->status;
    if (status == DG_OK && (other->request.len || other->not_asked)) {
        status = t->proof->replayer.request(rules, t->proof->runner, version, dg_buf_slice(&pair),
                                            &out, &error);
        judge(t, what_of(t, client, "request"), status, &error,
              other->not_asked ? DG_SLICE("null") : other->request, &out);
    }
    dg_buf_clear(&out);
    if (t->status == DG_OK && own->response.len && (other->response.len || other->not_asked)) {
        dg_buf_clear(&pair);
        dg_buf_add_str(&pair, "{\"request\":");
        dg_buf_add(&pair, own->request);
        if (!other->not_asked) {
            dg_buf_add_str(&pair, ",\"response\":");
            dg_buf_add(&pair, other->response);
        }
        dg_buf_add_char(&pair, '}');
        status = dg_buf_reserve(&pair, DG_JSON_PADDING);
        if (status == DG_OK)
            status = t->proof->replayer.answer(rules, t->proof->runner, version,
                                               dg_buf_slice(&pair), &out, &error);
        judge(t, what_of(t, client, "answer"), status, &error, own->response, &out);
    }
    dg_buf_free(&out);
    dg_buf_free(&pair);
}

/* One body from one version to the other. */
static void try_body(trial *t, const dg_line *line, size_t from)
{
    const dg_example *e = t->example;
    const dg_compiled_api *api = &t->proof->newest->apis[0];
    const dg_translation *translation = NULL;
    dg_run_error error = {.status = DG_OK};
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_buf_add(&in, e->told[from].body);
    t->status = dg_chain_find(t->proof->newest, api, line, e->status, e->versions[from]->index,
                              e->versions[!from]->index, t->proof->diags, &translation);
    const char *what = dg_arena_printf(t->arena, "the body from %s to %s", e->versions[from]->name,
                                       e->versions[!from]->name);
    dg_status status = t->status == DG_OK ? dg_buf_reserve(&in, DG_JSON_PADDING) : t->status;
    if (status == DG_OK && translation && translation->message) {
        error.message = "more than the body changes here: tell the whole exchange";
        status = DG_INVALID;
    } else if (status == DG_OK && translation && translation->body) {
        status = dg_run(t->proof->runner, translation->body, dg_buf_slice(&in), &out, &error);
    } else {
        dg_buf_add(&out, dg_buf_slice(&in));
    }
    judge(t, what, status, &error, e->told[!from].body, &out);
    dg_buf_free(&in);
    dg_buf_free(&out);
}

static const dg_line *line_of(trial *t)
{
    const dg_example *e = t->example;
    const dg_compiled_api *api = &t->proof->newest->apis[0];
    if (e->endpoint.len)
        return dg_line_named(api, e->endpoint, e->versions[0]->index);
    return dg_message_line(api, e->told[0].request, e->versions[0]);
}

/* Whether the exchange, or the body, loses nothing in either direction. */
static bool is_lossless(trial *t, const dg_line *line)
{
    const dg_example *e = t->example;
    const dg_compiled_api *api = &t->proof->newest->apis[0];
    unsigned status = e->endpoint.len ? e->status : dg_message_status(e->told[1].response);
    bool lossless =
        line && dg_lossless(api, line, status, e->versions[0]->index, e->versions[1]->index);
    if (lossless && e->endpoint.len == 0)
        lossless = dg_lossless(api, line, 0, e->versions[0]->index, e->versions[1]->index);
    return lossless;
}

dg_status dg_example_check(dg_proof *proof, dg_arena *arena, const dg_example *example,
                           const dg_finding **ret_first, size_t *ret_count)
{
    trial t = {.proof = proof, .arena = arena, .example = example, .status = DG_OK};
    dg_finding *first = NULL;
    t.last = &first;
    const dg_line *line = line_of(&t);
    dg_clients clients = example->clients;
    if (clients == DG_CLIENTS_AS_LOST)
        clients = is_lossless(&t, line) && !example->told[1].not_asked ? DG_CLIENTS_BOTH
                                                                       : DG_CLIENTS_OLDER;
    if (example->endpoint.len && !line) {
        refuse(&t, "the endpoint",
               dg_arena_printf(arena, "'%s' has no '%.*s'", example->versions[0]->name,
                               DG_SLICE_FMT(example->endpoint)));
        t.count++;
    }
    for (size_t client = 0; client < 2 && t.status == DG_OK; client++) {
        if (clients == (client ? DG_CLIENTS_OLDER : DG_CLIENTS_NEWER))
            continue;
        if (example->endpoint.len == 0)
            try_exchange(&t, client);
        else if (line)
            try_body(&t, line, example->status ? !client : client);
    }
    if (arena->failed)
        return DG_NOMEM;
    *ret_first = first;
    *ret_count = t.count;
    return t.status;
}
