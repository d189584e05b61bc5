/* The folder of a pack. Nothing outside it is ever read: a symbolic link may lead within the folder
 * (as those of mounted configuration do), never out of it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "rules/doc/fmt.h"
#include "rules/reader/pack.h"

static const char *const extensions[] = {".yaml", ".yml", ".json"};

static bool is_document(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        size_t tail = strlen(extensions[i]);
        if (name[0] != '.' && len > tail && strcmp(name + len - tail, extensions[i]) == 0)
            return true;
    }
    return false;
}

/* All links followed; NULL when there is no such file. */
static char *real_of(dg_pack *pack, const char *path)
{
    char *real = realpath(path, NULL);
    if (!real && errno == ENOMEM)
        pack->arena->failed = true;
    return real;
}

/* Whether `path` is, all links followed, below the pack's folder. False when it does not exist. */
static bool is_inside(dg_pack *pack, const char *path)
{
    char *real_dir = real_of(pack, pack->dir), *real_path = real_of(pack, path);
    size_t len = real_dir ? strlen(real_dir) : 0;
    if (len == 1)
        len = 0; /* the root folder ends with its slash */
    bool inside =
        real_dir && real_path && strncmp(real_dir, real_path, len) == 0 && real_path[len] == '/';
    free(real_dir);
    free(real_path);
    return inside;
}

const char *dg_pack_path(dg_pack *pack, dg_slice name, dg_origin origin)
{
    const char *path = dg_arena_printf(pack->arena, "%s/%.*s", pack->dir, DG_SLICE_FMT(name));
    if (path && is_inside(pack, path))
        return path;
    dg_diags_add(pack->diags, DG_ERROR, origin, "'%.*s' does not exist, or leads out of the pack",
                 DG_SLICE_FMT(name));
    return NULL;
}

const dg_node *dg_pack_load(dg_pack *pack, const char *path)
{
    const dg_node *root = NULL;
    if (!is_inside(pack, path)) {
        dg_diags_add(pack->diags, DG_ERROR, (dg_origin){path, 0, 0},
                     "does not exist, or leads out of the pack");
        return NULL;
    }
    if (dg_doc_load(pack->arena, path, pack->diags, &root) == DG_NOMEM)
        pack->arena->failed = true;
    if (root)
        pack->digest = dg_node_digest(root, pack->digest);
    return root;
}

