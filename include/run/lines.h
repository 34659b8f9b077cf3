/* Texts that stand one per line in an attribute of a file.  Local. */
#ifndef PL_RUN_LINES_H
#define PL_RUN_LINES_H

/* n texts, one per line; where a text goes on in another line, that one starts with a tab, which is
 * no part of it.  The caller frees the result. */
char *pl_lines_join(const char *const *texts, int n);
/* The next text of what was joined, ended with a zero in place; *at starts at the first byte and
 * moves on.  NULL: no more, or at is empty. */
char *pl_lines_next(char **at);

#endif
