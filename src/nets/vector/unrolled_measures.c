/* How far the codes are from the true ones layer by layer, and the last layer linearised: its
 * eigenvalues, and what the laws of linalg/momentum.h make of those of the force. */
#include "unrolled.h"

#include "base/mem.h"
#include "linalg/eigenvalues.h"
#include "linalg/momentum.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- measures ---- */

enum { MOST_CODES = 256 }; /* beyond, eigenvalues of layers would take longer than training */

static bool wants_modes(const pl_spec *spec, const void *context) {
  pl_vector_shape s;
  (void)context;
  return !pl_vector_shape_of(spec, &s) && s.outputs <= MOST_CODES;
}

static void code_error(const void *of, double *out) {
  const unrolled_record *s = of;
  memcpy(out, s->code_error, (size_t)s->states * sizeof *out);
}
static void layer_modulus(const void *of, double *out) {
  const unrolled_record *s = of;
  memcpy(out, s->layer_modulus, (size_t)s->modes * sizeof *out);
}
static void law_modulus(const void *of, double *out) {
  const unrolled_record *s = of;
  memcpy(out, s->law_modulus, (size_t)s->modes * sizeof *out);
}

static const pl_measure rows[] = {
    {"code_error", "state", "1",
     "relative error of the codes after so many layers, on the test part if there is one",
     .compute = code_error},
    {"layer_radius", NULL, "1",
     "largest modulus of the eigenvalues of the last layer, linearised where the first training "
     "sample ends",
     .wanted = wants_modes, .from = offsetof(unrolled_record, layer_radius), .better = -1},
    {"layer_log_det", NULL, "1", "natural logarithm of |det| of that linearised layer",
     .wanted = wants_modes, .from = offsetof(unrolled_record, layer_log_det)},
    {"layer_modulus", "mode", "1", "moduli of its eigenvalues, decreasing", .wanted = wants_modes,
     .compute = layer_modulus},
    {"law_modulus", "mode", "1",
     "the same by the law, from the eigenvalues of the linearised force: residual 1 + mu; momentum "
     "l^2 - (1 + gamma + (1 - gamma) mu) l + gamma = 0; revnet l + 1/l - 2 in the spectrum of B A",
     .wanted = wants_modes, .compute = law_modulus},
};
const pl_measures unrolled_measures = PL_MEASURES(rows);

static void number(const void *context, int64_t i, double *value, char *text) {
  (void)context, (void)text;
  *value = (double)i;
}
static const pl_coord state_coords[] = {
    {"state", "1", "layers that made the state", false, true, NULL, number}};
static const pl_coord mode_coords[] = {
    {"mode", "1", "number of the eigenvalue", false, true, NULL, number}};

pl_status unrolled_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                        void (**free_context)(void *)) {
  static char all[] = "";
  pl_vector_shape s;
  (void)context, (void)free_context;
  PL_TRY(pl_vector_shape_of(spec, &s));
  axes[(*num)++] = (pl_axis){.name = "state",
                             .key = all,
                             .length = vector_values_of(spec)->base.recursion.depth + 1,
                             .coords = state_coords,
                             .num_coords = 1};
  axes[(*num)++] = (pl_axis){
      .name = "mode", .key = all, .length = 2 * s.outputs, .coords = mode_coords, .num_coords = 1};
  return PL_OK;
}

/* ---- errors ---- */

static void add_errors(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                       void *context) {
  double *sum = context; /* [N + 1], and that of the true codes */
  const pl_vector_part *part = &vector_data(net)->part[take->part];
  pl_recursion r = unrolled_recursion(net, true);
  pl_node *trace[2];
  r.trace = pl_tape_alloc(t, (size_t)r.depth + 1, sizeof *trace);
  pl_node *u = vector_input_of(net, t, take);
  pl_tape_recursion(t, &r, unrolled_start(net, t, take), unrolled_nodes(t, &r, w, u));
  for (int k = 0; k <= r.depth; k++) {
    const pl_node *code = unrolled_code(net, t, r.trace[k]);
    for (int64_t i = 0; i < take->count; i++)
      for (int64_t j = 0; j < code->cols; j++) {
        double y = part->y[take->entry[i] * code->cols + j],
               e = code->value[i * code->cols + j] - y;
        sum[k] += e * e;
        if (k == 0) sum[r.depth + 1] += y * y;
      }
  }
}

