/* ranks: 1 2 3 */
#include "pl_test.h"

#include "model/model.h"
#include "model/optim.h"
#include "nets/group/keys.h"
#include "model/loss.h"
#include "run/config.h"
#include "run/keys.h"
#include "run/tables.h"

#include <unistd.h>

#define G "group: S_3\n"

static pl_status parse(const char *text, const char *set, pl_config **out) {
  const char *const sets[1] = {set};
  return pl_config_parse(text, strlen(text), "f.yaml", sets, set != NULL, out);
}

static const char *value(const pl_config *cfg, int64_t r, const char *key) {
  static char buf[256];
  int k = pl_config_find(cfg, key);
  assert_true(k >= 0);
  pl_config_value(cfg, r, k, buf, sizeof buf);
  return buf;
}

/* The values of keys (separated by blanks) in every run: "a b; a b". */
static const char *runs(const pl_config *cfg, const char *keys) {
  static char out[1024];
  size_t n = 0;
  *out = 0;
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
    char list[256];
    snprintf(list, sizeof list, "%s", keys);
    char *save = NULL;
    const char *between = r ? "; " : "";
    for (char *k = strtok_r(list, " ", &save); k; k = strtok_r(NULL, " ", &save)) {
      n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", between, value(cfg, r, k));
      assert_true(n < sizeof out);
      between = " ";
    }
  }
  return out;
}

static const struct {
  const char *text, *set, *keys, *runs;
} good[] = {
    /* spelling */
    {G "model: {depth: 4}", 0, "model.depth", "4"},
    {G "model.depth: 4", 0, "model.depth", "4"},
    {G "model.init: {scale: 2}\nmodel: {depth: 5}", 0, "model.init.scale model.depth", "2 5"},
    {G "optimizer.growth:\n  factor: 1.5\nrecord:\n", 0, "optimizer.growth.factor", "1.5"},
    {"\xef\xbb\xbf" G, 0, "group", "S_3"},
    {G "steps: 1e4", 0, "steps", "10000"},
    {G "steps: '70'", 0, "steps", "70"},
    {G "steps: +7.0", 0, "steps", "7"},
    {G "optimizer.lr: .5e-3", 0, "optimizer.lr", "0.0005"},
    {G "optimizer.lr: 0.1", 0, "optimizer.lr", "0.1"},
    {G "data.scale: unit", 0, "data.scale", "unit"},
    {G "data.scale: [unit, 2]", 0, "data.scale", "unit; 2"},
    {G "record.beta: true", 0, "record.beta", "true"},
    {G "optimizer.kind: [ngd, gd]", 0, "optimizer.kind", "ngd; gd"},
    {"group: C_5 x C_5", 0, "group", "C_5 x C_5"},
    {"group: perm:(1,2)", 0, "group", "\"perm:(1,2)\""},
    {"group: ['(C_5 x C_5) : Q_8', \"S_3\"]", 0, "group", "\"(C_5 x C_5) : Q_8\"; S_3"},
    {"title: 'a: \"b\" \\'\n" G, 0, "title", "\"a: \\\"b\\\" \\\\\""},
    {G "optimizer.lr: &a 0.5\nmodel.init.scale: *a", 0, "model.init.scale", "0.5"},
    /* order and products: the last key in the file is the fastest */
    {G "seed: [1, 2]\nmodel.depth: [3, 4]", 0, "seed model.depth", "1 3; 1 4; 2 3; 2 4"},
    {G "model.depth: [3, 4]\nseed: [1, 2]", 0, "seed model.depth", "1 3; 2 3; 1 4; 2 4"},
    {"seed: [1, 2]\ngroup: [S_3, S_4]\nsteps: [5]", 0, "seed group steps",
     "1 S_3 5; 1 S_4 5; 2 S_3 5; 2 S_4 5"},
    /* ranges */
    {G "seed: 3..5", 0, "seed", "3; 4; 5"},
    {G "seed: 7..7", 0, "seed", "7"},
    {G "seed: [0..1, 9, 4..5]", 0, "seed", "0; 1; 9; 4; 5"},
    /* zip: at the place of the first of them in the file */
    {G "zip: [[model.depth, steps]]\nmodel.depth: [2, 3]\nsteps: [20, 30]", 0, "model.depth steps",
     "2 20; 3 30"},
    {G "model.depth: [2, 3]\nseed: 0..1\nsteps: [20, 30]\nzip: [[steps, model.depth]]", 0,
     "model.depth seed steps", "2 0 20; 2 1 20; 3 0 30; 3 1 30"},
    {G "zip: [[model.depth, steps], [seed, optimizer.lr]]\nmodel.depth: [2, 3]\nseed: 0..1\n"
       "steps: [20, 30]\noptimizer.lr: [1, 2]",
     0, "model.depth steps seed optimizer.lr", "2 20 0 1; 2 20 1 2; 3 30 0 1; 3 30 1 2"},
    {G "zip: [[data.irreps, data.kind]]\ndata.kind: [gaussian, irrep]\n"
       "data.irreps: [[], ['2,1']]",
     0, "data.kind data.irreps", "gaussian ; irrep [\"2,1\"]"},
    /* list keys: a list is one value, a list of lists is swept */
    {G "record.steps: [1, 2, 30]", 0, "record.steps", "[1, 2, 30]"},
    {G "record.steps: 7", 0, "record.steps", "[7]"},
    {G "record.steps: [[1, 2], [3], 4]", 0, "record.steps", "[1, 2]; [3]; [4]"},
    {G "record.exponents: [0.5, 2]", 0, "record.exponents", "[0.5, 2]"},
    {G "record.exponents: []", 0, "record.exponents", "[]"},
    {G "data.kind: irrep\ndata.irreps: ['3,1,1', \"2,2,1\"]", 0, "data.irreps",
     "[\"3,1,1\", \"2,2,1\"]"},
    /* --set */
    {G "model.depth: [2, 3]", "model.depth=5", "model.depth", "5"},
    {G "model.depth: 2\nseed: 0..1", "model.depth=[2, 3]", "model.depth seed",
     "2 0; 2 1; 3 0; 3 1"},
    {G "seed: 0..1", "model.depth=[2, 3]", "model.depth seed", "2 0; 3 0; 2 1; 3 1"},
    {G, "seed=4..5", "seed", "4; 5"},
    {G, "model={depth: 6, init: {scale: 3}}", "model.depth model.init.scale", "6 3"},
    {"title: t", "group=D_5", "group", "D_5"},
    {G "zip: [[model.depth, steps]]\nmodel.depth: [2, 3]\nsteps: [20, 30]", "steps=[4, 5]",
     "model.depth steps", "2 4; 3 5"},
    /* companions */
    {G "model.init: {kind: [gaussian, file], path: a.nc}", 0, "model.init.kind model.init.path",
     "gaussian a.nc; file a.nc"},
    {G "data: {kind: file, path: a.nc}", "data.kind=gaussian", "data.kind", "gaussian"},
    {G "optimizer: {kind: adam, beta1: 0}", "optimizer.kind=gd", "optimizer.kind", "gd"},
    /* each owner reads its keys: what a run does not own is empty in it */
    {G "model.kind: [gcnn, cnn]\nrecord.kkt: [true, false]", 0, "model.kind record.kkt",
     "gcnn true; gcnn false; cnn ; cnn "},
    {G "zip: [[optimizer.kind, optimizer.beta2]]\noptimizer.kind: [gd, adam]\n"
       "optimizer.beta2: [0.5, 0.25]",
     0, "optimizer.kind optimizer.beta2", "gd ; adam 0.25"},
    {G "data.kind: [teacher, gaussian]\ndata.irreps: ['2,1']", 0, "data.kind data.test",
     "teacher 1000; gaussian 0"},
    {G "model.kind: gcnn-relu\ntrain.batch: [whole, 4]\nepochs: 3", 0, "train.batch epochs",
     "whole 3; 4 3"},
    /* words of YAML */
    {G "record.beta: True\nrecord.final: FALSE", 0, "record.beta record.final", "true false"},
    {G "data.seed: ~\nmodel.depth: null", 0, "data.seed model.depth", " 3"},
};

