/* model.kind pointer: the door. */
#include "apply.h"
#include "base/mem.h"
#include "measures.h"
#include "nets/sequence/sequence.h"

#include <math.h>
#include <stdio.h>

/* ---- data and weights ---- */

static void add_weights(pl_net *net, const source *s, places *at) {
  network_add(net, s->task->coordinates, s->high + 1, at);
}

static pl_status furnish(pl_net *net) {
  pointer_own *own = net->own;
  own->symbols = own->source.high + 1;
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = own->source.count[p];
  add_weights(net, &own->source, &own->at);
  return pl_agree(&net->team, measures_new(net, &own->measures));
}

static pl_status load(pl_net *net) {
  pointer_own *own = net->own = pl_zalloc(1, sizeof *own, "pointer network");
  PL_TRY(source_init(&net->spec, &net->team, &own->source));
  return furnish(net);
}

static void unload(pl_net *net) {
  pointer_own *own = net->own;
  if (!own) return;
  source_fini(&own->source);
  measures_free(own->measures);
  pl_free(own);
}

static pl_status shapes(pl_net *net) {
  source s;
  places at;
  const char *key;
  PL_TRY(source_head(&net->spec, &s, &key));
  add_weights(net, &s, &at);
  return PL_OK;
}

/* ---- the objective ---- */

/* -(1/N) sum over instances of log p(output, end | points) */
static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  batch b = batch_of_take(t, &own_of(net)->source, take);
  if (b.count == 0) {
    double *zero = pl_tape_alloc(t, 1, sizeof *zero);
    *zero = 0;
    return pl_tape_constant(t, 1, 1, zero);
  }
  pl_node *log_p = network_log_probabilities(net, t, w, &b, false);
  return pl_tape_scale(t, pl_tape_sum(t, log_p), -1 / (double)take->total);
}

/* Steps of encoder and decoder for one instance. */
static void count_steps(const pl_spec *spec, double *points, double *symbols) {
  source s;
  const char *key;
  *points = *symbols = 1;
  if (source_head(spec, &s, &key)) return;
  *points = s.most_points;
  *symbols = s.task->quality == QUALITY_AREA ? 2 * sqrt(*points) + 2 : s.task->most(s.most_points);
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const pointer_values *v = pointer_values_of(spec);
  double points, symbols, w = (double)v->width;
  count_steps(spec, &points, &symbols);
  double layer = v->encoder == ENCODER_LSTM ? 4 * w * w : (double)v->depth * w * w;
  double products = points * layer + symbols * 4 * w * w, looks = 0;
  if (v->attention != ATTENTION_NONE) {
    products += (points + symbols) * w * w;
    looks = points * symbols;
  }
  *fixed_flops = *fixed_bytes = 0;
  *sample_flops = 6 * products + 60 * looks * w + 100 * (points + symbols) * w;
  *sample_bytes = 8 * ((points + symbols) * 30 * w + 6 * looks);
}

/* So many instances at a time that products are large, in what memory can always give: nothing of
 * the backward sweep's speed hangs on the cache, the states of one step fit there. */
static void begin(pl_net *net) {
  double flops, bytes, fixed;
  work(&net->spec, &flops, &bytes, &fixed, &fixed);
  pl_net_set_piece(net, (int64_t)fmax(1, 4e8 / bytes));
}

/* ---- checks ---- */

static const char *fits(const pl_spec *spec) {
  return pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  source s;
  PL_TRY(source_head(spec, &s, key));
  return pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pointer_values *v = pointer_values_of(spec);
  static const char *const heads[] = {"pointer", "seq2seq with attention", "seq2seq"};
  return snprintf(buf, n, "%s, %s encoder, width %lld, %s", heads[v->attention],
                  v->encoder == ENCODER_LSTM ? "LSTM" : "set", (long long)v->width,
                  spec->data->name);
}

/* ---- the row ---- */

static const pl_keys *const keys[] = {&pointer_keys, &pl_net_init_keys, &pl_batch_keys,
                                      &pl_spectrum_keys, NULL};
static const pl_default defaults[] = {
    {"train.batch", "128"}, {"record.sample", "1000"}, {NULL, NULL}};
static const pl_measures *const all_measures[] = {&pl_net_measures, &pointer_measures, NULL};

const pl_net_kind pl_pointer = {
    .door = {.name = "pointer",
             .help = "pointer networks, whose outputs are sequences of their inputs",
             PL_NET_DOOR,
             .example = "{model: {kind: pointer, width: 5}, train.batch: 4, optimizer.lr: 0.5, "
                        "data: {kind: sort, points: 3..4, samples: 11, validation: 2, test: 2, "
                        "test_points: [3, 4]}}",
             .summary = "Accuracy of sequences per size, symmetry under relabelling, spectra of "
                        "the policy and of the weights",
             .reference = "Vinyals, Fortunato and Jaitly, Pointer Networks, NeurIPS 2015 "
                          "(arXiv:1506.03134)",
             .headline = (const char *const[]){"loss", "train_exact_accuracy", NULL},
             .keys = keys,
             .defaults = defaults,
             .data = pl_sequence_data_kinds,
             .measures = all_measures,
             .metric = "exact_accuracy",
             .fits = fits,
             .check = check,
             .label = label,
             .apply = pointer_apply},
    .split = PL_SPLIT_SAMPLES,
    .num_metrics = NUM_METRICS,
    .record_bytes = sizeof(pointer_record),
    .load = load,
    .unload = unload,
    .begin = begin,
    .objective = objective,
    .metrics = pointer_metrics,
    .observe = pointer_observe,
    .axes = pointer_axes,
    .shapes = shapes,
    .note = pointer_note,
    .open = pointer_open,
    .predict = pointer_predict,
    .work = work,
};
