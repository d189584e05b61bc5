"""The commands that show and prove what packs do, word for word: test, explain, history, new; and how they fail.

usage: proof.py DRAGOMAN ROOT   the root of the source tree
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PEOPLE = "tests/data/packs/people"
ORDERS = "rules/packs/orders"
FILE = f"{PEOPLE}/examples/people.yaml"

TESTED = f"""\
{FILE}:2:3: a person comes back
  the request, v1 client and v2 backend:
    target: expected "/api/v2/people/7?a=2&b=2", got "/api/v2/people/7?b=1&a=2"
{FILE}:2:3: a person comes back
  the answer, v1 client and v2 backend:
    headers.x-count: expected "1", got "2"
    headers.x-gone: expected nothing, got "1"
    body.title: expected "Ada", got "Ada L"
    body.n: expected 1.0, got 1
{FILE}:13:3: out, though it holds
  it is `out`:
    refused: this holds: take `out` away
{FILE}:19:3: not there
  the endpoint:
    refused: 'v1' has no 'GET /persons'
people: 5 examples (1 out), 2 endpoints, 0 round trips: 3 failed
"""

BROKEN = """\
v1 to v2 and back, twice: the request of POST /people
    before   {"first":"","last":"text text"}
    between  {"full_name":" text text"}
    after    {"first":"","last":" text text"}
    last: expected "text text", got " text text"
"""

CHANGE = f"{ORDERS}/changes/2026-01-snake-case.yaml"
EXPLAINED = f"""\
{CHANGE}:9:16: rename at body
    body.total: 5.00 -> nothing
    body.amount: nothing -> 5.00
{CHANGE}:10:7: values at body.status
    body.status: 1 -> "active"
"""
LISTED = f"""\
{CHANGE}:8:7: case at body
{CHANGE}:9:16: rename at body
{CHANGE}:10:7: values at body.status
{CHANGE}:13:24: rename at body.customer
{CHANGE}:14:14: drop at body
"""
LISTED_BACK = f"{CHANGE}:38:14: wrap, back, at body\n"
ASKED = """\
api       orders
version   v1, by path
endpoint  GET /order-count
backend   v2 gets {"method":"GET","target":"/api/v2/orders/count?a=1","headers":{"x-a":"b"}}
"""
NOT_THERE = """\
api       orders
version   v1, by path
refused   the version has no such endpoint: 404
"""
HISTORY = f"""\
v1  deprecated 2026-01-01  sunset 2027-06-30  5 endpoints
  Orders speak snake_case, and everything comes in an envelope
  {CHANGE}: 6 entries, 1 with another name
v2  5 endpoints
"""

BAD_EXAMPLES = """\
- older: {request: {method: GET, target: /x, path: 1}, response: {status: 2000}}
  newer: 7
- name: a
  versions: [v2, v1]
  endpoint: GET /things
  older: 1
  newer: 2
  clients: some
  unordered: 5
- name: b
  response: 200
  older: {response: {status: 200}}
