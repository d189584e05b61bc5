/* dragoman explain: what each op does to a message, or what a request is. */
#include "proxy/command/explain.h"

#include <getopt.h>
#include <unistd.h>

#include "proxy/command/command.h"
#include "proxy/command/difference.h"
#include "proxy/command/input.h"
#include "rules/proof/explain.h"

static const char help[] =
    "usage: dragoman explain PACK --from VERSION --to VERSION --endpoint 'METHOD /path'\n"
    "                        --request | --response [--status N] [OPTION]... [< body]\n"
    "       dragoman explain PACK --ask 'METHOD /target' [--header 'NAME: VALUE']... [--to "
    "VERSION] [--json]\n"
    "\n"
    "Lists the ops that a message of an endpoint meets on its way between two versions, in order, "
    "with\n"
    "file:line:column. With a JSON body on stdin, shows what each of them does to it: only what "
    "changes, by path.\n"
    "The body is at `body`, beside the other parts of the message.\n"
    "\n"
    "  -f, --from VERSION    the version that the message is in\n"
    "  -t, --to VERSION      the version that is wanted; with --ask, the backend's, the newest by "
    "default\n"
    "  -e, --endpoint NAME   as version --from calls it: 'GET /orders/{id}' or 'GET /orders/7'\n"
    "      --request         the message is a request\n"
    "      --response        the message is a response\n"
    "  -s, --status N        the response's status, 200 by default; from 400 on, it is an error\n"
    "  -v, --verbose         with a body: all ops, and all of the message before and after each\n"
    "  -p, --program         the program that the ops become, instead\n"
    "  -a, --ask REQUEST     says what a request is: its version and why, its endpoint, what the "
    "backend gets\n"
    "  -H, --header FIELD    with --ask: a header field; may be repeated\n"
    "  -j, --json            the result as one JSON object\n"
    "  -h, --help            this\n"
    "\n"
    "Exit codes: 0 explained, 1 the pack or the message is wrong, or refused, 2 the command line "
    "is wrong.\n"
    "\n"
    "Examples:\n"
    "  echo '{\"total\":5}' | dragoman explain rules/packs/orders --from v1 --to v2 \\\n"
    "      --endpoint 'POST /orders' --request\n"
    "  dragoman explain rules/packs/orders --ask 'GET /api/v1/orders/7'\n";

enum { OPT_REQUEST = 256, OPT_RESPONSE };

static const struct option long_options[] = {{"from", required_argument, NULL, 'f'},
                                             {"to", required_argument, NULL, 't'},
                                             {"endpoint", required_argument, NULL, 'e'},
                                             {"request", no_argument, NULL, OPT_REQUEST},
                                             {"response", no_argument, NULL, OPT_RESPONSE},
                                             {"status", required_argument, NULL, 's'},
                                             {"verbose", no_argument, NULL, 'v'},
                                             {"program", no_argument, NULL, 'p'},
                                             {"ask", required_argument, NULL, 'a'},
                                             {"header", required_argument, NULL, 'H'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct wish {
    const char *pack, *from, *to, *endpoint, *ask;
    bool request, response, verbose, program, json;
    unsigned status; /* 0 = not said */
    char *headers[DG_HEADERS_MAX];
    size_t header_count;
} wish;

static const char *word_of(const dg_op *op)
{
    return op->word ? op->word : dg_op_word(op->kind);
}

/* Whether the way leads down: then each op does what undoes it. */
static void say_step(const dg_step *step, bool back)
{
    dg_say_origin(stdout, step->op->origin);
    dg_say(stdout, DG_BOLD, "%s", word_of(step->op));
    printf("%s at %s\n", back ? ", back," : "", step->path);
}

static bool print_program(const dg_translation *translation)
{
    const struct {
        const char *title;
        const dg_program *program;
    } both[] = {{"the message", translation ? translation->message : NULL},
                {"the body", translation ? translation->body : NULL}};
    bool good = true, any = false;
    for (size_t i = 0; i < 2; i++) {
        dg_buf out;
        if (!both[i].program)
            continue;
        dg_buf_init(&out, 0);
        good &= dg_program_print(both[i].program, &out) == DG_OK;
        dg_say(stdout, DG_BOLD, "%s\n", both[i].title);
        printf("%.*s", DG_SLICE_FMT(dg_buf_slice(&out)));
        dg_buf_free(&out);
        any = true;
    }
    if (!any)
        puts("nothing changes");
    return good;
}

static void say_told(const wish *w, const dg_way *way, const dg_told *told, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const dg_told *t = &told[i];
        bool refused = t->error.status != DG_OK;
        if (!t->differences && !refused && !w->verbose)
            continue;
        any = true;
        say_step(t->step, way->down);
        if (w->verbose) {
            printf("    before %.*s\n", DG_SLICE_FMT(t->before));
            if (!refused)
                printf("    after  %.*s\n", DG_SLICE_FMT(t->after));
        }
        dg_say_changes(t->differences);
        if (refused)
            printf("    refused: %s%s%s\n",
                   t->error.message ? t->error.message : dg_status_text(t->error.status),
                   t->error.pointer[0] ? " at " : "", t->error.pointer);
    }
    if (!any)
        puts("nothing changes");
}

static bool print_json(const wish *w, const dg_way *way, const dg_told *told, size_t count)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_buf_add_char(&out, '{');
    dg_json_text(&out, "from", w->from);
    dg_json_text(&out, "to", w->to);
    dg_json_text(&out, "endpoint", w->endpoint);
    dg_buf_add_str(&out, way->down ? ",\"down\":true" : ",\"down\":false");
    dg_json_key(&out, "ops");
    dg_buf_add_char(&out, '[');
    for (size_t i = 0; i < (told ? count : way->count); i++) {
        const dg_step *step = &way->steps[i];
        dg_json_next(&out);
        dg_buf_add_char(&out, '{');
        dg_json_text(&out, "op", word_of(step->op));
        dg_json_text(&out, "path", step->path);
        dg_json_origin(&out, step->op->origin);
        if (told) {
            dg_json_value(&out, "before", told[i].before);
            dg_json_value(&out, "after", told[i].after);
            dg_json_differences(&out, "before", "after", told[i].differences);
            if (told[i].error.status != DG_OK)
                dg_json_text(&out, "refused",
                             told[i].error.message ? told[i].error.message
                                                   : dg_status_text(told[i].error.status));
        }
        dg_buf_add_char(&out, '}');
    }
    dg_buf_add_str(&out, "]}");
    return dg_json_print(&out);
}

