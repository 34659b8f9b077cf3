/* Complete strict rankings of n items, with counts, from text files.
 *
 * A ballot lists items from best to worst.  Its permutation pi gives each item its rank: pi(i) = j
 * when item i stands in place j, as in Diaconis (Annals of Statistics 17, 1989); the function on
 * S_n is f(pi) = number of ballots with that permutation.  With (st)(i) = s(t(i)), pi -> pi t
 * renames items (item i takes the rank of item t(i)) and pi -> s pi moves ranks (what had rank j
 * gets rank s(j)).  The other convention, ranks to items, inverts every pi and transposes every
 * Fourier matrix: energies and singular values are the same.
 *
 * Files: blank lines are skipped, blanks and tabs are free, lines may end in LF, CR LF or
 * CR, items have numbers 1..n, their names are UTF-8.
 *   PrefLib .soc       "# NUMBER ALTERNATIVES: 3", "# ALTERNATIVE NAME 1: Anna", .., and a line
 *                      "COUNT: 2,1,3" per order; NUMBER VOTERS and NUMBER UNIQUE ORDERS must agree
 *                      with the lines, DATA TYPE must be soc; other lines with # are comments.
 *   PrefLib, old form  n; n lines "1,Anna"; "VOTERS,SUM,UNIQUE"; lines "COUNT,2,1,3".
 *   plain              an order per line, "2 1 3" or "2,1,3", each one ballot; # for comments (or
 *                      for names as above).
 * (Mattei and Walsh, PrefLib: A Library for Preferences, ADT 2013.) */
#ifndef PL_GROUP_RANKINGS_H
#define PL_GROUP_RANKINGS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { PL_RANKINGS_MAX = 127 }; /* items: places fit in int8_t */

typedef struct pl_rankings {
  int n;           /* items, at least 2 */
  int64_t num;     /* different orders */
  int64_t ballots; /* N, the sum of count; below 2^53 */
  int8_t *rank;    /* [num][n]: rank of each item, from 0; lexicographically increasing */
  int64_t *count;  /* [num], at least 1 */
  char **name;     /* [n]; "1", "2", .. where the file has none */
} pl_rankings;

/* Read a file.  PL_EINPUT with file, line and what was expected: a tie, an item that is missing,
 * repeated or beyond n, a count below 1, sums that contradict the header, no ballots, a name that
 * is not UTF-8, no regular file, one above 1 GiB; PL_EENV if the file may not be read.  *out is
 * owned by the caller (pl_rankings_free). */
pl_status pl_rankings_read(const char *path, pl_rankings **out);
/* The same from memory: size bytes at text; path names them in messages. */
pl_status pl_rankings_parse(const char *path, const char *text, size_t size, pl_rankings **out);
void pl_rankings_free(pl_rankings *r);

#endif
