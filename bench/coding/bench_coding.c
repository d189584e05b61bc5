/* What a content coding adds to a translation: an answer of some 20 KB is decoded, translated and
 * encoded again, beside zlib alone that, at its default level, inflates the same bytes and deflates
 * what comes out; and the other codings beside their own two halves. Alternating rounds of one run,
 * medians.
 *
 * usage: bench_coding; ends with 1 when gzip takes more than 1.1 of what zlib alone takes */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "proxy/coding/coding.h"
#include "rules/ruleset.h"

enum { ROUNDS = 41, TURNS = 40, ORDERS = 48, LEVEL = 6, WINDOW_BITS = 15, GZIP_BITS = 16, MEMORY_LEVEL = 8 };
static const double RATIO_MAX = 1.1;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_coding: %s\n", what);
    exit(2);
}

static uint64_t random_state = 42;

static unsigned next(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33);
}

/* As the backend of the pack sends it: with identifiers, dates and amounts of which no two are alike, as real ones are,
 * so that it compresses as they do. */
static void put_answer(dg_buf *out)
{
    static const char *const statuses[] = {"pending_payment", "shipped", "delivered", "cancelled"};
    dg_buf_add_str(out, "{\"data\":[");
    for (int i = 0; i < ORDERS; i++)
        dg_buf_printf(out,
                      "%s{\"order_id\":\"ord_%08x%08x\",\"customer_name\":\"Customer %u\",\"order_status\":\"%s\","
                      "\"created_at\":\"2025-09-%02uT09:%02u:%02uZ\",\"currency\":\"SEK\",\"total_amount\":%u.%02u,"
                      "\"shipping_address\":{\"street_line1\":\"%u Harbour Street\",\"postal_code\":\"%u\"},"
                      "\"payment\":{\"transaction_id\":\"tx_%08x%08x\",\"is_live\":true},"
                      "\"line_items\":[{\"item_id\":\"li_%08x%08x\",\"sku\":\"SKU-%u\",\"unit_price\":%u.%02u}],"
                      "\"internal_notes\":\"\"}",
                      i ? "," : "", next(), next(), next() % 100000, statuses[next() % 4], 1 + next() % 28, next() % 60,
                      next() % 60, next() % 100000, next() % 100, next() % 400, 10000 + next() % 90000, next(), next(),
                      next(), next(), next() % 10000, next() % 1000, next() % 100);
    dg_buf_add_str(out, "]}");
    check(out->status == DG_OK, "out of memory");
}

static const dg_program *find_program(dg_ruleset **ret_ruleset)
{
    dg_diags diags;
    dg_pack_source source = {.dir = DG_BENCH_PACK};
    const dg_program *program = NULL;
    dg_diags_init(&diags);
    check(dg_ruleset_load(&source, 1, &diags, ret_ruleset) == DG_OK &&
              dg_ruleset_find_program(*ret_ruleset, "v2", "v1", "GET /orders", true, false, &diags, &program) ==
                  DG_OK &&
              program,
          "cannot use the pack " DG_BENCH_PACK);
    dg_diags_free(&diags);
    return program;
}

typedef struct work {
    dg_coder *coder;
    dg_runner *runner;
    const dg_program *program;
    dg_coding coding;
    dg_buf coded;      /* what came */
    dg_buf translated; /* what goes on, before its coding */
    dg_buf plain, out, again;
} work;

/* As dg_translate does it. */
static void translate(work *w)
{
    dg_buf_clear(&w->plain);
    dg_buf_clear(&w->out);
    dg_buf_clear(&w->again);
    check(dg_coder_decode(w->coder, w->coding, dg_buf_slice(&w->coded), &w->plain) == DG_OK &&
              dg_buf_reserve(&w->plain, DG_JSON_PADDING) == DG_OK &&
              dg_run(w->runner, w->program, dg_buf_slice(&w->plain), &w->out, NULL) == DG_OK &&
              dg_coder_encode(w->coder, w->coding, dg_buf_slice(&w->out), &w->again) == DG_OK,
          "a translation failed");
}

