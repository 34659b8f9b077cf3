/* libFuzzer target: no bytes may crash, hang or leak the parser of sweep files, and what it takes
 * must survive being printed and parsed again.  Input: a sweep file, and after a zero byte a --set
 * value; tests/corpus/config has seeds.  Needs clang -fsanitize=fuzzer,address for this file and
 * for the library. */
#include "base/mem.h"
#include "run/config.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS_TRIED = 3, MAX_TEXT = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is the key read in run r, whose other key may have to have a word? */
static bool is_read(const pl_config *cfg, int64_t r, const pl_key *key) {
  char word[64] = "";
  int with = key->with ? pl_config_find(cfg, key->with) : -1;
  if (!key->with) return true;
  if (with >= 0) pl_config_value(cfg, r, with, word, sizeof word);
  return !strcmp(word, key->with_word);
}

/* A run's values, each given to --set, make the same run. */
static void round_trip(const pl_config *cfg, int64_t r) {
  char **sets = pl_alloc((size_t)pl_config_num_keys(cfg), sizeof *sets, "sets");
  char *value = pl_alloc(MAX_TEXT, 1, "value"), *again = pl_alloc(MAX_TEXT, 1, "value");
  int n = 0;
  bool fits = true;
  for (int i = 0; i < pl_config_num_keys(cfg); i++) {
    const pl_key *key = pl_config_key(cfg, i);
    int len = pl_config_value(cfg, r, i, value, MAX_TEXT);
    fits = fits && len < MAX_TEXT;
    if (len && is_read(cfg, r, key)) sets[n++] = pl_asprintf("%s=%s", key->name, value);
  }
  pl_config *copy;
  if (fits) {
    /* An empty file holds no value. */
    if (pl_config_parse("title: x", 8, "copy", (const char *const *)sets, n, &copy)) {
      fprintf(stderr, "%s\n", pl_error_message());
      abort();
    }
    for (int i = 0; i < pl_config_num_keys(cfg); i++) {
      const pl_key *key = pl_config_key(cfg, i);
      int other = pl_config_find(copy, key->name);
      if (!is_read(cfg, r, key) || !pl_config_typed(cfg, r, i, NULL)) continue;
      *again = 0;
      pl_config_value(cfg, r, i, value, MAX_TEXT);
      if (other >= 0) pl_config_value(copy, 0, other, again, MAX_TEXT);
      if (strcmp(value, again) != 0) {
        fprintf(stderr, "%s: %s became %s\n", key->name, value, again);
        abort();
      }
    }
    pl_config_free(copy);
  }
  while (n > 0) pl_free(sets[--n]);
  pl_free(sets);
  pl_free(value);
  pl_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
  size_t len = zero ? (size_t)(zero - data) : size;
  char *set = zero ? pl_alloc(size - len, 1, "set") : NULL;
  if (set) {
    memcpy(set, zero + 1, size - len - 1);
    set[size - len - 1] = 0;
  }
  pl_config *cfg;
  const char *const sets[1] = {set};
  if (!pl_config_parse((const char *)data, len, "fuzz", sets, set != NULL, &cfg)) {
    for (int64_t r = 0; r < pl_config_num_runs(cfg) && r < MAX_RUNS_TRIED; r++) round_trip(cfg, r);
    pl_config_free(cfg);
  }
  pl_free(set);
  if (pl_mem_live() != 0) abort();
  return 0;
}
