/* dragoman demo: a backend that speaks v2 only, the proxy in front of it, and lines to try. One process tree;
 * Ctrl-C ends all of it. */
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/command/command.h"
#include "proxy/demo/backend.h"
#include "proxy/net/address.h"
#include "proxy/server/server.h"

static const char help[] =
    "usage: dragoman demo [--port N] [--admin-port N] [--backend-port N] [--pack DIR]\n"
    "\n"
    "Starts a small orders service that speaks v2 only, dragoman in front of it with the orders pack, and the\n"
    "admin port; prints curl lines to try. Ports that are taken are replaced by free ones. Ctrl-C ends it all.\n"
    "\n"
    "      --port N           for clients (8080)\n"
    "      --admin-port N     for /metrics and /usage (9901)\n"
    "      --backend-port N   of the orders service (9000)\n"
    "      --pack DIR         the pack, instead of the one that comes with dragoman\n"
    "  -h, --help             this\n";

typedef struct demo {
    unsigned port, admin_port, backend_port;
    char pack[PATH_MAX];
    pid_t backend;
} demo;

/* ---- the orders service, in a child */

static void stop_backend(evutil_socket_t number, short what, void *arg)
{
    (void)number, (void)what;
    event_base_loopbreak(arg);
}

static int run_backend(unsigned port, int report_fd)
{
    struct event_base *base = event_base_new();
    dg_demo_backend *backend = NULL;
    char address[32];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the parent ends it, after what is in flight */
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    struct event *end = base ? evsignal_new(base, SIGTERM, stop_backend, base) : NULL;
    if (!end || evsignal_add(end, NULL) != 0 || dg_demo_backend_new(base, address, &backend) != DG_OK)
        return 1;
    unsigned bound = dg_demo_backend_port(backend);
    if (write(report_fd, &bound, sizeof bound) != (ssize_t)sizeof bound)
        return 1;
    close(report_fd);
    event_base_dispatch(base);
    dg_demo_backend_free(backend);
    event_free(end);
    event_base_free(base);
    return 0;
}

static bool start_backend(demo *d)
{
    int report[2];
    if (pipe(report) != 0)
        return false;
    fflush(NULL);
    d->backend = fork();
    if (d->backend == 0) {
        close(report[0]);
        _exit(run_backend(d->backend_port, report[1]));
    }
    close(report[1]);
    bool ok = d->backend > 0 &&
              read(report[0], &d->backend_port, sizeof d->backend_port) == (ssize_t)sizeof d->backend_port;
    close(report[0]);
    return ok;
}

/* ---- ports and folders */

static bool is_free(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return free;
}

/* The pack that comes with dragoman: beside the sources that this was built from, or where it was installed. */
static bool find_pack(demo *d)
{
    char self[PATH_MAX];
    static const char *const places[] = {"/../../rules/packs/orders", "/../share/dragoman/packs/orders"};
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 64);
    if (len <= 0)
        return false;
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s%s", self, places[i]);
        if (realpath(path, d->pack))
            return true;
    }
    return false;
}

/* ---- what is printed */

static unsigned port_of(const dg_snapshot *snapshot, bool control)
{
    for (size_t i = 0; i < snapshot->config.listen_count; i++) {
        const dg_listen *listen = &snapshot->config.listens[i];
        if (listen->control == control)
            return ntohs(((const struct sockaddr_in *)(const void *)&listen->addresses[0].storage)->sin_port);
    }
    return 0;
}

static void print_lines(void *context, const dg_snapshot *snapshot)
{
    const demo *d = context;
    unsigned port = port_of(snapshot, false), admin = port_of(snapshot, true);
    printf("\n"
           "dragoman demo: the orders service on port %u speaks v2 only; dragoman on port %u lets v1 clients in.\n"
           "\n"
           "An order as a v1 client gets it, with the fields that say when v1 goes; and in v2:\n"
           "  curl -i http://127.0.0.1:%u/api/v1/orders/ord_1001\n"
           "  curl -i http://127.0.0.1:%u/api/v2/orders/ord_1001\n"
           "A list, and a path that was renamed:\n"
           "  curl 'http://127.0.0.1:%u/api/v1/orders?limit=2'\n"
           "  curl http://127.0.0.1:%u/api/v1/order-count\n"
           "A v1 client creates an order; the backend gets it in v2:\n"
           "  curl -i http://127.0.0.1:%u/api/v1/orders -H 'Content-Type: application/json' \\\n"
           "    -d '{\"customer\":{\"id\":\"cus_7\",\"fullName\":\"Ada Obi\"},\"status\":1,\"total\":59.70,"
           "\"currency\":\"EUR\",\"lineItems\":[{\"sku\":\"BEANS-1KG\",\"quantity\":3,\"unitPrice\":19.90}]}'\n"
           "Errors, in the shape that v1 knows, and for a version that does not exist:\n"
           "  curl -i http://127.0.0.1:%u/api/v1/orders/none\n"
           "  curl -i http://127.0.0.1:%u/api/v7/orders\n"
           "Who still uses what:\n"
           "  curl http://127.0.0.1:%u/usage\n"
           "  curl http://127.0.0.1:%u/metrics\n"
           "\n"
           "Ctrl-C ends it.\n",
           d->backend_port, port, port, port, port, port, port, port, port, admin, admin);
    fflush(stdout);
}

/* ---- the command */

static bool parse_port(const char *text, unsigned *ret_port)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (!*text || *end || n > 65535)
        return false;
    *ret_port = (unsigned)n;
    return true;
}

/* -1 to go on, or an exit code. */
static int parse_options(demo *d, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"port", required_argument, NULL, 'p'},         {"admin-port", required_argument, NULL, 'a'},
        {"backend-port", required_argument, NULL, 'b'}, {"pack", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},               {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        unsigned *port = option == 'p' ? &d->port : option == 'a' ? &d->admin_port : &d->backend_port;
        if (option == 'h') {
            fputs(help, stdout);
            return DG_EXIT_OK;
        }
        if (option == 'k' && realpath(optarg, d->pack))
            continue;
        if (option == '?' || option == 'k' || !parse_port(optarg, port)) {
            fputs("dragoman demo: see dragoman demo --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    return -1;
}

int dg_command_demo(int argc, char **argv)
{
    demo d = {.port = 8080, .admin_port = 9901, .backend_port = 9000};
    int code = parse_options(&d, argc, argv);
    if (code >= 0)
        return code;
    if (!d.pack[0] && !find_pack(&d)) {
        fputs("dragoman demo: the orders pack is not where it should be; give --pack DIR\n", stderr);
        return DG_EXIT_WRONG;
    }
    d.port = is_free(d.port) ? d.port : 0;
    d.admin_port = is_free(d.admin_port) ? d.admin_port : 0;
    d.backend_port = is_free(d.backend_port) ? d.backend_port : 0;
    if (!start_backend(&d)) {
        fputs("dragoman demo: the orders service does not start\n", stderr);
        return DG_EXIT_WRONG;
    }
    char listen[32], admin[32], upstream[48];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", d.port);
    snprintf(admin, sizeof admin, "127.0.0.1:%u", d.admin_port);
    snprintf(upstream, sizeof upstream, "http://127.0.0.1:%u", d.backend_port);
    const char *listens[] = {listen}, *packs[] = {d.pack};
    dg_config_options options = {.listens = listens, .listen_count = 1, .packs = packs, .pack_count = 1,
                                 .upstream = upstream, .admin = admin};
    code = dg_server_run(&options, &(dg_server_hooks){&d, print_lines});
    kill(d.backend, SIGTERM);
    waitpid(d.backend, NULL, 0);
    return code;
}
