#include "apply.h"

#include "base/mem.h"
#include "measures.h"

#include <math.h>
#include <string.h>

/* ---- what a file of weights tells ---- */

pl_status pointer_note(const pl_net *net, pl_nc *nc) {
  const pointer_own *own = own_of(net);
  PL_TRY(pl_nc_att_text(nc, NULL, "task", own->source.task->name));
  return pl_nc_att_ints(nc, NULL, "places", PL_NC_INT, &own->symbols, 1);
}

static pl_status read_note(const pl_nc *nc, const source *data, int *symbols) {
  char name[32] = "";
  double v = 0;
  pl_nc_get_att_text(nc, NULL, "task", name, sizeof name);
  if (!task_named(name) || pl_nc_get_att_number(nc, "places", &v) != 1 ||
      !(v >= 2 && v <= MOST_POINTS + 1))
    return pl_error(PL_EINPUT,
                    "%s: expected attributes task and places, as record.final writes "
                    "them",
                    pl_nc_path(nc));
  *symbols = (int)v;
  if (task_named(name) == data->task) return PL_OK;
  return pl_error(PL_EINPUT, "%s: a network for %s, and the data ask for %s", pl_nc_path(nc), name,
                  data->task->name);
}

pl_status pointer_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  pointer_own *own = net->own = pl_zalloc(1, sizeof *own, "pointer network");
  PL_TRY(source_open(data, &net->team, &own->source));
  pl_status st = weights ? read_note(weights, &own->source, &own->symbols) : PL_OK;
  PL_TRY(pl_agree(&net->team, st));
  pl_comm_bcast(&net->team, &own->symbols, sizeof own->symbols, 0);
  net->count[PL_TEST] = own->source.count[PL_TEST];
  network_add(net, own->source.task->coordinates, own->symbols, &own->at);
  return pl_agree(&net->team, measures_new(net, &own->measures));
}

/* ---- predictions ---- */

/* Of every sample: symbols, their number, the probability; of the next sample of this rank. */
typedef struct answers {
  int room;
  double *output, *length, *log_p; /* [num][room], [num], [num] */
} answers;

static void visit(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                  void *context) {
  const answers *a = context;
  decoding d = network_decoding(&net->spec);
  batch b = batch_of_take(t, &own_of(net)->source, take);
  int *output = pl_tape_alloc(t, (size_t)(b.count * a->room), sizeof *output);
  int *length = pl_tape_alloc(t, (size_t)b.count, sizeof *length);
  network_decode(net, t, w, &b, &d, a->room, output, length, a->log_p + take->first);
  for (int64_t i = 0; i < b.count; i++) {
    a->length[take->first + i] = length[i];
    for (int k = 0; k < length[i]; k++)
      a->output[(take->first + i) * a->room + k] = output[i * a->room + k];
  }
}

static pl_status check_reach(const pl_net *net) {
  if (network_reaches(net, own_of(net)->source.most_points)) return PL_OK;
  return pl_error(PL_EINPUT, "an instance has %d points, and the network has symbols for %d",
                  own_of(net)->source.most_points, own_of(net)->symbols - 1);
}

/* Scores over all samples, in the words of the records. */
typedef struct score {
  const char *name, *meaning;
  double value;
} score;

static int scores_of(const task *what, const tally *all, score *out) {
  int n = 0;
  out[n++] = (score){"nll", "mean of -log p of the right output", all->nll / all->count};
  out[n++] = (score){"exact_accuracy", "share of outputs that say what the right one says",
                     all->right / all->count};
  out[n++] = (score){"invalid_rate", "share of outputs that are none", 1 - all->valid / all->count};
  if (what->quality == QUALITY_AREA)
    out[n++] = (score){"area_ratio", "area of the hull over the right one, mean of valid outputs",
                       all->quality / all->valid};
  if (what->quality == QUALITY_COVERAGE)
    out[n++] = (score){"coverage", "share of the right triangles that are found",
                       all->quality / all->count};
  if (what->quality == QUALITY_TOUR) {
    out[n++] = (score){"tour_ratio", "length of the tour over the solver's, mean of valid outputs",
                       all->quality / all->valid};
    out[n++] = (score){"tour_length", "length of the tour, mean of valid outputs",
                       all->length / all->valid};
  }
  return n;
}

static int64_t sum_of(int64_t n, const double *x) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (int64_t)x[i];
  return sum;
}

