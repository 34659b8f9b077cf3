/* What the networks on points share.  Inside this room only. */
#ifndef PL_NETS_POINTS_NETWORK_H
#define PL_NETS_POINTS_NETWORK_H

#include "keys.h"
#include "nets/points/points.h"
#include "pairs.h"
#include "symmetry.h"

/* ---- data, for net->own ---- */

typedef struct points_own {
  pl_points data;        /* first */
  struct defect *defect; /* room for what is recorded of equivariance; NULL: nothing */
} points_own;

static inline const pl_points *points_of(const pl_net *net) {
  return net->own;
}
static inline const pl_points_kind *points_kind_of(const pl_spec *spec) {
  return (const pl_points_kind *)(const void *)spec->model;
}

/* ---- batches ---- */

/* The samples of a take, one below the other, on the tape. */
struct points_batch {
  const pl_points_shape *shape;
  const pl_points_part *part;
  const pl_take *take;
  const points_symmetry *turn; /* that moved all samples, or NULL */
  const int64_t *start;        /* [samples + 1]: the first node of each */
  const int64_t *pair_start;   /* [samples + 1]: its first pair */
  points_pairs pairs;
  /* [nodes][dimension]; x NULL: positions are drawn; v and y, the targets, of particles. */
  const double *x, *v, *y;
};

/* Every sample moved by turn; NULL: as it is, in training moved by an element of data.augment. */
points_batch points_batch_new(const pl_net *net, pl_tape *t, const pl_take *take,
                              const points_symmetry *turn);
/* Constants on the tape, of all nodes: positions (those of a graph drawn, unless its file has
 * them), velocities, their lengths, [nodes][1]. */
pl_node *points_positions(const pl_net *net, pl_tape *t, const points_batch *b);
pl_node *points_velocities(pl_tape *t, const points_batch *b);
pl_node *points_speeds(pl_tape *t, const points_batch *b);
/* `cols` normal numbers for each node, the same whatever the batch is cut into. */
pl_node *points_noise(const pl_net *net, pl_tape *t, const points_batch *b, int64_t cols);
/* Ones, [nodes][1]. */
pl_node *points_ones(pl_tape *t, const points_batch *b);
/* Kinds of atoms, [nodes][3 elements]: in columns 3 k + p the p-th power, p = 0, 1, 2, of the
 * number of the element over the largest, for element k. */
pl_node *points_atoms(pl_tape *t, const points_batch *b);
/* What is told of pairs, [pairs][1]: the product of charges, or 1 for an edge; NULL: nothing. */
pl_node *points_marks(pl_tape *t, const points_batch *b);
/* Atoms of each element, [samples][elements]. */
pl_node *points_counts(pl_tape *t, const points_batch *b);
/* Columns of points_atoms. */
static inline int64_t points_atom_cols(const pl_points_shape *s) {
  return 3 * s->elements;
}

/* ---- layers ---- */

/* A weight uniform on +-model.init.scale/sqrt(rows), and with bias one likewise, as parameters
 * NAME_weight and NAME_bias; layer -1: NAME without a number in front. */
void points_add(pl_net *net, int layer, const char *name, const char *what, int64_t rows,
                int64_t cols, bool bias);
/* A weight without bias, uniform on +-model.gain sqrt(6/(rows + 1)). */
void points_add_gain(pl_net *net, int layer, const char *name, const char *what, int64_t rows);
/* A number, `value` at the start. */
void points_add_number(pl_net *net, const char *name, const char *what, double value);
/* Two of them with SiLU between: NAME1, NAME2. */
void points_add_two(pl_net *net, int layer, const char *name, const char *what, int64_t rows,
                    int64_t width, int64_t cols);
/* x W + b, weights from *at on, which is moved on; and two such with SiLU between. */
pl_node *points_affine(pl_tape *t, pl_node *const *w, int *at, pl_node *x);
pl_node *points_two(pl_tape *t, pl_node *const *w, int *at, pl_node *x);
/* The messages m_ij of a layer, phi_e(h_i, h_j, s_ij); s: [pairs][marks], in: values of h_i. */
void points_add_messages(pl_net *net, int layer, int64_t in, int64_t marks, bool attention);
pl_node *points_phi_e(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *h,
                      pl_node *s, bool attention);
/* phi_h(h_i, m_i), m_i = sum_j m_ij, added to h_i if residual; in: values of h_i. */
void points_add_node(pl_net *net, int layer, int64_t in);
pl_node *points_phi_h(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *h,
                      pl_node *m, bool residual);
/* (1 - model.shrink) x. */
pl_node *points_shrunk(const pl_net *net, pl_tape *t, pl_node *x);
/* Log odds w ||x_i - x_j||^2 + b, w = -0.1 and b = 1 at the start. */
void points_add_decoder(pl_net *net);
pl_node *points_decode(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *x);

/* Multiplications and doubles of a layer's messages and of phi_h: for pl_points_kind.work. */
void points_layer_work(const pl_points_shape *s, double in, double width, double *products,
                       double *doubles);

/* ---- the door ---- */

pl_status points_load(pl_net *net);
void points_unload(pl_net *net);
pl_status points_shapes(pl_net *net);
pl_node *points_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
void points_metrics(pl_net *net, pl_part part, double *metric);
pl_status points_observe(pl_net *net, void *state);
pl_status points_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *));
void points_work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes);
pl_status points_note(const pl_net *net, pl_nc *nc);
pl_status points_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status points_predict(pl_net *net, pl_nc *out);
pl_status points_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num);
const char *points_fits(const pl_spec *spec);
pl_status points_check(const pl_spec *spec, const char **key);
/* Of all networks here: metrics, and equivariance. */
extern const pl_measures points_measures, points_defect_measures;

enum { METRIC_MSE, METRIC_MAE, METRIC_BCE, METRIC_ERROR, METRIC_F1, NUM_METRICS };

/* The state at a record. */
typedef struct points_record {
  pl_net_record net; /* first */
  double defect;
  const double *share; /* [irreps], of the function that the defect is on the group */
} points_record;

/* Room for records of equivariance; *out NULL: the run has none.  Local. */
pl_status points_defect_new(const pl_net *net, struct defect **out);
void points_defect_free(struct defect *d);

/* What a network says to a batch, [.][.] as pl_points_kind.answer. */
static inline pl_node *points_answer(const pl_net *net, pl_tape *t, pl_node *const *w,
                                     const points_batch *b) {
  return points_kind_of(&net->spec)->answer(net, t, w, b);
}

extern const char *const points_headline[];
extern const pl_measures *const points_all_measures[];
extern const pl_default points_defaults[];
#define POINTS_DOOR                                                                                \
  .summary = "Errors of networks on points, and how far they are from turning with them",          \
  .reference = "Satorras, Hoogeboom and Welling, E(n) Equivariant Graph Neural Networks, ICML "    \
               "2021 (arXiv:2102.09844)",                                                          \
  .headline = points_headline, .defaults = points_defaults, .measures = points_all_measures,       \
  .metric = "mse", .other_metric = "mae", .third_metric = "bce", .fits = points_fits,              \
  .check = points_check, .apply = points_apply, PL_NET_DOOR
#define POINTS_NET                                                                                 \
  .split = PL_SPLIT_SAMPLES, .random = true, .num_metrics = NUM_METRICS,                           \
  .record_bytes = sizeof(points_record), .load = points_load, .unload = points_unload,             \
  .objective = points_objective, .metrics = points_metrics, .observe = points_observe,             \
  .axes = points_axes, .shapes = points_shapes, .work = points_work, .note = points_note,          \
  .open = points_open, .predict = points_predict

#endif
