/* Who reads what: for each cast (network, kind of data, optimiser) that runs of a sweep have, every
 * key that it owns, by its own row, with the values it takes.  Beside config.c only. */
#ifndef PL_RUN_ROLES_H
#define PL_RUN_ROLES_H

#include "columns.h"

/* One key of a cast. */
typedef struct pl_role {
  const pl_key *row;
  pl_key_place place;
  int key;           /* its number among the keys of the sweep */
  pl_column *column; /* NULL: the default */
  const char *value; /* the typed values of the column, or the default */
  const char *used;  /* the same as runs use them: with relative paths led to their folder */
} pl_role;

typedef struct pl_cast {
  const struct pl_model_kind *model;
  const struct pl_data_kind *data;
  int optimizer;
  int num_roles;
  pl_role *role;
  int *role_of; /* [keys of the sweep]: number of its role; -1: none */
  pl_spec spec; /* with the defaults filled in */
} pl_cast;

typedef struct pl_sweep_key {
  const pl_key *row; /* of its first owner */
  pl_column *column; /* NULL: not given */
} pl_sweep_key;

typedef struct pl_roles {
  int num_casts;
  pl_cast *cast;
  int num_keys;
  pl_sweep_key *key;
  int num_models, num_data, num_optimizers; /* words of the three kinds */
  int *cast_of;                             /* [model][data, the last: default][optimizer] */
  const pl_column *kind[3];                 /* model.kind, data.kind, optimizer.kind; NULL */
  const int64_t *word[3];                   /* their values; the default */
} pl_roles;

/* Find the casts and bind the columns to them.  PL_EINPUT with place: a value that does not suit an
 * owner, a key that is missing or that nobody reads, a kind of data that a network does not take.
 */
pl_status pl_roles_bind(pl_roles *r, const pl_columns *c);
/* The number of a key among those of the sweep; -1: no run has it. */
int pl_roles_number(const pl_roles *r, const char *name);
/* The cast of a run of the whole sweep. */
const pl_cast *pl_roles_cast(const pl_roles *r, int64_t run);
/* The cast of the same network, kind of data and optimiser in another sweep; NULL: none. */
const pl_cast *pl_roles_twin(const pl_roles *other, const pl_cast *cast);
/* The typed value of a role in a run: as written, and as the run uses it. */
const void *pl_role_value(const pl_role *role, int64_t run);
const void *pl_role_used(const pl_role *role, int64_t run);
/* The role that a key has in a cast; NULL: none. */
const pl_role *pl_cast_role(const pl_cast *cast, int key);

#endif
