/* The one layout of change files: an op a line, one indentation, quotes where YAML needs them.
 *
 * What a person decided stays: comments, and their columns where there is room, blank lines (one at
 * most), the order of keys, and whether a list or map stands on one line, if it fits there. Laying
 * out twice changes nothing more, and what the file says never changes: the outcome is read again
 * and compared. */
#ifndef DG_RULES_FMT_H
#define DG_RULES_FMT_H

#include "rules/doc/doc.h"

enum { DG_FMT_COLUMNS = 100 };

/* Appends the text in its layout to `out`. DG_INVALID with diagnostics: it cannot be read, or not
 * be laid out without loss. DG_LIMIT (`out` is full), DG_NOMEM. */
DG_MUST_USE dg_status dg_fmt(dg_slice text, const char *file, dg_diags *diags, dg_buf *out);

/* A pack's api.yaml as a tree (its origin names the file), and the paths of its change files that
 * are YAML, sorted; all in the arena. `ret_paths` has room for DG_FMT_FILES_MAX. DG_INVALID with
 * diagnostics, DG_NOMEM. */
enum { DG_FMT_FILES_MAX = 512 };
DG_MUST_USE dg_status dg_fmt_files(dg_arena *arena, const char *dir, dg_diags *diags,
                                   const dg_node **ret_api, const char **ret_paths,
                                   size_t *ret_count);

/* Private to fmt.c, fmt_read.c and upgrade.c: the file as a tree that keeps its comments. */
typedef struct dg_fmt_comment {
    struct dg_fmt_comment *next;
    dg_slice text; /* from # on */
    size_t line, column;
    bool alone; /* nothing before it in its line */
} dg_fmt_comment;

typedef struct dg_fmt_scalar {
    dg_slice text;
    bool plain;
} dg_fmt_scalar;

typedef struct dg_fmt_entry dg_fmt_entry;

typedef struct dg_fmt_node {
    dg_node_kind kind;
    bool flow;
    dg_fmt_scalar scalar;
    dg_fmt_entry *first;
} dg_fmt_node;

/* A member of a map, or an element of a list. */
struct dg_fmt_entry {
    dg_fmt_entry *next;
    dg_fmt_entry *following; /* in the order of the file, into depth */
    dg_fmt_scalar key;       /* of a map's member */
    dg_fmt_node value;
    size_t line;
    bool blank_before;
    dg_fmt_comment *above; /* in their order */
    dg_fmt_comment beside; /* at the end of its first line; empty if none */
};

typedef struct dg_fmt_file {
    dg_fmt_node root;
    dg_fmt_comment *tail; /* after everything */
    bool tail_blank;
} dg_fmt_file;

/* Reads what dg_doc_read has accepted. */
DG_MUST_USE dg_status dg_fmt_read(dg_arena *arena, dg_slice text, const char *file, dg_diags *diags,
                                  dg_fmt_file *ret_file);
void dg_fmt_put(const dg_fmt_file *file, dg_buf *out);
/* The text with \n as its line ends and without a byte order mark. False when there are others than
 * \n and \r\n, which YAML counts too. */
bool dg_fmt_lines(dg_slice text, dg_buf *ret_text);

#endif
