#!/usr/bin/env python3
"""Exchanges with the real proxy that the corpus cannot say: time, reuse, back-pressure, signals, translation.

  scenarios.py --dragoman BINARY [--only NAME,..] [--jobs N]

Each scenario is a function; it starts what it needs, asserts, and its name says what holds."""
import argparse
import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

import harness
from harness import Client, Upstream, answer_bytes, get, post

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ORDERS = os.path.abspath(os.path.join(ROOT, "rules", "packs", "orders"))
LARGE = 8 << 20
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


class Setting:
    """What a scenario asks for its proxy from; everything is ended and judged behind it."""

    def __init__(self, binary):
        self.binary = binary
        self.started, self.folders = [], []

    def folder(self):
        self.folders.append(tempfile.mkdtemp(prefix="dragoman-wire-"))
        return self.folders[-1]

    def start(self, answer=None, config=None, workers=1, **upstream):
        up = Upstream(answer, **upstream)
        self.started.append((harness.Dragoman(self.binary, up.port, config, workers), up))
        return self.started[-1]

    def end(self):
        problems = []
        for proxy, up in self.started:
            problems += proxy.stop()
            up.close()
            problems += ["upstream got invalid bytes: %s" % v for v in up.violations]
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        return problems


def reached(address, seconds=3):
    """A client of an address that is about to be opened. A socket's file is there before anybody listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return Client(address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def chunked(body, size):
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


@scenario
def connections_are_kept_on_both_sides(s):
    proxy, up = s.start()
    with Client(proxy.port) as client:
        for n in range(5):
            assert client.ask(get("/%d" % n)).status == 200
        assert not client.closed
    assert [r.target for r in up.seen()] == ["/%d" % n for n in range(5)]
    assert len({r.connection for r in up.seen()}) == 1


@scenario
def close_is_obeyed(s):
    proxy, _ = s.start()
    with Client(proxy.port) as client:
        answer = client.ask(get("/", "Connection: close"))
        assert answer.status == 200 and answer.get("connection") == b"close"
        assert client.wait_closed(1)


@scenario
def pipelined_answers_come_in_order(s):
    def answer(connection, request):
        time.sleep(0.05 if request.target == "/0" else 0)
        return harness.echo(connection, request)
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        client.send(b"".join(get("/%d" % n) if n % 2 else post("/%d" % n, b'{"n":1}') for n in range(20)))
        finals = client.wait(20)
        assert [json.loads(r.body)["target"] for r in finals] == ["/%d" % n for n in range(20)]


@scenario
def split_writes_change_nothing(s):
    proxy, up = s.start()
    head = b"POST /x HTTP/1.1\r\nHost: h.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + chunked(b'{"n":123456}', 5)
    with Client(proxy.port) as client:
        client.send(*[data[i:i + 1] for i in range(len(data))], pause=0.001)
        assert client.wait(1)[0].status == 200
    assert up.seen()[0].body == b'{"n":123456}'


@scenario
def large_bodies_pass_both_ways(s):
    def answer(_, request):
        return (b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" + chunked(request.body, 70001))
    proxy, up = s.start(answer, {"limits": {"body": 64 << 20}})
    body = os.urandom(1 << 16) * (LARGE >> 16)
    head = (b"POST /large HTTP/1.1\r\nHost: h.example\r\nContent-Type: application/octet-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
    with Client(proxy.port) as client:
        sender = threading.Thread(target=client.sock.sendall, args=(head + chunked(body, 33333),))
        client.sock.settimeout(20)
        sender.start()
        sender.join()
        answer = client.wait(1, 20)[0]
        assert answer.complete and answer.body == body
    assert up.seen()[0].body == body


@scenario
def a_slow_reader_is_waited_for_without_buffering(s):
    sent = [0]

    def answer(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        b"Content-Length: %d\r\n\r\n" % (8 * LARGE))
        piece = b"x" * 65536
        while sent[0] < 8 * LARGE:
            connection.send(piece)
            sent[0] += len(piece)
    proxy, _ = s.start(answer)
    with Client(proxy.port, receive_buffer=65536) as client:
        client.send(get("/"))
        time.sleep(0.7)
        held = sent[0]
        assert 0 < held < 4 * LARGE, "the proxy took %d bytes that nobody read" % held
        got = 0
        client.sock.settimeout(10)
        while got < 8 * LARGE:
            more = client.sock.recv(1 << 20)
            assert more, "closed after %d" % got
            got += len(more)


@scenario
def a_lost_upstream_never_looks_complete(s):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    stages = {"/0": b"", "/1": b"HTTP/1.1 2", "/2": head, "/3": head + b"Content-Length: 9\r\n\r\n",
              "/4": head + b"Content-Length: 9\r\n\r\n1234",
              "/5": head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
              "/6": head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12"}

    def answer(connection, request):
        connection.send(stages[request.target])
        raise Upstream.Close
    proxy, _ = s.start(answer)
    for target in stages:
        with Client(proxy.port) as client:
            client.send(get(target))
            finals = client.wait(1, 3)
            if finals and finals[0].status in (502, 504):
                continue
            client.wait_closed(2)
            assert client.closed and not (finals and client.finals()[0].complete), target
            assert target not in ("/0", "/1", "/2"), "a head that never ended was answered"


@scenario
def an_unreachable_upstream_is_502(s):
    proxy, up = s.start()
    up.close()
    time.sleep(0.1)
    with Client(proxy.port) as client:
        answer = client.ask(get("/"))
        assert answer.status == 502 or answer.status == 503, answer.status
        assert answer.get("content-type") == b"application/problem+json"
        json.loads(answer.body)


@scenario
def expect_100_gets_its_continue(s):
    proxy, up = s.start()
    with Client(proxy.port) as client:
        client.send(b"POST /e HTTP/1.1\r\nHost: h.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        harness.wait_until(lambda: (client.pump(0.05), any(r.status == 100 for r in client.responses()))[1], 1.5,
                           "100 Continue")
        assert client.responses()[0].status == 100
        client.send(b"body")
        assert client.wait(1)[0].status == 200
    assert up.seen()[0].body == b"body"


@scenario
def silence_is_answered_with_408_or_504(s):
    def answer(_, request):
        time.sleep(5)
    proxy, _ = s.start(answer, {"timeouts": dict(harness.TIMEOUTS, head="1s", body="1s", answer="1s", idle="1s")})
    cases = [(b"GET / HTTP/1.1\r\nHost", (408,)),
             (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123", (408, 504)),
             (get("/slow"), (504,))]
    for data, statuses in cases:
        with Client(proxy.port) as client:
            client.send(data)
            finals = client.wait(1, 3)
            assert finals and finals[0].status in statuses, (data, [r.status for r in finals])
    with Client(proxy.port) as client:
        assert client.wait_closed(3) and not client.data, "an idle connection is closed without a word"


@scenario
def idempotent_requests_survive_a_dead_kept_connection_and_posts_are_sent_once(s):
    """The upstream closes a kept connection on the second request's arrival, without an answer."""
    count = {}

    def answer(connection, request):
        count[connection.number] = count.get(connection.number, 0) + 1
        if count[connection.number] == 2:
            connection.reset()
        return harness.echo(connection, request)
    proxy, up = s.start(answer)
    with Client(proxy.port) as client:
        assert client.ask(get("/first")).status == 200
        assert client.ask(get("/again")).status == 200, "a GET is sent once more"
        assert [r.target for r in up.seen()].count("/again") == 2
    with Client(proxy.port) as client:
        assert client.ask(post("/once")).status == 502, "a POST is not"
        assert [r.target for r in up.seen()].count("/once") == 1


