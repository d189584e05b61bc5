/* How long a stream takes beside one run on the whole text, and how much memory: an array of orders, made as it is
 * read, in pieces of 64 KB.
 *
 * usage: bench_stream [MEGABYTES]: 256 by default; the run on the whole is of 64 at most */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "transforms/stream.h"

enum { PIECE = 65536, WHOLE_MEGABYTES = 64 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Pieces of a text that are all alike, but for where they are cut: a run of orders, over and over. */
typedef struct source {
    dg_buf orders;
    size_t at;
    uint64_t left;
} source;

static void make_orders(source *s)
{
    dg_buf_init(&s->orders, 0);
    for (unsigned i = 0; i < 400; i++)
        dg_buf_printf(&s->orders,
                      "{\"order_id\":%u,\"order_status\":\"%s\",\"customer_name\":\"Name %u\","
                      "\"customer_email\":\"c%u@example.com\",\"currency\":\"SEK\",\"internal_notes\":\"Ring\","
                      "\"line_items\":[{\"item_id\":\"li_%08x\",\"unit_price\":%u.50,\"quantity\":%u},"
                      "{\"item_id\":\"li_%08x\",\"unit_price\":17.25,\"quantity\":1}],"
                      "\"tags\":[\"fragile\",\"repeat\"]},",
                      100000 + i, i % 3 ? "paid" : "shipped", i, i, i * 2654435761u, i, i % 9, i * 40503u);
    if (s->orders.status != DG_OK)
        abort();
}

/* Fills a piece with what comes next; the text begins with a bracket and ends with an order and a bracket. */
static size_t read_piece(source *s, char *piece)
{
    size_t len = 0;
    while (len < PIECE && s->left) {
        size_t n = s->orders.len - s->at;
        n = n < PIECE - len ? n : PIECE - len;
        n = n < s->left ? n : (size_t)s->left;
        memcpy(piece + len, s->orders.ptr + s->at, n);
        len += n;
        s->left -= n;
        s->at = (s->at + n) % s->orders.len;
    }
    return len;
}

#define S(text)                                                                                              \
    {                                                                                                        \
        "" text, sizeof(text) - 1                                                                            \
    }
static const dg_op order_ops[] = {
    {.kind = DG_OP_DROP, .name = S("internal_notes")},
    {.kind = DG_OP_RENAME, .name = S("order_status"), .to = S("status")},
    {.kind = DG_OP_CASE, .case_from = DG_SNAKE, .case_to = DG_CAMEL}};
static const dg_ops order_list = {order_ops, 3};
static const dg_op list_ops[] = {{.kind = DG_OP_EACH, .body = &order_list}};
static const dg_ops list = {list_ops, 1};

static double run_whole(dg_runner *runner, const dg_program *program, source *s, uint64_t bytes)
{
    dg_buf text, out;
    dg_buf_init(&text, 0);
    dg_buf_init(&out, 0);
    dg_buf_add_char(&text, '[');
    while (text.len < bytes)
        dg_buf_add(&text, dg_buf_slice(&s->orders));
    text.len--;
    dg_buf_add_char(&text, ']');
    size_t len = text.len;
    if (dg_buf_reserve(&text, DG_JSON_PADDING) != DG_OK || dg_buf_reserve(&out, len * 2) != DG_OK)
        abort();
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        dg_buf_clear(&out);
        double from = seconds();
        if (dg_run(runner, program, dg_slice_of(text.ptr, len), &out, NULL) != DG_OK)
            abort();
        double took = seconds() - from;
        best = took < best ? took : best;
    }
    dg_buf_free(&text);
    dg_buf_free(&out);
    return (double)len / best;
}

static double run_stream(dg_runner *runner, const dg_program *program, source *s, uint64_t bytes,
                         uint64_t *ret_out)
{
    static char piece[PIECE];
    dg_stream *stream;
    dg_buf out;
    dg_buf_init(&out, 0);
    if (dg_stream_new(runner, program, NULL, &stream) != DG_OK)
        abort();
    uint64_t rounds = bytes / s->orders.len + 1;
    s->at = 0;
    s->left = rounds * s->orders.len - 1; /* without the last comma */
    *ret_out = 0;
    double from = seconds();
    dg_status status = dg_stream_feed(stream, DG_SLICE("["), false, &out, NULL);
    while (status == DG_OK && s->left) {
        size_t len = read_piece(s, piece);
        status = dg_stream_feed(stream, dg_slice_of(piece, len), false, &out, NULL);
        *ret_out += out.len;
        out.len = 0;
    }
    if (status == DG_OK)
        status = dg_stream_feed(stream, DG_SLICE("]"), true, &out, NULL);
    double took = seconds() - from;
    *ret_out += out.len;
    if (status != DG_OK)
        abort();
    dg_stream_free(stream);
    dg_buf_free(&out);
    return (double)(rounds * s->orders.len) / took;
}

int main(int argc, char **argv)
{
    uint64_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 256) << 20;
    const dg_ops *steps = &list;
    dg_diags diags;
    dg_program *program;
    dg_runner *runner;
    source s = {.at = 0};
    dg_diags_init(&diags);
    make_orders(&s);
    if (dg_program_compile(&steps, 1, &diags, &program) != DG_OK || dg_runner_new(&runner) != DG_OK)
        abort();
    long before = peak_kb();
    uint64_t out;
    double stream = run_stream(runner, program, &s, bytes, &out);
    printf("stream: %.0f MB in, %.0f MB out, %.2f s, %.2f GB/s, %ld KB more memory (%ld KB in all)\n",
           (double)bytes / (1 << 20), (double)out / (1 << 20), (double)bytes / stream, stream * 1e-9,
           peak_kb() - before, peak_kb());
    uint64_t whole_bytes = bytes < (uint64_t)WHOLE_MEGABYTES << 20 ? bytes : (uint64_t)WHOLE_MEGABYTES << 20;
    double whole = run_whole(runner, program, &s, whole_bytes);
    printf("whole:  %.0f MB, %.2f GB/s; the stream has %.0f %% of it\n", (double)whole_bytes / (1 << 20),
           whole * 1e-9, 100 * stream / whole);
    dg_runner_free(runner);
    dg_program_free(program);
    dg_diags_free(&diags);
    dg_buf_free(&s.orders);
    return 0;
}
