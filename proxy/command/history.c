/* dragoman history: the changes of packs, in order. */
#include <getopt.h>

#include "base/date.h"
#include "proxy/command/command.h"
#include "proxy/command/input.h"
#include "proxy/command/terminal.h"
#include "rules/compile/history.h"

static const char help[] =
    "usage: dragoman history [--from VERSION] [--to VERSION] [--json] PACK\n"
    "\n"
    "Prints the changes of a pack in their order, the newest last: the versions and their dates, "
    "the title, the\n"
    "file, and how many endpoints it is about.\n"
    "\n"
    "  -f, --from VERSION  from this version on\n"
    "  -t, --to VERSION    up to this version\n"
    "  -j, --json          the result as one JSON object\n"
    "  -h, --help          this\n"
    "\n"
    "Exit codes: 0 all is well, 1 the pack is wrong, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman history rules/packs/orders\n";

static const struct option long_options[] = {{"from", required_argument, NULL, 'f'},
                                             {"to", required_argument, NULL, 't'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct wish {
    const char *pack, *from, *to;
    bool json;
} wish;

static void day_of(int64_t time, char text[16])
{
    char stamp[DG_RFC3339_BYTES];
    dg_date_rfc3339(time, stamp);
    (void)snprintf(text, 16, "%.10s", stamp);
}

static void say_version(const dg_version *version)
{
    char day[16];
    dg_say(stdout, DG_BOLD, "%s", version->name);
    if (version->deprecated != DG_NEVER) {
        day_of(version->deprecated, day);
        printf("  deprecated %s", day);
    }
    if (version->sunset != DG_NEVER) {
        day_of(version->sunset, day);
        printf("  sunset %s", day);
    }
    printf("  %zu endpoint%s\n", version->endpoint_count, version->endpoint_count == 1 ? "" : "s");
}

static void say_step(const dg_step_told *step)
{
    printf("  %s\n", step->title);
    printf("  %s: %zu entr%s", step->origin.file, step->endpoints,
           step->endpoints == 1 ? "y" : "ies");
    if (step->renamed)
        printf(", %zu with another name", step->renamed);
    if (step->removed)
        printf(", %zu removed", step->removed);
    if (step->added)
        printf(", %zu added", step->added);
    putchar('\n');
}

static void add_version(dg_buf *out, const dg_version *version)
{
    char day[16];
    dg_json_next(out);
    dg_buf_add_char(out, '{');
    dg_json_text(out, "version", version->name);
    const struct {
        const char *key;
        int64_t time;
    } dates[] = {{"deprecated", version->deprecated}, {"sunset", version->sunset}};
    for (size_t i = 0; i < 2; i++)
        if (dates[i].time != DG_NEVER) {
            day_of(dates[i].time, day);
            dg_json_text(out, dates[i].key, day);
        }
    dg_json_number(out, "endpoints", version->endpoint_count);
    dg_buf_add_char(out, '}');
}

static void add_step(dg_buf *out, const dg_step_told *step)
{
    dg_json_next(out);
    dg_buf_add_char(out, '{');
    dg_json_text(out, "change", step->title);
    dg_json_text(out, "from", step->older->name);
    dg_json_text(out, "to", step->newer->name);
    dg_json_origin(out, step->origin);
    dg_json_number(out, "entries", step->endpoints);
    dg_json_number(out, "renamed", step->renamed);
    dg_json_number(out, "removed", step->removed);
    dg_json_number(out, "added", step->added);
    dg_buf_add_char(out, '}');
}

static bool print_json(const dg_ruleset *set, const dg_api *api, size_t first, size_t last)
{
    dg_buf out;
    dg_step_told step;
    dg_buf_init(&out, 0);
    dg_buf_add_char(&out, '{');
    dg_json_text(&out, "api", api->name);
    dg_json_key(&out, "versions");
    dg_buf_add_char(&out, '[');
    for (size_t v = first; v <= last; v++)
        add_version(&out, &api->versions[v]);
    dg_buf_add_char(&out, ']');
    dg_json_key(&out, "changes");
    dg_buf_add_char(&out, '[');
    for (size_t v = first; v < last && dg_ruleset_step(set, api, v, &step); v++)
        add_step(&out, &step);
    dg_buf_add_str(&out, "]}");
    return dg_json_print(&out);
}

/* The index of a version; `otherwise` without a name. False after saying that there is none. */
static bool find_version(const dg_api *api, const char *name, size_t otherwise, size_t *ret_index)
{
    const char *names[257] = {NULL};
    *ret_index = otherwise;
    for (size_t v = 0; v < api->version_count && v < 256; v++) {
        names[v] = api->versions[v].name;
        if (name && strcmp(names[v], name) == 0) {
            *ret_index = v;
            return true;
        }
    }
    const char *meant = name ? dg_did_you_mean(dg_slice_str(name), names) : NULL;
    if (name)
        fprintf(stderr, "dragoman history: there is no version '%s'%s%s%s\n", name,
                meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    return !name;
}

static int history(const wish *w)
{
    const dg_pack_source source = {.dir = w->pack};
    dg_diags diags;
    dg_ruleset *set = NULL;
    dg_diags_init(&diags);
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    bool good = status == DG_OK;
    dg_diags_print(&diags, stderr);
    if (!good && diags.errors == 0)
        fprintf(stderr, "dragoman history: %s\n", dg_status_text(status));
    dg_diags_free(&diags);
    size_t first = 0, last = 0;
    const dg_api *api = good ? dg_ruleset_api(set, 0) : NULL;
    good = api && find_version(api, w->from, 0, &first) &&
           find_version(api, w->to, api->version_count - 1, &last);
    if (good && w->json)
        good = print_json(set, api, first, last);
    for (size_t v = first; good && !w->json && v <= last; v++) {
        dg_step_told step;
        say_version(&api->versions[v]);
        if (v < last && dg_ruleset_step(set, api, v, &step))
            say_step(&step);
    }
    dg_ruleset_free(set);
    return good ? DG_EXIT_OK : DG_EXIT_WRONG;
}

int dg_command_history(int argc, char **argv)
{
    wish w = {.pack = NULL};
    int option;
    while ((option = getopt_long(argc, argv, "f:t:jh", long_options, NULL)) != -1) {
        switch (option) {
        case 'f':
            w.from = optarg;
            break;
        case 't':
            w.to = optarg;
            break;
        case 'j':
            w.json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman history --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (argc - optind != 1) {
        fputs("dragoman history: name one pack; see dragoman history --help\n", stderr);
        return DG_EXIT_USAGE;
    }
    w.pack = argv[optind];
    return history(&w);
}
