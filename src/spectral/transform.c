#include "spectral/transform.h"

#include "base/mem.h"
#include "group/fourier.h"
#include "sn_transform.h"

#include <string.h>

/* One of three ways. */
struct pl_transform {
  const pl_layout *l;
  int sn; /* n where a team shares the transform on S_n; else 0 */
  pl_sn_transform *shared;
  pl_fourier *plan; /* one rank, or every rank the whole */
  /* every rank the whole: the function and its packed coefficients */
  double *whole, *packed;
  int64_t *offset; /* packed */
};

/* n if a team shares the transform on S_n; 0 for other groups and small ones. */
static int shared_n(const pl_group *g, int team) {
  int n = pl_group_symmetric(g);
  return team > 1 && n >= 5 ? n : 0;
}

static int64_t range_start(const pl_transform *t, int rank) {
  const pl_layout *l = t->l;
  if (t->sn) return pl_sn_transform_start(t->sn, l->team.size, rank);
  return (int64_t)((__int128)pl_group_order(l->group) * rank / l->team.size);
}

int64_t pl_transform_first(const pl_transform *t) {
  return range_start(t, t->l->team.rank);
}

int64_t pl_transform_count(const pl_transform *t) {
  return range_start(t, t->l->team.rank + 1) - pl_transform_first(t);
}

static int64_t *offsets_alone(const pl_layout *l) {
  int64_t *at = pl_alloc((size_t)pl_group_num_irreps(l->group), sizeof *at, "offsets");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; k < b->count; k++) at[b->irrep[k]] = b->offset + k * b->size;
  }
  return at;
}

pl_status pl_transform_new(const pl_layout *l, pl_transform **out) {
  pl_transform *t = pl_zalloc(1, sizeof *t, "transform");
  t->l = l;
  int64_t n = pl_group_num_irreps(l->group);
  pl_status st;
  t->sn = shared_n(l->group, l->team.size);
  if (t->sn) {
    st = pl_sn_transform_new(l, t->sn, &t->shared);
  } else if (l->team.size == 1) {
    int64_t *at = offsets_alone(l);
    st = pl_fourier_new(l->group, at, &t->plan);
    pl_free(at);
  } else {
    st = pl_fourier_new(l->group, NULL, &t->plan);
    t->offset = pl_alloc((size_t)n, sizeof *t->offset, "offsets");
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
      t->offset[i] = at;
      at += pl_irrep_size(pl_group_irrep(l->group, i));
    }
    t->whole = pl_alloc((size_t)pl_group_order(l->group), sizeof(double), "function over G");
    t->packed = pl_alloc((size_t)at, sizeof(double), "coefficients");
  }
  st = pl_agree(&l->team, st);
  if (st)
    pl_transform_free(t);
  else
    *out = t;
  return st;
}

void pl_transform_free(pl_transform *t) {
  if (!t) return;
  pl_sn_transform_free(t->shared);
  pl_fourier_free(t->plan);
  pl_free(t->whole);
  pl_free(t->packed);
  pl_free(t->offset);
  pl_free(t);
}

double pl_transform_bytes(const pl_group *g, int team) {
  int n = shared_n(g, team);
  if (n) return pl_sn_transform_bytes(n, team);
  double alone = (double)pl_fourier_bytes(g);
  return team == 1 ? alone : alone + 8.0 * (double)(pl_group_order(g) + pl_fourier_size(g));
}

/* Everybody gets the whole function. */
static void share(const pl_transform *t, const double *f, double *whole) {
  const pl_layout *l = t->l;
  for (int r = 0; r < l->team.size; r++) {
    int64_t first = range_start(t, r), n = range_start(t, r + 1) - first;
    if (r == l->team.rank) memcpy(whole + first, f, (size_t)n * sizeof *f);
    pl_comm_bcast(&l->team, whole + first, (size_t)n * sizeof *whole, r);
  }
}

void pl_transform_forward(pl_transform *t, const double *f, double *F) {
  const pl_layout *l = t->l;
  if (t->sn) {
    pl_sn_transform_forward(t->shared, f, F);
    return;
  }
  if (l->team.size == 1) {
    pl_fourier_forward(t->plan, 1, f, 0, F, 0);
    return;
  }
  share(t, f, t->whole);
  pl_fourier_forward(t->plan, 1, t->whole, 0, t->packed, 0);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->size == 0) continue;
    for (int64_t k = 0; k < b->count; k++) {
      const double *from = t->packed + t->offset[b->irrep[k]];
      double *to = F + b->offset + k * b->size;
      if (b->grid < 0)
        memcpy(to, from, (size_t)b->size * sizeof *to);
      else /* the grid holds the transpose */
        for (int c = 0; c < b->mat.ln; c++)
          for (int r = 0; r < b->mat.lm; r++)
            to[(int64_t)c * b->mat.lld + r] =
                from[(int64_t)pl_dmat_col(&b->mat, c) * b->dim + pl_dmat_row(&b->mat, r)];
    }
  }
}

