/* Records: metrics after adaptation, how the meta-gradient was come by, and what of a group the
 * initial weights store. */
#include "net.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/pause.h"
#include "base/norm.h"

#include <math.h>
#include <string.h>

enum { ACCURACY, MSE };

/* ---- what a run records ---- */

static bool has_classes(const pl_spec *spec, const void *context) {
  pl_task_shape s = {0};
  (void)context;
  return !pl_task_shape_of(spec, &s) && s.sample.classes;
}
static bool has_targets(const pl_spec *spec, const void *context) {
  return !has_classes(spec, context);
}
static bool classes_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && has_classes(spec, context);
}
static bool classes_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && has_classes(spec, context);
}
static bool targets_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && has_targets(spec, context);
}
static bool targets_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && has_targets(spec, context);
}
static bool is_implicit(const pl_spec *spec, const void *context) {
  (void)context;
  return meta_values_of(spec)->method == METHOD_IMAML;
}
/* Tasks whose irreps are known, and a network whose first layer is a function on the group. */
static bool has_irreps(const pl_spec *spec, const void *context) {
  (void)context;
  return spec->data == &pl_data_group_tasks.base && !strcmp(pl_inner_of(spec)->name, "gcnn");
}

static bool is_known(const pl_spec *spec, const void *context) {
  (void)context;
  return meta_known(spec);
}

static void put_residual(const void *state, double *out) {
  const meta_record *r = state;
  memcpy(out, r->residual, (size_t)r->residuals * sizeof *out);
}
static void put_energy(const void *state, double *out) {
  const meta_record *r = state;
  memcpy(out, r->energy, (size_t)r->irreps * sizeof *out);
}
static void put_alignment(const void *state, double *out) {
  const meta_record *r = state;
  memcpy(out, r->alignment, (size_t)r->irreps * sizeof *out);
}

#define AT(member) .from = offsetof(meta_record, member)
#define POST                                                                                       \
  " of query samples after adaptation, on the test tasks (on the training tasks without any)"
static const pl_measure rows[] = {
    PL_NET_METRIC_WHERE(ACCURACY, "accuracy", PL_ACCURACY, 1, has_classes, classes_validation,
                        classes_test),
    PL_NET_METRIC_WHERE(MSE, "mse", PL_MSE, -1, has_targets, targets_validation, targets_test),
    {"post_adaptation_accuracy", NULL, "1", PL_ACCURACY POST, .wanted = has_classes, .better = 1,
     AT(post[ACCURACY])},
    {"post_adaptation_mse", NULL, "1", PL_MSE POST, .wanted = has_targets, .better = -1,
     AT(post[MSE])},
    {"meta_loss", NULL, "1", "query loss after adaptation, mean over the tasks of the step to come",
     AT(meta_loss)},
    {"meta_gradient_error", NULL, "1",
     "relative error of a task's meta-gradient, mean over the tasks of the step to come",
     .wanted = is_known, AT(meta_gradient_error)},
    {"inner_gap", NULL, "1",
     "gradient of the inner problem where it was left, over that at theta, mean over the tasks of "
     "the step to come",
     .wanted = is_implicit, AT(inner_gap)},
    {"cg_residual", "cg_step", "1",
     "residual after so many conjugate gradient steps over the right-hand side, mean over the "
     "tasks of the step to come",
     .wanted = is_implicit, .compute = put_residual},
    {"condition", NULL, "1",
     "condition of the implicit operator as conjugate gradients see it, mean over the tasks of the "
     "step to come",
     .wanted = is_implicit, AT(condition)},
    {"negative_curvature", NULL, "1",
     "of the tasks of the step to come, how many ended conjugate gradients by a direction of "
     "negative curvature",
     .wanted = is_implicit, AT(negative_curvature)},
    {"stored_states", NULL, "1", "states of the inner loop that a task's meta-gradient needs",
     AT(stored_states)},
    {"stored_bytes", NULL, "byte", "bytes of the inner loop that a task's meta-gradient needs",
     AT(stored_bytes)},
    {"inner_irrep_energy", "irrep", "1", "share of each irrep in the energy of the first layer",
     .wanted = has_irreps, .compute = put_energy},
    {"row_alignment", "irrep", "1",
     "on irreps that the tasks live on, |cosine| of the first layer's largest right singular "
     "vector "
     "and their common row space",
     .wanted = has_irreps, .compute = put_alignment},
};
const pl_measures meta_measures = PL_MEASURES(rows);

/* ---- axes ---- */

typedef struct axes_context {
  pl_irrep_context irreps; /* first */
} axes_context;

static void cg_step(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)text;
  *number = (double)i;
}
static const pl_coord cg_coords[] = {
    {"cg_step", "1", "conjugate gradient steps made", false, true, NULL, cg_step}};

static void free_axes(void *context) {
  axes_context *c = context;
  pl_group_free(c->irreps.group);
  pl_free(c);
}

pl_status meta_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                    void (**free_context)(void *)) {
  static char all[] = "";
  axes_context *c = *context = pl_zalloc(1, sizeof *c, "schema");
  *free_context = free_axes;
  axes[(*num)++] = (pl_axis){.name = "cg_step",
                             .key = all,
                             .length = meta_values_of(spec)->cg_steps + 1,
                             .coords = cg_coords,
                             .num_coords = 1};
  if (!has_irreps(spec, NULL)) return PL_OK;
  PL_TRY(pl_group_parse(meta_data_of(spec)->group, &c->irreps.group));
  axes[(*num)++] = pl_irrep_axis(&c->irreps);
  return PL_OK;
}

