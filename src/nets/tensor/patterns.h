/* Equality patterns of indices: the basis of all linear maps between tensors over n points that
 * commute with every permutation of the points.
 *
 * A pattern of r indices says which of them are equal; as a word, index i has letter 0, 1, ..,
 * a new letter being the next one: 012 all different, 001 the first two equal.  There are Bell(r).
 * The basis element of a pattern of l + k indices maps an order-k tensor to an order-l one, with
 * entry 1 where the indices (those of the result first) have exactly that pattern.  Coefficients
 * serve every n; patterns with more than n letters then have no entries.
 *
 * In order of words, patterns of l + k indices come class by class: first those whose result
 * indices have pattern 0 classes .., and so on.  In a class with m letters, the entries of the
 * result stand at all m-tuples of different points (`rows`), and patterns of the two input indices
 * (a, b) are numbered: a = point 0 .. m - 1: b = point 0 .. m - 1, or another; a another point: b =
 * point 0 .. m - 1, or equal to a, or yet another.  m^2 + 2m + 2 features.
 *
 * Pure kernels, Local.  Source: Maron, Ben-Hamu, Shamir, Lipman, ICLR 2019; Keriven, Peyré, NeurIPS
 * 2019. */
#ifndef PL_NETS_TENSOR_PATTERNS_H
#define PL_NETS_TENSOR_PATTERNS_H

#include <stdint.h>

enum { TENSOR_MOST_ORDER = 3, TENSOR_MOST_CLASSES = 5 };

/* Patterns of the indices of an order-k tensor, each a class of entries. */
typedef struct tensor_class {
  int points;                    /* m */
  int letter[TENSOR_MOST_ORDER]; /* of each index */
  int feature, features;         /* its patterns with two indices more: the first, how many */
  int head, heads;               /* its patterns with one index more */
} tensor_class;

/* Bell numbers, r = 0 .. 5. */
int tensor_bell(int r);
/* The Bell(order) classes; returns their number. */
int tensor_classes(int order, tensor_class *out);
/* n (n - 1) .. (n - m + 1). */
int64_t tensor_rows(int m, int64_t n);
/* The m-tuples of different points in lexicographic order, [rows][m]. */
void tensor_tuples(int m, int64_t n, int *out);
/* x [rows][m^2 + 2m + 2] of w, [n][n]: sums of w over the input indices of each pattern.  tuple:
 * tensor_tuples; sums: room for 2n doubles. */
void tensor_features(int m, int64_t n, const int *tuple, const double *w, double *sums, double *x);

#endif
