/* Talking about the keys of the whole zoo: all networks, kinds of data and optimisers.  Local. */
#ifndef PL_RUN_KEYS_H
#define PL_RUN_KEYS_H

#include "model/spec.h"
#include "run/arena.h"

/* Who reads a row. */
typedef enum { PL_OWNER_ALL, PL_OWNER_MODEL, PL_OWNER_DATA, PL_OWNER_OPTIMIZER } pl_owner;

typedef struct pl_owned {
  const pl_key *row;
  pl_key_place place;
  pl_owner owner;
  const char *name; /* of the owner: a word of model.kind, data.kind or optimizer.kind */
} pl_owned;

/* Every row with every owner, those of all runs first, then in the order of the zoo.  The list is
 * the arena's. */
const pl_owned *pl_keys_list(pl_arena *arena, int *num);
/* The first row of that name; NULL: there is none. */
const pl_key *pl_keys_find(const pl_owned *list, int num, const char *name);
/* The key that someone who wrote name most likely meant, or NULL when none is near. */
const char *pl_keys_nearest(const pl_owned *list, int num, const char *name);
/* PL_EINPUT: there is no such key; says which one is near. */
pl_status pl_keys_unknown(const pl_owned *list, int num, const char *name);
/* Does some key stand beneath name, as model.depth beneath model? */
bool pl_keys_section(const pl_owned *list, int num, const char *name);
/* "model.kind egnn, pointer; data.kind file": who reads the key; with a help text, by the rows that
 * say so.  Returns buf. */
const char *pl_keys_owners(const pl_owned *list, int num, const char *name, const char *help,
                           char *buf, size_t n);

/* The default of a row for runs of this network and kind of data. */
const char *pl_keys_fallback(const pl_key *row, const struct pl_model_kind *model,
                             const struct pl_data_kind *data);
/* "4; 7 for data.kind molecules": the network's default of a row ("-": none), and those of its
 * kinds of data that have another.  Returns buf. */
const char *pl_keys_defaults(const pl_key *row, const struct pl_model_kind *model, char *buf,
                             size_t n);

#endif
