#include "rules/doc/fmt.h"

enum { KEY_BYTES_MAX = 500 /* a simple key of YAML is short */ };

typedef struct printer {
    dg_buf *out;
    size_t line_start;            /* in out */
    const dg_fmt_comment *beside; /* goes to the end of this line; may be NULL */
} printer;

static void end_line(printer *p)
{
    while (p->out->len > p->line_start && p->out->ptr[p->out->len - 1] == ' ')
        p->out->len--;
    if (p->beside) {
        dg_buf_add_str(p->out, "  ");
        while (p->out->len - p->line_start < p->beside->column && p->out->status == DG_OK)
            dg_buf_add_char(p->out, ' ');
        dg_buf_add(p->out, p->beside->text);
        p->beside = NULL;
    }
    dg_buf_add_char(p->out, '\n');
    p->line_start = p->out->len;
}

static void indent(printer *p, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        dg_buf_add_char(p->out, ' ');
}

/* Words that other readers of YAML take for true and false. */
static bool is_doubtful(dg_slice s)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (dg_slice_ieq(s, dg_slice_str(words[i])))
            return true;
    return false;
}

/* Whether text in quotes means the same without. */
static bool needs_no_quotes(dg_slice s, bool in_flow)
{
    const dg_node plain = {.kind = DG_NODE_SCALAR, .text = s};
    if (s.len == 0 || !dg_node_is_string(&plain) || is_doubtful(s) || s.ptr[s.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
        bool inner = (c >= '0' && c <= '9') || (c && strchr(" .-+()$*=@", c)) ||
                     (!in_flow && c && strchr("{}[],", c));
        if (!letter && (i == 0 || !inner))
            return false;
    }
    return true;
}

static bool fits_single_quotes(dg_slice s)
{
    bool wanted = false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c >= 0x7F || c == '\'')
            return false;
        wanted |= c == '\\' || c == '"';
    }
    return wanted;
}

static void put_double_quoted(dg_buf *out, dg_slice s)
{
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"' || c == '\\')
            dg_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            dg_buf_add_str(out, "\\n");
        else if (c == '\t')
            dg_buf_add_str(out, "\\t");
        else if (c < 0x20 || c == 0x7F)
            dg_buf_printf(out, "\\x%02x", (unsigned)c);
        else
            dg_buf_add_char(out, (char)c);
    }
    dg_buf_add_char(out, '"');
}

static void put_scalar(dg_buf *out, const dg_fmt_scalar *scalar, bool in_flow)
{
    if (scalar->plain && scalar->text.len == 0 && in_flow) {
        dg_buf_add_str(out, "null");
    } else if (scalar->plain || needs_no_quotes(scalar->text, in_flow)) {
        dg_buf_add(out, scalar->text);
    } else if (fits_single_quotes(scalar->text)) {
        dg_buf_add_char(out, '\'');
        dg_buf_add(out, scalar->text);
        dg_buf_add_char(out, '\'');
    } else {
        put_double_quoted(out, scalar->text);
    }
}

static void put_flow(dg_buf *out, const dg_fmt_node *node)
{
    if (node->kind == DG_NODE_SCALAR) {
        put_scalar(out, &node->scalar, true);
        return;
    }
    bool is_map = node->kind == DG_NODE_MAP;
    dg_buf_add_char(out, is_map ? '{' : '[');
    for (const dg_fmt_entry *e = node->first; e; e = e->next) {
        if (e != node->first)
            dg_buf_add_str(out, ", ");
        if (is_map) {
            put_scalar(out, &e->key, true);
            dg_buf_add_str(out, ": ");
        }
        put_flow(out, &e->value);
    }
    dg_buf_add_char(out, is_map ? '}' : ']');
}

static bool holds_comments(const dg_fmt_node *node)
{
    for (const dg_fmt_entry *e = node->first; e; e = e->next)
        if (e->above || e->beside.text.len || holds_comments(&e->value))
            return true;
    return false;
}

/* Whether the value goes on this line; it is written there if so. */
static bool put_on_line(printer *p, const dg_fmt_node *node, bool must_break)
{
    if (node->kind == DG_NODE_SCALAR) {
        put_scalar(p->out, &node->scalar, false);
        return true;
    }
    size_t before = p->out->len;
    if (node->first && (!node->flow || must_break || holds_comments(node)))
        return false;
    put_flow(p->out, node);
    if (!node->first || p->out->len - p->line_start <= DG_FMT_COLUMNS)
        return true;
    p->out->len = before;
    return false;
}

static void put_block(printer *p, const dg_fmt_node *node, size_t columns, unsigned depth,
                      bool begun);

static void put_comments(printer *p, const dg_fmt_comment *c, size_t columns)
{
    for (; c; c = c->next) {
        indent(p, columns);
        dg_buf_add(p->out, c->text);
        end_line(p);
    }
}

/* The file itself and its sections are never on one line. */
static bool must_break(const dg_fmt_node *node, unsigned depth)
{
    if (depth == 0)
        return true;
    return depth == 1 && node->kind == DG_NODE_MAP;
}

