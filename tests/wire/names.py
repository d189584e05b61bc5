#!/usr/bin/env python3
"""Backends whose names come to mean other addresses.

  names.py --dragoman BINARY [--only NAME,..] [--jobs N]     the binary is linked with moving_names.c"""
import os
import sys
import time

import harness
import scenarios
from harness import Client, answer_bytes, get, wait_until

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


class Names:
    """A backend of each address, all on one port, and the name that means one of them."""

    def __init__(self, s, resolve, *addresses):
        self.path = os.path.join(s.folder(), "names")
        self.ups, port = {}, 0
        for address in addresses:
            up = harness.Upstream(lambda *_, said=address: answer_bytes(b'"%s"' % said.encode()), address=(address, port))
            port = up.port
            self.ups[address] = up
        self.move(addresses[0])
        self.proxy = harness.Dragoman(s.binary, port, {"upstream": {"url": "http://backend.test:%d" % port, "resolve": resolve,
                                                               "keep": 0}}, MOVING_NAMES=self.path)
        s.started.append((self.proxy, self.ups[addresses[0]]))

    def move(self, address):
        with open(self.path + ".new", "w") as file:
            file.write(address + "\n")
        os.rename(self.path + ".new", self.path)

    def ask(self):
        with Client(self.proxy.port) as client:
            return client.ask(get("/", "Connection: close"))


@scenario
def a_name_that_moves_is_followed_when_connections_fail(s):
    names = Names(s, "1h", "127.0.0.2", "127.0.0.3")
    assert names.ask().body == b'"127.0.0.2"'
    names.ups["127.0.0.2"].close()
    names.move("127.0.0.3")
    began = time.monotonic()
    while names.ask().body != b'"127.0.0.3"':
        assert time.monotonic() - began < 6, "not followed"
        time.sleep(0.1)
    assert "has other addresses now" in names.proxy.log()
    names.ups["127.0.0.3"].close()


@scenario
def a_name_is_looked_up_again_from_time_to_time(s):
    names = Names(s, "1s", "127.0.0.2", "127.0.0.3")
    assert names.ask().body == b'"127.0.0.2"'
    names.move("127.0.0.3")
    wait_until(lambda: names.ask().body == b'"127.0.0.3"', 6, "the new address, though the old one still answers")
    os.unlink(names.path)
    time.sleep(2.5)
    assert names.ask().body == b'"127.0.0.3"', "the last known address stays"
    assert "does not resolve now" in names.proxy.log()
    names.ups["127.0.0.3"].close()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
