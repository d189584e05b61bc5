/* Socket addresses as people write them: "127.0.0.1:8080", "[::1]:8080", ":8080" (every address), "localhost:9000",
 * "unix:/run/dragoman.sock". Any thread; resolving a name blocks. */
#ifndef DG_NET_ADDRESS_H
#define DG_NET_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/slice.h"
#include "base/status.h"

enum { DG_ADDRESSES_MAX = 8, DG_ADDRESS_TEXT_BYTES = 120 };

typedef struct dg_address {
    struct sockaddr_storage storage;
    socklen_t size;
} dg_address;

/* Up to DG_ADDRESSES_MAX addresses. On failure *ret_error is a static sentence: DG_SYNTAX when the text is
 * no address, DG_NOT_FOUND when the name does not resolve. */
DG_MUST_USE dg_status dg_address_resolve(const char *text, bool passive, dg_address *ret_addresses,
                                         size_t *ret_count, const char **ret_error);

/* Whether that is a host name, whose addresses may change. */
bool dg_address_is_name(const char *text);

/* A network: "10.0.0.0/8", "::1", "unix" for every peer on a unix socket. */
typedef struct dg_network {
    int family;
    unsigned char bytes[16];
    unsigned bits;
} dg_network;
DG_MUST_USE dg_status dg_network_parse(const char *text, dg_network *ret_network);
bool dg_network_has(const dg_network *network, const struct sockaddr *address);

/* The host of an address without its port, numeric ("::1"), "unix" for a unix socket. */
void dg_address_host(const struct sockaddr *address, char ret_text[DG_ADDRESS_TEXT_BYTES]);
/* Host and port: "127.0.0.1:8080", "[::1]:8080", "unix:/path". */
void dg_address_text(const struct sockaddr *address, char ret_text[DG_ADDRESS_TEXT_BYTES]);

#endif
