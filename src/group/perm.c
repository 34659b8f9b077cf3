#include "group/perm.h"

#include "base/status.h"

int64_t pl_factorial(int n) {
  pl_require(n >= 0 && n <= 20);
  int64_t f = 1;
  for (int k = 2; k <= n; k++) f *= k;
  return f;
}

void pl_perm_compose(int n, const int8_t *s, const int8_t *t, int8_t *st) {
  for (int i = 0; i < n; i++) st[i] = s[t[i]];
}

void pl_perm_inverse(int n, const int8_t *s, int8_t *inv) {
  for (int i = 0; i < n; i++) inv[s[i]] = (int8_t)i;
}

int64_t pl_perm_rank(int n, const int8_t *s) {
  int64_t rank = 0;
  for (int i = 0; i < n; i++) {
    int smaller = 0;
    for (int j = i + 1; j < n; j++) smaller += s[j] < s[i];
    rank = rank * (n - i) + smaller;
  }
  return rank;
}

void pl_perm_unrank(int n, int64_t rank, int8_t *s) {
  for (int i = n - 1; i >= 0; i--) {
    int8_t digit = (int8_t)(rank % (n - i));
    rank /= n - i;
    s[i] = digit;
    for (int j = i + 1; j < n; j++) s[j] = (int8_t)(s[j] + (s[j] >= digit));
  }
}
