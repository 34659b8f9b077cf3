/* ranks: 1 */
/* The laboratory's format of graphs: there and back, and what it refuses. */
#include "pl_test.h"

#include "base/nc.h"
#include "graph/file.h"
#include "graph/karate.h"

#include <unistd.h>

static char path[64];

static int choose_path(void **state) {
  (void)state;
  snprintf(path, sizeof path, "/tmp/pl_test_graph_%d.nc", (int)getpid());
  return 0;
}

static int remove_file(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

/* Five nodes, weights, a loop, an isolated node. */
static pl_csr *small_graph(bool weighted) {
  int64_t end[][2] = {{0, 1}, {1, 2}, {2, 2}, {3, 0}};
  double weight[] = {0.5, 2, 1, 0};
  pl_csr *a = NULL;
  assert_ok(pl_graph_new(5, &(pl_edges){4, end, weighted ? weight : NULL}, NULL, &a));
  return a;
}

static void same_matrix(const pl_csr *a, const pl_csr *b) {
  size_t n = (size_t)pl_csr_entries(a);
  assert_int_equal(a->rows, b->rows);
  assert_int_equal(a->cols, b->cols);
  assert_memory_equal(a->start, b->start, (size_t)(a->rows + 1) * sizeof *a->start);
  assert_memory_equal(a->index, b->index, n * sizeof *a->index);
  assert_memory_equal(a->value, b->value, n * sizeof *a->value);
}

static pl_status write_graph(const pl_graph_data *d) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = pl_graph_put(nc, d), closed = pl_nc_close(nc);
  return st ? st : closed;
}

static void graphs_come_back_as_they_were(void **state) {
  (void)state;
  int32_t label[5] = {0, 2, -1, 2, 0};
  int8_t part[10] = {0, 1, 3, 2, 3, 1, 0, 3, 0, 2};
  double dense[15] = {0, 1, 2, 3, 0, 5, 6, -7, 8, 0, 0, 0, 1e-300, 4, 5};
  for (int t = 0; t < 8; t++) {
    pl_graph_data d = {.graph = small_graph(t & 1)}, back = {0};
    if (t & 2) d.features = 3, d.dense = dense;
    if (t & 2) d.targets = 3, d.target = dense;
    if (t == 4 || t == 5) {
      d.features = 3;
      d.sparse = pl_csr_new(5, 3, 4);
      memcpy(d.sparse->start, (int64_t[]){0, 2, 2, 3, 3, 4}, 6 * sizeof(int64_t));
      memcpy(d.sparse->index, (int32_t[]){0, 2, 1, 0}, 4 * sizeof(int32_t));
      memcpy(d.sparse->value, (double[]){1, 0.25, -3, 0}, 4 * sizeof(double));
    }
    if (t & 1) d.label = label, d.classes = 3;
    if (t) d.part = part, d.splits = t & 4 ? 2 : 1;
    assert_ok(write_graph(&d));
    assert_ok(pl_graph_read(path, &back));
    same_matrix(back.graph, d.graph);
    assert_int_equal(back.counts.edges, 3);
    assert_int_equal(back.counts.self_loops, 1);
    assert_int_equal(back.counts.isolated, 1);
    assert_int_equal(back.counts.duplicates, 0);
    assert_int_equal(back.features, d.features);
    assert_int_equal(!back.dense, !d.dense);
    if (d.dense) assert_memory_equal(back.dense, dense, sizeof dense);
    assert_int_equal(!back.sparse, !d.sparse);
    if (d.sparse) same_matrix(back.sparse, d.sparse);
    assert_int_equal(back.classes, d.classes);
    assert_int_equal(!back.label, !d.label);
    if (d.label) assert_memory_equal(back.label, label, sizeof label);
    assert_int_equal(back.targets, d.targets);
    if (d.target) assert_memory_equal(back.target, dense, sizeof dense);
    assert_int_equal(back.splits, d.splits);
    if (d.splits) assert_memory_equal(back.part, part, (size_t)(5 * d.splits));
    pl_graph_data_fini(&back);
    pl_csr_free(d.graph);
    pl_csr_free(d.sparse);
  }
}

static void classes_without_training_nodes_are_told(void **state) {
  (void)state;
  int32_t label[5] = {0, 3, -1, 3, 0};
  int8_t part[10] = {0, 0, 3, 2, 3, 0, 1, 3, 2, 0}, lonely[5] = {0, 0, 3, 2, 0};
  int64_t single;
  /* Classes 1 and 2 have no nodes at all. */
  assert_int_equal(pl_graph_untrained(5, 4, label, part, &single), -1);
  assert_int_equal(single, -1);
  assert_int_equal(pl_graph_untrained(5, 4, label, part + 5, &single), 3);
  label[1] = 0; /* leaves class 3 a single node, which is tested */
  assert_int_equal(pl_graph_untrained(5, 4, label, lonely, &single), -1);
  assert_int_equal(single, 3);
}

