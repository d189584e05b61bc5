#!/usr/bin/env python3
"""Where clients come from and backends are: unix sockets and IPv6, on both sides.

  addresses.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import signal
import socket
import stat
import sys

import harness
import scenarios
from harness import Client, get, post, wait_until

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


@scenario
def unix_sockets_serve_on_both_sides(s):
    folder = s.folder()
    inside, outside = os.path.join(folder, "api.sock"), os.path.join(folder, "front.sock")
    up = harness.Upstream(address=inside)
    proxy, _ = s.start(config={"listen": [{"address": "unix:" + outside, "mode": "0620"}], "access_log": "access.log",
                               "upstream": {"url": "unix:" + inside}})
    assert stat.S_IMODE(os.lstat(outside).st_mode) == 0o620
    with Client(outside) as client:
        for n in range(3):
            assert json.loads(client.ask(post("/%d" % n, b"x" * 70000)).body)["bytes"] == 70000
    request = up.seen()[0]
    assert request.get("host") == b"h.example" and not request.all("x-forwarded-for"), request.fields
    assert len({r.connection for r in up.seen()}) == 1, "kept, as any other"
    with Client(proxy.port) as client:
        assert client.ask(get("/tcp")).status == 200
    assert up.seen()[-1].get("x-forwarded-for") == b"127.0.0.1"
    wait_until(lambda: os.path.getsize(os.path.join(proxy.folder, "access.log")), 2, "the log")
    with open(os.path.join(proxy.folder, "access.log")) as log:
        assert json.loads(log.readline())["client"] == "unix"
    up.close()


@scenario
def every_worker_takes_from_a_unix_socket(s):
    path = os.path.join(s.folder(), "front.sock")
    proxy, _ = s.start(config={"listen": ["unix:" + path]}, workers=3)
    clients = [Client(path) for _ in range(40)]
    for client in clients:
        assert client.ask(get("/")).status == 200
        client.sock.close()


@scenario
def a_peer_on_a_unix_socket_is_trusted_when_it_is_listed(s):
    path = os.path.join(s.folder(), "front.sock")
    proxy, up = s.start(config={"listen": ["unix:" + path], "trusted_proxies": "unix"})
    with Client(path) as client:
        client.ask(get("/", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2"))
    assert up.seen()[0].all("x-forwarded-for") == [b"192.0.2.1, 192.0.2.2"]


@scenario
def only_stale_sockets_are_replaced_and_only_own_ones_removed(s):
    folder = s.folder()
    path = os.path.join(folder, "front.sock")
    proxy, _ = s.start(config={"listen": ["unix:" + path]})
    other, _ = s.start(config={"listen": ["unix:" + os.path.join(folder, "other.sock")]})
    other.reload(listen=["127.0.0.1:%d" % other.port, "unix:" + path, "unix:" + os.path.join(folder, "third.sock")])
    wait_until(lambda: "reload refused" in other.log(), 2, "somebody listens there")
    assert not os.path.exists(os.path.join(folder, "third.sock")), "nothing is left of a refused reload"
    assert os.path.exists(os.path.join(folder, "other.sock"))
    with Client(path) as client:
        assert client.ask(get("/")).status == 200
    proxy.process.send_signal(signal.SIGKILL)
    proxy.process.wait()
    assert os.path.exists(path)
    proxy.start([proxy.binary, "serve", "--config", proxy.save(), "--workers", "1"])
    with Client(path) as client:
        assert client.ask(get("/")).status == 200, "a stale socket was replaced"
    proxy.reload(listen=["127.0.0.1:%d" % proxy.port])
    wait_until(lambda: not os.path.exists(path), 2, "a listener that is gone takes its file along")
    proxy.reload(listen=["127.0.0.1:%d" % proxy.port, "unix:" + path])
    wait_until(lambda: os.path.exists(path), 2, "the listener is back")
    os.unlink(path)
    with open(path, "w") as file:
        file.write("mine")
    assert proxy.stop() == []
    assert os.path.exists(path), "what somebody else put there stays"
    other.reload(listen=["127.0.0.1:%d" % other.port, "unix:" + path])
    wait_until(lambda: other.log().count("reload refused") == 2, 2, "a file is no stale socket")
    assert other.stop() == []
    assert os.listdir(folder) == ["front.sock"], os.listdir(folder)
    s.started.clear()


@scenario
def what_a_killed_process_left_is_removed_at_the_next_start(s):
    folder = s.folder()
    foreign = os.path.join(folder, "dragoman-abcdef")
    os.mkdir(foreign, 0o700)
    with open(os.path.join(foreign, "file"), "w"):
        pass
    admin = {"admin": "127.0.0.1:%d" % harness.free_port()}
    first = harness.Dragoman(s.binary, harness.free_port(), admin, XDG_RUNTIME_DIR=folder)
    second = harness.Dragoman(s.binary, harness.free_port(), XDG_RUNTIME_DIR=folder)
    assert len(os.listdir(folder)) == 3, "a living process keeps its own"
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    left = [os.path.join(folder, name, "control.sock") for name in os.listdir(folder)]
    for path in filter(os.path.exists, left):
        os.utime(path, (0, 0))
    first.start([first.binary, "serve", "--config", first.save(), "--workers", "1"], XDG_RUNTIME_DIR=folder)
    wait_until(lambda: first.log().count("admin API") == 2, 2, "it listens again")
    assert len(os.listdir(folder)) == 3, os.listdir(folder)
    assert first.stop() == [] and second.stop() == []
    assert os.listdir(folder) == ["dragoman-abcdef"]


@scenario
def a_living_process_keeps_its_folder_whatever_it_looks_like(s):
    """Between bind and listen a socket refuses, as that of a dead process does; and one without a socket may be old."""
    folder = s.folder()
    admin = {"admin": "127.0.0.1:%d" % harness.free_port()}
    first = harness.Dragoman(s.binary, harness.free_port(), admin, XDG_RUNTIME_DIR=folder)
    wait_until(lambda: "admin API" in first.log(), 2, "its socket is there")
    path = os.path.join(folder, os.listdir(folder)[0], "control.sock")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(path)
    second = harness.Dragoman(s.binary, harness.free_port(), XDG_RUNTIME_DIR=folder)
    for name in os.listdir(folder):
        os.utime(os.path.join(folder, name), (0, 0))
    third = harness.Dragoman(s.binary, harness.free_port(), XDG_RUNTIME_DIR=folder)
    assert len(os.listdir(folder)) == 3 and os.path.exists(path), os.listdir(folder)
    for proxy in (second, third, first):
        assert proxy.stop() == []
    assert not [name for name in os.listdir(folder) if name not in path], "each takes its own along"


@scenario
def what_is_bound_a_moment_ago_is_not_taken_for_left_behind(s):
    """A process that starts at the same time binds its socket before it listens."""
    folder = s.folder()
    starting = os.path.join(folder, "dragoman-abcdef")
    os.mkdir(starting, 0o700)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.join(starting, "control.sock"))
        proxy = harness.Dragoman(s.binary, harness.free_port(), {"admin": "127.0.0.1:%d" % harness.free_port()},
                                 XDG_RUNTIME_DIR=folder)
        assert os.listdir(starting) == ["control.sock"]
        assert proxy.stop() == []


@scenario
def ipv6_on_both_sides(s):
    """RFC 3986 3.2.2: in brackets."""
    up = harness.Upstream(address=("::1", 0))
    port = harness.free_port()
    proxy, _ = s.start(config={"listen": ["[::1]:%d" % port], "upstream": "http://[::1]:%d" % up.port,
                               "trusted_proxies": "::/64"})
    with Client(("::1", port)) as client:
        assert client.ask(get("/a").replace(b"h.example", b"[::1]:%d" % port)).status == 200
        assert client.ask(b"GET http://[::1]:%d/b HTTP/1.1\r\nHost: [::1]:%d\r\n\r\n" % (port, port)).status == 200
        client.ask(get("/c", "X-Forwarded-For: 2001:db8::7"))
        client.send(b"GET /d HTTP/1.0\r\n\r\n")
        assert client.wait(4)[3].status == 200
    assert up.seen()[0].get("x-forwarded-for") == b"::1"
    assert up.seen()[1].get("host") == b"[::1]:%d" % port and up.seen()[1].target == "/b"
    assert up.seen()[2].get("x-forwarded-for") == b"2001:db8::7, ::1"
    assert up.seen()[3].get("host") == b"[::1]:%d" % up.port, "the backend's own, for a client that names none"
    with Client(proxy.port) as client:
        assert client.ask(get("/")).status == 200
    up.close()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
