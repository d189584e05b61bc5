/* dragoman translate: one body from stdin, as another version has it, to stdout. */
#include <getopt.h>
#include <stdio.h>

#include "proxy/command/command.h"
#include "proxy/command/input.h"
#include "proxy/command/terminal.h"
#include "proxy/message/replay.h"
#include "rules/ruleset.h"

static const char help[] =
    "usage: dragoman translate PACK --from VERSION --to VERSION --endpoint 'METHOD /path'\n"
    "                          --request | --response [--status N] < body > body\n"
    "       dragoman translate PACK --from VERSION --to VERSION --message --request | --response\n"
    "                          < message > message\n"
    "\n"
    "Translates one JSON body as the proxy would. A request usually goes from the client's version "
    "to the\n"
    "backend's, a response from the backend's to the client's.\n"
    "\n"
    "  -p, --pack DIR        the pack, when it is not named alone\n"
    "  -f, --from VERSION    the version that the body is in\n"
    "  -t, --to VERSION      the version that is wanted\n"
    "  -e, --endpoint NAME   as version --from calls it: 'GET /orders/{id}' or 'GET /orders/7'\n"
    "      --request         the body is a request's\n"
    "      --response        the body is a response's\n"
    "  -s, --status N        the response's status, 200 by default; from 400 on, it is an error\n"
    "  -m, --message         stdin is a whole message, not a body\n"
    "  -h, --help            this\n"
    "\n"
    "With --message, whole messages are translated: query, header fields, path and status as well. A\n"
    "request is {\"method\", \"target\", \"headers\", \"body\"}; what comes out is the same as the backend\n"
    "gets it, or null when the pack answers without asking it. For a response, stdin holds {\"request\",\n"
    "\"response\"}: the request as the client sent it, and {\"status\", \"headers\", \"body\"}. Content that\n"
    "is not JSON is \"body_text\".\n"
    "\n"
    "Exit codes: 0 translated, 1 the pack or the body is wrong, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  echo '{\"data\":[]}' | dragoman translate rules/packs/orders --from v2 --to v1 \\\n"
    "      --endpoint 'GET /orders' --response\n";

enum { OPT_REQUEST = 256, OPT_RESPONSE };

static const struct option long_options[] = {{"pack", required_argument, NULL, 'p'},
                                             {"from", required_argument, NULL, 'f'},
                                             {"to", required_argument, NULL, 't'},
                                             {"endpoint", required_argument, NULL, 'e'},
                                             {"request", no_argument, NULL, OPT_REQUEST},
                                             {"response", no_argument, NULL, OPT_RESPONSE},
                                             {"status", required_argument, NULL, 's'},
                                             {"message", no_argument, NULL, 'm'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct wish {
    const char *pack, *from, *to, *endpoint;
    bool request, response, message;
    unsigned status; /* of the response */
} wish;

static int usage_error(const char *text)
{
    fprintf(stderr, "dragoman translate: %s; see dragoman translate --help\n", text);
    return DG_EXIT_USAGE;
}

static int write_out(const dg_buf *result)
{
    if (fwrite(result->ptr, 1, result->len, stdout) == result->len && fflush(stdout) == 0)
        return DG_EXIT_OK;
    perror("dragoman translate: stdout");
    return DG_EXIT_WRONG;
}

static int run_message(const dg_ruleset *set, const wish *w)
{
    dg_buf in, out;
    dg_buf_init(&in, DG_BODY_BYTES_MAX);
    dg_buf_init(&out, DG_BODY_BYTES_MAX);
    dg_runner *runner = NULL;
    dg_run_error error = {.status = DG_OK};
    int code = DG_EXIT_WRONG;
    dg_status status = dg_read_all(stdin, &in);
    if (status == DG_OK)
        status = dg_runner_new(&runner);
    if (status != DG_OK) {
        fprintf(stderr, "dragoman translate: stdin: %s\n", dg_status_text(status));
    } else {
        status = w->request ? dg_replay_request(set, runner, w->from, dg_buf_slice(&in), &out, &error)
                            : dg_replay_answer(set, runner, w->to, dg_buf_slice(&in), &out, &error);
        dg_buf_add_char(&out, '\n');
        if (status == DG_OK)
            code = write_out(&out);
        else
            dg_say_run_error(stderr, &error);
    }
    dg_runner_free(runner);
    dg_buf_free(&in);
    dg_buf_free(&out);
    return code;
}

/* NULL changes nothing, so that what is no JSON passes, as it does through the proxy. */
static int run(const dg_program *program)
{
    dg_buf in, out;
    dg_buf_init(&in, DG_BODY_BYTES_MAX);
    dg_buf_init(&out, DG_BODY_BYTES_MAX);
    dg_runner *runner = NULL;
    int code = DG_EXIT_WRONG;
    dg_status status = dg_read_all(stdin, &in);
    if (status == DG_OK && program)
        status = dg_runner_new(&runner);
    if (status != DG_OK) {
        fprintf(stderr, "dragoman translate: stdin: %s\n", dg_status_text(status));
    } else if (program) {
        dg_run_error error = {.status = DG_OK};
        if (dg_run(runner, program, dg_buf_slice(&in), &out, &error) == DG_OK)
            code = DG_EXIT_OK;
        else
            dg_say_run_error(stderr, &error);
    } else {
        code = DG_EXIT_OK;
    }
    const dg_buf *result = program ? &out : &in;
    if (code == DG_EXIT_OK && result->len)
        code = write_out(result);
    dg_runner_free(runner);
    dg_buf_free(&in);
    dg_buf_free(&out);
    return code;
}

static int translate(const wish *w)
{
    /* Whole messages are found as the proxy finds them, between a client and the backend. */
    const dg_pack_source source = {.dir = w->pack,
                                   .backend_version = !w->message ? NULL : w->request ? w->to : w->from};
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_program *program = NULL;
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    if (status == DG_OK && !w->message)
        status = dg_ruleset_find_program(set, w->from, w->to, w->endpoint, w->response,
                                         w->status >= 400, &diags, &program);
    dg_diags_print(&diags, stderr);
    if (status != DG_OK && diags.errors == 0)
        fprintf(stderr, "dragoman translate: %s\n", dg_status_text(status));
    int code = status != DG_OK ? DG_EXIT_WRONG : w->message ? run_message(set, w) : run(program);
    dg_ruleset_free(set);
    dg_diags_free(&diags);
    return code;
}

int dg_command_translate(int argc, char **argv)
{
    wish w = {.status = 200};
    bool has_status = false;
    int option;
    while ((option = getopt_long(argc, argv, "p:f:t:e:s:mh", long_options, NULL)) != -1) {
        switch (option) {
        case 'p':
            w.pack = optarg;
            break;
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
            has_status = true;
            w.status = dg_parse_status(optarg);
            if (!w.status)
                return usage_error("--status wants a number from 100 to 599");
            break;
        case 'm':
            w.message = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman translate --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (argc - optind > 1 || (w.pack && optind < argc))
        return usage_error("name one pack");
    if (optind < argc)
        w.pack = argv[optind];
    if (!w.pack || !w.from || !w.to || (!w.endpoint && !w.message))
        return usage_error("give a pack, --from, --to and --endpoint");
    if (w.message && (w.endpoint || has_status))
        return usage_error("--message says the endpoint and the status itself");
    if (w.request == w.response)
        return usage_error("give --request or --response");
    if (w.request && has_status)
        return usage_error("--status belongs to a response");
    return translate(&w);
}
