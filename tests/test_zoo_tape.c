/* ranks: 1 3 */
/* What holds for every network over a tape (nets/net.h), on its own example. */
#include "zoo_run.h"

#include "nets/net.h"

static bool on_tape(const pl_model_kind *kind) {
  return kind->create == pl_net_create;
}

static double *like_weights(const pl_net *net) {
  return pl_zalloc((size_t)net->start[net->num_weights], sizeof(double), "as the weights");
}

/* H v against (g(w + h v) - g(w - h v)) / 2h; and the objective's slope along v against <g, v>. */
static void check_hvp(const pl_model_kind *kind) {
  if (!on_tape(kind) || ((const pl_net_kind *)(const void *)kind)->combine) return;
  run r = start(kind, NULL, &pl_test_world);
  pl_net *net = pl_net_of(r.m);
  int64_t n = net->start[net->num_weights];
  double *w[2], *g[2], *v = like_weights(net), *hv = like_weights(net), h = 1e-5, at[2];
  for (int64_t i = 0; i < n; i++) v[i] = direction(i, 0);
  for (int side = 0; side < 2; side++) {
    w[side] = like_weights(net);
    g[side] = like_weights(net);
    for (int64_t i = 0; i < n; i++) w[side][i] = net->w[i] + (side ? h : -h) * v[i];
    at[side] = pl_net_gradient(net, w[side], g[side]);
  }
  pl_net_hvp(net, net->w, v, hv);
  double largest = 1e-2, slope = 0;
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(hv[i]));
  for (int64_t i = 0; i < n; i++)
    assert_close((g[1][i] - g[0][i]) / (2 * h) / largest, hv[i] / largest, 1e-6);
  for (int64_t i = 0; i < n; i++) slope += (g[0][i] + g[1][i]) / 2 * v[i];
  assert_close((at[1] - at[0]) / (2 * h), slope, 1e-6 * fmax(1, fabs(slope)));
  for (int side = 0; side < 2; side++) pl_free(w[side]), pl_free(g[side]);
  pl_free(v);
  pl_free(hv);
  end(&r);
}

static void hessians_equal_differences(void **state) {
  (void)state;
  each(check_hvp);
}

/* The gradient of one step is that of a single rank. */
static void check_one_gradient(const pl_model_kind *kind) {
  if (!on_tape(kind)) return;
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  run alone = start(kind, NULL, &self), team = start(kind, NULL, &pl_test_world);
  pl_net *a = pl_net_of(alone.m), *b = pl_net_of(team.m);
  int64_t n = a->start[a->num_weights];
  double *g = like_weights(a), *h = like_weights(b), largest = 1e-300;
  pl_net_gradient(a, a->w, g);
  pl_net_gradient(b, b->w, h);
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(g[i]));
  for (int64_t i = 0; i < n; i++) assert_close(h[i] / largest, g[i] / largest, 1e-12);
  pl_free(g);
  pl_free(h);
  end(&alone);
  end(&team);
  pl_comm_free(&self);
}

static void one_gradient_agrees_over_teams(void **state) {
  (void)state;
  each(check_one_gradient);
}

/* Steps of every length of batch have been made once; others take no memory. */
static void check_memory(const pl_model_kind *kind) {
  if (!on_tape(kind)) return;
  run r = start(kind, NULL, &pl_test_world);
  pl_optim *o = pl_optim_new(&r.spec, r.m, r.steps);
  int64_t warm = 2 * pl_batch_count(&r.spec, pl_data_count(&r.spec, PL_TRAIN)) + 2;
  for (int64_t t = 0; t < 2 * warm; t++) {
    double vote = 0;
    pl_update *u = pl_optim_step(o, t);
    int64_t blocks = pl_mem_live(), bytes = pl_mem_restart_peak();
    r.m->kind->step(r.m, t, u, &vote);
    if (t < warm) continue;
    assert_int_equal(pl_mem_live(), blocks);
    assert_int_equal(pl_mem_peak(), bytes);
  }
  pl_optim_free(o);
  end(&r);
}

static void steps_allocate_nothing(void **state) {
  (void)state;
  each(check_memory);
}

/* ---- pieces, and samples of records ---- */

/* Samples that come two at a time make the same steps. */
static void check_pieces(const pl_model_kind *kind) {
  if (!on_tape(kind)) return;
  run whole = start(kind, NULL, &pl_test_world), pieces = start(kind, NULL, &pl_test_world);
  pl_net_set_piece(pl_net_of(pieces.m), 2);
  pieces.m->kind->refresh(pieces.m, 0);
  train(&whole, 0, 8);
  train(&pieces, 0, 8);
  int64_t n;
  double *a = all_weights(whole.m, &n), *b = all_weights(pieces.m, &n);
  for (int64_t i = 0; i < n && pl_test_world.rank == 0; i++)
    assert_close(b[i], a[i], 1e-10 * fmax(1, fabs(a[i])));
  pl_free(a);
  pl_free(b);
  end(&whole);
  end(&pieces);
}

static void samples_in_pieces_make_the_same_steps(void **state) {
  (void)state;
  each(check_pieces);
}

/* Does the network's example take the value? */
static bool takes(const pl_model_kind *kind, const char *set) {
  pl_config *cfg;
  if (parse(kind, set, &cfg)) return false;
  pl_config_free(cfg);
  return true;
}

/* Fewer samples than ranks: some have none. */
static void check_ragged(const pl_model_kind *kind) {
  if (on_tape(kind) && takes(kind, "data.samples=2")) compare_ranks(kind, "data.samples=2");
}

/* A record over a sample of the training part is that of one rank, and not of another sample. */
static bool owns(const pl_model_kind *kind, const char *key) {
  for (const pl_keys *const *t = kind->keys; *t; t++)
    for (int k = 0; k < (*t)->num; k++)
      if (!strcmp((*t)->row[k].name, key)) return true;
  return false;
}

static void check_sampled(const pl_model_kind *kind) {
  if (!on_tape(kind) || !owns(kind, "record.sample")) return;
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  double loss[3];
  for (int k = 0; k < 3; k++) {
    run r = start(kind, k < 2 ? "record.sample=2" : NULL, k ? &pl_test_world : &self);
    pl_schema s;
    assert_ok(kind->describe(&r.spec, &s));
    double *out = pl_alloc((size_t)s.size, sizeof *out, "a record");
    assert_ok(kind->observe(r.m, out));
    if (k == 0 || pl_test_world.rank == 0) loss[k] = out[s.offset[pl_schema_find(&s, "loss")]];
    pl_free(out);
    pl_schema_free(&s);
    end(&r);
  }
  if (pl_test_world.rank == 0) {
    assert_close(loss[1], loss[0], 1e-12 * fmax(1, fabs(loss[0])));
    bool splits = ((const pl_net_kind *)(const void *)kind)->split != PL_SPLIT_OWN;
    if (splits) assert_true(fabs(loss[2] - loss[0]) > 1e-9);
  }
  pl_comm_free(&self);
}

static void records_look_at_a_sample(void **state) {
  (void)state;
  each(check_sampled);
}

static void ranks_without_samples_agree(void **state) {
  (void)state;
  each(check_ragged);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hessians_equal_differences),
    cmocka_unit_test(one_gradient_agrees_over_teams),
    cmocka_unit_test(steps_allocate_nothing),
    cmocka_unit_test(samples_in_pieces_make_the_same_steps),
    cmocka_unit_test(ranks_without_samples_agree),
    cmocka_unit_test(records_look_at_a_sample),
};
PL_TEST_MAIN(tests)
