/* A finite group known by its multiplication: from generators (group/chain.h) or from a table.
 *
 * Every element is a product u_0 u_1 .. of one element from each of a few transversals; the
 * digits of its number say which.  A table has one transversal, the group itself. */
#ifndef PL_GROUP_FINITE_H
#define PL_GROUP_FINITE_H

#include "group/chain.h"

#include <stddef.h>

enum { PL_MAX_TABLE = 4096 };

typedef struct pl_finite {
  int64_t order;      /* -1: 2^62 or more, and then elements have no numbers */
  pl_chain *chain;    /* or NULL: table */
  uint16_t *table;    /* [g][h] -> gh */
  int num_gens, swap; /* swap: element that changed numbers with 0 in the table's file */
  int64_t *gens;
  uint64_t hash; /* of what defines it */
} pl_finite;

/* Status and message as of pl_chain_new.  p: read only here. */
pl_status pl_finite_from_perms(const pl_perms *p, pl_finite **out);
/* From table(g, h) of a NetCDF file, of order at most PL_MAX_TABLE.  If element e other than 0 is
 * the identity, e and 0 exchange numbers.  Checked exactly: identity, inverses, and associativity
 * by Light's test: the s with (xs)y = x(sy) for all x and y are closed under products, so those of
 * a generating set suffice.  PL_EINPUT names the element or the triple that is wrong, by the
 * file's numbers. */
pl_status pl_finite_from_table(const char *path, pl_finite **out);
void pl_finite_free(pl_finite *f);

int64_t pl_finite_mul(const pl_finite *f, int64_t a, int64_t b);
int64_t pl_finite_inv(const pl_finite *f, int64_t a);
/* Cycles, or the number in the table's file.  Writes at most n bytes with the closing zero; returns
 * strlen of the whole. */
int pl_finite_label(const pl_finite *f, int64_t a, char *buf, size_t n);

/* Transversals: their number, the size of each and its elements; the number of element a's factor
 * at each level goes to digit. */
int pl_finite_levels(const pl_finite *f);
int pl_finite_level_size(const pl_finite *f, int level);
int64_t pl_finite_level_element(const pl_finite *f, int level, int j);
void pl_finite_digits(const pl_finite *f, int64_t a, int *digit);

/* Conjugacy classes in the order of their first elements; time and memory in proportion to |G|. */
typedef struct pl_classes {
  int64_t n;
  int *of;      /* class of an element */
  int64_t *rep; /* first element */
  int64_t *size;
  int *inverse; /* class of the inverses */
  int *square;  /* of the squares */
  int *order;   /* of the elements */
} pl_classes;
pl_classes *pl_classes_new(const pl_finite *f);
void pl_classes_free(pl_classes *c);

#endif
