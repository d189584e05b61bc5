#include "rules/request/route.h"

typedef struct table_entry {
    struct table_entry *next;
    dg_slice method;
    dg_route *route;
} table_entry;

struct dg_table_node {
    dg_slice text;            /* the literal that led here */
    dg_table_node **literals; /* sorted by text */
    size_t literal_count, literal_cap;
    dg_table_node *name, *star, *rest;
    table_entry *entries;
};

static bool
is_token(dg_slice s) /* RFC 9110 5.6.2, without lower case: methods are case-sensitive */
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(others, c))))
            return false;
    }
    return s.len > 0;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

/* A literal must stand as normalised paths do, or it could never match: pchar (RFC 3986 3.3),
 * escapes in upper case and only where they are needed. */
static const char *literal_problem(dg_slice s)
{
    if (dg_slice_eq(s, DG_SLICE(".")) || dg_slice_eq(s, DG_SLICE("..")))
        return "dot segments never reach an endpoint";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '{' || c == '}')
            return "a parameter is a whole segment: /{name}/";
        if (c == '*')
            return "a wildcard is a whole segment: /*/, or /** at the end";
        if (c == '%') {
            static const char hex[] = "0123456789ABCDEF";
            const char *high = i + 2 < s.len && s.ptr[i + 1] ? strchr(hex, s.ptr[i + 1]) : NULL;
            const char *low = high && s.ptr[i + 2] ? strchr(hex, s.ptr[i + 2]) : NULL;
            if (!low)
                return "% must be followed by two digits of 0-9 and A-F";
            if (is_unreserved((char)((high - hex) * 16 + (low - hex))))
                return "this character needs no % escape, and paths are compared without it";
            i += 2;
        } else if (!is_unreserved(c) && (!c || !strchr("!$&'()+,;=:@", c))) {
            return "a character that must be written as a % escape";
        }
    }
    return NULL;
}

static bool is_name(dg_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_unreserved(s.ptr[i]) || s.ptr[i] == '.' || s.ptr[i] == '~')
            return false;
    return s.len > 0 && s.len <= 64;
}

/* NULL, or what is wrong with the segment. */
static const char *parse_segment(dg_slice text, bool last, dg_segment *ret)
{
    dg_segment seg = {.kind = DG_SEGMENT_LITERAL, .text = text};
    if (dg_slice_eq(text, DG_SLICE("*"))) {
        seg.kind = DG_SEGMENT_STAR;
    } else if (dg_slice_eq(text, DG_SLICE("**"))) {
        seg.kind = DG_SEGMENT_REST;
        if (!last)
            return "** stands at the end only";
    } else if (text.len >= 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}') {
        seg.kind = DG_SEGMENT_NAME;
        seg.text = dg_slice_of(text.ptr + 1, text.len - 2);
        if (!is_name(seg.text))
            return "a parameter's name is made of letters, digits, - and _";
    } else if (text.len == 0 && !last) {
        return "two slashes in a row";
    } else {
        const char *problem = literal_problem(text);
        if (problem)
            return problem;
    }
    *ret = seg;
    return NULL;
}

static const char *parse_path(dg_slice path, dg_segment segs[DG_SEGMENTS_MAX], size_t *ret_count,
                              size_t *ret_params)
{
    size_t count = 0, params = 0;
    dg_slice left = dg_slice_from(path, 1);
    for (bool more = path.len > 1; more;) {
        size_t end = dg_slice_find(left, '/');
        more = end < left.len;
        if (count == DG_SEGMENTS_MAX)
            return "too many segments";
        const char *problem = parse_segment(dg_slice_until(left, end), !more, &segs[count]);
        if (problem)
            return problem;
        dg_segment *seg = &segs[count++];
        left = dg_slice_from(left, end + 1);
        if (seg->kind == DG_SEGMENT_LITERAL)
            continue;
        if (params == DG_PARAMS_MAX)
            return "too many parameters";
        seg->param = (unsigned)params++;
        for (size_t i = 0; seg->kind == DG_SEGMENT_NAME && i + 1 < count; i++)
            if (segs[i].kind == DG_SEGMENT_NAME && dg_slice_eq(segs[i].text, seg->text))
                return "a parameter's name comes twice";
    }
    *ret_count = count;
    *ret_params = params;
    return NULL;
}

