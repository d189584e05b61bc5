#include "proxy/admin/control_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static dg_status close_failed(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return DG_IO;
}

/* Removes a socket that nobody listens on any more. False, with errno, when something else is
 * there. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info))
        return errno == ENOENT;
    if (!S_ISSOCK(info.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool refused =
        connect(fd, (const struct sockaddr *)address, sizeof *address) && errno == ECONNREFUSED;
    close(fd);
    if (!refused) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(address->sun_path) == 0;
}

/* Nobody can connect before listen, so the mode is right before it matters. */
static dg_status open_unix(const char *path, dg_control_socket *ret_socket)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat info;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path)
        return DG_SYNTAX;
    memcpy(address.sun_path, path, len + 1);
    if (!remove_stale(&address))
        return DG_IO;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address))
        return close_failed(fd);
    if (chmod(path, 0600) || stat(path, &info)) {
        int error = errno;
        unlink(path);
        errno = error;
        return close_failed(fd);
    }
    *ret_socket = (dg_control_socket){.fd = fd, .device = info.st_dev, .inode = info.st_ino};
    memcpy(ret_socket->path, path, len + 1);
    return DG_OK;
}

typedef union tcp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} tcp_address;

static bool parse_port(const char *text, in_port_t *ret_port)
{
    unsigned port = 0;
    size_t digits = 0;
    for (; digits < 5 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        port = port * 10 + (unsigned)(text[digits] - '0');
    if (digits == 0 || text[digits] || port > UINT16_MAX)
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

/* "127.0.0.1:9000" or "[::1]:9000"; no names, no resolver. The address's bytes, 0 if malformed. */
static socklen_t parse_tcp(const char *text, tcp_address *ret_address)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    bool v6 = text[0] == '[';
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (v6 && (len < 3 || text[len - 1] != ']'))
        return 0;
    if (v6) {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof host)
        return 0;
    memcpy(host, text, len);
    host[len] = '\0';
    memset(ret_address, 0, sizeof *ret_address);
    ret_address->any.sa_family = v6 ? AF_INET6 : AF_INET;
    if (v6)
        return inet_pton(AF_INET6, host, &ret_address->v6.sin6_addr) == 1 &&
                       parse_port(colon + 1, &ret_address->v6.sin6_port)
                   ? sizeof ret_address->v6
                   : 0;
    return inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1 &&
                   parse_port(colon + 1, &ret_address->v4.sin_port)
               ? sizeof ret_address->v4
               : 0;
}

static dg_status open_tcp(const char *text, dg_control_socket *ret_socket)
{
    tcp_address address;
    int on = 1;
    socklen_t len = parse_tcp(text, &address);
    if (len == 0)
        return DG_SYNTAX;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                   sizeof on) || /* accepted sockets inherit it */
        bind(fd, &address.any, len) ||
        getsockname(fd, &address.any, &len))
        return close_failed(fd);
    in_port_t port = address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port;
    *ret_socket = (dg_control_socket){.fd = fd, .port = ntohs(port)};
    return DG_OK;
}

dg_status dg_control_socket_open(const char *address, dg_control_socket *ret_socket)
{
    static const char prefix[] = "unix:";
    if (strncmp(address, prefix, sizeof prefix - 1) == 0)
        return open_unix(address + sizeof prefix - 1, ret_socket);
    return open_tcp(address, ret_socket);
}

void dg_control_socket_unlink(const dg_control_socket *socket)
{
    struct stat info;
    if (*socket->path && lstat(socket->path, &info) == 0 && info.st_dev == socket->device &&
        info.st_ino == socket->inode)
        unlink(socket->path);
}