/* DG_NOT_FOUND when the pack has no such file at all. */
static const dg_node *load_api(dg_pack *pack)
{
    const char *found = NULL;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        const char *path = dg_arena_printf(pack->arena, "%s/api%s", pack->dir, extensions[i]);
        char *real = path ? real_of(pack, path) : NULL;
        if (real && found)
            dg_diags_add(pack->diags, DG_ERROR, (dg_origin){path, 0, 0},
                         "%s is there too: keep one", found);
        else if (real)
            found = path;
        free(real);
    }
    if (found)
        return dg_pack_load(pack, found);
    dg_diags_add(pack->diags, DG_ERROR, (dg_origin){pack->dir, 0, 0},
                 "is no pack: it has no api.yaml");
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t dg_pack_list(dg_pack *pack, const char *folder, const char *names[DG_CHANGE_FILES_MAX])
{
    bool inside = is_inside(pack, folder);
    DIR *dir = inside ? opendir(folder) : NULL;
    size_t count = 0;
    if (!dir && errno == ENOMEM)
        pack->arena->failed = true;
    else if (!dir && inside)
        dg_diags_add(pack->diags, DG_ERROR, (dg_origin){folder, 0, 0}, "cannot be opened: %s",
                     strerror(errno));
    else if (!dir && access(folder, F_OK) == 0)
        dg_diags_add(pack->diags, DG_ERROR, (dg_origin){folder, 0, 0}, "leads out of the pack");
    if (!dir)
        return 0; /* when there is none, the chain will say what is missing */
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (!is_document(entry->d_name))
            continue;
        if (count == DG_CHANGE_FILES_MAX) {
            dg_diags_add(pack->diags, DG_ERROR, (dg_origin){folder, 0, 0},
                         "has more than %d files", (int)DG_CHANGE_FILES_MAX);
            break;
        }
        names[count] = dg_arena_strdup(pack->arena, entry->d_name);
        if (names[count])
            count++;
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

dg_status dg_fmt_files(dg_arena *arena, const char *dir, dg_diags *diags, const dg_node **ret_api,
                       const char **ret_paths, size_t *ret_count)
{
    _Static_assert((int)DG_FMT_FILES_MAX == (int)DG_CHANGE_FILES_MAX, "a pack's files all fit");
    const char *names[DG_CHANGE_FILES_MAX];
    dg_pack pack = {.arena = arena, .diags = diags, .dir = dir};
    size_t errors = diags->errors, count = 0;
    const char *folder = dg_arena_printf(arena, "%s/changes", dir);
    const dg_node *api = folder ? load_api(&pack) : NULL;
    size_t files = api ? dg_pack_list(&pack, folder, names) : 0;
    for (size_t i = 0; i < files; i++) {
        size_t len = strlen(names[i]);
        const char *path = dg_arena_printf(arena, "%s/%s", folder, names[i]);
        if (path && !(len > 5 && strcmp(names[i] + len - 5, ".json") == 0) && is_inside(&pack, path))
            ret_paths[count++] = path;
    }
    if (dg_arena_failed(arena))
        return DG_NOMEM;
    *ret_count = count;
    *ret_api = api;
    return diags->errors == errors ? DG_OK : DG_INVALID;
}

static void read_changes(dg_pack *pack)
{
    const char *names[DG_CHANGE_FILES_MAX];
    const dg_change *changes[DG_CHANGE_FILES_MAX];
    const char *folder = dg_arena_printf(pack->arena, "%s/changes", pack->dir);
    size_t errors = pack->diags->errors;
    size_t count = 0, files = folder ? dg_pack_list(pack, folder, names) : 0;
    bool all = pack->diags->errors == errors;
    for (size_t i = 0; i < files; i++) {
        const char *path = dg_arena_printf(pack->arena, "%s/%s", folder, names[i]);
        const dg_node *root = path ? dg_pack_load(pack, path) : NULL;
        const dg_change *change = root ? dg_pack_read_change(pack, root) : NULL;
        if (change)
            changes[count++] = change;
        all &= change != NULL;
    }
    if (all) /* a file that cannot be read would be reported as a gap, too */
        dg_pack_join(pack, changes, count);
}

static void choose_backend(dg_pack *pack, const dg_pack_source *source)
{
    if (!pack->api.version_count)
        return;
    pack->api.backend =
        source->backend_version
            ? dg_pack_version(pack, dg_slice_str(source->backend_version), source->origin)
            : &pack->versions[pack->api.version_count - 1];
}

dg_status dg_pack_read(dg_pack *pack, const dg_pack_source *source)
{
    size_t errors = pack->diags->errors;
    if (!source->dir[0]) { /* it would be the root folder */
        dg_diags_add(pack->diags, DG_ERROR, source->origin,
                     "the name of the pack's folder is empty");
        return DG_INVALID;
    }
    pack->dir = dg_arena_strdup(pack->arena, source->dir);
    if (!pack->dir)
        return DG_NOMEM;
    for (size_t len = strlen(pack->dir); len > 1 && pack->dir[len - 1] == '/'; len--)
        ((char *)(uintptr_t)pack->dir)[len - 1] = '\0';
    const dg_node *root = load_api(pack);
    if (root) {
        dg_pack_read_api(pack, root);
        choose_backend(pack, source);
        dg_pack_finish_selectors(pack, source->pins, source->origin);
        if (pack->api.version_count)
            read_changes(pack);
    }
    pack->api.digest = pack->digest;
    if (pack->arena->failed)
        return DG_NOMEM;
    return pack->diags->errors == errors ? DG_OK : DG_INVALID;
}
