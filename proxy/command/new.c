/* dragoman new: the beginning of a pack, or of a change of one. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/command/command.h"
#include "proxy/command/input.h"
#include "proxy/command/terminal.h"
#include "rules/doc/fmt.h"
#include "rules/reader/skeleton.h"

enum { VERSIONS_MAX = 256 };

static const char help[] =
    "usage: dragoman new pack DIR\n"
    "       dragoman new change PACK --title TITLE [--from VERSION --to VERSION]\n"
    "\n"
    "new pack makes a small pack that is right, with an example that holds. new change writes a "
    "skeleton with\n"
    "comments into the pack's changes/, named by the day and the title. Nothing is ever "
    "overwritten.\n"
    "\n"
    "  -T, --title TITLE   what changed, as in a changelog\n"
    "  -f, --from VERSION  the older version; the last but one of api.yaml by default\n"
    "  -t, --to VERSION    the newer version; the last one of api.yaml by default. When api.yaml "
    "does not have it\n"
    "                      yet, what to add there is said, not done\n"
    "  -h, --help          this\n"
    "\n"
    "Exit codes: 0 written, 1 it could not be, 2 the command line is wrong.\n"
    "\n"
    "Example:\n"
    "  dragoman new change rules/packs/orders --title 'Orders have lines' --from v2 --to v3\n";

static const struct option long_options[] = {{"title", required_argument, NULL, 'T'},
                                             {"from", required_argument, NULL, 'f'},
                                             {"to", required_argument, NULL, 't'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

typedef struct wish {
    const char *what, *where, *title, *from, *to;
} wish;

static int usage_error(const char *text)
{
    fprintf(stderr, "dragoman new: %s; see dragoman new --help\n", text);
    return DG_EXIT_USAGE;
}

static bool fail(const char *path)
{
    fprintf(stderr, "dragoman new: %s: %s\n", path, strerror(errno));
    return false;
}

/* A file that was not there, in the layout that `dragoman fmt` gives. */
static bool write_new(const char *path, dg_buf *text)
{
    dg_diags diags;
    dg_buf laid;
    dg_diags_init(&diags);
    dg_buf_init(&laid, 0);
    if (text->status == DG_OK && dg_fmt(dg_buf_slice(text), path, &diags, &laid) == DG_OK) {
        dg_buf_clear(text);
        dg_buf_add(text, dg_buf_slice(&laid));
    }
    dg_buf_free(&laid);
    dg_diags_free(&diags);
    int fd = text->status == DG_OK ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return fail(path);
    FILE *file = fdopen(fd, "w");
    bool good = file && fwrite(text->ptr, 1, text->len, file) == text->len;
    if (file)
        good &= fclose(file) == 0;
    else
        close(fd);
    if (!good)
        return fail(path);
    puts(path);
    return true;
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ? true : fail(path);
}

/* The last part of a path. */
static dg_slice base_name(const char *path)
{
    dg_slice s = dg_slice_str(path);
    while (s.len > 1 && s.ptr[s.len - 1] == '/')
        s.len--;
    size_t start = s.len;
    while (start > 0 && s.ptr[start - 1] != '/')
        start--;
    return dg_slice_from(s, start);
}

static bool new_pack(const char *dir)
{
    dg_arena arena;
    dg_buf text;
    dg_arena_init(&arena, 0);
    dg_buf_init(&text, 0);
    const char *folders[] = {dir, dg_arena_printf(&arena, "%s/changes", dir),
                             dg_arena_printf(&arena, "%s/examples", dir)};
    const char *files[] = {dg_arena_printf(&arena, "%s/api.yaml", dir),
                           dg_arena_printf(&arena, "%s/changes/1-things-have-a-name.yaml", dir),
                           dg_arena_printf(&arena, "%s/examples/things.yaml", dir)};
    bool good = !dg_arena_failed(&arena);
    for (size_t i = 0; good && i < 3; i++)
        good = make_folder(folders[i]);
    for (size_t i = 0; good && i < 3; i++) {
        dg_buf_clear(&text);
        if (i == 0)
            dg_skeleton_api(base_name(dir), &text);
        else if (i == 1)
            dg_skeleton_first_change(&text);
        else
            dg_skeleton_example(&text);
        good = write_new(files[i], &text);
    }
    dg_buf_free(&text);
    dg_arena_free(&arena);
    return good;
}

