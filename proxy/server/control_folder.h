/* Private to this folder: the private folder with the socket of the admin API. Control thread. */
#ifndef DG_SERVER_CONTROL_FOLDER_H
#define DG_SERVER_CONTROL_FOLDER_H

#include "base/status.h"

typedef struct dg_control_folder {
    char path[64];    /* empty = none */
    char address[96]; /* "unix:.../control.sock" */
    int lock;         /* held as long as the process lives: by it others see that it does */
} dg_control_folder;

/* Makes one under $XDG_RUNTIME_DIR or /tmp, and removes those there that processes of this user left behind when they were
 * killed, but for those of the last minute. DG_IO with errno, and *ret_folder names what could not be made. */
DG_MUST_USE dg_status dg_control_folder_make(dg_control_folder *ret_folder);
void dg_control_folder_remove(const dg_control_folder *folder);

#endif