/* The two halves of the coding without anything between. */
static void code_only(work *w)
{
    dg_buf_clear(&w->plain);
    dg_buf_clear(&w->again);
    check(dg_coder_decode(w->coder, w->coding, dg_buf_slice(&w->coded), &w->plain) == DG_OK &&
              dg_coder_encode(w->coder, w->coding, dg_buf_slice(&w->translated), &w->again) == DG_OK,
          "a coding failed");
}

static z_stream inflater, deflater;
static unsigned char scratch[1 << 18];

static void zlib_only(work *w)
{
    check(inflateReset(&inflater) == Z_OK && deflateReset(&deflater) == Z_OK, "zlib");
    inflater.next_in = (Bytef *)w->coded.ptr;
    inflater.avail_in = (uInt)w->coded.len;
    inflater.next_out = scratch;
    inflater.avail_out = sizeof scratch;
    check(inflate(&inflater, Z_FINISH) == Z_STREAM_END, "inflate");
    deflater.next_in = (Bytef *)w->translated.ptr;
    deflater.avail_in = (uInt)w->translated.len;
    deflater.next_out = scratch;
    deflater.avail_out = sizeof scratch;
    check(deflate(&deflater, Z_FINISH) == Z_STREAM_END, "deflate");
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double measure(work *w, void (*run)(work *))
{
    double from = seconds();
    for (int i = 0; i < TURNS; i++)
        run(w);
    return (seconds() - from) / TURNS * 1e6;
}

/* The median time of a translation by that of `base`, which take turns. */
static double compare_with(work *w, const char *base_name, void (*base)(work *))
{
    static double times[2][ROUNDS];
    measure(w, translate);
    measure(w, base);
    for (int i = 0; i < ROUNDS; i++) {
        times[0][i] = measure(w, translate);
        times[1][i] = measure(w, base);
    }
    for (int k = 0; k < 2; k++)
        qsort(times[k], ROUNDS, sizeof(double), compare);
    double ratio = times[0][ROUNDS / 2] / times[1][ROUNDS / 2];
    dg_slice name = dg_coding_name(w->coding);
    printf("%-8.*s translated %8.1f us   %-10s %8.1f us   ratio %.3f\n", DG_SLICE_FMT(name), times[0][ROUNDS / 2],
           base_name, times[1][ROUNDS / 2], ratio);
    return ratio;
}

int main(void)
{
    work w = {.coding = DG_CODING_GZIP};
    dg_ruleset *ruleset = NULL;
    dg_buf answer;
    dg_buf_init(&answer, 0);
    put_answer(&answer);
    w.program = find_program(&ruleset);
    check(dg_coder_new(&w.coder) == DG_OK && dg_runner_new(&w.runner) == DG_OK, "out of memory");
    check(inflateInit2(&inflater, WINDOW_BITS + GZIP_BITS) == Z_OK &&
              deflateInit2(&deflater, LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
                  Z_OK,
          "zlib");
    double ratio = 0;
    for (unsigned coding = DG_CODING_GZIP; coding < DG_CODING_UNKNOWN; coding++) {
        w.coding = (dg_coding)coding;
        dg_buf_clear(&w.coded);
        check(dg_coder_encode(w.coder, w.coding, dg_buf_slice(&answer), &w.coded) == DG_OK, "encode");
        translate(&w);
        dg_buf_clear(&w.translated);
        dg_buf_add(&w.translated, dg_buf_slice(&w.out));
        if (coding == DG_CODING_GZIP) {
            printf("an answer of %zu bytes, %zu in gzip; %zu translated\n", answer.len, w.coded.len, w.translated.len);
            ratio = compare_with(&w, "zlib", zlib_only);
        } else {
            (void)compare_with(&w, "coding", code_only);
        }
    }
    return ratio > RATIO_MAX;
}
