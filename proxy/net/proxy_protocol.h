/* The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a balancer says, before anything else on a
 * connection, about whom it speaks for. Strict and bounded; any thread, but one for each descriptor. */
#ifndef DG_NET_PROXY_PROTOCOL_H
#define DG_NET_PROXY_PROTOCOL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/slice.h"
#include "base/status.h"

enum {
    DG_PROXY_V1_BYTES_MAX = 107, /* with CR LF (2.1) */
    DG_PROXY_V2_BYTES_MAX = 536, /* as much as a sender may count on (2.2), with its TLVs */
    DG_PROXY_WRITE_BYTES_MAX = DG_PROXY_V1_BYTES_MAX
};

typedef union dg_ip {
    struct sockaddr any; /* AF_UNSPEC: not known */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} dg_ip;

/* Both ends of a client's connection; of one family, AF_INET or AF_INET6, or both not known. */
typedef struct dg_route {
    dg_ip from, to;
} dg_route;

/* Parses a header at the start of `in`. DG_OK: *ret_consumed is its length. ret_route is not known for LOCAL, UNKNOWN and
 * families without an IP address: the connection speaks for itself. DG_AGAIN: give more. DG_SYNTAX, DG_LIMIT: it is none. */
DG_MUST_USE dg_status dg_proxy_parse(dg_slice in, size_t *ret_consumed, dg_route *ret_route);

/* Takes the header off a socket, and not a byte more. DG_AGAIN, DG_CLOSED, DG_IO as well. */
DG_MUST_USE dg_status dg_proxy_read(int fd, dg_route *ret_route);

/* Writes a header of `version` 1 or 2; gives its length. */
size_t dg_proxy_write(unsigned version, const dg_route *route, char out[DG_PROXY_WRITE_BYTES_MAX]);

/* The ends of a socket; not known for a unix socket. */
void dg_route_of(int fd, dg_route *ret_route);

#endif
