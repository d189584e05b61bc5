"""Runs the golden cases and the examples of the pack reference through `dragoman translate`.

usage: run.py DRAGOMAN cases FOLDER   each folder below FOLDER: args (one a line), input, and expected (or
                                      error: what stderr must say, with exit code 1)
       run.py DRAGOMAN docs FILE      each ```yaml op block of FILE, followed by ```json older and newer blocks
"""
import json
import pathlib
import subprocess
import sys
import tempfile

API = "api: example\nversions: [v1, v2]\n"
CHANGE = "change: example\nbetween: [v1, v2]\nendpoints:\n  POST /x:\n    request:\n"


def translate(tool, args, body, cwd=None):
    done = subprocess.run([tool, "translate", *args], input=body, capture_output=True, cwd=cwd, timeout=60)
    return done.returncode, done.stdout, done.stderr


def run_cases(tool, folder):
    failures = count = 0
    root = pathlib.Path(__file__).resolve().parents[2]
    for case in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir()):
        args = (case / "args").read_text().splitlines()
        code, out, err = translate(tool, args, (case / "input").read_bytes(), root)
        count += 1
        if (case / "error").exists():
            want = (case / "error").read_bytes()
            good = code == 1 and out == b"" and err == want
        else:
            want = (case / "expected").read_bytes()
            good = code == 0 and out == want
        if not good:
            failures += 1
            print(f"{case.name}: exit {code}\n got  {out!r} {err!r}\n want {want!r}")
    return failures, count


def blocks(text):
    """(kind, content) of the fenced blocks."""
    kind, lines = None, []
    for line in text.splitlines():
        if kind is None and line.startswith("```"):
            kind, lines = line[3:].strip(), []
        elif kind is not None and line == "```":
            yield kind, "\n".join(lines)
            kind = None
        elif kind is not None:
            lines.append(line)


def run_example(tool, ops, older, newer, both):
    with tempfile.TemporaryDirectory() as pack:
        (pathlib.Path(pack) / "changes").mkdir()
        (pathlib.Path(pack) / "api.yaml").write_text(API)
        body = "".join(f"      {line}\n" for line in ops.splitlines())
        (pathlib.Path(pack) / "changes/a.yaml").write_text(CHANGE + body)
        common = ["--pack", pack, "--endpoint", "POST /x", "--request"]
        ways = [("v1", "v2", older, newer)] + ([("v2", "v1", newer, older)] if both else [])
        failures = 0
        for a, b, given, wanted in ways:
            code, out, err = translate(tool, [*common, "--from", a, "--to", b], given.encode())
            if code != 0 or out.decode() != wanted:
                failures += 1
                print(f"example, {a} to {b}:\n{ops}\n got  {out!r} {err!r}\n want {wanted!r}")
        return failures


def run_docs(tool, path):
    failures = count = 0
    found = list(blocks(pathlib.Path(path).read_text()))
    for i, (kind, ops) in enumerate(found):
        if kind != "yaml op":
            continue
        if [k for k, _ in found[i + 1:i + 3]] not in (["json older", "json newer"], ["json older", "json newer only"]):
            print(f"an op example without its two bodies:\n{ops}")
            failures += 1
            continue
        count += 1
        failures += run_example(tool, ops, found[i + 1][1], found[i + 2][1], found[i + 2][0] == "json newer")
    return failures, count


def main():
    tool, what, where = sys.argv[1:4]
    failures, count = (run_docs if what == "docs" else run_cases)(tool, where)
    print(f"{count - failures} of {count} as expected" if failures <= count else f"{failures} failures")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
