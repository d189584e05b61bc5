/* What the tests of sockets share: a loop that is turned by hand, and blocking peers on loopback.
 */
#ifndef DG_TEST_NET_FIXTURE_H
#define DG_TEST_NET_FIXTURE_H

#include "proxy/net/address.h"
#include "proxy/net/loop.h"

/* Turns the loop until *flag is not 0, or for `ms` at most. True when the flag came. */
bool net_turn_until(dg_loop *loop, const unsigned *flag, unsigned ms);
/* Turns it for that long, whatever happens. */
void net_turn_for(dg_loop *loop, unsigned ms);

/* A listening socket on 127.0.0.1, blocking, and its address. */
int net_listen(dg_address *ret_address);
/* An address of 127.0.0.1 where nobody listens; *ret_fd holds it. */
void net_refusing(dg_address *ret_address, int *ret_fd);

void net_send(int fd, const void *bytes, size_t len);
/* Reads exactly len bytes. */
void net_read(int fd, void *to, size_t len);

#endif
