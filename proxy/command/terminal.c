#include "proxy/command/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

const char *dg_colour_on(FILE *to, dg_colour colour)
{
    static const char *const codes[] = {"\033[0m",  "\033[32m", "\033[31m",
                                        "\033[33m", "\033[1m",  "\033[2m"};
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    bool has = isatty(fileno(to)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
    return has ? codes[colour] : "";
}

void dg_say(FILE *to, dg_colour colour, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs(dg_colour_on(to, colour), to);
    vfprintf(to, fmt, args);
    fputs(dg_colour_on(to, DG_PLAIN), to);
    va_end(args);
}

void dg_say_origin(FILE *to, dg_origin origin)
{
    if (origin.file && origin.line)
        fprintf(to, "%s:%u:%u: ", origin.file, origin.line, origin.column);
    else if (origin.file)
        fprintf(to, "%s: ", origin.file);
}

void dg_say_run_error(FILE *to, const dg_run_error *error)
{
    dg_say_origin(to, error->origin);
    fprintf(to, "error: %s, at byte %zu",
            error->message ? error->message : dg_status_text(error->status), error->offset);
    if (error->pointer[0])
        fprintf(to, " (%s)", error->pointer);
    fputc('\n', to);
}

void dg_json_next(dg_buf *out)
{
    char last = out->len ? out->ptr[out->len - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        dg_buf_add_char(out, ',');
}

void dg_json_key(dg_buf *out, const char *key)
{
    dg_json_next(out);
    dg_buf_add_json(out, dg_slice_str(key));
    dg_buf_add_char(out, ':');
}

void dg_json_text(dg_buf *out, const char *key, const char *value)
{
    dg_json_key(out, key);
    dg_buf_add_json(out, dg_slice_str(value));
}

void dg_json_number(dg_buf *out, const char *key, size_t value)
{
    dg_json_key(out, key);
    dg_buf_add_u64(out, value);
}

void dg_json_origin(dg_buf *out, dg_origin origin)
{
    if (!origin.file)
        return;
    dg_json_text(out, "file", origin.file);
    dg_json_number(out, "line", origin.line);
    dg_json_number(out, "column", origin.column);
}

void dg_json_diags(dg_buf *out, const dg_diags *diags)
{
    static const char *const severity[] = {"error", "warning", "note"};
    dg_buf_add_char(out, '[');
    for (const dg_diag *d = diags->first; d; d = d->next) {
        dg_json_next(out);
        dg_buf_add_char(out, '{');
        dg_json_text(out, "severity", severity[d->severity]);
        dg_json_origin(out, d->origin);
        dg_json_text(out, "message", d->message);
        dg_buf_add_char(out, '}');
    }
    dg_buf_add_char(out, ']');
}

bool dg_json_print(dg_buf *out)
{
    dg_buf_add_char(out, '\n');
    bool good = out->status == DG_OK && fwrite(out->ptr, 1, out->len, stdout) == out->len;
    dg_buf_free(out);
    return good;
}
