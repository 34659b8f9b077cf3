#include "model/spec.h"

#include "model/model.h"
#include "model/optim.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* One function per list of words; models and optimisers bring their own tables. */
#define WORDS(name, ...)                                                                           \
  static const char *name(int i) {                                                                 \
    static const char *const words[] = {__VA_ARGS__};                                              \
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? words[i] : NULL;                   \
  }
WORDS(inner_products, "band", "group")
WORDS(poolings, "none", "mean")
WORDS(init_kinds, "gaussian", "uniform", "file")
WORDS(data_kinds, "gaussian", "sparse", "irrep", "file", "teacher", "idx", "rankings")
WORDS(samplings, "bootstrap", "blocks")
WORDS(losses, "exponential", "logistic")
WORDS(domains, "group", "fourier")
WORDS(granularities, "coordinate", "irrep", "scalar")
WORDS(schedules, "log", "linear")

#define F(member) offsetof(pl_spec, member)
#define POSITIVE  DBL_MIN, DBL_MAX
#define MANY      1e9
#define BELOW_ONE 0x1.fffffffffffffp-1

const pl_key pl_keys[] = {
    {"title", PL_KEY_TEXT, F(title), .fallback = "", .whole = true,
     .help = "what the sweep is about"},
    {"group", PL_KEY_TEXT, F(group), .required = true, .help = "the group, see plancherel group"},
    {"band.codepth", PL_KEY_INT, F(band_codepth), .min = 1, .max = 51,
     .help = "k: only the irreps of S_n with first row n - k or longer; n up to 52 for k <= 2, 20 "
             "for k = 3, 13 for more (default: all)"},
    {"band.inner_product", PL_KEY_CHOICE, F(band_inner), .fallback = "band",
     .choice = inner_products,
     .help = "inner products in a band divided by D = sum of d^2 over it, or by |G|"},
    {"model.kind", PL_KEY_CHOICE, F(model_kind), .fallback = "gcnn", .choice = pl_model_name,
     .help = "the network"},
    {"model.depth", PL_KEY_INT, F(model_depth), .fallback = "3", .min = 2, .max = 16,
     .help = "layers L, the read-out included"},
    {"model.pooling", PL_KEY_CHOICE, F(model_pooling), .fallback = "none", .choice = poolings,
     .help = "mean: the read-out is one weight times the mean over the group (not for gcnn)"},
    {"model.init.kind", PL_KEY_CHOICE, F(init_kind), .fallback = "gaussian", .choice = init_kinds,
     .help = "distribution of the initial filters, variance scale^2/|G| over G"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), "1", POSITIVE,
     .help = "scale of the initial filters"},
    {"model.init.readout_scale", PL_KEY_REAL, F(init_readout_scale), NULL, POSITIVE,
     .help = "scale of the read-out (default: model.init.scale)"},
    {"model.init.path", PL_KEY_TEXT, F(init_path),
     .help = "NetCDF file with w(layer, element), for model.init.kind file; in a band also "
             "w_fourier(layer, component)"},
    {"data.kind", PL_KEY_CHOICE, F(data_kind), .fallback = "gaussian", .choice = data_kinds,
     .help = "where the samples come from"},
    {"data.samples", PL_KEY_INT, F(data_samples), .fallback = "10", .min = 1, .max = 1e6,
     .help = "samples N; labels alternate +1, -1 (teacher: by the teacher)"},
    {"data.scale", PL_KEY_REAL, F(data_scale), NULL, POSITIVE, .word = "unit", .word_value = 0,
     .help = "unit: each sample divided by its norm; or a factor (default: unit, 1 for files)"},
    {"data.irreps", PL_KEY_TEXTS, F(data_irreps), .fallback = "",
     .help = "labels of the irreps whose matrix elements are the samples of data.kind irrep, or "
             "that the teacher lives on"},
    {"data.rank", PL_KEY_INT, F(data_rank), .fallback = "1", .min = 1, .max = MANY,
     .help = "rank of the teacher on each of data.irreps"},
    {"data.margin", PL_KEY_REAL, F(data_margin), "0.5", .min = 0, .max = DBL_MAX,
     .help = "Gaussian samples of a teacher are pushed so many standard deviations off its "
             "hyperplane"},
    {"data.test", PL_KEY_INT, F(data_test), .fallback = "1000", .min = 1, .max = 1e6,
     .help = "fresh samples of the teacher that test_accuracy is measured on"},
    {"data.nonzeros", PL_KEY_INT, F(data_nonzeros), .fallback = "3", .min = 1, .max = 1e9,
     .help = "nonzeros per sample of data.kind sparse"},
    {"data.path", PL_KEY_TEXT, F(data_path),
     .help =
         "NetCDF file with x(sample, element), in a band also x_fourier(sample, component), and "
         "y(sample), for data.kind file; IDX file of images, for idx"},
    {"data.labels", PL_KEY_TEXT, F(data_labels), .help = "IDX file of labels, for data.kind idx"},
    {"data.digits", PL_KEY_INTS, F(data_digits), .fallback = "[1, 5]", .min = 0, .max = 255,
     .help = "the two labels that become +1 and -1; images are averaged to m x m pixels and turned "
             "by the symmetries of C_m x C_m, p4_m, p4m_m or C_m x C_m x D_4"},
    {"data.positive", PL_KEY_TEXT, F(data_positive),
     .help = "file of rankings (PrefLib .soc, or a permutation per line) whose ballots make the "
             "samples +1 of data.kind rankings"},
    {"data.negative", PL_KEY_TEXT, F(data_negative), .help = "file of rankings of the samples -1"},
    {"data.ballots", PL_KEY_INT, F(data_ballots), .fallback = "10", .min = 1, .max = 1e6,
     .help = "ballots m in a sample of rankings: x(pi) is how many of them are pi"},
    {"data.sampling", PL_KEY_CHOICE, F(data_sampling), .fallback = "bootstrap", .choice = samplings,
     .help = "ballots of a sample: drawn with replacement, or the next m of all, shuffled once"},
    {"data.center", PL_KEY_BOOL, F(data_center), .fallback = "true",
     .help = "subtract m/|G| from samples of rankings, which leaves the deviation from uniform "
             "ballots"},
    {"data.seed", PL_KEY_INT, F(data_seed), .min = 0, .max = 0x1p53,
     .help = "seed of the data (default: seed); one value gives all runs the same data"},
    {"loss", PL_KEY_CHOICE, F(loss), .fallback = "exponential", .choice = losses,
     .help = "loss, a mean over the samples"},
    {"optimizer.kind", PL_KEY_CHOICE, F(optimizer_kind), .fallback = "gd", .choice = pl_optim_name,
     .help = "optimiser; ngd divides the gradient by its norm"},
    {"optimizer.lr", PL_KEY_REAL, F(lr), "0.01", POSITIVE, .help = "learning rate"},
    {"optimizer.growth.factor", PL_KEY_REAL, F(growth_factor), "1", POSITIVE,
     .help = "the learning rate is multiplied by this .."},
    {"optimizer.growth.every", PL_KEY_INT, F(growth_every), .fallback = "100", .min = 1,
     .max = MANY, .units = "steps", .help = ".. every so many steps"},
    {"optimizer.domain", PL_KEY_CHOICE, F(optimizer_domain), .fallback = "group", .choice = domains,
     .help = "coordinates of adagrad, rmsprop and adam: filter values over G, or Fourier entries"},
    {"optimizer.granularity", PL_KEY_CHOICE, F(optimizer_granularity), .fallback = "coordinate",
     .choice = granularities,
     .help = "one conditioner per coordinate, per layer and irrep, or for everything"},
    {"optimizer.epsilon", PL_KEY_REAL, F(epsilon), "1e-08", POSITIVE,
     .help = "epsilon of adagrad, rmsprop and adam"},
    {"optimizer.epsilon_inside", PL_KEY_BOOL, F(epsilon_inside), .fallback = "true",
     .help = "epsilon inside the root, sqrt(epsilon + v), or sqrt(v) + epsilon"},
    {"optimizer.beta1", PL_KEY_REAL, F(beta1), "0.9", .min = 0, .max = BELOW_ONE,
     .help = "decay of adam's mean gradient; 0: conditioner only"},
    {"optimizer.beta2", PL_KEY_REAL, F(beta2), "0.999", .min = 0, .max = BELOW_ONE,
     .help = "decay of the mean square of rmsprop and adam"},
    {"optimizer.momentum", PL_KEY_REAL, F(momentum), "0.9", .min = 0, .max = BELOW_ONE,
     .help = "decay of the gradient of momentum and muon"},
    {"optimizer.freeze_loss", PL_KEY_REAL, F(freeze_loss), .fallback = "0", .min = 0,
     .max = DBL_MAX, .help = "below this loss: conditioner frozen, normalised steps (0: never)"},
    {"steps", PL_KEY_INT, F(steps), .fallback = "1000", .min = 1, .max = MANY,
     .help = "steps of training"},
    {"stop.loss", PL_KEY_REAL, F(stop_loss), .fallback = "0", .min = 0, .max = DBL_MAX,
     .help = "stop when the loss falls below this (0: never)"},
    {"record.schedule", PL_KEY_CHOICE, F(record_schedule), .fallback = "log", .choice = schedules,
     .help = "how the recorded steps are spaced"},
    {"record.points", PL_KEY_INT, F(record_points), .fallback = "100", .min = 2, .max = 1e7,
     .help = "number of records, start and end included"},
    {"record.steps", PL_KEY_INTS, F(record_steps), .fallback = "", .min = 0, .max = MANY,
     .ascending = true, .help = "recorded steps, instead of a schedule"},
    {"record.irreps", PL_KEY_BOOL, F(record_irreps),
     .help = "record the variables on (run, record, irrep) (default: up to 10^4 irreps)"},
    {"record.spectrum", PL_KEY_BOOL, F(record_spectrum), .fallback = "false",
     .help = "record all singular values"},
    {"record.beta", PL_KEY_BOOL, F(record_beta), .fallback = "false",
     .help = "record beta over G (one group per sweep, order up to 10^6)"},
    {"record.exponents", PL_KEY_REALS, F(record_exponents), "[1]", POSITIVE,
     .help = "also record the Schatten value at these exponents"},
    {"record.kkt", PL_KEY_BOOL, F(record_kkt), .fallback = "false",
     .help = "record residuals of the optimality conditions (N x N Gram matrix of gradients)"},
    {"record.final", PL_KEY_BOOL, F(record_final), .fallback = "false",
     .help = "write each run's final filters, usable as model.init.path"},
    {"checkpoint.every", PL_KEY_REAL, F(checkpoint_every), .fallback = "10", .min = 0, .max = MANY,
     .whole = true, .adjustable = true, .units = "min",
     .help = "save running runs every so many minutes (0: only when stopped)"},
    {"seed", PL_KEY_INT, F(seed), .fallback = "0", .min = 0, .max = 0x1p53, .range = true,
     .help = "seed of filters and data; integers or a range such as 0..9"},
    {"mapping.team", PL_KEY_INT, F(team), .min = 1, .max = 1e6, .adjustable = true,
     .help = "ranks that share a run (default: the planner chooses)"},
    {"mapping.grid_min_dim", PL_KEY_INT, F(grid_min_dim), .min = 1, .max = MANY, .adjustable = true,
     .help = "smallest irrep that may be spread over a grid of ranks (default: measured)"},
    {"mapping.block", PL_KEY_INT, F(grid_block), .min = 1, .max = 4096, .adjustable = true,
     .help = "block size on grids (default: min(64, ceil(d / (2 max(p, q)))))"},
    {"mapping.grid_ranks", PL_KEY_INT, F(grid_ranks), .min = 2, .max = 1e6, .adjustable = true,
     .help = "ranks of every grid (default: in proportion to each irrep's work)"},
};
const int pl_num_keys = sizeof pl_keys / sizeof *pl_keys;

