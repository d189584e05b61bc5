#!/usr/bin/env python3
"""Request targets (RFC 9112 3.2, RFC 9110 7.4), the redirect to https, Max-Forwards (7.6.2) and Expect (10.1.1).

  targets.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import re
import sys
import time

import harness
import scenarios
from harness import Client, Upstream, answer_bytes, get, post, wait_until

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def ask(port, line, *fields):
    with Client(port) as client:
        return client.ask(("%s HTTP/1.1\r\nHost: h.example\r\n%s\r\n"
                           % (line, "".join(f + "\r\n" for f in fields))).encode(), line.split()[0])


@scenario
def a_scheme_that_is_not_the_connections_is_421(s):
    """RFC 9110 7.4, 15.5.20."""
    proxy, up = s.start()
    reply = ask(proxy.port, "GET https://h.example/a")
    told = json.loads(reply.body)
    assert reply.status == 421 and told["status"] == 421 and told["type"].endswith("bad-request"), reply.body
    assert ask(proxy.port, "GET http://other.example/a").status == 400
    assert ask(proxy.port, "GET http://h.example/a").status == 200
    assert [r.target for r in up.seen()] == ["/a"]


@scenario
def options_of_the_server_itself_goes_on_as_an_asterisk(s):
    """RFC 9112 3.2.4."""
    proxy, up = s.start()
    for line, target in (("OPTIONS http://h.example", "*"), ("OPTIONS *", "*"), ("OPTIONS http://h.example/", "/"),
                         ("OPTIONS http://h.example?a", "/?a"), ("GET http://h.example", "/")):
        assert ask(proxy.port, line).status == 200, line
        assert up.seen()[-1].target == target and up.seen()[-1].get("host") == b"h.example", (line, up.seen()[-1].target)
    assert ask(proxy.port, "OPTIONS https://h.example").status == 421


@scenario
def max_forwards_counts_down_and_ends_here_at_0(s):
    """RFC 9110 7.6.2, 9.3.7; TRACE (9.3.8) is refused."""
    proxy, up = s.start()
    assert ask(proxy.port, "OPTIONS /a", "Max-Forwards: 0").status == 204 and not up.seen()
    assert ask(proxy.port, "OPTIONS *", "Max-Forwards: 0").status == 204 and not up.seen()
    for value, sent in (("1", b"0"), ("70", b"69")):
        assert ask(proxy.port, "OPTIONS /a", "Max-Forwards: " + value).status == 200
        assert up.seen()[-1].get("max-forwards") == sent
    assert ask(proxy.port, "GET /a", "Max-Forwards: 0").status == 200, "of other methods it means nothing"
    assert up.seen()[-1].get("max-forwards") == b"0"
    count = len(up.seen())
    assert ask(proxy.port, "TRACE /a", "Max-Forwards: 3").status == 405 and len(up.seen()) == count


@scenario
def expectations_are_met_or_refused(s):
    """RFC 9110 10.1.1: only 100-continue; no 100 for a request that is refused, has no content, or came by HTTP/1.0."""
    proxy, up = s.start(config={"packs": [scenarios.ORDERS], "limits": {"body": 2048}})
    head = "POST %s HTTP/1.%d\r\nHost: h.example\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: %s\r\n\r\n"
    for path, minor, length, expect, status in (("/api/v1/orders", 1, 9999, "100-continue", 413), ("/none", 1, 3, "100-continue", 404),
                                                ("/api/v2/orders", 1, 3, "200-maybe", 417)):
        with Client(proxy.port) as client:
            client.send((head % (path, minor, length, expect)).encode())
            replies = client.wait(1, 2) and client.responses()
            assert [r.status for r in replies] == [status], (path, [r.status for r in replies])
    with Client(proxy.port) as client:
        client.send((head % ("/api/v2/orders", 0, 3, "100-continue")).encode())
        time.sleep(0.2)
        client.send(b"{ }")
        client.wait(1)
        assert [r.status for r in client.responses()] == [200], "HTTP/1.0 gets no 100"
    with Client(proxy.port) as client:
        client.send((head % ("/api/v2/orders", 1, 3, "100-Continue")).encode())
        wait_until(lambda: (client.pump(0.05), client.responses())[1], 2, "the 100")
        client.send(b"{ }")
        client.wait(1)
        assert [r.status for r in client.responses()] == [100, 200]
    with Client(proxy.port) as client:
        client.send((head % ("/api/v2/orders", 1, 0, "100-continue")).encode())
        client.wait(1)
        assert [r.status for r in client.responses()] == [200], "without content nobody waits"
    assert all(not r.all("expect") for r in up.seen())


@scenario
def a_final_answer_may_come_before_the_request_is_whole(s):
    """RFC 9112 9.3, RFC 9110 10.1.1: instead of a 100, too; then the connection ends, for the rest is not read."""
    def early(connection, data):
        if b"\r\n\r\n" in data:
            connection.send(answer_bytes(b"no", "403 Forbidden", b""))
            raise Upstream.Close
    proxy, _ = s.start(on_bytes=early)
    with Client(proxy.port) as client:
        client.send(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 100)
        reply = client.wait(1, 2)[0]
        assert reply.status == 403 and reply.body == b"no" and reply.get("connection") == b"close"


@scenario
def a_length_of_0_is_a_whole_request(s):
    """RFC 9112 6.3: its answer is waited for as for any other, and its connection kept."""
    def answer(connection, request):
        if request.target == "/slow":
            time.sleep(3)
        return harness.echo(connection, request)
    proxy, up = s.start(answer, {"timeouts": dict(harness.TIMEOUTS, answer="500ms")})
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.ask(post("/quick", b"")).status == 200
        assert len({r.connection for r in up.seen()}) == 1
        began = time.monotonic()
        assert client.ask(post("/slow", b"")).status == 504 and time.monotonic() - began < 2


@scenario
def a_listener_may_send_everybody_to_https(s):
    """RFC 9110 15.4.9: 308 keeps method and content."""
    first, second = harness.free_port(), harness.free_port()
    proxy, up = s.start(config={"listen": [{"address": "127.0.0.1:%d" % first, "redirect": "https"},
                                           {"address": "127.0.0.1:%d" % second, "redirect": "https", "port": 8443}]})
    for port, line, want in ((first, "GET /a/b?c=%20d", "https://h.example/a/b?c=%20d"),
                             (second, "PUT /a", "https://h.example:8443/a"), (first, "HEAD /", "https://h.example/"),
                             (first, "GET http://h.example:80/x?", "https://h.example/x?")):
        reply = ask(port, line) if "80/x" not in line else None
        if not reply:
            with Client(port) as client:
                reply = client.ask((line + " HTTP/1.1\r\nHost: h.example:80\r\n\r\n").encode())
        assert reply.status == 308 and reply.get("location") == want.encode(), (line, reply.head)
        assert reply.body == b"" and reply.get("date")
    with Client(first) as client:
        assert client.ask(get("/1")).status == 308 and client.ask(get("/2")).status == 308, "kept"
        assert client.ask(post("/3", b"x" * 5000)).status == 308
        assert client.wait_closed(), "content that nobody wants ends the connection"
    with Client(first) as client:
        assert client.ask(get("/4").replace(b"h.example", b"[::1]:9")).get("location") == b"https://[::1]/4"
    with Client(first) as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        assert client.wait(1)[0].status == 400, "whither?"
    assert ask(first, "GET /a/../b").status == 400
    assert not up.seen()
    for change, where in (({"redirect": "http"}, "'https' only"), ({"port": 1}, "'redirect: https'"),
                          ({"redirect": "https", "port": 0}, "a port")):
        before = proxy.log().count("reload refused")
        proxy.reload(listen=[dict(change, address="127.0.0.1:0")])
        wait_until(lambda: proxy.log().count("reload refused") > before, 2, "the refusal")
        assert re.search(r"dragoman\.yaml:\d+:\d+: error: .*%s" % where, proxy.log()), proxy.log()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
