/* Programs: what a chain of op lists compiles to, and running one on bytes.
 *
 * A program is immutable and may be run by any number of threads, each with a runner of its own. A run is a
 * single pass: JSON bytes in, JSON bytes out, fully validated (RFC 8259, UTF-8), and what no op names leaves
 * byte for byte as it came: numbers, strings, escapes, member order, white space. In steady state a run
 * allocates nothing but what the output buffer needs to grow. */
#ifndef DG_TRANSFORMS_PROGRAM_H
#define DG_TRANSFORMS_PROGRAM_H

#include "base/buf.h"
#include "transforms/op.h"

enum {
    DG_JSON_PADDING = 64,   /* bytes after the input that must be readable (their content is ignored) */
    DG_JSON_DEPTH_MAX = 256 /* nesting beyond it is DG_LIMIT */
};

typedef struct dg_program dg_program;

/* Compiles lists applied one after the other (the steps from one version to another) into one program. The
 * lists must outlive it. Errors (an op that can never apply, a default that is no JSON) go to `diags` with
 * the op's origin. DG_INVALID, DG_NOMEM. */
DG_MUST_USE dg_status dg_program_compile(const dg_ops *const *steps, size_t step_count, dg_diags *diags,
                                         dg_program **ret_program);

/* What a program refuses beyond what its ops refuse; all zero: what dg_program_compile has. */
typedef enum dg_duplicates {
    DG_DUPLICATES_TOUCHED, /* two equal names are refused in objects whose members an op looks at */
    DG_DUPLICATES_ANYWHERE /* ... in any object of the input, too */
} dg_duplicates;

typedef enum dg_surrogates {
    DG_SURROGATES_PASS,  /* an escape of a lone surrogate (\ud800) stays as it came */
    DG_SURROGATES_REJECT /* ... anywhere in the input is DG_INVALID: it stands for no character */
} dg_surrogates;

typedef struct dg_program_options {
    dg_duplicates duplicates;
    dg_surrogates surrogates;
    unsigned depth_max; /* of the input; deeper is DG_LIMIT. 0, or more than it: DG_JSON_DEPTH_MAX */
} dg_program_options;

/* The same with options, which are copied. What they ask for beyond the default is looked for in a pass of its own
 * over each text. */
DG_MUST_USE dg_status dg_program_compile_with(const dg_ops *const *steps, size_t step_count,
                                              const dg_program_options *options, dg_diags *diags,
                                              dg_program **ret_program);
/* NULL is fine. Runners that have run it must be freed, or told by dg_runner_forget, before. */
void dg_program_free(dg_program *program);
/* True when the program changes and refuses nothing, ever: the caller may pass bytes through unread. */
bool dg_program_is_identity(const dg_program *program);
/* True when some result can leave before the whole text is there (stream.h); that depends on the text, too. */
bool dg_program_streams(const dg_program *program);

/* Appends what the program does, a line for each member that some op names, as a person can read it: where it
 * goes, what becomes of its value, what is added, what happens to all other names; stages with the ops that need
 * them. A part that applies itself again is shown once. DG_LIMIT (`out` is full, or the program has too many
 * parts), DG_NOMEM. */
DG_MUST_USE dg_status dg_program_print(const dg_program *program, dg_buf *out);

/* What went wrong in a run, and where. */
typedef struct dg_run_error {
    dg_status status;
    size_t offset;       /* byte offset into the input */
    char pointer[128];   /* JSON Pointer (RFC 6901) of the value in the input, cut at the front if longer */
    const char *message; /* static sentence: "expected a comma or '}'" */
    dg_origin origin;    /* the op that refused, if one did; file NULL otherwise */
} dg_run_error;

/* A thread's working memory: stacks, and what it has learned about the keys it met. Bounded. */
typedef struct dg_runner dg_runner;
DG_MUST_USE dg_status dg_runner_new(dg_runner **ret_runner);
void dg_runner_free(dg_runner *runner);
/* Drops what was learned for the program. */
void dg_runner_forget(dg_runner *runner, const dg_program *program);

/* Appends the translation of `in` to `out`. `in` must be followed by DG_JSON_PADDING readable bytes.
 * DG_SYNTAX: `in` is no JSON. DG_INVALID: it is, but an op refuses it (a collision, an unknown value, a
 * missing member). DG_LIMIT: too deep, or `out` is full. DG_NOMEM. On any of these `out` is as long as
 * before and *ret_error (may be NULL) is filled in. */
DG_MUST_USE dg_status dg_run(dg_runner *runner, const dg_program *program, dg_slice in, dg_buf *out,
                             dg_run_error *ret_error);

#endif
