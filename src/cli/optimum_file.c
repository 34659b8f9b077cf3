#include "optimum_file.h"

#include "base/file.h"
#include "base/mem.h"
#include "run/inputs.h"
#include "run/record.h"

#include <unistd.h>

/* Solving shows no life meanwhile. */
static const double LONGEST_SOLVE = 3600; /* s */

static pl_status begin_into(optimum_file *f, const pl_config *cfg) {
  pl_recorder *rec;
  PL_TRY(pl_lock_take(f->into, 0, NULL, &f->taken));
  PL_TRY(pl_lock_promise(f->taken, LONGEST_SOLVE));
  PL_TRY(pl_recorder_open(f->into, false, cfg, &rec));
  return pl_recorder_close(rec);
}

pl_status optimum_file_begin(optimum_file *f, const pl_config *cfg, const char *sweep_file) {
  const char *const read[] = {sweep_file, f->into};
  if (f->output) {
    PL_TRY(pl_inputs_apart(cfg, f->output));
    PL_TRY(pl_output_begin(&f->own, f->output, f->overwrite, 2, read));
    PL_TRY(pl_lock_promise(f->own.lock, LONGEST_SOLVE));
  }
  return f->into ? begin_into(f, cfg) : PL_OK;
}

void optimum_file_end(optimum_file *f) {
  pl_output_end(&f->own, PL_OK);
  pl_lock_release(f->taken);
  f->taken = NULL;
}

static pl_status define(pl_nc *nc) {
  const char *dims[] = {"run", NULL};
  if (pl_nc_var(nc, "optimum", NULL, NULL, NULL, 0) < 0) {
    PL_TRY(pl_nc_def_var(nc, "optimum", PL_NC_DOUBLE, dims,
                         "normalised margin (S_1) of a beta within the tolerance of the best",
                         "1"));
    PL_TRY(pl_nc_def_var(nc, "optimum_bound", PL_NC_DOUBLE, dims,
                         "upper bound of the normalised margin (S_1) of any beta", "1"));
  }
  if (pl_nc_var(nc, "separable", NULL, NULL, NULL, 0) < 0) {
    PL_TRY(pl_nc_def_var(nc, "separable", PL_NC_BYTE, dims,
                         "some beta classifies every training sample (proved)", "1"));
    PL_TRY(pl_nc_att_ints(nc, "separable", "_FillValue", PL_NC_BYTE, (int[]){-1}, 1));
    PL_TRY(pl_nc_att_ints(nc, "separable", "flag_values", PL_NC_BYTE, (int[]){0, 1}, 2));
    PL_TRY(pl_nc_att_text(nc, "separable", "flag_meanings", "no yes"));
  }
  return pl_nc_end_def(nc);
}

static pl_status put(pl_nc *nc, const double *margin, const double *bound,
                     const double *separable) {
  PL_TRY(pl_nc_put_doubles(nc, "optimum", NULL, NULL, margin));
  PL_TRY(pl_nc_put_doubles(nc, "optimum_bound", NULL, NULL, bound));
  return pl_nc_put_doubles(nc, "separable", NULL, NULL, separable);
}

static pl_status write_own(optimum_file *f, const pl_config *cfg, const double *margin,
                           const double *bound, const double *separable) {
  PL_TRY(pl_output_create(&f->own, false));
  pl_nc *nc = f->own.nc;
  PL_TRY(pl_nc_def_dim(nc, "run", pl_config_num_runs(cfg)));
  PL_TRY(pl_nc_att_text(nc, NULL, "title", "Largest normalised margins at depth 2"));
  PL_TRY(pl_nc_att_text(nc, NULL, "sweep", pl_config_text(cfg)));
  PL_TRY(pl_nc_att_text(nc, NULL, "sweep_set", pl_config_sets(cfg)));
  pl_inputs_define(nc, cfg);
  PL_TRY(define(nc));
  return put(nc, margin, bound, separable);
}

/* A copy of the sweep's output that has them: its header grows, so its data move. */
static pl_status extend(const char *copy, const double *margin, const double *bound,
                        const double *separable) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(copy, true, &nc));
  pl_status st = pl_nc_redefine(nc);
  if (!st) st = define(nc);
  if (!st) st = put(nc, margin, bound, separable);
  if (!st) return pl_nc_close(nc);
  /* Closing would replace the message. */
  char *message = pl_strdup(pl_error_message());
  pl_nc_close(nc);
  pl_error(st, "%s", message);
  pl_free(message);
  return st;
}

static pl_status write_into(optimum_file *f, const double *margin, const double *bound,
                            const double *separable) {
  char *copy, *target = pl_file_target(f->into);
  pl_status st = pl_file_copy_beside(target, target, &copy);
  if (!st) {
    st = extend(copy, margin, bound, separable);
    if (!st) st = pl_lock_confirm(f->taken);
    if (st)
      unlink(copy);
    else
      st = pl_file_replace(copy, target, NULL);
    pl_free(copy);
  }
  pl_free(target);
  return st;
}

pl_status optimum_file_write(optimum_file *f, const pl_config *cfg, const double *margin,
                             const double *bound, const double *separable) {
  if (f->output) PL_TRY(pl_output_end(&f->own, write_own(f, cfg, margin, bound, separable)));
  return f->into ? write_into(f, margin, bound, separable) : PL_OK;
}
