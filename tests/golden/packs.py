"""The commands that read and rewrite packs, on copies: layout, upgrade, losses, and packs that mean harm.

usage: packs.py DRAGOMAN ROOT   the root of the source tree
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from run import blocks

API = "# the API\napi: x\nversions: [v1, v2]\n"
OLD = "change: c\nbetween: [v1, v2]\nendpoints:\n  GET /x: {response: [{rename: {a: b}, lossy: accept}, {add: {}}]}\n"
NEW = "change: c\nbetween: [v1, v2]\nendpoints:\n  GET /x: {response: [{rename: {a: b}}]}\n"
SECONDS_MAX = 2
failures = 0


def expect(what, is_so, *more):
    global failures
    if not is_so:
        failures += 1
        print("not so:", what, *more)


def write_pack(folder, change, api=API):
    (folder / "changes").mkdir(parents=True)
    (folder / "api.yaml").write_text(api)
    (folder / "changes/a.yaml").write_text(change)
    return str(folder)


def hostile():
    """Packs of about a MiB, each as costly as can be in its way."""
    head = "change: c\nbetween: [v1, v2]\n"
    op = "GET /x: {response: "
    yield "keys", head + "endpoints:\n  " + op + "[" + "{nope: 1}," * 90000 + "]}\n"
    yield "lenses", head + "lenses:\n" + "".join(f"  L{i}: [L{i + 1}, L{i + 2}]\n" for i in range(4000)) + "  L4000: []\n  L4001: []\n"
    yield "unknown lenses", head + "lenses:\n" + "".join(f"  Lens{i:04}: [Lens{i:04}x]\n" for i in range(4096))
    yield "renames", head + "endpoints:\n  " + op + "[" + ",".join(
        "{rename: {" + ",".join(f"a{i}_{j}: b{i}_{j}" for j in range(4000)) + "}}" for i in range(12)) + "]}\n"
    yield "tables", head + "endpoints:\n  " + op + "[" + ",".join(
        "{values: {at: a, table: {" + ",".join(f"{j}: a{j}" for j in range(4000)) + "}}}" for i in range(20)) + "]}\n"
    body = "lenses:\n  A:\n" + "".join(f"    - rename: {{a{i}: b{i}}}\n" for i in range(9000)) + "endpoints:\n"
    yield "bindings", head + body + "".join(f"  GET /x{i}: {{response: [A, {{wrap: a}}]}}\n" for i in range(4000))
    yield "depth", head + "endpoints:\n  " + op + "[" + "{each: " * 60 + "{rename: {a: b}}" + "}" * 60 + "]}\n"
    yield "cases", head + "endpoints:\n  " + op + "[" + ",".join(
        "{if: {any: [" + ",".join(f"{{at: a{j}, matches: '^{j}'}}" for j in range(200)) + "]}, do: []}" for i in range(120)) + "]}\n"
    nested = "[{rename: {a: b}}]"
    for i in range(25):
        nested = f"[{{up: {nested}, down: []}}]"
    yield "ways back", head + "endpoints:\n  " + op + nested + "}\n"


def main(tool, root):
    def run(*args):
        return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60)

    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        old = write_pack(temp / "old", OLD)
        expect("format 0 is refused", run("check", old).returncode == 1)
        expect("upgrade --check says so", run("upgrade", "--check", old).returncode == 1)
        expect("and writes nothing", (temp / "old/changes/a.yaml").read_text() == OLD)
        done = run("upgrade", old)
        expect("upgrade writes", done.returncode == 0 and len(done.stdout.splitlines()) == 2, done)
        expect("the change", (temp / "old/changes/a.yaml").read_text() == NEW)
        expect("the format", (temp / "old/api.yaml").read_text() == API.replace("api:", "dragoman: 1\napi:"))
        expect("once is enough", run("upgrade", "--check", old).returncode == 0)
        expect("format 1 is right", run("check", old).returncode == 0)

        odd = write_pack(temp / "odd", NEW.replace("{response: [{rename: {a: b}}]}",
                                                   "\n       response:   [ {'rename':   {a: b} } ] # why"))
        (temp / "odd/changes/a.yaml").chmod(0o640)
        (temp / "odd/changes/b.json").write_text("{}")
        expect("fmt --check says so", run("fmt", "--check", odd).returncode == 1)
        expect("fmt writes", run("fmt", odd).stdout == f"{odd}/changes/a.yaml\n")
        expect("the layout", (temp / "odd/changes/a.yaml").read_text() == NEW.replace(
            "{response: [{rename: {a: b}}]}", "\n    response: [{rename: {a: b}}]             # why").replace(": \n", ":\n"), (temp / "odd/changes/a.yaml").read_text())
        expect("its permissions", (temp / "odd/changes/a.yaml").stat().st_mode & 0o777 == 0o640)
        expect("once is enough", run("fmt", "--check", odd).returncode == 0)
        expect("JSON is left alone", (temp / "odd/changes/b.json").read_text() == "{}")
        expect("nothing else is left behind", len(list((temp / "odd/changes").iterdir())) == 2)
        (temp / "odd/changes/b.json").unlink()
        for args in (["fmt"], ["upgrade"], ["fmt", "--chek", odd], ["upgrade", "--chek", odd]):
            expect(f"{args} is no command line", run(*args).returncode == 2)
        for command in ("fmt", "upgrade"):
            expect(f"{command} without a pack", run(command, str(temp / "none")).returncode == 1)

        lists = [text for kind, text in blocks((pathlib.Path(root) / "docs/packs.md").read_text()) if kind == "yaml op"]
        for i, ops in enumerate(lists):
            change = "change: c\nbetween: [v1, v2]\nendpoints:\n  GET /x:\n    response:\n"
            pack = write_pack(temp / f"doc{i}", change + "".join(f"      {line}\n" for line in ops.splitlines()))
            expect("the reference is laid out", run("fmt", pack).returncode == 0, ops)
            expect("as it is written", (temp / f"doc{i}/changes/a.yaml").read_text()
                   == change + "".join(f"      {line}\n" for line in ops.splitlines()), ops)

        lossy = write_pack(temp / "lossy", NEW.replace("{rename: {a: b}}", "{drop: a, lossy: accept}, {add: {c: 1}}"))
        said = run("check", "--losses", lossy).stdout
        expect("losses upward", "x: v1 to v2: " in said and 'drop at .: the value of "a" is lost' in said and "(accepted)" in said, said)
        expect("losses downward", "x: v2 to v1: " in said and 'add at .: what is at "c" goes' in said, said)
        losses = json.loads(run("check", "--losses", "--json", lossy).stdout)["losses"]
        expect("as JSON", [(one["from"], one["op"], one["accepted"]) for one in losses]
               == [("v1", "drop", True), ("v2", "add", False)], losses)
        expect("no losses", json.loads(run("check", "--losses", "--json", odd).stdout)["losses"] == [])

        waits = write_pack(temp / "waits", NEW, "api: x\nversions: [v1, v2]\nselected_by: [path, {pin: {header: x-t, file: pins}}]\n")
        os.mkfifo(temp / "waits/pins")
        done = run("check", waits)
        expect("a pipe is not waited for", done.returncode == 1 and "pins: error: cannot be read: not a regular file" in done.stderr, done.stderr)

        for name, change in hostile():
            shutil.rmtree(temp / "hostile", ignore_errors=True)
            pack = write_pack(temp / "hostile", change[:1 << 20])
            for command in (["check", "--losses"], ["fmt", "--check"]):
                begin = time.monotonic()
                done = run(*command, pack)
                took = time.monotonic() - begin
                # With room for sanitizers, and for others on the machine.
                expect(f"{name}: {command[0]} ends within {SECONDS_MAX} s", took < SECONDS_MAX * 10, took)
                expect(f"{name}: {command[0]} ends well", done.returncode in (0, 1), done.returncode)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
