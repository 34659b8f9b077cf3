/* ranks: 1 3 */
#include "pl_test.h"

#include "group/group.h"
#include "run/ckpt.h"
#include "run/inputs.h"
#include "run/lines.h"
#include "run/paths.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void texts_of_many_lines_come_back(void **state) {
  (void)state;
  const char *const texts[] = {"one", "two\nlines", "a\n\n\tb\n", "\n", "last\\n"};
  enum { N = sizeof texts / sizeof *texts };
  for (int n = 0; n <= N; n++) {
    char *all = pl_lines_join(texts, n), *at = all;
    for (int i = 0; i < n; i++) assert_string_equal(pl_lines_next(&at), texts[i]);
    assert_null(pl_lines_next(&at));
    pl_free(all);
  }
  /* As files of older versions have them. */
  char old[] = "seed=1\ntitle=x", *at = old;
  assert_string_equal(pl_lines_next(&at), "seed=1");
  assert_string_equal(pl_lines_next(&at), "title=x");
  assert_null(pl_lines_next(&at));
}

static void files_in_specs_are_found(void **state) {
  (void)state;
  static const struct {
    const char *spec, *files[3];
  } rows[] = {{"S_4", {0}},
              {"perm:(1,2),(1,2,3)", {0}},
              {"perm:gens", {"gens"}},
              {"  perm: a b.txt ", {"a b.txt"}},
              {"C_2 x perm:x/y x cayley:t.nc", {"x/y", "t.nc"}},
              {"C_2xperm:g", {"g"}},
              {"cayley:perm:odd x perm:(1,2)", {"perm:odd"}},
              {"superperm:g", {0}}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int k = 0;
    for (int at = 0, n; (at = pl_group_file(rows[i].spec, at, &n)) >= 0; at += n, k++) {
      assert_non_null(rows[i].files[k]);
      assert_int_equal(n, (int)strlen(rows[i].files[k]));
      assert_memory_equal(rows[i].spec + at, rows[i].files[k], (size_t)n);
    }
    assert_null(rows[i].files[k]);
  }
}

static void relative_paths_are_led(void **state) {
  (void)state;
  const pl_key whole = {.path = true}, within = {.file = pl_group_file};
  pl_arena arena = {0};
  assert_string_equal(pl_path_lead(&arena, &whole, "a.nc", "jobs"), "jobs/a.nc");
  assert_string_equal(pl_path_lead(&arena, &whole, "../a.nc", "/"), "/../a.nc");
  assert_string_equal(pl_path_lead(&arena, &whole, "/abs/a.nc", "jobs"), "/abs/a.nc");
  assert_string_equal(pl_path_lead(&arena, &within, "S_4", "jobs"), "S_4");
  assert_string_equal(pl_path_lead(&arena, &within, "perm:a x C_2 x cayley:/b x perm:(1,2)", "j/k"),
                      "perm:j/k/a x C_2 x cayley:/b x perm:(1,2)");
  pl_arena_free(&arena);
  static const char *const folders[][2] = {
      {"s.yaml", ""}, {"jobs/s.yaml", "jobs"}, {"/s.yaml", "/"}, {"/a/b/s.yaml", "/a/b"}};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char *folder = pl_path_folder(folders[i][0]);
    assert_string_equal(folder, folders[i][1]);
    pl_free(folder);
  }
}

static void put(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

/* All ranks know the files; a checkpoint belongs to what they hold; keys that no run reads do not
 * count. */
static void files_are_known_to_all(void **state) {
  (void)state;
  const pl_comm *world = &pl_test_world;
  char gens[64], text[256];
  snprintf(gens, sizeof gens, "/tmp/pl-paths-%d", (int)getppid());
  snprintf(text, sizeof text, "group: ['perm:%s', S_3]\nmodel.depth: [2, 3]\n", gens);
  int64_t first[2];
  for (int round = 0; round < 2; round++) {
    pl_config *cfg;
    if (world->rank == 0) put(gens, round ? "(1,2)\n(1,2,3)\n" : "(1,2,3)\n(1,2)\n");
    MPI_Barrier(world->mpi);
    assert_ok(pl_config_parse(text, strlen(text), "f.yaml", NULL, 0, &cfg));
    int64_t without = pl_ckpt_digest(cfg, 0), other = pl_ckpt_digest(cfg, 3);
    assert_ok(pl_inputs_share(world, cfg));
    const pl_inputs *in = pl_config_inputs(cfg);
    assert_int_equal(in->num, 1);
    assert_string_equal(in->v[0].key, "group");
    assert_string_equal(in->v[0].path, gens);
    assert_int_equal(in->v[0].digest.size, 14);
    first[round] = pl_ckpt_digest(cfg, 0);
    assert_true(first[round] != without);
    assert_true(pl_ckpt_digest(cfg, 3) == other);
    assert_int_equal(pl_inputs_apart(cfg, gens), PL_EINPUT);
    assert_ok(pl_inputs_apart(cfg, "/tmp/pl-paths-none"));
    pl_config_free(cfg);
  }
  assert_true(first[0] != first[1]);
  MPI_Barrier(world->mpi);
  if (world->rank == 0) unlink(gens);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_of_many_lines_come_back),
    cmocka_unit_test(files_in_specs_are_found),
    cmocka_unit_test(relative_paths_are_led),
    cmocka_unit_test(files_are_known_to_all),
};
PL_TEST_MAIN(tests)
