/* A change file as a tree with its comments: who stands above or beside what. */
#include <yaml.h>

#include "rules/doc/fmt.h"

typedef struct reader {
    yaml_parser_t parser;
    dg_arena *arena;
    dg_diags *diags;
    const char *file;
    dg_slice text;
    size_t *lines; /* where each begins */
    size_t line_count;
    yaml_mark_t last; /* that byte_at was asked for */
    size_t last_byte;
    size_t scanned; /* comments up to here are known */
    dg_fmt_comment *comments, **last_comment;
    size_t comment_line;                 /* of the last one */
    dg_fmt_entry *entries, **last_entry; /* all, in the order of the file */
    bool lost;                           /* a comment that has no place */
} reader;

static bool find_lines(reader *r)
{
    size_t count = 2;
    for (size_t i = 0; i < r->text.len; i++)
        count += r->text.ptr[i] == '\n';
    r->lines = dg_arena_alloc(r->arena, count * sizeof *r->lines);
    if (!r->lines)
        return false;
    r->lines[r->line_count++] = 0;
    for (size_t i = 0; i < r->text.len; i++)
        if (r->text.ptr[i] == '\n')
            r->lines[r->line_count++] = i + 1;
    return true;
}

/* The byte that a mark is at; its column counts characters. Marks come in their order, mostly: the
 * last one is where to begin. */
static size_t byte_at(reader *r, yaml_mark_t mark)
{
    if (mark.line >= r->line_count)
        return r->text.len;
    if (mark.line != r->last.line || mark.column < r->last.column) {
        r->last = mark;
        r->last.column = 0;
        r->last_byte = r->lines[mark.line];
    }
    for (; r->last.column < mark.column && r->last_byte < r->text.len; r->last.column++)
        do
            r->last_byte++;
        while (r->last_byte < r->text.len &&
               ((unsigned char)r->text.ptr[r->last_byte] & 0xC0) == 0x80);
    return r->last_byte;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static size_t line_of(const reader *r, size_t at, size_t from)
{
    size_t line = from;
    while (line + 1 < r->line_count && r->lines[line + 1] <= at)
        line++;
    return line;
}

static void add_comment(reader *r, size_t at, size_t end)
{
    dg_fmt_comment *c = dg_arena_zalloc(r->arena, sizeof *c);
    if (!c)
        return;
    while (end > at && is_space(r->text.ptr[end - 1]))
        end--;
    c->text = dg_slice_of(r->text.ptr + at, end - at);
    c->line = r->comment_line = line_of(r, at, r->comment_line);
    c->column = at - r->lines[c->line];
    c->alone = true;
    for (size_t i = r->lines[c->line]; i < at; i++)
        c->alone &= is_space(r->text.ptr[i]);
    *r->last_comment = c;
    r->last_comment = &c->next;
}

/* Between scalars, a # after white space begins a comment (YAML 1.2.2, 6.6). */
static void find_comments(reader *r, size_t until)
{
    for (size_t i = r->scanned; i < until; i++) {
        if (r->text.ptr[i] != '#' || (i > 0 && !is_space(r->text.ptr[i - 1])))
            continue;
        size_t end = i + dg_slice_find(dg_slice_from(r->text, i), '\n');
        add_comment(r, i, end);
        i = end;
    }
}

static dg_fmt_scalar scalar_of(reader *r, const yaml_event_t *event)
{
    size_t start = byte_at(r, event->start_mark), end = byte_at(r, event->end_mark);
    yaml_scalar_style_t style = event->data.scalar.style;
    dg_slice value = dg_slice_of(event->data.scalar.value, event->data.scalar.length);
    find_comments(r, start);
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
        for (size_t i = start; i < end && r->text.ptr[i] != '\n'; i++)
            if (r->text.ptr[i] == '#' && !r->lost) {
                r->lost = true;
                dg_diags_add(r->diags, DG_ERROR,
                             (dg_origin){r->file, (uint32_t)event->start_mark.line + 1,
                                         (uint32_t)event->start_mark.column + 1},
                             "a comment beside | or > has no place in the layout: put it above");
            }
    if (end > r->scanned)
        r->scanned = end;
    return (dg_fmt_scalar){dg_arena_dup(r->arena, value), style == YAML_PLAIN_SCALAR_STYLE};
}

static dg_status next_event(reader *r, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&r->parser, ret_event))
        return DG_OK;
    return r->parser.error == YAML_MEMORY_ERROR ? DG_NOMEM : DG_INVALID;
}