static void good_files_make_their_runs(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    pl_config *cfg;
    if (parse(good[i].text, good[i].set, &cfg)) {
      print_error("%s\n--set %s\n%s\n", good[i].text, good[i].set, pl_error_message());
      fail();
    }
    assert_string_equal(runs(cfg, good[i].keys), good[i].runs);
    pl_config_free(cfg);
  }
}

#define QUOTES "needs quotes"

static const struct {
  const char *text, *set, *message; /* parts that must all occur, separated by | */
} bad[] = {
    /* the file as a whole */
    {"", 0, "f.yaml: |holds no value"},
    {"# nothing\n", 0, "holds no value"},
    {"---\n" G "---\n" G, 0, "f.yaml:3: |second document"},
    {"- a\n", 0, "f.yaml:1: |got a list"},
    {"S_3", 0, "got S_3"},
    {G "seed: [1,\n2\nsteps: 3", 0, "f.yaml:4: |(column 6)|that began on line 2"},
    {G "\n\"a\x01\"", 0, "f.yaml:3: |control characters"},
    {G "\n\xff", 0, "f.yaml:3: |UTF-8"},
    {G "title: \"a\\0b\"", 0, "f.yaml:2: |zero byte"},
    {G "a: &a [*a]", 0, "f.yaml:2: |alias"},
    {G "a: *b", 0, "alias"},
    /* keys */
    {"steps: 5", 0, "f.yaml: group: required"},
    {G "\nmodle.depth: 3", 0, "f.yaml:3: modle.depth: unknown key; did you mean model.depth?"},
    {G "model:\n  deph: 3", 0, "f.yaml:3: model.deph: |mean model.depth?"},
    {G "depth: 3", 0, "f.yaml:2: depth: |mean model.depth?"},
    {G "lr: 3", 0, "mean optimizer.lr?"},
    {G "growth.factor: 3", 0, "mean optimizer.growth.factor?"},
    {G "init.scal: 3", 0, "mean model.init.scale?"},
    {G "\"a\\nb\": 3", 0, "f.yaml:2: a?b: unknown key"},
    {G "? [a]\n: 3", 0, "a list: unknown key"},
    {G "model.depth: 3\nmodel: {depth: 4}", 0, "f.yaml:3: model.depth: |twice|line 2"},
    {G "steps: 3\nseed: 1\nsteps: 3", 0, "f.yaml:4: steps: |twice|line 2"},
    {G "zip: [[seed, steps]]\nzip: 1", 0, "f.yaml:3: zip: |twice|line 2"},
    {G "model: 3", 0, "f.yaml:2: model: |section|got 3"},
    {G "model.depth: {a: 3}", 0, "model.depth: expected an integer|got a mapping"},
    /* values */
    {G "model.depth: deep", 0, "f.yaml:2: model.depth: expected an integer from 2 to 16, got deep"},
    {G "model:\n  depth:\n    - 3\n    - 17", 0, "f.yaml:5: model.depth: |2 to 16, got 17"},
    {G "model.depth: 3.5", 0, "got 3.5"},
    {G "model.depth: 1", 0, "got 1"},
    {G "model.depth:", 0, "got nothing"},
    {G "model.depth: ''", 0, "got \"\""},
    {G "model.depth: 3 4", 0, "got 3 4"},
    {G "model.depth: 0x3", 0, "got 0x3"},
    {G "model.depth: 3..4", 0, "got 3..4"},
    {G "seed: 9007199254740993", 0, "got 9007199254740993"},
    {G "seed: 99999999999999999999", 0, "got 99999999999999999999"},
    {G "optimizer.lr: fast", 0, "expected a number > 0, got fast"},
    {G "optimizer.lr: 0", 0, "got 0"},
    {G "optimizer.lr: -1", 0, "got -1"},
    {G "optimizer.lr: nan", 0, "got nan"},
    {G "optimizer.lr: 1e999", 0, "got 1e999"},
    {G "optimizer.lr: .inf", 0, "got .inf"},
    {G "optimizer.lr: 0.1x", 0, "got 0.1x"},
    {G "data.scale: big", 0, "or \"unit\", got big"},
    {G "record.beta: yes", 0, "expected true or false, got yes"},
    {G "optimizer.kind: lion", 0,
     "expected one of gd, ngd, momentum, adagrad, rmsprop, adam, muon, flow, got lion"},
    {"group:", 0, "f.yaml:1: group: expected text, got nothing"},
    {G "model.init: {kind: file, path: ''}", 0, "expected text, got \"\""},
    /* lists */
    {G "seed: []", 0, "f.yaml:2: seed: |empty list"},
    {G "seed: [[1, 2]]", 0, "got a list"},
    {"title: [a, b]\n" G, 0, "f.yaml:1: title: |whole sweep"},
    {G "record.steps: [1, [2, [3]]]", 0, "record.steps: |got a list"},
    {G "record.steps: [1, x]", 0, "expected a list of integers|got x"},
    {G "record.exponents: [1, 0]", 0, "got 0"},
    {G "record.steps: [1, 5, 5]", 0, "ascending|got 5 after 5"},
    {G "record.steps: [[1, 2],\n[3, 1]]", 0, "f.yaml:3: record.steps: |got 1 after 3"},
    {G "data.kind: irrep\ndata.irreps: ['']", 0, "data.irreps: |got \"\""},
    /* ranges */
    {G "seed: 9..0", 0, "f.yaml:2: seed: |ascends"},
    {G "seed: -1..3", 0, "got -1..3"},
    {G "seed: 0..1000000", 0, "more than 1000000 values"},
    {G "seed: [0..999999, 5]", 0, "more than 1000000 values"},
    {G "seed: 0..", 0, "got 0.."},
    {G "seed: 1..2..3", 0, "got 1..2..3"},
    {G "seed: 0..99999\ndata.seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nmodel.depth: [2, 3, 4, 5]\n"
       "steps: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28]",
     0, "f.yaml: |more than 10000000 runs"},
    /* quotes */
    {"\ngroup: (C_5 x C_5) : Q_8", 0, "f.yaml:2: |" QUOTES},
    {"group: [(C_5 x C_5) : Q_8, S_3]", 0, "f.yaml:1: group: |" QUOTES},
    {"group: {a: b}", 0, QUOTES},
    {"group: [perm:(1,2), S_3]", 0, "f.yaml:1: group: |" QUOTES},
    {"group: [\"S_3\" S_4]", 0, "f.yaml:1: |" QUOTES},
    /* zip */
    {G "zip: seed", 0, "f.yaml:2: zip: expected lists of two or more keys"},
    {G "zip: []", 0, "zip: expected lists"},
    {G "seed: [1, 2]\nsteps: [1, 2]\nzip: [seed, steps]", 0, "f.yaml:4: zip: expected lists"},
    {G "seed: [1, 2]\nzip: [[seed]]", 0, "zip: expected lists"},
    {G "seed: [1, 2]\nzip: [[seed, model.deph]]", 0, "f.yaml:3: zip: model.deph: |model.depth?"},
    {G "seed: [1, 2]\nzip: [[seed, [steps]]]", 0, "zip: a list: unknown"},
    {G "seed: [1, 2]\nsteps: 3\nzip: [[seed, steps]]", 0, "f.yaml:4: zip: steps: not a list"},
    {G "seed: [1, 2]\nzip: [[seed, steps]]", 0, "steps: not a list"},
    {G "seed: 0..1\nrecord.steps: [1, 2]\nzip: [[seed, record.steps]]", 0, "not a list"},
    {G "seed: [1, 2]\nsteps: [1, 2, 3]\nzip: [[seed, steps]]", 0,
     "f.yaml:4: zip: steps has length 3|seed, zipped with it, has length 2"},
    {G "seed: [1, 2]\nsteps: [1, 2]\nzip: [[seed, steps, seed]]", 0, "zip: seed: in zip twice"},
    {G "seed: [1]\nsteps: [1]\nmodel.depth: [3]\nzip: [[seed, steps], [model.depth, seed]]", 0,
     "seed: in zip twice"},
    /* --set */
    {G, "nonsense", "--set nonsense: expected key.path=value"},
    {G, "=3", "expected key.path=value"},
    {G, "seed=", "--set seed: holds no value"},
    {G, "model.depth=99", "--set model.depth: expected an integer|got 99"},
    {G, "model.dept=3", "--set model.dept: unknown key; did you mean model.depth?"},
    {G, "model={depth: 99}", "--set model.depth: |got 99"},
    {G, "seed=[1", "--set seed: |column"},
    {G, "group=(C_5 x C_5) : Q_8", "--set group: |" QUOTES},
    {G "zip: [[seed, steps]]\nseed: [1, 2]\nsteps: [1, 2]", "seed=[1, 2, 3]",
     "--set seed: seed has length 3|steps, zipped with it, has length 2"},
    {G "zip: [[seed, steps]]\nseed: [1, 2]\nsteps: [1, 2]", "steps=1", "--set steps: |length 1"},
    /* across keys */
    {G "model.init.kind: file", 0, "f.yaml:2: model.init.kind: |needs model.init.path"},
    {G "model.init.path: a.nc", 0, "f.yaml:2: model.init.path: only for model.init.kind: file"},
    {G "data.kind: [gaussian,\n  file]", 0, "f.yaml:3: data.kind: |needs data.path"},
    {G "data.path: a.nc", 0,
     "f.yaml:2: data.path: not used by model.kind gcnn, data.kind gaussian|used by data.kind"},
    {G "model.pooling: mean", 0,
     "f.yaml:2: model.pooling: not used by model.kind gcnn|used by "
     "model.kind cnn, fc"},
    {G "optimizer.kind: [gd, ngd]\noptimizer.beta1: 0", 0, "not used by|optimizer.kind adam"},
    {G, "optimizer.beta1=0", "--set optimizer.beta1: not used by"},
    {G "train.batch: 4", 0, "not used by model.kind gcnn|used by model.kind gcnn-relu"},
    {G "model.kind: gcnn-relu\nepochs: 2\nsteps: 3", 0, "f.yaml:3: epochs: steps are given"},
    {G "group: ~", 0, "twice"},
    {"group: ~", 0, "group: "},
    {G "data.kind: irrep", 0, "f.yaml:2: data.kind: |needs data.irreps"},
    {G "data.irreps: ['2,1']", 0, "f.yaml:2: data.irreps: not used by|data.kind irrep, teacher"},
    {G, "data.kind=irrep", "--set data.kind: |needs data.irreps"},
    {G "steps: [10, 20]\nrecord.steps: [5, 15]", 0,
     "f.yaml:3: record.steps: step 15 is beyond the last (steps: 10)"},
};

