/* A listening socket from an address as text. */
#ifndef DG_PROXY_CONTROL_SOCKET_H
#define DG_PROXY_CONTROL_SOCKET_H

#include <sys/types.h>

#include "base/status.h"

typedef struct dg_control_socket {
    int fd;         /* bound, not listening yet; -1 = none */
    unsigned port;  /* 0 for a unix socket */
    char path[108]; /* of a unix socket; empty for TCP */
    dev_t device;
    ino_t inode;
} dg_control_socket;

/* As dg_control_server_new says. The caller owns fd. */
DG_MUST_USE dg_status dg_control_socket_open(const char *address, dg_control_socket *ret_socket);
/* Removes the unix socket from its folder, if it is still the one that was made. Leaves fd alone.
 */
void dg_control_socket_unlink(const dg_control_socket *socket);

#endif
