#include "rules/doc/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/hash.h"

typedef struct reader {
    yaml_parser_t parser;
    dg_arena *arena;
    dg_diags *diags;
    const char *file;
    size_t nodes;
    uint64_t seed;
} reader;

static dg_origin origin_of(const reader *r, yaml_mark_t mark)
{
    return (dg_origin){r->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* Every event passes here: the parser's own errors, and what this language leaves out. */
static dg_status next_event(reader *r, yaml_event_t *ret_event)
{
    if (!yaml_parser_parse(&r->parser, ret_event)) {
        if (r->parser.error == YAML_MEMORY_ERROR)
            return DG_NOMEM;
        const char *problem = r->parser.problem ? r->parser.problem : "malformed YAML";
        dg_origin at = origin_of(r, r->parser.problem_mark);
        if (r->parser.error == YAML_READER_ERROR)
            dg_diags_add(r->diags, DG_ERROR, (dg_origin){r->file, 0, 0}, "%s, at byte %zu", problem,
                         r->parser.problem_offset);
        else if (r->parser.context)
            dg_diags_add(r->diags, DG_ERROR, at, "%s, %s%s", problem, r->parser.context,
                         strstr(r->parser.context, "flow")
                             ? "; in [...] and {...}, text with one of []{}, stands in quotes"
                             : "");
        else
            dg_diags_add(r->diags, DG_ERROR, at, "%s", problem);
        return DG_INVALID;
    }
    return DG_OK;
}

static dg_status refuse(const reader *r, yaml_mark_t mark, const char *message)
{
    dg_diags_add(r->diags, DG_ERROR, origin_of(r, mark), "%s", message);
    return DG_INVALID;
}

static dg_status refuse_more(const reader *r, yaml_mark_t mark, const char *what, int max)
{
    dg_diags_add(r->diags, DG_ERROR, origin_of(r, mark), "%s %d", what, max);
    return DG_INVALID;
}

/* The anchor and tag of an event, whatever its kind; NULL where there is none. */
static dg_status check_decorations(const reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(r, event->start_mark, "aliases (*name) are not part of this language");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor)
        return refuse(r, event->start_mark, "anchors (&name) are not part of this language");
    if (tag)
        return refuse(r, event->start_mark, "tags (!name) are not part of this language");
    return DG_OK;
}

static dg_status read_children(reader *r, dg_node *parent, size_t depth);

static dg_status read_node(reader *r, const yaml_event_t *event, size_t depth, dg_node **ret_node)
{
    dg_status status = check_decorations(r, event);
    if (status != DG_OK)
        return status;
    if (++r->nodes > DG_DOC_NODES_MAX)
        return refuse(r, event->start_mark, "the file has too many values");
    dg_node *node = dg_arena_zalloc(r->arena, sizeof *node);
    if (!node)
        return DG_NOMEM;
    node->origin = origin_of(r, event->start_mark);
    if (event->type == YAML_SCALAR_EVENT) {
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = dg_arena_dup(r->arena,
                                  dg_slice_of(event->data.scalar.value, event->data.scalar.length));
        if (!node->text.ptr)
            return DG_NOMEM;
    } else {
        if (depth == DG_DOC_DEPTH_MAX)
            return refuse_more(r, event->start_mark, "values are nested deeper than",
                               DG_DOC_DEPTH_MAX);
        node->kind = event->type == YAML_MAPPING_START_EVENT ? DG_NODE_MAP : DG_NODE_LIST;
        status = read_children(r, node, depth + 1);
    }
    if (status == DG_OK)
        *ret_node = node;
    return status;
}

/* 1 and "1" are two keys of a value table; a and "a" are one key of any map. */
static bool same_key(const dg_node *a, const dg_node *b)
{
    if (a->key_hash != b->key_hash || !dg_slice_eq(a->key, b->key))
        return false;
    dg_node plain = {.kind = DG_NODE_SCALAR, .text = a->key};
    return a->key_quoted == b->key_quoted || dg_node_is_string(&plain);
}

/* The members of one map by their keys, open addressing. */
typedef struct key_set {
    const dg_node **slots;
    size_t size; /* a power of two, or 0 */
} key_set;

static bool grow_keys(reader *r, key_set *keys, const dg_node *map)
{
    size_t size = keys->size ? keys->size * 4 : 16;
    const dg_node **slots = dg_arena_zalloc(r->arena, size * sizeof *slots);
    if (!slots)
        return false;
    for (const dg_node *n = map->first; n; n = n->next) {
        size_t at = n->key_hash & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = n;
    }
    *keys = (key_set){slots, size};
    return true;
}

/* The member that has the key of `child` already, or NULL. */
static const dg_node *find_key(const key_set *keys, const dg_node *child)
{
    for (size_t at = child->key_hash; keys->size; at++) {
        const dg_node *n = keys->slots[at & (keys->size - 1)];
        if (!n || same_key(n, child))
            return n;
    }
    return NULL;
}

static void add_key(const key_set *keys, const dg_node *child)
{
    size_t at = child->key_hash;
    while (keys->slots[at & (keys->size - 1)])
        at++;
    keys->slots[at & (keys->size - 1)] = child;
}

/* A key event becomes key, position and hash of *child. */
static dg_status take_key(reader *r, const dg_node *map, key_set *keys, const yaml_event_t *event,
                          dg_node *child)
{
    if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
        return refuse(r, event->start_mark, "a key must be a name, not a list or a map");
    dg_status status = check_decorations(r, event);
    if (status != DG_OK)
        return status;
    child->key_origin = origin_of(r, event->start_mark);
    child->key_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    child->key =
        dg_arena_dup(r->arena, dg_slice_of(event->data.scalar.value, event->data.scalar.length));
    if (!child->key.ptr)
        return DG_NOMEM;
    if (!child->key_quoted && dg_slice_eq(child->key, DG_SLICE("<<")))
        return refuse(r, event->start_mark, "merge keys (<<) are not part of this language");
    if (map->count == DG_DOC_MEMBERS_MAX)
        return refuse_more(r, event->start_mark, "a map with more members than",
                           DG_DOC_MEMBERS_MAX);
    child->key_hash = dg_hash(child->key, r->seed);
    if (map->count * 2 >= keys->size && !grow_keys(r, keys, map))
        return DG_NOMEM;
    const dg_node *twin = find_key(keys, child);
    if (twin) /* an error, but the rest of the file is still worth reading */
        dg_diags_add(r->diags, DG_ERROR, child->key_origin,
                     "'%.*s' comes twice in this map, first in line %u", DG_SLICE_FMT(twin->key),
                     twin->key_origin.line);
    return DG_OK;
}

static dg_status read_children(reader *r, dg_node *parent, size_t depth)
{
    bool is_map = parent->kind == DG_NODE_MAP;
    dg_node **last = &parent->first;
    key_set keys = {NULL, 0};
    for (;;) {
        yaml_event_t event;
        dg_node key = {.kind = DG_NODE_SCALAR};
        dg_status status = next_event(r, &event);
        if (status != DG_OK)
            return status;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return DG_OK;
        }
        if (is_map) {
            status = take_key(r, parent, &keys, &event, &key);
            yaml_event_delete(&event);
            if (status == DG_OK)
                status = next_event(r, &event);
            if (status != DG_OK)
                return status;
        }
        dg_node *child = NULL;
        status = read_node(r, &event, depth, &child);
        yaml_event_delete(&event);
        if (status != DG_OK)
            return status;
        child->key = key.key;
        child->key_quoted = key.key_quoted;
        child->key_origin = key.key_origin;
        child->key_hash = key.key_hash;
        *last = child;
        last = &child->next;
        parent->count++;
        if (is_map)
            add_key(&keys, child);
    }
}

