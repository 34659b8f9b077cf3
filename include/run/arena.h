/* Memory that lives and dies together: many small pieces, one free.  Local. */
#ifndef PL_RUN_ARENA_H
#define PL_RUN_ARENA_H

#include <stddef.h>

/* Zero-initialise; pl_arena_free gives everything back and leaves it empty. */
typedef struct pl_arena {
  struct pl_arena_block *blocks; /* newest first */
  size_t used, size;             /* of the newest */
} pl_arena;

/* count * size bytes, zero, aligned for any type.  Owned by the arena; never NULL. */
void *pl_arena_alloc(pl_arena *arena, size_t count, size_t size);
/* The first len bytes of s and a closing zero. */
char *pl_arena_text(pl_arena *arena, const char *s, size_t len);
void pl_arena_free(pl_arena *arena);

#endif
