"""The demonstration, as a person sees it: starts `dragoman demo`, runs every curl line that it prints, looks at
what comes, and ends it with Ctrl-C. Usage: demo.py DRAGOMAN README"""
import json
import os
import re
import signal
import subprocess
import sys
import time


def fail(text, got=""):
    sys.exit(f"demo: {text}\n{got}")


def start(dragoman):
    """The demo in a process group of its own, on free ports, and what it printed until it was ready."""
    process = subprocess.Popen([dragoman, "demo", "--port", "0", "--admin-port", "0", "--backend-port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("Ctrl-C"):
            return process, printed
    fail("it did not start", process.stderr.read())


def curl_lines(printed):
    joined = printed.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip().startswith("curl ")]


def run(line):
    result = subprocess.run(line.replace("curl ", "curl -sS --max-time 10 ", 1), shell=True, capture_output=True,
                            text=True)
    if result.returncode != 0:
        fail(line, result.stderr)
    return result.stdout


def split(answer):
    """Status, fields and JSON of an answer printed by curl -i."""
    head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
    lines = head.splitlines()
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        fields.setdefault(name.lower(), []).append(value)
    return int(lines[0].split()[1]), fields, json.loads(body)


def check(condition, text, got):
    if not condition:
        fail(text, got)


def check_lifecycle(fields, got):
    check(fields.get("api-version") == ["v1"], "API-Version", got)
    check(fields.get("deprecation") == ["@1767225600"], "Deprecation (RFC 9745)", got)
    check(fields.get("sunset") == ["Wed, 30 Jun 2027 23:59:59 GMT"], "Sunset (RFC 8594)", got)
    links = " ".join(fields.get("link", []))
    for rel in ("successor-version", "deprecation", "sunset"):
        check(f'rel="{rel}"' in links, f"Link {rel}", got)


def check_answers(lines):
    order_v1, order_v2, listing, count, create, missing, unknown, usage, metrics = lines
    got = run(order_v1)
    status, fields, old = split(got)
    check(status == 200, "a v1 order", got)
    check_lifecycle(fields, got)
    check("</api/v2/orders/ord_1001>" in fields["link"][0], "the successor's URL", got)
    status, fields, new = split(run(order_v2))
    check(status == 200 and "deprecation" not in fields and fields["api-version"] == ["v2"], "a v2 order", fields)
    new = new["data"]
    check(old["total"] == new["amount"] and old["customer"]["id"] == new["customer"]["customer_id"] and
          old["lineItems"][0]["unitPrice"] == new["line_items"][0]["unit_price"] and old["status"] == 1 and
          new["status"] == "active" and old["metadata"] == new["metadata"] and old["legacyFlag"] is False and
          "internalNotes" not in old, "the same order in both versions", got)
    check('"total":234.40' in got, "a number keeps its digits", got)
    orders = json.loads(run(listing))
    check(isinstance(orders, list) and len(orders) == 2, "a v1 list", orders)
    check(json.loads(run(count)) == {"count": 42}, "a path that was renamed", "")
    got = run(create)
    status, fields, created = split(got)
    check(status == 201 and created["total"] == 59.70 and created["status"] == 1, "a v1 client creates", got)
    check(fields["location"] == [f"/api/v1/orders/{created['id']}"], "Location in the client's version", got)
    status, _, error = split(run(missing))
    check(status == 404 and set(error) == {"code", "message"}, "an error in v1's shape", error)
    status, fields, error = split(run(unknown))
    check(status == 404 and error["versions"] == ["v1", "v2"] and
          fields["content-type"] == ["application/problem+json"], "an unknown version", error)
    versions = {v["version"]: v["requests"] for api in json.loads(run(usage))["apis"] if api["api"] == "orders"
                for v in api["versions"]}
    check(versions == {"unknown": 1, "v1": 5, "v2": 1}, "who uses what", versions)
    text = run(metrics)
    check('dragoman_requests_total{api="orders",version="v1",endpoint="/orders/{id}",method="GET",status="200"} 1'
          in text, "metrics", text)


def check_readme(printed, readme):
    """The README shows the first lines as they are printed, on the usual ports."""
    text = open(readme, encoding="utf-8").read()
    port = re.search(r"dragoman on port (\d+)", printed).group(1)
    for line in curl_lines(printed.replace(f":{port}/", ":8080/"))[:2]:
        check(line in text, "README.md lacks a line that the demo prints", line)


def in_group(group):
    """Live processes of a process group."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            state, _, pgrp = open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if pgrp == str(group) and state != "Z":
            found.append(entry)
    return found


def main():
    process, printed = start(sys.argv[1])
    try:
        lines = curl_lines(printed)
        check(len(lines) == 9, "nine lines to try", printed)
        check_answers(lines)
        check_readme(printed, sys.argv[2])
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches the whole group
        code = process.wait(10)
        check(code == 0, f"it ended with {code}", process.stderr.read())
        time.sleep(0.1)
        check(not in_group(process.pid), "something of it still runs", "")
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    print("demo: ok")


main()
