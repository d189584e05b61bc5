#include "proxy/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/date.h"

enum { LINE_BYTES = 1024, LINES_PER_SECOND = 10, CLASSES = 16 };

static void DG_PRINTF(2, 0) write_line(dg_log_level level, const char *fmt, va_list args)
{
    static const char *const words[] = {"info", "warning", "error"};
    char line[LINE_BYTES];
    size_t len = DG_RFC3339_BYTES;
    dg_date_rfc3339(dg_wall_s(), line);
    len += (size_t)snprintf(line + len, sizeof line - len, " %s: ", words[level]);
    int text = vsnprintf(line + len, sizeof line - len - 1, fmt, args);
    if (text < 0)
        return;
    size_t end = len + (size_t)text < sizeof line - 2 ? len + (size_t)text : sizeof line - 2;
    for (size_t i = len; i < end; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = '?';
    line[end++] = '\n';
    if (write(STDERR_FILENO, line, end) < 0)
        return; /* nowhere to say so */
}

void dg_log(dg_log_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_line(level, fmt, args);
    va_end(args);
}

void dg_log_peer(const char *class, const char *fmt, ...)
{
    static _Thread_local struct {
        const char *class;
        uint64_t second;
        unsigned lines, dropped;
    } seen[CLASSES];
    size_t i = 0;
    while (i < CLASSES - 1 && seen[i].class && seen[i].class != class)
        i++;
    uint64_t second = dg_monotonic_ms() / 1000;
    if (seen[i].class != class || seen[i].second != second) {
        if (seen[i].class == class && seen[i].dropped)
            dg_log(DG_LOG_WARNING, "%s: %u more of these lines were left out", class, seen[i].dropped);
        seen[i].class = class;
        seen[i].second = second;
        seen[i].lines = seen[i].dropped = 0;
    }
    if (seen[i].lines++ >= LINES_PER_SECOND) {
        seen[i].dropped++;
        return;
    }
    va_list args;
    va_start(args, fmt);
    write_line(DG_LOG_WARNING, fmt, args);
    va_end(args);
}
