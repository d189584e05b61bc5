"""The commands as scripts use them: exit codes, and what stands where.

usage: commands.py DRAGOMAN ROOT   the root of the source tree
"""
import json
import subprocess
import sys


def main(tool, root):
    failures = 0

    def run(*args, body=b"", to=subprocess.PIPE):
        return subprocess.run([tool, *args], input=body, stdout=to, stderr=subprocess.PIPE, cwd=root, timeout=60)

    def expect(what, is_so):
        nonlocal failures
        if not is_so:
            failures += 1
            print(f"not so: {what}")

    orders, wrong = "rules/packs/orders", "tests/data/packs/wrong/values"
    one = ["translate", "--pack", orders, "--from", "v1", "--to", "v2", "--endpoint", "POST /orders", "--request"]
    for args, code in [(["--help"], 0), ([], 2), (["chek"], 2), (["check"], 2), (["check", "--jsn", orders], 2),
                       (["check", orders], 0), (["check", wrong], 1), (["check", orders, wrong], 1),
                       (["check", ""], 1), (["check", "--json", wrong], 1), (["translate"], 2), (one + ["x"], 2),
                       (one + ["--status", "200"], 2), (one + ["--response"], 2)]:
        done = run(*args)
        expect(f"{args} ends with {code}, not {done.returncode}", done.returncode == code)
        expect(f"{args} says why", code == 0 or done.stderr or "--json" in args)
    expect("a body is translated", run(*one, body=b'{"total":1}').stdout == b'{"amount":1}')
    expect("a broken body is wrong", run(*one, body=b'{"total":').returncode == 1)

    good, bad = (json.loads(run("check", "--json", pack).stdout) for pack in (orders, wrong))
    expect("the JSON of a right pack", good["ok"] and not good["diagnostics"] and good["errors"] == 0
           and good["apis"][0]["versions"] == ["v1", "v2"])
    expect("the JSON of a wrong pack", not bad["ok"] and not bad["apis"] and bad["errors"] == len(bad["diagnostics"])
           and all(d["line"] and d["column"] and d["file"] and d["message"] for d in bad["diagnostics"]))
    expect("an empty name is not the root folder", b"is empty" in run("check", "").stderr)

    with open("/dev/full", "wb") as full:
        for args in (["--help"], ["check", orders], ["check", "--json", orders], one):
            expect(f"{args} notices a full disk", run(*args, body=b"{}", to=full).returncode == 1)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
