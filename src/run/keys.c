#include "run/keys.h"

#include <string.h>

enum { MAX_NAME = 64 }; /* longer than any key */

/* Cost of turning a into b.  Adding a character is cheap: people leave out more than they invent,
 * so "depth" is nearer to "model.depth" than to "steps". */
static int edits(const char *a, const char *b) {
  int row[MAX_NAME + 1], nb = (int)strlen(b);
  for (int j = 0; j <= nb; j++) row[j] = j;
  for (; *a; a++) {
    int diagonal = row[0];
    row[0] += 2;
    for (int j = 1; j <= nb; j++) {
      int keep = diagonal + (*a == b[j - 1] ? 0 : 2);
      int add = row[j - 1] + 1, drop = row[j] + 2;
      diagonal = row[j];
      row[j] = keep < add ? keep : add;
      if (drop < row[j]) row[j] = drop;
    }
  }
  return row[nb];
}

const char *pl_keys_nearest(const char *name) {
  const char *nearest = NULL;
  int least = (int)strlen(name) + 1;
  if (least > MAX_NAME) return NULL;
  for (int i = 0; i < pl_num_keys; i++) {
    const char *key = pl_keys[i].name;
    int cost = edits(name, key);
    for (const char *dot = strchr(key, '.'); dot; dot = strchr(dot + 1, '.')) {
      int tail = edits(name, dot + 1) + 1;
      if (tail < cost) cost = tail;
    }
    if (cost < least) least = cost, nearest = key;
  }
  return nearest;
}

bool pl_keys_section(const char *name) {
  size_t n = strlen(name);
  for (int i = 0; i < pl_num_keys; i++)
    if (!strncmp(pl_keys[i].name, name, n) && pl_keys[i].name[n] == '.') return true;
  return false;
}

/* Bytes of text that go on a line of width columns, broken at a blank if there is one. */
static int fit(const char *text, int width) {
  int n = (int)strlen(text), last = 0;
  if (n <= width) return n;
  for (int i = 1; i <= width; i++)
    if (text[i] == ' ') last = i;
  return last ? last : width;
}

static void print_row(FILE *out, const char *const cells[4]) {
  static const int widths[4] = {25, 27, 12, 32};
  const char *rest[4];
  memcpy(rest, cells, sizeof rest);
  do {
    int at = 0, column = 0;
    for (int c = 0; c < 4; column += widths[c++] + 1) {
      int n = fit(rest[c], widths[c]);
      if (!n) continue;
      /* Blanks go before a cell, never after: no line ends in one. */
      at += fprintf(out, "%*s%.*s", column - at, "", n, rest[c]);
      rest[c] += n;
      rest[c] += strspn(rest[c], " ");
    }
    fputc('\n', out);
  } while (*rest[0] || *rest[1] || *rest[2] || *rest[3]);
}

void pl_keys_print(FILE *out) {
  print_row(out, (const char *const[4]){"key", "accepts", "default", "meaning"});
  for (int i = 0; i < pl_num_keys; i++) {
    const pl_key *k = pl_keys + i;
    char expects[512];
    pl_key_expects(k, expects, sizeof expects);
    const char *fallback = k->required                   ? "(required)"
                           : k->fallback && *k->fallback ? k->fallback
                                                         : "-";
    print_row(out, (const char *const[4]){k->name, expects, fallback, k->help});
  }
}
