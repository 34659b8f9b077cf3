#include "base/text.h"

#include <string.h>

char *pl_text_start(char *text) {
  return strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;
}

char *pl_text_line(char **at) {
  char *line = *at;
  if (!*line) return NULL;
  char *end = line + strcspn(line, "\r\n");
  *at = end + (end[0] == '\r' && end[1] == '\n' ? 2 : *end ? 1 : 0);
  *end = 0;
  return line;
}

/* Bytes of the character that begins here, 0 if none does.  The ranges of the second byte keep out
 * what is too long, surrogates and what lies beyond U+10FFFF (Unicode standard, table 3-7). */
static size_t character(const unsigned char *s, size_t n) {
  unsigned char low = 0x80, high = 0xbf;
  size_t size = s[0] < 0x80   ? 1
                : s[0] < 0xc2 ? 0
                : s[0] < 0xe0 ? 2
                : s[0] < 0xf0 ? 3
                : s[0] < 0xf5 ? 4
                              : 0;
  if (size > n) return 0;
  if (s[0] == 0xe0) low = 0xa0;
  if (s[0] == 0xed) high = 0x9f;
  if (s[0] == 0xf0) low = 0x90;
  if (s[0] == 0xf4) high = 0x8f;
  for (size_t i = 1; i < size; i++, low = 0x80, high = 0xbf)
    if (s[i] < low || s[i] > high) return 0;
  return size;
}

int64_t pl_text_not_utf8(const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  for (size_t at = 0, size; at < n; at += size)
    if (!(size = character(s + at, n - at))) return (int64_t)at;
  return -1;
}