static void put_entry(printer *p, const dg_fmt_entry *e, bool is_map, size_t columns,
                      unsigned depth)
{
    if (is_map) {
        put_scalar(p->out, &e->key, false);
        dg_buf_add_str(p->out, ": ");
    } else {
        dg_buf_add_str(p->out, "- ");
    }
    if (e->beside.text.len)
        p->beside = &e->beside;
    if (put_on_line(p, &e->value, must_break(&e->value, depth + 1))) {
        end_line(p);
    } else if (is_map) {
        end_line(p);
        put_block(p, &e->value, columns + 2, depth + 1, false);
    } else {
        put_block(p, &e->value, columns + 2, depth + 1, true);
    }
}

/* `begun`: the first entry stands in the line that has begun, behind a dash. */
static void put_block(printer *p, const dg_fmt_node *node, size_t columns, unsigned depth,
                      bool begun)
{
    for (const dg_fmt_entry *e = node->first; e; e = e->next) {
        bool first = e == node->first;
        if (!begun || !first) {
            if (e->blank_before && !first)
                end_line(p);
            put_comments(p, e->above, columns);
            indent(p, columns);
        }
        put_entry(p, e, node->kind == DG_NODE_MAP, columns, depth);
    }
}

static bool has_long_key(const dg_fmt_node *node)
{
    for (const dg_fmt_entry *e = node->first; e; e = e->next)
        if (e->key.text.len > KEY_BYTES_MAX || has_long_key(&e->value))
            return true;
    return false;
}

bool dg_fmt_lines(dg_slice text, dg_buf *ret_text)
{
    if (dg_slice_starts(text, DG_SLICE("\xEF\xBB\xBF")))
        text = dg_slice_from(text, 3);
    for (size_t i = 0; i < text.len; i++) {
        dg_slice rest = dg_slice_from(text, i);
        if (dg_slice_starts(rest, DG_SLICE("\r\n")))
            continue;
        if (*rest.ptr == '\r' || dg_slice_starts(rest, DG_SLICE("\xC2\x85")) ||
            dg_slice_starts(rest, DG_SLICE("\xE2\x80\xA8")) ||
            dg_slice_starts(rest, DG_SLICE("\xE2\x80\xA9")))
            return false;
        dg_buf_add_char(ret_text, *rest.ptr);
    }
    return true;
}

static dg_status refuse(const char *file, dg_diags *diags, const char *message)
{
    dg_diags_add(diags, DG_ERROR, (dg_origin){file, 0, 0}, "%s", message);
    return DG_INVALID;
}

void dg_fmt_put(const dg_fmt_file *file, dg_buf *out)
{
    printer p = {.out = out, .line_start = out->len};
    put_block(&p, &file->root, 0, 0, false);
    if (file->tail && file->tail_blank)
        end_line(&p);
    put_comments(&p, file->tail, 0);
}

static dg_status layout(dg_arena *arena, dg_slice text, const char *file, dg_diags *diags,
                        dg_buf *out)
{
    const dg_node *before, *after;
    dg_fmt_file tree;
    dg_diags again;
    dg_status status = dg_doc_read(arena, text, file, diags, &before);
    if (status != DG_OK)
        return status;
    if (before->kind == DG_NODE_SCALAR)
        return refuse(file, diags, "is no change: expected a map");
    status = dg_fmt_read(arena, text, file, diags, &tree);
    if (status != DG_OK)
        return status;
    if (has_long_key(&tree.root))
        return refuse(file, diags, "has a key that is too long to be laid out");
    size_t from = out->len;
    dg_fmt_put(&tree, out);
    if (out->status != DG_OK)
        return out->status;
    if (out->len - from > DG_DOC_BYTES_MAX)
        return refuse(file, diags, "is too large for its layout: split it");
    dg_diags_init(&again);
    status = dg_doc_read(arena, dg_slice_from(dg_buf_slice(out), from), file, &again, &after);
    dg_diags_free(&again);
    if (status == DG_NOMEM)
        return status;
    if (status != DG_OK || dg_node_digest(before, 0) != dg_node_digest(after, 0))
        return refuse(file, diags, "cannot be laid out without changing what it says");
    return DG_OK;
}

dg_status dg_fmt(dg_slice text, const char *file, dg_diags *diags, dg_buf *out)
{
    dg_arena arena;
    dg_buf lines;
    size_t from = out->len;
    dg_arena_init(&arena, 0);
    dg_buf_init(&lines, DG_DOC_BYTES_MAX);
    dg_status status =
        dg_fmt_lines(text, &lines)
            ? lines.status
            : refuse(file, diags, "has line ends that are neither \\n nor \\r\\n: write them out");
    if (status == DG_OK)
        status = layout(&arena, dg_buf_slice(&lines), file, diags, out);
    if (status != DG_OK)
        out->len = from;
    dg_buf_free(&lines);
    dg_arena_free(&arena);
    return status;
}