@scenario
def bodiless_answers_keep_their_framing(s):
    answers = {"/204": b"HTTP/1.1 204 No Content\r\n\r\n",
               "/304": b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 7\r\n\r\n",
               "/head": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n",
               "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}
    proxy, _ = s.start(lambda _, request: answers[request.target])
    with Client(proxy.port) as client:
        assert client.ask(get("/204")).status == 204
        assert client.ask(get("/304")).status == 304
        for target in ("/head", "/chunked"):
            answer = client.ask(get(target).replace(b"GET", b"HEAD", 1), "HEAD")
            assert answer.status == 200 and answer.get("content-length") in (b"7", None)
        assert client.ask(get("/204")).status == 204 and not client.closed


@scenario
def what_connection_names_goes_no_further_and_order_stays(s):
    def answer(_, request):
        return answer_bytes(b"{}", fields=b"Connection: X-Back\r\nX-Back: 1\r\nSet-Cookie: a=1\r\nX-Z: 1\r\n"
                                          b"Set-Cookie: b=2\r\nKeep-Alive: timeout=9\r\n")
    proxy, up = s.start(answer)
    with Client(proxy.port) as client:
        answer = client.ask(get("/", "Connection: X-Hop, keep-alive", "X-Hop: 1", "X-A: 1", "X-B: 2", "X-A: 3",
                                "TE: gzip", "Keep-Alive: 5", "Proxy-Authorization: x"))
    request = up.seen()[0]
    assert request.all("x-a") == [b"1", b"3"] and request.get("x-b") == b"2"
    for name in ("x-hop", "te", "keep-alive", "proxy-authorization", "upgrade"):
        assert not request.all(name), name
    assert len(request.all("via")) == 1
    assert answer.all("set-cookie") == [b"a=1", b"b=2"]
    assert not answer.all("x-back") and not answer.all("keep-alive")


@scenario
def loops_are_refused(s):
    proxy, up = s.start()
    with Client(proxy.port) as client:
        client.ask(get("/a"))
        via = up.seen()[0].get("via").decode()
    with Client(proxy.port) as client:
        answer = client.ask(get("/b", "Via: " + via))
        assert answer.status in (400, 502, 508), "%d to what comes with Via: %s" % (answer.status, via)
    assert len(up.seen()) == 1


@scenario
def sigterm_drains(s):
    asked = threading.Event()

    def answer(connection, request):
        asked.set()
        time.sleep(0.6)
        return harness.echo(connection, request)
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        client.send(get("/slow"))
        assert asked.wait(2)
        proxy.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: not harness.accepts(proxy.port), 0.5, "no new connections")
        finals = client.wait(1, 3)
        assert finals and finals[0].status == 200, "the exchange under way is finished"
        assert client.wait_closed(2)
    assert proxy.process.wait(5) == 0