"""
BAD = ["1:3: error: 'name' is missing: what does the example show?",
       "1:46: error: 'path' is not known here",
       "1:75: error: expected a status from 100 to 599, found 2000",
       "2:10: error: expected a map with 'request' and 'response', found a number",
       "3:3: error: an example of a body says `request: true`, or `response: true` or the status",
       "4:13: error: expected two versions, the older first",
       "8:12: error: expected older, newer or both, found 'some'",
       "9:14: error: expected true, or a list of paths of arrays, found a number",
       "10:3: error: 'newer' is missing",
       "10:3: error: messages stand in 'older' and 'newer'; an example of a body names its 'endpoint'",
       "12:10: error: 'request' is missing: an answer is one to a request"]


def main(tool, root):
    failures = 0
    clean = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}

    def run(*args, body=""):
        return subprocess.run([tool, *args], input=body, capture_output=True, text=True, cwd=root, timeout=120, env=clean)

    def expect(what, is_so, *more):
        nonlocal failures
        if not is_so:
            failures += 1
            print("not so:", what, *more)

    def same(what, done, code, out):
        expect(what, done.returncode == code and done.stdout == out, f"\n{done.returncode}\n{done.stdout}{done.stderr}")

    # test
    same("what fails is told", run("test", "--rounds", "0", PEOPLE), 1, TESTED)
    done = run("test", "--own", PEOPLE)
    expect("what breaks a law is told, and small", done.returncode == 1 and BROKEN in done.stdout, done.stdout)
    expect("the same seed, the same words", run("test", "--own", PEOPLE).stdout == done.stdout)
    found = json.loads(run("test", "--json", "--own", PEOPLE, ORDERS).stdout)
    expect("as JSON", not found["ok"] and found["failed"] == 5 and found["packs"][1]["failures"] == []
           and found["packs"][0]["failures"][0]["differences"][0]["path"] == "target"
           and {"law", "before", "between", "after"} <= set(found["packs"][0]["failures"][-1]), found)
    done = run("test", "--verbose", ORDERS)
    expect("examples that hold", done.returncode == 0 and done.stdout.count(": holds\n") == 6, done.stdout)
    expect("no round trips", " 0 round trips: ok\n" in run("test", "--rounds", "0", ORDERS).stdout)
    expect("several packs", run("test", ORDERS, "tests/data/packs/chain").stdout.splitlines()[-1].startswith("all: 6 examples"))
    done = run("test", "tests/data/packs/wrong/values", ORDERS)
    expect("a wrong pack does not hide the others", done.returncode == 1 and "orders: 6 examples" in done.stdout
           and "error: " in done.stderr)

    # explain
    order = ["explain", ORDERS, "--from", "v1", "--to", "v2", "--endpoint", "POST /orders", "--request"]
    same("what ops do", run(*order, body='{"total":5.00,"status":1}'), 0, EXPLAINED)
    same("which ops there are", run(*order), 0, LISTED)
    same("and back", run("explain", ORDERS, "--from", "v2", "--to", "v1", "--endpoint", "GET /orders/7", "--response",
                         "--status", "404"), 0, LISTED_BACK)
    done = run(*order, body='{"status":9}')
    expect("which op refuses", done.returncode == 1 and ":10:7: values at body.status\n    refused: " in done.stdout, done.stdout)
    expect("no JSON", run(*order, body="{").returncode == 1)
    ops = json.loads(run(*order, "--json", body='{"total":5}').stdout)
    expect("as JSON", ops["ops"][1]["op"] == "rename" and ops["ops"][1]["differences"][0]["path"] == "body.total", ops)
    expect("the program", ".total -> amount" in run(*order, "--program").stdout, run(*order, "--program").stdout)
    expect("all of it", 'before {"body":{"total":5}}' in run(*order, "--verbose", body='{"total":5}').stdout)
    same("what a request is", run("explain", ORDERS, "--ask", "GET /api/v1/order-count?a=1", "-H", "X-A: b"), 0, ASKED)
    same("what it is not", run("explain", ORDERS, "--ask", "GET /api/v1/nothing"), 1, NOT_THERE)
    asked = json.loads(run("explain", ORDERS, "--json", "--ask", "GET /api/v2/orders/7").stdout)
    expect("as JSON", asked["endpoint"] == "GET /orders/{id}" and asked["request"]["target"] == "/api/v2/orders/7", asked)

    # check
    said = run("check", "--losses", ORDERS).stdout
    expect("what is lost, and where", "; in PATCH /orders/{id}\n" in said
           and "; in GET /orders, POST /orders, GET /orders/{id} and 1 more\n" in said, said)
    found = json.loads(run("check", "--losses", "--json", ORDERS).stdout)["losses"]
    expect("as JSON", all({"from", "to", "where", "op", "message", "file", "line", "accepted"} <= set(one) for one in found) and found)

    # history
    same("the changes in order", run("history", ORDERS), 0, HISTORY)
    expect("a part of them", run("history", "--from", "v2", "tests/data/packs/chain").stdout.splitlines()[0].startswith("v2"))
    expect("no such version", "there is no version 'v9'" in run("history", "--to", "v9", ORDERS).stderr)
    expect("a gap", "no change" in run("history", "tests/data/packs/wrong/gap").stderr.lower(),
           run("history", "tests/data/packs/wrong/gap").stderr)

    # new
    with tempfile.TemporaryDirectory() as temp:
        pack = pathlib.Path(temp) / "things"
        made = run("new", "pack", str(pack)).stdout.split()
        expect("a pack of three files", [os.path.relpath(path, pack) for path in made]
               == ["api.yaml", "changes/1-things-have-a-name.yaml", "examples/things.yaml"], made)
        done = run("test", str(pack))
        expect("that holds", done.stdout.startswith("things: 1 example, 3 endpoints, ") and done.returncode == 0, done)
        expect("laid out as fmt does", run("fmt", "--check", str(pack)).returncode == 0)
        text = (pack / "api.yaml").read_text()
        expect("nothing is overwritten", run("new", "pack", str(pack)).returncode == 1 and (pack / "api.yaml").read_text() == text)
        change = ["new", "change", str(pack), "--title", "Lamps: on & off", "--from", "v2", "--to", "v3"]
        done = run(*change)
        path = pack / "changes/2026-01-01-lamps-on-off.yaml"
        expect("a change by day and title", done.stdout == f"{path}\n" and "add 'v3'" in done.stderr, done)
        expect("once", run(*change).returncode == 1)
        (pack / "api.yaml").write_text(text.replace("[v1, v2]", "[v1, v2, v3]"))
        expect("it is right", run("check", str(pack)).returncode == 0, run("check", str(pack)).stderr)
        expect("and laid out", run("fmt", "--check", str(pack)).returncode == 0, path.read_text())
        expect("from nowhere", run("new", "change", str(pack), "--title", "x", "--from", "v7", "--to", "v8").returncode == 1)
        (pack / "examples/things.yaml").write_text(BAD_EXAMPLES)
        done = run("test", str(pack))
        for line in BAD:
            expect("mistakes in examples are told", f"things.yaml:{line}" in done.stderr, line, "\n" + done.stderr)

    for args in (["test"], ["test", "--rounds", "x", ORDERS], ["test", "--seed", "-1", ORDERS], ["explain", ORDERS],
                 ["explain", ORDERS, "--ask", "GET"], ["explain", ORDERS, "--ask", "GET /x", "--header", "a"],
                 ["explain", ORDERS, "--header", "a: b"], [*order, "--response"], [*order, "--status", "200"],
                 ["history"], ["history", ORDERS, ORDERS], ["new"], ["new", "pack"], ["new", "thing", "x"],
                 ["new", "change", ORDERS], ["new", "pack", "x", "--title", "y"], ["new", "pack", ""]):
        done = run(*args)
        expect(f"{args} is no command line", done.returncode == 2 and done.stderr and not done.stdout, done)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
