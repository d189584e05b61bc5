#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static dg_status unix_address(const char *path, dg_address *ret_address, const char **ret_error)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof un.sun_path) {
        *ret_error = "the path of a unix socket has 1 to 107 bytes";
        return DG_SYNTAX;
    }
    memcpy(un.sun_path, path, len + 1);
    memcpy(&ret_address->storage, &un, sizeof un);
    ret_address->size = sizeof un;
    return DG_OK;
}

/* Splits "host:port", "[v6]:port" and ":port"; host is at most 255 bytes. */
static bool split(const char *text, char host[256], const char **ret_port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return false;
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return false; /* a bare IPv6 address: which colon parts the port? */
    }
    if (len > 255)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *ret_port = colon + 1;
    return true;
}

static bool valid_port(const char *port)
{
    unsigned value = 0;
    for (const char *p = port; *p; p++) {
        if (*p < '0' || *p > '9' || (value = value * 10 + (unsigned)(*p - '0')) > 65535)
            return false;
    }
    return true;
}

dg_status dg_address_resolve(const char *text, bool passive, dg_address *ret_addresses,
                             size_t *ret_count, const char **ret_error)
{
    if (strncmp(text, "unix:", 5) == 0) {
        dg_status status = unix_address(text + 5, ret_addresses, ret_error);
        if (status == DG_OK)
            *ret_count = 1;
        return status;
    }
    char host[256];
    const char *port;
    if (!split(text, host, &port) || !valid_port(port) || (!passive && !*host)) {
        *ret_error = passive ? "an address looks like 127.0.0.1:8080, [::1]:8080, name:8080 or :8080"
                             : "an address looks like 127.0.0.1:8080, [::1]:8080, host:8080 or unix:/path";
        return DG_SYNTAX;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    if (passive)
        hints.ai_flags |= AI_PASSIVE;
    if (getaddrinfo(*host ? host : NULL, port, &hints, &list) != 0) {
        *ret_error = "the host name does not resolve";
        return DG_NOT_FOUND;
    }
    size_t n = 0;
    for (struct addrinfo *a = list; a && n < DG_ADDRESSES_MAX; a = a->ai_next) {
        memcpy(&ret_addresses[n].storage, a->ai_addr, a->ai_addrlen);
        ret_addresses[n++].size = a->ai_addrlen;
    }
    freeaddrinfo(list);
    *ret_count = n;
    return DG_OK;
}

bool dg_address_is_name(const char *text)
{
    char host[256];
    const char *port;
    unsigned char bytes[16];
    return strncmp(text, "unix:", 5) != 0 && split(text, host, &port) && *host &&
           inet_pton(AF_INET, host, bytes) != 1 && inet_pton(AF_INET6, host, bytes) != 1;
}

dg_status dg_network_parse(const char *text, dg_network *ret_network)
{
    char host[64];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    *ret_network = (dg_network){.family = AF_UNIX};
    if (strcmp(text, "unix") == 0)
        return DG_OK;
    if (len >= sizeof host)
        return DG_SYNTAX;
    memcpy(host, text, len);
    host[len] = '\0';
    ret_network->family = strchr(host, ':') ? AF_INET6 : AF_INET;
    unsigned bits_max = ret_network->family == AF_INET ? 32 : 128;
    char *end = NULL;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : bits_max;
    if (inet_pton(ret_network->family, host, ret_network->bytes) != 1 || bits > bits_max ||
        (slash && (end == slash + 1 || *end || slash[1] < '0' || slash[1] > '9')))
        return DG_SYNTAX;
    ret_network->bits = (unsigned)bits;
    return DG_OK;
}

/* The bytes of an IP address; an IPv4 address that came in over IPv6 (RFC 4291 2.5.5.2) counts as what it is. */
static const unsigned char *bytes_of(const struct sockaddr *address, int *ret_family)
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    *ret_family = address->sa_family;
    if (address->sa_family == AF_INET)
        return (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address->sa_family != AF_INET6)
        return NULL;
    const unsigned char *bytes =
        ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    if (memcmp(bytes, mapped, sizeof mapped) != 0)
        return bytes;
    *ret_family = AF_INET;
    return bytes + sizeof mapped;
}

bool dg_network_has(const dg_network *network, const struct sockaddr *address)
{
    int family;
    const unsigned char *bytes = bytes_of(address, &family);
    if (family != network->family)
        return false;
    if (!bytes)
        return true; /* a unix socket */
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    return memcmp(bytes, network->bytes, whole) == 0 &&
           (rest == 0 || (bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0);
}

void dg_address_host(const struct sockaddr *address, char ret_text[DG_ADDRESS_TEXT_BYTES])
{
    const void *bytes = NULL;
    if (address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (!bytes || !inet_ntop(address->sa_family, bytes, ret_text, DG_ADDRESS_TEXT_BYTES))
        memcpy(ret_text, "unix", 5);
}

void dg_address_text(const struct sockaddr *address, char ret_text[DG_ADDRESS_TEXT_BYTES])
{
    char host[DG_ADDRESS_TEXT_BYTES];
    dg_address_host(address, host);
    if (address->sa_family == AF_INET)
        snprintf(ret_text, DG_ADDRESS_TEXT_BYTES, "%.60s:%u", host,
                 ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port));
    else if (address->sa_family == AF_INET6)
        snprintf(ret_text, DG_ADDRESS_TEXT_BYTES, "[%.60s]:%u", host,
                 ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port));
    else
        snprintf(ret_text, DG_ADDRESS_TEXT_BYTES, "unix:%.107s",
                 ((const struct sockaddr_un *)(const void *)address)->sun_path);
}
