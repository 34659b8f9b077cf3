#include "sn_transform.h"

#include "base/mem.h"
#include "group/perm.h"
#include "group/sn_fft.h"
#include "group/sn_team.h"
#include "group/young.h"

#include <string.h>

/* Where a matrix of the group stands in the layout. */
typedef struct home {
  const pl_stack *batch;
  int64_t at; /* offset in this rank's spectrum, if batch->here */
} home;

/* The sides of the two exchanges: counts and displacements by rank, and a buffer. */
typedef struct side {
  int *count, *start;
  double *x;
} side;

struct pl_sn_transform {
  const pl_layout *l;
  int n, team, me;
  pl_sn_fft *below; /* on S_(n-1) */
  pl_sn_level *level;
  int num_mu;
  int *dim;     /* [num_mu] */
  int64_t *at;  /* [num_mu]: of mu among the packed coefficients of a coset */
  double *g;    /* my cosets' coefficients, packed, one coset after the other */
  int64_t size; /* (n-1)! */
  home *home;   /* [partitions of n] */
  side send, recv;
  double *panel; /* columns of level n on their way from or to the matrices */
};

/* ---- who holds what ---- */

static int first_block(const pl_sn_transform *t, int r) {
  return (int)((int64_t)t->n * r / t->team);
}

int64_t pl_sn_transform_start(int n, int team, int r) {
  return (int64_t)n * r / team * pl_factorial(n - 1);
}

/* Columns of mu that rank r joins: [first_column(r), first_column(r+1)). */
static int first_column(const pl_sn_transform *t, int mu, int r) {
  return (int)((int64_t)t->dim[mu] * r / t->team);
}

/* The rows and columns of a matrix that rank r keeps: block-cyclic, or all of them. */
typedef struct part {
  bool any;
  int nb, rows, cols; /* of processes along rows and columns of F */
  int my_row, my_col;
} part;

static part part_of(const pl_sn_transform *t, const pl_stack *b, int r) {
  if (b->grid < 0) return (part){r == b->owner, b->dim, 1, 1, 0, 0};
  const pl_grid *g = t->l->grids[b->grid];
  int k = r - b->owner;
  /* The grid holds F^T: its columns are rows of F. */
  return (part){
      k >= 0 && k < g->nprow * g->npcol, b->nb, g->npcol, g->nprow, k % g->npcol, k / g->npcol};
}

static bool keeps(int index, int nb, int procs, int mine) {
  return index / nb % procs == mine;
}

/* How many of the indices [a, b) does it keep? */
static int64_t kept(int a, int b, int nb, int procs, int mine) {
  int64_t n = 0;
  for (int i = a; i < b;) {
    int end = (i / nb + 1) * nb < b ? (i / nb + 1) * nb : b;
    if (keeps(i, nb, procs, mine)) n += end - i;
    i = end;
  }
  return n;
}

static int64_t entries(part p, int dim, int j0, int j1) {
  return p.any ? kept(0, dim, p.nb, p.rows, p.my_row) * kept(j0, j1, p.nb, p.cols, p.my_col) : 0;
}

/* Entries (i, j) of a part, j0 <= j < j1, between a panel (columns j0 .. j1, row-major) and a
 * stream, i by i; returns the end of the stream. */
static double *panel_part(part p, int dim, int j0, int j1, double *panel, double *stream,
                          bool to_stream) {
  int w = j1 - j0;
  for (int i = 0; p.any && i < dim; i++) {
    if (!keeps(i, p.nb, p.rows, p.my_row)) continue;
    for (int j = j0; j < j1;) {
      int end = (j / p.nb + 1) * p.nb < j1 ? (j / p.nb + 1) * p.nb : j1;
      if (keeps(j, p.nb, p.cols, p.my_col)) {
        double *a = panel + (int64_t)i * w + (j - j0);
        memcpy(to_stream ? stream : a, to_stream ? a : stream, (size_t)(end - j) * sizeof *a);
        stream += end - j;
      }
      j = end;
    }
  }
  return stream;
}

