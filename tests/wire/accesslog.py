#!/usr/bin/env python3
"""The access log: what stands in it, that nothing forges a line, rotation and reload.

  accesslog.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import re
import signal
import socket
import struct
import sys
import time

import harness
import scenarios
from harness import Client, Upstream, answer_bytes, get, post, wait_until

NEW = b'{"data":{"id":"ord_1","amount":234.40,"status":"active"}}'
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def lines(proxy, count, name="access.log"):
    """The first `count` lines, once they are there."""
    path = os.path.join(proxy.folder, name)

    def read():
        if not os.path.exists(path):
            return []
        with open(path, newline="\n", errors="surrogateescape") as log:
            return log.read().split("\n")[:-1]
    wait_until(lambda: len(read()) >= count, 3, "%d lines in %s" % (count, name))
    found = read()
    assert len(found) == count, found
    return found


@scenario
def a_json_line_says_who_asked_what_in_which_version(s):
    def answer(_, request):
        return answer_bytes(b'{"error":{}', "200 OK") if request.target.endswith("bad") else answer_bytes(NEW)
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS], "access_log": "access.log"})
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders/1?a=b", 'User-Agent: x"y\\z', "Referer: http://r.example/"))
        client.ask(get("/api/v2/orders/1"))
        client.ask(get("/api/v1/orders/bad"))
        client.ask(get("/api/v9/orders"))
        client.send(b"BAD\x01\r\n\r\n")
        client.wait_closed()
    found = [json.loads(line) for line in lines(proxy, 5)]
    first = found[0]
    assert first["method"] == "GET" and first["target"] == "/api/v1/orders/1?a=b" and first["status"] == 200
    assert (first["api"], first["version"], first["backend_version"], first["endpoint"]) == \
        ("orders", "v1", "v2", "/orders/{id}")
    assert first["program"] == "response" and found[1]["program"] == "identity"
    assert first["upstream_address"] == "127.0.0.1:%d" % up.port and len(first["request_id"]) == 32
    assert first["translated"] and first["bytes"] == len(old.body) and first["client"] == "127.0.0.1"
    assert first["user_agent"] == 'x"y\\z' and first["referer"] == "http://r.example/"
    assert first["duration_us"] >= first["first_byte_us"] >= first["connect_us"] >= 0
    assert first["upstream"].endswith(str(up.port)) and first["retries"] == 0 and "problem" not in first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["time"])
    assert found[1]["version"] == "v2" and not found[1]["translated"] and found[1]["bytes"] == len(NEW)
    assert "connect_us" not in found[1], "a kept connection"
    assert found[2]["problem"] == "upstream-body" and found[2]["side"] == "upstream" and found[2]["status"] == 502
    assert found[3]["problem"] == "unknown-version" and found[3]["side"] == "downstream"
    assert found[4]["problem"] == "bad-request" and found[4]["status"] == 400


@scenario
def nothing_forges_a_line(s):
    for form in ("json", "combined"):
        proxy, _ = s.start(config={"access_log": {"file": "access.log", "format": form}})
        with Client(proxy.port) as client:
            # raw bytes that a field may hold, and quotes
            client.ask(b'GET /a"b HTTP/1.1\r\nHost: h.example\r\n\r\n')
        with Client(proxy.port) as client:
            client.ask(b'GET /%0a%22 HTTP/1.1\r\nHost: h.example\r\nUser-Agent: \xff\t" \\ \xe2\x80\xa8\r\n'
                       b"Referer: " + b"\xfe" * 9000 + b"\r\n\r\n")
        for line in lines(proxy, 2):
            if form == "json":
                json.loads(line)
            else:
                assert re.fullmatch(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                                    r'"[^"]*" \d{3} \d+ "[^"]*" "[^"]*"', line), line


@scenario
def rotation_and_reload_lose_no_line(s):
    proxy, _ = s.start(config={"access_log": "access.log"})
    at = os.path.join(proxy.folder, "access.log")
    with Client(proxy.port) as client:
        client.ask(get("/1"))
        lines(proxy, 1)
        os.rename(at, at + ".1")
        proxy.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(at), 2, "the new file")
        client.ask(get("/2"))
        lines(proxy, 1)
        proxy.reload(access_log="other.log")
        wait_until(lambda: "reloaded" in proxy.log(), 2, "the reload")
        client.ask(post("/3", b"{}"))
        assert json.loads(lines(proxy, 1, "other.log")[0])["target"] == "/3"
        proxy.reload(access_log="no/such/folder.log")
        wait_until(lambda: "reload refused" in proxy.log(), 2, "the refusal")
        client.ask(get("/4"))
        lines(proxy, 2, "other.log")
    lines(proxy, 1)
    lines(proxy, 1, "access.log.1")


@scenario
def a_client_that_leaves_is_noticed_at_once(s):
    """The backend's connection ends too, and the line says whose fault it was."""
    def answer(connection, request):
        if request.target == "/stream":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345")
        connection.sock.settimeout(3)
        ended.append((request.target, connection.sock.recv(1), time.monotonic()))
        raise Upstream.Close
    ended = []
    proxy, up = s.start(answer, {"access_log": "access.log", "timeouts": dict(harness.TIMEOUTS, answer="9s")})
    for number, (target, reset) in enumerate((("/wait", False), ("/wait", True), ("/stream", False), ("/post", False))):
        with Client(proxy.port) as client:
            client.send(post(target) if target == "/post" else get(target))
            wait_until(lambda: len(up.seen()) == number + 1, 2, "the request")
            if target == "/stream":
                wait_until(lambda: client.pump(0.05) and client.data.endswith(b"12345"), 2, "the beginning")
            if reset:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            left = time.monotonic()
        wait_until(lambda: len(ended) == number + 1, 2, "the backend hears of it")
        assert ended[-1][1] == b"" and ended[-1][2] - left < 0.5, ended
    found = [json.loads(line) for line in lines(proxy, 4)]
    assert [line["status"] for line in found] == [499, 499, 200, 499], found
    assert all(line["problem"] == "client-gone" and line["side"] == "downstream" for line in found), found


