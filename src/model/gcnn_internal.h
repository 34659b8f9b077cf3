/* The linear G-CNN from inside: shared by gcnn.c (training), gcnn_observe.c (what is recorded) and
 * gcnn_cost.c (what it costs). */
#ifndef PL_MODEL_GCNN_INTERNAL_H
#define PL_MODEL_GCNN_INTERNAL_H

#include "model/data.h"
#include "model/gcnn.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

enum { GCNN_SCRATCH = 3 };

typedef struct gcnn {
  pl_model base; /* first */
  pl_spec spec;  /* strings borrowed from the sweep configuration */
  int depth;
  pl_group *group;
  pl_layout *layout;
  pl_packed *packed;
  pl_transform *transform;
  pl_data *data;
  double **w;      /* [l-1]: spectrum of w_l, l = 1..L */
  double **prefix; /* [l-1]: P_l = W_(l-1) .. W_1, l = 2..L; P_2 is w[0] itself; [0] unused */
  double *scratch[GCNN_SCRATCH]; /* largest batch each */
  double *margin, *coefficient;  /* [N]: y_i <x_i, beta>; -a_i y_i */
  double *sums;                  /* [N + 1]: margins and vote on their way through the all-reduce */
  double log_scale;
  /* records */
  double *beta;      /* spectrum of beta */
  double *f;         /* this rank's range of a function over G */
  int64_t *sv_start; /* [irreps + 1]: first singular value of an irrep */
  double *values;    /* singular values of one batch */
  double *sigma;     /* [sv_start[irreps]]: singular values of B, whole on rank 0 of the team */
  double *full;      /* beta over G on rank 0 of the team, if recorded */
  pl_spectrum_svd *svd;
  pl_schema schema;
} gcnn;

static inline gcnn *gcnn_of(pl_model *m) {
  return (gcnn *)m;
}

/* B_rho = W_L P_L of one batch into out. */
void gcnn_product(const gcnn *m, const pl_batch *b, double *out);
/* Number of parameter block (layer from 0, batch). */
static inline int gcnn_param(const gcnn *m, int layer, int batch) {
  return layer * m->layout->num_batches + batch;
}

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out);
pl_status gcnn_observe(pl_model *model, double *out);

/* How irreps are placed on a team, and how large batches may be. */
pl_mapping *gcnn_map(const pl_spec *spec, const pl_group *g, int team, const pl_rates *rates,
                     int64_t samples);
int64_t gcnn_batch_doubles(const pl_spec *spec, int64_t samples);
void gcnn_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void gcnn_explain(const pl_spec *spec, int team, const pl_rates *rates);

/* Does record.irreps hold for this group? */
bool gcnn_records_irreps(const pl_spec *spec, const pl_group *g);

#endif