/* ---- life ---- */

pl_status meta_records_new(meta_net *m) {
  int64_t irreps = 0;
  if (has_irreps(m->spec, NULL)) {
    PL_TRY(pl_group_parse(meta_data_of(m->spec)->group, &m->group));
    PL_TRY(pl_irrep_energies_new(m->group, &m->energies));
    PL_TRY(pl_group_tasks_rows(m->spec, &m->live, &m->irrep, &m->rows));
    irreps = pl_group_num_irreps(m->group);
  }
  m->record = pl_alloc((size_t)(PL_CG_MOST + 1 + 2 * irreps), sizeof *m->record, "a record");
  return PL_OK;
}

void meta_records_free(meta_net *m) {
  pl_irrep_energies_free(m->energies);
  pl_group_free(m->group);
  pl_free(m->irrep);
  pl_free(m->rows);
  pl_free(m->record);
}

/* ---- metrics ---- */

static void add_up(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                   void *context) {
  meta_net *m = meta_of(net);
  (void)t, (void)w;
  memcpy(m->theta, net->w, (size_t)m->n * sizeof *m->theta);
  for (int64_t i = 0; i < take->count && !pl_pause(); i++) {
    double metric;
    meta_adapt(m, take->part, take->entry[i], &metric);
    *(double *)context += metric;
  }
}

void meta_metrics(pl_net *net, pl_part part, double *metric) {
  const pl_task_shape *s = &meta_of(net)->tasks.shape;
  double sum = 0, count = (double)pl_net_recorded(net, part).total * (double)s->query;
  metric[ACCURACY] = metric[MSE] = NAN;
  pl_net_each(net, part, add_up, &sum);
  pl_comm_sum(&net->team, &sum, 1);
  metric[s->sample.classes ? ACCURACY : MSE] =
      sum / (s->sample.classes ? count : count * (double)s->sample.outputs);
}

/* ---- what of the group is stored ---- */

/* |cosine| of v and the largest right singular vector of W, d x d, by the power method. */
static double align(int d, const double *W, const double *v) {
  enum { ROUNDS = 500, MOST = 1000 };
  double r[MOST], Wr[MOST];
  int longest = 0;
  for (int i = 1; i < d; i++)
    if (pl_norm2(d, W + i * d) > pl_norm2(d, W + longest * d)) longest = i;
  memcpy(r, W + longest * d, (size_t)d * sizeof *r);
  double norm = pl_norm2(d, r);
  for (int k = 0; k < ROUNDS && norm > 0; k++) {
    cblas_dscal(d, 1 / norm, r, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, d, d, 1, W, d, r, 1, 0, Wr, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, d, d, 1, W, d, Wr, 1, 0, r, 1);
    norm = pl_norm2(d, r);
  }
  return norm > 0 ? fabs(cblas_ddot(d, r, 1, v, 1)) / norm : NAN;
}

static void resolve(const pl_net *net, double *energy, double *alignment) {
  const meta_net *m = meta_of(net);
  int64_t irreps = pl_group_num_irreps(m->group);
  double all = 0;
  pl_irrep_energies_of(m->energies, 1, net->w + net->start[0], energy);
  for (int64_t i = 0; i < irreps; i++) all += energy[i];
  for (int64_t i = 0; i < irreps; i++) {
    energy[i] /= all;
    alignment[i] = NAN;
  }
  /* The energies' transform leaves the first layer's matrices behind. */
  const double *F = m->energies->F;
  for (int64_t i = 0; i < irreps; F += pl_irrep_size(pl_group_irrep(m->group, i)), i++) {
    const double *v = m->rows;
    for (int k = 0; k < m->live; v += pl_group_irrep(m->group, m->irrep[k]).dim, k++)
      if (m->irrep[k] == i) alignment[i] = align(pl_group_irrep(m->group, i).dim, F, v);
  }
}

/* ---- a record ---- */

pl_status meta_observe(pl_net *net, void *state) {
  const meta_values *v = meta_values_of(&net->spec);
  meta_net *m = meta_of(net);
  meta_record *r = state;
  meta_tally sum = m->tally;
  pl_comm_sum(&net->team, (double *)&sum, (int64_t)(sizeof sum / sizeof(double)));
  pl_part judged = net->count[PL_TEST] > 0 ? PL_TEST : PL_TRAIN;
  for (int k = 0; k < 2; k++) r->post[k] = r->net.metric[judged][k];
  r->meta_loss = sum.loss / sum.tasks;
  r->meta_gradient_error = sum.error / sum.tasks;
  r->inner_gap = sum.gap / sum.tasks;
  r->condition = sum.condition / sum.tasks;
  r->negative_curvature = sum.negative;
  r->stored_states = v->method == METHOD_MAML ? (double)v->inner_steps : 1;
  r->stored_bytes = r->stored_states * (double)m->n * sizeof(double);
  r->residuals = v->cg_steps + 1;
  for (int64_t j = 0; j < r->residuals; j++) m->record[j] = sum.residual[j] / sum.tasks;
  r->residual = m->record;
  if (!m->group) return PL_OK;
  r->irreps = pl_group_num_irreps(m->group);
  double *energy = m->record + PL_CG_MOST + 1, *alignment = energy + r->irreps;
  resolve(net, energy, alignment);
  r->energy = energy;
  r->alignment = alignment;
  return PL_OK;
}
