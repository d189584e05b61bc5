/* libFuzzer over the PROXY protocol. Beyond the sanitizers: a header has one verdict however it arrives, what follows it
 * does not count, and what was read is read again after it was written in either version. */
#include <stdlib.h>

#include "proxy/net/proxy_protocol.h"

#define HOLD(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_ip(const dg_ip *a, const dg_ip *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->any.sa_family == AF_UNSPEC ||
           (a->v6.sin6_port == b->v6.sin6_port &&
            memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0);
}

static void write_and_read(const dg_route *route)
{
    for (unsigned version = 1; version <= 2; version++) {
        char bytes[DG_PROXY_WRITE_BYTES_MAX];
        size_t len = dg_proxy_write(version, route, bytes), consumed = 0;
        dg_route again;
        HOLD(len <= sizeof bytes);
        HOLD(dg_proxy_parse(dg_slice_of(bytes, len), &consumed, &again) == DG_OK && consumed == len);
        HOLD(same_ip(&route->from, &again.from) && same_ip(&route->to, &again.to));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t consumed = 0, part_consumed = 0;
    dg_route route, part_route;
    dg_status whole = dg_proxy_parse(dg_slice_of(data, size), &consumed, &route);
    for (size_t len = 0; len < size; len++) {
        dg_status part = dg_proxy_parse(dg_slice_of(data, len), &part_consumed, &part_route);
        if (part == DG_AGAIN)
            continue;
        HOLD(part == whole && (part != DG_OK || (part_consumed == consumed && consumed <= len)));
        break;
    }
    if (whole == DG_OK) {
        HOLD(consumed > 0 && consumed <= size);
        write_and_read(&route);
    }
    return 0;
}