static void bad_files_say_what_is_wrong_where(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    pl_config *cfg;
    if (parse(bad[i].text, bad[i].set, &cfg) != PL_EINPUT) {
      print_error("taken:\n%s\n--set %s\n", bad[i].text, bad[i].set);
      fail();
    }
    char parts[256], *save = NULL;
    snprintf(parts, sizeof parts, "%s", bad[i].message);
    for (char *p = strtok_r(parts, "|", &save); p; p = strtok_r(NULL, "|", &save))
      if (!strstr(pl_error_message(), p)) {
        print_error("%s\n--set %s\nsays: %s\nbut not: %s\n", bad[i].text, bad[i].set,
                    pl_error_message(), p);
        fail();
      }
  }
}

static void defaults_are_those_of_the_table(void **state) {
  (void)state;
  pl_config *cfg;
  pl_spec s;
  assert_ok(parse(G, NULL, &cfg));
  assert_int_equal(pl_config_num_runs(cfg), 1);
  pl_config_run(cfg, 0, &s);
  const pl_common *c = &s.common;
  const pl_group_values *g = pl_group_values_of(&s);
  const pl_group_data_values *d = pl_group_data_of(&s);
  const pl_optim_values *o = pl_optim_values_of(&s);
  assert_string_equal(s.model->name, "gcnn");
  assert_string_equal(s.data->name, "gaussian");
  assert_string_equal(c->title, "");
  assert_string_equal(g->group, "S_3");
  assert_int_equal(g->depth, 3);
  assert_int_equal(g->init_kind, PL_INIT_GAUSSIAN);
  assert_true(g->init_scale == 1 && isnan(g->init_readout_scale) && d->scale == 0);
  assert_null(g->init_path);
  assert_int_equal(c->samples, 10);
  assert_int_equal(d->irreps.n, 0);
  assert_true(c->data_seed == PL_UNSET && g->record_irreps == PL_UNSET);
  assert_true(g->grid_block == PL_UNSET && c->epochs <= 0);
  assert_int_equal(g->loss, PL_LOSS_EXPONENTIAL);
  assert_true(o->lr == 0.01 && o->growth_factor == 1 && o->growth_every == 100);
  assert_true(c->steps == 1000 && c->stop_loss == 0 && c->seed == 0);
  assert_true(c->record_steps.n == 0 && c->record_points == 100 && c->record_final == 0);
  assert_true(g->record_exponents.n == 1 && g->record_exponents.v[0] == 1);
  for (int k = 0; k < pl_config_num_keys(cfg); k++) {
    const pl_key *key = pl_config_key(cfg, k);
    assert_false(pl_config_swept(cfg, k));
    if (key->required || !strcmp(key->name, "data.kind")) continue;
    const char *fallback = pl_keys_fallback(key, s.model, s.data);
    bool empty_text = key->type == PL_KEY_TEXT && fallback && !*fallback;
    assert_string_equal(value(cfg, 0, key->name), empty_text ? "\"\"" : fallback ? fallback : "");
  }
  assert_string_equal(pl_config_text(cfg), G);
  assert_string_equal(pl_config_sets(cfg), "");
  pl_config_free(cfg);
}