static dg_fmt_entry *new_entry(reader *r, size_t line)
{
    dg_fmt_entry *entry = dg_arena_zalloc(r->arena, sizeof *entry);
    if (!entry)
        return NULL;
    entry->line = line;
    *r->last_entry = entry;
    r->last_entry = &entry->following;
    return entry;
}

static dg_status read_children(reader *r, dg_fmt_node *parent);

static dg_status read_node(reader *r, const yaml_event_t *event, dg_fmt_node *node)
{
    if (event->type == YAML_SCALAR_EVENT) {
        node->scalar = scalar_of(r, event);
        return node->scalar.text.ptr ? DG_OK : DG_NOMEM;
    }
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    node->kind = is_map ? DG_NODE_MAP : DG_NODE_LIST;
    node->flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                        : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    return read_children(r, node);
}

/* As deep as dg_doc_read has let it be. */
static dg_status read_children(reader *r, dg_fmt_node *parent)
{
    dg_fmt_entry **last = &parent->first;
    for (;;) {
        yaml_event_t event;
        dg_status status = next_event(r, &event);
        if (status != DG_OK)
            return status;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return DG_OK;
        }
        dg_fmt_entry *entry = new_entry(r, event.start_mark.line);
        if (entry && parent->kind == DG_NODE_MAP) {
            entry->key = scalar_of(r, &event);
            yaml_event_delete(&event);
            status = next_event(r, &event);
            if (status != DG_OK)
                return status;
        }
        status = entry ? read_node(r, &event, &entry->value) : DG_NOMEM;
        yaml_event_delete(&event);
        if (status != DG_OK)
            return status;
        *last = entry;
        last = &entry->next;
    }
}

static dg_status read_stream(reader *r, dg_fmt_node *root)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        dg_status status = next_event(r, &event);
        if (status != DG_OK)
            return status;
        ended = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_SCALAR_EVENT || event.type == YAML_SEQUENCE_START_EVENT ||
            event.type == YAML_MAPPING_START_EVENT)
            status = read_node(r, &event, root);
        yaml_event_delete(&event);
        if (status != DG_OK)
            return status;
    }
    find_comments(r, r->text.len);
    return dg_arena_failed(r->arena) ? DG_NOMEM : DG_OK;
}

static bool is_blank(const reader *r, size_t line)
{
    for (size_t i = r->lines[line]; i < r->text.len && r->text.ptr[i] != '\n'; i++)
        if (!is_space(r->text.ptr[i]))
            return false;
    return true;
}

/* A comment alone in its line stands above what comes next; one behind something beside the first
 * thing that begins in that line. */
static void place_comments(reader *r, dg_fmt_file *file)
{
    dg_fmt_comment *c = r->comments;
    for (dg_fmt_entry *e = r->entries; e; e = e->following) {
        size_t first = e->line;
        dg_fmt_comment **above = &e->above;
        while (c && c->line < e->line) {
            dg_fmt_comment *next = c->next;
            first = c->line < first ? c->line : first;
            *above = c;
            above = &c->next;
            *above = NULL;
            c = next;
        }
        if (c && c->line == e->line) {
            e->beside = *c;
            c = c->next;
        }
        e->blank_before = first > 0 && is_blank(r, first - 1);
    }
    file->tail = c;
    file->tail_blank = c && c->line > 0 && is_blank(r, c->line - 1);
}

dg_status dg_fmt_read(dg_arena *arena, dg_slice text, const char *file, dg_diags *diags,
                      dg_fmt_file *ret_file)
{
    reader r = {.arena = arena, .diags = diags, .file = file, .text = text};
    dg_fmt_file result = {.tail = NULL};
    r.last_comment = &r.comments;
    r.last_entry = &r.entries;
    if (!find_lines(&r) || !yaml_parser_initialize(&r.parser))
        return DG_NOMEM;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    dg_status status = read_stream(&r, &result.root);
    yaml_parser_delete(&r.parser);
    if (status == DG_OK && r.lost)
        status = DG_INVALID;
    if (status != DG_OK)
        return status;
    place_comments(&r, &result);
    *ret_file = result;
    return DG_OK;
}