void pl_transform_inverse(pl_transform *t, const double *F, double *f) {
  const pl_layout *l = t->l;
  if (t->sn) {
    pl_sn_transform_inverse(t->shared, F, f);
    return;
  }
  if (l->team.size == 1) {
    pl_fourier_inverse(t->plan, 1, F, 0, f, 0);
    return;
  }
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; k < b->count; k++) {
      int64_t n = pl_irrep_size((pl_irrep){.dim = b->dim, .type = b->type});
      double *to = t->packed + t->offset[b->irrep[k]];
      const double *from = F + b->offset + k * b->size;
      if (b->grid >= 0 && b->here)
        pl_dmat_gather(&b->mat, from, to);
      else if (b->owner == l->team.rank)
        memcpy(to, from, (size_t)n * sizeof *to);
      pl_comm_bcast(&l->team, to, (size_t)n * sizeof *to, b->owner);
    }
  }
  pl_fourier_inverse(t->plan, 1, t->packed, 0, t->whole, 0);
  memcpy(f, t->whole + pl_transform_first(t), (size_t)pl_transform_count(t) * sizeof *f);
}

void pl_transform_gather(const pl_transform *t, const double *f, double *full) {
  const pl_layout *l = t->l;
  enum { TAG = 78 };
  if (l->team.rank != 0) {
    MPI_Send(f, pl_int(pl_transform_count(t)), MPI_DOUBLE, 0, TAG, l->team.mpi);
    return;
  }
  memcpy(full, f, (size_t)pl_transform_count(t) * sizeof *f);
  for (int r = 1; r < l->team.size; r++) {
    int64_t first = range_start(t, r), n = range_start(t, r + 1) - first;
    MPI_Recv(full + first, pl_int(n), MPI_DOUBLE, r, TAG, l->team.mpi, MPI_STATUS_IGNORE);
  }
}

void pl_transform_scatter(const pl_transform *t, const double *full, double *f) {
  const pl_layout *l = t->l;
  enum { TAG = 79 };
  if (l->team.rank != 0) {
    MPI_Recv(f, pl_int(pl_transform_count(t)), MPI_DOUBLE, 0, TAG, l->team.mpi, MPI_STATUS_IGNORE);
    return;
  }
  memcpy(f, full, (size_t)pl_transform_count(t) * sizeof *f);
  for (int r = 1; r < l->team.size; r++) {
    int64_t first = range_start(t, r), n = range_start(t, r + 1) - first;
    MPI_Send(full + first, pl_int(n), MPI_DOUBLE, r, TAG, l->team.mpi);
  }
}

/* This rank's part of the elements first .. first + n - 1: how many, and where it begins there. */
static int64_t overlap(const pl_transform *t, int64_t first, int64_t n, int64_t *from) {
  int64_t mine = pl_transform_first(t), end = mine + pl_transform_count(t);
  *from = mine > first ? mine : first;
  if (end > first + n) end = first + n;
  return end > *from ? end - *from : 0;
}

void pl_transform_gather_range(const pl_transform *t, const double *f, int64_t first, int64_t n,
                               double *x) {
  const pl_comm *team = &t->l->team;
  int64_t from, count = overlap(t, first, n, &from);
  memset(x, 0, (size_t)n * sizeof *x);
  if (count)
    memcpy(x + (from - first), f + (from - pl_transform_first(t)), (size_t)count * sizeof *x);
  /* Each element stands on one rank, so that "or" is a gather that keeps every bit. */
  if (team->size > 1)
    MPI_Reduce(team->rank ? (void *)x : MPI_IN_PLACE, x, pl_int(n), MPI_UINT64_T, MPI_BOR, 0,
               team->mpi);
}

void pl_transform_scatter_range(const pl_transform *t, double *f, int64_t first, int64_t n,
                                double *x) {
  int64_t from, count = overlap(t, first, n, &from);
  pl_comm_bcast(&t->l->team, x, (size_t)n * sizeof *x, 0);
  if (count)
    memcpy(f + (from - pl_transform_first(t)), x + (from - first), (size_t)count * sizeof *x);
}
