#!/usr/bin/env python3
"""Holds the instructions that a translated message takes, as callgrind counts them.

usage: instructions.py COUNT_PROGRAM COMPILER, or with COMPILER "print" to say the figure and no more.
"""
import os
import re
import subprocess
import sys
import tempfile

REACHED = 8760  # instructions for 2048 bytes of orders, with gcc 12 and AVX2
BOUND = 1.05    # of it: more is a loss, that much less is a gain to be written down here
COMPILER = "GNU-12."
SKIPPED = 77


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def count(program):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        try:
            run = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=counted_run",
                                  "--callgrind-out-file=" + out, program],
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
            skip("the figure is for " + COMPILER + "x, this is " + compiler)
        with open("/proc/cpuinfo") as f:
            if not {"avx2", "bmi1", "bmi2"} <= set(f.read().split()):
                skip("the figure is for AVX2")
    figure = count(program)
    print("%.0f instructions for 2048 bytes of orders" % figure)
    if compiler != "print" and not REACHED / BOUND <= figure <= REACHED * BOUND:
        sys.exit("%d were reached: see %s" % (REACHED, os.path.basename(__file__)))


main()
