/* The tape as text again. */
#include "transforms/name.h"
#include "transforms/program.h"
#include "transforms/whole/tape.h"

/* Pieces of text that follow each other are copied as one. */
typedef struct printer {
    dg_tape *tape;
    dg_buf *out;
    const char *from;
    size_t len;
} printer;

static void flush(printer *p)
{
    dg_buf_add(p->out, dg_slice_of(p->from, p->len));
    p->len = 0;
}

static void piece(printer *p, const char *from, size_t len)
{
    if (p->len && p->from + p->len == from) {
        p->len += len;
        return;
    }
    flush(p);
    p->from = from;
    p->len = len;
}

static void mark(printer *p, char c)
{
    flush(p);
    dg_buf_add_char(p->out, c);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The comma and white space before what starts at `at`; a lone comma if there is none in the text.
 */
static void print_gap(printer *p, const char *at, bool in_text)
{
    const char *from = at;
    bool comma = false;
    while (in_text && (is_space(from[-1]) || (from[-1] == ',' && !comma)))
        comma |= *--from == ',';
    if (comma)
        piece(p, from, (size_t)(at - from));
    else
        mark(p, ',');
}

/* The colon and white space behind a key; a lone colon if there is none in the text. */
static void print_colon(printer *p, const char *at, bool in_text)
{
    const char *to = at;
    bool colon = false;
    while (in_text && to && (is_space(*to) || (*to == ':' && !colon)))
        colon |= *to++ == ':';
    if (colon)
        piece(p, at, (size_t)(to - at));
    else
        mark(p, ':');
}

static bool print(printer *p, dg_tape_node *node, unsigned depth);

static bool print_children(printer *p, dg_tape_node *node, unsigned depth)
{
    const char *lead = node->text + 1, *to = lead;
    while (is_space(*to))
        to++;
    if (node->first && to < node->text + node->len - 1)
        piece(p, lead, (size_t)(to - lead));
    for (dg_tape_node *child = node->first; child; child = child->next) {
        if (child != node->first)
            print_gap(p, child->key ? child->key : child->text,
                      child->in_place || (child->key && !child->key_len));
        if (child->key_len) {
            piece(p, child->key, child->key_len);
            print_colon(p, child->key + child->key_len, child->in_place);
        }
        if (!print(p, child, depth))
            return false;
    }
    return true;
}

static bool print(printer *p, dg_tape_node *node, unsigned depth)
{
    if (node->kind < DG_TAPE_ARRAY) {
        piece(p, node->text, node->len);
        return true;
    }
    if (depth && !node->height && !dg_tape_read(p->tape, node))
        return false;
    if (depth + (node->changed ? 1 : node->height) > DG_JSON_DEPTH_MAX)
        return dg_tape_fail(p->tape, DG_LIMIT, "nested too deep");
    if (!node->changed) {
        piece(p, node->text, node->len);
        return true;
    }
    piece(p, node->text, 1);
    if (!print_children(p, node, depth + 1))
        return false;
    const char *end = node->text + node->len, *tail = end - 1;
    while (is_space(tail[-1]))
        tail--;
    piece(p, tail, (size_t)(end - tail));
    return p->out->status == DG_OK;
}

bool dg_tape_print(dg_tape *tape, dg_tape_node *node, dg_buf *out)
{
    printer p = {.tape = tape, .out = out};
    bool ok = print(&p, node, 0);
    flush(&p);
    if (out->status != DG_OK)
        return dg_tape_fail(tape, out->status,
                            out->status == DG_NOMEM ? "out of memory" : "the result is too long");
    return ok;
}

void dg_tape_compact(dg_slice text, dg_buf *out)
{
    const char *end = text.ptr + text.len, *from = text.ptr;
    bool inside = false;
    for (const char *p = text.ptr; p < end; p++) {
        if (*p == '"') {
            inside = !inside;
        } else if (inside) {
            p += *p == '\\';
        } else if (is_space(*p)) {
            dg_buf_add(out, dg_slice_of(from, (size_t)(p - from)));
            from = p + 1;
        }
    }
    dg_buf_add(out, dg_slice_of(from, (size_t)(end - from)));
}

/* The comma and the colon around the key stay: they are copied with it. */
bool dg_tape_rename(dg_tape *tape, dg_tape_node *member, dg_slice name)
{
    const char *from = member->key, *to = member->key + member->key_len;
    size_t start = tape->text.len, key_at;
    bool comma = false;
    dg_slice text;
    while (member->in_place && (is_space(from[-1]) || (from[-1] == ',' && !comma)))
        comma |= *--from == ',';
    while (member->in_place && (is_space(*to) || *to == ':'))
        to++;
    dg_buf_add(&tape->text, dg_slice_of(from, (size_t)(member->key - from)));
    key_at = tape->text.len - start;
    dg_name_encode(name, &tape->text);
    size_t key_len = tape->text.len - start - key_at;
    dg_buf_add(&tape->text, dg_slice_of(member->key + member->key_len,
                                        (size_t)(to - member->key - member->key_len)));
    if (!dg_tape_made(tape, start, &text))
        return false;
    member->key = text.ptr + key_at;
    member->key_len = (uint32_t)key_len;
    dg_tape_change(member->parent);
    return true;
}
