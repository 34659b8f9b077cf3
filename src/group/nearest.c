/* What may have been meant by a name that no group has. */
#include "group/family.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ROOM = 72, SHOWN = 3 };

/* How people write, and what it is called here; # is the last number of the word. */
static const struct {
  const char *written, *name;
} forms[] = {{"C_#", "C_#"},
             {"Z_#", "C_#"},
             {"Z/#", "C_#"},
             {"cyclic #", "C_#"},
             {"D_#", "D_#"},
             {"Dih_#", "D_#"},
             {"dihedral #", "D_#"},
             {"S_#", "S_#"},
             {"Sym(#)", "S_#"},
             {"symmetric #", "S_#"},
             {"A_#", "A_#"},
             {"Alt(#)", "A_#"},
             {"alternating #", "A_#"},
             {"B_#", "B_#"},
             {"Q_8", "Q_8"},
             {"quaternion", "Q_8"},
             {"M_11", "M_11"},
             {"SL_2(#)", "SL_2(#)"},
             {"SL(2,#)", "SL_2(#)"},
             {"PSL_2(#)", "PSL_2(#)"},
             {"PSL(2,#)", "PSL_2(#)"},
             {"Dic_#", "Dic_#"},
             {"Heis_#", "Heis_#"},
             {"p4_#", "p4_#"},
             {"p4m_#", "p4m_#"},
             {"perm:(1,2,3),(1,2)", "perm:(1,2,3),(1,2)"},
             {"cayley:FILE.nc", "cayley:FILE.nc"}};
enum { FORMS = sizeof forms / sizeof *forms };

/* Insertions, deletions and changes that turn a into b, without regard to case. */
static int distance(const char *a, const char *b) {
  int row[ROOM + 1], n = (int)strlen(b);
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 0; a[i]; i++) {
    int left = row[0]++;
    for (int j = 0; j < n; j++) {
      int change = left + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
      left = row[j + 1];
      int best = left + 1 < row[j] + 1 ? left + 1 : row[j] + 1;
      row[j + 1] = change < best ? change : best;
    }
  }
  return row[n];
}

/* form with the number in the place of #; without a number, n. */
static void put_number(const char *form, const char *number, char *out) {
  const char *mark = strchr(form, '#');
  if (mark)
    snprintf(out, ROOM, "%.*s%.20s%s", (int)(mark - form), form, *number ? number : "n", mark + 1);
  else
    snprintf(out, ROOM, "%s", form);
}

void pl_group_nearest(const char *word, int len, char *buf, size_t n) {
  char text[ROOM], number[ROOM] = "", form[ROOM], name[SHOWN][ROOM];
  int best[SHOWN], found = 0, digits = 0;
  snprintf(text, sizeof text, "%.*s", len < ROOM - 8 ? len : ROOM - 8, word);
  for (const char *at = text; *at; at++) {
    if (!isdigit((unsigned char)*at)) continue;
    digits = (int)strspn(at, "0123456789");
    snprintf(number, sizeof number, "%.*s", digits, at);
    at += digits - 1;
  }
  for (int i = 0; i < FORMS; i++) {
    put_number(forms[i].written, number, form);
    int far = distance(text, form), k = 0;
    put_number(forms[i].name, number, form);
    /* One name is found once, by its nearest spelling. */
    while (k < found && strcmp(name[k], form) != 0) k++;
    if (k < found && best[k] <= far) continue;
    if (k == found && found == SHOWN && best[SHOWN - 1] <= far) continue;
    if (k == found && found < SHOWN) found++;
    if (k == SHOWN) k = SHOWN - 1;
    for (; k > 0 && best[k - 1] > far; k--) {
      best[k] = best[k - 1];
      memcpy(name[k], name[k - 1], ROOM);
    }
    best[k] = far;
    memcpy(name[k], form, ROOM);
  }
  snprintf(buf, n, "%s, %s, %s", name[0], name[1], name[2]);
}
