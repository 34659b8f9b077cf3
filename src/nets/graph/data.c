#include "nets/graph/data.h"

#include "base/mem.h"
#include "nodes.h"

#include <string.h>

/* ---- writing ---- */

/* Parts as a file has them; the caller frees it. */
static int8_t *parts_of(const graph_nodes *d) {
  int8_t *part = pl_alloc((size_t)d->nodes, sizeof *part, "parts");
  memset(part, PL_PART_NONE, (size_t)d->nodes);
  for (int p = 0; p < PL_NUM_PARTS; p++)
    for (int64_t k = 0; k < d->count[p]; k++) part[d->member[p][k]] = (int8_t)p;
  return part;
}

static pl_status write_file(const graph_nodes *d, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_graph_data out = {.graph = d->graph,
                       .features = d->identity ? 0 : d->features,
                       .dense = d->dense,
                       .sparse = d->identity ? NULL : d->sparse,
                       .classes = d->classes ? d->outputs : 0,
                       .label = d->label,
                       .targets = d->classes ? 0 : d->outputs,
                       .target = d->classes ? NULL : d->target,
                       .splits = 1,
                       .part = parts_of(d)};
  pl_status st = PL_OK;
  for (int i = 0; i < num && !st; i++)
    st = pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text);
  if (!st) st = pl_graph_put(nc, &out);
  pl_free(out.part);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

/* Features as they were before data.normalize, which like the operator is for the reader to apply:
 * with the same keys he has the same numbers. */
static pl_status write_data(const pl_spec *spec, const pl_comm *team, const char *path,
                            const pl_attribute *attributes, int num) {
  pl_spec raw = *spec;
  ((graph_values *)(void *)raw.data_values)->normalize = NORMALIZE_NONE;
  graph_nodes *d = NULL;
  pl_status st = team->rank == 0 ? graph_nodes_new(&raw, NULL, &d) : PL_OK;
  if (d && !st) st = write_file(d, path, attributes, num);
  graph_nodes_free(d);
  return pl_agree(team, st);
}

/* ---- kinds ---- */

const pl_data_kind pl_data_graph = {
    .name = "graph",
    .help = "nodes of one graph, with features and targets",
    .keys = graph_keys,
    .fits = graph_fits,
    .count = graph_part_count,
    .write_data = write_data,
};
const pl_data_kind pl_data_graph_file = {
    .name = "file",
    .help = "the graph of a NetCDF file: data.kind graph with data.graph file",
    .keys = graph_file_keys,
    .fits = graph_fits,
    .count = graph_part_count,
    .write_data = write_data,
};
const pl_data_kind *const pl_graph_data_kinds[] = {&pl_data_graph, &pl_data_graph_file, NULL};
