#!/usr/bin/env python3
"""The man page is without warnings; skipped (77) where there is no man."""
import shutil
import subprocess
import sys

if not shutil.which("man"):
    sys.exit(77)
result = subprocess.run(["man", "-l", "--warnings", sys.argv[1]], capture_output=True, text=True)
print(result.stderr, end="")
sys.exit(1 if result.returncode or result.stderr or "DRAGOMAN(1)" not in result.stdout else 0)