@scenario
def sighup_takes_a_new_upstream_and_refuses_a_broken_file(s):
    proxy, first = s.start(lambda *_: answer_bytes(b'"first"'))
    second = Upstream(lambda *_: answer_bytes(b'"second"'))
    with contextlib.closing(second), Client(proxy.port) as client:
        assert client.ask(get("/")).body == b'"first"'
        proxy.reload(upstream="http://127.0.0.1:%d" % second.port)
        harness.wait_until(lambda: client.ask(get("/")).body == b'"second"', 3, "the new upstream")
        proxy.write("dragoman.yaml", "listen: [")
        proxy.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert client.ask(get("/")).body == b'"second"', "what does not compile changes nothing"


@scenario
def an_early_final_answer_reaches_a_client_that_still_sends(s):
    def early(connection, data):
        if data.startswith(b"POST /big"):
            connection.send(answer_bytes(b"{}", "413 Content Too Large", b"Connection: close\r\n"))
            time.sleep(0.5)
            raise Upstream.Close
    proxy, _ = s.start(on_bytes=early)
    with Client(proxy.port) as client:
        client.send(b"POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n" + b"x" * 100000)
        finals = client.wait(1, 1.5)
        assert finals and finals[0].status == 413 and finals[0].complete, client.data[:200]
        client.send(b"x" * 1000)
        client.wait_closed(3)
        assert len(client.finals()) == 1, "one answer only"


