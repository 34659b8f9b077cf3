/* libFuzzer target: no text and no file of generators may crash, hang or leak their parser, and
 * what it takes are permutations: they are written and read back, and the chain of the group they
 * generate holds them.  Input: a text (perm:..) and, as it stands, a file (perm:FILE);
 * tests/corpus/generators has seeds. */
#include "base/mem.h"
#include "group/generators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The chain is sought up to this degree; beyond it takes seconds. */
enum { MAX_DEGREE = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *law) {
  if (holds) return;
  fprintf(stderr, "%s\n", law);
  abort();
}

static void check_chain(const pl_perms *p) {
  pl_chain *c;
  if (p->degree > MAX_DEGREE || pl_chain_new(p, &c)) return;
  if (c->order > 0) {
    size_t n = (size_t)p->degree;
    pl_point image[MAX_DEGREE];
    for (int s = 0; s < p->num; s++) {
      const pl_point *gen = p->image + (size_t)s * n;
      int64_t g = pl_chain_rank(c, gen);
      demand(g >= 0 && g < c->order, "a generator lies in the group");
      pl_chain_unrank(c, g, image);
      demand(!memcmp(image, gen, n * sizeof *gen), "numbers lead back to elements");
      demand(pl_chain_mul(c, g, pl_chain_inv(c, g)) == 0, "inverses");
      int64_t order = pl_chain_element_order(c, g);
      demand(c->order % order == 0, "Lagrange");
    }
  }
  pl_free(pl_chain_order_text(c));
  pl_chain_free(c);
}

static void check_perms(const pl_perms *p) {
  demand(p->degree >= 1 && p->degree <= PL_MAX_DEGREE, "degrees have bounds");
  demand(p->num >= 1 && p->num <= PL_MAX_GENERATORS, "so have numbers of generators");
  size_t n = (size_t)p->degree;
  char *seen = pl_alloc(n, 1, "points");
  for (int s = 0; s < p->num; s++) {
    memset(seen, 0, n);
    for (size_t i = 0; i < n; i++) {
      pl_point to = p->image[(size_t)s * n + i];
      demand(to < n && !seen[to], "a generator is a permutation");
      seen[to] = 1;
    }
  }
  pl_free(seen);
  char *text = pl_perms_text(p);
  pl_perms again;
  demand(!pl_perms_parse(text, &again), "what is written can be read");
  demand(again.num == p->num && again.degree <= p->degree, "and is the same size");
  for (int s = 0; s < p->num; s++)
    demand(!memcmp(again.image + (size_t)s * (size_t)again.degree, p->image + (size_t)s * n,
                   (size_t)again.degree * sizeof *p->image),
           "and the same permutations");
  pl_free(again.image);
  pl_free(text);
  check_chain(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pl_perms p;
  char *text = pl_alloc(size + 1, 1, "text");
  if (size) memcpy(text, data, size);
  text[size] = 0;
  if (!pl_perms_parse(text, &p)) {
    check_perms(&p);
    pl_free(p.image);
  }
  pl_free(text);

  int fd = memfd_create("generators", 0);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (!pl_perms_read(path, &p)) {
    check_perms(&p);
    pl_free(p.image);
  }
  close(fd);
  if (pl_mem_live() != 0) abort();
  return 0;
}
