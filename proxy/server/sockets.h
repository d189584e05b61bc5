/* Private to this folder: the sockets that listen, and the files of those that are unix sockets. Control thread. */
#ifndef DG_SERVER_SOCKETS_H
#define DG_SERVER_SOCKETS_H

#include <sys/stat.h>

#include "proxy/server/worker.h"

enum { DG_UNIX_FILES_MAX = 64 };

/* The files that this process made by listening on them, so that it removes no other one's. */
typedef struct dg_unix_files {
    size_t count;
    struct {
        char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        dev_t device;
        ino_t inode;
    } items[DG_UNIX_FILES_MAX];
} dg_unix_files;

/* Opens a socket for every address of `snapshot` that `old` (or NULL) does not have, and for every worker; puts them into
 * mails (one a worker, with room for DG_SOCKETS_MAX each). False when one cannot be opened: it was logged, and the
 * mails hold those that were. */
bool dg_sockets_open(dg_snapshot *snapshot, const dg_snapshot *old, dg_worker_mail *mails,
                     size_t worker_count, dg_unix_files *files);

/* Removes the files of unix sockets that the configuration does not list; NULL = all. */
void dg_unix_files_prune(dg_unix_files *files, const dg_config *config);

#endif
