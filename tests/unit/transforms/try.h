/* Shorthand for tests: op lists in a line, a run in a call. */
#ifndef DG_TESTS_TRY_H
#define DG_TESTS_TRY_H

#include "transforms/program.h"

/* In static initializers; DG_SLICE elsewhere. */
#define S(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
#define LIST(array)                                                                                \
    {                                                                                              \
        (array), sizeof(array) / sizeof *(array)                                                   \
    }
#define RENAME(from_, to_)                                                                         \
    {                                                                                              \
        .kind = DG_OP_RENAME, .name = S(from_), .to = S(to_), .origin = { "pack.yaml", 7, 3 }      \
    }
#define DROP(name_)                                                                                \
    {                                                                                              \
        .kind = DG_OP_DROP, .name = S(name_), .origin = { "pack.yaml", 7, 3 }                      \
    }
#define DROP_EMPTY(name_)                                                                          \
    {                                                                                              \
        .kind = DG_OP_DROP, .name = S(name_), .if_empty = true                                     \
    }
#define ADD(name_, value_)                                                                         \
    {                                                                                              \
        .kind = DG_OP_ADD, .name = S(name_), .value = S(value_), .origin = { "pack.yaml", 7, 3 }   \
    }
#define DEFAULT(name_, value_)                                                                     \
    {                                                                                              \
        .kind = DG_OP_DEFAULT, .name = S(name_), .value = S(value_)                                \
    }
#define MADE(name_)                                                                                \
    {                                                                                              \
        .kind = DG_OP_DEFAULT, .name = S(name_), .value = S("{}"), .if_empty = true                \
    }
#define WRAP(name_)                                                                                \
    {                                                                                              \
        .kind = DG_OP_WRAP, .name = S(name_)                                                       \
    }
#define UNWRAP(name_)                                                                              \
    {                                                                                              \
        .kind = DG_OP_UNWRAP, .name = S(name_), .origin = { "pack.yaml", 7, 3 }                    \
    }
#define IN(name_, list_)                                                                           \
    {                                                                                              \
        .kind = DG_OP_IN, .name = S(name_), .body = (list_)                                        \
    }
#define EACH(list_)                                                                                \
    {                                                                                              \
        .kind = DG_OP_EACH, .body = (list_)                                                        \
    }
#define LENS(list_)                                                                                \
    {                                                                                              \
        .kind = DG_OP_LENS, .body = (list_), .lens = "Lens"                                        \
    }
#define CAMEL                                                                                      \
    {                                                                                              \
        .kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL                             \
    }
#define SNAKE                                                                                      \
    {                                                                                              \
        .kind = DG_OP_CASE, .case_from = DG_CAMEL, .case_to = DG_SNAKE                             \
    }
#define VALUES(pairs_, unknown_)                                                                   \
    {                                                                                              \
        .kind = DG_OP_VALUES, .pairs = (pairs_), .pair_count = sizeof(pairs_) / sizeof *(pairs_),  \
        .unknown = (unknown_), .origin = {                                                         \
            "pack.yaml",                                                                           \
            7,                                                                                     \
            3                                                                                      \
        }                                                                                          \
    }

/* Compiles, or fails the test. */
dg_program *compile(const dg_ops *list);
/* The program on the text, followed by rubbish; three times by one runner, which must agree with
 * itself. */
dg_status run_program(const dg_program *program, dg_slice in, dg_buf *out, dg_run_error *error);
/* The same with the list, and comparing: fails the test unless the result is `out`. */
void gives(const dg_ops *list, const char *in, const char *out);
/* The list refuses the text so. */
void refuses(const dg_ops *list, const char *in, dg_status status, size_t offset,
             const char *pointer);

#endif