bool dg_template_parse(dg_arena *arena, dg_slice text, dg_origin origin, dg_diags *diags,
                       dg_template *ret_template)
{
    dg_segment segs[DG_SEGMENTS_MAX];
    dg_template t = {.param_count = 0};
    size_t space = dg_slice_find(text, ' ');
    t.method = dg_slice_until(text, space);
    t.path = dg_slice_from(text, space + 1);
    const char *problem = NULL;
    if (text.len > DG_TEMPLATE_BYTES_MAX)
        problem = "too long";
    else if (!is_token(t.method) || t.path.len == 0 || t.path.ptr[0] != '/' ||
             (dg_slice_find(t.method, '*') < t.method.len && t.method.len > 1))
        problem = "expected a method and a path, as in 'GET /orders/{id}' or '* /orders/**'";
    else
        problem = parse_path(t.path, segs, &t.count, &t.param_count);
    if (problem) {
        dg_diags_add(diags, DG_ERROR, origin, "'%.*s' is no endpoint: %s",
                     DG_SLICE_FMT(dg_slice_until(text, 200)), problem);
        return false;
    }
    dg_segment *copy = dg_arena_alloc(arena, (t.count + 1) * sizeof *copy);
    if (!copy)
        return false;
    if (t.count)
        memcpy(copy, segs, t.count * sizeof *copy);
    t.segments = copy;
    *ret_template = t;
    return true;
}

static bool same_segment(const dg_segment *a, const dg_segment *b)
{
    return a->kind == b->kind && (a->kind != DG_SEGMENT_LITERAL || dg_slice_eq(a->text, b->text));
}

bool dg_template_same_path(const dg_template *a, const dg_template *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_segment(&a->segments[i], &b->segments[i]))
            return false;
    return true;
}

bool dg_template_same(const dg_template *a, const dg_template *b)
{
    return dg_slice_eq(a->method, b->method) && dg_template_same_path(a, b);
}

bool dg_template_covers(const dg_template *pattern, const dg_template *endpoint)
{
    if (!dg_slice_eq(pattern->method, DG_SLICE("*")) &&
        !dg_slice_eq(pattern->method, endpoint->method))
        return false;
    for (size_t i = 0; i < pattern->count; i++) {
        const dg_segment *seg = &pattern->segments[i];
        if (seg->kind == DG_SEGMENT_REST)
            return true;
        if (i >= endpoint->count)
            return false;
        const dg_segment *other = &endpoint->segments[i];
        if (seg->kind == DG_SEGMENT_STAR ? other->kind == DG_SEGMENT_REST
                                         : !same_segment(seg, other))
            return false;
    }
    return pattern->count == endpoint->count;
}

static int compare_text(dg_slice a, dg_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

int dg_template_compare(const dg_template *a, const dg_template *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const dg_segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->kind != y->kind)
            return x->kind < y->kind ? -1 : 1;
        int order = x->kind == DG_SEGMENT_LITERAL ? compare_text(x->text, y->text) : 0;
        if (order)
            return order;
    }
    if (a->count != b->count) /* /a before /a/b, but /a/b before /a/ ** */
        return a->count < b->count ? -1 : 1;
    bool any_a = dg_slice_eq(a->method, DG_SLICE("*")),
         any_b = dg_slice_eq(b->method, DG_SLICE("*"));
    return any_a != any_b ? (any_a ? 1 : -1) : compare_text(a->method, b->method);
}

