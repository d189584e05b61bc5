/* dragoman COMMAND: one file a command, one row a command in DG_COMMAND_TABLE.
 *
 * A command gets argv from its own name on (argv[0] is "check"), reads its options with getopt_long, and
 * returns one of the exit codes. Results go to stdout, what is wrong to stderr. */
#ifndef DG_PROXY_COMMAND_COMMAND_H
#define DG_PROXY_COMMAND_COMMAND_H

/*   name       what it does */
#define DG_COMMAND_TABLE(X)                                                                        \
    X(serve, "run the proxy")                                                                      \
    X(demo, "run a sample backend and the proxy before it, to try things out")                     \
    X(check, "check packs: every mistake as file:line:column")                                     \
    X(test, "run the examples of packs, and try their laws on documents made for it")              \
    X(explain, "show what each op of a pack does to a message, or what a request is")              \
    X(history, "print the changes of a pack, in order")                                            \
    X(new, "begin a pack, or a change of one")                                                     \
    X(translate, "translate one JSON body between two versions")                                   \
    X(fmt, "give the change files of packs their one layout")                                      \
    X(upgrade, "rewrite packs of older formats")                                                   \
    X(certs, "make a CA and a certificate for development")

enum {
    DG_EXIT_OK = 0,
    DG_EXIT_WRONG = 1, /* the input is wrong, or work failed */
    DG_EXIT_USAGE = 2  /* the command line is wrong */
};

#define DG_COMMAND_DECLARE(name, text) int dg_command_##name(int argc, char **argv);
DG_COMMAND_TABLE(DG_COMMAND_DECLARE)
#undef DG_COMMAND_DECLARE

#endif
