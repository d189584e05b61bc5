/* Bytes by the block: the few questions that the engine asks of 32 or 64 bytes at once, as bit
 * masks, lowest bit first. SSE2 on x86-64, AVX2 where a file is compiled for it (isa.h), NEON on
 * aarch64, plain C elsewhere; the answers are the same. All of these read whole blocks. Internal to
 * the room. */
#ifndef DG_TRANSFORMS_SIMD_H
#define DG_TRANSFORMS_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX2__) && !defined(DG_SCAN_PLAIN)
#include <immintrin.h>
#define DG_SIMD_AVX2 1
#elif defined(__SSE2__) && !defined(DG_SCAN_PLAIN)
#include <emmintrin.h>
#define DG_SIMD_SSE2 1
#elif defined(__ARM_NEON) && defined(__AARCH64EL__) && !defined(DG_SCAN_PLAIN)
#include <arm_neon.h>
#define DG_SIMD_NEON 1
#endif

/* For what is small once its constant arguments are known, or called once a member. */
#define DG_ALWAYS_INLINE __attribute__((always_inline)) static inline

enum { DG_BLOCK = 32 };
typedef uint32_t dg_mask; /* a bit a byte of a block */

#if defined(DG_SIMD_AVX2)
typedef __m256i dg_block;

static inline dg_block dg_block_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
static inline void dg_block_store(void *p, dg_block v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}
static inline dg_mask dg_block_bits(dg_block v)
{
    return (dg_mask)_mm256_movemask_epi8(v);
}
/* Defined in scan.c and read from memory: gcc makes them anew, with three instructions each, where
 * it sees their value. */
#define DG_BLOCK_CONSTANTS(X)                                                                      \
    X('"', quotes) X('\\', slashes) X(0x1F, controls) X('0', zeros) X(9, nines)
#define DG_BLOCK_MEMBER(c, name) char name[32];
typedef struct dg_block_sets {
    _Alignas(32) DG_BLOCK_CONSTANTS(DG_BLOCK_MEMBER)
} dg_block_sets;
#undef DG_BLOCK_MEMBER
extern const dg_block_sets dg_block_constants;
#define DG_BLOCK_OF(c, name) dg_block_load(dg_block_constants.name)
#define DG_BLOCK_EQ(a, b)    _mm256_cmpeq_epi8(a, b)
#define DG_BLOCK_OR(a, b)    _mm256_or_si256(a, b)
#define DG_BLOCK_MIN(a, b)   _mm256_min_epu8(a, b)
#define DG_BLOCK_SUB(a, b)   _mm256_sub_epi8(a, b)
#define DG_BLOCK_HIGH(v)     (v)

#elif defined(DG_SIMD_SSE2)
typedef struct dg_block {
    __m128i low, high;
} dg_block;

static inline dg_block dg_block_load(const void *p)
{
    return (dg_block){_mm_loadu_si128((const __m128i *)p), _mm_loadu_si128((const __m128i *)p + 1)};
}
static inline void dg_block_store(void *p, dg_block v)
{
    _mm_storeu_si128((__m128i *)p, v.low);
    _mm_storeu_si128((__m128i *)p + 1, v.high);
}
static inline dg_mask dg_block_bits(dg_block v)
{
    return (dg_mask)_mm_movemask_epi8(v.low) | (dg_mask)_mm_movemask_epi8(v.high) << 16;
}
static inline dg_block dg_block_set(char c)
{
    return (dg_block){_mm_set1_epi8(c), _mm_set1_epi8(c)};
}
#define DG_BLOCK_BOTH(name, op)                                                                    \
    static inline dg_block name(dg_block a, dg_block b)                                            \
    {                                                                                              \
        return (dg_block){op(a.low, b.low), op(a.high, b.high)};                                   \
    }
DG_BLOCK_BOTH(dg_block_eq, _mm_cmpeq_epi8)
DG_BLOCK_BOTH(dg_block_or, _mm_or_si128)
DG_BLOCK_BOTH(dg_block_min, _mm_min_epu8)
DG_BLOCK_BOTH(dg_block_sub, _mm_sub_epi8)
#undef DG_BLOCK_BOTH
#define DG_BLOCK_HIGH(v) (v)

