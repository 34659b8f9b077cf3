#include "model/key.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t pl_value_size(const pl_key *key) {
  switch (key->type) {
  case PL_KEY_INT:
  case PL_KEY_BOOL:
  case PL_KEY_CHOICE:
    return sizeof(int64_t);
  case PL_KEY_REAL:
    return sizeof(double);
  case PL_KEY_TEXT:
    return sizeof(char *);
  case PL_KEY_INTS:
    return sizeof(pl_ints);
  case PL_KEY_REALS:
    return sizeof(pl_reals);
  case PL_KEY_TEXTS:
    return sizeof(pl_texts);
  }
  pl_die(PL_EBUG, "key %s has no type", key->name);
}

static bool same_text(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

static bool same_texts(const pl_texts *a, const pl_texts *b) {
  if (a->n != b->n) return false;
  for (int i = 0; i < a->n; i++)
    if (!same_text(a->v[i], b->v[i])) return false;
  return true;
}

static bool same_reals(int n, const double *a, const double *b) {
  for (int i = 0; i < n; i++)
    if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return false;
  return true;
}

bool pl_value_equal(const pl_key *key, const void *a, const void *b) {
  const pl_ints *i = a, *j = b;
  const pl_reals *x = a, *y = b;
  switch (key->type) {
  case PL_KEY_REAL:
    return same_reals(1, a, b);
  case PL_KEY_TEXT:
    return same_text(*(const char *const *)a, *(const char *const *)b);
  case PL_KEY_INTS:
    return i->n == j->n && (i->n == 0 || !memcmp(i->v, j->v, (size_t)i->n * sizeof *i->v));
  case PL_KEY_REALS:
    return x->n == y->n && same_reals(x->n, x->v, y->v);
  case PL_KEY_TEXTS:
    return same_texts(a, b);
  default:
    return *(const int64_t *)a == *(const int64_t *)b;
  }
}

void pl_key_expects(const pl_key *key, char *buf, size_t n) {
  bool list = key->type >= PL_KEY_INTS;
  size_t used = 0;
  switch (key->type) {
  case PL_KEY_CHOICE:
    used = (size_t)snprintf(buf, n, "one of ");
    for (int i = 0; key->choice(i) && used < n; i++)
      used += (size_t)snprintf(buf + used, n - used, "%s%s", i ? ", " : "", key->choice(i));
    return;
  case PL_KEY_BOOL:
    snprintf(buf, n, "true or false");
    return;
  case PL_KEY_TEXT:
    snprintf(buf, n, "text");
    return;
  case PL_KEY_TEXTS:
    snprintf(buf, n, "a list of texts");
    return;
  case PL_KEY_INT:
  case PL_KEY_INTS:
    used = (size_t)snprintf(buf, n, "%s from %.0f to %.0f",
                            list ? "a list of integers" : "an integer", key->min, key->max);
    break;
  case PL_KEY_REAL:
  case PL_KEY_REALS:
    used = (size_t)snprintf(buf, n, "%s", list ? "a list of numbers" : "a number");
    if (key->min > -1e300)
      used += key->min > 0 && key->min < 1e-300
                  ? (size_t)snprintf(buf + used, n - used, " > 0")
                  : (size_t)snprintf(buf + used, n - used, " >= %g", key->min);
    if (key->max == 0x1.fffffffffffffp-1)
      used += (size_t)snprintf(buf + used, n - used, " and below 1");
    else if (key->max < 1e300)
      used += (size_t)snprintf(buf + used, n - used, " up to %g", key->max);
    break;
  }
  if (key->range && used < n) used += (size_t)snprintf(buf + used, n - used, ", or a range a..b");
  if (key->word && used < n) snprintf(buf + used, n - used, ", or \"%s\"", key->word);
}
