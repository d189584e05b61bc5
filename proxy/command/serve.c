/* dragoman serve: the proxy. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/command/command.h"
#include "proxy/server/server.h"

enum { LISTENS_MAX = 16, PACKS_MAX = 64, WORKERS_MAX = 256 };

static const char help[] =
    "usage: dragoman serve --config FILE\n"
    "       dragoman serve --listen ADDRESS --upstream URL [--pack DIR]... [--admin ADDRESS] [--workers N]\n"
    "                      [--timeout TIME]\n"
    "\n"
    "Runs the proxy until SIGTERM. SIGHUP reads the configuration and the packs again.\n"
    "\n"
    "  -c, --config FILE      the configuration, YAML or JSON; what is given beside it wins\n"
    "  -l, --listen ADDRESS   where clients come in: 127.0.0.1:8080, [::]:8080, unix:/run/x.sock; may be\n"
    "                         repeated\n"
    "  -u, --upstream URL     the backend: http://127.0.0.1:9000, https://api.example, unix:/run/api.sock\n"
    "  -p, --pack DIR         a pack with the versions of an API; may be repeated. Without one, everything\n"
    "                         passes untouched\n"
    "  -a, --admin ADDRESS    where /metrics, /usage, /healthz and /readyz are served: 127.0.0.1:9901\n"
    "  -w, --workers N        threads; one a processor by default\n"
    "  -t, --timeout TIME     2s, 500ms: how long a client's head, its body, the connection to the backend, its\n"
    "                         answer and a slow reader are waited for, each; the configuration sets them apart\n"
    "      --check            only read and check everything; exit code 1 if anything is wrong\n"
    "  -h, --help             this\n"
    "\n"
    "Example:\n"
    "  dragoman serve --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9000 --pack rules/packs/orders\n";

enum { OPT_CHECK = 256 };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},   {"listen", required_argument, NULL, 'l'},
    {"upstream", required_argument, NULL, 'u'}, {"pack", required_argument, NULL, 'p'},
    {"admin", required_argument, NULL, 'a'},    {"workers", required_argument, NULL, 'w'},
    {"timeout", required_argument, NULL, 't'},  {"check", no_argument, NULL, OPT_CHECK},
    {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};

static int usage_error(const char *text)
{
    fprintf(stderr, "dragoman serve: %s; see dragoman serve --help\n", text);
    return DG_EXIT_USAGE;
}

/* A whole number from 1 to WORKERS_MAX, or 0. */
static unsigned parse_workers(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    return *text && !*end && n <= WORKERS_MAX ? (unsigned)n : 0;
}

int dg_command_serve(int argc, char **argv)
{
    const char *listens[LISTENS_MAX], *packs[PACKS_MAX];
    dg_config_options options = {.listens = listens, .packs = packs};
    bool check = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:l:u:p:a:w:t:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            options.file = optarg;
            break;
        case 'l':
            if (options.listen_count == LISTENS_MAX)
                return usage_error("too many --listen; use a configuration file");
            listens[options.listen_count++] = optarg;
            break;
        case 'u':
            options.upstream = optarg;
            break;
        case 'p':
            if (options.pack_count == PACKS_MAX)
                return usage_error("too many --pack; use a configuration file");
            packs[options.pack_count++] = optarg;
            break;
        case 'a':
            options.admin = optarg;
            break;
        case 'w':
            options.workers = parse_workers(optarg);
            if (!options.workers)
                return usage_error("--workers wants a number from 1 to 256");
            break;
        case 't':
            options.timeout = optarg;
            break;
        case OPT_CHECK:
            check = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman serve --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return usage_error("it takes options only");
    if (!options.file && !options.upstream)
        return usage_error("give --config FILE, or --listen ADDRESS and --upstream URL");
    return check ? dg_server_check(&options) : dg_server_run(&options, NULL);
}
