#include "proxy/command/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20, READ_BYTES = 64 << 10, OUT_BYTES_MAX = 8 << 20 };

static dg_status cannot(const char *path, const char *what, dg_diags *diags)
{
    dg_diags_add(diags, DG_ERROR, (dg_origin){path, 0, 0}, "cannot be %s: %s", what,
                 strerror(errno));
    return DG_IO;
}

static dg_status read_all(const char *path, dg_diags *diags, dg_buf *text, mode_t *ret_mode)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return cannot(path, "opened", diags);
    ssize_t n = -1;
    errno = EINVAL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        do {
            if (dg_buf_reserve(text, READ_BYTES) != DG_OK)
                break;
            n = read(fd, text->ptr + text->len, text->cap - text->len);
            text->len += n > 0 ? (size_t)n : 0;
        } while (n > 0 || (n < 0 && errno == EINTR));
    dg_status status = n < 0 && text->status == DG_OK ? cannot(path, "read", diags) : text->status;
    close(fd);
    *ret_mode = st.st_mode & 07777;
    return status;
}

static bool write_all(int fd, dg_slice text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = dg_slice_from(text, (size_t)n);
    }
    return true;
}

static dg_status replace(const char *path, dg_slice text, mode_t mode, dg_diags *diags)
{
    char *real = realpath(path, NULL), name[PATH_MAX];
    if (!real)
        return cannot(path, "found", diags);
    int len = snprintf(name, sizeof name, "%s.XXXXXX", real);
    int fd = len > 0 && (size_t)len < sizeof name ? mkostemp(name, O_CLOEXEC) : -1;
    dg_status status = DG_OK;
    if (fd < 0) {
        status = cannot(path, "written beside", diags);
    } else if (fchmod(fd, mode) != 0 || !write_all(fd, text) || fsync(fd) != 0 ||
               rename(name, real) != 0) {
        status = cannot(path, "written", diags);
        unlink(name);
    }
    if (fd >= 0)
        close(fd);
    free(real);
    return status;
}

dg_status dg_rewrite(const char *path, dg_rewriter *rewrite, bool check, dg_diags *diags,
                     bool *ret_changed)
{
    dg_buf text, out;
    mode_t mode = 0;
    dg_buf_init(&text, FILE_BYTES_MAX + READ_BYTES);
    dg_buf_init(&out, OUT_BYTES_MAX);
    dg_status status = read_all(path, diags, &text, &mode);
    if (status == DG_OK)
        status = rewrite(path, dg_buf_slice(&text), diags, &out);
    if (status == DG_OK && out.status != DG_OK)
        status = out.status;
    bool changed = status == DG_OK && !dg_slice_eq(dg_buf_slice(&text), dg_buf_slice(&out));
    if (changed && !check)
        status = replace(path, dg_buf_slice(&out), mode, diags);
    if (status == DG_LIMIT)
        dg_diags_add(diags, DG_ERROR, (dg_origin){path, 0, 0}, "is too large");
    if (status == DG_OK)
        *ret_changed = changed;
    dg_buf_free(&text);
    dg_buf_free(&out);
    return status;
}