static void values_reach_the_fields_of_a_run(void **state) {
  (void)state;
  const char *text = "title: t\ngroup: [S_3, S_4]\nmodel: {depth: 4, init.readout_scale: 0.25}\n"
                     "data: {kind: irrep, irreps: ['2,1', x], scale: unit, seed: 9}\n"
                     "loss: logistic\nrecord: {steps: [0, 10], exponents: [[0.5], [1, 2]]}\n";
  const char *const sets[] = {"optimizer.kind=ngd", "seed=1", "seed=2"};
  pl_config *cfg;
  pl_spec s;
  assert_ok(pl_config_parse(text, strlen(text), "f.yaml", sets, 3, &cfg));
  assert_int_equal(pl_config_num_runs(cfg), 4);
  pl_config_run(cfg, 2, &s);
  const pl_group_values *g = pl_group_values_of(&s);
  assert_string_equal(g->group, "S_4");
  assert_true(g->depth == 4 && g->init_readout_scale == 0.25);
  assert_true(s.common.data_seed == 9 && s.common.seed == 2 && s.common.optimizer_kind == 1);
  assert_int_equal(g->loss, PL_LOSS_LOGISTIC);
  assert_int_equal(pl_group_data_of(&s)->irreps.n, 2);
  assert_true(pl_group_data_of(&s)->scale == 0);
  assert_string_equal(pl_group_data_of(&s)->irreps.v[1], "x");
  assert_true(s.common.record_steps.n == 2 && s.common.record_steps.v[1] == 10);
  assert_true(g->record_exponents.n == 1 && g->record_exponents.v[0] == 0.5);
  pl_config_run(cfg, 3, &s);
  assert_true(g->record_exponents.n == 2 && g->record_exponents.v[1] == 2);
  assert_true(pl_config_swept(cfg, pl_config_find(cfg, "group")));
  assert_false(pl_config_swept(cfg, pl_config_find(cfg, "data.irreps")));
  assert_string_equal(pl_config_sets(cfg), "optimizer.kind=ngd\nseed=1\nseed=2");
  pl_config_free(cfg);
}

