#include "rules/proof/laws.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rules/compile/compiled.h"
#include "rules/proof/documents.h"
#include "rules/proof/lossless.h"
#include "rules/proof/message.h"
#include "rules/proof/steps.h"

enum { SEEN_SLOTS = 1 << 14, STATUSES_MAX = 64, KEPT_MAX = 64 };

/* One kind of message between two neighbours, one part of it: its body, or its document. */
typedef struct subject {
    const dg_line *line;
    unsigned status;
    size_t older, newer;
    const dg_ops *up, *down;    /* as the pack has them */
    const dg_program *there[2]; /* up, down; NULL changes nothing */
    bool body;
    dg_lost lost;
} subject;

typedef struct judge {
    dg_proof *proof;
    const dg_ruleset *rules;
    const dg_compiled_api *api;
    dg_arena *arena, scratch;
    dg_diags diags; /* not told: all of it has been compiled before */
    const dg_example *examples;
    size_t example_count;
    const dg_laws_options *options;
    dg_laws_result result;
    dg_breach **last;
    dg_buf in, between, after, again[2];
    dg_status status;
    const void *seen[SEEN_SLOTS][2]; /* programs that have been tried together */
    size_t seen_count;
    dg_dice dice;
    /* The document at hand: */
    const subject *subject;
    bool newer; /* it is of the newer version */
} judge;

/* What a program makes of a text, with padding behind it. */
static dg_status go(judge *j, const dg_program *program, dg_slice in, dg_buf *out,
                    dg_run_error *error)
{
    dg_buf_clear(out);
    dg_status status = DG_OK;
    if (program)
        status = dg_run(dg_proof_runner(j->proof), program, in, out, error);
    else
        dg_buf_add(out, in);
    if (status == DG_OK)
        status = dg_buf_reserve(out, DG_JSON_PADDING);
    if (status == DG_NOMEM)
        j->status = DG_NOMEM;
    return status;
}

static const dg_difference *differences(judge *j, dg_arena *arena, const dg_buf *expected,
                                        const dg_buf *got)
{
    static const dg_loose strict = {.exact = true};
    dg_tree *a = NULL, *b = NULL;
    if (dg_tree_read(arena, dg_buf_slice(expected), &a) != DG_OK ||
        dg_tree_read(arena, dg_buf_slice(got), &b) != DG_OK) {
        j->status = DG_NOMEM;
        return NULL;
    }
    return dg_compare(arena, a, b, "", &strict);
}

typedef enum verdict { GOOD, REFUSED, BROKEN } verdict;

/* The document in j->in, there and back. */
static verdict try_text(judge *j, const dg_difference **ret_differences, dg_run_error *error,
                        dg_arena *arena)
{
    const subject *s = j->subject;
    bool exact = j->newer ? !s->lost.down : !s->lost.up;
    const dg_program *there = s->there[j->newer], *back = s->there[!j->newer];
    *ret_differences = NULL;
    if (go(j, there, dg_buf_slice(&j->in), &j->between, error) != DG_OK)
        return REFUSED;
    if (go(j, back, dg_buf_slice(&j->between), &j->after, error) != DG_OK) {
        dg_buf_clear(&j->after);
        return exact ? BROKEN : REFUSED;
    }
    if (exact) {
        *ret_differences = differences(j, arena, &j->in, &j->after);
        return *ret_differences ? BROKEN : GOOD;
    }
    if (go(j, there, dg_buf_slice(&j->after), &j->again[0], error) != DG_OK ||
        go(j, back, dg_buf_slice(&j->again[0]), &j->again[1], error) != DG_OK)
        return REFUSED;
    *ret_differences = differences(j, arena, &j->after, &j->again[1]);
    return *ret_differences ? BROKEN : GOOD;
}

