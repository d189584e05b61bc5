/* dragoman certs: a CA and a certificate for development. */
#include <getopt.h>
#include <stdio.h>

#include "certs/tls.h"
#include "proxy/command/command.h"

static const char help[] =
    "usage: dragoman certs DIR [NAME]...\n"
    "\n"
    "Makes ca.crt, ca.key, server.crt and server.key in DIR: a CA for development and a certificate for the\n"
    "NAMEs (localhost, 127.0.0.1 and ::1 when none is given), valid for 90 days. Files that are there and good\n"
    "for another week stay. Never commit them, never use them in production.\n"
    "\n"
    "  -h, --help   this\n"
    "\n"
    "Example:\n"
    "  dragoman certs build/certs\n"
    "  # in the configuration:  listen: {address: 127.0.0.1:8443, tls: {cert: server.crt, key: server.key}}\n"
    "  curl --cacert build/certs/ca.crt https://localhost:8443/\n";

int dg_command_certs(int argc, char **argv)
{
    static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    static const char *const names_default[] = {"localhost", "127.0.0.1", "::1", NULL};
    int option = getopt_long(argc, argv, "h", long_options, NULL);
    if (option == 'h') {
        fputs(help, stdout);
        return DG_EXIT_OK;
    }
    if (option != -1 || optind == argc) {
        fputs("dragoman certs: give a folder; see dragoman certs --help\n", stderr);
        return DG_EXIT_USAGE;
    }
    const char *dir = argv[optind];
    const char *const *names =
        optind + 1 < argc ? (const char *const *)(argv + optind + 1) : names_default;
    dg_diags diags;
    dg_diags_init(&diags);
    dg_status status = dg_certs_make_dev(dir, names, &diags);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    if (status != DG_OK)
        return DG_EXIT_WRONG;
    printf("%s/ca.crt      what clients trust\n%s/server.crt  and server.key for a listener\n", dir, dir);
    return DG_EXIT_OK;
}
