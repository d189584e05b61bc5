/* dragoman fmt: the change files of packs in their one layout. */
#include <getopt.h>
#include <stdio.h>

#include "proxy/command/command.h"
#include "proxy/command/rewrite.h"
#include "rules/doc/fmt.h"

static const char help[] =
    "usage: dragoman fmt [--check] PACK...\n"
    "\n"
    "Gives the YAML files in a pack's changes/ their one layout: an op a line, one indentation, "
    "quotes "
    "where\n"
    "YAML needs them. Comments, blank lines and the order of keys stay, and so does the meaning. "
    "Says "
    "which\n"
    "files it wrote.\n"
    "\n"
    "  -c, --check  write nothing; say which files would change, and exit with 1 if some would\n"
    "  -h, --help   this\n"
    "\n"
    "Exit codes: 0 all is well, 1 a file is wrong or would change, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman fmt --check rules/packs/orders\n";

static const struct option long_options[] = {
    {"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static dg_status lay_out(const char *path, dg_slice text, dg_diags *diags, dg_buf *out)
{
    return dg_fmt(text, path, diags, out);
}

static bool format_pack(const char *dir, bool check, dg_diags *diags)
{
    const char *paths[DG_FMT_FILES_MAX];
    const dg_node *api;
    size_t count = 0;
    bool good = true;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_status status = dg_fmt_files(&arena, dir, diags, &api, paths, &count);
    for (size_t i = 0; status == DG_OK && i < count; i++) {
        bool changed = false;
        status = dg_rewrite(paths[i], lay_out, check, diags, &changed);
        if (changed)
            puts(paths[i]);
        good &= status == DG_OK && !(check && changed);
        if (status == DG_INVALID || status == DG_IO)
            status = DG_OK; /* the others are still worth it */
    }
    dg_arena_free(&arena);
    if (status == DG_NOMEM)
        fputs("dragoman fmt: out of memory\n", stderr);
    return good && status == DG_OK;
}

int dg_command_fmt(int argc, char **argv)
{
    bool check = false, good = true;
    int option;
    while ((option = getopt_long(argc, argv, "ch", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            check = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman fmt --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs("dragoman fmt: name a pack; see dragoman fmt --help\n", stderr);
        return DG_EXIT_USAGE;
    }
    dg_diags diags;
    dg_diags_init(&diags);
    for (int i = optind; i < argc; i++)
        good &= format_pack(argv[i], check, &diags);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}