static bool print_in(judge *j, const dg_tree *tree)
{
    dg_buf_clear(&j->in);
    dg_tree_print(tree, &j->in);
    if (dg_buf_reserve(&j->in, DG_JSON_PADDING) == DG_OK)
        return true;
    j->status = DG_NOMEM;
    return false;
}

static bool still_fails(void *context, const dg_tree *tree)
{
    judge *j = context;
    const dg_difference *found;
    dg_run_error error;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    bool fails = print_in(j, tree) && try_text(j, &found, &error, &arena) == BROKEN;
    dg_arena_free(&arena);
    return fails && j->status == DG_OK;
}

/* ---- what did it */

/* Whether one step, and its own way back, gives the value back; the value goes one step on. */
static bool step_is_good(judge *j, const dg_step *step, dg_buf *value)
{
    dg_ops back;
    dg_diags diags;
    dg_run_error error;
    dg_diags_init(&diags);
    dg_buf_clear(&j->again[0]);
    dg_buf_clear(&j->again[1]);
    bool good = dg_ops_run(dg_proof_runner(j->proof), &step->ops, dg_buf_slice(value), &j->again[0],
                           &error) == DG_OK;
    if (good && dg_ops_inverse(&j->scratch, &step->ops, &diags, &back) == DG_OK)
        good = dg_ops_run(dg_proof_runner(j->proof), &back, dg_buf_slice(&j->again[0]),
                          &j->again[1], &error) == DG_OK &&
               !differences(j, &j->scratch, value, &j->again[1]);
    dg_diags_free(&diags);
    dg_buf_clear(value);
    dg_buf_add(value, dg_buf_slice(&j->again[0]));
    return dg_buf_reserve(value, DG_JSON_PADDING) == DG_OK && good;
}

static void find_op(judge *j, dg_breach *breach)
{
    dg_step *steps = dg_arena_alloc(&j->scratch, DG_STEPS_MAX * sizeof *steps);
    const dg_ops *list = j->newer ? j->subject->down : j->subject->up;
    size_t count = 0;
    dg_buf value;
    if (!steps || !list || dg_steps_add(&j->scratch, list, steps, &count) != DG_OK)
        return;
    dg_buf_init(&value, 0);
    dg_buf_add(&value, breach->before);
    bool good = dg_buf_reserve(&value, DG_JSON_PADDING) == DG_OK;
    for (size_t i = 0; i < count && good; i++) {
        good = step_is_good(j, &steps[i], &value);
        if (!good) {
            breach->op = steps[i].op->origin;
            breach->word = steps[i].op->word ? steps[i].op->word : dg_op_word(steps[i].op->kind);
        }
    }
    dg_buf_free(&value);
}

static const char *message_name(dg_arena *arena, unsigned status)
{
    return status == 0 ? "request"
                       : dg_arena_printf(arena, status < 10 ? "answer %uxx" : "answer %u", status);
}

static dg_breach *add_breach(judge *j, const char *law)
{
    const dg_template *name = &j->subject->line->routes[j->subject->older].name;
    dg_breach *breach = dg_arena_zalloc(j->arena, sizeof *breach);
    if (!breach)
        return NULL;
    breach->law = law;
    breach->endpoint = dg_arena_printf(j->arena, "%.*s %.*s", DG_SLICE_FMT(name->method),
                                       DG_SLICE_FMT(name->path));
    breach->message = message_name(j->arena, j->subject->status);
    *j->last = breach;
    j->last = &breach->next;
    return breach;
}

