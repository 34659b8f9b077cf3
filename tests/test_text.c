/* ranks: 1 */
#include "pl_test.h"

#include "base/text.h"

static void lines_end_in_three_ways(void **state) {
  (void)state;
  char text[] = "\xef\xbb\xbf"
                "a\nb\r\nc\rd\r\re\n\nf\r\n\r\ng";
  const char *want[] = {"a", "b", "c", "d", "", "e", "", "f", "", "g"};
  char *at = pl_text_start(text), *line;
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    line = pl_text_line(&at);
    assert_non_null(line);
    assert_string_equal(line, want[i]);
  }
  assert_null(pl_text_line(&at));
  char empty[] = "", one[] = "\n", mark[] = "\xef\xbb";
  at = empty;
  assert_null(pl_text_line(&at));
  at = one;
  assert_string_equal(pl_text_line(&at), "");
  assert_null(pl_text_line(&at));
  assert_ptr_equal(pl_text_start(mark), mark);
}

/* All characters there are, as an encoder of its own writes them; all of three bytes or fewer. */
static size_t encode(unsigned c, unsigned char *out) {
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; c >>= 6) out[i] = (unsigned char)(0x80 | (c & 0x3f));
  out[0] = (unsigned char)(n == 1 ? c : c | (0xf00u >> n & 0xff));
  return n;
}

static void utf8_is_what_unicode_says(void **state) {
  (void)state;
  int64_t good = 0;
  char *valid = pl_zalloc(1 << 24, 1, "three bytes");
  for (unsigned c = 0; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue;
    unsigned char s[4];
    size_t n = encode(c, s);
    assert_int_equal(pl_text_not_utf8((char *)s, n), -1);
    assert_int_equal(pl_text_not_utf8((char *)s, n - 1), n > 1 ? 0 : -1);
    if (n < 4) valid[s[0] << 16 | (n > 1 ? s[1] << 8 : 0) | (n > 2 ? s[2] : 0)] = (char)n;
    good++;
  }
  assert_int_equal(good, 0x110000 - 0x800);
  for (unsigned k = 0; k < 1 << 24; k++) {
    char s[3] = {(char)(k >> 16), (char)(k >> 8), (char)k};
    for (size_t n = 1; n <= 3; n++) {
      if (k & ((1u << 8 * (3 - n)) - 1)) continue; /* other bytes stand for nothing */
      bool one = valid[k] == (char)n;
      /* Of several characters each must be one. */
      if (!one && pl_text_not_utf8(s, 1) < 0)
        one = pl_text_not_utf8(s + 1, n - 1) < 0;
      else if (!one && n == 3 && pl_text_not_utf8(s, 2) < 0)
        one = pl_text_not_utf8(s + 2, 1) < 0;
      if ((pl_text_not_utf8(s, n) < 0) != one) fail_msg("bytes %06x, %zu of them", k, n);
    }
  }
  pl_free(valid);
  assert_int_equal(pl_text_not_utf8("abc\xff", 4), 3);
  assert_int_equal(pl_text_not_utf8("\xf4\x90\x80\x80", 4), 0); /* U+110000 */
  assert_int_equal(pl_text_not_utf8("\xf0\x8f\xbf\xbf", 4), 0); /* U+FFFF in four bytes */
  assert_int_equal(pl_text_not_utf8("\xf8\x88\x80\x80\x80", 5), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_end_in_three_ways),
    cmocka_unit_test(utf8_is_what_unicode_says),
};
PL_TEST_MAIN(tests)