static void blame_names_the_value_of_the_run(void **state) {
  (void)state;
  pl_config *cfg;
  assert_ok(parse("group:\n  - S_3\n  - X_4\n", "steps=5", &cfg));
  pl_error(PL_EINPUT, "no");
  assert_int_equal(pl_config_blame(cfg, 1, "group", PL_EINPUT), PL_EINPUT);
  assert_string_equal(pl_error_message(), "f.yaml:3: group: no");
  pl_error(PL_EINPUT, "no");
  pl_config_blame(cfg, 0, "steps", PL_EINPUT);
  assert_string_equal(pl_error_message(), "--set steps: no");
  pl_error(PL_EINPUT, "no");
  pl_config_blame(cfg, 0, "seed", PL_EINPUT);
  assert_string_equal(pl_error_message(), "f.yaml: seed: no");
  pl_config_free(cfg);
}

static void printed_values_parse_to_the_same(void **state) {
  (void)state;
  static const char *const texts[] = {
      "title: \" a\\tb\\n\\\"\\\\ # \\x07 \\x85 \\u2028 \\ufeff \\U0001F600 \xc3\xa9 \\xa0\"\n" G,
      "title: '...'\n" G,
      "title: '-'\n" G,
      "title: 'a '\n" G,
      "title: |\n  two\n  lines\n" G,
      "title: 'null'\n" G,
      G "optimizer.lr: 0.30000000000000004\nstop.loss: 1e-300\nseed: 9007199254740992",
      G "record: {exponents: [0.1, 3e200], steps: [0, 5], irreps: false}\n",
      G "data: {kind: irrep, irreps: ['3,1,1', 'a x b', '[', \"'\"]}\n",
  };
  for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
    pl_config *cfg, *copy;
    const char *sets[64];
    char *set[64];
    int n = 0;
    assert_ok(parse(texts[t], NULL, &cfg));
    assert_true(pl_config_num_keys(cfg) <= 64);
    for (int k = 0; k < pl_config_num_keys(cfg); k++) {
      const char *name = pl_config_key(cfg, k)->name;
      if (!*value(cfg, 0, name)) continue;
      if (pl_config_key(cfg, k)->with) continue; /* a default that needs its word */
      set[n] = pl_asprintf("%s=%s", name, value(cfg, 0, name));
      sets[n] = set[n], n++;
    }
    assert_ok(pl_config_parse("title: x", 8, "copy", sets, n, &copy));
    for (int k = 0; k < pl_config_num_keys(cfg); k++) {
      const pl_key *row;
      const void *a = pl_config_typed(cfg, 0, k, &row);
      const void *b = pl_config_typed(copy, 0, pl_config_find(copy, row->name), NULL);
      assert_true(pl_value_equal(row, a, b));
    }
    assert_int_equal(pl_config_same(cfg, copy), PL_OK);
    while (n > 0) pl_free(set[--n]);
    pl_config_free(copy);
    pl_config_free(cfg);
  }
}

