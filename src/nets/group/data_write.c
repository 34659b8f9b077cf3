/* The samples of a run into a file that data.kind file reads. */
#include "base/mem.h"
#include "base/nc.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "spectral/packed.h"

#include <string.h>

/* What the samples are written with, all on one rank. */
typedef struct sheet {
  pl_group *group;
  pl_layout *layout;
  pl_transform *transform; /* NULL in a band */
  pl_packed *packed;
  double *F, *f; /* a spectrum; a function over G, NULL in a band */
  pl_data *data;
} sheet;

static pl_status prepare(const pl_spec *spec, sheet *s) {
  *s = (sheet){0};
  PL_TRY(pl_group_of(spec, NULL, &s->group));
  PL_TRY(pl_layout_alone(s->group, &s->layout));
  s->packed = pl_packed_new(s->layout);
  s->F = pl_zalloc((size_t)s->layout->local, sizeof *s->F, "a spectrum");
  if (!pl_group_codepth(s->group)) {
    PL_TRY(pl_transform_new(s->layout, &s->transform));
    s->f = pl_alloc((size_t)pl_group_order(s->group), sizeof *s->f, "a function over G");
  }
  return pl_data_new(spec, s->layout, PL_DATA_KEEP, s->transform, s->f, s->F, &s->data);
}

static void finish(sheet *s) {
  pl_data_free(s->data);
  pl_free(s->F);
  pl_free(s->f);
  if (s->packed) pl_packed_free(s->packed);
  pl_transform_free(s->transform);
  pl_layout_free(s->layout);
  pl_group_free(s->group);
}

static int64_t row_length(const sheet *s) {
  return s->transform ? pl_group_order(s->group) : pl_packed_doubles(s->packed);
}

/* Sample i of a part, over the elements or the components of the band; row: its room. */
static void sample_row(sheet *s, const pl_samples *part, int64_t i, double **stacks, double *row) {
  const pl_layout *l = s->layout;
  for (int k = 0; k < l->num_stacks; k++) {
    const pl_stack *b = &l->stacks[k];
    stacks[k] = s->F + b->offset;
    memcpy(stacks[k], pl_samples_stack(part, b) + i * pl_data_stride(b),
           (size_t)pl_stack_doubles(b) * sizeof *row);
  }
  if (s->transform) {
    pl_transform_inverse(s->transform, s->F, s->f);
    pl_transform_gather(s->transform, s->f, row);
  } else {
    pl_packed_gather(s->packed, stacks, 0, row_length(s), row);
  }
}

static const char *name_of(const sheet *s) {
  return s->transform ? "x" : "x_fourier";
}

static pl_status define(const sheet *s, int64_t n, const pl_attribute *attributes, int num,
                        pl_nc *nc) {
  const char *dim = s->transform ? "element" : "component";
  const char *dims[] = {"sample", dim, NULL}, *alone[] = {"sample", NULL};
  PL_TRY(pl_nc_def_dim(nc, "sample", n));
  PL_TRY(pl_nc_def_dim(nc, dim, row_length(s)));
  PL_TRY(pl_nc_def_var(nc, name_of(s), PL_NC_DOUBLE, dims,
                       s->transform ? "samples over the group"
                                    : "Fourier coefficients of the samples: irreps of the band in "
                                      "order, matrices row-major",
                       "1"));
  PL_TRY(pl_nc_def_var(nc, "y", PL_NC_BYTE, alone, "label: +1 or -1", "1"));
  PL_TRY(
      pl_nc_def_var(nc, "split", PL_NC_BYTE, alone, "part: 0 training, 1 validation, 2 test", "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static pl_status put_part(sheet *s, pl_part p, int64_t first, double *row, pl_nc *nc) {
  const pl_samples *part = &s->data->part[p];
  double **stacks = pl_alloc((size_t)s->layout->num_stacks, sizeof *stacks, "stacks");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < part->num && !st; i++) {
    int64_t at[] = {first + i, 0}, one[] = {1, row_length(s)}, split = p, y = (int64_t)part->y[i];
    sample_row(s, part, i, stacks, row);
    st = pl_nc_put_doubles(nc, name_of(s), at, one, row);
    if (!st) st = pl_nc_put_ints(nc, "y", at, one, &y);
    if (!st) st = pl_nc_put_ints(nc, "split", at, one, &split);
  }
  pl_free(stacks);
  return st;
}

static pl_status write_file(sheet *s, const char *path, const pl_attribute *attributes, int num) {
  pl_nc *nc;
  int64_t n = 0, first = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++) n += s->data->part[p].num;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  double *row = pl_alloc((size_t)row_length(s), sizeof *row, "a sample");
  pl_status st = define(s, n, attributes, num, nc);
  for (int p = 0; p < PL_NUM_PARTS && !st; first += s->data->part[p++].num)
    st = put_part(s, (pl_part)p, first, row, nc);
  pl_free(row);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

/* One rank does it: what is written has passed through it anyway. */
pl_status pl_group_data_write(const pl_spec *spec, const pl_comm *team, const char *path,
                              const pl_attribute *attributes, int num) {
  pl_status st = PL_OK;
  if (team->rank == 0) {
    sheet s;
    st = prepare(spec, &s);
    if (!st) st = write_file(&s, path, attributes, num);
    finish(&s);
  }
  return pl_agree(team, st);
}
