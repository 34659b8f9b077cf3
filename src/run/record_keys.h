/* The keys of the sweep as variables of an output, on run.  Beside record_head.c only. */
#ifndef PL_RUN_RECORD_KEYS_H
#define PL_RUN_RECORD_KEYS_H

#include "base/nc.h"
#include "run/outline.h"

/* A key that is a variable of the file. */
typedef struct pl_key_variable {
  int key; /* its number in the sweep */
  char name[128];
  pl_nc_type type;
  int width;    /* PL_NC_CHAR: bytes of the longest text */
  bool missing; /* some run has no value: it does not own the key, or the key is not set */
} pl_key_variable;

/* *num of them, in the order of the sweep's keys; the caller frees them (pl_free).  Not those of
 * one value for the whole sweep, lists that are not swept, and keys that no run sets. */
pl_key_variable *pl_key_variables(const pl_config *cfg, const pl_outline *outline, int *num);
/* In define mode. */
void pl_key_variable_define(pl_nc *nc, const pl_config *cfg, const pl_key_variable *v);
/* The values of all runs; of `steps` those that follow from `epochs`. */
pl_status pl_key_variable_write(pl_nc *nc, const pl_config *cfg, const pl_outline *outline,
                                const pl_key_variable *v);
/* A dimension for texts of n bytes, defined once.  Returns name. */
const char *pl_text_dimension(pl_nc *nc, int n, char *name, size_t size);

#endif