static void report(judge *j, dg_tree *tree)
{
    const dg_version *versions = j->api->api.versions;
    const dg_difference *found = NULL;
    dg_run_error error = {.status = DG_OK};
    if (j->result.breaches++ >= DG_BREACHES_MAX)
        return;
    (void)dg_document_shrink(&j->scratch, tree, still_fails, j);
    if (!print_in(j, tree))
        return;
    (void)try_text(j, &found, &error, j->arena);
    size_t from = j->newer ? j->subject->newer : j->subject->older,
           to = j->subject->older + j->subject->newer - from;
    bool exact = j->newer ? !j->subject->lost.down : !j->subject->lost.up;
    dg_breach *breach =
        add_breach(j, dg_arena_printf(j->arena, "%s to %s and back%s", versions[from].name,
                                      versions[to].name, exact ? "" : ", twice"));
    if (!breach)
        return;
    const dg_buf *before = exact ? &j->in : &j->after, *after = exact ? &j->after : &j->again[1];
    breach->before = dg_arena_dup(j->arena, dg_buf_slice(before));
    breach->between = dg_arena_dup(j->arena, dg_buf_slice(exact ? &j->between : &j->again[0]));
    breach->after = dg_arena_dup(j->arena, dg_buf_slice(after));
    breach->differences = found;
    if (!found)
        breach->refusal = error.message ? error.message : dg_status_text(error.status);
    if (error.origin.file && !found)
        breach->op = error.origin;
    else
        find_op(j, breach);
}

/* ---- documents */

/* The body of a message of an example, if it is of this kind; empty otherwise. */
static dg_slice body_of(judge *j, const dg_example *e, bool newer)
{
    const subject *s = j->subject;
    const dg_telling *told = &e->told[newer];
    if (e->versions[newer]->index != (newer ? s->newer : s->older))
        return (dg_slice){NULL, 0};
    bool is_body = e->endpoint.len > 0;
    unsigned status = is_body ? e->status : s->status ? dg_message_status(e->told[1].response) : 0;
    if (status != s->status && status / 100 != s->status)
        return (dg_slice){NULL, 0};
    const dg_line *line = is_body ? dg_line_named(j->api, e->endpoint, e->versions[0]->index)
                                  : dg_message_line(j->api, e->told[0].request, e->versions[0]);
    if (line != s->line)
        return (dg_slice){NULL, 0};
    if (is_body)
        return told->body;
    dg_tree *tree = NULL;
    dg_slice text = s->status ? told->response : told->request;
    if (text.len == 0 || dg_tree_read(&j->scratch, text, &tree) != DG_OK ||
        !dg_tree_member(tree, DG_SLICE("body")))
        return (dg_slice){NULL, 0};
    dg_buf_clear(&j->in);
    dg_tree_print(dg_tree_member(tree, DG_SLICE("body")), &j->in);
    return dg_arena_dup(j->arena, dg_buf_slice(&j->in));
}

static size_t collect(judge *j, bool newer, dg_slice kept[KEPT_MAX])
{
    size_t count = 0;
    for (size_t i = 0; j->subject->body && i < j->example_count && count < KEPT_MAX; i++) {
        dg_slice body =
            j->examples[i].out.len ? (dg_slice){NULL, 0} : body_of(j, &j->examples[i], newer);
        if (body.len)
            kept[count++] = body;
    }
    return count;
}

static dg_tree *make_tree(judge *j, const dg_slice *kept, size_t kept_count)
{
    dg_tree *tree = NULL;
    bool known = kept_count && dg_dice_below(&j->dice, 3) == 0;
    if (known && dg_tree_read(&j->scratch, kept[dg_dice_below(&j->dice, (uint32_t)kept_count)],
                              &tree) == DG_OK) {
        if (dg_dice_below(&j->dice, 4))
            dg_document_change(&j->scratch, &j->dice, tree);
        return tree;
    }
    const dg_ops *up = j->subject->up;
    tree = dg_document_make(&j->scratch, dg_proof_runner(j->proof), &j->dice, &up, 1);
    if (!tree || !j->newer)
        return tree;
    dg_run_error error;
    if (!print_in(j, tree) ||
        go(j, j->subject->there[0], dg_buf_slice(&j->in), &j->between, &error) != DG_OK ||
        dg_tree_read(&j->scratch, dg_buf_slice(&j->between), &tree) != DG_OK)
        return NULL;
    if (dg_dice_below(&j->dice, 2))
        dg_document_change(&j->scratch, &j->dice, tree);
    return tree;
}