static void what_has_no_file_is_refused(void **state) {
  (void)state;
  pl_csr *empty = NULL;
  assert_ok(pl_graph_new(3, &(pl_edges){0}, NULL, &empty));
  assert_int_equal(write_graph(&(pl_graph_data){.graph = empty}), PL_EINPUT);
  assert_true(access(path, F_OK) != 0);
  pl_csr_free(empty);
}

/* ---- files that are wrong in one place ---- */

enum { EDGE, WEIGHT, FEATURE, START, INDEX, VALUE, LABEL, SPLIT, NUM_VARS };
static const char *const name[NUM_VARS] = {"edge",          "weight",        "feature",
                                           "feature_start", "feature_index", "feature_value",
                                           "label",         "split"};

/* Four nodes, three edges, two features; all variables but those in `without` (a bit each). */
static void write_file(unsigned without, int var, int64_t at, double value, bool node, bool reals) {
  static const double good[NUM_VARS][9] = {
      {0, 1, 1, 2, 2, 3}, {1, 2, 3},   {1, 2, 3, 4, 5, 6, 7, 8},
      {0, 1, 1, 3, 3},    {1, 0, 1},   {1, 1, 1},
      {0, 1, 0, -1},      {0, 1, 2, 3}};
  static const int length[NUM_VARS] = {6, 3, 8, 5, 3, 3, 4, 4};
  static const char *const dims[NUM_VARS][3] = {
      {"edges", "ends"}, {"edges"}, {"node", "features"}, {"starts"}, {"entries"}, {"entries"},
      {"node"},          {"node"}};
  pl_nc *nc;
  assert_ok(pl_nc_create(path, true, false, &nc));
  pl_nc_def_dim(nc, node ? "node" : "vertex", 4);
  pl_nc_def_dim(nc, "edges", 3);
  pl_nc_def_dim(nc, "ends", 2);
  if (!(without & 1u << NUM_VARS)) pl_nc_def_dim(nc, "features", 2);
  pl_nc_def_dim(nc, "starts", 5);
  pl_nc_def_dim(nc, "entries", 3);
  for (int v = 0; v < NUM_VARS; v++) {
    bool real = v == WEIGHT || v == FEATURE || v == VALUE || (v == var && reals);
    if (without & 1u << v) continue;
    pl_nc_def_var(nc, name[v], real ? PL_NC_DOUBLE : PL_NC_INT, dims[v], NULL, NULL);
  }
  assert_ok(pl_nc_end_def(nc));
  for (int v = 0; v < NUM_VARS; v++) {
    double x[9];
    memcpy(x, good[v], (size_t)length[v] * sizeof *x);
    if (v == var) x[at] = value;
    if (!(without & 1u << v)) assert_ok(pl_nc_put_doubles(nc, name[v], NULL, NULL, x));
  }
  assert_ok(pl_nc_close(nc));
}