#elif defined(DG_SIMD_NEON)
typedef struct dg_block {
    uint8x16_t low, high;
} dg_block;

static inline dg_block dg_block_load(const void *p)
{
    return (dg_block){vld1q_u8(p), vld1q_u8((const uint8_t *)p + 16)};
}
static inline void dg_block_store(void *p, dg_block v)
{
    vst1q_u8(p, v.low);
    vst1q_u8((uint8_t *)p + 16, v.high);
}
/* Each byte is all ones or none: it keeps the bit that is its own among eight, and sums of eight
 * neighbours are a byte of the mask. */
static inline dg_mask dg_block_bits(dg_block v)
{
    const uint8x16_t own = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t sums = vpaddq_u8(vandq_u8(v.low, own), vandq_u8(v.high, own));
    sums = vpaddq_u8(sums, sums);
    return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(sums, sums)), 0);
}
static inline dg_block dg_block_set(char c)
{
    return (dg_block){vdupq_n_u8((uint8_t)c), vdupq_n_u8((uint8_t)c)};
}
/* All ones where the highest bit is one. */
static inline dg_block dg_block_tops(dg_block v)
{
    return (dg_block){vcltzq_s8(vreinterpretq_s8_u8(v.low)),
                      vcltzq_s8(vreinterpretq_s8_u8(v.high))};
}
#define DG_BLOCK_BOTH(name, op)                                                                    \
    static inline dg_block name(dg_block a, dg_block b)                                            \
    {                                                                                              \
        return (dg_block){op(a.low, b.low), op(a.high, b.high)};                                   \
    }
DG_BLOCK_BOTH(dg_block_eq, vceqq_u8)
DG_BLOCK_BOTH(dg_block_or, vorrq_u8)
DG_BLOCK_BOTH(dg_block_min, vminq_u8)
DG_BLOCK_BOTH(dg_block_sub, vsubq_u8)
#undef DG_BLOCK_BOTH
#define DG_BLOCK_HIGH(v) dg_block_tops(v)
#endif

#if defined(DG_SIMD_SSE2) || defined(DG_SIMD_NEON)
#define DG_BLOCK_OF(c, name) dg_block_set(c)
#define DG_BLOCK_EQ(a, b)    dg_block_eq(a, b)
#define DG_BLOCK_OR(a, b)    dg_block_or(a, b)
#define DG_BLOCK_MIN(a, b)   dg_block_min(a, b)
#define DG_BLOCK_SUB(a, b)   dg_block_sub(a, b)
#endif

#ifdef DG_BLOCK_EQ

static inline void dg_block_copy(char *to, const char *from)
{
    dg_block_store(to, dg_block_load(from));
}

/* Which bytes of the two blocks are equal. */
static inline dg_mask dg_block_equal(const void *a, const void *b)
{
    return dg_block_bits(DG_BLOCK_EQ(dg_block_load(a), dg_block_load(b)));
}

static inline dg_mask dg_mask_specials(dg_block v)
{
    dg_block quote = DG_BLOCK_EQ(v, DG_BLOCK_OF('"', quotes)),
             slash = DG_BLOCK_EQ(v, DG_BLOCK_OF('\\', slashes));
    dg_block control = DG_BLOCK_EQ(DG_BLOCK_MIN(v, DG_BLOCK_OF(0x1F, controls)), v);
    return dg_block_bits(DG_BLOCK_OR(DG_BLOCK_OR(quote, slash), control));
}

/* Quotes, backslashes and control bytes: what ends or breaks the plain part of a string. */
static inline dg_mask dg_block_specials(const char *p)
{
    return dg_mask_specials(dg_block_load(p));
}

/* The same, and copies the block to `out`. */
static inline dg_mask dg_block_copy_specials(char *out, const char *p)
{
    dg_block v = dg_block_load(p);
    dg_block_store(out, v);
    return dg_mask_specials(v);
}

static inline dg_mask dg_mask_digits(dg_block v)
{
    v = DG_BLOCK_SUB(v, DG_BLOCK_OF('0', zeros));
    return dg_block_bits(DG_BLOCK_EQ(DG_BLOCK_MIN(v, DG_BLOCK_OF(9, nines)), v));
}

