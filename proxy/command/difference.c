#include "proxy/command/difference.h"

enum { TEXT_SHOWN = 2000 };

void dg_say_value(dg_slice json)
{
    if (json.len == 0)
        fputs("nothing", stdout);
    else
        printf("%.*s%s", DG_SLICE_FMT(dg_slice_until(json, TEXT_SHOWN)),
               json.len > TEXT_SHOWN ? "..." : "");
}

void dg_say_differences(const dg_difference *first)
{
    for (const dg_difference *d = first; d; d = d->next) {
        printf("    %s: expected ", d->path);
        dg_say_value(d->expected);
        fputs(", got ", stdout);
        dg_say_value(d->got);
        putchar('\n');
    }
}

void dg_say_changes(const dg_difference *first)
{
    for (const dg_difference *d = first; d; d = d->next) {
        printf("    %s: ", d->path);
        dg_say_value(d->expected);
        fputs(" -> ", stdout);
        dg_say_value(d->got);
        putchar('\n');
    }
}

void dg_json_value(dg_buf *out, const char *key, dg_slice json)
{
    if (json.len == 0)
        return;
    dg_json_key(out, key);
    dg_buf_add(out, json);
}

void dg_json_differences(dg_buf *out, const char *expected, const char *got,
                         const dg_difference *first)
{
    dg_json_key(out, "differences");
    dg_buf_add_char(out, '[');
    for (const dg_difference *d = first; d; d = d->next) {
        dg_json_next(out);
        dg_buf_add_char(out, '{');
        dg_json_text(out, "path", d->path);
        dg_json_value(out, expected, d->expected);
        dg_json_value(out, got, d->got);
        dg_buf_add_char(out, '}');
    }
    dg_buf_add_char(out, ']');
}
