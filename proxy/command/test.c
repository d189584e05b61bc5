/* dragoman test: does a pack do what its examples say, and does it keep the laws? */
#include <getopt.h>

#include "proxy/command/command.h"
#include "proxy/command/difference.h"
#include "proxy/command/input.h"
#include "proxy/command/terminal.h"
#include "proxy/message/replay.h"
#include "rules/proof/laws.h"

enum { ROUNDS = 50 };

static const char help[] =
    "usage: dragoman test [OPTION]... PACK...\n"
    "\n"
    "Runs the examples of packs (the files in examples/), and tries the laws: documents are made "
    "up for every\n"
    "endpoint, and where the pack loses nothing, up and then down gives back what went in, and so "
    "does down and\n"
    "then up; where it does, it loses once and no more; a way over several versions is its steps. "
    "What breaks a\n"
    "law is shown as small as it can be, with the op that did it.\n"
    "\n"
    "  -r, --rounds N   documents for each kind of message and each direction, 50 by default; 0 "
    "for none\n"
    "  -s, --seed N     other documents; 1 by default\n"
    "  -o, --own        also ops with a way back of their own (`down`), which only examples check "
    "otherwise:\n"
    "                   what came back once has to come back again\n"
    "  -v, --verbose    also the examples that hold, and why those that are out are\n"
    "  -j, --json       the result as one JSON object\n"
    "  -h, --help       this\n"
    "\n"
    "Exit codes: 0 all of it holds, 1 something does not, or a pack is wrong, 2 the command line "
    "is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman test rules/packs/orders\n";

