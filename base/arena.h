/* An arena: many small allocations, freed at once.
 *
 * One arena belongs to one owner and one thread. Memory is aligned to 16 bytes and not zeroed. When an
 * allocation fails the arena turns sticky: every later allocation returns NULL too, so that a caller may
 * check once at the end with dg_arena_failed. */
#ifndef DG_BASE_ARENA_H
#define DG_BASE_ARENA_H

#include "base/slice.h"
#include "base/status.h"

typedef struct dg_arena_block dg_arena_block;

typedef struct dg_arena {
    dg_arena_block *blocks; /* newest first */
    char *at, *end;
    size_t bytes;     /* in all blocks */
    size_t bytes_max; /* allocations beyond it fail; 0 = no limit */
    bool failed;
} dg_arena;

/* Lazily allocated: an arena that nobody used holds no memory. bytes_max 0 = no limit. */
void dg_arena_init(dg_arena *arena, size_t bytes_max);
/* Frees everything but the newest standard block, and clears `failed`. */
void dg_arena_reset(dg_arena *arena);
/* Frees everything; the arena can be used again. */
void dg_arena_free(dg_arena *arena);

/* NULL when memory or bytes_max is exhausted. */
void *dg_arena_alloc(dg_arena *arena, size_t bytes);
void *dg_arena_zalloc(dg_arena *arena, size_t bytes);
/* Copies; ptr NULL on failure (len 0). A NUL follows the copy, outside its length. */
dg_slice dg_arena_dup(dg_arena *arena, dg_slice s);
char *dg_arena_strdup(dg_arena *arena, const char *str);
char *dg_arena_printf(dg_arena *arena, const char *fmt, ...) DG_PRINTF(2, 3);

static inline bool dg_arena_failed(const dg_arena *arena) { return arena->failed; }

#endif
