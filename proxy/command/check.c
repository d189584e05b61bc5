/* dragoman check: is a pack right, and if not, where not? */
#include <getopt.h>
#include <stdio.h>

#include "proxy/command/command.h"
#include "proxy/command/input.h"
#include "proxy/command/terminal.h"
#include "rules/losses.h"

static const char help[] =
    "usage: dragoman check [--json] [--losses] PACK...\n"
    "\n"
    "Reads packs (folders with an api.yaml), checks everything in them, and compiles both "
    "directions. Says\n"
    "what is wrong as file:line:column, all of it at once; or else what the packs hold. Packs that are\n"
    "named together are one set, as for serve: no two have the same base or name.\n"
    "\n"
    "  -j, --json    the result as one JSON object\n"
    "  -l, --losses  also what the packs cannot carry from one version to the next, though they "
    "are "
    "right\n"
    "  -h, --help    this\n"
    "\n"
    "Exit codes: 0 the packs are right, 1 they are not, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman check rules/packs/orders\n";

static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                             {"losses", no_argument, NULL, 'l'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct options {
    bool json, losses;
} options;

static void print_summary(const dg_ruleset *set)
{
    for (size_t i = 0; i < dg_ruleset_api_count(set); i++) {
        const dg_api *api = dg_ruleset_api(set, i);
        size_t changes = api->version_count - 1, endpoints = api->versions[0].endpoint_count;
        printf("%s: %zu version%s (", api->name, api->version_count,
               api->version_count == 1 ? "" : "s");
        for (size_t v = 0; v < api->version_count; v++)
            printf("%s%s", v ? ", " : "", api->versions[v].name);
        printf("), %zu endpoint%s, %zu change%s: all right\n", endpoints, endpoints == 1 ? "" : "s",
               changes, changes == 1 ? "" : "s");
    }
}

static void add_json_apis(const dg_ruleset *set, dg_buf *out)
{
    for (size_t i = 0; set && i < dg_ruleset_api_count(set); i++) {
        const dg_api *api = dg_ruleset_api(set, i);
        dg_buf_add_str(out, i ? ",{\"api\":" : "{\"api\":");
        dg_buf_add_json(out, dg_slice_str(api->name));
        dg_buf_add_str(out, ",\"versions\":[");
        for (size_t v = 0; v < api->version_count; v++) {
            if (v)
                dg_buf_add_char(out, ',');
            dg_buf_add_json(out, dg_slice_str(api->versions[v].name));
        }
        dg_buf_printf(out, "],\"endpoints\":%zu,\"changes\":%zu}", api->versions[0].endpoint_count,
                      api->version_count - 1);
    }
}

static void print_loss(void *context, const dg_api *api, const dg_version *older,
                       const dg_version *newer, const dg_loss *loss, const char *where)
{
    (void)context;
    printf("%s: %s to %s: ", api->name, loss->down ? newer->name : older->name,
           loss->down ? older->name : newer->name);
    dg_say_origin(stdout, loss->origin);
    printf("%s at %s: %s%s%s%s\n", loss->word, loss->path, loss->message,
           loss->accepted ? " (accepted)" : "", where[0] ? "; in " : "", where);
}

static void add_json_loss(void *context, const dg_api *api, const dg_version *older,
                          const dg_version *newer, const dg_loss *loss, const char *where)
{
    dg_buf *out = context;
    const char *from = loss->down ? newer->name : older->name;
    const char *to = loss->down ? older->name : newer->name;
    dg_json_next(out);
    dg_buf_add_char(out, '{');
    dg_json_text(out, "api", api->name);
    dg_json_text(out, "from", from);
    dg_json_text(out, "to", to);
    dg_json_text(out, "op", loss->word);
    dg_json_text(out, "path", loss->path);
    dg_json_text(out, "message", loss->message);
    dg_json_text(out, "where", where);
    dg_json_origin(out, loss->origin);
    dg_buf_add_str(out, loss->accepted ? ",\"accepted\":true}" : ",\"accepted\":false}");
}

static int print_json(const dg_ruleset *set, const dg_diags *diags, bool losses)
{
    dg_buf out;
    dg_buf_init(&out, 16 << 20);
    dg_buf_add_str(&out, set ? "{\"ok\":true,\"apis\":[" : "{\"ok\":false,\"apis\":[");
    add_json_apis(set, &out);
    dg_buf_add_str(&out, "],\"diagnostics\":");
    dg_json_diags(&out, diags);
    /* No more than some are kept: the number says of how many. */
    dg_buf_printf(&out, ",\"errors\":%zu", diags->errors);
    dg_status status = DG_OK;
    if (set && losses) {
        dg_buf_add_str(&out, ",\"losses\":[");
        if (out.status == DG_OK)
            status = dg_ruleset_losses(set, add_json_loss, &out);
        dg_buf_add_char(&out, ']');
    }
    dg_buf_add_str(&out, "}\n");
    int failed =
        status != DG_OK || out.status != DG_OK || fwrite(out.ptr, 1, out.len, stdout) != out.len;
    dg_buf_free(&out);
    return failed;
}

static int check(char **packs, size_t count, const options *wanted)
{
    dg_pack_source sources[DG_PACKS_MAX];
    for (size_t i = 0; i < count; i++)
        sources[i] = (dg_pack_source){.dir = packs[i]};
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    dg_status status = dg_ruleset_load(sources, count, &diags, &set);
    int code = status == DG_OK ? DG_EXIT_OK : DG_EXIT_WRONG;
    if (wanted->json) {
        if (print_json(set, &diags, wanted->losses))
            code = DG_EXIT_WRONG;
    } else {
        dg_diags_print(&diags, stderr);
        if (set)
            print_summary(set);
        if (set && wanted->losses && dg_ruleset_losses(set, print_loss, NULL) != DG_OK)
            code = DG_EXIT_WRONG;
        if (!set && diags.errors == 0)
            fprintf(stderr, "dragoman check: %s\n", dg_status_text(status));
        else if (!set)
            fprintf(stderr, "%zu error%s\n", diags.errors, diags.errors == 1 ? "" : "s");
    }
    dg_ruleset_free(set);
    dg_diags_free(&diags);
    return code;
}

int dg_command_check(int argc, char **argv)
{
    options wanted = {.json = false};
    int option;
    while ((option = getopt_long(argc, argv, "jlh", long_options, NULL)) != -1) {
        switch (option) {
        case 'j':
            wanted.json = true;
            break;
        case 'l':
            wanted.losses = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman check --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (optind == argc || argc - optind > DG_PACKS_MAX) {
        fputs("dragoman check: name one to 64 packs; see dragoman check --help\n", stderr);
        return DG_EXIT_USAGE;
    }
    return check(argv + optind, (size_t)(argc - optind), &wanted);
}
