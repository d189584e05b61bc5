/* The tape: a JSON value as nodes over its text, for ops that need it whole.
 *
 * A node says where its text is. Taking members out, putting some in and giving them other names or
 * values changes links and marks nodes, never the text; printing copies what is not marked in
 * pieces as large as they come, with the white space around it. What is made has none.
 *
 * Nodes and texts live until the tape is cleared. Memory is kept from one value to the next, up to
 * DG_TAPE_KEPT_MAX. The first failure is sticky: calls that return false or NULL have set `status`,
 * `message` says what an op refused. Internal to the room; one thread. */
#ifndef DG_TRANSFORMS_TAPE_H
#define DG_TRANSFORMS_TAPE_H

#include "base/buf.h"
#include "transforms/op.h"

enum {
    DG_TAPE_KEPT_MAX = 1 << 20,  /* bytes */
    DG_TAPE_BYTES_MAX = 1 << 29, /* for one value; beyond it DG_LIMIT */
    DG_TAPE_TEXT_MAX = 1 << 30   /* bytes of one text; beyond it DG_LIMIT */
};

typedef enum dg_tape_kind {
    DG_TAPE_NULL,
    DG_TAPE_BOOLEAN,
    DG_TAPE_NUMBER,
    DG_TAPE_STRING,
    DG_TAPE_ARRAY,
    DG_TAPE_OBJECT
} dg_tape_kind;

typedef struct dg_tape_node dg_tape_node;
struct dg_tape_node {
    const char *text; /* of the value as it was read, len bytes */
    const char *key;  /* with its quotes, key_len bytes. An element: NULL; or where its comma is
                         before, key_len 0 */
    dg_tape_node *parent, *next, *first, *last;
    uint32_t len, key_len;
    uint16_t height; /* containers in each other, itself counted, as read; 0: not known yet */
    uint8_t kind;
    bool read;     /* the children of a container are there */
    bool changed;  /* it, or what is in it, is not as in the text any more */
    bool in_place; /* what is around it in the text, comma, colon and white space, is its */
    uint8_t mark;  /* of an op at work */
};

typedef struct dg_tape_chunk dg_tape_chunk;
typedef struct dg_tape_constant dg_tape_constant;

/* Nodes by decoded name. */
typedef struct dg_tape_entry {
    uint64_t hash;
    dg_slice name;
    dg_tape_node *node; /* NULL: an empty entry */
} dg_tape_entry;

typedef struct dg_tape_table {
    dg_tape_entry *entries;
    size_t size, capacity; /* in use; in memory. Powers of two, or 0 */
} dg_tape_table;

typedef struct dg_tape {
    dg_tape_chunk *chunks, *chunk; /* all of them; the one in use */
    size_t bytes;                  /* in all chunks */
    dg_buf text;                   /* for texts in the making */
    dg_buf name;                   /* for decoding */
    dg_tape_table table;
    dg_tape_constant *constants;
    struct dg_matcher *matcher; /* for tests, of who owns the tape; NULL: none */
    uint64_t seed;
    dg_status status;
    const char *message;
} dg_tape;

void dg_tape_init(dg_tape *tape);
void dg_tape_free(dg_tape *tape);
/* Forgets all nodes and the failure. */
void dg_tape_clear(dg_tape *tape);
/* Sets the failure, if it is the first; false. */
bool dg_tape_fail(dg_tape *tape, dg_status status, const char *message);
/* DG_INVALID: the op refuses. */
bool dg_tape_refuse(dg_tape *tape, const char *message);

/* Not zeroed; NULL when there is no more. */
void *dg_tape_alloc(dg_tape *tape, size_t bytes);
/* Copies, with a NUL before and DG_JSON_PADDING readable bytes after it. */
bool dg_tape_dup(dg_tape *tape, dg_slice text, dg_slice *ret_copy);