/* The same between this rank's part of the matrix and a stream. */
static double *matrix_part(const pl_stack *b, part p, int j0, int j1, double *matrix,
                           double *stream, bool to_stream) {
  int local_row = 0, cols = (int)kept(0, b->dim, p.nb, p.cols, p.my_col);
  for (int i = 0; p.any && i < b->dim; i++) {
    if (!keeps(i, p.nb, p.rows, p.my_row)) continue;
    double *row = matrix + (int64_t)local_row++ * cols;
    int local = (int)kept(0, j0, p.nb, p.cols, p.my_col);
    int n = (int)kept(j0, j1, p.nb, p.cols, p.my_col);
    memcpy(to_stream ? stream : row + local, to_stream ? row + local : stream,
           (size_t)n * sizeof *row);
    stream += n;
  }
  return stream;
}

/* ---- exchanges ---- */

static void starts(const pl_sn_transform *t, side *s) {
  s->start[0] = 0;
  for (int r = 1; r < t->team; r++) s->start[r] = s->start[r - 1] + s->count[r - 1];
}

static void exchange(const pl_sn_transform *t, side *from, side *to) {
  MPI_Alltoallv(from->x, from->count, from->start, MPI_DOUBLE, to->x, to->count, to->start,
                MPI_DOUBLE, t->l->team.mpi);
}

/* Counts between cosets (whose holder sends all their columns) and panels of level n. */
static void coset_counts(const pl_sn_transform *t, int mu, side *cosets, side *panels) {
  int blocks = first_block(t, t->me + 1) - first_block(t, t->me), d = t->dim[mu];
  int mine = first_column(t, mu, t->me + 1) - first_column(t, mu, t->me);
  for (int r = 0; r < t->team; r++) {
    int w = first_column(t, mu, r + 1) - first_column(t, mu, r);
    cosets->count[r] = pl_int((int64_t)blocks * d * w);
    panels->count[r] = pl_int((int64_t)(first_block(t, r + 1) - first_block(t, r)) * d * mine);
  }
  starts(t, cosets);
  starts(t, panels);
}

/* Counts between panels of level n and the matrices. */
static void matrix_counts(const pl_sn_transform *t, int mu, side *panels, side *matrices) {
  const int *lambda;
  const int64_t *column;
  int covers = pl_sn_level_covers(t->level, mu, &lambda, &column);
  int u0 = first_column(t, mu, t->me), u1 = first_column(t, mu, t->me + 1);
  for (int r = 0; r < t->team; r++) {
    int64_t out = 0, in = 0;
    int v0 = first_column(t, mu, r), v1 = first_column(t, mu, r + 1);
    for (int k = 0; k < covers; k++) {
      const pl_stack *b = t->home[lambda[k]].batch;
      int c = (int)column[k];
      out += entries(part_of(t, b, r), b->dim, c + u0, c + u1);
      in += entries(part_of(t, b, t->me), b->dim, c + v0, c + v1);
    }
    panels->count[r] = pl_int(out);
    matrices->count[r] = pl_int(in);
  }
  starts(t, panels);
  starts(t, matrices);
}

/* My cosets' matrices of mu, cut into the columns of each rank, to or from a stream. */
static void coset_columns(const pl_sn_transform *t, int mu, side *s, bool to_stream) {
  int blocks = first_block(t, t->me + 1) - first_block(t, t->me), d = t->dim[mu];
  for (int r = 0; r < t->team; r++) {
    int u0 = first_column(t, mu, r), w = first_column(t, mu, r + 1) - u0;
    double *x = s->x + s->start[r];
    for (int k = 0; k < blocks; k++)
      for (int i = 0; i < d; i++, x += w) {
        double *row = t->g + k * t->size + t->at[mu] + (int64_t)i * d + u0;
        memcpy(to_stream ? x : row, to_stream ? row : x, (size_t)w * sizeof *x);
      }
  }
}

/* Panels of every lambda covering mu, to or from the streams of the ranks that keep them. */
static void panel_columns(const pl_sn_transform *t, int mu, side *s, double *const *panel,
                          bool to_stream) {
  const int *lambda;
  const int64_t *column;
  int covers = pl_sn_level_covers(t->level, mu, &lambda, &column);
  int u0 = first_column(t, mu, t->me), u1 = first_column(t, mu, t->me + 1);
  for (int r = 0; r < t->team; r++) {
    double *x = s->x + s->start[r];
    for (int k = 0; k < covers; k++) {
      const pl_stack *b = t->home[lambda[k]].batch;
      int c = (int)column[k];
      x = panel_part(part_of(t, b, r), b->dim, c + u0, c + u1, panel[k], x, to_stream);
    }
  }
}