static void observe_errors(pl_net *net, unrolled_record *s) {
  pl_part part = net->count[PL_TEST] > 0 ? PL_TEST : PL_TRAIN;
  double *sum = s->code_error; /* one longer than what is recorded */
  memset(sum, 0, ((size_t)s->states + 1) * sizeof *sum);
  pl_net_each(net, part, add_errors, sum);
  pl_comm_sum(&net->team, sum, s->states + 1);
  for (int64_t k = 0; k < s->states; k++) sum[k] = sqrt(sum[k] / sum[s->states]);
}

/* ---- the linearised layer ---- */

/* Samples of its kind: the first one. */
static pl_take first_sample(void) {
  static const int64_t zero[1];
  return (pl_take){.part = PL_TRAIN, .total = 1, .count = 1, .entry = zero};
}

/* Where it ends; x: room for the state. */
static void last_state(pl_net *net, double *x) {
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  pl_take take = first_sample();
  pl_recursion r = unrolled_recursion(net, true);
  pl_net_variables(net, t, net->w, NULL, w);
  pl_node *u = vector_input_of(net, t, &take);
  const pl_node *y =
      pl_tape_recursion(t, &r, unrolled_start(net, t, &take), unrolled_nodes(t, &r, w, u));
  memcpy(x, y->value, (size_t)y->cols * sizeof *x);
}

/* c df/dx, [codes][codes], at x; moved += c f. */
static void jacobian(pl_net *net, int half, double c, int64_t codes, const double *x, double *a,
                     double *moved) {
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  double *direction = pl_tape_alloc(t, (size_t)codes, sizeof *direction);
  pl_take take = first_sample();
  pl_net_variables(net, t, net->w, NULL, w);
  pl_node *at = pl_tape_variable(t, 1, codes, x, NULL);
  pl_node *f = unrolled_last_force(net, t, w, vector_input_of(net, t, &take), half, at);
  for (int64_t i = 0; i < codes; i++) moved[i] += c * f->value[i];
  memset(direction, 0, (size_t)codes * sizeof *direction);
  pl_tape_direction(t, at, direction, NULL);
  for (int64_t j = 0; j < codes; j++) {
    direction[j] = 1;
    pl_tape_tangents(t);
    const double *f_dot = pl_tape_read(t, f, PL_TANGENT);
    for (int64_t i = 0; i < codes; i++) a[i * codes + j] = c * f_dot[i];
    direction[j] = 0;
  }
}

/* out = B A. */
static void product(int64_t n, const double *b, const double *a, double *out) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      out[i * n + j] = 0;
      for (int64_t k = 0; k < n; k++) out[i * n + j] += b[i * n + k] * a[k * n + j];
    }
}

/* The layer as a matrix on (x, v), x, or (a, b): blocks of n, whose sides add up to the result.
 * a: of f; ba: B A, b: of g, of a RevNet. */
static int64_t layer_matrix(const pl_recursion *r, int64_t n, const double *a, const double *b,
                            const double *ba, double *m) {
  int64_t size = r->revnet || r->gamma > 0 ? 2 * n : n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      double one = i == j;
      int64_t at = i * n + j;
      double block[2][2] = {{one + a[at], r->gamma * one}, {a[at], r->gamma * one}};
      if (r->revnet) {
        block[0][0] = one, block[0][1] = a[at];
        block[1][0] = b[at], block[1][1] = one + ba[at];
      }
      for (int64_t p = 0; p < size / n; p++)
        for (int64_t q = 0; q < size / n; q++) m[(p * n + i) * size + q * n + j] = block[p][q];
    }
  return size;
}

