#include "recipes.h"

#include "base/mem.h"
#include "base/norm.h"
#include "base/sums.h"
#include "draw.h"
#include "permutations.h"

#include <math.h>
#include <string.h>

/* Samples made side by side: as many as base/sums.h takes together. */
enum { TOGETHER = 4 };

struct pl_recipes {
  const pl_layout *layout;
  int64_t num;
  double *factor; /* [num]: that a sample as drawn is multiplied by */
  /* Gaussian */
  uint64_t seed, *stream; /* stream: [num] */
  int64_t *packed;
  int64_t piece; /* entries of a sample made at a time */
  /* sums of permutations */
  int64_t capacity; /* of perms, weights, value */
  pl_band *tables;  /* NULL: Gaussian */
  int64_t *start;   /* [num + 1]: first permutation */
  int8_t *perms;    /* [start[num]][letters] */
  double *weights;  /* [start[num]] */
  double *value;    /* [all of them]: of one sum */
  int64_t without;  /* irrep that is left out; -1: none */
  double *room;     /* pieces of samples, or columns of irreps */
};

/* ---- life ---- */

/* Pieces are those of sums; quaternionic matrices are drawn whole. */
static int64_t piece_of(const pl_layout *l) {
  int64_t most = l->scratch < PL_SUM_PIECE ? l->scratch : PL_SUM_PIECE;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].type == PL_QUATERNIONIC && pl_stack_doubles(&l->stacks[i]) > most)
      most = pl_stack_doubles(&l->stacks[i]);
  return most;
}

pl_recipes *pl_recipes_new(const pl_layout *l, uint64_t seed, int64_t samples, bool permutations,
                           bool centred) {
  pl_recipes *r = pl_zalloc(1, sizeof *r, "recipes of samples");
  size_t n = (size_t)samples;
  r->layout = l;
  r->seed = seed;
  r->without = centred ? 0 : -1;
  r->factor = pl_alloc(n, sizeof *r->factor, "recipes of samples");
  if (!permutations) {
    r->stream = pl_alloc(n, sizeof *r->stream, "recipes of samples");
    r->packed = draw_packed_offsets(l->group);
    r->piece = piece_of(l);
    r->room = pl_alloc(TOGETHER * (size_t)r->piece, sizeof *r->room, "pieces of samples");
    return r;
  }
  r->tables = permutations_tables(l, true);
  r->start = pl_zalloc(n + 1, sizeof *r->start, "recipes of samples");
  r->room = pl_alloc((size_t)permutations_room(l), sizeof *r->room, "columns of an irrep");
  return r;
}

void pl_recipes_free(pl_recipes *r) {
  if (!r) return;
  pl_free(r->factor);
  pl_free(r->stream);
  pl_free(r->packed);
  pl_band_free(r->tables);
  pl_free(r->start);
  pl_free(r->perms);
  pl_free(r->weights);
  pl_free(r->value);
  pl_free(r->room);
  pl_free(r);
}

double pl_recipes_bytes(const pl_group *g, int64_t samples, int64_t permutations, double stack) {
  if (permutations == 0) return 8 * TOGETHER * fmin(stack, PL_SUM_PIECE) + 16 * (double)samples;
  /* Tables take about a hundred bytes per tableau, a panel of columns 256 per row. */
  double tableaux = 0, largest = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    double d = pl_group_irrep(g, i).dim;
    tableaux += d;
    largest = fmax(largest, d);
  }
  return 100 * tableaux + 256 * largest +
         (double)samples * (double)permutations * (16 + pl_group_letters(g));
}

/* ---- Gaussian pieces ---- */

static int64_t piece_in(const pl_recipes *r, const pl_stack *b) {
  return b->type == PL_QUATERNIONIC ? pl_stack_doubles(b)
         : r->piece < PL_SUM_PIECE  ? r->piece
                                    : PL_SUM_PIECE;
}

/* Entries first .. first + n - 1 of one sample. */
static void draw(const pl_recipes *r, int64_t sample, const pl_stack *b, int64_t first, int64_t n,
                 double *out) {
  double deviation = draw_deviation(b, 1, pl_group_volume(r->layout->group));
  draw_gaussian_part(b, r->packed, r->seed, r->stream[sample], deviation, first, n, out);
  for (int64_t k = 0; k < n; k++) out[k] = r->factor[sample] * out[k];
}

static void draw_together(const pl_recipes *r, int64_t sample, int64_t many, const pl_stack *b,
                          int64_t first, int64_t n) {
  for (int64_t j = 0; j < many; j++) draw(r, sample + j, b, first, n, r->room + j * r->piece);
}

static int64_t together(int64_t left) {
  /* Samples behind the last four are summed one by one (base/sums.h). */
  return left < TOGETHER ? 1 : TOGETHER;
}

static void sum_gaussian(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b,
                         const double *c, double *out) {
  int64_t n = pl_stack_doubles(b), piece = piece_in(r, b);
  for (int64_t k = 0; k < n; k += piece) {
    int64_t m = n - k < piece ? n - k : piece;
    memset(out + k, 0, (size_t)m * sizeof *out);
    for (int64_t i = 0, many; i < num; i += many) {
      many = together(num - i);
      draw_together(r, first + i, many, b, k, m);
      pl_multi_add(many, m, c + i, r->room, r->piece, out + k);
    }
  }
}