/* All documents of one subject that begin with one version. */
static void try_documents(judge *j, bool newer)
{
    dg_slice kept[KEPT_MAX];
    j->newer = newer;
    j->dice.state = dg_hash(dg_slice_of(&newer, sizeof newer), j->options->seed) | 1;
    size_t kept_count = collect(j, newer, kept);
    for (unsigned i = 0; i < j->options->rounds && j->status == DG_OK; i++) {
        const dg_difference *found;
        dg_run_error error;
        dg_arena_reset(&j->scratch);
        dg_tree *tree = make_tree(j, kept, kept_count);
        if (j->scratch.failed)
            j->status = DG_NOMEM;
        if (!tree || !print_in(j, tree)) {
            j->result.refused++;
            continue;
        }
        verdict v = try_text(j, &found, &error, &j->scratch);
        j->result.documents += v != REFUSED;
        j->result.refused += v == REFUSED;
        if (v == BROKEN && j->status == DG_OK) {
            report(j, tree);
            return;
        }
    }
}

/* ---- subjects */

static bool is_seen(judge *j, const dg_program *up, const dg_program *down)
{
    const void *pair[2] = {up, down};
    size_t at = dg_hash(dg_slice_of(pair, sizeof pair), 0) % SEEN_SLOTS;
    while (j->seen[at][0] || j->seen[at][1]) {
        if (j->seen[at][0] == up && j->seen[at][1] == down)
            return true;
        at = (at + 1) % SEEN_SLOTS;
    }
    if (j->seen_count < SEEN_SLOTS / 2) {
        memcpy(j->seen[at], pair, sizeof pair);
        j->seen_count++;
    }
    return false;
}

static void try_subject(judge *j, subject *s)
{
    if (!s->up || s->up->count == 0 || (!s->there[0] && !s->there[1]) ||
        is_seen(j, s->there[0], s->there[1]))
        return;
    j->status = dg_lists_lose(&s->up, 1, &s->lost);
    if (j->status != DG_OK || (s->lost.own && !j->options->own))
        return;
    s->lost.up |= s->lost.own; /* nobody said that it loses nothing */
    s->lost.down |= s->lost.own;
    j->subject = s;
    for (int newer = 0; newer < 2 && j->status == DG_OK; newer++)
        try_documents(j, newer);
}

static dg_status find_both(judge *j, const dg_line *line, unsigned status, size_t older,
                           const dg_translation *both[2])
{
    dg_status found =
        dg_chain_find(j->rules, j->api, line, status, older + 1, older, &j->diags, &both[1]);
    unsigned before = found == DG_OK && both[1] && both[1]->status ? both[1]->status : status;
    return found == DG_OK ? dg_chain_find(j->rules, j->api, line, before, older, older + 1,
                                          &j->diags, &both[0])
                          : found;
}

static void try_message(judge *j, const dg_line *line, unsigned status, size_t older)
{
    const dg_side *sides[DG_VERSIONS_MAX];
    const dg_translation *both[2] = {NULL, NULL};
    size_t count = 0;
    j->status = dg_chain_sides(j->api, line, status, older + 1, older, sides, &count);
    if (j->status == DG_OK && count)
        j->status = find_both(j, line, status, older, both);
    if (j->status != DG_OK || count == 0)
        return;
    const dg_side *side = sides[0];
    const dg_two_ways *message = side->message ? &side->whole : &side->around;
    subject body = {line,
                    status,
                    older,
                    older + 1,
                    side->body.up,
                    side->body.down,
                    {both[0] ? both[0]->body : NULL, both[1] ? both[1]->body : NULL},
                    true,
                    {.up = false}};
    subject whole = {line,
                     status,
                     older,
                     older + 1,
                     message->up,
                     message->down,
                     {both[0] ? both[0]->message : NULL, both[1] ? both[1]->message : NULL},
                     false,
                     {.up = false}};
    if (!side->message)
        try_subject(j, &body);
    if (j->status == DG_OK)
        try_subject(j, &whole);
}

