/* Generators of permutation groups: texts, files and names.
 *
 * Text: generators separated by commas, each a product of disjoint cycles written side by side;
 * points from 1, separated by commas or spaces: "(1,2,3)(4,5),(1,2)" is two generators.  "()" is
 * the identity.
 * File: one generator per line, as cycles or in one-line notation ("2 3 1"); lines that are empty
 * or start with # do not count. */
#ifndef PL_GROUP_GENERATORS_H
#define PL_GROUP_GENERATORS_H

#include "group/chain.h"

#include <stddef.h>

enum { PL_MAX_GENERATORS = 128 };

/* PL_EINPUT with a message that names the place.  The caller frees out->image. */
pl_status pl_perms_parse(const char *text, pl_perms *out);
/* PL_EENV if the file cannot be read. */
pl_status pl_perms_read(const char *path, pl_perms *out);
/* As a text; the caller frees it. */
char *pl_perms_text(const pl_perms *p);
/* One permutation as cycles, points from 1: "(1,2,3)(4,5)", "()".  Writes at most size bytes with
 * the closing zero; returns strlen of the whole. */
int pl_perm_cycles(int degree, const pl_point *perm, char *buf, size_t size);

/* Generators of M_11, PSL_2(q), SL_2(q), Dic_n, Heis_p: 0 if name is none of these; 1 and *out, or
 * 1 and *why (static storage) where the number does not do. */
int pl_perms_named(const char *name, pl_perms *out, const char **why);

/* Generators that a whole spec names, "perm:.." or a name: 1 and *st; if that is PL_OK also *out
 * and the canonical spelling, which the caller frees (out->image too).  0: the spec is something
 * else, such as a product. */
int pl_perms_spec(const char *spec, pl_perms *out, char **canonical, pl_status *st);

#endif
