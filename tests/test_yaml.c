/* ranks: 1 */
#include "pl_test.h"

#include "run/yaml.h"

static pl_status parse(const char *text, pl_arena *arena, const pl_yaml **root, int *line) {
  *arena = (pl_arena){0};
  return pl_yaml_parse(text, strlen(text), arena, root, line);
}

/* Same tree, same lines, whatever the system that wrote it. */
static void texts_of_all_systems(void **state) {
  (void)state;
  static const char *const texts[] = {
      "group: S_3\n\nseed: [0, 1]\n", "group: S_3\r\n\r\nseed: [0, 1]\r\n",
      "group: S_3\r\rseed: [0, 1]\r", "\xef\xbb\xbfgroup: S_3\n\nseed: [0, 1]\n",
      "\xef\xbb\xbfgroup: S_3\r\rseed: [0, 1]\r"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    pl_arena arena;
    const pl_yaml *root;
    int line;
    assert_ok(parse(texts[i], &arena, &root, &line));
    assert_int_equal(root->kind, PL_YAML_MAP);
    const pl_yaml *key = root->first, *seed = key->next->next;
    assert_string_equal(key->text, "group");
    assert_string_equal(key->next->text, "S_3");
    assert_string_equal(seed->text, "seed");
    assert_int_equal(seed->line, 3);
    assert_int_equal(seed->next->kind, PL_YAML_LIST);
    pl_arena_free(&arena);
  }
}

/* Bytes that are not UTF-8, with the line and the place in the file. */
static void wrong_bytes_have_a_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *byte;
    int line;
  } bad[] = {{"a: 1\nb: \xe9\n", "(byte 8)", 2},
             {"a: 1\r\rb: \xe9\r", "(byte 9)", 3},
             {"\xef\xbb\xbf"
              "a: 1\r\nb: \xe9\n",
              "(byte 12)", 2}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    pl_arena arena;
    const pl_yaml *root;
    int line;
    assert_says(PL_EINPUT, parse(bad[i].text, &arena, &root, &line), bad[i].byte);
    assert_int_equal(line, bad[i].line);
    pl_arena_free(&arena);
  }
  pl_arena arena;
  const pl_yaml *root;
  int line;
  assert_int_equal(parse("\xef\xbb\xbf", &arena, &root, &line), PL_EINPUT);
  pl_arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_of_all_systems),
    cmocka_unit_test(wrong_bytes_have_a_place),
};
PL_TEST_MAIN(tests)
