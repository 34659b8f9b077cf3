/* Rankings of n items, with counts, from text files.
 *
 * A ballot lists items from best to worst.  Its permutation pi gives each item its rank: pi(i) = j
 * when item i stands in place j, as in Diaconis (Annals of Statistics 17, 1989); the function on
 * S_n is f(pi) = number of ballots with that permutation.  With (st)(i) = s(t(i)), pi -> pi t
 * renames items (item i takes the rank of item t(i)) and pi -> s pi moves ranks (what had rank j
 * gets rank s(j)).  The other convention, ranks to items, inverts every pi and transposes every
 * Fourier matrix: energies and singular values are the same.
 *
 * Items may be tied, {2,3}; items that a ballot does not list are tied below all that it lists.
 * Such an open ballot is the mean of its linear extensions (group/weak_order.h).
 *
 * Files: blank lines are skipped, blanks and tabs are free, lines may end in LF, CR LF or
 * CR, items have numbers 1..n (or 0..n-1), their names are UTF-8.
 *   PrefLib            "# NUMBER ALTERNATIVES: 3", "# ALTERNATIVE NAME 1: Anna", .., and a line
 *                      "COUNT: 2,{1,3}" per order; NUMBER VOTERS and NUMBER UNIQUE ORDERS must
 *                      agree with the lines; other lines with # are comments.
 *   PrefLib, old form  n; n lines "1,Anna"; "VOTERS,SUM,UNIQUE"; lines "COUNT,2,{1,3}".
 *   plain              an order per line, "2 1 3" or "2,1,3", each one ballot; # for comments, for
 *                      names as above, or for all of them, "# ITEMS: Anna, Bo, C. C.".
 * In place of numbers orders may have the names, with commas between: those of the header, or of a
 * plain file's first order.
 * What a ballot may be is said by the end of the file's name or DATA TYPE, which must not differ:
 * soc strict and complete, soi strict, toc complete, toi any.  With neither, ties may be, and items
 * be missing where the header has their number.
 * (Mattei and Walsh, PrefLib: A Library for Preferences, ADT 2013.) */
#ifndef PL_GROUP_RANKINGS_H
#define PL_GROUP_RANKINGS_H

#include "base/status.h"
#include "group/weak_order.h"

#include <stddef.h>
#include <stdint.h>

enum { PL_RANKINGS_MAX = PL_WEAK_ORDER_MAX }; /* items */

/* How to read a file; NULL in place of it: not so. */
typedef struct pl_rankings_how {
  bool drop;       /* leave out open ballots */
  bool zero_based; /* items have numbers 0..n-1 in the file */
} pl_rankings_how;

typedef struct pl_rankings {
  int n;           /* items, at least 2 */
  int64_t num;     /* different orders */
  int64_t ballots; /* N, the sum of count; below 2^53 */
  int64_t open;    /* of these, with more than one linear extension */
  int64_t dropped; /* ballots of the file that were left out */
  int8_t *rank;    /* [num][n]: weak orders; lexicographically increasing */
  int64_t *count;  /* [num], at least 1 */
  char **name;     /* [n]; the numbers in the file where it has none */
} pl_rankings;

/* Read a file.  PL_EINPUT with file, line and what was expected: a tie or a missing item where none
 * may be, an item that is repeated or beyond n, a count below 1, sums that contradict the header,
 * no ballots, a name that is not UTF-8 or no item's, no regular file, one above 1 GiB; PL_EENV if
 * the file may not be read.  *out is owned by the caller (pl_rankings_free). */
pl_status pl_rankings_read(const char *path, const pl_rankings_how *how, pl_rankings **out);
/* The same from memory: size bytes at text; path names them in messages. */
pl_status pl_rankings_parse(const char *path, const char *text, size_t size,
                            const pl_rankings_how *how, pl_rankings **out);
void pl_rankings_free(pl_rankings *r);
/* Does the name end in .soc, .soi, .toc or .toi? */
bool pl_rankings_path(const char *path);

/* Linear extensions of all orders together, strict ones included. */
double pl_rankings_extensions(const pl_rankings *r);
/* f of all of S_n, n <= 13: f(pi) at pl_perm_rank(pi).  Takes a step per linear extension. */
void pl_rankings_function(const pl_rankings *r, double *f);
/* sum f^2, by pairs of orders that are open. */
double pl_rankings_norm2(const pl_rankings *r);
/* The mean of ||F_lambda||_F^2 for ballots like these, ties of the same sizes, whose items are
 * drawn uniformly: sum of K(lambda, mu) over the ballots, N d for strict ones, N^2 for the trivial
 * irrep. For lambda in the order of pl_partitions(n), n <= PL_MAX_N.  Owned by the caller
 * (pl_free). */
double *pl_rankings_means(const pl_rankings *r);

#endif