static const struct option long_options[] = {{"rounds", required_argument, NULL, 'r'},
                                             {"seed", required_argument, NULL, 's'},
                                             {"own", no_argument, NULL, 'o'},
                                             {"verbose", no_argument, NULL, 'v'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct tally {
    size_t examples, out, failed, documents, endpoints, breaches;
} tally;

typedef struct testing {
    dg_laws_options laws;
    bool verbose, json;
    dg_buf text; /* with `json` */
    tally all;
    dg_diags diags;
} testing;

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- examples */

static void say_finding(const dg_example *e, const dg_finding *f)
{
    dg_say_origin(stdout, e->origin);
    dg_say(stdout, DG_RED, "%.*s", DG_SLICE_FMT(e->name));
    printf("\n  %s:\n", f->what);
    if (f->refusal) {
        fputs("    ", stdout);
        dg_say_origin(stdout, f->op);
        printf("refused: %s\n", f->refusal);
    }
    dg_say_differences(f->differences);
    if (f->difference_count > DG_DIFFERENCES_MAX)
        printf("    and %zu more\n", f->difference_count - DG_DIFFERENCES_MAX);
}

static void add_finding(dg_buf *out, const dg_example *e, const dg_finding *f)
{
    dg_json_next(out);
    dg_buf_add_char(out, '{');
    dg_json_origin(out, e->origin);
    dg_json_key(out, "example");
    dg_buf_add_json(out, e->name);
    dg_json_text(out, "what", f->what);
    if (f->refusal)
        dg_json_text(out, "refusal", f->refusal);
    dg_json_differences(out, "expected", "got", f->differences);
    dg_buf_add_char(out, '}');
}

static void say_example(testing *t, const dg_example *e, const dg_finding *first)
{
    static const dg_finding holds = {.what = "it is `out`",
                                     .refusal = "this holds: take `out` away"};
    bool out = e->out.len > 0;
    t->all.out += out && first;
    t->all.failed += out != (first != NULL);
    if (out && !first)
        first = &holds;
    else if (out || !first) {
        if (t->verbose && !t->json) {
            dg_say_origin(stdout, e->origin);
            dg_say(stdout, out ? DG_YELLOW : DG_GREEN, "%.*s", DG_SLICE_FMT(e->name));
            printf(out ? ": out: %.*s\n" : ": holds%.*s\n", DG_SLICE_FMT(e->out));
        }
        return;
    }
    for (const dg_finding *f = first; f; f = f->next) {
        if (t->json)
            add_finding(&t->text, e, f);
        else
            say_finding(e, f);
    }
}

static dg_status run_examples(testing *t, dg_proof *proof, const dg_example *examples, size_t count)
{
    dg_status status = DG_OK;
    for (size_t i = 0; i < count && status == DG_OK; i++) {
        const dg_finding *first = NULL;
        size_t checked = 0;
        dg_arena arena;
        dg_arena_init(&arena, 0);
        status = dg_example_check(proof, &arena, &examples[i], &first, &checked);
        if (status == DG_OK)
            say_example(t, &examples[i], first);
        dg_arena_free(&arena);
    }
    t->all.examples += count;
    return status;
}

/* ---- laws */

static void say_breach(const dg_breach *b)
{
    dg_say_origin(stdout, b->op);
    dg_say(stdout, DG_RED, "%s", b->law);
    printf(": the %s of %s%s%s\n", b->message, b->endpoint, b->word ? ", by " : "",
           b->word ? b->word : "");
    const struct {
        const char *word;
        dg_slice text;
    } texts[] = {{"before", b->before}, {"between", b->between}, {"after", b->after}};
    for (size_t i = 0; i < 3; i++)
        if (texts[i].text.len) {
            printf("    %-8s ", texts[i].word);
            dg_say_value(texts[i].text);
            putchar('\n');
        }
    if (b->refusal)
        printf("    refused on the way back: %s\n", b->refusal);
    dg_say_differences(b->differences);
}

static void add_breach(dg_buf *out, const dg_breach *b)
{
    dg_json_next(out);
    dg_buf_add_char(out, '{');
    dg_json_origin(out, b->op);
    dg_json_text(out, "law", b->law);
    dg_json_text(out, "endpoint", b->endpoint);
    dg_json_text(out, "message", b->message);
    if (b->word)
        dg_json_text(out, "op", b->word);
    dg_json_value(out, "before", b->before);
    dg_json_value(out, "between", b->between);
    dg_json_value(out, "after", b->after);
    if (b->refusal)
        dg_json_text(out, "refusal", b->refusal);
    dg_json_differences(out, "expected", "got", b->differences);
    dg_buf_add_char(out, '}');
}

/* ---- packs */

static void say_counts(const char *name, const tally *c)
{
    bool good = c->failed + c->breaches == 0;
    printf("%s: %zu example%s", name, c->examples, plural(c->examples));
    if (c->out)
        printf(" (%zu out)", c->out);
    printf(", %zu endpoint%s, %zu round trip%s: ", c->endpoints, plural(c->endpoints), c->documents,
           plural(c->documents));
    if (good)
        dg_say(stdout, DG_GREEN, "ok");
    else
        dg_say(stdout, DG_RED, "%zu failed", c->failed + c->breaches);
    putchar('\n');
}

static void add_counts(dg_buf *out, const tally *c)
{
    dg_json_number(out, "examples", c->examples);
    dg_json_number(out, "out", c->out);
    dg_json_number(out, "endpoints", c->endpoints);
    dg_json_number(out, "round_trips", c->documents);
    dg_json_number(out, "failed", c->failed + c->breaches);
}

static dg_status prove(testing *t, dg_proof *proof, const char *dir, dg_arena *arena)
{
    const dg_example *examples = NULL;
    dg_laws_result laws = {.first = NULL};
    const dg_api *api = dg_proof_api(proof);
    tally before = t->all;
    size_t count = 0;
    dg_status status = dg_examples_load(arena, dir, api, &t->diags, &examples, &count);
    if (status != DG_OK)
        return status;
    if (t->json) {
        dg_json_next(&t->text);
        dg_buf_add_char(&t->text, '{');
        dg_json_text(&t->text, "pack", dir);
        dg_json_text(&t->text, "api", api->name);
        dg_json_key(&t->text, "failures");
        dg_buf_add_char(&t->text, '[');
    }
    status = run_examples(t, proof, examples, count);
    if (status == DG_OK)
        status = dg_laws_check(proof, arena, &t->laws, examples, count, &laws);
    for (const dg_breach *b = laws.first; b; b = b->next) {
        if (t->json)
            add_breach(&t->text, b);
        else
            say_breach(b);
    }
    t->all.documents += laws.documents;
    t->all.endpoints += laws.endpoints;
    t->all.breaches += laws.breaches;
    const tally own = {t->all.examples - before.examples,   t->all.out - before.out,
                       t->all.failed - before.failed,       t->all.documents - before.documents,
                       t->all.endpoints - before.endpoints, t->all.breaches - before.breaches};
    if (t->json) {
        dg_buf_add_char(&t->text, ']');
        add_counts(&t->text, &own);
        dg_buf_add_char(&t->text, '}');
    } else if (status == DG_OK) {
        say_counts(api->name, &own);
    }
    return status;
}

static dg_status test_pack(testing *t, const char *dir)
{
    static const dg_replayer replayer = {dg_replay_request, dg_replay_answer};
    dg_proof *proof = NULL;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_status status = dg_proof_open(dir, &replayer, &t->diags, &proof);
    if (status == DG_OK)
        status = prove(t, proof, dir, &arena);
    dg_proof_close(proof);
    dg_arena_free(&arena);
    if (status != DG_OK && status != DG_INVALID && t->diags.errors == 0)
        fprintf(stderr, "dragoman test: %s: %s\n", dir, dg_status_text(status));
    return status;
}

static int test_packs(testing *t, char **packs, size_t count)
{
    bool good = true;
    dg_buf_init(&t->text, 0);
    dg_diags_init(&t->diags);
    if (t->json)
        dg_buf_add_str(&t->text, "{\"packs\":[");
    for (size_t i = 0; i < count; i++)
        good &= test_pack(t, packs[i]) == DG_OK;
    good &= t->all.failed + t->all.breaches == 0;
    if (t->json) {
        dg_buf_add_char(&t->text, ']');
        add_counts(&t->text, &t->all);
        dg_json_key(&t->text, "diagnostics");
        dg_json_diags(&t->text, &t->diags);
        dg_buf_add_str(&t->text, good ? ",\"ok\":true}" : ",\"ok\":false}");
        good &= dg_json_print(&t->text);
    } else {
        if (count > 1)
            say_counts("all", &t->all);
        fflush(stdout);
        dg_diags_print(&t->diags, stderr);
        dg_buf_free(&t->text);
    }
    dg_diags_free(&t->diags);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}

static int usage_error(const char *text)
{
    fprintf(stderr, "dragoman test: %s; see dragoman test --help\n", text);
    return DG_EXIT_USAGE;
}

int dg_command_test(int argc, char **argv)
{
    testing t = {.laws = {.seed = 1, .rounds = ROUNDS}};
    int option;
    uint64_t number;
    while ((option = getopt_long(argc, argv, "r:s:ovjh", long_options, NULL)) != -1) {
        switch (option) {
        case 'r':
            if (!dg_parse_number(optarg, DG_ROUNDS_MAX, &number))
                return usage_error("--rounds wants a number up to 1000000");
            t.laws.rounds = (unsigned)number;
            break;
        case 's':
            if (!dg_parse_number(optarg, UINT64_MAX, &t.laws.seed))
                return usage_error("--seed wants a number");
            break;
        case 'o':
            t.laws.own = true;
            break;
        case 'v':
            t.verbose = true;
            break;
        case 'j':
            t.json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman test --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (optind == argc || argc - optind > DG_PACKS_MAX)
        return usage_error("name one to 64 packs");
    return test_packs(&t, argv + optind, (size_t)(argc - optind));
}
