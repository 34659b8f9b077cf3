#include "rankings.h"

#include "base/mem.h"
#include "csv.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_ITEMS = 12, NAME_WIDTH = 24 };

/* ---- effects ---- */

/* Columns a name takes on a terminal: characters of UTF-8. */
static int columns(const char *s) {
  int n = 0;
  for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

/* The name, cut and padded to width columns. */
static void print_name(const char *s, int width) {
  int n = 0;
  for (; *s; s++) {
    n += ((unsigned char)*s & 0xc0) != 0x80;
    if (n > width) break;
    putchar(*s);
  }
  printf("%*s", n < width ? width - n : 0, "");
}

static void print_table(const pl_rankings *r, const pl_effects *e) {
  int n = r->n, width = 4;
  for (int i = 0; i < n; i++)
    if (columns(r->name[i]) > width) width = columns(r->name[i]);
  if (width > NAME_WIDTH) width = NAME_WIDTH;
  printf("\nFirst-order effects: ballots with the item at the rank, less N/n = %.6g\n",
         (double)r->ballots / n);
  printf("%-*s", width, "item");
  for (int j = 0; j < n; j++) printf(" %8d", j + 1);
  for (int i = 0; i < n; i++) {
    putchar('\n');
    print_name(r->name[i], width);
    for (int j = 0; j < n; j++) printf(" %+8.1f", e->marginal[i * n + j] - (double)r->ballots / n);
  }
  putchar('\n');
}

static void print_effect(const pl_rankings *r, int kind, const pl_effect *x) {
  const char *a = r->name[x->item[0]], *b = r->name[x->item[1]];
  int j = x->rank[0] + 1, k = x->rank[1] + 1;
  printf("%+8.2f %+11.1f  ", x->z, x->value);
  if (kind == PL_EFFECT_FIRST)
    printf("%s at rank %d\n", a, j);
  else if (kind == PL_EFFECT_UNORDERED)
    printf("%s and %s at ranks %d and %d in either order\n", a, b, j, k);
  else
    printf("%s at rank %d and %s at rank %d, not the reverse\n", a, j, b, k);
}

void rankings_print_effects(const pl_rankings *r, const pl_effects *e) {
  static const char *const titles[PL_NUM_EFFECTS] = {"first-order effects",
                                                     "second-order effects, unordered pairs",
                                                     "second-order effects, ordered pairs"};
  printf("\nballots: %lld, of %lld different orders of %d items\n", (long long)r->ballots,
         (long long)r->num, r->n);
  if (r->open)
    printf("open ballots: %lld have ties or miss items, each is the mean of its linear extensions; "
           "%.15g extensions\nof all orders\n",
           (long long)r->open, pl_rankings_extensions(r));
  if (r->dropped)
    printf("dropped: %lld ballots that have ties or miss items\n", (long long)r->dropped);
  printf("convention: f(pi) counts the ballots whose items i have ranks pi(i), 1 the best; ratio: "
         "energy over\nits mean for ballots drawn uniformly; z: effect in standard deviations of "
         "such ballots\n");
  if (r->n <= TABLE_ITEMS) print_table(r, e);
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
    if (!e->num[kind]) continue;
    char label[32];
    pl_effect_irrep(kind, r->n, label, sizeof label);
    printf("\nLargest %s (irrep %s)\n       z      effect\n", titles[kind], label);
    for (int k = 0; k < e->num[kind]; k++) print_effect(r, kind, &e->largest[kind][k]);
  }
}

void rankings_csv(const pl_rankings *r, const pl_effects *e, FILE *out) {
  static const char *const kinds[PL_NUM_EFFECTS] = {"first", "unordered", "ordered"};
  fprintf(out, "kind,irrep,effect,z,item,rank,item_2,rank_2\n");
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
    for (int k = 0; k < e->num[kind] && !ferror(out); k++) {
      const pl_effect *x = &e->largest[kind][k];
      char label[32];
      pl_effect_irrep(kind, r->n, label, sizeof label);
      fprintf(out, "%s,", kinds[kind]);
      csv_text(out, label);
      fprintf(out, ",%.17g,%.17g,", x->value, x->z);
      csv_text(out, r->name[x->item[0]]);
      fprintf(out, ",%d,", x->rank[0] + 1);
      if (kind != PL_EFFECT_FIRST) csv_text(out, r->name[x->item[1]]);
      putc(',', out);
      if (kind != PL_EFFECT_FIRST) fprintf(out, "%d", x->rank[1] + 1);
      putc('\n', out);
    }
}

