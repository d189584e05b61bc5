#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 4096, ALIGN = 16 };

struct dg_arena_block {
    dg_arena_block *next;
    size_t bytes; /* with this header */
};

#define HEADER_BYTES ((sizeof(dg_arena_block) + ALIGN - 1) / ALIGN * ALIGN)

void dg_arena_init(dg_arena *arena, size_t bytes_max)
{
    *arena = (dg_arena){.bytes_max = bytes_max};
}

static void point_at(dg_arena *arena, dg_arena_block *block)
{
    arena->at = block ? (char *)block + HEADER_BYTES : NULL;
    arena->end = block ? (char *)block + block->bytes : NULL;
}

void dg_arena_reset(dg_arena *arena)
{
    dg_arena_block *keep = NULL, *next;
    for (dg_arena_block *b = arena->blocks; b; b = next) {
        next = b->next;
        if (!keep && b->bytes == BLOCK_BYTES)
            keep = b;
        else
            free(b);
    }
    if (keep)
        keep->next = NULL;
    arena->blocks = keep;
    arena->bytes = keep ? keep->bytes : 0;
    arena->failed = false;
    point_at(arena, keep);
}

void dg_arena_free(dg_arena *arena)
{
    dg_arena_block *next;
    for (dg_arena_block *b = arena->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    dg_arena_init(arena, arena->bytes_max);
}

static bool grow(dg_arena *arena, size_t bytes)
{
    size_t want = bytes + HEADER_BYTES > BLOCK_BYTES ? bytes + HEADER_BYTES : BLOCK_BYTES;
    if (want < bytes || (arena->bytes_max && want > arena->bytes_max - arena->bytes))
        return false;
    dg_arena_block *block = malloc(want);
    if (!block)
        return false;
    block->bytes = want;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->bytes += want;
    point_at(arena, block);
    return true;
}

void *dg_arena_alloc(dg_arena *arena, size_t bytes)
{
    size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (arena->failed || need < bytes ||
        (need > (size_t)(arena->end - arena->at) && !grow(arena, need))) {
        arena->failed = true;
        return NULL;
    }
    void *ret = arena->at;
    arena->at += need;
    return ret;
}

void *dg_arena_zalloc(dg_arena *arena, size_t bytes)
{
    void *ret = dg_arena_alloc(arena, bytes);
    return ret ? memset(ret, 0, bytes) : NULL;
}

dg_slice dg_arena_dup(dg_arena *arena, dg_slice s)
{
    char *copy = dg_arena_alloc(arena, s.len + 1);
    if (!copy)
        return (dg_slice){NULL, 0};
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (dg_slice){copy, s.len};
}

char *dg_arena_strdup(dg_arena *arena, const char *str)
{
    size_t bytes = strlen(str) + 1;
    char *copy = dg_arena_alloc(arena, bytes);
    return copy ? memcpy(copy, str, bytes) : NULL;
}

char *dg_arena_printf(dg_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : dg_arena_alloc(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}
