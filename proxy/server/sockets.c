#include "proxy/server/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "proxy/log.h"

/* Port 0 means any: what the kernel chose for the first worker goes for the others too. */
static void learn_port(dg_address *address, int fd)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return;
    if (bound.ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&address->storage)->sin_port =
            ((struct sockaddr_in *)(void *)&bound)->sin_port;
    else if (bound.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&address->storage)->sin6_port =
            ((struct sockaddr_in6 *)(void *)&bound)->sin6_port;
}

static bool has_address(const dg_config *config, const dg_address *address)
{
    for (size_t i = 0; i < config->listen_count; i++)
        for (size_t k = 0; k < config->listens[i].address_count; k++) {
            const dg_address *open = &config->listens[i].addresses[k];
            if (open->size == address->size && !memcmp(&open->storage, &address->storage, open->size))
                return true;
        }
    return false;
}

/* ---- unix sockets */

static const char *path_of(const dg_address *address)
{
    return ((const struct sockaddr_un *)(const void *)&address->storage)->sun_path;
}

static dg_status open_unix(const dg_address *address, unsigned mode, dg_unix_files *files, int *ret_fd)
{
    struct stat made;
    if (files->count == DG_UNIX_FILES_MAX) {
        errno = ENOBUFS;
        return DG_LIMIT;
    }
    dg_status status = dg_listen_unix(address, mode, ret_fd);
    if (status != DG_OK || lstat(path_of(address), &made) != 0)
        return status;
    memcpy(files->items[files->count].path, path_of(address), sizeof files->items->path);
    files->items[files->count].device = made.st_dev;
    files->items[files->count++].inode = made.st_ino;
    return DG_OK;
}

static bool lists_path(const dg_config *config, const char *path)
{
    for (size_t i = 0; config && i < config->listen_count; i++)
        for (size_t k = 0; k < config->listens[i].address_count; k++) {
            const dg_address *address = &config->listens[i].addresses[k];
            if (address->storage.ss_family == AF_UNIX && strcmp(path_of(address), path) == 0)
                return true;
        }
    return false;
}

void dg_unix_files_prune(dg_unix_files *files, const dg_config *config)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->items[i].path;
        struct stat now;
        if (lists_path(config, path))
            files->items[kept++] = files->items[i];
        else if (lstat(path, &now) == 0 && now.st_dev == files->items[i].device &&
                 now.st_ino == files->items[i].inode)
            unlink(path);
    }
    files->count = kept;
}

/* ---- all */

/* TCP: a socket of its own for each worker, among which the kernel shares connections out. A unix socket has one queue,
 * and each worker a descriptor of it. */
static dg_status open_for(const dg_listen *listen, dg_address *address, size_t worker, int first_fd,
                          dg_unix_files *files, int *ret_fd)
{
    if (address->storage.ss_family == AF_UNIX && worker == 0)
        return open_unix(address, listen->mode, files, ret_fd);
    if (address->storage.ss_family == AF_UNIX) {
        *ret_fd = fcntl(first_fd, F_DUPFD_CLOEXEC, 3);
        return *ret_fd < 0 ? DG_IO : DG_OK;
    }
    dg_status status = dg_listen_socket(address, worker == 0, ret_fd);
    if (status == DG_OK)
        learn_port(address, *ret_fd);
    return status;
}

bool dg_sockets_open(dg_snapshot *snapshot, const dg_snapshot *old, dg_worker_mail *mails,
                     size_t worker_count, dg_unix_files *files)
{
    dg_config *config = &snapshot->config;
    for (size_t i = 0; i < config->listen_count; i++) {
        for (size_t k = 0; k < config->listens[i].address_count; k++) {
            dg_address *address = &config->listens[i].addresses[k];
            if (old && has_address(&old->config, address))
                continue;
            int fd = -1;
            for (size_t w = 0; w < worker_count; w++) {
                if (open_for(&config->listens[i], address, w, fd, files, &fd) != DG_OK) {
                    dg_log(DG_LOG_ERROR, "cannot listen on %s: %s", config->listens[i].text,
                           strerror(errno));
                    return false;
                }
                mails[w].sockets[mails[w].socket_count++] = (dg_socket){*address, fd};
            }
        }
    }
    return true;
}
