/* libFuzzer over values of digest fields. Beyond the sanitizers: what a value says is the same however it is written, and
 * what is written can be read. The first byte chooses the field. */
#include <stdlib.h>

#include "proxy/digest/digest.h"

#define HOLD(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the lines that were written, and expects digests of `content` for the same algorithms. */
static void read_again(const dg_digests *first, dg_slice lines, dg_slice content)
{
    dg_digests again = {.has = {false}};
    while (lines.len) {
        size_t colon = dg_slice_find(lines, ':'), end = dg_slice_find(lines, '\r');
        HOLD(colon + 2 < end && end + 1 < lines.len);
        dg_slice value = dg_slice_from(dg_slice_until(lines, end), colon + 2);
        HOLD(dg_digests_read(&again, dg_slice_until(lines, colon), value) == DG_OK);
        lines = dg_slice_from(lines, end + 2);
    }
    const char *field = NULL;
    HOLD(memcmp(again.has, first->has, sizeof again.has) == 0);
    HOLD(dg_digests_verify(&again, content, &field) == DG_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const dg_slice names[] = {{"Content-Digest", 14}, {"repr-digest", 11}, {"Content-MD5", 11}};
    if (size < 1)
        return 0;
    dg_digests digests = {.has = {false}};
    dg_slice value = dg_slice_of(data + 1, size - 1);
    if (dg_digests_read(&digests, names[data[0] % 3], value) != DG_OK)
        return 0;
    dg_buf lines;
    dg_buf_init(&lines, 0);
    HOLD(dg_digests_write(&digests, value, &lines) == DG_OK);
    HOLD((lines.len > 0) == dg_digests_any(&digests));
    read_again(&digests, dg_buf_slice(&lines), value);
    dg_buf_free(&lines);
    return 0;
}