/* My matrices' columns that each rank joins, to or from its stream. */
static void matrix_columns(const pl_sn_transform *t, int mu, side *s, double *F, bool to_stream) {
  const int *lambda;
  const int64_t *column;
  int covers = pl_sn_level_covers(t->level, mu, &lambda, &column);
  for (int r = 0; r < t->team; r++) {
    double *x = s->x + s->start[r];
    int v0 = first_column(t, mu, r), v1 = first_column(t, mu, r + 1);
    for (int k = 0; k < covers; k++) {
      const home *h = &t->home[lambda[k]];
      int c = (int)column[k];
      if (h->batch->here)
        x = matrix_part(h->batch, part_of(t, h->batch, t->me), c + v0, c + v1, F + h->at, x,
                        to_stream);
    }
  }
}

/* Pointers to the n cosets' columns and to the panels of the covering irreps. */
static int pointers(const pl_sn_transform *t, int mu, double *cosets, double **in, double **out) {
  int w = first_column(t, mu, t->me + 1) - first_column(t, mu, t->me);
  for (int b = 0; b < t->n; b++) in[b] = cosets + (int64_t)b * t->dim[mu] * w;
  const int *lambda;
  int covers = pl_sn_level_covers(t->level, mu, &lambda, NULL);
  double *x = t->panel;
  for (int k = 0; k < covers; k++) {
    out[k] = x;
    x += (int64_t)t->home[lambda[k]].batch->dim * w;
  }
  return w;
}

void pl_sn_transform_forward(pl_sn_transform *t, const double *f, double *F) {
  int blocks = first_block(t, t->me + 1) - first_block(t, t->me);
  pl_sn_fft_forward(t->below, blocks, f, t->size, t->g, t->size);
  for (int mu = 0; mu < t->num_mu; mu++) {
    double *in[PL_MAX_N], *out[PL_MAX_N];
    coset_counts(t, mu, &t->send, &t->recv);
    coset_columns(t, mu, &t->send, true);
    exchange(t, &t->send, &t->recv);
    int w = pointers(t, mu, t->recv.x, in, out);
    if (w) pl_sn_level_forward(t->level, mu, w, (const double *const *)in, out);
    matrix_counts(t, mu, &t->send, &t->recv);
    panel_columns(t, mu, &t->send, out, true);
    exchange(t, &t->send, &t->recv);
    matrix_columns(t, mu, &t->recv, F, false);
  }
}

void pl_sn_transform_inverse(pl_sn_transform *t, const double *F, double *f) {
  int blocks = first_block(t, t->me + 1) - first_block(t, t->me);
  for (int mu = 0; mu < t->num_mu; mu++) {
    double *in[PL_MAX_N], *out[PL_MAX_N];
    matrix_counts(t, mu, &t->recv, &t->send);
    matrix_columns(t, mu, &t->send, (double *)F, true);
    exchange(t, &t->send, &t->recv);
    int w = pointers(t, mu, t->send.x, in, out);
    panel_columns(t, mu, &t->recv, out, false);
    if (w) pl_sn_level_inverse(t->level, mu, w, (const double *const *)out, in);
    coset_counts(t, mu, &t->recv, &t->send);
    exchange(t, &t->send, &t->recv);
    coset_columns(t, mu, &t->recv, false);
  }
  pl_sn_fft_inverse(t->below, blocks, t->g, t->size, f, t->size);
}

/* ---- life ---- */

static void find_homes(pl_sn_transform *t) {
  const pl_layout *l = t->l;
  t->home = pl_zalloc((size_t)pl_group_num_irreps(l->group), sizeof *t->home, "transform");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; k < b->count; k++)
      t->home[b->irrep[k]] = (home){b, b->offset + k * b->size};
  }
}