@scenario
def small_chunks_that_are_here_become_one_and_none_waits_for_more(s):
    body = bytes(range(256)) * 40

    def answer(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(chunked(body, 1)[:-5])
        if request.target == "/slow":
            time.sleep(0.2)
            for n in range(3):
                connection.send(b"1\r\n%d\r\n" % n)
                asked.wait(2)
                asked.clear()
        connection.send(b"0\r\n\r\n")
    asked = threading.Event()
    proxy, _ = s.start(answer, {"limits": {"body": "1KB"}})
    with Client(proxy.port) as client:
        reply = client.ask(get("/"))
        assert reply.body == body and client.data.count(b"\r\n1\r\n") < 100 and not client.closed
        client.data = b""
        client.send(get("/slow"))
        for n in range(3):
            harness.wait_until(lambda: (client.pump(0.02), client.data.endswith(b"\r\n1\r\n%d\r\n" % n))[1], 2, "chunk %d" % n)
            asked.set()
        assert client.wait(1)[0].body == body + b"012"


@scenario
def small_chunks_of_a_request_become_one_and_none_waits_for_more(s):
    """And trailers come behind them."""
    body = bytes(range(256)) * 40

    def seen(n):
        return up.received.endswith(b"\r\n1\r\n%d\r\n" % n)
    proxy, up = s.start(config={"limits": {"body": "1KB"}})
    head = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    with Client(proxy.port) as client:
        assert client.ask(head + chunked(body, 1)[:-2] + b"X-Sum: 7\r\n\r\n").status == 200
        assert up.seen()[0].body == body and b"0\r\nX-Sum: 7\r\n\r\n" in up.received
        assert up.received.count(b"\r\n1\r\n") < 100, up.received.count(b"\r\n1\r\n")
        client.data = b""
        client.send(head, chunked(body, 1)[:-5])
        time.sleep(0.2)
        for n in range(3):
            client.send(b"1\r\n%d\r\n" % n)
            harness.wait_until(lambda: seen(n), 2, "chunk %d" % n)
        client.send(b"0\r\n\r\n")
        assert client.wait(1)[0].status == 200 and up.seen()[1].body == body + b"012"
        assert not client.closed
        client.data = b""
        client.send(head, b"1\r\na\r\n1\r\nb\r\nzz\r\n")
        assert client.wait(1)[0].status == 400 and client.wait_closed()


@scenario
def old_clients_get_no_chunks(s):
    def answer(_, request):
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"0123456789" * 999, 1000)
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        answer = client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert client.wait_closed(2) and not answer.all("transfer-encoding")
        assert client.responses()[0].body == b"0123456789" * 999


@scenario
def entity_tags_are_of_the_version_and_conditions_work(s):
    """RFC 9110 8.8.3, 13.1.1, 13.1.2."""
    new = b'{"data":{"id":"ord_1","amount":1}}'

    def answer(_, request):
        tags = (request.get("if-none-match") or b"").split(b", ")
        if b'"abc"' in tags or b"*" in tags:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "abc"\r\n\r\n'
        if request.get("if-match") and b'"abc"' not in request.get("if-match").split(b", "):
            return answer_bytes(b'{"error":{}}', "412 Precondition Failed")
        tag = b'W/"abc"' if request.target.endswith("weak") else b'no tag' if request.target.endswith("bad") else b'"abc"'
        return answer_bytes(new, fields=b"Content-Type: application/json\r\nETag: " + tag + b"\r\n")
    proxy, up = s.start(answer, {"packs": [ORDERS]})
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders/1"))
        tag = old.get("etag").decode()
        assert tag.startswith('"abc;v1-') and tag != '"abc"', tag
        assert client.ask(get("/api/v1/orders/weak")).get("etag").startswith(b'W/"abc;v1-')
        assert client.ask(get("/api/v1/orders/bad")).get("etag") is None
        assert client.ask(get("/api/v2/orders/1")).get("etag") == b'"abc"'
        same = client.ask(get("/api/v1/orders/1", 'If-None-Match: "x", ' + tag))
        assert same.status == 304 and same.get("etag").decode() == tag
        assert up.seen()[-1].get("if-none-match") == b'"abc"'
        # The tag of another version names bytes that this client does not have.
        other = client.ask(get("/api/v1/orders/1", 'If-None-Match: "abc"'))
        assert other.status == 200 and up.seen()[-1].get("if-none-match") is None
        assert client.ask(get("/api/v1/orders/1", "If-None-Match: *")).status == 304
        written = client.ask(post("/api/v1/orders", b"{}", "If-Match: " + tag))
        assert written.status == 200 and up.seen()[-1].get("if-match") == b'"abc"'
        stale = client.ask(post("/api/v1/orders", b"{}", "If-Match: " + tag.replace("v1-", "v1-0")))
        assert stale.status == 412


