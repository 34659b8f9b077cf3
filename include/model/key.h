/* Keys of the sweep file, in tables by owner.  A network, a kind of data, an optimiser each name
 * the tables of the keys that they read; what every run has stands in the common table
 * (model/spec.c).  Parsing, checking, help, planning, resuming and the echo into the output all
 * read these rows, nothing lists keys by hand.  A new key is one field and one row.
 *
 * Rows of one name may stand in several tables (model.depth of two networks): they then agree in
 * type, range and what they touch, and may differ in default, bounds, words and help. */
#ifndef PL_MODEL_KEY_H
#define PL_MODEL_KEY_H

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

/* What another value of the key changes: bits. */
enum {
  PL_COST = 1,    /* time or memory of a run, or what it records */
  PL_DATA = 2,    /* the samples */
  PL_RESULTS = 4, /* what is in the output; a key without it may change on --resume */
  PL_GROWS = 8,   /* beside it: how far a run goes; may grow on --extend */
};

typedef struct pl_key {
  const char *name; /* "optimizer.growth.factor" */
  pl_key_type type;
  size_t field;                 /* offset in the struct of the table's place */
  int touches;                  /* PL_COST | PL_DATA | PL_RESULTS | PL_GROWS */
  const char *fallback;         /* default, as in a sweep file; NULL: unset; "": empty text/list */
  double min, max;              /* inclusive; numbers and list entries */
  const char *(*choice)(int i); /* PL_KEY_CHOICE: word i, NULL past the last */
  const char *word;             /* a word accepted in place of a number, stored as word_value */
  double word_value;
  bool required;
  bool range;     /* accepts "first..last", which is swept */
  bool whole;     /* one value for the whole sweep: may not be a list */
  bool ascending; /* PL_KEY_INTS: each entry above the one before it */
  bool path;      /* PL_KEY_TEXT: names a file that the run reads */
  bool saved;     /* of a kind of data, but part of the network: apply asks the file of weights */
  /* PL_KEY_TEXT that may name files within: where the one at or behind `from` begins, and its
   * length; -1: there is no other. */
  int (*file)(const char *value, int from, int *length);
  /* Read only by runs whose key `with` has the word with_word: "model.init.kind", "file". */
  const char *with, *with_word;
  const char *units, *help;
} pl_key;

/* Where the values of a table stand: which struct of a run (model/spec.h). */
typedef enum {
  PL_IN_COMMON,
  PL_IN_NETWORK,
  PL_IN_DATA,
  PL_IN_OPTIMIZER,
  PL_NUM_PLACES
} pl_key_place;

/* A table. */
typedef struct pl_keys {
  pl_key_place place;
  int num;
  const pl_key *row;
} pl_keys;
#define PL_KEYS(place, rows)                                                                       \
  { place, (int)(sizeof(rows) / sizeof *(rows)), rows }

/* Another default of a key, for the runs of one owner. */
typedef struct pl_default {
  const char *key, *value;
} pl_default;

/* One function per list of words. */
#define PL_WORDS(name, ...)                                                                        \
  static const char *name(int i) {                                                                 \
    static const char *const words[] = {__VA_ARGS__};                                              \
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? words[i] : NULL;                   \
  }

/* Bytes of one value, and whether two are equal: numbers as numbers (unset equals unset), texts and
 * lists entry by entry.  Pure. */
size_t pl_value_size(const pl_key *key);
bool pl_value_equal(const pl_key *key, const void *a, const void *b);

/* "an integer from 2 to 16", "one of gd, ngd": what a key accepts, for messages and help. */
void pl_key_expects(const pl_key *key, char *buf, size_t n);

#endif