/* Buffers for the largest mu. */
static void make_buffers(pl_sn_transform *t) {
  int64_t most_send = 0, most_recv = 0, most_panel = 0;
  side *sides[] = {&t->send, &t->recv};
  for (int k = 0; k < 2; k++) {
    sides[k]->count = pl_alloc((size_t)t->team, sizeof(int), "transform");
    sides[k]->start = pl_alloc((size_t)t->team, sizeof(int), "transform");
  }
  int last = t->team - 1;
  for (int mu = 0; mu < t->num_mu; mu++) {
    int w = first_column(t, mu, t->me + 1) - first_column(t, mu, t->me);
    int64_t panel = (int64_t)t->n * t->dim[mu] * w;
    if (panel > most_panel) most_panel = panel;
    coset_counts(t, mu, &t->send, &t->recv);
    int64_t a = t->send.start[last] + t->send.count[last];
    int64_t b = t->recv.start[last] + t->recv.count[last];
    matrix_counts(t, mu, &t->send, &t->recv);
    int64_t c = t->send.start[last] + t->send.count[last];
    int64_t d = t->recv.start[last] + t->recv.count[last];
    /* The inverse uses the buffers the other way round. */
    int64_t need = a > b ? a : b, other = c > d ? c : d;
    if (other > need) need = other;
    if (need > most_send) most_send = need;
  }
  most_recv = most_send;
  t->send.x = pl_alloc((size_t)most_send, sizeof(double), "transform exchange");
  t->recv.x = pl_alloc((size_t)most_recv, sizeof(double), "transform exchange");
  t->panel = pl_alloc((size_t)most_panel, sizeof(double), "transform panels");
}

pl_status pl_sn_transform_new(const pl_layout *l, int n, pl_sn_transform **out) {
  pl_sn_transform *t = pl_zalloc(1, sizeof *t, "transform");
  t->l = l;
  t->n = n;
  t->team = l->team.size;
  t->me = l->team.rank;
  t->size = pl_factorial(n - 1);
  pl_status st = pl_sn_fft_new(n - 1, NULL, &t->below);
  if (!st) st = pl_sn_level_new(n, &t->level);
  st = pl_agree(&l->team, st);
  if (st) {
    pl_sn_transform_free(t);
    return st;
  }
  pl_partition *mu = pl_partitions(n - 1, &t->num_mu);
  t->dim = pl_alloc((size_t)t->num_mu, sizeof *t->dim, "transform");
  t->at = pl_alloc((size_t)t->num_mu, sizeof *t->at, "transform");
  int64_t at = 0;
  for (int k = 0; k < t->num_mu; k++) {
    t->dim[k] = pl_int(pl_partition_dim(&mu[k]));
    t->at[k] = at;
    at += (int64_t)t->dim[k] * t->dim[k];
  }
  pl_free(mu);
  int blocks = first_block(t, t->me + 1) - first_block(t, t->me);
  t->g = pl_alloc((size_t)(blocks * t->size), sizeof *t->g, "coefficients of cosets");
  find_homes(t);
  make_buffers(t);
  *out = t;
  return PL_OK;
}

void pl_sn_transform_free(pl_sn_transform *t) {
  if (!t) return;
  pl_sn_fft_free(t->below);
  pl_sn_level_free(t->level);
  pl_free(t->dim);
  pl_free(t->at);
  pl_free(t->g);
  pl_free(t->home);
  pl_free(t->send.count);
  pl_free(t->send.start);
  pl_free(t->send.x);
  pl_free(t->recv.count);
  pl_free(t->recv.start);
  pl_free(t->recv.x);
  pl_free(t->panel);
  pl_free(t);
}

double pl_sn_transform_bytes(int n, int team) {
  double below = (double)pl_factorial(n - 1), blocks = ((double)n + team - 1) / team;
  int count;
  double largest = 0;
  pl_partition *mu = pl_partitions(n - 1, &count);
  for (int k = 0; k < count; k++) {
    double d = (double)pl_partition_dim(&mu[k]);
    if (d > largest) largest = d;
  }
  pl_free(mu);
  double columns = largest * largest * n / team;
  return (double)pl_sn_fft_bytes(n - 1) + 8 * (blocks * below + 3 * columns);
}
