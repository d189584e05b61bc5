#include "transforms/whole/template.h"

#include "transforms/name.h"
#include "transforms/program.h"
#include "transforms/whole/whole_ops.h"

/* ---- reading */

/* A piece of a template's string: text, or a path between braces. */
typedef struct part {
    dg_slice text;
    bool is_place;
} part;

/* Takes the first piece off the text; false and a sentence if it is none. "{{" is a piece of its
 * own. */
static const char *next_part(dg_slice *text, part *ret_part)
{
    if (text->len && *text->ptr == '{') {
        if (text->len > 1 && text->ptr[1] == '{') {
            *ret_part = (part){dg_slice_until(*text, 1), false};
            *text = dg_slice_from(*text, 2);
            return NULL;
        }
        size_t close = 1;
        while (close < text->len && text->ptr[close] != '}')
            close += text->ptr[close] == '\\' ? 2 : 1;
        if (close >= text->len)
            return "a brace without its other half; a brace itself is written {{";
        *ret_part = (part){dg_slice_of(text->ptr + 1, close - 1), true};
        *text = dg_slice_from(*text, close + 1);
        return NULL;
    }
    size_t open = dg_slice_find(*text, '{');
    *ret_part = (part){dg_slice_until(*text, open), false};
    *text = dg_slice_from(*text, open);
    return NULL;
}

/* Reads a path as packs write it: names with dots between, [] for each element, and a backslash
 * before a character of a name that would mean something else. The empty path is the value itself.
 * `names` has room for text.len bytes; with NULL, nothing is kept. */
static const char *read_steps(dg_slice text, char *names, dg_slice *steps, size_t *ret_count)
{
    size_t count = 0, i = 0;
    bool wants_name = text.len > 0, first = true;
    while (i < text.len) {
        size_t len = 0;
        for (; i < text.len && text.ptr[i] != '.' && text.ptr[i] != '['; len++) {
            i += text.ptr[i] == '\\' && i + 1 < text.len;
            if (names)
                names[len] = text.ptr[i];
            i++;
        }
        bool each = i + 1 < text.len && text.ptr[i] == '[' && text.ptr[i + 1] == ']';
        if ((i < text.len && text.ptr[i] == '[' && !each) || (len && !wants_name) ||
            (!len && wants_name && !(each && first)))
            return "a place in a template is written {a.b} or {items[].x}";
        if (count + 2 > DG_JSON_DEPTH_MAX)
            return "a place in a template has too many steps";
        if (len && names)
            steps[count] = dg_slice_of(names, len);
        count += len > 0;
        if (each && names)
            steps[count] = (dg_slice){NULL, 0};
        count += each;
        names = names ? names + len : NULL;
        i += each ? 2 : 0;
        wants_name = i < text.len && text.ptr[i] == '.';
        i += wants_name;
        first = false;
    }
    if (wants_name)
        return "a place in a template ends with a name or with []";
    if (ret_count)
        *ret_count = count;
    return NULL;
}

const char *dg_template_fault(dg_slice string)
{
    part p;
    while (string.len) {
        const char *fault = next_part(&string, &p);
        if (!fault && p.is_place)
            fault = read_steps(p.text, NULL, NULL, NULL);
        if (fault)
            return fault;
    }
    return NULL;
}

static bool read_path(dg_tape *tape, dg_slice text, dg_path *ret_path, bool *ret_each)
{
    dg_slice steps[DG_JSON_DEPTH_MAX];
    size_t count;
    char *names = dg_tape_alloc(tape, text.len + 1);
    const char *fault = names ? read_steps(text, names, steps, &count) : NULL;
    if (!names || fault)
        return fault && dg_tape_refuse(tape, fault);
    dg_slice *copy = dg_tape_alloc(tape, (count + 1) * sizeof *copy);
    if (!copy)
        return false;
    *ret_each = false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = steps[i];
        *ret_each |= !steps[i].ptr;
    }
    *ret_path = (dg_path){copy, count};
    return true;
}

/* ---- filling */

typedef struct filling {
    dg_tape *tape;
    dg_tape_node *value; /* that the template is filled from */
    dg_tape_node *list;  /* what an each step found */
} filling;

static bool collect(void *context, dg_tape_node *node)
{
    filling *f = context;
    dg_tape_node *copy = dg_tape_copy(f->tape, node);
    if (copy)
        dg_tape_append(f->list, copy);
    return copy != NULL;
}

