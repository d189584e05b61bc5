#!/usr/bin/env python3
"""Installs into an empty folder and uses what is there: the program, the library, the man page.

usage: test_install.py CMAKE BUILD_DIR CC [COMPILER_FLAG...]
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NEW, OLD = '{"data":[{"amount":1.10,"internal_notes":""}]}', '[{"total":1.10,"legacyFlag":false}]'
EXPECTED = '{"id":9007199254740993,"amount":234.40}\norders v1..v2\n'


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r} instead of {wanted!r}")


def find(prefix, name):
    for folder, _, names in os.walk(prefix):
        if name in names:
            return folder
    sys.exit(f"{name} is not installed")


def library_flags(prefix):
    env = dict(os.environ, PKG_CONFIG_PATH=find(prefix, "dragoman.pc"))
    return run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "--static", "dragoman", env=env).split()


def use_library(prefix, pack, compiler):
    program = os.path.join(prefix, "consumer")
    run(*compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", program, os.path.join(HERE, "consumer.c"),
        *library_flags(prefix))
    expect("the library", run(program, pack), EXPECTED)


def use_example(prefix, pack, compiler):
    """The program that docs/library.md shows."""
    with open(os.path.join(HERE, "..", "..", "docs", "library.md"), encoding="utf-8") as file:
        source = re.search(r"^```c\n(.*?)^```$", file.read(), re.M | re.S).group(1)
    program = os.path.join(prefix, "translate")
    with open(program + ".c", "w", encoding="utf-8") as file:
        file.write(source)
    run(*compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", program, program + ".c", *library_flags(prefix))
    expect("the example", run(program, pack, input=NEW), OLD + "\n")
    broken = subprocess.run([program, pack], input='{"data":[1,]}', capture_output=True, text=True)
    if broken.returncode != 1 or not broken.stderr.startswith("byte 11, /data"):
        sys.exit(f"the example on a broken text: {broken.returncode} {broken.stderr}")


def use_stream(prefix, compiler):
    """The second program that docs/library.md shows."""
    with open(os.path.join(HERE, "..", "..", "docs", "library.md"), encoding="utf-8") as file:
        source = re.findall(r"^```c\n(.*?)^```$", file.read(), re.M | re.S)[1]
    program = os.path.join(prefix, "items")
    with open(program + ".c", "w", encoding="utf-8") as file:
        file.write(source)
    run(*compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", program, program + ".c", *library_flags(prefix))
    text = "[" + ",".join('{"total":%d}' % n for n in range(50000)) + "]"
    expect("the stream", run(program, input=text), text.replace("total", "amount"))


def use_program(prefix, pack):
    program = os.path.join(find(prefix, "dragoman"), "dragoman")
    if not run(program, "--version").startswith("dragoman "):
        sys.exit("--version says something else")
    run(program, "check", pack)
    body = run(program, "translate", "--pack", pack, "--from", "v2", "--to", "v1", "--endpoint", "GET /orders",
               "--response", input=NEW)
    expect("the program", body.strip(), OLD)


def main():
    cmake, build, *compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "usr")
        run(cmake, "--install", build, "--prefix", prefix)
        pack = os.path.join(prefix, "share", "dragoman", "packs", "orders")
        use_library(prefix, pack, compiler)
        use_example(prefix, pack, compiler)
        use_stream(prefix, compiler)
        use_program(os.path.join(prefix, "bin"), pack)
        for name in ("dragoman.1", "operations.md", "CHANGELOG.md", "_dragoman"):
            find(prefix, name)
        for header in ("lexicon.h", "conn.h", "doc.h"):  # not for others
            if any(header in names for _, _, names in os.walk(prefix)):
                sys.exit(f"{header} is installed")
    print("installed, compiled against, run")


if __name__ == "__main__":
    main()