static size_t statuses_of(const dg_change *change, unsigned statuses[STATUSES_MAX])
{
    size_t count = 0;
    statuses[count++] = 0;
    for (unsigned class = 1; class <= DG_CLASSES; class ++)
        statuses[count++] = class;
    for (size_t i = 0; i < change->binding_count; i++)
        for (size_t k = 0; k < change->bindings[i].side_count; k++) {
            unsigned of = change->bindings[i].sides[k].of;
            bool known = of < 100;
            for (size_t n = 0; n < count && !known; n++)
                known = statuses[n] == of;
            if (!known && count < STATUSES_MAX)
                statuses[count++] = of;
        }
    return count;
}

/* ---- the long way */

static bool run_steps(judge *j, unsigned status, bool up, dg_buf *value)
{
    size_t last = j->api->api.version_count - 1;
    dg_run_error error;
    for (size_t i = 0; i < last && j->status == DG_OK; i++) {
        const dg_translation *step = NULL;
        size_t from = up ? i : last - i;
        j->status = dg_chain_find(j->rules, j->api, j->subject->line, status, from,
                                  up ? from + 1 : from - 1, &j->diags, &step);
        if (j->status != DG_OK ||
            go(j, step ? step->body : NULL, dg_buf_slice(value), &j->again[1], &error) != DG_OK)
            return false;
        dg_buf_clear(value);
        dg_buf_add(value, dg_buf_slice(&j->again[1]));
        if (dg_buf_reserve(value, DG_JSON_PADDING) != DG_OK)
            j->status = DG_NOMEM;
    }
    return j->status == DG_OK;
}

/* j->in, all the way at once and step by step: true when it comes to the same. */
static bool long_way_is_steps(judge *j, const dg_program *program, bool up)
{
    dg_run_error error;
    bool taken = go(j, program, dg_buf_slice(&j->in), &j->between, &error) == DG_OK;
    dg_buf_clear(&j->after);
    dg_buf_add(&j->after, dg_buf_slice(&j->in));
    bool stepped = dg_buf_reserve(&j->after, DG_JSON_PADDING) == DG_OK &&
                   run_steps(j, j->subject->status, up, &j->after);
    j->result.documents += taken && stepped;
    return taken == stepped &&
           (!taken || dg_slice_eq(dg_buf_slice(&j->between), dg_buf_slice(&j->after)));
}

static void report_chain(judge *j, bool up)
{
    const dg_version *versions = j->api->api.versions;
    size_t last = j->api->api.version_count - 1;
    if (j->result.breaches++ >= DG_BREACHES_MAX)
        return;
    dg_breach *breach =
        add_breach(j, dg_arena_printf(j->arena, "%s to %s is its steps",
                                      versions[up ? 0 : last].name, versions[up ? last : 0].name));
    if (!breach)
        return;
    breach->before = dg_arena_dup(j->arena, dg_buf_slice(&j->in));
    breach->between = dg_arena_dup(j->arena, dg_buf_slice(&j->after));
    breach->after = dg_arena_dup(j->arena, dg_buf_slice(&j->between));
}

