/* Gaussian samples that a teacher labels. */
#include "base/mem.h"
#include "base/rng.h"
#include "data_keys.h"
#include "draw.h"
#include "listed_irreps.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "teacher.h"

#include <float.h>

typedef struct school {
  int64_t *packed, *irreps;
  double *teacher;
} school;

static pl_status begin(pl_source *s) {
  const pl_layout *l = s->layout;
  school *own = s->own = pl_zalloc(1, sizeof *own, "teacher");
  own->irreps = pl_alloc((size_t)listed_irreps_num(s->spec), sizeof *own->irreps, "irreps");
  PL_TRY(listed_irreps_find(s->spec, l->group, own->irreps));
  own->packed = draw_packed_offsets(l->group);
  own->teacher = pl_alloc((size_t)l->local, sizeof *own->teacher, "teacher");
  teacher_draw(s->spec, l, own->packed, s->seed, own->irreps, own->teacher);
  return PL_OK;
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  const school *own = s->own;
  draw_gaussian(s->layout, own->packed, s->seed, PL_STREAM(PL_STREAM_SAMPLE, draw_member(part, i)),
                1, pl_group_volume(s->layout->group), F);
  *y = teacher_label(s->spec, s->layout, own->teacher, F);
  return PL_OK;
}

static void end(pl_source *s) {
  school *own = s->own;
  pl_free(own->packed);
  pl_free(own->irreps);
  pl_free(own->teacher);
  pl_free(own);
}

static pl_status check(const pl_spec *spec, const pl_group *g, const char **key) {
  int n = listed_irreps_num(spec);
  int64_t *irreps = pl_alloc((size_t)n, sizeof *irreps, "irreps");
  *key = "data.irreps";
  pl_status st = listed_irreps_find(spec, g, irreps);
  for (int k = 0; k < n && !st; k++) {
    pl_irrep r = pl_group_irrep(g, irreps[k]);
    int64_t most = r.type == PL_QUATERNIONIC ? r.dim / 2 : r.dim;
    if (pl_group_data_of(spec)->rank <= most) continue;
    *key = "data.rank";
    st = pl_error(PL_EINPUT, "irrep \"%s\" has rank up to %lld%s",
                  pl_group_data_of(spec)->irreps.v[k], (long long)most,
                  r.type == PL_QUATERNIONIC ? " over the quaternions" : "");
  }
  pl_free(irreps);
  return st;
}

static const pl_key rows[] = {
    {"data.rank", PL_KEY_INT, DATA_FIELD(rank), DATA_DRAWN, "1", .min = 1, .max = 1e9,
     .help = "rank of the teacher on each of data.irreps"},
    {"data.margin", PL_KEY_REAL, DATA_FIELD(margin), DATA_DRAWN, "0.5", .min = 0, .max = DBL_MAX,
     .help = "samples are pushed so many standard deviations off the teacher's hyperplane"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &data_scale_keys, &data_irreps_keys, &table,
                                      NULL};
static const pl_default defaults[] = {{"data.test", "1000"}, {NULL, NULL}};

const pl_group_data pl_data_teacher = {
    .base = {.name = "teacher",
             .help = "Gaussian functions, labelled by a linear teacher of low rank on a few irreps",
             .keys = keys,
             .write_data = pl_group_data_write,
             .defaults = defaults,
             .fits = listed_irreps_fits},
    .check = check,
    .begin = begin,
    .sample = sample,
    .end = end,
};
