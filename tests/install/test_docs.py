#!/usr/bin/env python3
"""What the documents show is tried: their configurations and packs, which carry their file's name in the first line,
their command lines with the output that they show, and their links. docs/README.md leads to every document.

usage: test_docs.py DRAGOMAN SOURCE_DIR
"""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.*)$", re.M)


def fail(text, *more):
    sys.exit("\n".join([f"documents: {text}", *more]))


def write_files(text, folder):
    names = []
    for kind, block in BLOCK.findall(text):
        first = block.splitlines()[0]
        if kind == "yaml" and first.startswith("# ") and first.endswith(".yaml"):
            path = os.path.join(folder, first[2:])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(block)
            names.append(first[2:])
    return names


def run(dragoman, line, folder):
    script = f'dragoman() {{ "{dragoman}" "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)


def try_commands(dragoman, text, folder):
    """Lines after a $ with what follows up to the next one."""
    count = 0
    for kind, block in BLOCK.findall(text):
        for part in block.split("$ ")[1:] if kind == "" and block.startswith("$ ") else []:
            line, rest = part.split("\n", 1)
            while line.endswith("|"):
                more, rest = rest.split("\n", 1)
                line += more
            result = run(dragoman, line, folder)
            if result.stdout != rest or result.returncode != 0:
                fail(f"$ {line}", f"shown: {rest}", f"comes: {result.stdout}{result.stderr}")
            count += 1
    return count


def anchors(source, path):
    """The headings of a document, as links name them."""
    if not path.endswith(".md"):
        return set()
    plain = FENCED.sub("", read(source, path)).lower()
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in HEADING.findall(plain)}


def check_links(source, path, text):
    """What the document links to is there, and so are the places in it."""
    for link, place in LINK.findall(FENCED.sub("", text)):
        to = os.path.normpath(os.path.join(os.path.dirname(path), link)) if link else path
        if not os.path.exists(os.path.join(source, to)):
            fail(f"{path} links to {link}, which is not there")
        if place and place not in anchors(source, to):
            fail(f"{path} links to {link}#{place}: there is no such heading")


def check_index(source):
    linked = {link for link, _ in LINK.findall(read(source, "docs/README.md"))} | {"README.md"}
    for folder, _, names in os.walk(os.path.join(source, "docs")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), os.path.join(source, "docs"))
            if path not in linked:
                fail(f"docs/README.md does not lead to docs/{path}")


def check_config(dragoman, folder):
    result = run(dragoman, "dragoman certs certs >/dev/null && dragoman serve --config dragoman.yaml --check", folder)
    if result.returncode != 0:
        fail("dragoman.yaml is refused", result.stderr)


def read(source, path):
    with open(os.path.join(source, path), encoding="utf-8") as file:
        return file.read()


def main():
    dragoman, source = os.path.abspath(sys.argv[1]), sys.argv[2]
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=source, capture_output=True, text=True).stdout.split()
    for path in {*listed, "README.md", "docs/operations.md", "docs/architecture.md"}:
        check_links(source, path, read(source, path))
    check_index(source)
    readme = read(source, "README.md")
    with tempfile.TemporaryDirectory() as folder:
        if len(write_files(readme, folder)) != 3:
            fail("README.md shows a pack of two files and a configuration")
        if try_commands(dragoman, readme, folder) != 2:
            fail("README.md shows two commands with their output")
        check_config(dragoman, folder)
        if write_files(read(source, "docs/operations.md"), folder) != ["dragoman.yaml"]:
            fail("docs/operations.md shows a configuration")
        with open(os.path.join(folder, "orders/api.yaml"), encoding="utf-8") as file:
            api = file.read()
        os.makedirs(os.path.join(folder, "billing"))
        with open(os.path.join(folder, "billing/api.yaml"), "w", encoding="utf-8") as file:
            file.write(re.sub(r"versions:.*", "versions: [v3]", api.replace("orders", "billing").replace("/api", "/bill")))
        check_config(dragoman, folder)
    print("the documents' examples work")


if __name__ == "__main__":
    main()
