#!/usr/bin/env python3
"""Bodies that are translated as they come: large ones, those of an unknown length, server-sent events, NDJSON.

  streaming.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import gzip
import json
import sys
import threading
import time
import zlib

import harness
import scenarios
from harness import Client, answer_bytes, get, post, wait_until

SCENARIOS = []
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CONFIG = {"packs": [scenarios.ORDERS]}


def scenario(function):
    SCENARIOS.append(function)
    return function


def order(number):
    return b'{"id":"ord_%d","amount":%d.10,"status":"shipped","customer":{"customer_id":"c"}}' % (number, number)


def orders(first, count):
    return b",".join(order(n) for n in range(first, first + count))


def check_old(told, number):
    assert told == {"id": "ord_%d" % number, "total": "%d.10" % number, "status": 2, "customer": {"id": "c"},
                    "legacyFlag": False}, told


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def pump_until(client, what, seconds=3.0):
    deadline = time.monotonic() + seconds
    while what not in client.data:
        assert time.monotonic() < deadline and not client.closed, "no %r in %r" % (what, client.data[-300:])
        client.pump(0.1)


def rss_kb(proxy):
    with open("/proc/%d/status" % proxy.process.pid) as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


@scenario
def elements_arrive_before_the_rest_is_sent(s):
    go_on = threading.Event()

    def answer(connection, _):
        connection.send(HEAD % (b"application/json", CHUNKED), chunk(b'{"data":[' + orders(0, 200)))
        assert go_on.wait(5)
        connection.send(chunk(b"," + orders(200, 200) + b'],"meta":{"page":1}}'), b"0\r\n\r\n")
    proxy, _ = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders"))
        pump_until(client, b'"total":198.10')
        assert b'"total":200.10' not in client.data
        go_on.set()
        reply = client.wait(1)[0]
        assert reply.complete and reply.status == 200, client.data[:500]
        assert reply.get("transfer-encoding") == b"chunked" and reply.get("content-length") is None
        told = json.loads(reply.body, parse_float=str)
        assert len(told) == 400
        for number, one in enumerate(told):
            check_old(one, number)
        assert client.ask(get("/api/v1/orders")).status == 200, "the connection goes on"


@scenario
def a_large_answer_with_a_length_flows(s):
    body = b'{"data":[' + orders(0, 30000) + b"]}"
    proxy, _ = s.start(lambda *_: answer_bytes(body), dict(CONFIG, limits={"body": "1MB"}))
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders"), seconds=20)
        assert reply.status == 200 and reply.complete and reply.get("content-length") is None
        told = json.loads(reply.body, parse_float=str)
        assert len(told) == 30000
        check_old(told[29999], 29999)


@scenario
def a_small_answer_in_chunks_has_a_length(s):
    proxy, _ = s.start(lambda *_: HEAD % (b"application/json", CHUNKED) + chunk(b'{"data":[') + chunk(order(1)) +
                       chunk(b"]}") + b"0\r\n\r\n", CONFIG)
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders"))
        assert reply.status == 200 and int(reply.get("content-length")) == len(reply.body)
        check_old(json.loads(reply.body, parse_float=str)[0], 1)


@scenario
def events_come_one_by_one(s):
    go_on = threading.Semaphore(0)

    def answer(connection, _):
        connection.send(HEAD % (b"text/event-stream", b"Cache-Control: no-store\r\n"))
        for number in range(3):
            assert go_on.acquire(timeout=5)
            connection.send(b": beat\n\nid: %d\ndata: {\"data\":\ndata: %s}\n\n" % (number, order(number)))
        connection.send(b"data: [DONE]\n\n")
        raise harness.Upstream.Close
    proxy, _ = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders/feed"))
        pump_until(client, b"\r\n\r\n")
        for number in range(3):
            assert b'"total":%d.10' % number not in client.data
            go_on.release()
            pump_until(client, b'"total":%d.10' % number)
        reply = client.wait(1)[0]
        assert reply.complete and reply.body.endswith(b"data: [DONE]\n\n"), reply.body[-100:]
        events = reply.body.split(b"\n\n")
        assert events[0] == b": beat" and events[1].startswith(b"id: 0\ndata: "), reply.body
        check_old(json.loads(events[1].split(b"data: ", 1)[1].replace(b"\ndata: ", b"\n"), parse_float=str), 0)


@scenario
def coded_events_come_one_by_one(s):
    go_on = threading.Semaphore(0)

    def answer(connection, _):
        coder = zlib.compressobj(wbits=31)
        connection.send(HEAD % (b"text/event-stream", b"Content-Encoding: gzip\r\n" + CHUNKED))
        for number in range(3):
            assert go_on.acquire(timeout=5)
            event = b'data: {"data":%s}\n\n' % order(number)
            connection.send(chunk(coder.compress(event) + coder.flush(zlib.Z_SYNC_FLUSH)))
        connection.send(chunk(coder.flush()), b"0\r\n\r\n")
    proxy, _ = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders/feed", "Accept-Encoding: gzip"))
        for number in range(3):
            go_on.release()
            deadline = time.monotonic() + 3
            while True:
                found = client.responses()
                body = found[0].body if found else b""
                if b'"total":%d.10' % number in zlib.decompressobj(wbits=31).decompress(body):
                    break
                assert time.monotonic() < deadline, (number, client.data[-300:])
                client.pump(0.1)
        reply = client.wait(1)[0]
        assert reply.complete and reply.get("content-encoding") == b"gzip"
        assert gzip.decompress(reply.body).count(b"data: {") == 3


@scenario
def lines_come_one_by_one_both_ways(s):
    go_on = threading.Event()

    def answer(connection, request):
        if request.method == "POST":
            return answer_bytes(b'{"data":%s}' % order(1), "201 Created")
        connection.send(HEAD % (b"application/x-ndjson", CHUNKED), chunk(b'{"data":%s}\n{"da' % order(0)))
        assert go_on.wait(5)
        connection.send(chunk(b'ta":%s}\r\n' % order(1)), b"0\r\n\r\n")
        return None
    proxy, up = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders/feed"))
        pump_until(client, b'"total":0.10')
        go_on.set()
        reply = client.wait(1)[0]
        lines = reply.body.split(b"\n")
        assert reply.complete and len(lines) == 3 and lines[1].endswith(b"\r"), reply.body
        check_old(json.loads(lines[1], parse_float=str), 1)
    body = b'{"total":1.50}\n{"total":2.50}\n'
    with Client(proxy.port) as client:
        request = post("/api/v1/orders", body).replace(b"application/json", b"application/x-ndjson")
        reply = client.ask(request)
        assert reply.status == 201, reply.body
        assert up.seen()[-1].body == b'{"amount":1.50}\n{"amount":2.50}\n', up.seen()[-1].body
        assert up.seen()[-1].get("transfer-encoding") == b"chunked"


@scenario
def what_fails_late_is_cut_and_what_fails_early_is_refused(s):
    early = threading.Event()

    def answer(connection, request):
        first = b'{"data":[%s,{"amount":tru}' % orders(0, 200 if request.target.endswith("late") else 1)
        if request.target.endswith("late"):
            connection.send(HEAD % (b"application/json", CHUNKED), chunk(first[:-6]))
            early.wait(0.5)
            connection.send(chunk(first[-6:] + b"]}"), b"0\r\n\r\n")
            return None
        if "events" in request.target:
            return HEAD % (b"text/event-stream", CHUNKED) + chunk(b'data: {"data":{}}\n\ndata: {"dat\n\n') + b"0\r\n\r\n"
        return HEAD % (b"application/json", CHUNKED) + chunk(first) + chunk(b"]}") + b"0\r\n\r\n"
    proxy, _ = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders?late"))
        assert client.wait_closed(5)
        assert b'"total":150.10' in client.data and not client.finals()[0].complete
    with Client(proxy.port) as client:
        client.send(get("/api/v1/orders/events"))
        assert client.wait_closed(5)
        assert b"200 OK" in client.data[:20] and not client.finals()[0].complete
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders?early"))
        assert reply.status == 502 and b"total" not in reply.body
    log = proxy.log()
    assert log.count("at byte") >= 3, log


@scenario
def a_reader_that_stops_is_waited_for(s):
    sent = [0]
    piece = chunk(orders(1, 700) + b",")

    def answer(connection, _):
        connection.send(HEAD % (b"application/json", CHUNKED), chunk(b'{"data":['))
        for _ in range(600):
            connection.send(piece)
            sent[0] += len(piece)
        connection.send(chunk(order(0) + b"]}"), b"0\r\n\r\n")
    proxy, _ = s.start(answer, dict(CONFIG, timeouts=dict(harness.TIMEOUTS, send="20s")))
    with Client(proxy.port, receive_buffer=65536) as client:
        before = rss_kb(proxy)
        client.send(get("/api/v1/orders"))
        time.sleep(0.7)
        assert 0 < sent[0] < 200 * len(piece), "the proxy took %d bytes that nobody read" % sent[0]
        assert rss_kb(proxy) - before < 32000, "%d KB more" % (rss_kb(proxy) - before)
        got, tail = 0, b""
        client.sock.settimeout(10)
        while not tail.endswith(b"0\r\n\r\n"):
            more = client.sock.recv(1 << 20)
            assert more, "closed after %d" % got
            got += len(more)
            tail = (tail + more)[-64:]
        assert sent[0] == 600 * len(piece)
        assert rss_kb(proxy) - before < 32000, "%d KB more" % (rss_kb(proxy) - before)


@scenario
def old_clients_and_heads(s):
    body = b'{"data":[' + orders(0, 2000) + b"]}"

    def answer(connection, request):
        if request.method == "HEAD":
            return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.send(HEAD % (b"application/json", CHUNKED), chunk(body[:100000]), pause=0.2)
        connection.send(chunk(body[100000:]), b"0\r\n\r\n")
        return None
    proxy, _ = s.start(answer, CONFIG)
    with Client(proxy.port) as client:
        client.send(b"GET /api/v1/orders HTTP/1.0\r\n\r\n")
        assert client.wait_closed(5)
        reply = client.finals()[0]
        assert reply.get("transfer-encoding") is None and reply.get("content-length") is None
        assert len(json.loads(reply.body)) == 2000
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders").replace(b"GET", b"HEAD"), "HEAD")
        assert reply.status == 200 and reply.get("content-length") is None, reply.fields
        assert client.ask(get("/api/v1/orders")).status == 200


@scenario
def a_large_request_flows_and_a_broken_one_is_refused(s):
    sizes = []
    proxy, up = s.start(lambda c, r: answer_bytes(b'{"data":%s}' % order(1), "201 Created"),
                        dict(CONFIG, limits={"body": "1MB"}), on_bytes=lambda _, data: sizes.append(len(data)))
    items = b",".join(b'{"unitPrice":%d.10}' % n for n in range(200000))
    body = b'{"total":19.90,"lineItems":[' + items + b"]}"
    with Client(proxy.port) as client:
        reply = client.ask(post("/api/v1/orders", body), seconds=20)
        assert reply.status == 201, reply.body
        request = up.seen()[-1]
        assert request.get("transfer-encoding") == b"chunked" and request.get("content-length") is None
        sent = json.loads(request.body, parse_float=str)
        assert sent["amount"] == "19.90" and sent["line_items"][199999] == {"unit_price": "199999.10"}
        coded = gzip.compress(body)
        assert client.ask(post("/api/v1/orders", coded, "Content-Encoding: gzip"), seconds=20).status == 201
        assert json.loads(up.seen()[-1].body, parse_float=str) == sent
    asked = len(up.seen())
    with Client(proxy.port) as client:
        reply = client.ask(post("/api/v1/orders", body[:-1] + b",}"), seconds=20)
        assert reply.status == 400 and b'"offset":' in reply.body, reply.body
    time.sleep(0.2)
    assert len(up.seen()) == asked, "a request that was cut is no request"
    with Client(proxy.port) as client:
        long_string = b'{"status":"' + b"x" * (2 << 20) + b'"}'
        assert client.ask(post("/api/v1/orders", long_string), seconds=20).status == 413


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
