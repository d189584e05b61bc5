"""Holds the completions to the commands: what `dragoman COMMAND --help` names is completed, and nothing else.

usage: completions.py DRAGOMAN FOLDER   the folder with dragoman.bash and _dragoman
"""
import pathlib
import re
import shutil
import subprocess
import sys


def words_of_help(tool, *command):
    text = subprocess.run([tool, *command, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    commands = re.findall(r"^  ([a-z]+) ", text, re.M)
    options = re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)|^  (--[a-z]+)  ", text, re.M)
    return set(commands), {a or b for a, b in options}


def bash_words(script, *line):
    program = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dragoman; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", program, "bash", script, *line], capture_output=True, text=True, check=True,
                          timeout=60)
    return set(done.stdout.split())


def zsh_options(text, command):
    block = re.search(rf"^    {command}\)$(.*?);;", text, re.M | re.S).group(1)
    return set(re.findall(r"[,'*)}](--[a-z-]+)[\[}]", block))


def main(tool, folder):
    bash, zsh = (str(pathlib.Path(folder) / name) for name in ("dragoman.bash", "_dragoman"))
    zsh_text = pathlib.Path(zsh).read_text()
    commands, options = words_of_help(tool)
    wrong = []

    def same(what, got, want):
        if got != want:
            wrong.append(f"{what}: {sorted(got ^ want)}")

    same("bash", bash_words(bash, "dragoman", ""), commands | options)
    same("zsh", set(re.findall(r"^        '([a-z]+):", zsh_text, re.M)), commands)
    for command in sorted(commands):
        own = words_of_help(tool, command)[1]
        same(f"bash {command}", bash_words(bash, "dragoman", command, "--"), own | {"--help"})
        same(f"zsh {command}", zsh_options(zsh_text, command), own | {"--help"})
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n", zsh], check=True, timeout=60)
    print("\n".join(wrong) or f"{len(commands)} commands are completed")
    return bool(wrong) or not commands


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