static inline dg_mask dg_block_digits(const char *p)
{
    return dg_mask_digits(dg_block_load(p));
}

static inline dg_mask dg_block_copy_digits(char *out, const char *p)
{
    dg_block v = dg_block_load(p);
    dg_block_store(out, v);
    return dg_mask_digits(v);
}

static inline dg_mask dg_mask_spaces(dg_block v)
{
#ifdef DG_SIMD_AVX2
    /* Looked up by its low four bits, white space gives itself, and nothing else does. */
    const __m256i table =
        _mm256_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1, ' ',
                         -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1);
    return dg_block_bits(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, v), v));
#else
    dg_block lines =
        DG_BLOCK_OR(DG_BLOCK_EQ(v, dg_block_set('\n')), DG_BLOCK_EQ(v, dg_block_set('\r')));
    dg_block blanks =
        DG_BLOCK_OR(DG_BLOCK_EQ(v, dg_block_set(' ')), DG_BLOCK_EQ(v, dg_block_set('\t')));
    return dg_block_bits(DG_BLOCK_OR(lines, blanks));
#endif
}

/* JSON white space. */
static inline dg_mask dg_block_spaces(const char *p)
{
    return dg_mask_spaces(dg_block_load(p));
}

static inline dg_mask dg_block_copy_spaces(char *out, const char *p)
{
    dg_block v = dg_block_load(p);
    dg_block_store(out, v);
    return dg_mask_spaces(v);
}

/* Bytes above 0x7F. */
static inline dg_mask dg_block_high(const char *p)
{
    return dg_block_bits(DG_BLOCK_HIGH(dg_block_load(p)));
}

/* Whether one of four blocks holds such bytes. */
static inline bool dg_blocks_high(const char *p)
{
    dg_block low = DG_BLOCK_OR(dg_block_load(p), dg_block_load(p + DG_BLOCK));
    dg_block high = DG_BLOCK_OR(dg_block_load(p + 2 * DG_BLOCK), dg_block_load(p + 3 * DG_BLOCK));
    return dg_block_bits(DG_BLOCK_HIGH(DG_BLOCK_OR(low, high))) != 0;
}

#else /* plain C */

#define DG_BLOCK_MASK(condition)                                                                   \
    dg_mask mask = 0;                                                                              \
    for (unsigned i = 0; i < DG_BLOCK; i++)                                                        \
        mask |= (dg_mask)(condition) << i;                                                         \
    return mask

static inline void dg_block_copy(char *to, const char *from)
{
    memcpy(to, from, DG_BLOCK);
}
static inline dg_mask dg_block_equal(const void *a, const void *b)
{
    const char *x = a, *y = b;
    DG_BLOCK_MASK(x[i] == y[i]);
}
static inline dg_mask dg_block_specials(const char *p)
{
    DG_BLOCK_MASK(p[i] == '"' || p[i] == '\\' || (unsigned char)p[i] < 0x20);
}
static inline dg_mask dg_block_copy_specials(char *out, const char *p)
{
    memcpy(out, p, DG_BLOCK);
    return dg_block_specials(p);
}
static inline dg_mask dg_block_digits(const char *p)
{
    DG_BLOCK_MASK((unsigned char)(p[i] - '0') < 10);
}
static inline dg_mask dg_block_copy_digits(char *out, const char *p)
{
    memcpy(out, p, DG_BLOCK);
    return dg_block_digits(p);
}
static inline dg_mask dg_block_spaces(const char *p)
{
    DG_BLOCK_MASK(p[i] == ' ' || p[i] == '\n' || p[i] == '\t' || p[i] == '\r');
}
static inline dg_mask dg_block_copy_spaces(char *out, const char *p)
{
    memcpy(out, p, DG_BLOCK);
    return dg_block_spaces(p);
}
static inline dg_mask dg_block_high(const char *p)
{
    DG_BLOCK_MASK((unsigned char)p[i] >> 7);
}
static inline bool dg_blocks_high(const char *p)
{
    return dg_block_high(p) || dg_block_high(p + DG_BLOCK) || dg_block_high(p + 2 * DG_BLOCK) ||
           dg_block_high(p + 3 * DG_BLOCK);
}
#undef DG_BLOCK_MASK
#endif

#endif
