#!/usr/bin/env python3
"""Several backends of one API: which versions and endpoints go where, and how their answers come back.

  backends.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import re
import subprocess
import sys
import threading

import harness
import scenarios
from harness import Client, Upstream, answer_bytes, get, post, wait_until

ROUTES = os.path.abspath(os.path.join(scenarios.ROOT, "tests", "data", "packs", "routes"))
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def speaks(version):
    """A backend of one version: an order, a report, and a Location in its own words."""
    orders = "sales" if version == "v3" else "orders"
    amount = "total" if version == "v1" else "amount"

    def answer(_, request):
        if "/reports/" in request.target:
            body = {"v1": {"sum": 1.50}, "v2": {"total": 1.50}, "v3": {"data": {"total": 1.50}}}[version]
        else:
            body = {amount: 2, "by": version}
        fields = "Content-Type: application/json\r\nLocation: /api/%s/%s/9\r\nETag: \"abc\"\r\n" % (version, orders)
        return answer_bytes(json.dumps(body).encode(), fields=fields.encode())
    return answer


def url(up):
    return "http://%s:%d" % (harness.HOST, up.port)


class Shop:
    """A proxy before three backends: v1 goes to `old`, reports to `reports`, everything else to `main`."""

    def __init__(self, s, **config):
        self.old, self.reports = Upstream(speaks("v1")), Upstream(speaks("v3"))
        self.backends = [{"versions": ["v1"], "upstream": url(self.old), "backend_version": "v1"},
                         {"endpoints": ["GET /reports/**"], "upstream": url(self.reports), "backend_version": "v3"}]
        self.proxy, self.main = s.start(speaks("v2"), {"packs": [self.pack()], **config})
        s.started += [(Nothing(), self.old), (Nothing(), self.reports)]  # ended and judged with the rest

    def pack(self, backends=None):
        return {"dir": ROUTES, "backend_version": "v2", "backends": self.backends if backends is None else backends}

    def targets(self):
        return [[r.target for r in up.seen()] for up in (self.old, self.main, self.reports)]


class Nothing:
    """In the place of a proxy."""

    def log(self):
        return ""

    def stop(self):
        return []


@scenario
def each_backend_gets_only_what_is_its_own(s):
    shop = Shop(s, access_log="access.log")
    asked = [("/api/v1/orders/7", {"total": 2, "by": "v1"}, b"/api/v1/orders/9", "v1", shop.old),
             ("/api/v1/reports/7", {"sum": 1.5}, b"/api/v1/orders/9", "v1", shop.old),
             ("/api/v2/orders/7", {"amount": 2, "by": "v2"}, b"/api/v2/orders/9", "v2", shop.main),
             ("/api/v2/reports/7", {"total": 1.5}, b"/api/v2/orders/9", "v3", shop.reports),
             ("/api/v3/sales/7", {"amount": 2, "by": "v2"}, b"/api/v3/sales/9", "v2", shop.main),
             ("/api/v3/reports/7", {"data": {"total": 1.5}}, b"/api/v3/sales/9", "v3", shop.reports)]
    with Client(shop.proxy.port) as client:
        for target, body, location, version, _ in asked:
            answer = client.ask(get(target, "Dragoman-Explain: 1"))
            assert (answer.status, json.loads(answer.body)) == (200, body), (target, answer.body)
            assert answer.get("location") == location, (target, answer.get("location"))
            assert answer.get("api-version") == target.split("/")[2].encode()
            assert b'backend="%s"' % version.encode() in answer.get("dragoman-version"), answer.fields
    assert shop.targets() == [["/api/v1/orders/7", "/api/v1/reports/7"], ["/api/v2/orders/7", "/api/v2/orders/7"],
                              ["/api/v3/reports/7", "/api/v3/reports/7"]], shop.targets()
    path = os.path.join(shop.proxy.folder, "access.log")
    wait_until(lambda: open(path).read().count("\n") == len(asked), 3, "the log")
    with open(path) as log:
        told = [json.loads(line) for line in log]
    assert [line["backend_version"] for line in told] == [version for *_, version, _ in asked]
    assert [line["upstream"] for line in told] == [url(up) for *_, up in asked]


@scenario
def bodies_tags_and_fields_are_those_of_the_exchanges_backend(s):
    shop = Shop(s)
    with Client(shop.proxy.port) as client:
        answer = client.ask(post("/api/v1/orders", b'{"total":1.50}'))
        assert answer.body == b'{"total": 2, "by": "v1"}' and shop.old.seen()[-1].body == b'{"total":1.50}'
        assert client.ask(get("/api/v1/orders/1")).get("etag") == b'"abc"', "it is not translated"
        tag = client.ask(get("/api/v2/reports/7")).get("etag")
        assert tag.startswith(b'"abc;v2-'), tag
        client.ask(get("/api/v2/reports/7", "If-None-Match: " + tag.decode()))
        assert shop.reports.seen()[-1].get("if-none-match") == b'"abc"'
        client.ask(get("/api/reports/7", "API-Version: v2"))
        assert shop.reports.seen()[-1].get("api-version") == b"v3"
        client.ask(get("/api/sales/7", "API-Version: v3"))
        assert shop.main.seen()[-1].get("api-version") == b"v2"
    # The same tag from a backend of another version is not that of the same bytes.
    shop.proxy.reload(packs=[shop.pack(shop.backends[:1])])

    def moved():
        with Client(shop.proxy.port) as client:
            return client.ask(get("/api/v3/reports/7")).get("etag") != b'"abc"'
    wait_until(moved, 5, "reports come from the main backend")
    with Client(shop.proxy.port) as client:
        there = client.ask(get("/api/v3/reports/7", "If-None-Match: " + tag.decode()))
        assert there.body == b'{"data":{"total": 1.5}}' and there.get("etag") != tag, there.body
        assert shop.main.seen()[-1].get("if-none-match") is None


@scenario
def what_a_backend_does_not_know_is_not_asked_of_it(s):
    shop = Shop(s)
    with Client(shop.proxy.port) as client:
        for target in ("/api/v1/sales/7", "/api/v3/orders/7", "/api/v2/reports", "/api/v4/orders/7"):
            assert client.ask(get(target)).status == 404, target
        assert client.ask(post("/api/v2/reports/7")).status == 405
    assert shop.targets() == [[], [], []]


@scenario
def a_backend_that_is_down_is_no_reason_to_ask_another(s):
    shop = Shop(s)
    shop.reports.close()
    with Client(shop.proxy.port) as client:
        answer = client.ask(get("/api/v2/reports/7"))
        assert answer.status == 502 and b"connection_refused" in answer.get("proxy-status"), answer.fields
        assert client.ask(get("/api/v2/orders/7")).status == 200
    assert shop.targets() == [[], ["/api/v2/orders/7"], []]


@scenario
def a_reload_moves_a_version_without_a_lost_request(s):
    """From the backend that speaks v1 to the one that speaks v2, and back, while clients ask on kept connections."""
    shop = Shop(s)
    ended, problems, counts = threading.Event(), [], {"v1": 0, "v2": 0}

    def ask():
        try:
            with Client(shop.proxy.port) as client:
                while not ended.is_set():
                    client.data, client.methods = b"", []
                    answer = client.ask(get("/api/v1/orders/7"))
                    body = json.loads(answer.body)
                    assert answer.status == 200 and body["total"] == 2, (answer.status, answer.body)
                    assert answer.get("location") == b"/api/v1/orders/9"
                    counts[body["by"]] += 1
        except Exception as problem:  # told by the main thread
            problems.append(repr(problem))
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for backends, version in ((shop.backends[1:], "v2"), (shop.backends, "v1")) * 3:
            before = counts[version]
            shop.proxy.reload(packs=[shop.pack(backends)])
            wait_until(lambda: problems or counts[version] > before + 10, 10, "requests to " + version)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not problems, problems
    assert len(shop.old.seen()) + len(shop.main.seen()) == sum(counts.values())
    assert all(r.target == "/api/v1/orders/7" for r in shop.old.seen())
    assert all(r.target == "/api/v2/orders/7" for r in shop.main.seen())


@scenario
def mistakes_are_found_before_the_start(s):
    shop = Shop(s)
    for change, where in (({"versions": ["v7"]}, "no version 'v7'"), ({"backend_version": "v7"}, "no version 'v7'"),
                          ({"versions": [], "endpoints": ["GET /nothing"]}, "a list of 1 to 256"),
                          ({"endpoints": ["GET /nothing"]}, "covers no endpoint of API 'shop'")):
        shop.proxy.config["packs"] = [shop.pack([dict(shop.backends[0], **change)])]
        done = subprocess.run([s.binary, "serve", "--config", shop.proxy.save(), "--check"], capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 1 and re.search(r"dragoman\.yaml:\d+:\d+: error: .*" + where, done.stderr), done.stderr
    shop.proxy.config["packs"] = [shop.pack()]
    assert subprocess.run([s.binary, "serve", "--config", shop.proxy.save(), "--check"], timeout=20).returncode == 0


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
