#include "transforms/isa.h"

#include "transforms/index.h"

const uint32_t dg_index_nothing[] = {DG_INDEX_END, DG_INDEX_END, DG_INDEX_END, DG_INDEX_END};

#ifdef DG_SIMD_AVX2
#define FOUR(c) c, c, c, c
#define BLOCK(c, name)                                                                             \
    .name = {FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c)},
const dg_block_sets dg_block_constants = {DG_BLOCK_CONSTANTS(BLOCK)};
#endif

/* Which bytes are escaped by a backslash before them. */
static uint64_t escaped(uint64_t slashes, uint64_t *carry)
{
    uint64_t result = *carry;
    slashes &= ~result;
    *carry = 0;
    while (slashes) {
        uint64_t slash = slashes & (0 - slashes), next = slash << 1;
        result |= next;
        *carry = next == 0;
        slashes &= ~(slash | next);
    }
    return result;
}

/* , : { } [ ] outside strings in the 64 bytes at p. */
static inline uint64_t marks_of(dg_index *index, const char *p, uint64_t *inside_before)
{
    dg_mask quotes[2], slashes[2], marks[2];
    dg_block_classify(p, &quotes[0], &slashes[0], &marks[0]);
    dg_block_classify(p + DG_BLOCK, &quotes[1], &slashes[1], &marks[1]);
    uint64_t quote = quotes[0] | (uint64_t)quotes[1] << 32;
    uint64_t slash = slashes[0] | (uint64_t)slashes[1] << 32;
    if (__builtin_expect((slash | index->escaped) != 0, 0))
        quote &= ~escaped(slash, &index->escaped);
    uint64_t inside = dg_parity(quote) ^ *inside_before;
    *inside_before = (uint64_t)((int64_t)inside >> 63);
    return (marks[0] | (uint64_t)marks[1] << 32) & ~inside;
}

static inline uint32_t *put(uint32_t *at, uint32_t base, uint64_t marks)
{
    uint32_t *end = at + __builtin_popcountll(marks);
    do {
        /* Beyond the last bit the offsets are rubbish, which the next block writes over. */
#pragma GCC unroll 12
        for (unsigned i = 0; i < DG_INDEX_BATCH; i++) {
            at[i] = base + dg_lowest(marks);
            marks &= marks - 1;
        }
        at += DG_INDEX_BATCH;
    } while (__builtin_expect(at < end, 0));
    return end;
}

void dg_index_more(dg_index *index)
{
    uint32_t *at = index->at;
    size_t done = index->done, left = index->len - done;
    size_t stop = done + (left < DG_INDEX_WINDOW ? left : DG_INDEX_WINDOW);
    uint64_t inside = index->inside;
    for (; stop - done >= DG_INDEX_BLOCK; done += DG_INDEX_BLOCK)
        at = put(at, (uint32_t)done, marks_of(index, index->text + done, &inside));
    if (stop > done) {
        uint64_t marks = marks_of(index, index->text + done, &inside);
        at = put(at, (uint32_t)done, marks & (((uint64_t)1 << (stop - done)) - 1));
    }
    index->done = stop;
    index->inside = inside;
    for (unsigned i = 0; i < DG_INDEX_ENDS; i++)
        at[i] = DG_INDEX_END;
}