/* STREAM-START, DOCUMENT-START, the root, DOCUMENT-END, STREAM-END. */
static dg_status read_stream(reader *r, const dg_node **ret_root)
{
    dg_node *root = NULL;
    for (;;) {
        yaml_event_t event;
        dg_status status = next_event(r, &event);
        if (status != DG_OK)
            return status;
        yaml_event_type_t type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && root)
            status =
                refuse(r, event.start_mark, "a file holds one document; a second one begins here");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                 type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT)
            status = read_node(r, &event, 0, &root);
        yaml_event_delete(&event);
        if (status != DG_OK)
            return status;
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    if (!root || (root->kind == DG_NODE_SCALAR && root->text.len == 0)) {
        dg_diags_add(r->diags, DG_ERROR, (dg_origin){r->file, 0, 0}, "the file is empty");
        return DG_INVALID;
    }
    *ret_root = root;
    return DG_OK;
}

dg_status dg_doc_read(dg_arena *arena, dg_slice bytes, const char *file, dg_diags *diags,
                      const dg_node **ret_root)
{
    reader r = {.arena = arena, .diags = diags, .file = file, .seed = dg_hash_seed()};
    size_t errors = diags->errors;
    if (bytes.len > DG_DOC_BYTES_MAX) {
        dg_diags_add(diags, DG_ERROR, (dg_origin){file, 0, 0}, "the file is larger than %d bytes",
                     (int)DG_DOC_BYTES_MAX);
        return DG_INVALID;
    }
    if (!yaml_parser_initialize(&r.parser))
        return DG_NOMEM;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    if (dg_slice_starts(bytes, DG_SLICE("\xEF\xBB\xBF"))) /* a byte order mark (YAML 1.2.2, 5.2) */
        bytes = dg_slice_from(bytes, 3);
    const char *text = bytes.len ? bytes.ptr : "";
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, bytes.len);
    const dg_node *root = NULL;
    dg_status status = read_stream(&r, &root);
    yaml_parser_delete(&r.parser);
    if (status == DG_OK && diags->errors != errors)
        status = DG_INVALID;
    if (status == DG_OK)
        *ret_root = root;
    return status;
}