@scenario
def what_a_drain_cuts_has_its_line(s):
    def answer(connection, _):
        time.sleep(4)
    proxy, up = s.start(answer, {"access_log": "access.log", "timeouts": dict(harness.TIMEOUTS, answer="9s", drain="500ms")})
    keep = os.path.join(s.folder(), "kept.log")
    with Client(proxy.port) as client:
        client.send(get("/cut"))
        wait_until(lambda: up.seen(), 2, "the request")
        os.link(os.path.join(proxy.folder, "access.log"), keep)
        proxy.process.terminate()
        assert proxy.process.wait(5) == 0
    with open(keep) as log:
        line = json.loads(log.read())
    assert line["target"] == "/cut" and line["status"] == 0 and line["problem"] == "cut" and line["duration_us"] > 400000, line


@scenario
def the_extended_format_has_what_the_json_one_has(s):
    def answer(_, request):
        if request.target.endswith("missing"):
            return answer_bytes(b'{"error":{"code":404,"message":"no"}}', "404 Not Found")
        return answer_bytes(NEW)
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS], "access_log": {"file": "access.log", "format": "extended"}})
    with Client(proxy.port) as client:
        client.ask(get("/api/v1/orders/1", 'User-Agent: a" version="v9'))
        client.ask(post("/api/v1/orders", b'{"total":1}', "traceparent: 00-%s-b7ad6b7169203331-01" % ("ab" * 16)))
        client.ask(get("/api/v2/orders/1"))
        client.ask(get("/api/v1/orders/missing"))
        client.send(b"BAD\x01\r\n\r\n")
        client.wait_closed()
    found = lines(proxy, 5)
    told = [dict(re.findall(r' ([a-z_]+)=("[^"]*"|[^ "]+)', line)) for line in found]
    assert [t.get("program") for t in told] == ["response", "request,response", "identity", "error", None], told
    assert told[0]["version"] == '"v1"' and told[0]["backend_version"] == '"v2"' and told[0]["endpoint"] == '"/orders/{id}"'
    assert told[0]["upstream_address"] == "127.0.0.1:%d" % up.port and int(told[0]["duration_us"]) > 0
    assert told[1]["bytes_in"] == "11" and told[1]["trace_id"] == '"%s"' % ("ab" * 16) and told[1]["connect_us"] == "-"
    assert told[4]["problem"] == "bad-request" and len(told[4]["request_id"]) == 34


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