@scenario
def the_way_so_far_is_believed_from_trusted_peers_only(s):
    claims = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example",
              "X-Forwarded-For: 198.51.100.1")
    proxy, up = s.start()
    with Client(proxy.port) as client:
        client.ask(get("/", *claims))
    request = up.seen()[0]
    assert request.all("x-forwarded-for") == [b"127.0.0.1"] and request.all("x-forwarded-proto") == [b"http"]
    assert not request.all("x-forwarded-host")
    proxy, up = s.start(config={"trusted_proxies": ["10.0.0.0/8", "127.0.0.0/30"]})
    with Client(proxy.port) as client:
        client.ask(get("/", *claims))
        client.ask(get("/"))
    request, plain = up.seen()
    assert request.all("x-forwarded-for") == [b"203.0.113.9, 198.51.100.1, 127.0.0.1"], request.fields
    assert request.all("x-forwarded-proto") == [b"https"] and request.all("x-forwarded-host") == [b"shop.example"]
    assert plain.all("x-forwarded-for") == [b"127.0.0.1"] and plain.all("x-forwarded-proto") == [b"http"]


@scenario
def links_and_locations_stay_in_the_clients_version(s):
    """RFC 9110 10.2.2, RFC 8288."""
    def answer(_, request):
        host = request.get("host").decode()
        own = "http://127.0.0.1:%d" % up.port
        return answer_bytes(b'{"data":[]}', "201 Created", (
            "Content-Type: application/json\r\nLocation: %s/api/v2/orders/1?a=b#c\r\n"
            'Link: </api/v2/orders?page=2>; rel="next", <http://%s/api/v2/orders/count>; rel="a,b"\r\n'
            "Link: <http://other.example/api/v2/orders>; rel=x, <rel/ative>; rel=y\r\n"
            "Link: <HTTP://%s/api/v2/orders>; rel=u, <//%s/api/v2/orders>; rel=v, <//other.example/api/v2/orders>; rel=w\r\n"
            % (own, host, host, host)).encode())
    proxy, up = s.start(answer, {"packs": [ORDERS]})
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders"))
        links = b" | ".join(old.all("link"))
        assert old.get("location") == b"http://h.example/api/v1/orders/1?a=b#c", old.get("location")
        assert b'</api/v1/orders?page=2>; rel="next"' in links, links
        assert b'<http://h.example/api/v1/order-count>; rel="a,b"' in links, links
        assert b"<http://other.example/api/v2/orders>; rel=x, <rel/ative>; rel=y" in links, links
        assert b"<HTTP://h.example/api/v1/orders>; rel=u, <//h.example/api/v1/orders>; rel=v" in links, links
        assert b"<//other.example/api/v2/orders>; rel=w" in links, links
        new = client.ask(get("/api/v2/orders"))
        assert new.get("location").endswith(b"/api/v2/orders/1?a=b#c") and b"/api/v2/orders?page=2" in new.get("link")


@scenario
def content_without_a_type_is_not_passed_where_it_would_be_translated(s):
    proxy, up = s.start(lambda *_: answer_bytes(b'{"data":{}}', fields=b""), {"packs": [ORDERS]})
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v1/orders/1")).status == 502
        assert client.ask(get("/api/v2/orders/1")).status == 200
        seen = len(up.seen())
        reply = client.ask(b"POST /api/v1/orders HTTP/1.1\r\nHost: h.example\r\nContent-Length: 2\r\n\r\n{}")
        assert reply.status == 415 and len(up.seen()) == seen