static void wrong_files_are_refused_by_name_and_place(void **state) {
  (void)state;
  enum {
    DENSE = 1 << FEATURE,
    SPARSE = 1 << START | 1 << INDEX | 1 << VALUE,
    COUNT = 1 << NUM_VARS
  };
  static const struct {
    unsigned without;
    int var, at;
    double value;
    const char *message;
  } bad[] = {{DENSE, EDGE, 3, 4, "edge(1, 1) is node 4; nodes go from 0 to 3"},
             {DENSE, EDGE, 0, -1, "edge(0, 0) is node -1"},
             {DENSE | 1 << EDGE, EDGE, 0, 0, "'edge'"},
             {DENSE, WEIGHT, 2, -3, "weight(2) is -3"},
             {DENSE, WEIGHT, 0, NAN, "weight[0] is not a number"},
             {SPARSE, FEATURE, 5, INFINITY, "feature[2, 1] is "},
             {0, EDGE, 0, 0, "both feature and feature_start"},
             {DENSE | COUNT, EDGE, 0, 0, "need a dimension \"features\""},
             {DENSE, START, 2, 0, "feature_start(2) is 0"},
             {DENSE, START, 0, 1, "feature_start(0) is 1"},
             {DENSE, START, 4, 2, "feature_start(4) is 2"},
             {DENSE, INDEX, 1, 2, "feature_index(1) is 2; features go from 0 to 1"},
             {DENSE, INDEX, 1, 1, "names feature 1 of node 2 twice"},
             {DENSE, VALUE, 2, NAN, "feature_value[2] is not a number"},
             {DENSE | 1 << VALUE, EDGE, 0, 0, "'feature_value'"},
             {DENSE, LABEL, 1, -2, "label(1) is -2"},
             {DENSE, LABEL, 1, 4, "label(1) is 4"},
             {DENSE, SPLIT, 2, 4, "split(2) is 4"},
             {DENSE, SPLIT, 3, 0, "split(3) is 0, but label(3) says that it has none"}};
  pl_graph_data d = {0};
  for (unsigned without = DENSE;; without = SPARSE) {
    write_file(without, EDGE, 0, 0, true, false);
    assert_ok(pl_graph_read(path, &d));
    assert_int_equal(d.counts.edges, 3);
    pl_graph_data_fini(&d);
    if (without == SPARSE) break;
  }
  for (size_t t = 0; t < sizeof bad / sizeof *bad; t++) {
    write_file(bad[t].without, bad[t].var, bad[t].at, bad[t].value, true, false);
    assert_int_equal(pl_graph_read(path, &d), PL_EINPUT);
    if (!strstr(pl_error_message(), bad[t].message) ||
        strncmp(pl_error_message(), path, strlen(path)))
      fail_msg("\"%s\", expected \"%s\"", pl_error_message(), bad[t].message);
    assert_null(d.graph);
  }
  write_file(DENSE | 1 << LABEL | 1 << SPLIT, EDGE, 0, 0, false, false);
  assert_int_equal(pl_graph_read(path, &d), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "no dimension \"node\""));
  /* A node at 1.5 is not node 1. */
  write_file(DENSE, EDGE, 0, 1.5, true, true);
  assert_int_equal(pl_graph_read(path, &d), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "edge"));
  assert_non_null(strstr(pl_error_message(), "1.5"));
}

static void variables_of_another_shape_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *var, *dims[3];
  } bad[] = {{"edge", {"edges"}},   {"edge", {"edges", "three"}},
             {"weight", {"three"}}, {"feature", {"three", "node"}},
             {"label", {"three"}},  {"split", {"three", "three"}}};
  for (size_t t = 0; t < sizeof bad / sizeof *bad; t++) {
    pl_nc *nc;
    pl_graph_data d = {0};
    bool edge = !strcmp(bad[t].var, "edge");
    assert_ok(pl_nc_create(path, true, false, &nc));
    pl_nc_def_dim(nc, "node", 4);
    pl_nc_def_dim(nc, "edges", 2);
    pl_nc_def_dim(nc, "ends", 2);
    pl_nc_def_dim(nc, "three", 3);
    if (!edge)
      pl_nc_def_var(nc, "edge", PL_NC_INT, (const char *const[]){"edges", "ends", NULL}, NULL,
                    NULL);
    pl_nc_def_var(nc, bad[t].var, PL_NC_INT, bad[t].dims, NULL, NULL);
    assert_ok(pl_nc_end_def(nc));
    if (!edge) assert_ok(pl_nc_put_ints(nc, "edge", NULL, NULL, (int64_t[]){0, 1, 1, 2}));
    assert_ok(pl_nc_close(nc));
    assert_int_equal(pl_graph_read(path, &d), PL_EINPUT);
    assert_non_null(strstr(pl_error_message(), bad[t].var));
  }
}

static void karate_goes_there_and_back(void **state) {
  (void)state;
  int32_t label[PL_KARATE_NODES];
  pl_graph_data d = {.graph = pl_karate(), .label = label, .classes = 2}, back = {0};
  pl_karate_factions(label);
  assert_ok(write_graph(&d));
  assert_ok(pl_graph_read(path, &back));
  same_matrix(back.graph, d.graph);
  assert_int_equal(back.counts.edges, PL_KARATE_EDGES);
  pl_graph_data_fini(&back);
  pl_csr_free(d.graph);
}

#define test_with_file(f) cmocka_unit_test_setup_teardown(f, choose_path, remove_file)
static const struct CMUnitTest tests[] = {
    test_with_file(graphs_come_back_as_they_were),
    test_with_file(classes_without_training_nodes_are_told),
    test_with_file(what_has_no_file_is_refused),
    test_with_file(wrong_files_are_refused_by_name_and_place),
    test_with_file(variables_of_another_shape_are_refused),
    test_with_file(karate_goes_there_and_back),
};
PL_TEST_MAIN(tests)