static void printing_counts_like_snprintf(void **state) {
  (void)state;
  pl_config *cfg;
  char buf[6] = "?????";
  assert_ok(parse(G "record.steps: [1, 22, 333]", NULL, &cfg));
  int key = pl_config_find(cfg, "record.steps");
  assert_int_equal(pl_config_value(cfg, 0, key, NULL, 0), 12);
  assert_int_equal(pl_config_value(cfg, 0, key, buf, sizeof buf), 12);
  assert_string_equal(buf, "[1, 2");
  pl_config_free(cfg);
}

/* Text that nests, repeats or refers to itself without end must be refused, and soon. */
static void hostile_files_are_refused(void **state) {
  (void)state;
  enum { MANY = 1100000 };
  char *text = pl_alloc(2 * MANY + 64, 1, "text");
  pl_config *cfg;
  memset(text, '[', 100000);
  text[100000] = 0;
  assert_int_equal(parse(text, NULL, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "nested more than 32 deep"));
  strcpy(text, "seed: [");
  for (int i = 0; i < MANY; i++) memcpy(text + 7 + 2 * i, "1,", 2);
  strcpy(text + 7 + 2 * MANY, "]");
  assert_int_equal(parse(text, NULL, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "more than 1000000 values"));
  int n = sprintf(text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
  for (int i = 1; i < 9; i++)
    n += sprintf(text + n, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
  assert_int_equal(parse(text, NULL, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "more than 1000000 values"));
  n = sprintf(text, "a: [");
  for (int i = 0; i < 200; i++) n += sprintf(text + n, "&b%d x, ", i);
  strcpy(text + n, "]");
  assert_int_equal(parse(text, NULL, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "anchors"));
  for (n = 0; n < MANY - 14;) n += sprintf(text + n, "%%TAG !%d! x\n", n);
  assert_int_equal(parse(text, NULL, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "%TAG"));
  pl_free(text);
}

static void a_million_runs_cost_little(void **state) {
  (void)state;
  pl_config *cfg;
  int64_t before = pl_mem_bytes();
  assert_ok(parse(G "optimizer.lr: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nseed: 0..99999", NULL, &cfg));
  assert_int_equal(pl_config_num_runs(cfg), 1000000);
  assert_true(pl_mem_bytes() - before < 4000000);
  pl_spec s;
  pl_config_run(cfg, 712345, &s);
  assert_true(pl_optim_values_of(&s)->lr == 8 && s.common.seed == 12345);
  pl_config_free(cfg);
}

static void every_rank_reads_the_same(void **state) {
  (void)state;
  const pl_comm *c = &pl_test_world;
  char path[64] = "/tmp/pl_config_XXXXXX";
  static const char text[] = G "seed: 0..2\n";
  if (c->rank == 0) {
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
  }
  /* Only rank 0 may look at the path: the others give one that does not exist. */
  const char *mine = c->rank == 0 ? path : "/nonexistent/sweep.yaml";
  pl_config *cfg = NULL;
  const char *const sets[] = {"steps=[5, 6]"}, *const bad_sets[] = {"steps=0"};
  assert_ok(pl_config_read(c, mine, sets, 1, &cfg));
  assert_int_equal(pl_config_num_runs(cfg), 6);
  assert_string_equal(pl_config_text(cfg), text);
  pl_config_free(cfg);
  if (c->rank == 0) assert_non_null(freopen(path, "r", stdin));
  assert_ok(pl_config_read(c, "-", NULL, 0, &cfg));
  assert_int_equal(pl_config_num_runs(cfg), 3);
  pl_error(PL_EINPUT, "no");
  pl_config_blame(cfg, 1, "seed", PL_EINPUT);
  assert_string_equal(pl_error_message(), "standard input:2: seed: no");
  pl_config_free(cfg);
  assert_int_equal(pl_config_read(c, path, bad_sets, 1, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "--set steps: "));
  if (c->rank == 0) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), 17 << 20), 0);
    fclose(f);
  }
  assert_int_equal(pl_config_read(c, path, NULL, 0, &cfg), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "larger than 16 MB"));
  if (c->rank == 0) unlink(path);
  assert_int_equal(pl_config_read(c, "/nonexistent/sweep.yaml", NULL, 0, &cfg), PL_EINPUT);
  assert_string_equal(pl_error_message(), "/nonexistent/sweep.yaml: No such file or directory");
  assert_int_equal(pl_config_read(c, "/tmp", NULL, 0, &cfg), PL_EINPUT);
  assert_string_equal(pl_error_message(), "/tmp: Is a directory");
}

static void expect_lines_that_fit(char *text) {
  for (char *save = NULL, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
    assert_true(strlen(l) <= 100);
    assert_true(l[strlen(l) - 1] != ' ');
  }
}

