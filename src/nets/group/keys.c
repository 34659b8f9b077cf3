#include "nets/group/keys.h"

#include "group/group.h"
#include "model/loss.h"

#include <float.h>

PL_WORDS(inner_products, "band", "group")
PL_WORDS(poolings, "none", "mean")
PL_WORDS(regularised_layers, "first", "all")
PL_WORDS(data_stores, "keep", "regenerate")
PL_WORDS(init_kinds, "gaussian", "uniform", "file")

#define F(member) offsetof(pl_group_values, member)
#define POSITIVE  DBL_MIN, DBL_MAX
#define ALL       PL_COST | PL_DATA | PL_RESULTS

static const pl_key group_rows[] = {
    {"group", PL_KEY_TEXT, F(group), ALL, .required = true, .file = pl_group_file,
     .help = "the group, see plancherel group"},
};
static const pl_key band_rows[] = {
    {"band.codepth", PL_KEY_INT, F(band_codepth), ALL, .min = 1, .max = 51,
     .help = "k: only the irreps of S_n with first row n - k or longer; n up to 52 for k <= 2, 20 "
             "for k = 3, 13 for more (default: all)"},
    {"band.inner_product", PL_KEY_CHOICE, F(band_inner), PL_DATA | PL_RESULTS, "band",
     .choice = inner_products,
     .help = "inner products in a band divided by D = sum of d^2 over it, or by |G|"},
};
static const pl_key layers_rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), PL_COST | PL_RESULTS, "3", .min = 2, .max = 16,
     .help = "layers L, the read-out included"},
    {"model.init.readout_scale", PL_KEY_REAL, F(init_readout_scale), PL_RESULTS, NULL, POSITIVE,
     .help = "scale of the read-out (default: model.init.scale)"},
    {"loss", PL_KEY_CHOICE, F(loss), PL_COST | PL_RESULTS, "exponential",
     .choice = pl_margin_loss_name, .help = "loss, a mean over the samples"},
};
static const pl_key bank_rows[] = {
    {"model.channels", PL_KEY_INT, F(channels), PL_COST | PL_RESULTS, "1", .min = 1, .max = 1024,
     .help =
         "K: filters of a layer; beta is the sum over K paths of the products of their filters"},
    {"regularizer.layer", PL_KEY_CHOICE, F(regularizer_layer), PL_COST | PL_RESULTS, "first",
     .choice = regularised_layers, .help = "whose filters regularizer.bro draws to be orthonormal"},
};
static const pl_key init_rows[] = {
    {"model.init.kind", PL_KEY_CHOICE, F(init_kind), PL_COST | PL_RESULTS, "gaussian",
     .choice = init_kinds,
     .help = "distribution of the initial filters, variance scale^2/|G| over G"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", POSITIVE,
     .help = "scale of the initial filters"},
    {"model.init.path", PL_KEY_TEXT, F(init_path), PL_COST | PL_RESULTS, .path = true,
     .with = "model.init.kind", .with_word = "file",
     .help =
         "NetCDF file with w(layer, element) or w_fourier(layer, component), for model.init.kind "
         "file"},
};
static const pl_key pooling_rows[] = {
    {"model.pooling", PL_KEY_CHOICE, F(pooling), PL_COST | PL_RESULTS, "none", .choice = poolings,
     .help = "mean: the read-out is one weight times the mean over the group"},
};
static const pl_key functional_rows[] = {
    {"record.irreps", PL_KEY_BOOL, F(record_irreps), PL_COST | PL_RESULTS,
     .help = "record the variables on (run, record, irrep) (default: up to 10^4 irreps)"},
    {"record.elements", PL_KEY_BOOL, F(record_elements), PL_COST | PL_RESULTS,
     .help =
         "record what needs functions over the whole group: schatten_real, linf_margin, support, "
         "uncertainty_product (default: up to order 10^8)"},
    {"record.beta", PL_KEY_BOOL, F(record_beta), PL_COST | PL_RESULTS, "false",
     .help = "record beta over G (one group per sweep, order up to 10^6)"},
    {"record.exponents", PL_KEY_REALS, F(record_exponents), PL_COST | PL_RESULTS, "[1]", POSITIVE,
     .help = "also record the Schatten value at these exponents"},
};
static const pl_key kkt_rows[] = {
    {"record.kkt", PL_KEY_BOOL, F(record_kkt), PL_COST | PL_RESULTS, "false",
     .help = "record residuals of the optimality conditions (N x N Gram matrix of gradients)"},
};
static const pl_key grid_rows[] = {
    {"mapping.grid_min_dim", PL_KEY_INT, F(grid_min_dim), PL_COST, .min = 1, .max = 1e9,
     .help = "smallest irrep that may be spread over a grid of ranks (default: measured)"},
    {"mapping.block", PL_KEY_INT, F(grid_block), PL_COST, .min = 1, .max = 4096,
     .help = "block size on grids (default: min(64, ceil(d / (2 max(p, q)))))"},
    {"mapping.grid_ranks", PL_KEY_INT, F(grid_ranks), PL_COST, .min = 2, .max = 1e6,
     .help = "ranks of every grid (default: in proportion to each irrep's work)"},
};

static const pl_key store_rows[] = {
    {"data.store", PL_KEY_CHOICE, F(data_store), PL_COST, .choice = data_stores,
     .help = "samples in memory, or gaussian, sparse and rankings ones (the last two on S_n) made "
             "anew at every use (default: kept if they fit into memory)"},
};

const pl_keys pl_group_keys = PL_KEYS(PL_IN_NETWORK, group_rows);
const pl_keys pl_band_keys = PL_KEYS(PL_IN_NETWORK, band_rows);
const pl_keys pl_layers_keys = PL_KEYS(PL_IN_NETWORK, layers_rows);
const pl_keys pl_bank_keys = PL_KEYS(PL_IN_NETWORK, bank_rows);
const pl_keys pl_init_keys = PL_KEYS(PL_IN_NETWORK, init_rows);
const pl_keys pl_pooling_keys = PL_KEYS(PL_IN_NETWORK, pooling_rows);
const pl_keys pl_functional_keys = PL_KEYS(PL_IN_NETWORK, functional_rows);
const pl_keys pl_kkt_keys = PL_KEYS(PL_IN_NETWORK, kkt_rows);
const pl_keys pl_grid_keys = PL_KEYS(PL_IN_NETWORK, grid_rows);
const pl_keys pl_store_keys = PL_KEYS(PL_IN_NETWORK, store_rows);