static dg_status read_bytes(dg_arena *arena, int fd, size_t max, dg_slice *ret_bytes)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return DG_IO;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return DG_IO;
    }
    if ((uint64_t)st.st_size > max)
        return DG_LIMIT;
    size_t size = (size_t)st.st_size, at = 0;
    char *bytes = dg_arena_alloc(arena, size + 1);
    if (!bytes)
        return DG_NOMEM;
    while (at < size) {
        ssize_t n = read(fd, bytes + at, size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return DG_IO;
        if (n == 0)
            break;
        at += (size_t)n;
    }
    *ret_bytes = dg_slice_of(bytes, at);
    return DG_OK;
}

dg_status dg_file_read(dg_arena *arena, const char *path, size_t max, dg_diags *diags,
                       dg_slice *ret_bytes)
{
    dg_origin whole = {path, 0, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        dg_diags_add(diags, DG_ERROR, whole, "cannot be opened: %s", strerror(errno));
        return DG_IO;
    }
    dg_status status = read_bytes(arena, fd, max, ret_bytes);
    if (status == DG_IO)
        dg_diags_add(diags, DG_ERROR, whole, "cannot be read: %s",
                     errno == EINVAL ? "not a regular file" : strerror(errno));
    else if (status == DG_LIMIT)
        dg_diags_add(diags, DG_ERROR, whole, "the file is larger than %zu bytes", max);
    close(fd);
    return status == DG_LIMIT ? DG_INVALID : status;
}

dg_status dg_doc_load(dg_arena *arena, const char *path, dg_diags *diags, const dg_node **ret_root)
{
    const char *file = dg_arena_strdup(arena, path);
    dg_slice bytes;
    if (!file)
        return DG_NOMEM;
    dg_status status = dg_file_read(arena, file, DG_DOC_BYTES_MAX, diags, &bytes);
    return status == DG_OK ? dg_doc_read(arena, bytes, file, diags, ret_root) : status;
}
