/* The phase before: weights that a run starts from. */
#include "base/mem.h"
#include "own.h"

#include <string.h>

/* The name that a weight has in a file whose encoders are shared: without its side. */
static const char *shared_name(const char *name) {
  const char *layer = strstr(name, "layer");
  return layer ? layer : name;
}

static pl_status read_all(const pl_net *net, const char *path, double *w) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = PL_OK;
  for (int k = 0; k < net->num_weights && !st; k++) {
    const pl_net_weight *p = &net->weight[k];
    bool own = pl_nc_var(nc, p->name, NULL, NULL, NULL, 0) >= 0;
    st = pl_net_read_weight(&net->spec, nc, own ? p->name : shared_name(p->name), p,
                            w + net->start[k]);
  }
  pl_nc_close(nc);
  return st;
}

pl_status retrieval_start(pl_net *net) {
  const char *path = retrieval_values_of(&net->spec)->start;
  if (!path) return PL_OK;
  pl_status st = pl_agree(&net->team, net->team.rank == 0 ? read_all(net, path, net->w) : PL_OK);
  if (!st)
    pl_comm_bcast(&net->team, net->w, (size_t)net->start[net->num_weights] * sizeof *net->w, 0);
  return st;
}

pl_status retrieval_check_start(const pl_spec *spec) {
  const char *path = retrieval_values_of(spec)->start;
  pl_corpus_shape shape;
  pl_net net = {.spec = *spec};
  if (!path) return PL_OK;
  PL_TRY(pl_corpus_shape_of(spec, &shape));
  encoder_add(&net, shape.features);
  double *w = pl_alloc((size_t)net.start[net.num_weights], sizeof *w, "weights of a file");
  pl_status st = read_all(&net, path, w);
  pl_free(w);
  pl_free(net.weight);
  pl_free(net.start);
  return st;
}
