#!/usr/bin/env python3
"""Holds the instructions that a translated message takes, as callgrind counts them.

usage: instructions.py COUNT_PROGRAM COMPILER, or with COMPILER "print" to say the figures and no more.
"""
import os
import re
import subprocess
import sys
import tempfile

# Instructions for 2048 bytes of orders, with gcc 12 and AVX2, by how the messages look.
REACHED = {
    "ordered": 8655,
    "omitted": 12980,
    "shuffled": 15470,
    "unknown": 9400,
    "indented": 9550,
}
BOUND = 1.05    # of them: more is a loss, that much less is a gain to be written down here
COMPILER = "GNU-12."
SKIPPED = 77


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def count(program, kind):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        try:
            run = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=counted_run",
                                  "--callgrind-out-file=" + out, program, kind],
                                 check=True, capture_output=True, text=True)
        except FileNotFoundError:
            skip("there is no valgrind (apt-get install valgrind)")
        with open(out) as f:
            total = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
    return int(total.group(1)) * 2048 / int(run.stdout)


def main():
    program, compiler = sys.argv[1:]
    if compiler != "print":
        if not compiler.startswith(COMPILER):
            skip("the figures are for " + COMPILER + "x, this is " + compiler)
        with open("/proc/cpuinfo") as f:
            if not {"avx2", "bmi1", "bmi2"} <= set(f.read().split()):
                skip("the figures are for AVX2")
    failed = False
    for kind, reached in REACHED.items():
        figure = count(program, kind)
        print("%6.0f instructions for 2048 bytes of orders, %s" % (figure, kind))
        if compiler != "print" and not reached / BOUND <= figure <= reached * BOUND:
            print("%6d were reached: see %s" % (reached, os.path.basename(__file__)))
            failed = True
    sys.exit(failed)


main()
