/* Which samples a rank takes, in steps and in records. */
#include "base/mem.h"
#include "base/rng.h"
#include "net_work.h"

#include <math.h>
#include <stdlib.h>

/* What one piece of samples may keep on the tape: about what a cache holds, so that the way back
 * finds there what the way forward left; products are then large enough.  A part of any length
 * fits. */
static const double PIECE_BYTES = 12e6;

enum { RECORDED = 0x7ffffff3 }; /* stream of the samples of records */

void pl_net_share(const pl_net *net, int64_t n, int64_t *first, int64_t *count) {
  int rank = net->kind->split == PL_SPLIT_SAMPLES ? net->team.rank : 0;
  int size = net->kind->split == PL_SPLIT_SAMPLES ? net->team.size : 1;
  *first = n * rank / size;
  *count = n * (rank + 1) / size - *first;
}

pl_take pl_net_whole(const pl_net *net, pl_part part, int64_t **entries) {
  pl_take take = {.part = part, .once = net->team.rank == 0, .total = net->count[part]};
  pl_net_share(net, take.total, &take.first, &take.count);
  int64_t *entry = *entries = pl_alloc((size_t)take.count, sizeof *entry, "samples of a part");
  for (int64_t i = 0; i < take.count; i++) entry[i] = take.first + i;
  take.entry = entry;
  return take;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The first m of a random order of n samples, ascending. */
static pl_take sample_of(const pl_net *net, int64_t n, int64_t m, int64_t **entries) {
  pl_take take = {.part = PL_TRAIN, .once = net->team.rank == 0, .total = m};
  int64_t *all = pl_alloc((size_t)n, sizeof *all, "samples of a part");
  uint64_t seed = (uint64_t)net->spec.common.seed;
  for (int64_t i = 0; i < n; i++) all[i] = i;
  for (int64_t i = 0; i < m; i++) {
    int64_t j = i + pl_rng_below(seed, PL_STREAM(PL_STREAM_MISC, RECORDED), (uint64_t)i, n - i);
    int64_t kept = all[i];
    all[i] = all[j];
    all[j] = kept;
  }
  qsort(all, (size_t)m, sizeof *all, ascending);
  pl_net_share(net, m, &take.first, &take.count);
  *entries = all;
  take.entry = all + take.first;
  return take;
}

int64_t pl_net_piece_of(const pl_net_kind *kind, double sample_bytes) {
  bool sums = !kind->combine && kind->split != PL_SPLIT_OWN;
  return sums && sample_bytes > 0 ? (int64_t)fmax(1, PIECE_BYTES / sample_bytes) : INT64_MAX;
}

int64_t pl_net_record_count(const pl_spec *spec, pl_part part, int64_t n) {
  int64_t most = pl_net_values_of(spec)->record_sample;
  return part == PL_TRAIN && n > most && pl_net_kind_of(spec)->split != PL_SPLIT_OWN ? most : n;
}

static int64_t piece_of(const pl_net *net) {
  double sample_flops, sample_bytes = 0, fixed_flops, fixed_bytes;
  pl_net_work_of(&net->spec, &sample_flops, &sample_bytes, &fixed_flops, &fixed_bytes);
  return pl_net_piece_of(net->kind, sample_bytes);
}

void pl_net_sample_new(pl_net *net) {
  pl_net_work *k = net->work;
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    int64_t n = net->count[p], some = pl_net_record_count(&net->spec, (pl_part)p, n);
    k->recorded[p] = some < n ? sample_of(net, n, some, &k->entries[p])
                              : pl_net_whole(net, (pl_part)p, &k->entries[p]);
  }
  k->piece = piece_of(net);
}

void pl_net_sample_free(pl_net *net) {
  for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(net->work->entries[p]);
}

pl_take pl_net_recorded(const pl_net *net, pl_part part) {
  return net->work->recorded[part];
}

void pl_net_set_piece(pl_net *net, int64_t samples) {
  net->work->piece = samples;
}