static char *printed(pl_status (*print)(FILE *out, const char *network), const char *network) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  assert_ok(print(f, network));
  fclose(f);
  return text;
}

static void the_table_of_keys_fits_the_page(void **state) {
  (void)state;
  pl_arena arena = {0};
  int num;
  const pl_owned *list = pl_keys_list(&arena, &num);
  char *text = printed(pl_keys_print, NULL);
  for (int i = 0; i < num; i++) assert_non_null(strstr(text, list[i].row->name));
  assert_non_null(strstr(text, "0.01"));
  expect_lines_that_fit(text);
  free(text);
  for (int i = 0; pl_zoo_model(i); i++) {
    text = printed(pl_keys_print, pl_zoo_model_name(i));
    assert_non_null(strstr(text, "optimizer.kind adam"));
    expect_lines_that_fit(text);
    free(text);
  }
  assert_int_equal(pl_keys_print(stderr, "perceptron"), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "expected one of gcnn, "));
  pl_arena_free(&arena);
}

/* Rows of that name. */
static int told(const char *text, const char *name) {
  char start[80];
  int n = 0;
  snprintf(start, sizeof start, "\n%s ", name);
  for (const char *at = text; (at = strstr(at, start)); at++) n++;
  return n;
}

/* Every measure of every network, once. */
static void the_table_of_variables_is_whole(void **state) {
  (void)state;
  char *text = printed(pl_variables_print, NULL);
  for (int i = 0; pl_zoo_model(i); i++) {
    char *own = printed(pl_variables_print, pl_zoo_model_name(i));
    for (const pl_measures *const *t = pl_zoo_model(i)->measures; *t; t++)
      for (int k = 0; k < (*t)->num; k++) {
        assert_int_equal(told(text, (*t)->row[k].name), 1);
        assert_int_equal(told(own, (*t)->row[k].name), 1);
      }
    expect_lines_that_fit(own);
    free(own);
  }
  assert_non_null(strstr(text, "run, record, "));
  expect_lines_that_fit(text);
  free(text);
  assert_int_equal(pl_variables_print(stderr, "perceptron"), PL_EINPUT);
}

static pl_status same(const char *was, const char *now) {
  pl_config *a, *b;
  assert_ok(parse(was, NULL, &a));
  assert_ok(parse(now, NULL, &b));
  pl_status st = pl_config_same(a, b);
  pl_config_free(a);
  pl_config_free(b);
  return st;
}

/* Values are compared, not their texts, however long those are. */
static void sweeps_are_the_same_in_their_values(void **state) {
  (void)state;
  enum { MANY = 1500 };
  char *a = pl_alloc(8 * MANY, 1, "text"), *b = pl_alloc(8 * MANY, 1, "text");
  int m = sprintf(a, G "record.steps: [0"), n = sprintf(b, G "record.steps: [0");
  for (int i = 1; i < MANY / 2; i++) {
    m += sprintf(a + m, ", %d", 2 * i);
    n += sprintf(b + n, ", %d", i == 700 ? 1401 : 2 * i);
  }
  strcpy(a + m, "]\nsteps: 4000\n");
  strcpy(b + n, "]\nsteps: 4000\n");
  assert_int_equal(same(a, a), PL_OK);
  assert_int_equal(same(a, b), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "record.steps: "));
  pl_free(a);
  pl_free(b);
  assert_int_equal(same(G "optimizer.lr: 0.1", G "optimizer.lr: 1e-1"), PL_OK);
  assert_int_equal(same(G "title: a\ncheckpoint.every: 3", G "title: b\nmapping.team: 1"), PL_OK);
  assert_int_equal(same(G "seed: 0..2", G "seed: [0, 1, 3]"), PL_EINPUT);
  assert_string_equal(pl_error_message(), "seed: was 2, is now 3");
  assert_int_equal(same(G "seed: 0..2", G "seed: 0..3"), PL_EINPUT);
  assert_string_equal(pl_error_message(), "seed: had 3 values, has 4 now");
  assert_int_equal(same(G "seed: 0..1\nsteps: [4, 5]", G "steps: [4, 5]\nseed: 0..1"), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "stands in another order or zip"));
  assert_int_equal(same(G "data.kind: sparse", G), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "data.kind: was sparse, is now gaussian"));
}

/* Where the runs of a sweep stand in another; the status, and in `places` the numbers. */
static pl_status match(const char *was, const char *now, int64_t places[16]) {
  pl_config *a, *b;
  assert_ok(parse(was, NULL, &a));
  assert_ok(parse(now, NULL, &b));
  assert_true(pl_config_num_runs(a) <= 16);
  pl_status st = pl_config_match(a, b, places);
  for (int64_t r = 0; r < pl_config_num_runs(a) && !st; r++) {
    /* The same keys with the same values, as text. */
    int64_t n = places[r];
    for (int k = 0; k < pl_config_num_keys(a); k++) {
      char x[64], y[64];
      if (!(pl_config_key(a, k)->touches & PL_RESULTS)) continue;
      pl_config_value(a, r, k, x, sizeof x);
      pl_config_value(b, n, pl_config_find(b, pl_config_key(a, k)->name), y, sizeof y);
      if (!(pl_config_key(a, k)->touches & PL_GROWS)) assert_string_equal(x, y);
    }
  }
  pl_config_free(a);
  pl_config_free(b);
  return st;
}