const pl_key *pl_key_find(const char *name) {
  for (int i = 0; i < pl_num_keys; i++)
    if (!strcmp(pl_keys[i].name, name)) return &pl_keys[i];
  return NULL;
}

void pl_key_expects(const pl_key *key, char *buf, size_t n) {
  bool list = key->type >= PL_KEY_INTS;
  size_t used = 0;
  switch (key->type) {
  case PL_KEY_CHOICE:
    used = (size_t)snprintf(buf, n, "one of ");
    for (int i = 0; key->choice(i) && used < n; i++)
      used += (size_t)snprintf(buf + used, n - used, "%s%s", i ? ", " : "", key->choice(i));
    return;
  case PL_KEY_BOOL:
    snprintf(buf, n, "true or false");
    return;
  case PL_KEY_TEXT:
    snprintf(buf, n, "text");
    return;
  case PL_KEY_TEXTS:
    snprintf(buf, n, "a list of texts");
    return;
  case PL_KEY_INT:
  case PL_KEY_INTS:
    used = (size_t)snprintf(buf, n, "%s from %.0f to %.0f",
                            list ? "a list of integers" : "an integer", key->min, key->max);
    break;
  case PL_KEY_REAL:
  case PL_KEY_REALS:
    used = (size_t)snprintf(buf, n, "%s %s", list ? "a list of numbers" : "a number",
                            key->min == 0 ? ">= 0" : "> 0");
    break;
  }
  if (key->range && used < n) used += (size_t)snprintf(buf + used, n - used, ", or a range a..b");
  if (key->word && used < n) snprintf(buf + used, n - used, ", or \"%s\"", key->word);
}
