#include "proxy/server/control_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/net/listener.h"

enum {
    RANDOM_CHARS = 6,
    ENTRIES_MAX = 65536, /* of the folder that is looked through */
    YOUNG_S = 60         /* one without a socket may belong to a process that has not locked it yet */
};

static const char prefix[] = "dragoman-", socket_name[] = "control.sock";

static bool is_ours(const struct stat *file)
{
    return S_ISDIR(file->st_mode) && file->st_uid == geteuid() && (file->st_mode & 0777) == 0700;
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Removes what is in a folder, and it. Nobody holds its lock; rmdir spares one with anything else in it. */
static void remove_left(const char *folder, const struct stat *file)
{
    char address[160];
    const char *error;
    struct stat socket_file;
    dg_address at = {.size = 0};
    size_t count;
    snprintf(address, sizeof address, "unix:%s/%s", folder, socket_name);
    if (dg_address_resolve(address, true, &at, &count, &error) != DG_OK)
        return;
    if (lstat(address + 5, &socket_file) != 0) {
        if (errno != ENOENT || file->st_mtime + YOUNG_S > time(NULL))
            return;
    } else if (socket_file.st_mtime + YOUNG_S > time(NULL) || !dg_unix_is_stale(&at) || unlink(address + 5) != 0) {
        return; /* it is bound before it listens */
    }
    rmdir(folder);
}

/* A process that lives holds the lock of its folder, whatever state its socket is in. */
static void remove_if_stale(const char *base, const char *name)
{
    char folder[128];
    struct stat file;
    int n = snprintf(folder, sizeof folder, "%s/%s", base, name);
    int lock = n > 0 && (size_t)n < sizeof folder ? open_folder(folder) : -1;
    if (lock < 0)
        return;
    if (fstat(lock, &file) == 0 && is_ours(&file) && flock(lock, LOCK_EX | LOCK_NB) == 0)
        remove_left(folder, &file);
    close(lock);
}

static void sweep(const char *base)
{
    DIR *dir = opendir(base);
    if (!dir)
        return;
    const struct dirent *entry;
    for (int n = 0; n < ENTRIES_MAX && (entry = readdir(dir)); n++)
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0 &&
            strlen(entry->d_name) == sizeof prefix - 1 + RANDOM_CHARS)
            remove_if_stale(base, entry->d_name);
    closedir(dir);
}

dg_status dg_control_folder_make(dg_control_folder *ret_folder)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (!base || strlen(base) > 30 || access(base, W_OK) != 0)
        base = "/tmp";
    sweep(base);
    snprintf(ret_folder->path, sizeof ret_folder->path, "%s/%sXXXXXX", base, prefix);
    if (!mkdtemp(ret_folder->path))
        return DG_IO;
    ret_folder->lock = open_folder(ret_folder->path);
    int locked = -1;
    while (ret_folder->lock >= 0 && (locked = flock(ret_folder->lock, LOCK_EX)) != 0 && errno == EINTR)
        ; /* who sweeps holds it for a moment only */
    if (locked != 0) {
        int error = errno;
        if (ret_folder->lock >= 0)
            close(ret_folder->lock);
        rmdir(ret_folder->path);
        errno = error;
        return DG_IO;
    }
    snprintf(ret_folder->address, sizeof ret_folder->address, "unix:%s/%s", ret_folder->path, socket_name);
    return DG_OK;
}

void dg_control_folder_remove(const dg_control_folder *folder)
{
    if (!folder->path[0])
        return;
    rmdir(folder->path);
    close(folder->lock);
}