static void refused(const char *was, const char *now, const char *message) {
  int64_t places[16];
  assert_int_equal(match(was, now, places), PL_EINPUT);
  assert_string_equal(pl_error_message(), message);
}

static void runs_are_found_in_a_larger_sweep(void **state) {
  (void)state;
  int64_t at[16];
  assert_ok(match(G "seed: [4, 7]", G "title: x\nseed: [7, 5, 4]\nmapping.team: 2", at));
  assert_true(at[0] == 2 && at[1] == 0);
  /* A new axis with the default among its values; axes in another order; more steps. */
  assert_ok(match(G "model.depth: [2, 4]\nseed: [1, 2]",
                  G "steps: 2000\nseed: [0, 1, 2]\noptimizer.lr: [1, 0.01]\nmodel.depth: [2, 3, 4]",
                  at));
  assert_true(at[0] == 9 && at[1] == 15 && at[2] == 11 && at[3] == 17);
  /* Two keys that were apart are zipped, and what is duplicated stays so. */
  assert_ok(match(G "seed: [1, 1]\nmodel.depth: 2",
                  G "zip: [[seed, model.depth]]\nseed: [3, 1, 1]\nmodel.depth: [3, 2, 2]", at));
  assert_true(at[0] + at[1] == 3 && at[0] != at[1] && at[0] > 0 && at[1] > 0);
  /* gd does not read beta1: its runs are told apart by what adam reads there. */
  const char *mixed = G "optimizer.kind: [gd, adam]\noptimizer.beta1: [0.5, 0.6]";
  assert_ok(match(mixed, G "optimizer.kind: [adam, gd]\noptimizer.beta1: [0.7, 0.6, 0.5]", at));
  assert_true(at[0] == 5 && at[1] == 4 && at[2] == 2 && at[3] == 1);

  refused(G "seed: [0, 1]", G "seed: [1, 2]", "seed: 0 is not among its values now");
  refused(G "seed: [0, 1]", G "seed: 0", "seed: was 1, is now 0");
  refused(G, G "loss: logistic", "loss: was exponential, is now logistic");
  refused(G "loss: logistic", G, "loss: was logistic, is now exponential");
  refused(G "steps: [4, 5]", G "steps: [5, 6]", "steps: 4 is not among its values now");
  refused(G "steps: 4", G "steps: [5, 6]", "steps: 4 is not among its values now");
  refused(G "seed: [1, 1]", G "seed: [1, 2]", "runs 0 and 1 of it would be one run now");
  refused(mixed, G "optimizer.kind: adam\noptimizer.beta1: [0.5, 0.6]",
          "optimizer.kind: gd is not among its values now");
  refused(G "seed: [1, 2]\nmodel.depth: [2, 3]",
          G "zip: [[seed, model.depth]]\nseed: [1, 2]\nmodel.depth: [2, 3]",
          "seed: zipped with other values than before");
}

static int64_t classes(const char *text, int touches) {
  pl_config *cfg;
  int64_t class_of[64];
  assert_ok(parse(text, NULL, &cfg));
  assert_true(pl_config_num_runs(cfg) <= 64);
  int64_t n = pl_config_classes(cfg, touches, class_of);
  for (int64_t r = 0, seen = 0; r < pl_config_num_runs(cfg); r++) {
    assert_true(class_of[r] <= seen); /* numbered as they appear */
    seen += class_of[r] == seen;
  }
  pl_config_free(cfg);
  return n;
}

static void runs_form_classes(void **state) {
  (void)state;
  assert_int_equal(classes(G "seed: 0..3\noptimizer.lr: [1, 2]", PL_COST), 1);
  assert_int_equal(classes(G "seed: 0..3\nsteps: [5, 6]", PL_COST), 2);
  assert_int_equal(classes(G "seed: 0..3\nsteps: [5, 6, 5]", PL_COST), 2);
  assert_int_equal(classes(G "seed: 0..3\nsteps: [5, 6]", PL_DATA), 4);
  assert_int_equal(classes(G "data.seed: 1\nseed: 0..3\nsteps: [5, 6]", PL_DATA), 1);
  assert_int_equal(classes(G "model.kind: [gcnn, cnn]\nmodel.pooling: [none, mean]", PL_COST), 3);
  assert_int_equal(classes(G "record.steps: [[1, 2], [1, 2, 3], [1, 2]]", PL_COST), 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_files_make_their_runs),
    cmocka_unit_test(bad_files_say_what_is_wrong_where),
    cmocka_unit_test(defaults_are_those_of_the_table),
    cmocka_unit_test(values_reach_the_fields_of_a_run),
    cmocka_unit_test(blame_names_the_value_of_the_run),
    cmocka_unit_test(printed_values_parse_to_the_same),
    cmocka_unit_test(printing_counts_like_snprintf),
    cmocka_unit_test(hostile_files_are_refused),
    cmocka_unit_test(a_million_runs_cost_little),
    cmocka_unit_test(every_rank_reads_the_same),
    cmocka_unit_test(the_table_of_keys_fits_the_page),
    cmocka_unit_test(the_table_of_variables_is_whole),
    cmocka_unit_test(sweeps_are_the_same_in_their_values),
    cmocka_unit_test(runs_are_found_in_a_larger_sweep),
    cmocka_unit_test(runs_form_classes),
};
PL_TEST_MAIN(tests)
