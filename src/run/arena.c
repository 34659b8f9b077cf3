#include "run/arena.h"

#include "base/mem.h"
#include "base/status.h"

#include <stdalign.h>
#include <string.h>

struct pl_arena_block {
  struct pl_arena_block *older;
  alignas(max_align_t) char data[];
};

enum { BLOCK = 1 << 14, ALIGN = alignof(max_align_t) };

void *pl_arena_alloc(pl_arena *arena, size_t count, size_t size) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX / 2)
    pl_die(PL_EENV, "out of memory: the sweep needs %zu x %zu bytes", count, size);
  n = (n + ALIGN - 1) / ALIGN * ALIGN;
  if (!arena->blocks || n > arena->size - arena->used) {
    size_t room = n > BLOCK ? n : BLOCK;
    struct pl_arena_block *b = pl_zalloc(sizeof *b + room, 1, "the sweep");
    b->older = arena->blocks;
    *arena = (pl_arena){b, 0, room};
  }
  arena->used += n;
  return arena->blocks->data + arena->used - n;
}

char *pl_arena_text(pl_arena *arena, const char *s, size_t len) {
  return memcpy(pl_arena_alloc(arena, len + 1, 1), s, len);
}

void pl_arena_free(pl_arena *arena) {
  for (struct pl_arena_block *b = arena->blocks, *older; b; b = older) {
    older = b->older;
    pl_free(b);
  }
  *arena = (pl_arena){0};
}
