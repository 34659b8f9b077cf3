/* Names of factors: a letter and a number. */
#include "group/family.h"

#include <ctype.h>
#include <stdio.h>

int pl_factor_parse(const pl_family *const *families, const char *word, int len, pl_factor *f,
                    char *why, size_t n) {
  const pl_family *family = NULL;
  for (int i = 0; len && families[i]; i++)
    if (word[0] == families[i]->letter) family = families[i];
  if (!family || len < 2 || word[1] != '_') {
    char nearest[160];
    pl_group_nearest(word, len, nearest, sizeof nearest);
    snprintf(why, n, "\"%.*s\" is not a known group; nearest: %s", len, word, nearest);
    return 0;
  }
  int64_t value = 0;
  int i = 2;
  for (; i < len && isdigit((unsigned char)word[i]) && value < PL_MAX_ORDER / 10; i++)
    value = value * 10 + (word[i] - '0');
  if (len == 2 || (i < len && !isdigit((unsigned char)word[i]))) {
    snprintf(why, n, "\"%.*s\" needs a whole number after \"%c_\"", len, word, family->letter);
    return 0;
  }
  if (i < len || value < family->min || value > family->max) {
    if (family->min == family->max)
      snprintf(why, n, "\"%.*s\" is out of range: only %c_%lld is known", len, word, family->letter,
               (long long)family->min);
    else
      snprintf(why, n, "\"%.*s\" is out of range: n must be from %lld to %lld", len, word,
               (long long)family->min, (long long)family->max);
    return 0;
  }
  *f = (pl_factor){.family = family, .n = value};
  return 1;
}
