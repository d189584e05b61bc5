#include "transforms/name.h"

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static void add_rune(dg_buf *out, unsigned c)
{
    char b[4];
    size_t n;
    if (c < 0x80) {
        b[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        b[0] = (char)(0xC0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3F));
        n = 2;
    } else if (c < 0x10000) {
        b[0] = (char)(0xE0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3F));
        b[2] = (char)(0x80 | (c & 0x3F));
        n = 3;
    } else {
        b[0] = (char)(0xF0 | c >> 18);
        b[1] = (char)(0x80 | (c >> 12 & 0x3F));
        b[2] = (char)(0x80 | (c >> 6 & 0x3F));
        b[3] = (char)(0x80 | (c & 0x3F));
        n = 4;
    }
    dg_buf_add(out, dg_slice_of(b, n));
}

/* One \u escape at raw[at]; a high surrogate takes the low one after it. Returns the bytes used. */
static size_t add_unicode(dg_buf *out, dg_slice raw, size_t at)
{
    unsigned c = hex4(raw.ptr + at + 2);
    if (c >= 0xD800 && c < 0xDC00 && at + 12 <= raw.len && raw.ptr[at + 6] == '\\' &&
        raw.ptr[at + 7] == 'u') {
        unsigned low = hex4(raw.ptr + at + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            add_rune(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
            return 12;
        }
    }
    add_rune(out, c);
    return 6;
}

void dg_name_decode(dg_slice raw, dg_buf *out)
{
    size_t at = 0;
    while (at < raw.len) {
        size_t run = dg_slice_find(dg_slice_from(raw, at), '\\');
        dg_buf_add(out, dg_slice_of(raw.ptr + at, run));
        at += run;
        if (at >= raw.len)
            break;
        char c = raw.ptr[at + 1];
        if (c == 'u') {
            at += add_unicode(out, raw, at);
            continue;
        }
        dg_buf_add_char(out, c == 'b'   ? '\b'
                             : c == 'f' ? '\f'
                             : c == 'n' ? '\n'
                             : c == 'r' ? '\r'
                             : c == 't' ? '\t'
                                        : c);
        at += 2;
    }
}

bool dg_name_is_utf8(dg_slice name)
{
    for (;;) {
        name = dg_slice_from(name, dg_slice_find(name, (char)0xED));
        if (name.len < 2)
            return true;
        if ((unsigned char)name.ptr[1] >= 0xA0)
            return false;
        name = dg_slice_from(name, 2);
    }
}

void dg_name_encode(dg_slice name, dg_buf *out)
{
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c == '"' || c == '\\') {
            dg_buf_add_char(out, '\\');
            dg_buf_add_char(out, (char)c);
        } else if (c < 0x20) {
            dg_buf_printf(out, "\\u%04x", c);
        } else if (c == 0xED && i + 2 < name.len && (unsigned char)name.ptr[i + 1] >= 0xA0) {
            unsigned lone = 0xD000u | ((unsigned)name.ptr[i + 1] & 0x3F) << 6 |
                            ((unsigned)name.ptr[i + 2] & 0x3F);
            dg_buf_printf(out, "\\u%04x", lone);
            i += 2;
        } else {
            dg_buf_add_char(out, (char)c);
        }
    }
    dg_buf_add_char(out, '"');
}

void dg_name_convert(dg_slice name, dg_naming from, dg_naming to, dg_buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (i > 0 && from == DG_CAMEL && to == DG_SNAKE && c >= 'A' && c <= 'Z') {
            dg_buf_add_char(out, '_');
            c = (char)(c | 0x20);
        } else if (i > 0 && from == DG_SNAKE && to == DG_CAMEL && c == '_' && i + 1 < name.len &&
                   name.ptr[i + 1] >= 'a' && name.ptr[i + 1] <= 'z') {
            c = (char)(name.ptr[++i] & ~0x20);
        }
        dg_buf_add_char(out, c);
    }
}