/* A value of valid JSON text without white space around it, which must stay. */
dg_tape_node *dg_tape_value(dg_tape *tape, dg_slice text);
/* The same, made once for `text.ptr`, however often it is asked for. Not to be changed. */
dg_tape_node *dg_tape_constant_of(dg_tape *tape, dg_slice text);
/* The value as it is now, once more. */
dg_tape_node *dg_tape_copy(dg_tape *tape, dg_tape_node *node);
/* A string that decodes to `name`. */
dg_tape_node *dg_tape_string(dg_tape *tape, dg_slice name);
/* An array or object without anything in it. */
dg_tape_node *dg_tape_container(dg_tape *tape, dg_tape_kind kind);
/* Makes the children of a container be there, if they are not. */
bool dg_tape_read(dg_tape *tape, dg_tape_node *node);

/* The member of that decoded name; NULL in *ret_member if there is none. Refuses two of them. */
bool dg_tape_find(dg_tape *tape, dg_tape_node *object, dg_slice name, dg_tape_node **ret_member);
/* What is at the path below the node, without each steps; NULL if absent. Refuses arrays on the
 * way. */
bool dg_tape_at(dg_tape *tape, dg_tape_node *node, dg_path path, dg_tape_node **ret_node);
/* Hands each value at the path to `visit`, in order of the text, until it returns false. Strict:
 * refuses an array where the path wants a member, and an object where it wants elements; else they
 * have none. */
typedef bool dg_tape_visitor(void *context, dg_tape_node *node);
bool dg_tape_visit(dg_tape *tape, dg_tape_node *node, dg_path path, bool strict,
                   dg_tape_visitor *visit, void *context);
bool dg_tape_is_named(dg_tape *tape, const dg_tape_node *member, dg_slice name);
/* The decoded name or string; in `tape->name` until the next call, or in the text itself. */
bool dg_tape_name(dg_tape *tape, const dg_tape_node *member, dg_slice *ret_name);
bool dg_tape_text(dg_tape *tape, const dg_tape_node *string, dg_slice *ret_text);

/* It, and all around it, is printed anew. */
void dg_tape_change(dg_tape_node *node);
/* Takes a member or element out, after which `before` comes (NULL: it is the first). */
void dg_tape_detach(dg_tape_node *before, dg_tape_node *node);
/* The same, looking for what is before it: as long as there are siblings. */
void dg_tape_remove(dg_tape_node *node);
/* Puts an element in, as the last one. */
void dg_tape_append(dg_tape_node *array, dg_tape_node *value);
/* The same for a member; `key` is a JSON string, quoted, which must stay. */
bool dg_tape_add(dg_tape *tape, dg_tape_node *object, dg_slice key, dg_tape_node *value);
bool dg_tape_add_named(dg_tape *tape, dg_tape_node *object, dg_slice name, dg_tape_node *value);
bool dg_tape_rename(dg_tape *tape, dg_tape_node *member, dg_slice name);
/* A member or element gets another value. */
void dg_tape_replace(dg_tape_node *node, const dg_tape_node *value);

/* Names that have been seen; begin before the first. *ret_node: who had it, or NULL and now it is
 * `node`. The name is copied unless it stays. */
bool dg_tape_begin(dg_tape *tape, size_t count);
bool dg_tape_meet(dg_tape *tape, dg_slice name, dg_tape_node *node, dg_tape_node **ret_node);
dg_tape_node *dg_tape_met(const dg_tape *tape, dg_slice name);
/* Refuses an object with two members of one name. */
bool dg_tape_distinct(dg_tape *tape, dg_tape_node *object);

/* Appends the text of the value. DG_LIMIT: deeper than DG_JSON_DEPTH_MAX. */
bool dg_tape_print(dg_tape *tape, dg_tape_node *node, dg_buf *out);
/* Appends valid JSON text without the white space between its tokens. */
void dg_tape_compact(dg_slice text, dg_buf *out);
/* What was written to tape->text since `from`, as a text that stays; empties that part. */
bool dg_tape_made(dg_tape *tape, size_t from, dg_slice *ret_text);

#endif
