/* Whether a block is UTF-8 (RFC 3629 4). Internal to the room.
 *
 * Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte" (2021): what can be
 * wrong with two bytes in a row, a bit each, by their three upper half bytes. */
#ifndef DG_TRANSFORMS_UTF8_H
#define DG_TRANSFORMS_UTF8_H

#include "transforms/text/simd.h"

#if defined(DG_SIMD_AVX2) || defined(DG_SIMD_NEON)
enum {
    DG_UTF8_SHORT = 1,       /* a lead byte, and no tail */
    DG_UTF8_LONG = 2,        /* a tail after ASCII */
    DG_UTF8_OVERLONG_3 = 4,  /* E0 80..9F */
    DG_UTF8_LARGE = 8,       /* F4 90..BF, F5..FF 90..BF */
    DG_UTF8_SURROGATE = 16,  /* ED A0..BF */
    DG_UTF8_OVERLONG_2 = 32, /* C0..C1 */
    DG_UTF8_EDGE_4 = 64,     /* F0 80..8F, F5..FF 80..8F */
    DG_UTF8_TAILS = 128,     /* two tails: right if and only if the lead asks for it */
    DG_UTF8_ANY = DG_UTF8_SHORT | DG_UTF8_LONG | DG_UTF8_TAILS,
    DG_UTF8_OVER_F4 = DG_UTF8_ANY | DG_UTF8_LARGE | DG_UTF8_EDGE_4,
    DG_UTF8_TAIL = DG_UTF8_LONG | DG_UTF8_OVERLONG_2 | DG_UTF8_TAILS
};

#define DG_UTF8_FOUR(x) x, x, x, x
/* By the upper half of the first byte, by its lower half, and by the upper half of the second. */
static const uint8_t dg_utf8_first_high[16] = {DG_UTF8_FOUR(DG_UTF8_LONG),
                                               DG_UTF8_FOUR(DG_UTF8_LONG),
                                               DG_UTF8_FOUR(DG_UTF8_TAILS),
                                               DG_UTF8_SHORT | DG_UTF8_OVERLONG_2,
                                               DG_UTF8_SHORT,
                                               DG_UTF8_SHORT | DG_UTF8_OVERLONG_3 |
                                                   DG_UTF8_SURROGATE,
                                               DG_UTF8_SHORT | DG_UTF8_LARGE | DG_UTF8_EDGE_4};
static const uint8_t dg_utf8_first_low[16] = {DG_UTF8_ANY | DG_UTF8_OVERLONG_2 |
                                                  DG_UTF8_OVERLONG_3 | DG_UTF8_EDGE_4,
                                              DG_UTF8_ANY | DG_UTF8_OVERLONG_2,
                                              DG_UTF8_ANY,
                                              DG_UTF8_ANY,
                                              DG_UTF8_ANY | DG_UTF8_LARGE,
                                              DG_UTF8_FOUR(DG_UTF8_OVER_F4),
                                              DG_UTF8_FOUR(DG_UTF8_OVER_F4),
                                              DG_UTF8_OVER_F4 | DG_UTF8_SURROGATE,
                                              DG_UTF8_OVER_F4,
                                              DG_UTF8_OVER_F4};
static const uint8_t dg_utf8_second_high[16] = {DG_UTF8_FOUR(DG_UTF8_SHORT),
                                                DG_UTF8_FOUR(DG_UTF8_SHORT),
                                                DG_UTF8_TAIL | DG_UTF8_OVERLONG_3 | DG_UTF8_EDGE_4,
                                                DG_UTF8_TAIL | DG_UTF8_OVERLONG_3 | DG_UTF8_LARGE,
                                                DG_UTF8_TAIL | DG_UTF8_SURROGATE | DG_UTF8_LARGE,
                                                DG_UTF8_TAIL | DG_UTF8_SURROGATE | DG_UTF8_LARGE,
                                                DG_UTF8_FOUR(DG_UTF8_SHORT)};
/* The third byte of three or four, and the fourth of four, must follow a tail: what is taken from
 * the byte two before, and three before, so that its highest bit says so. */
enum { DG_UTF8_LEAD_3 = 0xE0 - 0x80, DG_UTF8_LEAD_4 = 0xF0 - 0x80 };
#endif

#ifdef DG_SIMD_AVX2
static inline __m256i dg_utf8_look_up(const uint8_t table[16], __m256i at)
{
    __m128i half = _mm_loadu_si128((const __m128i *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), at);
}
static inline __m256i dg_utf8_upper(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0F));
}
#elif defined(DG_SIMD_NEON)
static inline uint8x16_t dg_utf8_wrong(const uint8_t *p)
{
    uint8x16_t before = vld1q_u8(p - 1);
    uint8x16_t wrong = vqtbl1q_u8(vld1q_u8(dg_utf8_first_high), vshrq_n_u8(before, 4));
    wrong = vandq_u8(wrong,
                     vqtbl1q_u8(vld1q_u8(dg_utf8_first_low), vandq_u8(before, vdupq_n_u8(0x0F))));
    wrong = vandq_u8(wrong, vqtbl1q_u8(vld1q_u8(dg_utf8_second_high), vshrq_n_u8(vld1q_u8(p), 4)));
    uint8x16_t asked = vorrq_u8(vqsubq_u8(vld1q_u8(p - 2), vdupq_n_u8(DG_UTF8_LEAD_3)),
                                vqsubq_u8(vld1q_u8(p - 3), vdupq_n_u8(DG_UTF8_LEAD_4)));
    return veorq_u8(wrong, vandq_u8(asked, vdupq_n_u8(0x80)));
}
#endif

/* Whether no byte of the block is wrong in UTF-8 after the three before it. A sequence that the
 * block ends in is judged by the next. False may also mean: look closer. */
static inline bool dg_block_is_utf8(const char *p)
{
#if defined(DG_SIMD_AVX2)
    __m256i before = dg_block_load(p - 1);
    __m256i lower = _mm256_and_si256(before, _mm256_set1_epi8(0x0F));
    __m256i wrong = dg_utf8_look_up(dg_utf8_first_high, dg_utf8_upper(before));
    wrong = _mm256_and_si256(wrong, dg_utf8_look_up(dg_utf8_first_low, lower));
    wrong = _mm256_and_si256(wrong,
                             dg_utf8_look_up(dg_utf8_second_high, dg_utf8_upper(dg_block_load(p))));
    __m256i asked =
        _mm256_or_si256(_mm256_subs_epu8(dg_block_load(p - 2), _mm256_set1_epi8(DG_UTF8_LEAD_3)),
                        _mm256_subs_epu8(dg_block_load(p - 3), _mm256_set1_epi8(DG_UTF8_LEAD_4)));
    wrong = _mm256_xor_si256(wrong, _mm256_and_si256(asked, _mm256_set1_epi8(-128)));
    return _mm256_testz_si256(wrong, wrong);
#elif defined(DG_SIMD_NEON)
    const uint8_t *bytes = (const uint8_t *)p;
    return vmaxvq_u8(vorrq_u8(dg_utf8_wrong(bytes), dg_utf8_wrong(bytes + 16))) == 0;
#else
    (void)p;
    return false;
#endif
}

#endif