/* The body on stdin as a document; empty when there is none. */
static dg_status read_document(dg_buf *out)
{
    dg_buf body;
    if (isatty(STDIN_FILENO))
        return DG_OK;
    dg_buf_init(&body, DG_BODY_BYTES_MAX);
    dg_status status = dg_read_all(stdin, &body);
    bool blank = true;
    for (size_t i = 0; i < body.len; i++)
        blank &= strchr(" \t\r\n", body.ptr[i]) != NULL && body.ptr[i];
    if (status == DG_OK && !blank) {
        dg_buf_add_str(out, "{\"body\":");
        dg_buf_add(out, dg_buf_slice(&body));
        dg_buf_add_char(out, '}');
        status = dg_buf_reserve(out, DG_JSON_PADDING);
    }
    dg_buf_free(&body);
    return status;
}

static bool explain_way(const wish *w, dg_arena *arena, const dg_way *way)
{
    const dg_told *told = NULL;
    dg_runner *runner = NULL;
    dg_buf document;
    size_t count = 0;
    dg_buf_init(&document, DG_BODY_BYTES_MAX);
    dg_status status = read_document(&document);
    if (status == DG_OK)
        status = dg_runner_new(&runner);
    if (status == DG_OK && document.len)
        status = dg_explain_run(arena, runner, way, dg_buf_slice(&document), &told, &count);
    bool good = status == DG_OK && (count == 0 || told[count - 1].error.status == DG_OK);
    if (status != DG_OK)
        fprintf(stderr, "dragoman explain: stdin: %s\n", dg_status_text(status));
    else if (w->json)
        good &= print_json(w, way, told, count);
    else if (told)
        say_told(w, way, told, count);
    else if (way->count == 0)
        puts("nothing changes");
    for (size_t i = 0; status == DG_OK && !told && !w->json && i < way->count; i++)
        say_step(&way->steps[i], way->down);
    dg_runner_free(runner);
    dg_buf_free(&document);
    return good;
}

static int explain(const wish *w)
{
    const dg_pack_source source = {.dir = w->pack};
    dg_ruleset *set = NULL;
    dg_way way;
    dg_diags diags;
    dg_arena arena;
    dg_diags_init(&diags);
    dg_arena_init(&arena, 0);
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    if (status == DG_OK)
        status = dg_explain_way(&arena, set, w->from, w->to, w->endpoint,
                                w->request  ? 0
                                : w->status ? w->status
                                            : 200,
                                &diags, &way);
    dg_diags_print(&diags, stderr);
    if (status != DG_OK && diags.errors == 0)
        fprintf(stderr, "dragoman explain: %s\n", dg_status_text(status));
    bool good = status == DG_OK &&
                (w->program ? print_program(way.translation) : explain_way(w, &arena, &way));
    dg_arena_free(&arena);
    dg_ruleset_free(set);
    dg_diags_free(&diags);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}

static int usage_error(const char *text)
{
    fprintf(stderr, "dragoman explain: %s; see dragoman explain --help\n", text);
    return DG_EXIT_USAGE;
}

static int check_and_explain(const wish *w)
{
    if (w->ask && (w->from || w->endpoint || w->request || w->response || w->status || w->program ||
                   w->verbose))
        return usage_error("--ask goes with --to, --header and --json only");
    if (w->ask)
        return dg_explain_request(w->pack, w->to, w->ask, w->headers, w->header_count, w->json);
    if (w->header_count)
        return usage_error("--header belongs to --ask");
    if (!w->from || !w->to || !w->endpoint)
        return usage_error("give --from, --to and --endpoint, or --ask");
    if (w->request == w->response)
        return usage_error("give --request or --response");
    if (w->request && w->status)
        return usage_error("--status belongs to a response");
    return explain(w);
}

int dg_command_explain(int argc, char **argv)
{
    wish w = {.pack = NULL};
    int option;
    while ((option = getopt_long(argc, argv, "f:t:e:s:vpa:H:jh", long_options, NULL)) != -1) {
        switch (option) {
        case 'f':
            w.from = optarg;
            break;
        case 't':
            w.to = optarg;
            break;
        case 'e':
            w.endpoint = optarg;
            break;
        case OPT_REQUEST:
            w.request = true;
            break;
        case OPT_RESPONSE:
            w.response = true;
            break;
        case 's':
            w.status = dg_parse_status(optarg);
            if (!w.status)
                return usage_error("--status wants a number from 100 to 599");
            break;
        case 'v':
            w.verbose = true;
            break;
        case 'p':
            w.program = true;
            break;
        case 'a':
            w.ask = optarg;
            break;
        case 'H':
            if (w.header_count == DG_HEADERS_MAX)
                return usage_error("too many --header");
            w.headers[w.header_count++] = optarg;
            break;
        case 'j':
            w.json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman explain --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (argc - optind != 1)
        return usage_error("name one pack");
    w.pack = argv[optind];
    return check_and_explain(&w);
}
