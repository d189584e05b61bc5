#include "transforms/text/pointer.h"

#include "transforms/name.h"
#include "transforms/text/scan.h"

/* One step of a path: where a key's content lies, or the index of an element. */
typedef struct step {
    dg_slice key;
    size_t index;
    bool object;
    bool written; /* `key` is as it stands in a pointer */
} step;

void dg_pointer_add_name(dg_buf *out, dg_slice raw)
{
    dg_buf name;
    dg_buf_init(&name, 0);
    dg_name_decode(raw, &name);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~' || name.ptr[i] == '/')
            dg_buf_add_str(out, name.ptr[i] == '~' ? "~0" : "~1");
        else
            dg_buf_add_char(out, name.ptr[i]);
    }
    dg_buf_free(&name);
}

dg_slice dg_pointer_end(dg_slice pointer, size_t max)
{
    size_t skip = pointer.len > max ? pointer.len - max : 0;
    while (skip && skip < pointer.len && ((unsigned char)pointer.ptr[skip] & 0xC0) == 0x80)
        skip++;
    return dg_slice_from(pointer, skip);
}

static void write_steps(dg_slice path, const step *steps, unsigned count, char *pointer,
                        size_t size)
{
    dg_buf text;
    dg_buf_init(&text, 0);
    dg_buf_add(&text, path);
    for (unsigned i = 0; i < count; i++) {
        dg_buf_add_char(&text, '/');
        if (!steps[i].object)
            dg_buf_add_u64(&text, steps[i].index);
        else if (steps[i].written)
            dg_buf_add(&text, steps[i].key);
        else
            dg_pointer_add_name(&text, steps[i].key);
    }
    dg_slice end = dg_pointer_end(dg_buf_slice(&text), size - 1);
    if (end.len)
        memcpy(pointer, end.ptr, end.len);
    pointer[end.len] = '\0';
    dg_buf_free(&text);
}

void dg_pointer_write(const dg_pointer_above *above, dg_slice text, size_t offset, char *pointer,
                      size_t size)
{
    step steps[DG_JSON_DEPTH_MAX + 1];
    unsigned depth = 0;
    bool name_next = false;
    if (!text.ptr) /* nothing is held, so nothing follows what is above */
        text = DG_SLICE("");
    if (above->within) {
        steps[depth++] = (step){above->step, above->index, above->object, true};
        name_next = above->object && above->opened;
    }
    dg_scan s = {.end = text.ptr + text.len};
    const char *p = text.ptr, *stop = text.ptr + offset;
    while (p < s.end && p <= stop) {
        char c = *p;
        if (c == '"') {
            const char *q = dg_scan_string(&s, p + 1, NULL);
            if (name_next && stop > p && (!q || stop < q)) {
                /* The fault lies in the name. */
                steps[depth - 1].key.ptr = NULL;
                break;
            }
            if (!q)
                break;
            if (name_next) {
                steps[depth - 1].key = dg_slice_of(p + 1, (size_t)(q - p) - 2);
                steps[depth - 1].written = false;
                name_next = false;
            }
            p = q;
            continue;
        }
        if (c == '{' || c == '[') {
            if (p == stop || depth == DG_JSON_DEPTH_MAX + 1)
                break;
            steps[depth++] = (step){.object = c == '{'};
            name_next = c == '{';
        } else if (c == '}' || c == ']') {
            /* A fault at the closing bracket belongs to the container. */
            if (depth)
                depth--;
            name_next = false;
        } else if (c == ',' && depth) {
            name_next = steps[depth - 1].object;
            steps[depth - 1].index++;
        }
        p++;
    }
    if (depth && steps[depth - 1].object && !steps[depth - 1].key.ptr)
        depth--;
    write_steps(above->path, steps, depth, pointer, size);
}