static void dot_gaussian(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b,
                         const double *y, double *out) {
  int64_t n = pl_stack_doubles(b), piece = piece_in(r, b);
  for (int64_t i = 0, many; i < num; i += many) {
    many = together(num - i);
    double sum[TOGETHER] = {0};
    for (int64_t k = 0; k < n; k += piece) {
      int64_t m = n - k < piece ? n - k : piece;
      draw_together(r, first + i, many, b, k, m);
      pl_multi_dot(many, m, 1, r->room, r->piece, y + k, sum);
    }
    for (int64_t j = 0; j < many; j++) out[i + j] += b->weight * sum[j];
  }
}

/* ---- sums of permutations ---- */

static const int8_t *perms_of(const pl_recipes *r, int64_t k) {
  return r->perms + k * pl_group_letters(r->layout->group);
}

static void sum_permutations(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b,
                             const double *c, double *out) {
  int64_t from = r->start[first], count = r->start[first + num] - from;
  for (int64_t i = first; i < first + num; i++)
    for (int64_t k = r->start[i]; k < r->start[i + 1]; k++)
      r->value[k] = c[i - first] * (r->factor[i] * r->weights[k]);
  memset(out, 0, (size_t)pl_stack_doubles(b) * sizeof *out);
  permutations_add(b, r->tables, r->without, pl_int(count), perms_of(r, from), r->value + from,
                   r->room, out);
}

static void dot_permutations(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b,
                             const double *y, double *out) {
  int64_t from = r->start[first], count = r->start[first + num] - from;
  memset(r->value + from, 0, (size_t)count * sizeof *r->value);
  permutations_dot(b, r->tables, r->without, pl_int(count), perms_of(r, from), r->room, y,
                   r->value + from);
  for (int64_t i = first; i < first + num; i++) {
    double sum = 0;
    for (int64_t k = r->start[i]; k < r->start[i + 1]; k++) sum += r->weights[k] * r->value[k];
    out[i - first] += b->weight * (r->factor[i] * sum);
  }
}

/* ---- both ---- */

void pl_recipes_sum(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b, const double *c,
                    double *out) {
  if (r->tables)
    sum_permutations(r, first, num, b, c, out);
  else
    sum_gaussian(r, first, num, b, c, out);
}

void pl_recipes_dot(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b, const double *y,
                    double *out) {
  if (r->tables)
    dot_permutations(r, first, num, b, y, out);
  else
    dot_gaussian(r, first, num, b, y, out);
}

void pl_recipes_get(pl_recipes *r, int64_t sample, const pl_stack *b, double *out) {
  const double one = 1;
  if (r->tables)
    sum_permutations(r, sample, 1, b, &one, out);
  else
    draw(r, sample, b, 0, pl_stack_doubles(b), out);
}

/* Squared norm of the last sample, its factor still 1. */
static double norm2_of(pl_recipes *r, double *F) {
  const pl_layout *l = r->layout;
  double norm2 = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->here) pl_recipes_get(r, r->num - 1, b, F);
    norm2 += b->weight * pl_sum_squares(pl_stack_doubles(b), F);
  }
  pl_comm_sum(&l->team, &norm2, 1);
  return norm2;
}

/* Squared norm of the trivial irrep's part. */
static double trivial_part(const pl_recipes *r, const pl_recipe *recipe) {
  double sum = 0;
  for (int64_t k = 0; k < recipe->count; k++) sum += recipe->weights[k];
  return sum * sum / pl_group_volume(r->layout->group);
}

static void make_room(pl_recipes *r, int64_t permutations) {
  if (permutations <= r->capacity) return;
  size_t n = (size_t)(r->capacity = 2 * permutations);
  size_t letters = (size_t)pl_group_letters(r->layout->group);
  r->perms = pl_realloc(r->perms, n, letters, "recipes of samples");
  r->weights = pl_realloc(r->weights, n, sizeof *r->weights, "recipes of samples");
  r->value = pl_realloc(r->value, n, sizeof *r->value, "recipes of samples");
}

bool pl_recipes_add(pl_recipes *r, const pl_recipe *recipe, double scale, double *F) {
  int64_t i = r->num++;
  if (r->tables) {
    int letters = pl_group_letters(r->layout->group);
    int64_t at = r->start[i];
    make_room(r, at + recipe->count);
    memcpy(r->perms + at * letters, recipe->perms, (size_t)(recipe->count * letters));
    memcpy(r->weights + at, recipe->weights, (size_t)recipe->count * sizeof *r->weights);
    r->start[i + 1] = at + recipe->count;
  } else {
    r->stream[i] = recipe->stream;
  }
  r->factor[i] = 1;
  if (scale != 0 && r->without < 0) {
    r->factor[i] = scale;
    return true;
  }
  double norm2 = norm2_of(r, F);
  r->factor[i] = scale == 0 ? 1 / sqrt(norm2) : scale;
  /* Weights are counts: what is left is either 0 or far above rounding. */
  return r->without < 0 || norm2 > 1e-20 * (norm2 + trivial_part(r, recipe));
}