/* The names of the versions in api.yaml. */
static size_t versions_of(const dg_node *api, dg_slice names[VERSIONS_MAX])
{
    const dg_node *versions = dg_node_get(api, "versions");
    size_t count = 0;
    for (const dg_node *v = versions ? versions->first : NULL; v && count < VERSIONS_MAX;
         v = v->next) {
        const dg_node *name = v->kind == DG_NODE_MAP ? dg_node_get(v, "name") : v;
        if (name && name->kind == DG_NODE_SCALAR)
            names[count++] = name->text;
    }
    return count;
}

static bool is_among(dg_slice name, const dg_slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dg_slice_eq(names[i], name))
            return true;
    return false;
}

/* The wall clock, or what reproducible builds say it is. */
static int64_t now(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    return epoch && dg_parse_number(epoch, INT64_MAX, &seconds) ? (int64_t)seconds
                                                                : (int64_t)time(NULL);
}

static bool write_change(const wish *w, dg_arena *arena, dg_slice older, dg_slice newer)
{
    dg_buf name, text;
    dg_buf_init(&name, 0);
    dg_buf_init(&text, 0);
    dg_skeleton_name(dg_slice_str(w->title), now(), &name);
    dg_skeleton_change(dg_slice_str(w->title), older, newer, &text);
    const char *folder = dg_arena_printf(arena, "%s/changes", w->where);
    const char *path = dg_arena_printf(arena, "%s/%.*s.yaml", folder ? folder : "",
                                       DG_SLICE_FMT(dg_buf_slice(&name)));
    bool good = folder && path && make_folder(folder) && write_new(path, &text);
    dg_buf_free(&name);
    dg_buf_free(&text);
    return good;
}

static bool new_change(const wish *w)
{
    const char *paths[DG_FMT_FILES_MAX];
    dg_slice names[VERSIONS_MAX];
    const dg_node *api = NULL;
    size_t files = 0;
    dg_diags diags;
    dg_arena arena;
    dg_diags_init(&diags);
    dg_arena_init(&arena, 0);
    bool good = dg_fmt_files(&arena, w->where, &diags, &api, paths, &files) == DG_OK;
    dg_diags_print(&diags, stderr);
    size_t count = good ? versions_of(api, names) : 0;
    dg_slice newer = w->to ? dg_slice_str(w->to) : count ? names[count - 1] : (dg_slice){NULL, 0};
    dg_slice older = w->from     ? dg_slice_str(w->from)
                     : count > 1 ? names[count - 2]
                                 : (dg_slice){NULL, 0};
    if (good && (!older.len || !newer.len || !is_among(older, names, count))) {
        fprintf(stderr,
                "dragoman new: api.yaml has no version '%.*s' that the change could begin with\n",
                DG_SLICE_FMT(older));
        good = false;
    }
    good = good && write_change(w, &arena, older, newer);
    if (good && !is_among(newer, names, count))
        fprintf(stderr, "add '%.*s' to the end of `versions` in api.yaml\n", DG_SLICE_FMT(newer));
    dg_arena_free(&arena);
    dg_diags_free(&diags);
    return good;
}

int dg_command_new(int argc, char **argv)
{
    wish w = {.what = NULL};
    int option;
    while ((option = getopt_long(argc, argv, "T:f:t:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'T':
            w.title = optarg;
            break;
        case 'f':
            w.from = optarg;
            break;
        case 't':
            w.to = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return DG_EXIT_OK;
        default:
            fputs("see dragoman new --help\n", stderr);
            return DG_EXIT_USAGE;
        }
    }
    if (argc - optind != 2)
        return usage_error("say 'pack' or 'change', and where");
    w.what = argv[optind];
    w.where = argv[optind + 1];
    bool change = strcmp(w.what, "change") == 0;
    if (!change && strcmp(w.what, "pack") != 0)
        return usage_error("it makes a 'pack' or a 'change'");
    if (!w.where[0])
        return usage_error("the name of the folder is empty");
    if (change != (w.title && *w.title))
        return usage_error(change ? "a change has a --title"
                                  : "--title, --from and --to belong to a change");
    if (!w.from != !w.to || (!change && w.from))
        return usage_error("--from and --to go together, with a change");
    return (change ? new_change(&w) : new_pack(w.where)) ? DG_EXIT_OK : DG_EXIT_WRONG;
}
