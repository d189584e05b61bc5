/* dragoman upgrade: packs of older formats, rewritten. */
#include <getopt.h>
#include <stdio.h>

#include "proxy/command/command.h"
#include "proxy/command/rewrite.h"
#include "rules/doc/fmt.h"
#include "rules/doc/upgrade.h"

static const char help[] =
    "usage: dragoman upgrade [--check] PACK...\n"
    "\n"
    "Rewrites packs of older formats to the one that this dragoman reads, and names it in "
    "api.yaml. "
    "Comments\n"
    "stay; the YAML files in changes/ come out as dragoman fmt lays them out. Says which files it "
    "wrote.\n"
    "\n"
    "  -c, --check  write nothing; say which files would change, and exit with 1 if some would\n"
    "  -h, --help   this\n"
    "\n"
    "Exit codes: 0 all is well, 1 a file is wrong or would change, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman upgrade --check rules/packs/orders\n";

static const struct option long_options[] = {
    {"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static dg_status upgrade_api(const char *path, dg_slice text, dg_diags *diags, dg_buf *out)
{
    return dg_upgrade_api(text, path, diags, out);
}

static dg_status upgrade_change(const char *path, dg_slice text, dg_diags *diags, dg_buf *out)
{
    return dg_upgrade_change(text, path, diags, out);
}

static dg_status upgrade_file(const char *path, dg_rewriter *rewrite, bool check, dg_diags *diags,
                              bool *any)
{
    bool changed = false;
    dg_status status = dg_rewrite(path, rewrite, check, diags, &changed);
    if (changed)
        puts(path);
    *any |= changed;
    return status;
}

/* The format is named last, so that what ends half-way can be begun again. */
static bool upgrade_pack(const char *dir, bool check, dg_diags *diags)
{
    const char *paths[DG_FMT_FILES_MAX];
    const dg_node *api = NULL;
    size_t count = 0;
    bool any = false;
    dg_arena arena;
    dg_arena_init(&arena, 0);
    dg_status status = dg_fmt_files(&arena, dir, diags, &api, paths, &count);
    if (status == DG_OK && dg_node_get(api, "dragoman")) {
        if (!dg_format_check(api, diags))
            status = DG_INVALID;
        count = 0;
    }
    for (size_t i = 0; status == DG_OK && i < count; i++)
        status = upgrade_file(paths[i], upgrade_change, check, diags, &any);
    if (status == DG_OK)
        status = upgrade_file(api->origin.file, upgrade_api, check, diags, &any);
    dg_arena_free(&arena);
    if (status == DG_NOMEM)
        fputs("dragoman upgrade: out of memory\n", stderr);
    return status == DG_OK && !(check && any);
}

int dg_command_upgrade(int argc, char **argv)
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
            fputs("see dragoman upgrade --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs("dragoman upgrade: name a pack; see dragoman upgrade --help\n", stderr);
        return DG_EXIT_USAGE;
    }
    dg_diags diags;
    dg_diags_init(&diags);
    for (int i = optind; i < argc; i++)
        good &= upgrade_pack(argv[i], check, &diags);
    dg_diags_print(&diags, stderr);
    dg_diags_free(&diags);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}
