#!/usr/bin/env python3
"""Holds docs/http.md to the tests that it names: all of them exist, and every row of the list names one.

usage: http_table.py [--root SOURCE_DIR]"""
import argparse
import os
import re
import sys

ROWS = 24
DEFINITION = r"^ *(?:static void |def )%s\("
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def find_tests(root):
    """The texts of all test files, by their base names."""
    texts = {}
    for folder, _, names in os.walk(os.path.join(root, "tests")):
        for name in names:
            if name.endswith((".c", ".py")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    texts[name] = texts.get(name, "") + file.read()
    return texts


def check(table, texts):
    errors, rows = [], {}
    for line in table.splitlines():
        row = re.match(r"\| (\d+) \|", line)
        if row:
            rows[int(row.group(1))] = re.findall(r"`([\w.]+\.(?:c|py))::(\w+)`", line)
    for number in range(1, ROWS + 1):
        if not rows.get(number):
            errors.append(f"row {number} names no test" if number in rows else f"row {number} is missing")
    for number, named in sorted(rows.items()):
        for file, test in named:
            if not re.search(DEFINITION % test, texts.get(file, ""), re.M):
                errors.append(f"row {number}: there is no test {file}::{test}")
    return errors


def main():
    parser = argparse.ArgumentParser(description="Holds docs/http.md to the tests that it names.")
    parser.add_argument("--root", default=ROOT)
    root = parser.parse_args().root
    with open(os.path.join(root, "docs", "http.md"), encoding="utf-8") as file:
        table = file.read()
    texts = find_tests(root)
    errors = check(table, texts)
    # It bites: a name that does not exist, and a row that is gone, are found.
    bitten = check(table.replace("::loops_are_refused", "::no_such_test", 1).replace("\n| 7 |", "\n| 77 |", 1), texts)
    if not any("no_such_test" in e for e in bitten) or "row 7 is missing" not in bitten:
        errors.append("this lint does not find a wrong name, or a missing row")
    for error in errors:
        print("docs/http.md: " + error)
    print(f"http table: {ROWS} rows, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
