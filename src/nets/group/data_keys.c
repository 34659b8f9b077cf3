#include "data_keys.h"

#include "nets/group/keys.h"

#include <float.h>

static const pl_key scale_rows[] = {
    {"data.scale", PL_KEY_REAL, DATA_FIELD(scale), DATA_DRAWN, "unit", DBL_MIN, DBL_MAX,
     .word = "unit", .word_value = 0, .help = "unit: each sample divided by its norm; or a factor"},
};
static const pl_key alone_rows[] = {
    {"data.samples", PL_KEY_INT, offsetof(pl_common, samples), DATA_ALL, "10", .min = 1, .max = 1e6,
     .help = "samples N; labels alternate +1, -1"},
};
static const pl_key irreps_rows[] = {
    {"data.irreps", PL_KEY_TEXTS, DATA_FIELD(irreps), DATA_DRAWN, .required = true,
     .help = "labels of the irreps whose matrix elements are the samples (irrep), or that the "
             "teacher lives on"},
};

const pl_keys data_scale_keys = PL_KEYS(PL_IN_DATA, scale_rows);
const pl_keys data_alone_keys = PL_KEYS(PL_IN_COMMON, alone_rows);
const pl_keys data_irreps_keys = PL_KEYS(PL_IN_DATA, irreps_rows);

int64_t data_alone_count(const pl_spec *spec, pl_part part) {
  return part == PL_TRAIN ? spec->common.samples : 0;
}