/* ---- in a file ---- */

static int64_t num_effects(const pl_effects *e) {
  int64_t sum = 0;
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) sum += e->num[kind];
  return sum;
}

void rankings_define(pl_nc *nc, const pl_rankings *r, const pl_effects *e) {
  const char *effect[] = {"effect", NULL}, *both[] = {"effect", "pair", NULL};
  int64_t longest = 1;
  for (int i = 0; i < r->n; i++)
    if ((int64_t)strlen(r->name[i]) > longest) longest = (int64_t)strlen(r->name[i]);
  pl_nc_def_dim(nc, "item", r->n);
  pl_nc_def_dim(nc, "rank", r->n);
  pl_nc_def_dim(nc, "string_item", longest);
  pl_nc_def_var(nc, "item", PL_NC_CHAR, (const char *[]){"item", "string_item", NULL},
                "name of the item", "1");
  pl_nc_def_var(nc, "first_order_effect", PL_NC_DOUBLE, (const char *[]){"item", "rank", NULL},
                "ballots with the item at the rank (the first: the best), less ballots / items",
                "1");
  if (!num_effects(e)) return;
  pl_nc_def_dim(nc, "effect", num_effects(e));
  pl_nc_def_dim(nc, "pair", 2);
  pl_nc_def_var(nc, "effect", PL_NC_DOUBLE, effect, "the largest effects of each kind", "1");
  pl_nc_def_var(nc, "effect_z", PL_NC_DOUBLE, effect,
                "effect in standard deviations for ballots drawn uniformly", "1");
  pl_nc_def_var(nc, "effect_order", PL_NC_INT, effect,
                "0: first order; 1: second, unordered pairs; 2: second, ordered pairs", "1");
  pl_nc_def_var(nc, "effect_item", PL_NC_INT, both,
                "index of the item(s) of the effect along item; -1: no second one", "1");
  pl_nc_def_var(nc, "effect_rank", PL_NC_INT, both,
                "index of the rank(s) of the effect along rank; -1: no second one", "1");
}

static pl_status put_effects(pl_nc *nc, const pl_effects *e) {
  size_t num = (size_t)num_effects(e), at = 0;
  double *value = pl_alloc(2 * num, sizeof *value, "effects");
  int64_t *order = pl_alloc(5 * num, sizeof *order, "effects");
  int64_t *item = order + num, *rank = item + 2 * num;
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
    for (int k = 0; k < e->num[kind]; k++, at++) {
      const pl_effect *x = &e->largest[kind][k];
      bool one = kind == PL_EFFECT_FIRST;
      value[at] = x->value;
      value[num + at] = x->z;
      order[at] = kind;
      item[2 * at] = x->item[0];
      item[2 * at + 1] = one ? -1 : x->item[1];
      rank[2 * at] = x->rank[0];
      rank[2 * at + 1] = one ? -1 : x->rank[1];
    }
  /* The first failure stays with the file until it is closed. */
  pl_nc_put_doubles(nc, "effect", NULL, NULL, value);
  pl_nc_put_doubles(nc, "effect_z", NULL, NULL, value + num);
  pl_nc_put_ints(nc, "effect_order", NULL, NULL, order);
  pl_nc_put_ints(nc, "effect_item", NULL, NULL, item);
  pl_status st = pl_nc_put_ints(nc, "effect_rank", NULL, NULL, rank);
  pl_free(order);
  pl_free(value);
  return st;
}

pl_status rankings_put(pl_nc *nc, const pl_rankings *r, const pl_effects *e) {
  int n = r->n;
  int64_t shape[2];
  pl_nc_var(nc, "item", NULL, NULL, shape, 2);
  char *names = pl_zalloc((size_t)n, (size_t)shape[1], "names of items");
  double *effect = pl_alloc((size_t)(n * n), sizeof *effect, "effects");
  for (int i = 0; i < n; i++) memcpy(names + i * shape[1], r->name[i], strlen(r->name[i]));
  for (int k = 0; k < n * n; k++) effect[k] = e->marginal[k] - (double)r->ballots / n;
  pl_status st = pl_nc_put_text(nc, "item", NULL, NULL, names);
  if (!st) st = pl_nc_put_doubles(nc, "first_order_effect", NULL, NULL, effect);
  if (!st && num_effects(e)) st = put_effects(nc, e);
  pl_free(effect);
  pl_free(names);
  return st;
}
