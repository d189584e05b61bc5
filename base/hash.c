#include "base/hash.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>

static uint64_t process_seed;

static void draw_seed(void)
{
    if (getrandom(&process_seed, sizeof process_seed, 0) != (ssize_t)sizeof process_seed)
        process_seed = (uint64_t)time(NULL) * 0x9E3779B97F4A7C15u;
}

uint64_t dg_hash_seed(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, draw_seed);
    return process_seed;
}

__extension__ typedef unsigned __int128 u128;

static uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* A multiply-and-fold hash: 16 bytes a round, the tail zero-padded, the length mixed in at the end. */
uint64_t dg_hash(dg_slice s, uint64_t seed)
{
    const uint64_t k0 = 0xA0761D6478BD642Fu, k1 = 0xE7037ED1A0B428DBu;
    uint64_t h = seed ^ k0;
    size_t len = s.len;
    const char *p = s.ptr;
    for (; len >= 16; len -= 16, p += 16)
        h = fold(load64(p) ^ k1, load64(p + 8) ^ h);
    char tail[16] = {0};
    if (len)
        memcpy(tail, p, len);
    h = fold(load64(tail) ^ k1, load64(tail + 8) ^ h);
    return fold(h ^ k0, (uint64_t)s.len ^ k1);
}