/* What a place stands for; NULL in *ret_node if it is absent. */
static bool find_value(filling *f, dg_slice place, dg_tape_node **ret_node)
{
    dg_path path;
    bool each;
    if (!read_path(f->tape, place, &path, &each))
        return false;
    if (!each) {
        dg_tape_node *node = NULL;
        if (!dg_tape_at(f->tape, f->value, path, &node))
            return false;
        *ret_node = node ? dg_tape_copy(f->tape, node) : NULL;
        return f->tape->status == DG_OK;
    }
    *ret_node = f->list = dg_tape_container(f->tape, DG_TAPE_ARRAY);
    return f->list && dg_tape_visit(f->tape, f->value, path, true, collect, f);
}

/* Appends a scalar as text; *ret_is is false if it is absent or null. */
static bool insert(filling *f, dg_slice place, bool *ret_is)
{
    dg_tape_node *node;
    dg_slice text;
    if (!find_value(f, place, &node))
        return false;
    *ret_is = node && node->kind != DG_TAPE_NULL;
    if (!*ret_is)
        return true;
    if (node->kind >= DG_TAPE_ARRAY)
        return dg_tape_refuse(f->tape, "an array or object has no place within a string");
    text = dg_slice_of(node->text, node->len);
    if (node->kind == DG_TAPE_STRING && !dg_tape_text(f->tape, node, &text))
        return false;
    dg_buf_add(&f->tape->text, text);
    return true;
}

/* A string with places in it and more. */
static bool fill_text(filling *f, dg_slice string, dg_tape_node **ret_node)
{
    dg_tape *tape = f->tape;
    size_t from = tape->text.len;
    bool is = true;
    part p;
    dg_slice text;
    while (string.len && is) {
        const char *fault = next_part(&string, &p);
        if (fault)
            return dg_tape_refuse(tape, fault);
        if (!p.is_place)
            dg_buf_add(&tape->text, p.text);
        else if (!insert(f, p.text, &is))
            return false;
    }
    if (!dg_tape_made(tape, from, &text))
        return false;
    *ret_node = is ? dg_tape_string(tape, text) : NULL;
    return tape->status == DG_OK;
}

/* What a string of the template becomes; NULL in *ret_node if it is left out. */
static bool fill(filling *f, dg_slice string, dg_tape_node **ret_node)
{
    dg_slice rest = string;
    part p;
    const char *fault = next_part(&rest, &p);
    if (fault)
        return dg_tape_refuse(f->tape, fault);
    return p.is_place && rest.len == 0 ? find_value(f, p.text, ret_node)
                                       : fill_text(f, string, ret_node);
}

/* The scalar or container after the node in the order of the text. */
static dg_tape_node *after(dg_tape_node *node, const dg_tape_node *top)
{
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

/* Fills the string `node` of the template; what comes next is looked up before it goes. */
static bool fill_node(filling *f, dg_tape_node *node)
{
    dg_slice string;
    dg_tape_node *value = NULL;
    if (dg_slice_find(dg_slice_of(node->text, node->len), '{') == node->len &&
        dg_slice_find(dg_slice_of(node->text, node->len), '\\') == node->len)
        return true;
    if (!dg_tape_text(f->tape, node, &string) || !dg_tape_dup(f->tape, string, &string))
        return false;
    if (dg_slice_find(string, '{') == string.len)
        return true;
    if (!fill(f, string, &value))
        return false;
    if (value)
        dg_tape_replace(node, value);
    else
        dg_tape_remove(node);
    return true;
}

bool dg_whole_template(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    filling f = {.tape = tape, .value = *root};
    dg_tape_node *shell = dg_tape_container(tape, DG_TAPE_ARRAY);
    dg_tape_node *top = shell ? dg_tape_value(tape, op->value) : NULL;
    if (!top || !dg_tape_read(tape, top))
        return false;
    dg_tape_append(shell, top);
    for (dg_tape_node *node = top, *next; node; node = next) {
        next = node->first ? node->first : after(node, shell);
        if (node->kind == DG_TAPE_STRING && !fill_node(&f, node))
            return false;
    }
    top = shell->first ? shell->first : dg_tape_value(tape, DG_SLICE("null"));
    if (!top)
        return false;
    top->parent = NULL;
    *root = top;
    return true;
}