static int larger(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* Moduli of n numbers (re, im), decreasing. */
static void moduli(int64_t n, const double *values, double *out) {
  for (int64_t i = 0; i < n; i++) out[i] = hypot(values[2 * i], values[2 * i + 1]);
  qsort(out, (size_t)n, sizeof *out, larger);
}

/* The layer's eigenvalues from those of the force, mu or of B A; how many. */
static int64_t by_law(const pl_recursion *r, int64_t n, const double *mu, double *out) {
  int64_t num = 0;
  for (int64_t i = 0; i < n; i++) {
    double complex l[2] = {0}, m = mu[2 * i] + I * mu[2 * i + 1];
    if (r->revnet) {
      double complex half = 1 + m / 2, root = csqrt(half * half - 1);
      l[0] = half + root, l[1] = half - root;
    } else if (r->gamma > 0) {
      pl_momentum_layer(r->gamma, m / (1 - r->gamma), l);
    } else {
      l[0] = 1 + m;
    }
    out[num++] = cabs(l[0]);
    if (r->revnet || r->gamma > 0) out[num++] = cabs(l[1]);
  }
  qsort(out, (size_t)num, sizeof *out, larger);
  return num;
}

/* At x, the state where the first sample ends, and which moves on; a: room for 7 matrices of codes
 * and 4 codes. */
static pl_status linearise(pl_net *net, unrolled_record *s, double *x, double *a) {
  int64_t n = s->modes / 2, square = n * n;
  pl_recursion r = unrolled_recursion(net, true);
  double *b = a + square, *ba = b + square, *m = ba + square, *values = m + 4 * square, sign;
  pl_eigenvalues *w = pl_eigenvalues_new((int)s->modes, false);
  /* f reads x, or the second half, and moves the first, which g then reads. */
  jacobian(net, 0, r.c, n, r.revnet ? x + n : x, a, r.revnet ? x : x + n);
  if (r.revnet) jacobian(net, 1, r.c, n, x, b, x + n);
  product(n, r.revnet ? b : a, a, ba);
  int64_t size = layer_matrix(&r, n, a, b, ba, m);
  pl_status st = pl_eigenvalues_apply(w, (int)size, false, m, values);
  moduli(size, values, s->layer_modulus);
  layer_matrix(&r, n, a, b, ba, m);
  pl_determinant(w, (int)size, false, m, &sign, &s->layer_log_det);
  pl_status other = pl_eigenvalues_apply(w, (int)n, false, r.revnet ? ba : a, values);
  by_law(&r, n, values, s->law_modulus);
  for (int64_t i = size; i < s->modes; i++) s->layer_modulus[i] = s->law_modulus[i] = NAN;
  s->layer_radius = s->layer_modulus[0];
  pl_eigenvalues_free(w);
  return st ? st : other;
}

/* ---- a record ---- */

static void visit(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                  void *context) {
  pl_recursion r = unrolled_recursion(net, false);
  pl_recursion_visit(&vector_own_of(net)->recursion, t, &r, unrolled_start(net, t, take),
                     unrolled_nodes(t, &r, w, vector_input_of(net, t, take)), context);
}

pl_status unrolled_observe(pl_net *net, void *state) {
  vector_own *own = vector_own_of(net);
  unrolled_record *s = state;
  pl_recursion_sums sums = {0};
  s->states = vector_values_of(&net->spec)->base.recursion.depth + 1;
  s->modes = 2 * own->data.shape.outputs;
  size_t arrays = (size_t)(s->states + 1 + 2 * s->modes);
  if (!own->record) own->record = pl_alloc(arrays, sizeof *own->record, "a record");
  s->code_error = own->record;
  s->layer_modulus = own->record + s->states + 1;
  s->law_modulus = s->layer_modulus + s->modes;
  pl_net_each(net, PL_TRAIN, visit, &sums);
  pl_recursion_observe(net, &sums, &s->base);
  observe_errors(net, s);
  if (!wants_modes(&net->spec, NULL)) return PL_OK;
  size_t n = (size_t)s->modes / 2;
  double *x = pl_alloc(2 * n, sizeof *x, "a state"),
         *room = pl_alloc(7 * n * n + 4 * n, sizeof *room, "a layer");
  last_state(net, x);
  pl_status st = linearise(net, s, x, room);
  pl_free(x);
  pl_free(room);
  return st;
}
