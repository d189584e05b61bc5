/* dragoman: finds the command and runs it. */
#include <stdio.h>

#include "base/diag.h"
#include "proxy/command/command.h"

static const struct {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND_ROW(name, text) {#name, text, dg_command_##name},
    DG_COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static int print_help(FILE *to)
{
    fputs("dragoman stands between API clients and API backends of different versions and lets "
          "each speak its\n"
          "own.\n"
          "\n"
          "usage: dragoman COMMAND [OPTION]...\n"
          "\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].text);
    fputs("\n"
          "  --help     this, or after a command what it takes\n"
          "  --version  the version of dragoman\n"
          "\n"
          "Exit codes: 0 all is well, 1 the input is wrong, 2 the command line is wrong.\n",
          to);
    return to == stdout ? DG_EXIT_OK : DG_EXIT_USAGE;
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *meant = dg_did_you_mean(dg_slice_str(word), names);
    fprintf(stderr, "dragoman: there is no command '%s'", word);
    if (meant)
        fprintf(stderr, "; did you mean '%s'?", meant);
    fputs("\nsee dragoman --help\n", stderr);
    return DG_EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return print_help(stderr);
    dg_slice word = dg_slice_str(argv[1]);
    if (dg_slice_eq(word, DG_SLICE("--help")) || dg_slice_eq(word, DG_SLICE("-h")) ||
        dg_slice_eq(word, DG_SLICE("help")))
        return print_help(stdout);
    if (dg_slice_eq(word, DG_SLICE("--version")) || dg_slice_eq(word, DG_SLICE("-V"))) {
        puts("dragoman " DG_VERSION);
        return DG_EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (dg_slice_eq(word, dg_slice_str(commands[i].name)))
            return commands[i].run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}

/* What did not reach its reader is no success, whatever the command thinks: a full disk, say. */
int main(int argc, char **argv)
{
    int code = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == DG_EXIT_OK) {
        perror("dragoman: stdout");
        code = DG_EXIT_WRONG;
    }
    return code;
}
