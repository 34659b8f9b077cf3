/* What one run is: the values of every key of the sweep file, and the one table of keys that
 * parsing, checking, help and the echo into the output all read.
 *
 * A new option is one field here and one row in src/model/spec.c. */
#ifndef PL_MODEL_SPEC_H
#define PL_MODEL_SPEC_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_UNSET INT64_MIN /* an optional integer that was not given; optional reals are NaN */

typedef struct pl_ints {
  int n;
  const int64_t *v;
} pl_ints;
typedef struct pl_reals {
  int n;
  const double *v;
} pl_reals;
typedef struct pl_texts {
  int n;
  const char *const *v;
} pl_texts;

enum { PL_INNER_BAND, PL_INNER_GROUP };
enum { PL_POOLING_NONE, PL_POOLING_MEAN };
enum { PL_INIT_GAUSSIAN, PL_INIT_UNIFORM, PL_INIT_FILE };
enum {
  PL_DATA_GAUSSIAN,
  PL_DATA_SPARSE,
  PL_DATA_IRREP,
  PL_DATA_FILE,
  PL_DATA_TEACHER,
  PL_DATA_IDX,
  PL_DATA_RANKINGS
};
enum { PL_SAMPLING_BOOTSTRAP, PL_SAMPLING_BLOCKS };
enum { PL_LOSS_EXPONENTIAL, PL_LOSS_LOGISTIC };
enum { PL_DOMAIN_GROUP, PL_DOMAIN_FOURIER };
enum { PL_GRAIN_COORDINATE, PL_GRAIN_IRREP, PL_GRAIN_SCALAR };
enum { PL_SCHEDULE_LOG, PL_SCHEDULE_LINEAR };

/* Strings and lists are borrowed from the sweep configuration. */
typedef struct pl_spec {
  const char *title, *group;
  int64_t band_codepth, band_inner; /* PL_UNSET: the whole group */
  int64_t model_kind;               /* choices: row of the table concerned */
  int64_t model_depth, model_pooling;
  int64_t init_kind;
  double init_scale, init_readout_scale; /* read-out NaN: as init_scale */
  const char *init_path;                 /* NULL: not given */
  int64_t data_kind, data_samples, data_nonzeros, data_seed;
  double data_scale; /* 0: unit norm; NaN: not given (unit, or 1 for files) */
  pl_texts data_irreps;
  const char *data_path, *data_labels;
  pl_ints data_digits;
  const char *data_positive, *data_negative;
  int64_t data_ballots, data_sampling, data_center;
  int64_t data_rank, data_test;
  double data_margin;
  int64_t loss;
  int64_t optimizer_kind;
  int64_t optimizer_domain, optimizer_granularity, epsilon_inside;
  double epsilon, beta1, beta2, momentum, freeze_loss;
  double lr, growth_factor;
  int64_t growth_every;
  int64_t steps;
  double stop_loss;
  int64_t record_schedule, record_points;
  pl_ints record_steps;  /* n = 0: by schedule */
  int64_t record_irreps; /* 0, 1 or PL_UNSET: by the number of irreps */
  int64_t record_spectrum, record_beta, record_final, record_kkt;
  pl_reals record_exponents;
  double checkpoint_every; /* minutes */
  int64_t seed;
  int64_t team, grid_min_dim, grid_block,
      grid_ranks; /* mapping.*; PL_UNSET: by measurement and size */
} pl_spec;

typedef enum {
  PL_KEY_INT,    /* int64_t */
  PL_KEY_REAL,   /* double */
  PL_KEY_BOOL,   /* int64_t: 0 or 1 */
  PL_KEY_CHOICE, /* int64_t: index of the word among the choices */
  PL_KEY_TEXT,   /* const char * */
  PL_KEY_INTS,   /* pl_ints; a list is one value, a list of lists is swept */
  PL_KEY_REALS,  /* pl_reals */
  PL_KEY_TEXTS   /* pl_texts */
} pl_key_type;

typedef struct pl_key {
  const char *name; /* "optimizer.growth.factor" */
  pl_key_type type;
  size_t field;                 /* offset in pl_spec */
  const char *fallback;         /* default, as in a sweep file; NULL: unset; "": empty text/list */
  double min, max;              /* inclusive; numbers and list entries */
  const char *(*choice)(int i); /* PL_KEY_CHOICE: word i, NULL past the last */
  const char *word;             /* a word accepted in place of a number, stored as word_value */
  double word_value;
  bool required;
  bool range;      /* accepts "first..last", which is swept */
  bool whole;      /* one value for the whole sweep: may not be a list */
  bool ascending;  /* PL_KEY_INTS: each entry above the one before it */
  bool adjustable; /* may change on --resume: touches no results */
  const char *units, *help;
} pl_key;

/* The table, in the order of documentation. */
extern const pl_key pl_keys[];
extern const int pl_num_keys;
/* The key called name, or NULL. */
const pl_key *pl_key_find(const char *name);
/* "a positive integer up to 16", "one of gd, ngd": what a key accepts, for messages and help. */
void pl_key_expects(const pl_key *key, char *buf, size_t n);

#endif
