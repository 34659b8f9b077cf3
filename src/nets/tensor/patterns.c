#include "patterns.h"

#include <stdbool.h>

int tensor_bell(int r) {
  static const int bell[] = {1, 1, 2, 5, 15, 52};
  return bell[r];
}

/* The next word; false past the last.  *letters: of it. */
static bool next_word(int r, int *word, int *letters) {
  int i = r - 1;
  for (; i > 0; i--) {
    int most = 0;
    for (int k = 0; k < i; k++)
      if (word[k] >= most) most = word[k] + 1;
    if (word[i] < most) break;
  }
  if (i <= 0) return false;
  word[i]++;
  for (int k = i + 1; k < r; k++) word[k] = 0;
  *letters = 0;
  for (int k = 0; k < r; k++)
    if (word[k] >= *letters) *letters = word[k] + 1;
  return true;
}

int tensor_classes(int order, tensor_class *out) {
  int word[TENSOR_MOST_ORDER] = {0}, points = order > 0, n = 0, feature = 0, head = 0;
  do {
    tensor_class *c = &out[n++];
    *c = (tensor_class){.points = points,
                        .feature = feature,
                        .features = points * points + 2 * points + 2,
                        .head = head,
                        .heads = points + 1};
    for (int k = 0; k < order; k++) c->letter[k] = word[k];
    feature += c->features;
    head += c->heads;
  } while (next_word(order, word, &points));
  return n;
}

int64_t tensor_rows(int m, int64_t n) {
  int64_t rows = 1;
  for (int k = 0; k < m; k++) rows *= n > k ? n - k : 0;
  return rows;
}

static bool next_tuple(int m, int64_t n, int *tuple) {
  for (int k = m - 1; k >= 0; k--) {
    bool taken = true;
    while (taken && ++tuple[k] < n) {
      taken = false;
      for (int i = 0; i < k; i++) taken = taken || tuple[i] == tuple[k];
    }
    if (tuple[k] >= n) continue;
    /* The least points that are free go behind. */
    for (int i = k + 1; i < m; i++) {
      tuple[i] = -1;
      for (bool again = true; again;) {
        tuple[i]++;
        again = false;
        for (int j = 0; j < i; j++) again = again || tuple[j] == tuple[i];
      }
    }
    return true;
  }
  return false;
}

void tensor_tuples(int m, int64_t n, int *out) {
  int tuple[TENSOR_MOST_ORDER] = {0, 1, 2};
  int64_t rows = tensor_rows(m, n);
  for (int64_t r = 0; r < rows; r++) {
    for (int k = 0; k < m; k++) *out++ = tuple[k];
    next_tuple(m, n, tuple);
  }
}

/* Entry (a, b) of w between two of the points of a tuple. */
static double between(const double *w, int64_t n, int a, int b) {
  return w[(int64_t)a * n + b];
}

void tensor_features(int m, int64_t n, const int *tuple, const double *w, double *sums, double *x) {
  double *row = sums, *col = sums + n, total = 0, trace = 0;
  for (int64_t i = 0; i < n; i++) row[i] = col[i] = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      row[i] += w[i * n + j];
      col[j] += w[i * n + j];
    }
    total += row[i];
    trace += w[i * n + i];
  }
  int64_t rows = tensor_rows(m, n);
  for (int64_t r = 0; r < rows; r++, tuple += m) {
    double rows_in = 0, cols_in = 0, inside = 0, diagonal = 0;
    for (int a = 0; a < m; a++) {
      double rest = row[tuple[a]];
      for (int b = 0; b < m; b++) {
        double v = between(w, n, tuple[a], tuple[b]);
        *x++ = v;
        rest -= v;
        inside += v;
      }
      *x++ = rest;
      rows_in += row[tuple[a]];
      cols_in += col[tuple[a]];
      diagonal += between(w, n, tuple[a], tuple[a]);
    }
    for (int b = 0; b < m; b++) {
      double rest = col[tuple[b]];
      for (int a = 0; a < m; a++) rest -= between(w, n, tuple[a], tuple[b]);
      *x++ = rest;
    }
    *x++ = trace - diagonal;
    *x++ = total - rows_in - cols_in + inside - (trace - diagonal);
  }
}
