#include "run/machine.h"

#include "base/mem.h"
#include "run/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct field {
  const char *name;
  size_t offset;
  bool required;
} fields[] = {
    {"nodes", offsetof(pl_machine, nodes), false},
    {"cores", offsetof(pl_machine, cores), true},
    {"ranks", offsetof(pl_machine, ranks), false},
    {"memory", offsetof(pl_machine, memory), true},
    {"gflops", offsetof(pl_machine, gflops), true},
    {"bandwidth", offsetof(pl_machine, bandwidth), true},
    {"latency", offsetof(pl_machine, latency), true},
    {"network", offsetof(pl_machine, network), false},
};
enum { NUM_FIELDS = sizeof fields / sizeof *fields };

static double *value_of(pl_machine *m, const struct field *f) {
  return (double *)((char *)m + f->offset);
}

static pl_status read_pair(const char *path, const pl_yaml *key, const pl_yaml *value,
                           pl_machine *m) {
  char shown[64];
  for (int i = 0; key->kind == PL_YAML_TEXT && i < NUM_FIELDS; i++) {
    if (strcmp(key->text, fields[i].name)) continue;
    char *end = NULL;
    double x = value->kind == PL_YAML_TEXT ? strtod(value->text, &end) : 0;
    if (!end || end == value->text || *end || !(x > 0) || !isfinite(x))
      return pl_error(PL_EINPUT, "%s:%d: %s: expected a number > 0, not %s", path, value->line,
                      fields[i].name, pl_yaml_show(value, shown, sizeof shown));
    *value_of(m, &fields[i]) = x;
    return PL_OK;
  }
  return pl_error(PL_EINPUT,
                  "%s:%d: unknown key %s; a machine has nodes, cores, ranks, memory, gflops, "
                  "bandwidth, latency, network",
                  path, key->line, pl_yaml_show(key, shown, sizeof shown));
}

static pl_status from_tree(const char *path, const pl_yaml *root, pl_machine *m) {
  if (root->kind != PL_YAML_MAP)
    return pl_error(PL_EINPUT, "%s:%d: expected keys and values", path, root->line);
  for (const pl_yaml *k = root->first; k && k->next; k = k->next->next)
    PL_TRY(read_pair(path, k, k->next, m));
  for (int i = 0; i < NUM_FIELDS; i++)
    if (fields[i].required && *value_of(m, &fields[i]) == 0)
      return pl_error(PL_EINPUT, "%s: %s is missing", path, fields[i].name);
  if (m->ranks == 0) m->ranks = m->cores;
  if (m->network == 0) m->network = 5;
  return PL_OK;
}

pl_status pl_machine_read(const char *path, pl_machine *out) {
  enum { MOST = 1 << 16 };
  FILE *f = fopen(path, "r");
  if (!f) return pl_error(PL_EINPUT, "%s: %s", path, strerror(errno));
  char *text = pl_alloc(MOST, 1, "machine description");
  size_t n = fread(text, 1, MOST, f);
  fclose(f);
  pl_arena arena = {0};
  const pl_yaml *root;
  int line = 0;
  pl_machine m = {0};
  pl_status st = pl_yaml_parse(text, n, &arena, &root, &line);
  if (st)
    pl_error_in(st, "%s:%d: ", path, line);
  else
    st = from_tree(path, root, &m);
  pl_arena_free(&arena);
  pl_free(text);
  if (!st) *out = m;
  return st;
}

pl_rates pl_machine_rates(const pl_machine *m) {
  pl_rates r = pl_rates_nominal();
  double rank_flops = 1e9 * m->gflops / m->ranks, nominal = r.gemm[PL_RATE_SIZES - 1];
  double faster = rank_flops / nominal, bandwidth = 1e9 * m->bandwidth / m->ranks;
  for (int i = 0; i < PL_RATE_SIZES; i++) {
    r.gemm[i] *= faster;
    r.svd[i] /= faster;
  }
  /* A cache is faster than memory in about the nominal proportion. */
  r.cache_bandwidth *= bandwidth / r.memory_bandwidth;
  r.memory_bandwidth = bandwidth;
  r.latency = 1e-6 * m->latency;
  r.network = 1e9 * m->network;
  r.cores_per_node = m->cores;
  r.bytes_per_node = 1e9 * m->memory;
  return r;
}

double pl_machine_memory_per_rank(const pl_machine *m) {
  return 0.9e9 * m->memory / m->ranks;
}
