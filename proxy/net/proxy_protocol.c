#include "proxy/net/proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

enum { V2_HEAD_BYTES = 16, V2_TCP4_BYTES = 12, V2_TCP6_BYTES = 36, V2_UNIX_BYTES = 216 };

static const dg_slice v1_start = {"PROXY ", 6};
static const dg_slice v2_start = {"\r\n\r\n\0\r\nQUIT\n", 12};

/* Whether as much of `in` as there is begins like that. */
static bool begins(dg_slice in, dg_slice start)
{
    size_t bytes = in.len < start.len ? in.len : start.len;
    return memcmp(in.ptr, start.ptr, bytes) == 0;
}

/* ---- version 1 */

/* The next word of a line, up to a single space or the end. */
static dg_slice word(dg_slice *line)
{
    size_t end = dg_slice_find(*line, ' ');
    dg_slice found = dg_slice_until(*line, end);
    *line = dg_slice_from(*line, end + 1);
    return found;
}

static bool parse_ip(dg_slice text, int family, dg_ip *ret_ip)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *ret_ip = (dg_ip){.v6 = {.sin6_family = AF_UNSPEC}};
    ret_ip->any.sa_family = (sa_family_t)family;
    return inet_pton(family, copy, family == AF_INET ? (void *)&ret_ip->v4.sin_addr
                                                     : (void *)&ret_ip->v6.sin6_addr) == 1;
}