@scenario
def bodies_that_go_on_outlive_their_deadlines_and_those_that_trickle_do_not(s):
    proxy, up = s.start(config={"timeouts": dict(harness.TIMEOUTS, body="1s")})
    piece = b"x" * 20000
    with Client(proxy.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: %d\r\n\r\n" % (20 * len(piece)))
        client.send(*[piece] * 20, pause=0.1)
        assert client.wait(1)[0].status == 200 and up.seen()[0].body == piece * 20
    with Client(proxy.port) as client:
        began = time.monotonic()
        client.send(b"POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 900000\r\n\r\n" + piece * 3)
        while not client.finals() and time.monotonic() - began < 4:
            client.send(b"xx")
            client.pump(0.1)
        assert client.finals()[0].status == 408 and 0.9 < time.monotonic() - began < 1.5


@scenario
def event_streams_outlive_the_deadline_and_silent_ones_do_not(s):
    def answer(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for n in range(8):
            connection.send(b"data: %d\n\n" % n)
            time.sleep(0.2)
        if request.target == "/silent":
            time.sleep(4)
        raise harness.Upstream.Close
    proxy, _ = s.start(answer, {"timeouts": dict(harness.TIMEOUTS, answer="1s")})
    with Client(proxy.port) as client:
        began = time.monotonic()
        client.send(get("/"))
        while b"data: 2" not in client.data:
            client.pump(0.5)
        assert time.monotonic() - began < 1.0, "events come as they are sent"
        reply = client.wait(1)[0]
        assert reply.complete and b"data: 7" in reply.body, reply.body
    with Client(proxy.port) as client:
        client.send(get("/silent"))
        began = time.monotonic()
        assert client.wait_closed(6) and time.monotonic() - began < 3.5
        assert not client.finals()[0].complete


@scenario
def interim_answers_are_bounded(s):
    def answer(connection, _):
        for _ in range(2000):
            connection.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 50)
        return answer_bytes(b"{}")
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        client.send(get("/"))
        assert client.wait(1, 4)[0].status == 502
        assert len(client.responses()) < 1000


@scenario
def many_clients_at_once_get_their_own_answers(s):
    proxy, _ = s.start()

    def one(number):
        with Client(proxy.port) as client:
            for n in range(20):
                path = "/%d/%d" % (number, n)
                answer = client.ask(post(path, b"x" * (n * 700)) if n % 3 else get(path))
                told = json.loads(answer.body)
                assert told["target"] == path and told["bytes"] == (n * 700 if n % 3 else 0)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        list(pool.map(one, range(24)))


@scenario
def an_old_client_and_a_new_backend_each_speak_their_own(s):
    new = b'{"data":{"order_id":9007199254740993,"amount":234.40,"status":"active","customer":{"customer_id":"c1"},' \
          b'"metadata":{"keepMe":1}}}'

    def answer(_, request):
        if request.target.endswith("/missing"):
            return answer_bytes(b'{"error":{"code":404,"message":"no"}}', "404 Not Found")
        return answer_bytes(new)
    proxy, up = s.start(answer, {"packs": [ORDERS]})
    old = b'{"orderId": 9007199254740993, "total":234.40,"status":1,"customer":{"id":"c1"},' \
          b'"metadata":{"keepMe":1}}'
    with Client(proxy.port) as client:
        answer = client.ask(post("/api/v1/orders", old))
        assert answer.status == 200, answer.body
        told = json.loads(answer.body, parse_float=str)
        assert told["orderId"] == 9007199254740993 and told["total"] == "234.40", answer.body
        assert told["metadata"] == {"keepMe": 1} and told["customer"] == {"id": "c1"}
        assert answer.get("deprecation").startswith(b"@") and answer.get("sunset") and answer.get("link")
        request = up.seen()[0]
        assert request.target == "/api/v2/orders", request.target
        sent = json.loads(request.body, parse_float=str)
        assert sent["order_id"] == 9007199254740993 and sent["amount"] == "234.40" and "total" not in sent
        missing = client.ask(get("/api/v1/orders/missing"))
        assert missing.status == 404 and json.loads(missing.body)["message"] == "no"
        current = client.ask(get("/api/v2/orders/1"))
        assert current.body == new and not current.all("deprecation")
        assert client.ask(post("/api/v1/orders", b'{"broken"')).status == 400
    assert len(up.seen()) == 3, "broken JSON never reaches the backend"


def run(function, binary):
    setting = Setting(binary)
    problem = ""
    try:
        function(setting)
    except Exception:  # whatever it is, it is this scenario's failure
        problem = traceback.format_exc(limit=-2)
        for proxy, _ in setting.started:
            problem += proxy.log()[-1500:]
    return problem + "\n".join(setting.end())


def main(description=__doc__, scenarios=SCENARIOS):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dragoman", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=4)
    args = parser.parse_args()
    only = set(filter(None, args.only.split(",")))
    chosen = [f for f in scenarios if not only or f.__name__ in only]
    if not chosen:
        parser.error("no such scenario")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for function, problem in zip(chosen, pool.map(lambda f: run(f, args.dragoman), chosen)):
            failed += bool(problem)
            print("%-4s %s" % ("FAIL" if problem else "ok", function.__name__.replace("_", " ")), flush=True)
            if problem:
                print("     " + problem.strip().replace("\n", "\n     "), flush=True)
    print("%d of %d scenarios hold" % (len(chosen) - failed, len(chosen)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