static pl_status define(const source *s, const answers *a, int num, const score *scores,
                        pl_nc *out) {
  const stored *f = s->file;
  const char *sample[] = {"sample", NULL}, *xs[] = {"point", "coordinate", NULL},
             *symbol[] = {"symbol", NULL}, *right[] = {"right_symbol", NULL};
  int64_t n = s->count[PL_TEST], symbols = sum_of(n, a->length);
  PL_TRY(pl_nc_def_dim(out, "sample", n));
  PL_TRY(pl_nc_def_dim(out, "point", f->start[n]));
  PL_TRY(pl_nc_def_dim(out, "coordinate", s->task->coordinates));
  PL_TRY(pl_nc_def_dim(out, "symbol", symbols > 0 ? symbols : 1));
  PL_TRY(pl_nc_def_var(out, "points", PL_NC_INT, sample, "points of the sample", "1"));
  PL_TRY(pl_nc_def_var(out, "x", PL_NC_DOUBLE, xs, "points, those of a sample in a row", "1"));
  PL_TRY(pl_nc_def_var(out, "length", PL_NC_INT, sample, "symbols of the network's output", "1"));
  PL_TRY(
      pl_nc_def_var(out, "output", PL_NC_INT, symbol, "the network's output: points, from 1", "1"));
  PL_TRY(pl_nc_def_var(out, "log_probability", PL_NC_DOUBLE, sample,
                       "log p of the network's output", "1"));
  if (f->output) {
    PL_TRY(pl_nc_def_dim(out, "right_symbol", f->begin[n]));
    PL_TRY(
        pl_nc_def_var(out, "right_length", PL_NC_INT, sample, "symbols of the right output", "1"));
    PL_TRY(pl_nc_def_var(out, "right_output", PL_NC_INT, right, "the right output", "1"));
  }
  for (int k = 0; k < num; k++)
    PL_TRY(pl_nc_def_var(out, scores[k].name, PL_NC_DOUBLE, NULL, scores[k].meaning, "1"));
  PL_TRY(pl_nc_att_text(out, NULL, "task", s->task->name));
  return pl_nc_end_def(out);
}

/* Differences of where things begin, as a file has them. */
static pl_status put_counts(pl_nc *out, const char *name, int64_t n, const int64_t *start) {
  int64_t *count = pl_alloc((size_t)n, sizeof *count, "predictions");
  for (int64_t i = 0; i < n; i++) count[i] = start[i + 1] - start[i];
  pl_status st = pl_nc_put_ints(out, name, NULL, NULL, count);
  pl_free(count);
  return st;
}

static pl_status put_right(pl_nc *out, int64_t n, const stored *f) {
  PL_TRY(put_counts(out, "right_length", n, f->begin));
  int64_t *wide = pl_alloc((size_t)f->begin[n], sizeof *wide, "predictions");
  for (int64_t k = 0; k < f->begin[n]; k++) wide[k] = f->output[k];
  pl_status st = pl_nc_put_ints(out, "right_output", NULL, NULL, wide);
  pl_free(wide);
  return st;
}

static pl_status put_answers(pl_nc *out, int64_t n, const answers *a) {
  int64_t symbols = sum_of(n, a->length), at = 0;
  int64_t *wide = pl_zalloc((size_t)symbols + 1, sizeof *wide, "predictions");
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < (int64_t)a->length[i]; k++)
      wide[at++] = (int64_t)a->output[i * a->room + k];
  pl_status st = pl_nc_put_ints(out, "output", NULL, NULL, wide);
  pl_free(wide);
  if (!st) st = pl_nc_put_doubles(out, "length", NULL, NULL, a->length);
  return st ? st : pl_nc_put_doubles(out, "log_probability", NULL, NULL, a->log_p);
}

static pl_status write_all(const source *s, const answers *a, int num, const score *scores,
                           pl_nc *out) {
  const stored *f = s->file;
  int64_t n = s->count[PL_TEST];
  PL_TRY(define(s, a, num, scores, out));
  PL_TRY(put_counts(out, "points", n, f->start));
  PL_TRY(pl_nc_put_doubles(out, "x", NULL, NULL, f->x));
  if (f->output) PL_TRY(put_right(out, n, f));
  for (int k = 0; k < num; k++)
    PL_TRY(pl_nc_put_doubles(out, scores[k].name, NULL, NULL, &scores[k].value));
  return put_answers(out, n, a);
}

pl_status pointer_predict(pl_net *net, pl_nc *out) {
  const source *s = &own_of(net)->source;
  int64_t n = s->count[PL_TEST];
  score scores[8];
  int num = 0;
  PL_TRY(pl_agree(&net->team, check_reach(net)));
  answers a = {.room = s->task->most(s->most_points) + 1};
  a.output = pl_zalloc((size_t)(n * a.room), sizeof *a.output, "predictions");
  a.length = pl_zalloc((size_t)n, sizeof *a.length, "predictions");
  a.log_p = pl_zalloc((size_t)n, sizeof *a.log_p, "predictions");
  pl_net_each(net, PL_TEST, visit, &a);
  pl_comm_sum(&net->team, a.output, n * a.room);
  pl_comm_sum(&net->team, a.length, n);
  pl_comm_sum(&net->team, a.log_p, n);
  if (source_has_outputs(s)) {
    tally sizes[MOST_SIZES], all = {0};
    tally_part(net, PL_TEST, sizes);
    for (int i = 0; i < s->num_sizes; i++)
      for (int k = 0; k < TALLY_NUMBERS; k++) (&all.count)[k] += (&sizes[i].count)[k];
    num = scores_of(s->task, &all, scores);
  }
  pl_status st = out ? write_all(s, &a, num, scores, out) : PL_OK;
  pl_free(a.output);
  pl_free(a.length);
  pl_free(a.log_p);
  return pl_agree(&net->team, st);
}

pl_status pointer_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, sequence_data_of(spec)->path, path, attributes, num);
}
