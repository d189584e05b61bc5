/* Memory that runs out on demand: linked into a dragoman of its own in front of malloc, calloc and realloc of
 * dragoman's code. DRAGOMAN_MEMORY names a file with one 32-bit number that a test maps too: n > 0 lets the n-th
 * allocation from now on fail, once; 0 lets none fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static atomic_int *countdown;

__attribute__((constructor)) static void map_countdown(void)
{
    const char *path = getenv("DRAGOMAN_MEMORY");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *countdown, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    countdown = mapped == MAP_FAILED ? NULL : mapped;
}

static bool is_short(void)
{
    if (!countdown || atomic_load(countdown) <= 0 || atomic_fetch_sub(countdown, 1) != 1)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return is_short() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return is_short() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return is_short() ? NULL : __real_realloc(old, bytes);
}