static void try_chain(judge *j, const dg_line *line, unsigned status)
{
    size_t last = j->api->api.version_count - 1, count = 0;
    const dg_side *sides[DG_VERSIONS_MAX];
    const dg_ops *lists[DG_VERSIONS_MAX];
    const dg_translation *both[2] = {NULL, NULL};
    subject s = {.line = line, .status = status, .older = 0, .newer = last};
    j->status = dg_chain_sides(j->api, line, status, 0, last, sides, &count);
    for (int up = 0; up < 2 && j->status == DG_OK; up++)
        j->status = dg_chain_find(j->rules, j->api, line, status, up ? 0 : last, up ? last : 0,
                                  &j->diags, &both[!up]);
    if (j->status != DG_OK || count < 2 || !both[0] || !both[1] || both[0]->message ||
        both[1]->message || is_seen(j, both[0]->body, both[1]->body))
        return;
    for (size_t i = 0; i < count; i++)
        lists[i] = sides[i]->body.up;
    j->subject = &s;
    j->dice.state = j->options->seed | 1;
    for (unsigned i = 0; i < j->options->rounds && j->status == DG_OK; i++) {
        dg_arena_reset(&j->scratch);
        dg_tree *tree =
            dg_document_make(&j->scratch, dg_proof_runner(j->proof), &j->dice, lists, count);
        if (!tree || !print_in(j, tree)) {
            j->status = DG_NOMEM;
        } else if (!long_way_is_steps(j, both[0]->body, true)) {
            report_chain(j, true);
            return;
        }
        /* And back, from what came of it. */
        dg_run_error error;
        if (j->status != DG_OK ||
            go(j, both[0]->body, dg_buf_slice(&j->in), &j->between, &error) != DG_OK)
            continue;
        dg_buf_clear(&j->in);
        dg_buf_add(&j->in, dg_buf_slice(&j->between));
        if (dg_buf_reserve(&j->in, DG_JSON_PADDING) == DG_OK &&
            !long_way_is_steps(j, both[1]->body, false)) {
            report_chain(j, false);
            return;
        }
    }
}

/* ---- all of it */

static void try_line(judge *j, const dg_line *line)
{
    unsigned statuses[STATUSES_MAX];
    size_t versions = j->api->api.version_count;
    bool throughout = versions > 2;
    for (size_t v = 0; v < versions; v++)
        throughout &= !line->routes[v].absent;
    for (size_t v = 0; v + 1 < versions; v++) {
        if (line->routes[v].absent || line->routes[v + 1].absent)
            continue;
        size_t count = statuses_of(j->api->pack.chain[v], statuses);
        for (size_t i = 0; i < count && j->status == DG_OK; i++)
            try_message(j, line, statuses[i], v);
    }
    for (unsigned status = 0; throughout && status <= DG_CLASSES && j->status == DG_OK; status++)
        try_chain(j, line, status);
}

dg_status dg_laws_check(dg_proof *proof, dg_arena *arena, const dg_laws_options *options,
                        const dg_example *examples, size_t example_count,
                        dg_laws_result *ret_result)
{
    judge *j = calloc(1, sizeof *j);
    dg_breach *first = NULL;
    if (!j)
        return DG_NOMEM;
    *j = (judge){.proof = proof,
                 .arena = arena,
                 .examples = examples,
                 .example_count = example_count,
                 .options = options,
                 .last = &first,
                 .status = DG_OK};
    dg_buf *const buffers[] = {&j->in, &j->between, &j->after, &j->again[0], &j->again[1]};
    for (size_t i = 0; i < 5; i++)
        dg_buf_init(buffers[i], 0);
    dg_arena_init(&j->scratch, 0);
    dg_diags_init(&j->diags);
    j->status = dg_proof_rules(proof, dg_proof_api(proof)->version_count - 1, &j->rules);
    j->api = j->status == DG_OK ? &j->rules->apis[0] : NULL;
    for (size_t i = 0; j->api && i < j->api->line_count && j->status == DG_OK; i++) {
        j->result.endpoints++;
        if (options->rounds)
            try_line(j, &j->api->lines[i]);
    }
    j->result.first = first;
    dg_status status = arena->failed ? DG_NOMEM : j->status;
    if (status == DG_OK)
        *ret_result = j->result;
    for (size_t i = 0; i < 5; i++)
        dg_buf_free(buffers[i]);
    dg_arena_free(&j->scratch);
    dg_diags_free(&j->diags);
    free(j);
    return status;
}
