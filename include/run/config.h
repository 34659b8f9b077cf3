/* The sweep file: YAML text to a list of runs.
 *
 * Any scalar key may be a list: lists multiply into runs, in the order in which the keys stand in
 * the file, the last one fastest; `zip: [[key, key], ..]` names keys that advance together (equal
 * lengths), at the place of the first of them.  Keys nest (model: {depth: 3}) or are dotted
 * (model.depth: 3).  Values: defaults < file < command line (--set key.path=value, value in YAML).
 * A key given twice in the file is an error; of two --set of one key the last holds.
 *
 * A relative path in the file leads from the folder that the file is in, one in --set and in a
 * sweep on standard input from the working folder.  Values are kept, compared and echoed as
 * written; runs get paths as they lead from the working folder.
 *
 * A key means something to the runs whose network, kind of data or optimiser owns it (model/key.h),
 * and each owner reads it by its own row.  A key that no run of the sweep owns is an error, unless
 * --set chose another kind for once; a value must suit every owner among the runs that have it.
 * Limits: 16 MB of text, 10^6 values of one key, 10^7 runs.
 * Every error names file, line and key, and what was expected. */
#ifndef PL_RUN_CONFIG_H
#define PL_RUN_CONFIG_H

#include "base/comm.h"
#include "base/digest.h"
#include "model/spec.h"
#include "run/arena.h"

#include <stdio.h>

typedef struct pl_config pl_config;

/* Rank 0 reads path ("-": standard input) and every rank parses the same text.  sets: nsets
 * strings "key.path=value".  Collective; the same status and message everywhere.
 * PL_EINPUT: bad file, key, type, value, zip, or a sweep of zero runs; the file cannot be read. */
pl_status pl_config_read(const pl_comm *comm, const char *path, const char *const *sets, int nsets,
                         pl_config **out);
/* The same from text (len bytes); name stands in messages.  Local.  Safe on any input. */
pl_status pl_config_parse(const char *text, size_t len, const char *name, const char *const *sets,
                          int nsets, pl_config **out);
/* Where relative paths lead from, in the file and in --set; "": from the working folder. */
typedef struct pl_folders {
  const char *file, *set;
} pl_folders;
pl_status pl_config_parse_at(const char *text, size_t len, const char *name,
                             const pl_folders *folders, const char *const *sets, int nsets,
                             pl_config **out);
/* The same from attributes of the NetCDF file `name` alone, given as --set would be; messages say
 * "FILE: attribute KEY: ".  Paths lead from the working folder. */
pl_status pl_config_attributes(const char *name, const char *const *sets, int nsets,
                               pl_config **out);
void pl_config_free(pl_config *cfg);

int64_t pl_config_num_runs(const pl_config *cfg);
/* The values of run r (0..num_runs-1).  Strings and lists are borrowed from cfg. */
void pl_config_run(const pl_config *cfg, int64_t r, pl_spec *out);
/* Keep only n of the runs, ascending numbers in the whole sweep (copied): run r is from now on the
 * r-th of them.  Swept keys stay swept. */
void pl_config_select(pl_config *cfg, int64_t n, const int64_t *runs);
/* All runs again. */
void pl_config_select_all(pl_config *cfg);
/* How many runs the whole sweep has. */
int64_t pl_config_num_whole(const pl_config *cfg);
/* Of which shard the selected runs are, as --shard says, for the output; shards 0: not known. */
void pl_config_set_shard(pl_config *cfg, int64_t shard, int64_t shards);
void pl_config_shard(const pl_config *cfg, int64_t *shard, int64_t *shards);
/* The number that run r has in the whole sweep. */
int64_t pl_config_index(const pl_config *cfg, int64_t r);
bool pl_config_selected(const pl_config *cfg);

/* ---- the keys of the sweep: all that some run of it owns, by number 0..num_keys-1 ---- */

int pl_config_num_keys(const pl_config *cfg);
/* Its row in the table of the first owner. */
const pl_key *pl_config_key(const pl_config *cfg, int k);
/* The key's number; -1: no run owns it. */
int pl_config_find(const pl_config *cfg, const char *name);
/* Does it take more than one value in this sweep? */
bool pl_config_swept(const pl_config *cfg, int k);
/* The value that run r has, as the row of its owner types it; NULL where run r does not own the
 * key.  A choice is an index into the words of that owner's row: *row, unless row is NULL. */
const void *pl_config_typed(const pl_config *cfg, int64_t r, int k, const pl_key **row);
/* A text as the run uses it: paths lead from the working folder.  NULL: not a text, or not owned.
 * Points to a const char *, which may be NULL. */
const void *pl_config_used(const pl_config *cfg, int64_t r, int k);
/* The value as YAML text ("3", "gd", "[1, 2]"; "" when unset or not owned), for the echo into the
 * output.  Text is quoted where YAML needs it.  As snprintf. */
int pl_config_value(const pl_config *cfg, int64_t r, int k, char *buf, size_t n);

/* Runs that agree in every key that touches any of `touches` (PL_COST, ..): class_of[r] is the
 * number of run r's class, counted in order of first appearance; returns how many there are.
 * Local. */
int64_t pl_config_classes(const pl_config *cfg, int touches, int64_t *class_of);
/* Do both describe the same whole sweep, up to keys that touch no results?  PL_EINPUT names the
 * first key that differs, with both values. */
pl_status pl_config_same(const pl_config *was, const pl_config *now);
/* Where the runs of an earlier sweep stand in one that extends it: run r of the whole of was has
 * the same values as run place[r] of the whole of now in every key that it owns and that touches
 * results; keys that may grow (PL_GROWS) are left to the caller where neither sweeps them.
 * PL_EINPUT names the key of a run that now lacks.  Local. */
pl_status pl_config_match(const pl_config *was, const pl_config *now, int64_t *place);
/* The same sweep, nothing selected, with one more --set. */
pl_status pl_config_with(const pl_config *cfg, const char *set, pl_config **out);
/* Put "FILE:LINE: KEY: " (or "--set KEY: ", or "FILE: KEY: " for a default) before the current
 * error message, for trouble with the value that key has in run r that shows only later (a group
 * that does not parse, a data file of the wrong size).  Returns st. */
pl_status pl_config_blame(const pl_config *cfg, int64_t r, const char *key, pl_status st);

/* The whole text of the sweep file, and the --set values, one per line (run/lines.h): for the
 * output's attributes.  Borrowed. */
const char *pl_config_text(const pl_config *cfg);
const char *pl_config_sets(const pl_config *cfg);
/* The folder that relative paths of the file, or of --set, lead from, as it is from anywhere.  The
 * caller frees it. */
char *pl_config_folder(const pl_config *cfg, bool of_set);

/* ---- the files that it reads (run/inputs.h) ---- */

/* A file, by the key and the path as written, when it was looked at. */
typedef struct pl_input {
  const char *key, *path, *used;
  pl_digest digest;
} pl_input;
typedef struct pl_inputs {
  int64_t num;
  const pl_input *v;
} pl_inputs;

/* None before pl_inputs_take. */
const pl_inputs *pl_config_inputs(const pl_config *cfg);
void pl_config_set_inputs(pl_config *cfg, const pl_inputs *inputs);
/* What lives as long as cfg. */
pl_arena *pl_config_arena(pl_config *cfg);

#endif
