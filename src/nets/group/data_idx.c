/* Images from IDX files. */
#include "base/mem.h"
#include "data_keys.h"
#include "idx.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

/* All images, on rank 0 of the team. */
static pl_status begin(pl_source *s) {
  const pl_layout *l = s->layout;
  pl_status st = PL_OK;
  if (l->team.rank == 0) {
    int64_t doubles = s->spec->common.samples * pl_group_order(l->group);
    s->own = pl_alloc((size_t)doubles, sizeof(double), "images over the group");
    st = idx_read(s->spec, l->group, s->seed, s->own);
  }
  return pl_agree(&l->team, st);
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  (void)part;
  (void)y;
  const double *images = s->own;
  pl_transform_scatter(s->transform, images ? images + i * pl_group_order(s->layout->group) : NULL,
                       s->f);
  pl_transform_forward(s->transform, s->f, F);
  return PL_OK;
}

static void end(pl_source *s) {
  pl_free(s->own);
}

static const char *fits(const pl_spec *spec) {
  const pl_ints *digits = &pl_group_data_of(spec)->digits;
  if (digits->n == 2 && digits->v[0] != digits->v[1]) return NULL;
  pl_error(PL_EINPUT, "expected two different labels, such as [1, 5]");
  return "data.digits";
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of images, may be packed (.gz)"},
    {"data.labels", PL_KEY_TEXT, DATA_FIELD(labels), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of labels"},
    {"data.digits", PL_KEY_INTS, DATA_FIELD(digits), DATA_ALL, "[1, 5]", .min = 0, .max = 255,
     .help = "the two labels that become +1 and -1; images are averaged to m x m pixels and turned "
             "by the symmetries of C_m x C_m, p4_m, p4m_m or C_m x C_m x D_4"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&data_alone_keys, &data_scale_keys, &table, NULL};

const pl_group_data pl_data_idx = {
    .base = {.name = "idx",
             .help = "images of two classes from IDX files (MNIST), chosen at random",
             .keys = keys,
             .write_data = pl_group_data_write,
             .fits = fits,
             .count = data_alone_count},
    .over_group = true,
    .check = idx_check,
    .begin = begin,
    .sample = sample,
    .end = end,
};