/* Decimal, without leading zeros. */
static bool parse_port(dg_slice text, in_port_t *ret_port)
{
    unsigned port = 0;
    if (text.len == 0 || text.len > 5 || (text.ptr[0] == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *ret_port = htons((uint16_t)port);
    return port <= 65535;
}

static in_port_t *port_of(dg_ip *ip)
{
    return ip->any.sa_family == AF_INET ? &ip->v4.sin_port : &ip->v6.sin6_port;
}

/* "TCP4 192.0.2.1 192.0.2.2 1234 443", behind PROXY. */
static dg_status parse_line(dg_slice line, dg_route *route)
{
    dg_slice protocol = word(&line);
    if (dg_slice_eq(protocol, DG_SLICE("UNKNOWN")))
        return DG_OK; /* whatever follows is ignored (2.1) */
    int family = dg_slice_eq(protocol, DG_SLICE("TCP4"))   ? AF_INET
                 : dg_slice_eq(protocol, DG_SLICE("TCP6")) ? AF_INET6
                                                           : AF_UNSPEC;
    bool good = family != AF_UNSPEC && parse_ip(word(&line), family, &route->from) &&
                parse_ip(word(&line), family, &route->to) &&
                parse_port(word(&line), port_of(&route->from)) && line.len > 0 &&
                parse_port(line, port_of(&route->to));
    return good ? DG_OK : DG_SYNTAX;
}

static dg_status parse_v1(dg_slice in, size_t *ret_consumed, dg_route *route)
{
    dg_slice window = dg_slice_until(in, DG_PROXY_V1_BYTES_MAX);
    size_t end = dg_slice_find(window, '\n');
    if (end == window.len)
        return in.len < DG_PROXY_V1_BYTES_MAX ? DG_AGAIN : DG_LIMIT;
    dg_slice line = dg_slice_until(window, end);
    if (line.ptr[line.len - 1] != '\r')
        return DG_SYNTAX;
    line.len--;
    *ret_consumed = end + 1;
    return parse_line(dg_slice_from(line, v1_start.len), route);
}

/* ---- version 2 */

static void set_ip(dg_ip *ip, int family, const char *address, const char *port)
{
    *ip = (dg_ip){.v6 = {.sin6_family = AF_UNSPEC}};
    ip->any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        memcpy(&ip->v4.sin_addr, address, 4);
    else
        memcpy(&ip->v6.sin6_addr, address, 16);
    memcpy(port_of(ip), port, 2);
}

static dg_status parse_v2(dg_slice in, size_t *ret_consumed, dg_route *route)
{
    if (in.len < V2_HEAD_BYTES)
        return DG_AGAIN;
    const unsigned char *head = (const unsigned char *)in.ptr + v2_start.len;
    unsigned command = head[0], family = head[1], bytes = (unsigned)head[2] << 8 | head[3];
    if (command != 0x20 && command != 0x21)
        return DG_SYNTAX;
    if (V2_HEAD_BYTES + bytes > DG_PROXY_V2_BYTES_MAX)
        return DG_LIMIT;
    if (in.len < V2_HEAD_BYTES + bytes)
        return DG_AGAIN;
    const char *at = in.ptr + V2_HEAD_BYTES;
    bool local = command == 0x20;
    if (!local && family == 0x11 && bytes >= V2_TCP4_BYTES) {
        set_ip(&route->from, AF_INET, at, at + 8);
        set_ip(&route->to, AF_INET, at + 4, at + 10);
    } else if (!local && family == 0x21 && bytes >= V2_TCP6_BYTES) {
        set_ip(&route->from, AF_INET6, at, at + 32);
        set_ip(&route->to, AF_INET6, at + 16, at + 34);
    } else if (!local && family != 0x00 && (family != 0x31 || bytes < V2_UNIX_BYTES)) {
        return DG_SYNTAX;
    }
    *ret_consumed = V2_HEAD_BYTES + bytes;
    return DG_OK;
}

/* ---- both */

dg_status dg_proxy_parse(dg_slice in, size_t *ret_consumed, dg_route *ret_route)
{
    dg_route route = {.from = {.any = {.sa_family = AF_UNSPEC}}};
    size_t consumed = 0;
    if (in.len == 0)
        return DG_AGAIN;
    bool v1 = begins(in, v1_start), v2 = begins(in, v2_start);
    if (!v1 && !v2)
        return DG_SYNTAX;
    if (in.len < (v1 ? v1_start : v2_start).len)
        return DG_AGAIN;
    dg_status status = v1 ? parse_v1(in, &consumed, &route) : parse_v2(in, &consumed, &route);
    if (status != DG_OK)
        return status;
    *ret_consumed = consumed;
    *ret_route = route;
    return DG_OK;
}

dg_status dg_proxy_read(int fd, dg_route *ret_route)
{
    char bytes[DG_PROXY_V2_BYTES_MAX];
    size_t consumed;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? DG_AGAIN : DG_IO;
    if (n == 0)
        return DG_CLOSED;
    dg_status status = dg_proxy_parse(dg_slice_of(bytes, (size_t)n), &consumed, ret_route);
    if (status == DG_OK && recv(fd, bytes, consumed, 0) != (ssize_t)consumed)
        return DG_IO;
    return status;
}

static size_t write_v1(const dg_route *route, char out[DG_PROXY_WRITE_BYTES_MAX])
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    int family = route->from.any.sa_family, n;
    if (family == AF_INET && inet_ntop(family, &route->from.v4.sin_addr, from, sizeof from) &&
        inet_ntop(family, &route->to.v4.sin_addr, to, sizeof to))
        n = snprintf(out, DG_PROXY_WRITE_BYTES_MAX, "PROXY TCP4 %s %s %u %u\r\n", from, to,
                     ntohs(route->from.v4.sin_port), ntohs(route->to.v4.sin_port));
    else if (family == AF_INET6 && inet_ntop(family, &route->from.v6.sin6_addr, from, sizeof from) &&
             inet_ntop(family, &route->to.v6.sin6_addr, to, sizeof to))
        n = snprintf(out, DG_PROXY_WRITE_BYTES_MAX, "PROXY TCP6 %s %s %u %u\r\n", from, to,
                     ntohs(route->from.v6.sin6_port), ntohs(route->to.v6.sin6_port));
    else
        n = snprintf(out, DG_PROXY_WRITE_BYTES_MAX, "PROXY UNKNOWN\r\n");
    return (size_t)n;
}

static size_t write_v2(const dg_route *route, char out[DG_PROXY_WRITE_BYTES_MAX])
{
    char *at = out + V2_HEAD_BYTES;
    size_t bytes = 0;
    memcpy(out, v2_start.ptr, v2_start.len);
    out[12] = 0x21;
    out[13] = 0x00;
    if (route->from.any.sa_family == AF_INET) {
        out[13] = 0x11;
        memcpy(at, &route->from.v4.sin_addr, 4);
        memcpy(at + 4, &route->to.v4.sin_addr, 4);
        memcpy(at + 8, &route->from.v4.sin_port, 2);
        memcpy(at + 10, &route->to.v4.sin_port, 2);
        bytes = V2_TCP4_BYTES;
    } else if (route->from.any.sa_family == AF_INET6) {
        out[13] = 0x21;
        memcpy(at, &route->from.v6.sin6_addr, 16);
        memcpy(at + 16, &route->to.v6.sin6_addr, 16);
        memcpy(at + 32, &route->from.v6.sin6_port, 2);
        memcpy(at + 34, &route->to.v6.sin6_port, 2);
        bytes = V2_TCP6_BYTES;
    }
    out[14] = 0;
    out[15] = (char)bytes;
    return V2_HEAD_BYTES + bytes;
}

size_t dg_proxy_write(unsigned version, const dg_route *route, char out[DG_PROXY_WRITE_BYTES_MAX])
{
    return version == 1 ? write_v1(route, out) : write_v2(route, out);
}

void dg_route_of(int fd, dg_route *ret_route)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC}, to = {.ss_family = AF_UNSPEC};
    socklen_t from_size = sizeof from, to_size = sizeof to;
    *ret_route = (dg_route){.from = {.any = {.sa_family = AF_UNSPEC}}};
    if (getpeername(fd, (struct sockaddr *)&from, &from_size) != 0 ||
        getsockname(fd, (struct sockaddr *)&to, &to_size) != 0 || from.ss_family != to.ss_family ||
        (from.ss_family != AF_INET && from.ss_family != AF_INET6))
        return;
    memcpy(&ret_route->from, &from, sizeof ret_route->from);
    memcpy(&ret_route->to, &to, sizeof ret_route->to);
}