/* Where `text` is among the sorted literals of a node, or where it would be. */
static size_t literal_place(const dg_table_node *node, dg_slice text)
{
    size_t low = 0, high = node->literal_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_text(node->literals[middle]->text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static dg_table_node *literal_child(const dg_table_node *node, dg_slice text)
{
    size_t at = literal_place(node, text);
    bool found = at < node->literal_count && dg_slice_eq(node->literals[at]->text, text);
    return found ? node->literals[at] : NULL;
}

static dg_table_node *add_literal(dg_arena *arena, dg_table_node *node, dg_slice text)
{
    size_t at = literal_place(node, text);
    if (node->literal_count == node->literal_cap) {
        size_t cap = node->literal_cap ? node->literal_cap * 2 : 4;
        dg_table_node **grown = dg_arena_alloc(arena, cap * sizeof *grown);
        if (!grown)
            return NULL;
        if (node->literal_count)
            memcpy(grown, node->literals, node->literal_count * sizeof *grown);
        node->literals = grown;
        node->literal_cap = cap;
    }
    dg_table_node *child = dg_arena_zalloc(arena, sizeof *child);
    if (!child)
        return NULL;
    child->text = text;
    memmove(node->literals + at + 1, node->literals + at,
            (node->literal_count - at) * sizeof child);
    node->literals[at] = child;
    node->literal_count++;
    return child;
}

static dg_table_node *child_for(dg_arena *arena, dg_table_node *node, const dg_segment *seg)
{
    if (seg->kind == DG_SEGMENT_LITERAL) {
        dg_table_node *child = literal_child(node, seg->text);
        return child ? child : add_literal(arena, node, seg->text);
    }
    dg_table_node **slot = seg->kind == DG_SEGMENT_NAME   ? &node->name
                           : seg->kind == DG_SEGMENT_STAR ? &node->star
                                                          : &node->rest;
    if (!*slot)
        *slot = dg_arena_zalloc(arena, sizeof **slot);
    return *slot;
}

bool dg_table_add(dg_arena *arena, dg_table *table, const dg_template *endpoint, dg_route *route,
                  dg_route **ret_taken)
{
    if (!table->root && !(table->root = dg_arena_zalloc(arena, sizeof *table->root)))
        return false;
    dg_table_node *node = table->root;
    for (size_t i = 0; i < endpoint->count; i++)
        if (!(node = child_for(arena, node, &endpoint->segments[i])))
            return false;
    for (const table_entry *e = node->entries; e; e = e->next)
        if (dg_slice_eq(e->method, endpoint->method)) {
            *ret_taken = e->route;
            return true;
        }
    table_entry *entry = dg_arena_alloc(arena, sizeof *entry);
    if (!entry)
        return false;
    *entry = (table_entry){node->entries, endpoint->method, route};
    node->entries = entry;
    *ret_taken = NULL;
    return true;
}

typedef struct search {
    dg_slice method;
    dg_table_match *match;
} search;

/* How well an entry serves the method: 0 not at all. */
static int serves(dg_slice method, dg_slice entry)
{
    if (method.len == 0)
        return dg_slice_eq(entry, DG_SLICE("GET")) ? 4 : 1;
    if (dg_slice_eq(method, entry))
        return 4;
    if (dg_slice_eq(method, DG_SLICE("HEAD")) && dg_slice_eq(entry, DG_SLICE("GET")))
        return 3;
    return dg_slice_eq(entry, DG_SLICE("*")) ? 2 : 0;
}

static bool take_entry(const search *s, const dg_table_node *node, size_t params)
{
    int best = 0;
    for (const table_entry *e = node->entries; e; e = e->next) {
        int how = serves(s->method, e->method);
        s->match->path_known = true;
        if (how > best) {
            best = how;
            s->match->route = e->route;
        }
    }
    s->match->param_count = params;
    return best > 0;
}

/* `left` is what follows the slash; `more` is false when the path has ended. The depth is bounded
 * by the table's, which is DG_SEGMENTS_MAX. */
static bool walk(const search *s, const dg_table_node *node, dg_slice left, bool more,
                 size_t params)
{
    if (!more && take_entry(s, node, params))
        return true;
    if (more) {
        size_t end = dg_slice_find(left, '/');
        dg_slice segment = dg_slice_until(left, end), after = dg_slice_from(left, end + 1);
        bool goes_on = end < left.len;
        const dg_table_node *child = literal_child(node, segment);
        if (child && walk(s, child, after, goes_on, params))
            return true;
        if (segment.len && params < DG_PARAMS_MAX) {
            s->match->params[params] = segment;
            if (node->name && walk(s, node->name, after, goes_on, params + 1))
                return true;
            s->match->params[params] = segment;
            if (node->star && walk(s, node->star, after, goes_on, params + 1))
                return true;
        }
    }
    if (!node->rest || params == DG_PARAMS_MAX)
        return false;
    /* "/files" and "/files/" both leave nothing for a ** below /files; only the second has its
     * slash. */
    s->match->params[params] = !more ? (dg_slice){NULL, 0} : left.len ? left : DG_SLICE("");
    return take_entry(s, node->rest, params + 1);
}

bool dg_table_find(const dg_table *table, dg_slice method, dg_slice path, dg_table_match *ret_match)
{
    search s = {method, ret_match};
    ret_match->route = NULL;
    ret_match->path_known = false;
    ret_match->param_count = 0;
    return table->root && walk(&s, table->root, dg_slice_from(path, 1), path.len > 1, 0);
}
