/* The zoo: every network, and with them every kind of data and every layer that families offer. The
 * only file that knows them all. */
#include "model/model.h"
#include "nets/graph/data.h"
#include "nets/graph/graph.h"
#include "nets/group/data.h"
#include "nets/group/elements.h"
#include "nets/group/gcnn.h"
#include "nets/group/inner.h"
#include "nets/group/residual.h"
#include "nets/meta/meta.h"
#include "nets/points/points.h"
#include "nets/retrieval/retrieval.h"
#include "nets/sequence/sequence.h"
#include "nets/tensor/tensor.h"
#include "nets/vector/vector.h"

#include <string.h>

/* clang-format off: a row each */
static const pl_model_kind *const models[] = {
    &pl_gcnn,
    &pl_cnn,
    &pl_fc,
    &pl_gcnn_relu,
    &pl_cnn_relu,
    &pl_fc_relu,
    &pl_residual,
    &pl_mlp.net.door,
    &pl_conv.net.door,
    &pl_resmlp.net.door,
    &pl_unrolled.net.door,
    &pl_gnn.door,
    &pl_filter.door,
    &pl_resgnn.door,
    &pl_gcn.door,
    &pl_egnn.net.door,
    &pl_gnn_points.net.door,
    &pl_radial.net.door,
    &pl_linear_points.net.door,
    &pl_tensor.door,
    &pl_tensor_linear.door,
    &pl_pointer.door,
    &pl_meta.door,
    &pl_retrieval.door,
};
/* clang-format on */
enum { NUM_MODELS = sizeof models / sizeof *models };

const pl_model_kind *pl_zoo_model(int i) {
  return i >= 0 && i < NUM_MODELS ? models[i] : NULL;
}

const char *pl_zoo_model_name(int i) {
  return i >= 0 && i < NUM_MODELS ? models[i]->name : NULL;
}

/* clang-format off */
static const pl_data_kind *const kinds_of_data[] = {
    &pl_data_gaussian.base,
    &pl_data_sparse.base,
    &pl_data_irrep.base,
    &pl_data_group_file.base,
    &pl_data_teacher.base,
    &pl_data_idx.base,
    &pl_data_rankings.base,
    &pl_data_target.base,
    &pl_data_rings.base,
    &pl_data_curve.base,
    &pl_data_bars.base,
    &pl_data_images.base,
    &pl_data_lasso.base,
    &pl_data_vector_file.base,
    &pl_data_graph,
    &pl_data_graph_file,
    &pl_data_motif,
    &pl_data_molecules,
    &pl_data_nbody.base,
    &pl_data_graphs.base,
    &pl_data_points_molecules.base,
    &pl_data_points_file.base,
    &pl_data_weighted_graphs.base,
    &pl_data_tensor_gaussian.base,
    &pl_data_tensor_file.base,
    &pl_data_hull.base,
    &pl_data_delaunay.base,
    &pl_data_tsp.base,
    &pl_data_sort.base,
    &pl_data_sequence_file.base,
    &pl_data_sinusoid.base,
    &pl_data_quadratic.base,
    &pl_data_group_tasks.base,
    &pl_data_fewshot.base,
    &pl_data_task_file.base,
    &pl_data_permutations.base,
    &pl_data_corpus.base,
    &pl_data_retrieval_file.base,
};
/* clang-format on */
enum { NUM_DATA = sizeof kinds_of_data / sizeof *kinds_of_data };

const pl_data_kind *pl_zoo_data(int i) {
  return i >= 0 && i < NUM_DATA ? kinds_of_data[i] : NULL;
}

/* Families may each have a kind "file". */
static bool named_before(int i) {
  for (int k = 0; k < i; k++)
    if (!strcmp(kinds_of_data[k]->name, kinds_of_data[i]->name)) return true;
  return false;
}

const char *pl_zoo_data_name(int i) {
  for (int k = 0, n = 0; i >= 0 && k < NUM_DATA; k++)
    if (!named_before(k) && n++ == i) return kinds_of_data[k]->name;
  return NULL;
}

/* Networks that an outer loop adapts. */
static const pl_inner *const inner[] = {&pl_inner_mlp, &pl_inner_conv, &pl_inner_gcnn,
                                        &pl_inner_quadratic};

const pl_inner *pl_zoo_inner(int i) {
  return i >= 0 && (size_t)i < sizeof inner / sizeof *inner ? inner[i] : NULL;
}

const char *pl_zoo_inner_name(int i) {
  const pl_inner *kind = pl_zoo_inner(i);
  return kind ? kind->name : NULL;
}

static const pl_block *const blocks[] = {&pl_mlp_block, &pl_gnn_block};

const pl_block *pl_zoo_block(int i) {
  return i >= 0 && (size_t)i < sizeof blocks / sizeof *blocks ? blocks[i] : NULL;
}
