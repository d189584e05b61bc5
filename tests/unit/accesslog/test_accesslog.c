#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/accesslog/accesslog.h"

enum { WORKERS = 3, LINES = 20000 };

typedef struct place {
    char dir[64], path[96], moved[96];
} place;

static int make_place(void **state)
{
    place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/dragoman-log-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/access.log", p->dir);
    snprintf(p->moved, sizeof p->moved, "%s/access.log.1", p->dir);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    place *p = *state;
    unlink(p->path);
    unlink(p->moved);
    rmdir(p->dir);
    free(p);
    return 0;
}

/* Reads lines "worker number padding" of a file; checks that each worker's numbers rise and no line is torn.
 * Adds the number of lines to *total. */
static void check_file(const char *path, int last[WORKERS], size_t *total)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[512], padding[256];
    while (fgets(line, sizeof line, file)) {
        int worker, number;
        assert_int_equal(sscanf(line, "%d %d %255s", &worker, &number, padding), 3);
        assert_in_range(worker, 0, WORKERS - 1);
        assert_true(number > last[worker]);
        assert_int_equal(strlen(padding), number % 200 + 1);
        assert_int_equal(line[strlen(line) - 1], '\n');
        last[worker] = number;
        ++*total;
    }
    fclose(file);
}

typedef struct writer {
    dg_accesslog_ring *ring;
    int worker;
    size_t written;
} writer;

static void *write_many(void *arg)
{
    writer *w = arg;
    char line[512], x[201];
    memset(x, 'x', sizeof x);
    for (int i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof line, "%d %d %.*s\n", w->worker, i, i % 200 + 1, x);
        w->written += dg_accesslog_write(w->ring, dg_slice_of(line, (size_t)n));
        if (i % 500 == 0)
            usleep(500);
    }
    return NULL;
}

static void lines_of_many_workers_survive_rotations(void **state)
{
    place *p = *state;
    dg_accesslog *log;
    pthread_t threads[WORKERS];
    writer writers[WORKERS] = {{0}};
    assert_int_equal(dg_accesslog_new(p->path, WORKERS, &log), DG_OK);
    for (int i = 0; i < WORKERS; i++) {
        writers[i] = (writer){dg_accesslog_ring_at(log, (size_t)i), i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    usleep(5000);
    assert_int_equal(rename(p->path, p->moved), 0); /* as logrotate does */
    assert_int_equal(dg_accesslog_reopen(log, p->path), DG_OK);
    size_t expected = 0, total = 0;
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        expected += writers[i].written;
    }
    assert_int_equal(dg_accesslog_dropped(log), (uint64_t)WORKERS * LINES - expected);
    dg_accesslog_free(log);
    int last[WORKERS] = {-1, -1, -1};
    check_file(p->moved, last, &total);
    check_file(p->path, last, &total);
    assert_int_equal(total, expected);
    assert_true(expected > 1000);
}

static void a_single_line_is_written_soon(void **state)
{
    place *p = *state;
    dg_accesslog *log;
    struct stat st = {0};
    assert_int_equal(dg_accesslog_new(p->path, 1, &log), DG_OK);
    for (int again = 1; again <= 3; again++) { /* the writer sleeps before each */
        usleep(120000);
        assert_true(dg_accesslog_write(dg_accesslog_ring_at(log, 0), DG_SLICE("line\n")));
        for (int i = 0; i < 200 && st.st_size < 5 * again; i++) {
            usleep(10000);
            assert_int_equal(stat(p->path, &st), 0);
        }
        assert_int_equal(st.st_size, 5 * again);
    }
    dg_accesslog_free(log);
}

static void a_full_disk_drops_lines_and_counts_them(void **state)
{
    (void)state;
    dg_accesslog *log;
    char line[1024];
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\n';
    assert_int_equal(dg_accesslog_new("/dev/full", 1, &log), DG_OK);
    size_t written = 0;
    for (int i = 0; i < 1000; i++)
        written += dg_accesslog_write(dg_accesslog_ring_at(log, 0), dg_slice_of(line, sizeof line));
    assert_int_equal(written, DG_ACCESSLOG_RING_BYTES / sizeof line);
    assert_int_equal(dg_accesslog_dropped(log), 1000 - written);
    dg_accesslog_free(log);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
    place *p = *state;
    dg_accesslog *log;
    assert_int_equal(dg_accesslog_new("/nowhere/access.log", 1, &log), DG_IO);
    assert_int_equal(dg_accesslog_new(p->path, 1, &log), DG_OK);
    assert_int_equal(dg_accesslog_reopen(log, "/nowhere/access.log"), DG_IO);
    char too_long[DG_ACCESSLOG_LINE_BYTES_MAX + 1];
    memset(too_long, 'a', sizeof too_long);
    assert_false(dg_accesslog_write(dg_accesslog_ring_at(log, 0), dg_slice_of(too_long, sizeof too_long)));
    dg_accesslog_free(log);
    dg_accesslog_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_of_many_workers_survive_rotations, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_single_line_is_written_soon, make_place, remove_place),
        cmocka_unit_test(a_full_disk_drops_lines_and_counts_them),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_an_error, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
